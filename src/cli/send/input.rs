//! Lines of a file or a pipe, read by a thread of its own, so that a slow pipe keeps no answer waiting.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::wire::events::{Line, Lines, MAX_LINE};

/// How often a file that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Read at a time.
const CHUNK: usize = 64 << 10;
/// Lots of lines that wait to be sent.
const WAITING: usize = 8;

/// The lines, in lots as they were read. A line that is too long is cut to one byte more than the daemon takes: the
/// daemon says what is wrong with it, and nobody has to hold the rest.
pub(super) type Input = mpsc::Receiver<io::Result<Vec<Vec<u8>>>>;

/// Opens a file, or standard input, and begins to read. Says how many bytes there are, if that is known.
pub(super) fn open(path: &Path, follow: bool) -> io::Result<(Input, Option<u64>)> {
    let (lots, input) = mpsc::channel(WAITING);
    let out = Out { lots, lines: Lines::default() };
    if path == Path::new("-") {
        thread::Builder::new().spawn(move || out.whole(&mut io::stdin().lock()))?;
        return Ok((input, None));
    }
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let path = path.to_owned();
    thread::Builder::new().spawn(move || if follow { out.follow(file, path) } else { out.whole(&mut file) })?;
    Ok((input, metadata.is_file().then_some(metadata.len())))
}
struct Out {
    lots: mpsc::Sender<io::Result<Vec<Vec<u8>>>>,
    lines: Lines,
}

/// Nobody reads the lines any more.
struct Unheard;

impl Out {
    fn whole(mut self, file: &mut impl Read) {
        if self.drain(file).is_ok() {
            // The receiver may have gone.
            let _ = self.finish();
        }
    }

    /// What is appended, and what takes the file's place, for as long as somebody reads.
    fn follow(mut self, mut file: File, path: PathBuf) {
        while self.drain(&mut file).is_ok() {
            match replacement(&file, &path) {
                // The old file may have grown between the last look and its renaming.
                Ok(Some(next)) => {
                    if self.drain(&mut file).and_then(|_| self.finish()).is_err() {
                        return;
                    }
                    file = next;
                }
                Ok(None) => {
                    // Shorter than what was read: it was cut, and begins anew.
                    let read = file.stream_position().unwrap_or(0);
                    if file.metadata().is_ok_and(|metadata| metadata.len() < read)
                        && file.seek(SeekFrom::Start(0)).is_ok()
                    {
                        self.lines = Lines::default();
                        continue;
                    }
                    if self.lots.is_closed() {
                        return;
                    }
                    thread::sleep(LOOK);
                }
                Err(error) => {
                    // The receiver may have gone.
                    let _ = self.lots.blocking_send(Err(error));
                    return;
                }
            }
        }
    }

    /// Sends the lines up to where the file ends now.
    fn drain(&mut self, file: &mut impl Read) -> Result<(), Unheard> {
        let mut buffer = vec![0; CHUNK];
        loop {
            let length = match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.lots.blocking_send(Err(error)).map_err(|_| Unheard)?;
                    return Err(Unheard);
                }
            };
            let mut rest = buffer.get(..length).unwrap_or_default();
            let mut lot = Vec::new();
            while let Some(line) = self.lines.next(&mut rest) {
                lot.push(owned(line));
            }
            if !lot.is_empty() {
                self.lots.blocking_send(Ok(lot)).map_err(|_| Unheard)?;
            }
        }
    }

    /// The last line, if it has no line feed.
    fn finish(&mut self) -> Result<(), Unheard> {
        let Some(line) = self.lines.finish().map(owned) else { return Ok(()) };
        self.lots.blocking_send(Ok(vec![line])).map_err(|_| Unheard)
    }
}

fn owned(line: Line<'_>) -> Vec<u8> {
    match line {
        Line::Whole(line) => line.to_vec(),
        Line::TooLong => vec![b' '; MAX_LINE + 1],
    }
}

/// The file that has taken this one's place, if one has.
fn replacement(file: &File, path: &Path) -> io::Result<Option<File>> {
    let now = match fs::metadata(path) {
        Ok(now) => now,
        // Renamed, and the next is not there yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let open = file.metadata()?;
    if (open.dev(), open.ino()) == (now.dev(), now.ino()) { Ok(None) } else { File::open(path).map(Some) }
}
