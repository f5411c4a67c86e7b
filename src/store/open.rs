//! Opening a store: what is there is checked before anything is changed, and what is missing is made.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::time::Duration;

use super::disk::{self, DiskError};
use super::engine::{Column, CommitError, Engine, EngineError};
use super::keyring::{Keyring, KeyringError, KeyringFault};
use super::options::Tuning;
use super::{FORMAT, Store, meta, policy};
use crate::domain::retention::Retention;
use crate::domain::time::{Cutoff, Timestamp, millis_of};

/// Why a store cannot be opened. Each says where, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another process has the store or its keyring.
    #[error("{} is in use by another process: stop it first", .0.display())]
    Locked(PathBuf),
    /// The database is there and its keyring is not.
    #[error("the keyring {} is missing, and the database cannot be read without it: put the keyring back, or remove the database to begin anew", .0.display())]
    KeyringMissing(PathBuf),
    /// The database is there and its keyring was never finished.
    #[error("the keyring {} was never finished and is not the one that the database belongs to: put the right one back, or remove the database to begin anew", .0.display())]
    KeyringUnfinished(PathBuf),
    /// The file is no keyring.
    #[error("{} is not a keyring: name another keyring-dir, or move the file away", .0.display())]
    KeyringForeign(PathBuf),
    /// The keyring is of a later version.
    #[error("the keyring {path} was made by a newer version, format {found}; this one knows {FORMAT}: use the newer version", path = path.display())]
    KeyringNewer {
        /// The keyring.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The keyring's header or length is wrong.
    #[error("the keyring {} is damaged in its header or its length: its keys are lost; move it and the database away to begin anew", .0.display())]
    KeyringDamaged(PathBuf),
    /// The keyring belongs to another store.
    #[error("the keyring {keyring} belongs to another store than the database {database}: put the right one in its place", keyring = keyring.display(), database = database.display())]
    OtherStore {
        /// The keyring.
        keyring: PathBuf,
        /// The database.
        database: PathBuf,
    },
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
    /// The store was made with another window.
    #[error("{path} was made with a window of {} ms, and the configuration says {} ms: set window back, or begin a new store", millis_of(*stored), millis_of(*configured), path = path.display())]
    OtherWindow {
        /// The keyring.
        path: PathBuf,
        /// In the keyring.
        stored: Duration,
        /// In the configuration.
        configured: Duration,
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

impl From<DiskError> for OpenError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Io { doing, path, kind }
    }
}

impl Store {
    /// Opens the store in `state_dir` with the keyring in `keyring_dir`, and makes what is not there: directories that only
    /// their owner can enter, the keyring, the database, the file `POLICY`.
    ///
    /// Keys that fell due while nobody was there, by the cutoff `destroy`, are destroyed before the database is opened, which
    /// a full disk can prevent. Without such a cutoff the clock is in doubt: then no key is destroyed and none is made until
    /// the caller does so, and `now` is the best that is known.
    pub fn open(
        state_dir: &Path,
        keyring_dir: &Path,
        retention: &Retention,
        now: Timestamp,
        destroy: Option<Cutoff>,
    ) -> Result<Self, OpenError> {
        disk::make_private_dir(state_dir)?;
        disk::make_private_dir(keyring_dir)?;
        let lock_path = state_dir.join("LOCK");
        let lock = disk::lock_file(&lock_path)?.ok_or(OpenError::Locked(lock_path))?;

        let database = state_dir.join("db");
        let exists = is_there(&database)?;
        let keyring_path = keyring_dir.join("keyring");
        // The keyring first: a crash after it leaves a keyring without a database, which the next start completes. The other
        // way round would leave a database that nothing can tell from one whose keyring was lost.
        let keyring = Keyring::open(&keyring_path, retention, !exists, now)
            .map_err(|fault| fault_of_keyring(fault, &keyring_path, retention))?;
        if let Some(cutoff) = destroy {
            keyring.destroy_due(cutoff)?;
        }

        let tuning = Tuning::new(retention.window);
        if exists {
            check_families(&database, &tuning)?;
        } else {
            create_database(state_dir, &database, &tuning, keyring.store_id())?;
        }
        let failed = |source| OpenError::Database { path: database.clone(), source };
        let engine = Engine::open(&database, &tuning).map_err(failed)?;
        match meta::format(&engine).map_err(failed)? {
            Some(FORMAT) => {}
            Some(found) if found > FORMAT => return Err(OpenError::DatabaseNewer { path: database, found }),
            Some(_) | None => return Err(OpenError::DatabaseForeign(database)),
        }
        if meta::store_id(&engine).map_err(failed)?.as_ref() != Some(keyring.store_id()) {
            return Err(OpenError::OtherStore { keyring: keyring_path, database });
        }
        let prefix_lens = meta::prefix_lens(&engine).map_err(failed)?;

        // Only now, when it is known to be ours, does the keyring get keys for the buckets that never had one.
        // A doubtful clock would make them for the wrong buckets, and a slot that has moved on does not come back.
        if destroy.is_some() {
            keyring.make_missing(now)?;
        }
        policy::publish(&state_dir.join("POLICY"), retention)?;
        Ok(Self { engine, keyring, prefix_lens: RwLock::new(prefix_lens), _lock: lock })
    }
}

/// Is there a database, or at least something in its place? An empty directory is nothing.
fn is_there(database: &Path) -> Result<bool, OpenError> {
    match fs::read_dir(database) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(DiskError::when("read the directory", database)(error).into()),
    }
}

/// Makes a whole database beside its place and moves it there: so what is in its place was once complete.
fn create_database(state_dir: &Path, database: &Path, tuning: &Tuning, store_id: &[u8; 16]) -> Result<(), OpenError> {
    // 1. What an earlier start left unfinished held no record.
    let beside = state_dir.join("db.new");
    match fs::remove_dir_all(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(DiskError::when("remove the directory", &beside)(error).into());
        }
        Ok(()) | Err(_) => {}
    }
    disk::make_private_dir(&beside)?;
    // 2. The families and what says that this is a store. A crash up to here leaves `db.new`, which the next start removes.
    let failed = |source| OpenError::Database { path: beside.clone(), source };
    let engine = Engine::create(&beside, tuning).map_err(failed)?;
    engine.commit(meta::identity_rows(store_id)).map_err(|error| match error {
        CommitError::Failed(source) => failed(source),
        CommitError::Stopped => failed(EngineError::NoColumn(Column::Meta.name())),
    })?;
    drop(engine);
    disk::sync_dir(&beside)?;
    // 3. Its place. A crash here leaves `db.new` or `db`, both whole.
    fs::rename(&beside, database).map_err(DiskError::when("rename a new database to", database))?;
    disk::sync_dir(state_dir)?;
    Ok(())
}

/// Refuses a database with other families than ours, before anything of it is written.
fn check_families(database: &Path, tuning: &Tuning) -> Result<(), OpenError> {
    let ours: BTreeSet<String> =
        Column::ALL.into_iter().map(Column::name).chain(["default"]).map(str::to_owned).collect();
    let foreign = || OpenError::DatabaseForeign(database.to_owned());
    if !database.join("CURRENT").is_file() {
        return Err(foreign());
    }
    let failed = |source| OpenError::Database { path: database.to_owned(), source };
    let found = Engine::families(database, tuning).map_err(failed)?;
    if found == ours {
        return Ok(());
    }
    if !found.contains(Column::Meta.name()) {
        return Err(foreign());
    }
    // A later version may have more families, and says so in `meta`.
    match Engine::peek(database, tuning, Column::Meta, meta::format_key()).map_err(failed)? {
        Some(bytes) => match meta::format_of(&bytes) {
            Some(found) if found > FORMAT => Err(OpenError::DatabaseNewer { path: database.to_owned(), found }),
            Some(_) | None => Err(foreign()),
        },
        None => Err(foreign()),
    }
}

fn fault_of_keyring(fault: KeyringFault, keyring: &Path, retention: &Retention) -> OpenError {
    let path = keyring.to_owned();
    match fault {
        KeyringFault::Missing => OpenError::KeyringMissing(path),
        KeyringFault::Unfinished => OpenError::KeyringUnfinished(path),
        KeyringFault::Locked => OpenError::Locked(path),
        KeyringFault::Foreign => OpenError::KeyringForeign(path),
        KeyringFault::Newer(found) => OpenError::KeyringNewer { path, found },
        KeyringFault::Damaged => OpenError::KeyringDamaged(path),
        KeyringFault::OtherBucket(stored) => {
            OpenError::OtherBucket { path, stored: stored.secs(), configured: retention.bucket.secs() }
        }
        KeyringFault::OtherWindow(stored) => OpenError::OtherWindow { path, stored, configured: retention.window },
        KeyringFault::TooManyBuckets => OpenError::TooManyBuckets,
        KeyringFault::Failed(error) => OpenError::Keyring(error),
    }
}
