//! The file `case-keys`: made once, then changed in place only. It grows by a slot when more cases are live than ever before.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::Flock;
use zeroize::Zeroizing;

use super::CaseKeysFault;
use super::layout::{self, ENTRY_BYTES, Entry, MOST_CASES, PAGE};
use crate::store::files::disk::{self, DiskError};
use crate::store::keyring::{Erased, Eraser, KeyringError, With};

/// The open and locked file.
pub(super) struct CaseFile {
    file: Flock<File>,
    path: PathBuf,
    /// Slots whose overwriting fails: a test's bad sectors.
    pub(super) bad: Vec<u64>,
}

impl CaseFile {
    /// Opens the file for the store with this id, or makes it.
    pub(super) fn open(path: &Path, store_id: &[u8; 16]) -> Result<Self, CaseKeysFault> {
        let file = disk::lock_file(path)?.ok_or(CaseKeysFault::Locked)?;
        let opened = Self { file, path: path.to_owned(), bad: Vec::new() };
        let mut page = vec![0; PAGE];
        let length = opened.file.metadata().map_err(opened.failed("read"))?.len();
        if length >= 4096 {
            opened.file.read_exact_at(&mut page, 0).map_err(opened.failed("read"))?;
        }
        // The header is written last: without it nothing was sealed under any key in here.
        if page.iter().all(|byte| *byte == 0) {
            opened.make(store_id)?;
            return Ok(opened);
        }
        match layout::store_of(&page) {
            Some(found) if found == *store_id => Ok(opened),
            Some(_) => Err(CaseKeysFault::OtherStore),
            None => Err(CaseKeysFault::Foreign),
        }
    }

    fn make(&self, store_id: &[u8; 16]) -> Result<(), DiskError> {
        // 1. The place of the table. A crash here leaves a file without a header, which is made again.
        let table = layout::slot_offset(0);
        self.file.set_len(0).and_then(|()| self.file.set_len(table)).map_err(self.failed("empty"))?;
        self.file.sync_all().map_err(self.failed("sync"))?;
        self.path.parent().map_or(Ok(()), disk::sync_dir)?;
        // 2. The header. A crash that tears it leaves a file that is refused, and never one that is taken for another's.
        self.file.write_all_at(&layout::header(store_id), 0).map_err(self.failed("write"))?;
        self.sync()
    }

    /// What the table says of every slot; `None` where an entry is damaged.
    pub(super) fn entries(&self) -> Result<Vec<Option<Entry>>, DiskError> {
        let mut table = vec![0; ENTRY_BYTES.saturating_mul(usize::try_from(MOST_CASES).unwrap_or(0))];
        self.file.read_exact_at(&mut table, layout::entry_offset(0)).map_err(self.failed("read"))?;
        Ok((0..).zip(table.chunks(ENTRY_BYTES)).map(|(slot, bytes)| Entry::from_bytes(slot, bytes)).collect())
    }

    /// The bytes of a slot.
    pub(super) fn slot(&self, slot: u32) -> Result<Zeroizing<Vec<u8>>, DiskError> {
        let mut bytes = Zeroizing::new(vec![0; PAGE]);
        self.file.read_exact_at(&mut bytes, layout::slot_offset(slot)).map_err(self.failed("read"))?;
        Ok(bytes)
    }

    /// Writes a slot where it lies, and makes that durable.
    pub(super) fn write_slot(&self, slot: u32, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_all_at(bytes, layout::slot_offset(slot)).map_err(self.failed("write"))?;
        // It may have become longer.
        self.file.sync_all().map_err(self.failed("sync"))
    }

    /// Writes a table entry where it lies. Durable after [`CaseFile::sync`].
    pub(super) fn write_entry(&self, slot: u32, entry: Entry) -> Result<(), DiskError> {
        self.file.write_all_at(&entry.to_bytes(slot), layout::entry_offset(slot)).map_err(self.failed("write"))
    }

    pub(super) fn sync(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(self.failed("sync"))
    }

    /// Overwrites slots for good.
    pub(super) fn erase(&self, slots: &[u32]) -> Vec<Erased> {
        let offsets: Vec<u64> = slots.iter().map(|slot| layout::slot_offset(*slot)).collect();
        let eraser = Eraser { file: &self.file, path: &self.path, bad: &self.bad };
        eraser.erase(&offsets, With::Random).0
    }

    /// Overwrites every page of the file at this path.
    pub(super) fn shred(path: &Path) -> Result<(), KeyringError> {
        let locked = disk::lock_file(path)?;
        let file = locked.ok_or_else(|| DiskError::when("lock", path)(std::io::ErrorKind::WouldBlock.into()))?;
        let length = file.metadata().map_err(DiskError::when("read", path))?.len();
        let pages: Vec<u64> = (0..length.div_ceil(4096)).map(|page| page.saturating_mul(4096)).collect();
        let (erased, _) = Eraser { file: &file, path, bad: &[] }.erase(&pages, With::Random);
        erased.into_iter().try_for_each(|page| page.result)
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(std::io::Error) -> DiskError {
        DiskError::when(doing, &self.path)
    }
}
