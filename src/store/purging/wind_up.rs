//! The end of a store: every key first, then the files.

use std::fs;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::fcntl::Flock;

use crate::domain::time::Timestamp;
use crate::store::cases::Cases;
use crate::store::files::disk::{self, DiskError};
use crate::store::files::{Paths, TrustedClock};
use crate::store::keyring::{KeyState, Keyring, KeyringError, KeyringFault, Opened};

/// Why a store could not be brought to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindUpError {
    /// Another process has the store or its keyring.
    #[error("{} is in use by another process: stop the daemon first", .0.display())]
    InUse(PathBuf),
    /// There is no state directory, or it holds something else than a store.
    #[error("{} holds no store of lapsed", .0.display())]
    NoStore(PathBuf),
    /// The file in the keyring's place is no keyring that this version knows.
    #[error("{} is not a keyring of this version: move it away if it is not the store's", .0.display())]
    Foreign(PathBuf),
    /// Not every key could be destroyed. Nothing of the store was removed.
    #[error("not every key could be destroyed, and nothing of the store was removed: {0}")]
    Keys(#[from] KeyringError),
    /// Every key is destroyed, and a file could not be removed.
    #[error("every key is destroyed, but lapsed cannot {doing} {path}: {kind}", path = path.display())]
    Remove {
        /// What was being done.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why it failed.
        kind: io::ErrorKind,
    },
}

/// A store that is locked and about to end. Nothing has been changed.
pub struct WindUp {
    lock: Flock<File>,
    paths: Paths,
    keyring: Opened,
}

/// What went, and what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// How many live keys were overwritten; `None` if there was no keyring that could be read.
    pub keys: Option<usize>,
    /// What was removed.
    pub removed: Vec<PathBuf>,
    /// What lies in the store's directories and is not lapsed's, so it stayed.
    pub left: Vec<PathBuf>,
}

impl WindUp {
    /// Locks the store and its keyring.
    ///
    /// # Errors
    ///
    /// If they are in use, or are not lapsed's.
    pub fn begin(state_dir: &Path, keyring_dir: &Path, now: Timestamp) -> Result<Self, WindUpError> {
        let paths = Paths::of(state_dir, keyring_dir);
        let database = paths.database.is_dir();
        // What is in the place of the database and is none must not be removed.
        if database && !paths.database.join("CURRENT").is_file() || !database && !paths.keyring.is_file() {
            return Err(WindUpError::NoStore(state_dir.to_owned()));
        }
        let failed = |DiskError { doing, path, kind }| KeyringError::Io { doing, path, kind };
        let lock = disk::lock_file(&paths.lock).map_err(failed)?;
        let lock = lock.ok_or_else(|| WindUpError::InUse(paths.lock.clone()))?;
        let keyring = match Keyring::open(&paths.keyring, now) {
            Ok(found) => found,
            Err(KeyringFault::Locked) => return Err(WindUpError::InUse(paths.keyring)),
            Err(KeyringFault::Failed(error)) => return Err(WindUpError::Keys(error)),
            Err(
                KeyringFault::Foreign
                | KeyringFault::Newer(_)
                | KeyringFault::Older(_)
                | KeyringFault::OtherBucket(_)
                | KeyringFault::TooManyBuckets,
            ) => return Err(WindUpError::Foreign(paths.keyring)),
        };
        Ok(Self { lock, paths, keyring })
    }

    /// Destroys every key and removes the store's files, and those named in `also` from the state directory and the
    /// keyring's.
    ///
    /// # Errors
    ///
    /// If a key could not be destroyed, nothing is removed. If a file could not be removed, doing it again goes on.
    pub fn finish(self, also: &[&str]) -> Result<Inventory, WindUpError> {
        let Self { lock, paths, keyring } = self;
        // 1. Every page of the keyring, overwritten in place, synced and read back. A crash here leaves a keyring in which some
        //    or all keys are gone, and everything else; doing it again begins here.
        let keys = match keyring {
            Opened::Ready(keyring, _) => {
                let live = keyring.records().iter().filter(|record| record.state == KeyState::Live).count();
                keyring.shred()?;
                Some(live)
            }
            Opened::Vacant(vacancy) => {
                vacancy.shred()?;
                None
            }
        };
        // Those of requests and holds too.
        Cases::shred_if_there(&paths.case_keys)?;
        // 2. The names, which open nothing any more. A crash here leaves some of them, and the keyring last: so that doing it
        //    again finds a store.
        let mut removed = Vec::new();
        let also = also.iter().flat_map(|name| [&paths.state_dir, &paths.keyring_dir].map(|dir| dir.join(name)));
        let clock = TrustedClock::path_in(&paths.keyring_dir);
        let ours = [
            &paths.database,
            &paths.database_new,
            &paths.policy,
            &paths.ballast,
            &paths.swept,
            &paths.case_keys,
            &clock,
        ];
        for path in ours.into_iter().cloned().chain(also).chain([paths.keyring.clone(), paths.lock.clone()]) {
            if remove(&path)? {
                removed.push(path);
            }
        }
        drop(lock);
        // 3. The directories, if nothing else is in them.
        let mut left = Vec::new();
        let apart = (paths.keyring_dir != paths.state_dir).then_some(paths.keyring_dir);
        for dir in apart.into_iter().chain([paths.state_dir]) {
            let others = fs::read_dir(&dir).map_err(DiskError::when("read the directory", &dir))?;
            left.extend(others.filter_map(|entry| Some(entry.ok()?.path())));
            // It is not empty, or a mount point, or lies where we may not write: it is empty of us all the same.
            if fs::remove_dir(&dir).is_ok() {
                removed.push(dir);
            }
        }
        Ok(Inventory { keys, removed, left })
    }
}

fn remove(path: &Path) -> Result<bool, DiskError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(DiskError::when("remove", path)(error)),
    }
    path.parent().map_or(Ok(()), disk::sync_dir)?;
    Ok(true)
}

impl From<DiskError> for WindUpError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Remove { doing, path, kind }
    }
}
