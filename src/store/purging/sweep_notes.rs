//! The notes that sweeps leave for the next report: the file `swept` beside the keyring, a line for each sweep that found
//! something due. Whoever writes or removes it has the keyring's lock.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::domain::rfc3339;
use crate::domain::time::{Bucket, Timestamp};
use crate::store::files::disk::{self, DiskError};
use crate::store::keyring::{DestroyedKey, Destruction, Extents, ReadBack};

/// How every line begins.
const MARK: &str = "lapsed-swept-v1";

/// What one sweep did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepNote {
    /// When it was, by the clock that it went by.
    pub at: Timestamp,
    /// The keys it destroyed, in the order of time.
    pub keys: Vec<DestroyedKey>,
    /// Buckets whose keys it could not overwrite.
    pub failed: Vec<Bucket>,
    /// How it read back what it wrote.
    pub read_back: ReadBack,
    /// Whether the slots stayed in their place.
    pub extents: Extents,
}

impl From<SweepNote> for Destruction {
    /// The act of destruction that the note is of. Why keys failed is not in it; they are tried again.
    fn from(note: SweepNote) -> Self {
        Self { keys: note.keys, failed: Vec::new(), read_back: note.read_back, extents: note.extents }
    }
}

/// Why the notes cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotesError {
    /// A step on the file failed.
    #[error("cannot {doing} {path}: {kind}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        kind: io::ErrorKind,
    },
    /// A whole line is none that a sweep writes.
    #[error("{path}:{line}: not the note of a sweep", path = path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
}

impl From<DiskError> for NotesError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Io { doing, path, kind }
    }
}

/// Adds a line. Durable when this returns; a crash leaves the line, a part of it or nothing.
pub(super) fn append(path: &Path, at: Timestamp, destruction: &Destruction) -> Result<(), NotesError> {
    let mut line = line_of(at, destruction);
    // A torn line of an earlier crash must not swallow this one.
    if fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n')) {
        line.insert(0, '\n');
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let mut file = file.map_err(DiskError::when("open", path))?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(DiskError::when("write", path))?;
    path.parent().map_or(Ok(()), disk::sync_dir)?;
    Ok(())
}

/// All notes; none if there is no file.
pub(in crate::store) fn read(path: &Path) -> Result<Vec<SweepNote>, NotesError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(DiskError::when("read", path)(error).into()),
    };
    let mut notes = Vec::new();
    for (line, written) in (1..).zip(text.split_inclusive('\n')) {
        let whole = written.strip_suffix('\n');
        match (whole.and_then(note_of), whole) {
            (Some(note), _) => notes.push(note),
            // A line that a crash cut short, at the end or before the next: its keys are destroyed, and the table says so.
            (None, None) => {}
            (None, Some(cut)) if is_cut(cut) => {}
            (None, Some(_)) => return Err(NotesError::BadLine { path: path.to_owned(), line }),
        }
    }
    Ok(notes)
}

/// Removes the notes.
pub(in crate::store) fn forget(path: &Path) -> Result<(), NotesError> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(DiskError::when("remove", path)(error).into()),
    }
    path.parent().map_or(Ok(()), disk::sync_dir)?;
    Ok(())
}

fn line_of(at: Timestamp, destruction: &Destruction) -> String {
    let key = |key: &DestroyedKey| match key.commitment {
        Some(commitment) => format!("{}={}", key.bucket.0, blake3::Hash::from_bytes(commitment).to_hex()),
        None => key.bucket.0.to_string(),
    };
    let keys = list(destruction.keys.iter().map(key));
    let failed = list(destruction.failed.iter().map(|(bucket, _)| bucket.0.to_string()));
    let moved = match &destruction.extents {
        Extents::Moved(buckets) => list(buckets.iter().map(|bucket| bucket.0.to_string())),
        Extents::Nothing | Extents::Same | Extents::Unknown => "-".to_owned(),
    };
    let (read_back, extents) = (destruction.read_back.name(), destruction.extents.name());
    format!("{MARK} {at} destroyed {keys} failed {failed} read-back {read_back} extents {extents} moved {moved} end\n")
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "-".to_owned() } else { items.join(",") }
}

/// Reads what [`line_of`] writes, and nothing else.
fn note_of(line: &str) -> Option<SweepNote> {
    let words: Vec<&str> = line.split(' ').collect();
    let [
        MARK,
        at,
        "destroyed",
        keys,
        "failed",
        failed,
        "read-back",
        read_back,
        "extents",
        extents,
        "moved",
        moved,
        "end",
    ] = words.as_slice()
    else {
        return None;
    };
    let ways = [ReadBack::Nothing, ReadBack::Device, ReadBack::CacheDropped];
    let moved = items(moved, bucket_of)?;
    let extents = match *extents {
        "moved" => Extents::Moved(moved),
        "nothing" if moved.is_empty() => Extents::Nothing,
        "same" if moved.is_empty() => Extents::Same,
        "unknown" if moved.is_empty() => Extents::Unknown,
        _ => return None,
    };
    Some(SweepNote {
        at: rfc3339::parse(at).ok()?,
        keys: items(keys, key_of)?,
        failed: items(failed, bucket_of)?,
        read_back: ways.into_iter().find(|way| way.name() == *read_back)?,
        extents,
    })
}

fn items<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    if text == "-" { Some(Vec::new()) } else { text.split(',').map(read).collect() }
}

fn bucket_of(text: &str) -> Option<Bucket> {
    text.parse().ok().map(Bucket)
}

fn key_of(text: &str) -> Option<DestroyedKey> {
    let (bucket, commitment) = match text.split_once('=') {
        Some((bucket, hex)) => (bucket, Some(*blake3::Hash::from_hex(hex).ok()?.as_bytes())),
        None => (text, None),
    };
    Some(DestroyedKey { bucket: bucket_of(bucket)?, commitment })
}

/// Is this the beginning of a line, and not its end?
fn is_cut(line: &str) -> bool {
    !line.ends_with(" end") && (MARK.starts_with(line) || line.starts_with(MARK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::keyring::KeyringError;

    fn destruction() -> Destruction {
        Destruction {
            keys: vec![
                DestroyedKey { bucket: Bucket(7), commitment: Some([0xab; 32]) },
                DestroyedKey { bucket: Bucket(8), commitment: None },
            ],
            failed: vec![(Bucket(9), KeyringError::NoRandom)],
            read_back: ReadBack::CacheDropped,
            extents: Extents::Moved(vec![Bucket(8)]),
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written_and_a_torn_one_does_not_hide_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("swept");
        assert_eq!(read(&path), Ok(vec![]));
        let (first, second) = (Timestamp::from_secs(100), Timestamp::from_secs(200));
        append(&path, first, &destruction()).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        let note = |at| SweepNote {
            at,
            keys: destruction().keys,
            failed: vec![Bucket(9)],
            read_back: ReadBack::CacheDropped,
            extents: Extents::Moved(vec![Bucket(8)]),
        };
        assert_eq!(read(&path), Ok(vec![note(first)]));
        for cut in 1..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(read(&path), Ok(vec![]), "{cut}");
            append(&path, second, &destruction()).unwrap();
            let notes = read(&path).unwrap();
            assert_eq!(notes.last(), Some(&note(second)), "{cut}");
        }
        forget(&path).unwrap();
        forget(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn what_no_sweep_writes_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("swept");
        append(&path, Timestamp::from_secs(100), &destruction()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for (from, to) in [("destroyed", "destroid"), ("7=", "x="), (" moved 8", " moved -,"), ("-v1", "-v2")] {
            fs::write(&path, text.replace(from, to)).unwrap();
            assert_eq!(read(&path), Err(NotesError::BadLine { path: path.clone(), line: 1 }), "{to}");
        }
    }
}
