//! One generation of a lease file, held open: it can be read to its end whatever it is renamed to, also once it is unlinked.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::domain::lease::LeaseFormat;
use crate::domain::time::Timestamp;
use crate::sources::{Flaw, LONGEST_LINE, Lease, Reader};

use super::place::{FileId, Place};

/// How much is read at once: more than the longest line.
const CHUNK: usize = 64 << 10;

const _: () = assert!(CHUNK > LONGEST_LINE);

/// What a row says, and where the next one begins.
pub(super) struct Row {
    pub(super) read: Result<Lease, Flaw>,
    /// All before this has been read; `None` inside a block.
    pub(super) rest: u64,
}

/// An open file.
pub(super) struct Generation {
    file: File,
    pub(super) id: FileId,
    format: LeaseFormat,
    reader: Reader,
    /// Up to here lines were given to the reader.
    scanned: u64,
    /// The last place at which reading may begin again.
    pub(super) rest: u64,
    /// Inside a line that is too long to be read.
    skipping: bool,
}

impl Generation {
    /// Opens a file at its beginning; `None` if there is none.
    pub(super) fn open(path: &Path, format: LeaseFormat) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let id = id_of(&file)?;
        let reader = Reader::new(format);
        Ok(Some(Self { file, id, format, reader, scanned: 0, rest: 0, skipping: false }))
    }

    /// Begins again: the file was cut off, and what is in it now is new.
    pub(super) fn rewind(&mut self) {
        self.reader = Reader::new(self.format);
        (self.scanned, self.rest, self.skipping) = (0, 0, false);
    }

    /// Reads what follows, up to `limit`. Nothing: there is no more line that ends before it.
    pub(super) fn rows(&mut self, limit: u64) -> io::Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut buffer = vec![0; CHUNK];
        while rows.is_empty() {
            let most = usize::try_from(limit.saturating_sub(self.scanned)).unwrap_or(CHUNK).min(CHUNK);
            let room = buffer.get_mut(..most).unwrap_or_default();
            let length = read_at(&self.file, room, self.scanned)?;
            let before = self.scanned;
            self.lines(room.get(..length).unwrap_or_default(), &mut rows);
            if self.scanned == before {
                break;
            }
        }
        Ok(rows)
    }

    /// Gives whole lines to the reader.
    fn lines(&mut self, bytes: &[u8], rows: &mut Vec<Row>) {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place.saturating_add(1));
        if whole == 0 && bytes.len() >= CHUNK {
            self.skipping = true;
            self.scanned = self.scanned.saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
            return;
        }
        for line in bytes.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            self.scanned = self.scanned.saturating_add(u64::try_from(line.len()).unwrap_or(0));
            let read = if std::mem::take(&mut self.skipping) {
                Some(Err(Flaw::LongLine))
            } else {
                self.reader.line(line.strip_suffix(b"\n").unwrap_or(line))
            };
            if self.reader.at_rest() {
                self.rest = self.scanned;
            }
            rows.extend(read.map(|read| Row { read, rest: self.rest }));
        }
    }

    /// A hash of the beginning, for a place at `offset`.
    pub(super) fn head(&self, offset: u64, hash: &impl Fn(&[u8]) -> [u8; 8]) -> io::Result<[u8; 8]> {
        let mut head = vec![0; usize::from(Place::head_len(offset))];
        let length = read_at(&self.file, &mut head, 0)?;
        Ok(hash(head.get(..length).unwrap_or_default()))
    }

    /// Was the file cut off before the place that was read to?
    pub(super) fn is_cut_off(&self) -> io::Result<bool> {
        Ok(self.len()? < self.scanned)
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// When it was last written to, by the clock of whoever holds the file system.
    pub(super) fn written(&self) -> Option<Timestamp> {
        let millis = self.file.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_millis();
        u64::try_from(millis).ok().map(Timestamp::from_millis)
    }
}

fn id_of(file: &File) -> io::Result<FileId> {
    let metadata = file.metadata()?;
    let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born = born.and_then(|born| u64::try_from(born.as_nanos()).ok()).unwrap_or(0);
    Ok(FileId { device: metadata.dev(), inode: metadata.ino(), born })
}

/// Reads until the buffer is full or the file ends.
fn read_at(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut filled = 0_usize;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        let offset = from.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match file.read_at(room, offset) {
            Ok(0) => break,
            Ok(length) => filled = filled.saturating_add(length),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
