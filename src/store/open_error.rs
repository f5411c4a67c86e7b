//! Why a store cannot be opened. Each error says where, and what can be done.

use std::io;
use std::path::{Path, PathBuf};

use super::FORMAT;
use super::cases::CaseKeysFault;
use super::engine::EngineError;
use super::files::ballast::BallastError;
use super::files::disk::{self, DiskError};
use super::keyring::{KeyringError, KeyringFault, Loss};
use crate::domain::retention::Retention;

/// Why a store cannot be opened. Each says where, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process has the store or its keyring.
    #[error("{} is in use by another process: stop it first", .0.display())]
    Locked(PathBuf),
    /// The database is there and its keyring is not.
    #[error("the keyring {} is missing: mount its file system or put the keyring back; if it is lost, and with it all that the database holds, start with `lapsed run --new-keyring`, and with `--after-restore` as well if the ledgers' checkpoints beside it are lost", .0.display())]
    KeyringMissing(PathBuf),
    /// The database is there and its keyring was never finished.
    #[error("the keyring {} was never finished and is not the one that the database belongs to: put the right one back; if it is lost, and with it all that the database holds, start with `lapsed run --new-keyring`, and with `--after-restore` as well if the ledgers' checkpoints beside it are lost", .0.display())]
    KeyringUnfinished(PathBuf),
    /// The file is no keyring.
    #[error("{} is not a keyring: name another keyring-dir, or move the file away", .0.display())]
    KeyringForeign(PathBuf),
    /// The keyring is of a later version.
    #[error("the keyring {path} was made by a newer version, format {found}: use the newer version", path = path.display())]
    KeyringNewer {
        /// The keyring.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The keyring was made before there was a released version.
    #[error("the keyring {path} was made by a version before the first release, format {found}: move it and the database away to begin anew", path = path.display())]
    KeyringOlder {
        /// The keyring.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Both headers of the keyring are wrong.
    #[error("the keyring {} is damaged in both its headers: put a whole one back; if there is none, and with it all that the database holds is lost, start with `lapsed run --new-keyring`, which overwrites what is left of it", .0.display())]
    KeyringDamaged(PathBuf),
    /// The keyring belongs to another store.
    #[error("the keyring {keyring} belongs to another store than the database {database}: put the right one in its place", keyring = keyring.display(), database = database.display())]
    OtherStore {
        /// The keyring.
        keyring: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// The file is none with keys of requests and holds.
    #[error("{} does not hold keys of requests and holds of this version: put the right file back, or move it away; what it opened is then lost", .0.display())]
    CaseKeysForeign(PathBuf),
    /// The keys of requests and holds belong to another store.
    #[error("the keys of requests and holds {} belong to another store: put the right file back, or move it away; what it opened is then lost", .0.display())]
    CaseKeysOtherStore(PathBuf),
    /// The store was made with another bucket width.
    #[error("{path} was made with buckets of {stored} s, and the configuration says {configured} s: set bucket back, or begin a new store", path = path.display())]
    OtherBucket {
        /// The keyring.
        path: PathBuf,
        /// Seconds, in the keyring.
        stored: u32,
        /// Seconds, in the configuration.
        configured: u32,
    },
    /// The window has too many buckets for a keyring.
    #[error("the window has more buckets than a keyring can have: make bucket longer")]
    TooManyBuckets,
    /// The keyring could not be written.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The directory holds something else than a database of ours.
    #[error("{} is not a database of lapsed: name another state-dir, or move the directory away", .0.display())]
    DatabaseForeign(PathBuf),
    /// The database is of a later version.
    #[error("the database {path} was made by a newer version, format {found}; this one knows {FORMAT}: use the newer version", path = path.display())]
    DatabaseNewer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// RocksDB cannot open the database.
    #[error("the database {path} cannot be opened: {source}", path = path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What RocksDB says.
        source: EngineError,
    },
    /// The disk is full, and the space that was held back for that cannot be had.
    #[error(transparent)]
    Ballast(#[from] BallastError),
    /// A step on a directory or file failed.
    #[error("cannot {doing} {path}: {kind}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        kind: io::ErrorKind,
    },
}

impl OpenError {
    /// Is it for want of space on the disk?
    pub fn is_full(&self) -> bool {
        match self {
            Self::Database { source, .. } => source.is_full(),
            Self::Io { kind, .. } | Self::Keyring(KeyringError::Io { kind, .. }) => disk::is_full(*kind),
            Self::Ballast(error) => error.is_full(),
            Self::Locked(_)
            | Self::KeyringMissing(_)
            | Self::KeyringUnfinished(_)
            | Self::KeyringForeign(_)
            | Self::CaseKeysForeign(_)
            | Self::CaseKeysOtherStore(_)
            | Self::KeyringNewer { .. }
            | Self::KeyringOlder { .. }
            | Self::KeyringDamaged(_)
            | Self::OtherStore { .. }
            | Self::OtherBucket { .. }
            | Self::TooManyBuckets
            | Self::Keyring(_)
            | Self::DatabaseForeign(_)
            | Self::DatabaseNewer { .. } => false,
        }
    }
}

impl From<DiskError> for OpenError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Io { doing, path, kind }
    }
}

/// The error for a keyring that may not be replaced.
pub(super) fn lost(loss: Loss, keyring: &Path) -> OpenError {
    let path = keyring.to_owned();
    match loss {
        Loss::Missing => OpenError::KeyringMissing(path),
        Loss::Unfinished => OpenError::KeyringUnfinished(path),
        Loss::Damaged => OpenError::KeyringDamaged(path),
    }
}

/// The error for keys of cases that cannot be used.
pub(super) fn of_cases(fault: CaseKeysFault, path: &Path) -> OpenError {
    match fault {
        CaseKeysFault::Locked => OpenError::Locked(path.to_owned()),
        CaseKeysFault::Foreign => OpenError::CaseKeysForeign(path.to_owned()),
        CaseKeysFault::OtherStore => OpenError::CaseKeysOtherStore(path.to_owned()),
        CaseKeysFault::Failed(error) => OpenError::Keyring(error),
    }
}

/// The error for a keyring that cannot be used.
pub(super) fn of_keyring(fault: KeyringFault, keyring: &Path, retention: &Retention) -> OpenError {
    let path = keyring.to_owned();
    match fault {
        KeyringFault::Locked => OpenError::Locked(path),
        KeyringFault::Foreign => OpenError::KeyringForeign(path),
        KeyringFault::Newer(found) => OpenError::KeyringNewer { path, found },
        KeyringFault::Older(found) => OpenError::KeyringOlder { path, found },
        KeyringFault::OtherBucket(stored) => {
            OpenError::OtherBucket { path, stored: stored.secs(), configured: retention.bucket.secs() }
        }
        KeyringFault::TooManyBuckets => OpenError::TooManyBuckets,
        KeyringFault::Failed(error) => OpenError::Keyring(error),
    }
}
