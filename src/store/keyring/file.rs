//! The keyring's file: made whole, then only ever changed in place.

use std::fs::File;
use std::io;
use std::ops::Not as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::Flock;
use zeroize::Zeroizing;

use super::erase::{Eraser, With};
use super::layout::{ENTRY_BYTES, Entry, Header, NoHeader, PAGE, copy_offset, entry_offset, file_bytes, slot_offset};
use super::past_cache::{PastCache, ReadBack};
use super::{KeyringError, KeyringFault};
use crate::store::files::disk::{self, DiskError};

/// The open and locked file. It is never replaced: a renamed copy would leave the old keys on the disk.
pub(super) struct KeyringFile {
    file: Flock<File>,
    path: PathBuf,
    pub(super) header: Header,
    /// Slots whose overwriting fails: a test's bad sectors.
    pub(super) bad: Vec<u64>,
}

/// What is at the keyring's path.
pub(super) enum Found {
    /// No file, and none was made.
    Nothing,
    /// A file that is empty or whose header is zero: it was never finished, or never begun.
    Blank(Blank),
    /// A keyring both of whose headers are damaged: nobody can tell what it holds.
    Damaged(Blank),
    /// A keyring, and was its header mended from the copy, or the other way round?
    Whole(KeyringFile, bool),
}

/// An open and locked file that becomes a keyring.
pub(super) struct Blank {
    file: Flock<File>,
    path: PathBuf,
}

/// Opens what is at `path` and locks it.
pub(super) fn open(path: &Path) -> Result<Found, KeyringFault> {
    if !path.try_exists().map_err(DiskError::when("look for", path))? {
        return Ok(Found::Nothing);
    }
    let file = disk::lock_file(path)?.ok_or(KeyringFault::Locked)?;
    let failed = |doing| DiskError::when(doing, path);
    let length = file.metadata().map_err(failed("read"))?.len();
    let page = |at: Option<u64>| -> Result<Zeroizing<Vec<u8>>, DiskError> {
        let mut page = Zeroizing::new(vec![0; PAGE]);
        if let Some(at) = at.filter(|at| at.saturating_add(4096) <= length) {
            file.read_exact_at(&mut page, at).map_err(failed("read"))?;
        }
        Ok(page)
    };
    let first = Header::from_page(&page(Some(0))?);
    let copy_at = match &first {
        Ok(header) => Some(copy_offset(header.slots)),
        // How many slots there are, only the header says: the copy is the last page.
        Err(_) => length.checked_sub(4096).filter(|at| *at > 0),
    };
    let copy = Header::from_page(&page(copy_at)?);
    let (header, wrong) = match (first, copy) {
        // The first counts. A copy that says something else is of a change that did not get to the first.
        (Ok(header), copy) => {
            let wrong = copy.is_ok_and(|copy| copy == header).not().then_some(copy_offset(header.slots));
            (header, wrong)
        }
        (Err(NoHeader::Newer(found)), _) => return Err(KeyringFault::Newer(found)),
        (Err(NoHeader::Older(found)), _) => return Err(KeyringFault::Older(found)),
        (Err(_), Ok(header)) if copy_at == Some(copy_offset(header.slots)) => (header, Some(0)),
        (Err(NoHeader::Unfinished), _) => return Ok(Found::Blank(Blank { file, path: path.to_owned() })),
        (Err(NoHeader::Damaged), _) | (Err(NoHeader::Foreign), Err(NoHeader::Damaged)) => {
            return Ok(Found::Damaged(Blank { file, path: path.to_owned() }));
        }
        (Err(NoHeader::Foreign), _) => return Err(KeyringFault::Foreign),
    };
    let file = KeyringFile { file, path: path.to_owned(), header, bad: Vec::new() };
    file.mend(length, wrong)?;
    Ok(Found::Whole(file, wrong.is_some()))
}

impl Blank {
    /// Makes an empty file where there is none, and locks it.
    pub(super) fn at(path: &Path) -> Result<Self, KeyringFault> {
        let file = disk::lock_file(path)?.ok_or(KeyringFault::Locked)?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Overwrites all that is in the file, the header last and with zeros: until then a crash leaves what was there, a file
    /// with a damaged header, and afterwards one that says that it was never finished.
    pub(super) fn shred(&self) -> Result<(), KeyringError> {
        shred(&self.file, &self.path)
    }

    /// Makes a keyring in it. `entry` is what its table says of a slot at first.
    pub(super) fn make(self, header: Header, entry: impl Fn(u32) -> Entry) -> Result<KeyringFile, KeyringFault> {
        let Self { file, path } = self;
        let made = KeyringFile { file, path, header, bad: Vec::new() };
        let slots = made.header.slots;
        // 1. Nothing of an earlier attempt stays, and the header page is zero. A crash here leaves a file that says it is
        //    unfinished; opening makes it again.
        let (file, first_slot) = (&made.file, slot_offset(slots, 0));
        file.set_len(0).and_then(|()| file.set_len(first_slot)).map_err(made.failed("empty"))?;
        // 2. Table, slots and the place of the copy, to the last byte: later writes only overwrite, and need no space. A crash:
        //    as before.
        for slot in 0..slots {
            made.write_entry(slot, entry(slot))?;
            made.write_slot(slot, &random_page()?)?;
        }
        file.write_all_at(&[0; PAGE], copy_offset(slots)).map_err(made.failed("write"))?;
        file.sync_all().map_err(made.failed("sync"))?;
        made.path.parent().map_or(Ok(()), disk::sync_dir)?;
        // 3. The header, which makes it a keyring. A crash here leaves nothing but zeros, as before, or a whole keyring, or a
        //    torn header: that is taken for damaged, and made again.
        made.write_header(0)?;
        // 4. Its copy. A crash here leaves a keyring without one, which opening writes.
        made.write_header(copy_offset(slots))?;
        Ok(made)
    }
}

impl KeyringFile {
    /// Makes good what can be: the length, and the header at `wrong`. The other one is whole and is not touched.
    fn mend(&self, length: u64, wrong: Option<u64>) -> Result<(), DiskError> {
        let whole = file_bytes(self.header.slots);
        if length < whole {
            // Somebody cut it. What was beyond reads as zeros, which is no entry and no slot: those buckets are unreadable.
            self.file.set_len(whole).map_err(self.failed("lengthen"))?;
        }
        wrong.map_or(Ok(()), |offset| self.write_header(offset))
    }

    /// Puts another header in force: its copy first, so that there is a whole one at every instant. A crash between the two
    /// leaves the old one in force, and opening writes its copy again; a crash that tears the second leaves the new one.
    pub(super) fn change_header(&mut self, header: Header) -> Result<(), DiskError> {
        let old = std::mem::replace(&mut self.header, header);
        let changed = self.write_header(copy_offset(old.slots)).and_then(|()| self.write_header(0));
        if changed.is_err() {
            self.header = old;
        }
        changed
    }

    fn write_header(&self, offset: u64) -> Result<(), DiskError> {
        self.file.write_all_at(&self.header.to_page(), offset).map_err(self.failed("write"))?;
        self.sync()
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

    /// What overwrites its pages for good.
    pub(super) fn eraser(&self) -> Eraser<'_> {
        Eraser { file: &self.file, path: &self.path, bad: &self.bad }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of a slot, past the page cache, and how they were read.
    pub(super) fn read_past_cache(&self, slot: u32) -> Result<(ReadBack, Zeroizing<Vec<u8>>), DiskError> {
        let mut past = PastCache::new(&self.file, &self.path);
        let page = past.page(slot_offset(self.header.slots, slot)).map_err(self.failed("read back"))?;
        let page = Zeroizing::new(page.to_vec());
        Ok((past.how(), page))
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

    /// Overwrites every page of the file, headers included.
    pub(super) fn shred(&self) -> Result<(), KeyringError> {
        shred(&self.file, &self.path)
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> DiskError {
        DiskError::when(doing, &self.path)
    }
}

/// Every page with random bytes, and then the first with zeros. A page that fails does not keep the others from it.
fn shred(file: &File, path: &Path) -> Result<(), KeyringError> {
    let length = file.metadata().map_err(DiskError::when("read", path))?.len();
    let pages: Vec<u64> = (1..length.div_ceil(4096)).map(|page| page.saturating_mul(4096)).collect();
    let eraser = Eraser { file, path, bad: &[] };
    let (rest, _) = eraser.erase(&pages, With::Random);
    rest.into_iter().try_for_each(|page| page.result)?;
    let (first, _) = eraser.erase(&[0], With::Zeros);
    first.into_iter().try_for_each(|page| page.result)
}

/// Fresh random bytes for a slot: a new key, or what destroys an old one.
pub(in crate::store) fn random_page() -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let mut page = Zeroizing::new(vec![0; PAGE]);
    fill(&mut page)?;
    Ok(page)
}

/// Fills with bytes from the kernel.
pub(in crate::store) fn fill(bytes: &mut [u8]) -> Result<(), KeyringError> {
    getrandom::fill(bytes).map_err(|_| KeyringError::NoRandom)
}
