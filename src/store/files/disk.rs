//! Directories and small files, made so that a crash leaves the old state or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// A step on files that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {doing} {path}: {kind}", path = path.display())]
pub(in crate::store) struct DiskError {
    pub(in crate::store) doing: &'static str,
    pub(in crate::store) path: PathBuf,
    pub(in crate::store) kind: io::ErrorKind,
}

impl DiskError {
    /// For `map_err`.
    pub(in crate::store) fn when(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { doing, path: path.to_owned(), kind: error.kind() }
    }
}

/// Is a step that failed with this one that failed for want of space?
pub(in crate::store) const fn is_full(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Makes a directory that only its owner can enter, and those above it. One that is there stays as it is.
pub(in crate::store) fn make_private_dir(path: &Path) -> Result<(), DiskError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(DiskError::when("create the directory", path))
}

/// Makes the names in a directory durable: a synced file can still lose its name.
pub(in crate::store) fn sync_dir(path: &Path) -> Result<(), DiskError> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(DiskError::when("sync the directory", path))
}

/// Opens a file for reading and writing as it is; makes it, for its owner only, if it is not there.
pub(super) fn open_private(path: &Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(DiskError::when("open", path))
}

/// Opens a file as [`open_private`] does, and locks it. `None` if another process has the lock.
pub(in crate::store) fn lock_file(path: &Path) -> Result<Option<Flock<File>>, DiskError> {
    match Flock::lock(open_private(path)?, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(DiskError::when("lock", path)(errno.into())),
    }
}

/// Writes a small file beside its place and renames it. A crash leaves the old file or the new one, and perhaps one named
/// `.new`, which the next write replaces.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), DiskError> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(&beside)
        .map_err(DiskError::when("open", &beside))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(DiskError::when("write", &beside))?;
    fs::rename(&beside, path).map_err(DiskError::when("rename a new file to", path))?;
    path.parent().map_or(Ok(()), sync_dir)
}
