//! Overwriting pages in place, and showing that they were.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::KeyringError;
use super::extents::{Lie, lie_of};
use super::file::random_page;
use super::layout::PAGE;
use super::past_cache::{PastCache, ReadBack};
use crate::store::files::disk::DiskError;

const PAGE_LENGTH: u64 = 4096;

/// What became of a page.
#[derive(Debug)]
pub(in crate::store) struct Erased {
    /// It holds what was written last, and that is durable.
    pub(in crate::store) result: Result<(), KeyringError>,
    pub(super) place: Place,
}

/// Did a page stay where it was on the device?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Same,
    Moved,
    Unknown,
}

/// What a page is overwritten with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum With {
    Random,
    Zeros,
}

/// The file whose pages are overwritten.
pub(in crate::store) struct Eraser<'a> {
    pub(in crate::store) file: &'a File,
    pub(in crate::store) path: &'a Path,
    /// Offsets whose overwriting fails: a test's bad sectors.
    pub(in crate::store) bad: &'a [u64],
}

struct Page {
    offset: u64,
    before: Option<Lie>,
    written: Result<Zeroizing<Vec<u8>>, KeyringError>,
}

impl Eraser<'_> {
    /// Overwrites the pages at `offsets` and makes that durable. A page that fails does not keep the others from it.
    ///
    /// Returns what became of each, in their order, and how they were read back.
    pub(in crate::store) fn erase(&self, offsets: &[u64], with: With) -> (Vec<Erased>, ReadBack) {
        // 1. Where the pages lie. Nothing is changed yet.
        let lie = |offset| lie_of(self.file, offset, PAGE_LENGTH);
        // 2. Other bytes over them. A crash here leaves some pages overwritten; which, only reading tells.
        let write = |offset: &u64| Page { offset: *offset, before: lie(*offset), written: self.write(*offset, with) };
        let mut pages: Vec<Page> = offsets.iter().map(write).collect();
        // 3. One sync for all. If it fails, nobody knows for which of them; and a second sync can succeed over what the first
        //    lost. So each is written once more and synced alone: a bad sector keeps only its own page.
        if self.sync().is_err() {
            for page in &mut pages {
                page.written = self.write(page.offset, with).and_then(|bytes| self.sync().map(|()| bytes));
            }
        }
        // 4. What the device has, and where. A write that was lost, or went elsewhere, shows here.
        let mut past = PastCache::new(self.file, self.path);
        let erased = pages.into_iter().map(|page| self.look_at(page, &mut past)).collect();
        (erased, past.how())
    }

    fn write(&self, offset: u64, with: With) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let bytes = match with {
            With::Random => random_page()?,
            With::Zeros => Zeroizing::new(vec![0; PAGE]),
        };
        if self.bad.contains(&offset) {
            return Err(self.failed("write")(io::ErrorKind::Other.into()).into());
        }
        self.file.write_all_at(&bytes, offset).map_err(self.failed("write"))?;
        Ok(bytes)
    }

    fn sync(&self) -> Result<(), KeyringError> {
        Ok(self.file.sync_data().map_err(self.failed("sync"))?)
    }

    fn look_at(&self, page: Page, past: &mut PastCache<'_>) -> Erased {
        let result = page.written.and_then(|bytes| {
            let found = past.page(page.offset).map_err(self.failed("read back"))?;
            let same = found == bytes.as_slice();
            if same { Ok(()) } else { Err(KeyringError::NotOverwritten(self.path.to_owned())) }
        });
        let place = match (page.before, lie_of(self.file, page.offset, PAGE_LENGTH)) {
            (Some(before), Some(after)) if before == after => Place::Same,
            (Some(_), Some(_)) => Place::Moved,
            (None, _) | (_, None) => Place::Unknown,
        };
        Erased { result, place }
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> DiskError {
        DiskError::when(doing, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_sector_keeps_only_its_own_page() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        file.write_all_at(&[7; 4 * PAGE], 0).unwrap();
        file.sync_all().unwrap();
        let eraser = Eraser { file: &file, path: &path, bad: &[4096] };
        let (erased, how) = eraser.erase(&[0, 4096, 12_288], With::Random);
        assert_eq!(erased.iter().map(|page| page.result.is_ok()).collect::<Vec<_>>(), [true, false, true]);
        assert!(erased.iter().all(|page| page.place != Place::Moved));
        assert_ne!(how, ReadBack::Nothing);

        let bytes = std::fs::read(&path).unwrap();
        let untouched: Vec<bool> = bytes.chunks(PAGE).map(|page| page == [7; PAGE]).collect();
        assert_eq!(untouched, [false, true, true, false]);
    }
}
