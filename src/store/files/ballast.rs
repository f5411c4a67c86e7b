//! The ballast: a file that holds space back for the day on which the disk is full.
//!
//! The database does not open on a full disk, and unlinking rows writes new files before it removes old ones. So the file
//! goes to open and to purge, and comes back when there is room. When that is, others decide; nothing is ever read from it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;

use super::disk::{self, DiskError};

/// The file's name in the state directory.
pub(super) const NAME: &str = "ballast";
/// What `st_blocks` counts in, whatever the file system's blocks are: stat(2).
const STAT_BLOCK: u64 = 512;

/// Why the ballast is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BallastError {
    /// A step on the file failed.
    #[error("cannot {doing} {path}: {kind}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file, or its directory.
        path: PathBuf,
        /// Why it failed.
        kind: io::ErrorKind,
    },
    /// The file system promised the space and does not hold it: it compresses, or knows no such promise.
    #[error("{path} is {asked} bytes long and holds {held} on the disk: this file system gives no space back for it", path = path.display())]
    NotHeld {
        /// The file.
        path: PathBuf,
        /// How much it should hold.
        asked: u64,
        /// How much it holds.
        held: u64,
    },
}

impl BallastError {
    /// Is it for want of space on the disk?
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { kind, .. } if disk::is_full(*kind))
    }
}

impl From<DiskError> for BallastError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Io { doing, path, kind }
    }
}

/// The place of the ballast, whether it is there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballast {
    path: PathBuf,
}

impl Ballast {
    /// The one in a state directory. Touches nothing.
    pub fn in_dir(state_dir: &Path) -> Self {
        Self { path: state_dir.join(NAME) }
    }

    /// How many bytes of the disk it holds; 0 if it is not there.
    ///
    /// # Errors
    ///
    /// If its directory cannot be looked into.
    pub fn held(&self) -> Result<u64, BallastError> {
        match fs::metadata(&self.path) {
            Ok(found) => Ok(found.blocks().saturating_mul(STAT_BLOCK)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(DiskError::when("look at", &self.path)(error).into()),
        }
    }

    /// Gives its space back. Says whether there was any. A crash leaves the file or not, and either is well.
    ///
    /// # Errors
    ///
    /// If it cannot be removed. That needs no space.
    pub fn release(&self) -> Result<bool, BallastError> {
        match fs::remove_file(&self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(DiskError::when("remove", &self.path)(error).into()),
        }
        self.path.parent().map_or(Ok(()), disk::sync_dir)?;
        Ok(true)
    }

    /// Makes it hold so many bytes, from whatever it holds now. If it cannot, it is gone.
    ///
    /// # Errors
    ///
    /// If there is not so much space, or the file system does not hold what it promised.
    pub fn make(&self, bytes: u64) -> Result<(), BallastError> {
        let made = self.fill(bytes);
        if made.is_err() {
            // A part of it would be taken for the whole by nobody, for its blocks are counted; but it helps nobody either.
            self.release()?;
        }
        made
    }

    fn fill(&self, bytes: u64) -> Result<(), BallastError> {
        let failed = |doing| DiskError::when(doing, &self.path);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)
            .map_err(failed("open"))?;
        let length = i64::try_from(bytes).map_err(|_| failed("allocate")(io::ErrorKind::FileTooLarge.into()))?;
        // 1. What is too much goes. 2. The rest is allocated, and not only given a length. A crash after either leaves a file
        //    that holds less than it is long or less than was asked for: its blocks are counted, and it is made whole again.
        file.set_len(bytes.min(size_of(&file).map_err(failed("look at"))?)).map_err(failed("shorten"))?;
        allocate(&file, length).map_err(|errno| failed("allocate")(errno.into()))?;
        file.sync_all().map_err(failed("sync"))?;
        self.path.parent().map_or(Ok(()), disk::sync_dir)?;
        let held = self.held()?;
        if held < bytes {
            return Err(BallastError::NotHeld { path: self.path.clone(), asked: bytes, held });
        }
        Ok(())
    }
}

/// Begins anew if a signal cut it short (EINTR, posix_fallocate(3)), as a stop or the freezing of a machine that goes to sleep does.
fn allocate(file: &File, length: i64) -> nix::Result<()> {
    loop {
        match posix_fallocate(file, 0, length) {
            Err(Errno::EINTR) => {}
            done => return done,
        }
    }
}

fn size_of(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.len())
}

/// How many bytes of the file system that `path` lies on are free for us. What a quota leaves is not known here.
pub(in crate::store) fn free_space(path: &Path) -> Result<u64, BallastError> {
    let found = statvfs(path).map_err(|errno| DiskError::when("ask for the free space at", path)(errno.into()))?;
    Ok(found.blocks_available().saturating_mul(found.fragment_size()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_ballast_holds_what_was_asked_for_whatever_it_held_before() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::in_dir(dir.path());
        assert_eq!(ballast.held(), Ok(0));
        for bytes in [2 * MIB, 5 * MIB, MIB] {
            ballast.make(bytes).unwrap();
            let held = ballast.held().unwrap();
            assert!((bytes..bytes + MIB).contains(&held), "{held} of {bytes}");
        }
        // What a crash left: a length without blocks.
        fs::write(dir.path().join(NAME), "").unwrap();
        File::options().write(true).open(dir.path().join(NAME)).unwrap().set_len(3 * MIB).unwrap();
        ballast.make(3 * MIB).unwrap();
        assert!(ballast.held().unwrap() >= 3 * MIB);
        assert_eq!((ballast.release(), ballast.held(), ballast.release()), (Ok(true), Ok(0), Ok(false)));
    }

    #[test]
    fn what_cannot_be_had_leaves_no_ballast() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::in_dir(dir.path());
        let free = free_space(dir.path()).unwrap();
        assert!(ballast.make(free.saturating_mul(1000)).is_err());
        assert_eq!(ballast.held(), Ok(0));
        assert!(ballast.make(u64::MAX).is_err());
    }
}
