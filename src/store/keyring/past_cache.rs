//! Reading what the device has, and not what the page cache remembers.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::{OFlag, PosixFadviseAdvice, posix_fadvise};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use zeroize::Zeroizing;

use super::layout::PAGE;

/// How overwritten bytes were read back. It is stated in reports: only the first is evidence about the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ReadBack {
    /// Nothing was overwritten.
    #[default]
    Nothing,
    /// From the device, past the page cache (`O_DIRECT`). A file system of the class `degraded` may know better and answer from
    /// the cache, which was dropped before.
    Device,
    /// The file system knows no `O_DIRECT`: the kernel was asked to forget its copy (`POSIX_FADV_DONTNEED`), and a plain read
    /// followed. Whether it did forget, nobody can tell.
    CacheDropped,
}

impl ReadBack {
    /// Its name in reports and notes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Device => "device",
            Self::CacheDropped => "cache-dropped",
        }
    }
}

/// Reads pages of a file past the cache, as far as the file system lets it.
pub(super) struct PastCache<'a> {
    plain: &'a File,
    /// The same file, opened again; `None` if that is refused.
    direct: Option<File>,
    buffer: Zeroizing<Vec<u8>>,
    /// Where in the buffer memory is aligned to a page: the device writes there.
    aligned: usize,
    how: ReadBack,
}

impl<'a> PastCache<'a> {
    /// `path` is where `file` was opened.
    pub(super) fn new(file: &'a File, path: &Path) -> Self {
        let buffer = Zeroizing::new(vec![0; PAGE.saturating_mul(2)]);
        let aligned = buffer.as_ptr().align_offset(PAGE);
        let direct = OpenOptions::new().read(true).custom_flags(OFlag::O_DIRECT.bits()).open(path).ok();
        // Memory takes the flag and has no device.
        let in_memory = fstatfs(file).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC);
        let direct = direct.filter(|_| !in_memory);
        // Another file may stand at the path by now, and would vouch for this one.
        let direct = direct.filter(|direct| same_file(direct, file).unwrap_or(false));
        Self { plain: file, direct, buffer, aligned, how: ReadBack::Nothing }
    }

    /// The page at `offset`, a multiple of its size.
    pub(super) fn page(&mut self, offset: u64) -> io::Result<&[u8]> {
        let end = self.aligned.saturating_add(PAGE);
        let page = self.buffer.get_mut(self.aligned..end).ok_or(io::ErrorKind::OutOfMemory)?;
        let start = i64::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let length = i64::try_from(PAGE).map_err(|_| io::ErrorKind::InvalidInput)?;
        // Before a direct read, too: some file systems take the flag and go through the cache all the same.
        posix_fadvise(self.plain, start, length, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        // Some file systems open a file so and refuse to read it.
        let direct = self.direct.as_ref().is_some_and(|file| file.read_exact_at(page, offset).is_ok());
        if direct {
            self.how = self.how.max(ReadBack::Device);
        } else {
            self.plain.read_exact_at(page, offset)?;
            self.how = ReadBack::CacheDropped;
        }
        Ok(page)
    }

    /// The weakest way in which a page was read so far.
    pub(super) fn how(&self) -> ReadBack {
        self.how
    }
}

fn same_file(a: &File, b: &File) -> io::Result<bool> {
    let (a, b) = (a.metadata()?, b.metadata()?);
    Ok((a.dev(), a.ino()) == (b.dev(), b.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        file.write_all_at(&[[1; PAGE], [2; PAGE]].concat(), 0).unwrap();
        file.sync_all().unwrap();
        let mut past = PastCache::new(&file, &path);
        assert_eq!(past.how(), ReadBack::Nothing);
        assert_eq!(past.page(4096).unwrap(), [2; PAGE]);
        assert_eq!(past.page(0).unwrap(), [1; PAGE]);
        assert_ne!(past.how(), ReadBack::Nothing);
        assert!(past.page(8192).is_err());
    }

    #[test]
    fn a_file_in_memory_has_no_device_to_be_read_from() {
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let path = dir.path().join("file");
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        file.write_all_at(&[1; PAGE], 0).unwrap();
        let mut past = PastCache::new(&file, &path);
        assert_eq!(past.page(0).unwrap(), [1; PAGE]);
        assert_eq!(past.how(), ReadBack::CacheDropped);
    }

    #[test]
    fn another_file_at_the_path_does_not_vouch() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        file.write_all_at(&[1; PAGE], 0).unwrap();
        file.sync_all().unwrap();
        std::fs::rename(&path, dir.path().join("moved")).unwrap();
        std::fs::write(&path, [2; PAGE]).unwrap();
        let mut past = PastCache::new(&file, &path);
        assert_eq!(past.page(0).unwrap(), [1; PAGE]);
        assert_eq!(past.how(), ReadBack::CacheDropped);
    }
}
