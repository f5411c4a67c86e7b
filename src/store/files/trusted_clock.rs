//! The file `clock` beside the keyring: the last reading of the clocks that was trusted.
//!
//! It can be read before the database is opened and by whoever destroys keys without the daemon. It holds two records that
//! are written in turn, where they lie, so that a full disk prevents nothing and a torn write leaves the one before. It
//! decides nothing: what the reading is worth is for [`crate::domain::clock_guard`] to say.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::disk::{self, DiskError};
use crate::domain::clock_guard::{BootId, Reading, Trust};
use crate::domain::time::{Timestamp, millis_of};

/// The file's name in the keyring's directory.
const NAME: &str = "clock";
/// Bytes of a record: a sector, so that a torn write of one leaves the other alone.
const RECORD: usize = 512;
/// Bytes of the file.
const BYTES: u64 = 1024;

const MAGIC: [u8; 16] = *b"lapsed clock\r\n\0\0";
const VERSION: u32 = 1;
const CHECKED_BYTES: usize = 84;

/// A step on the file failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {doing} {path}: {kind}", path = path.display())]
pub struct TrustedClockError {
    /// What was being done.
    pub doing: &'static str,
    /// The file, or its directory.
    pub path: PathBuf,
    /// Why it failed.
    pub kind: io::ErrorKind,
}

impl From<DiskError> for TrustedClockError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self { doing, path, kind }
    }
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remembered {
    /// Nothing was trusted yet: there is no file, or one without a record.
    Nothing,
    /// This was.
    Trust(Trust),
    /// Something was, and no record of it is whole.
    Damaged,
}

/// The open file.
#[derive(Debug)]
pub struct TrustedClock {
    file: File,
    path: PathBuf,
    /// The number of the next record.
    next: u64,
}

impl TrustedClock {
    /// Reads the file in the keyring's directory, and changes nothing.
    ///
    /// # Errors
    ///
    /// If there is a file and it cannot be read.
    pub fn read(keyring_dir: &Path) -> Result<Remembered, TrustedClockError> {
        let path = keyring_dir.join(NAME);
        match File::open(&path) {
            Ok(file) => Ok(remembered(&file, &path)?.0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Remembered::Nothing),
            Err(error) => Err(DiskError::when("open", &path)(error).into()),
        }
    }

    /// Where the file lies.
    pub(in crate::store) fn path_in(keyring_dir: &Path) -> PathBuf {
        keyring_dir.join(NAME)
    }

    /// Opens the file to be written, and makes it where there is none; its directory too.
    ///
    /// # Errors
    ///
    /// If it cannot be made or read.
    pub fn open(keyring_dir: &Path) -> Result<(Self, Remembered), TrustedClockError> {
        disk::make_private_dir(keyring_dir)?;
        let path = keyring_dir.join(NAME);
        let file = disk::open_private(&path)?;
        let length = file.metadata().map_err(DiskError::when("read", &path))?.len();
        if length < BYTES {
            // All of it now, so that no later write needs space. A crash here leaves a file without a record, or a part of
            // one, and the next start comes back to this place.
            let missing = vec![0; usize::try_from(BYTES.saturating_sub(length)).unwrap_or(0)];
            file.write_all_at(&missing, length).map_err(DiskError::when("write", &path))?;
            file.sync_all().map_err(DiskError::when("sync", &path))?;
            disk::sync_dir(keyring_dir)?;
        }
        let (remembered, newest) = remembered(&file, &path)?;
        Ok((Self { file, path, next: newest.saturating_add(1) }, remembered))
    }

    /// Remembers this, durably, in the place of the record before the last.
    ///
    /// # Errors
    ///
    /// If it cannot be written or synced; then the last record may still be the one that counts.
    pub fn write(&mut self, trust: &Trust) -> Result<(), TrustedClockError> {
        // A crash in this write leaves the other record, which is the one that counted so far.
        let place = record_offset(self.next);
        self.file.write_all_at(&to_record(trust, self.next), place).map_err(DiskError::when("write", &self.path))?;
        self.file.sync_data().map_err(DiskError::when("sync", &self.path))?;
        self.next = self.next.saturating_add(1);
        Ok(())
    }
}

/// Where the record of this number lies.
fn record_offset(number: u64) -> u64 {
    if number.is_multiple_of(2) { 0 } else { BYTES / 2 }
}

/// What the whole record with the greatest number says, and that number.
fn remembered(file: &File, path: &Path) -> Result<(Remembered, u64), DiskError> {
    let mut newest: Option<(u64, Trust)> = None;
    let mut untouched = true;
    for place in [0, BYTES / 2] {
        let mut bytes = [0; RECORD];
        match file.read_exact_at(&mut bytes, place) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
            Err(error) => return Err(DiskError::when("read", path)(error)),
        }
        untouched &= bytes.iter().all(|byte| *byte == 0);
        if let Some(found) = from_record(&bytes).filter(|(number, _)| newest.is_none_or(|(newest, _)| newest < *number))
        {
            newest = Some(found);
        }
    }
    Ok(match newest {
        Some((number, trust)) => (Remembered::Trust(trust), number),
        None if untouched => (Remembered::Nothing, 0),
        None => (Remembered::Damaged, 0),
    })
}

fn to_record(trust: &Trust, number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&trust.last.boot.0);
    for reading in [&trust.anchor, &trust.last] {
        bytes.extend_from_slice(&reading.wall.millis().to_be_bytes());
        bytes.extend_from_slice(&millis_of(reading.since_boot).to_be_bytes());
    }
    bytes.extend_from_slice(&trust.highest.millis().to_be_bytes());
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes.resize(RECORD, 0);
    bytes
}

/// The number and the trust of a record; `None` if it is not whole, or of a version that is not known.
fn from_record(bytes: &[u8]) -> Option<(u64, Trust)> {
    let (checked, rest) = bytes.split_at_checked(CHECKED_BYTES)?;
    let (found, _) = rest.split_first_chunk::<32>()?;
    if *found != checksum(checked) {
        return None;
    }
    let rest = checked.strip_prefix(&MAGIC)?.strip_prefix(&VERSION.to_be_bytes())?;
    let (number, rest) = number(rest)?;
    let (boot, rest) = rest.split_first_chunk::<16>()?;
    let (anchor, rest) = reading(rest, BootId(*boot))?;
    let (last, rest) = reading(rest, BootId(*boot))?;
    let (highest, _) = self::number(rest)?;
    Some((number, Trust { anchor, last, highest: Timestamp::from_millis(highest) }))
}

fn reading(bytes: &[u8], boot: BootId) -> Option<(Reading, &[u8])> {
    let (wall, rest) = number(bytes)?;
    let (since_boot, rest) = number(rest)?;
    let reading = Reading { wall: Timestamp::from_millis(wall), since_boot: Duration::from_millis(since_boot), boot };
    Some((reading, rest))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest))
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    blake3::derive_key("lapsed 2026-11 clock v1: checksum of a record", bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]
    fn trust(secs: u32) -> Trust {
        let reading = |secs| Reading {
            wall: Timestamp::from_secs(secs),
            since_boot: Duration::from_millis(u64::from(secs) + 7),
            boot: BootId([7; 16]),
        };
        Trust { anchor: reading(secs - 1), last: reading(secs), highest: Timestamp::from_secs(secs + 1) }
    }

    #[test]
    fn what_was_written_last_is_read_by_everyone_and_the_file_never_grows() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(TrustedClock::read(dir.path()), Ok(Remembered::Nothing));
        for round in [10, 20] {
            let (mut clock, _) = TrustedClock::open(dir.path()).unwrap();
            for secs in round..round + 5 {
                clock.write(&trust(secs)).unwrap();
                assert_eq!(TrustedClock::read(dir.path()), Ok(Remembered::Trust(trust(secs))));
            }
        }
        assert_eq!(fs::metadata(dir.path().join(NAME)).unwrap().len(), BYTES);
    }

    #[test]
    fn a_torn_write_leaves_the_one_before_and_two_of_them_are_called_damage() {
        let dir = tempfile::tempdir().unwrap();
        let (mut clock, found) = TrustedClock::open(dir.path()).unwrap();
        assert_eq!(found, Remembered::Nothing);
        (10..13).for_each(|secs| clock.write(&trust(secs)).unwrap());
        let path = dir.path().join(NAME);
        let mut bytes = fs::read(&path).unwrap();
        let newest = usize::try_from(record_offset(3)).unwrap();
        for at in 0..CHECKED_BYTES + 32 {
            let mut torn = bytes.clone();
            torn[newest + at] ^= 1;
            fs::write(&path, &torn).unwrap();
            assert_eq!(TrustedClock::read(dir.path()), Ok(Remembered::Trust(trust(11))), "{at}");
        }
        bytes.iter_mut().for_each(|byte| *byte ^= 1);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(TrustedClock::read(dir.path()), Ok(Remembered::Damaged));
    }

    #[test]
    fn a_file_that_was_never_finished_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), [0; 700]).unwrap();
        let (mut clock, found) = TrustedClock::open(dir.path()).unwrap();
        assert_eq!(found, Remembered::Nothing);
        clock.write(&trust(10)).unwrap();
        assert_eq!(TrustedClock::read(dir.path()), Ok(Remembered::Trust(trust(10))));
    }

    #[test]
    fn a_record_has_fixed_bytes() {
        let bytes = to_record(&trust(10), 5);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(&bytes[16..CHECKED_BYTES]),
            "00000001000000000000000507070707070707070707070707070707\
             000000000000232800000000000000100000000000002710000000000000001100000000000\
             02af8"
                .replace(' ', "")
        );
        assert_eq!(bytes.len(), RECORD);
    }
}
