//! Destroying keys that are due while the daemon is dead: it needs the keyring and a clock, and no database.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::sweep_notes::{self, NotesError};
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::cases::{Cases, CasesError};
use crate::store::files::Paths;
use crate::store::keyring::{Destruction, Keyring, KeyringError, KeyringFault, Opened};

/// Why a sweep could not be made. Whatever was due and is not destroyed stays due.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// There is no keyring, or one that was never finished or cannot be read.
    #[error("there is no keyring {} to sweep: if its file system is not mounted, its keys are not destroyed", .0.display())]
    NoKeyring(PathBuf),
    /// The file is no keyring that this version knows.
    #[error("{} is not a keyring of this version", .0.display())]
    Foreign(PathBuf),
    /// The keyring could not be written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The keys are destroyed, and the note for the next report could not be written.
    #[error("the keys are destroyed, but the next report will not say when: {0}")]
    Note(#[from] NotesError),
}

/// The keyring without its store.
pub struct Sweeper {
    keyring: Keyring,
    paths: Paths,
}

/// What opening a keyring for a sweep finds.
#[derive(Debug)]
pub enum Swept {
    /// It can be swept.
    Free(Box<Sweeper>),
    /// Another process has it: the daemon, which sees to it itself.
    InUse,
}

impl Sweeper {
    /// Opens the keyring in `keyring_dir`, and locks it for as long as this lives.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be read. Nothing is made.
    pub fn open(keyring_dir: &Path, now: Timestamp) -> Result<Swept, SweepError> {
        // The state directory is of no use here.
        let paths = Paths::of(keyring_dir, keyring_dir);
        match Keyring::open(&paths.keyring, now) {
            Ok(Opened::Ready(keyring, _)) => Ok(Swept::Free(Box::new(Self { keyring, paths }))),
            Ok(Opened::Vacant(_)) => Err(SweepError::NoKeyring(paths.keyring)),
            Err(KeyringFault::Locked) => Ok(Swept::InUse),
            Err(KeyringFault::Failed(KeyringError::Io { kind: io::ErrorKind::NotFound, .. })) => {
                Err(SweepError::NoKeyring(paths.keyring))
            }
            Err(KeyringFault::Failed(error)) => Err(SweepError::Keyring(error)),
            Err(
                KeyringFault::Foreign
                | KeyringFault::Newer(_)
                | KeyringFault::Older(_)
                | KeyringFault::OtherBucket(_)
                | KeyringFault::TooManyBuckets,
            ) => Err(SweepError::Foreign(paths.keyring)),
        }
    }

    /// Destroys the keys of requests, captures and holds that have expired; says how many those were. The next start takes out
    /// what they opened.
    ///
    /// # Errors
    ///
    /// If their file cannot be read or written.
    pub fn sweep_cases(&self, now: Timestamp) -> Result<usize, CasesError> {
        let cases = Cases::open_if_there(&self.paths.case_keys, self.keyring.store_id())?;
        cases.map_or(Ok(0), |cases| cases.sweep(now))
    }

    /// The window in force.
    pub fn window(&self) -> Duration {
        self.keyring.keys().window()
    }

    /// Destroys the keys of buckets wholly before the cutoff, as [`Store::destroy_keys`](crate::store::Store::destroy_keys)
    /// does, and leaves a note for the next report if any was due.
    ///
    /// # Errors
    ///
    /// If the keyring or the note cannot be written.
    pub fn sweep(&self, cutoff: Cutoff, now: Timestamp) -> Result<Destruction, SweepError> {
        // 1. The keys. A crash here leaves what every destruction leaves: the next sweep or start finishes it.
        let destruction = self.keyring.destroy(cutoff)?;
        // 2. The note. A crash here loses it: the keyring's table says which keys are destroyed, and nothing when.
        if !(destruction.keys.is_empty() && destruction.failed.is_empty()) {
            sweep_notes::append(&self.paths.swept, now, &destruction)?;
        }
        Ok(destruction)
    }
}

impl std::fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}
