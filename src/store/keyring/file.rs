//! The keyring's file: made whole, then only ever changed in place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::Flock;
use zeroize::Zeroizing;

use super::layout::{ENTRY_BYTES, Entry, Header, NoHeader, PAGE, entry_offset, slot_offset, slots_for};
use super::{KeyringError, KeyringFault};
use crate::domain::retention::Retention;
use crate::store::disk::{self, DiskError};

/// The open and locked file. It is never replaced: a renamed copy would leave the old keys on the disk.
pub(super) struct KeyringFile {
    file: Flock<File>,
    path: PathBuf,
    pub(super) header: Header,
}

impl KeyringFile {
    /// Opens the keyring; makes one if `may_create` and there is none, or one that was never finished.
    pub(super) fn open(path: &Path, retention: &Retention, may_create: bool) -> Result<Self, KeyringFault> {
        let known = path.try_exists().map_err(DiskError::when("look for", path))?;
        if !known && !may_create {
            return Err(KeyringFault::Missing);
        }
        let file = disk::lock_file(path)?.ok_or(KeyringFault::Locked)?;
        let length = file.metadata().map_err(DiskError::when("read", path))?.len();
        let mut page = Zeroizing::new(vec![0; PAGE]);
        if length >= slot_offset(0, 0) {
            file.read_exact_at(&mut page, 0).map_err(DiskError::when("read", path))?;
        }
        match Header::from_page(&page) {
            Ok(header) if length < slot_offset(header.slots, header.slots) => Err(KeyringFault::Damaged),
            Ok(header) => Ok(Self { file, path: path.to_owned(), header }),
            Err(NoHeader::Unfinished) if may_create => Self::create(file, path, retention),
            Err(NoHeader::Unfinished) => Err(KeyringFault::Unfinished),
            Err(NoHeader::Foreign) => Err(KeyringFault::Foreign),
            Err(NoHeader::Newer(found)) => Err(KeyringFault::Newer(found)),
            Err(NoHeader::Damaged) => Err(KeyringFault::Damaged),
        }
    }

    fn create(file: Flock<File>, path: &Path, retention: &Retention) -> Result<Self, KeyringFault> {
        let slots = slots_for(retention).ok_or(KeyringFault::TooManyBuckets)?;
        let mut header = Header {
            store_id: [0; 16],
            window: retention.window,
            bucket: retention.bucket,
            slots,
            secret: Zeroizing::new([0; 32]),
        };
        fill(&mut header.store_id)?;
        fill(&mut *header.secret)?;
        let made = Self { file, path: path.to_owned(), header };

        // 1. Nothing of an earlier attempt stays, and the header page is zero. A crash here leaves a file that says it is
        //    unfinished; opening makes it again, if there is no database yet that needs what it held.
        made.file.set_len(0).and_then(|()| made.file.set_len(slot_offset(0, 0))).map_err(made.failed("empty"))?;
        // 2. Table and slots, to the last byte: later writes only overwrite, and need no space. A crash: as before.
        for slot in 0..slots {
            made.write_entry(slot, Entry::Unused)?;
            made.write_slot(slot, &random_page()?)?;
        }
        made.file.sync_all().map_err(made.failed("sync"))?;
        path.parent().map_or(Ok(()), disk::sync_dir)?;
        // 3. The header, which makes it a keyring. A crash here leaves either nothing but zeros, as before, or a whole keyring.
        made.file.write_all_at(&made.header.to_page(), 0).map_err(made.failed("write"))?;
        made.file.sync_all().map_err(made.failed("sync"))?;
        Ok(made)
    }

    /// The table's entry for a slot; `None` if it is damaged.
    pub(super) fn entry(&self, slot: u32) -> Result<Option<Entry>, DiskError> {
        let mut bytes = [0; ENTRY_BYTES];
        self.file.read_exact_at(&mut bytes, entry_offset(slot)).map_err(self.failed("read"))?;
        Ok(Entry::from_bytes(slot, &bytes))
    }

    /// The bytes of a slot.
    pub(super) fn slot(&self, slot: u32) -> Result<Zeroizing<Vec<u8>>, DiskError> {
        let mut bytes = Zeroizing::new(vec![0; PAGE]);
        self.file.read_exact_at(&mut bytes, slot_offset(self.header.slots, slot)).map_err(self.failed("read"))?;
        Ok(bytes)
    }

    /// Overwrites a slot where it lies. Durable after [`KeyringFile::sync`].
    pub(super) fn write_slot(&self, slot: u32, bytes: &[u8]) -> Result<(), DiskError> {
        self.file.write_all_at(bytes, slot_offset(self.header.slots, slot)).map_err(self.failed("write"))
    }

    /// Overwrites a table entry where it lies. Durable after [`KeyringFile::sync`].
    pub(super) fn write_entry(&self, slot: u32, entry: Entry) -> Result<(), DiskError> {
        self.file.write_all_at(&entry.to_bytes(slot), entry_offset(slot)).map_err(self.failed("write"))
    }

    /// Makes what was written durable. The file never grows, so its data is all there is to sync.
    pub(super) fn sync(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(self.failed("sync"))
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> DiskError {
        DiskError::when(doing, &self.path)
    }
}

/// Fresh random bytes for a slot: a new key, or what destroys an old one.
pub(super) fn random_page() -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let mut page = Zeroizing::new(vec![0; PAGE]);
    fill(&mut page)?;
    Ok(page)
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyringError> {
    getrandom::fill(bytes).map_err(|_| KeyringError::NoRandom)
}
