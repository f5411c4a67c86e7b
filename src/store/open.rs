//! Opening a store: what is there is checked before anything is changed, and what is missing is made.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};

use super::cases::Cases;
use super::engine::{Column, CommitError, Engine, EngineError, Expiry, Tuning};
use super::erasure::Erasure;
use super::families::ledger::Trees;
use super::families::meta::{self, Number};
use super::files::ballast::Ballast;
use super::files::disk::{self, DiskError};
use super::files::{Paths, policy};
use super::key_place::KeyPlace;
use super::keyring::{Destruction, Loss, Maintained};
use super::open_error::{self, OpenError};
use super::passage::{Frontier, Noted, Unsettled};
use super::{FORMAT, Store};
use crate::domain::retention::Retention;
use crate::domain::time::{Cutoff, Timestamp};

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What the clock says.
    pub now: Timestamp,
    /// Keys of buckets wholly before this are destroyed before the database is opened, which a full disk can prevent. It is
    /// the cutoff by the window of the [`Retention`]; where the store has another window in force, it is moved by the
    /// difference. `None`: nothing is destroyed yet, for the clock is in doubt.
    pub destroy: Option<Cutoff>,
    /// Are keys made for the buckets of the window at `now`? Not while the clock is in doubt: a key made for a wrong bucket
    /// takes the place of a right one.
    pub make_keys: bool,
    /// A keyring that is missing, unfinished or damaged is replaced by a new one even if it does not lie in the state
    /// directory, where its absence may mean that a file system is not mounted. What it opened is lost.
    pub new_keyring: bool,
}

impl Opening {
    /// With a clock that can be trusted, and a keyring that is there.
    pub fn at(now: Timestamp, retention: &Retention) -> Self {
        Self { now, destroy: Some(retention.cutoff(now)), make_keys: true, new_keyring: false }
    }
}

/// What opening did with the keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringHistory {
    /// How it was found.
    pub found: KeyringFound,
    /// The keys that were destroyed before the database was opened.
    pub destroyed: Destruction,
    /// The keys that were made; `None` if none were to be made.
    pub made: Option<Maintained>,
}

/// How the keyring was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyringFound {
    /// Whole.
    Whole,
    /// With one header damaged, or older than the other. It was written again.
    Mended,
    /// Not at all: the store is new.
    New,
    /// Not at all, and the database was there. The keyring is new, and what the old one opened is lost.
    Lost(Loss),
}

impl Store {
    /// Opens the store in `state_dir` with the keyring in `keyring_dir`, and makes what is not there: directories that only
    /// their owner can enter, the keyring, the database, the file `POLICY`.
    ///
    /// The window in force is the one that the store has ([`Store::window`]), and not the one of `retention`, which is for new
    /// stores: a changed configuration destroys nothing by itself.
    pub fn open(
        state_dir: &Path,
        keyring_dir: &Path,
        retention: &Retention,
        opening: Opening,
    ) -> Result<Self, OpenError> {
        disk::make_private_dir(state_dir)?;
        disk::make_private_dir(keyring_dir)?;
        let lock_path = state_dir.join("LOCK");
        let lock = disk::lock_file(&lock_path)?.ok_or(OpenError::Locked(lock_path))?;
        let paths = Paths::of(state_dir, keyring_dir);

        let exists = is_there(&paths.database)?;
        // The keyring first: a crash after it leaves a keyring without a database, which the next start completes. The other
        // way round would leave a database that nothing can tell from one whose keyring was lost.
        // It needs no space where a file is overwritten in its place, and elsewhere some.
        let ballast = Ballast::in_dir(state_dir);
        let (place, destroyed) = with_room(&ballast, || KeyPlace::find(&paths, retention, opening, exists))?;
        let expiry = Arc::new(Expiry::default());
        let window = place.keyring().map_or(retention.window, |keyring| keyring.keys().window());
        let tuning = Tuning::new(window, Arc::clone(&expiry));
        match place.keyring() {
            Some(keyring) if !exists => create_database(state_dir, &paths.database, &tuning, keyring.store_id())?,
            Some(_) | None => check_families(&paths.database, &tuning)?,
        }
        // What is in its log becomes files while it opens: it does not open on a full disk.
        let engine = with_room(&ballast, || open_engine(&paths.database, &tuning))?;
        let (keyring, found) = place.belonging_to(&engine, &paths, retention, opening)?;
        let cases = with_room(&ballast, || {
            Cases::open(&paths.case_keys, keyring.store_id())
                .map_err(|fault| open_error::of_cases(fault, &paths.case_keys))
        })?;
        let failed = |source| OpenError::Database { path: paths.database.clone(), source };
        let noted = Noted::read(&engine).map_err(failed)?;
        let frontier = Frontier::read(&engine).map_err(failed)?;
        let trees = Trees::read(&engine).map_err(failed)?;
        if let Some(millis) = meta::number(&engine, Number::Cutoff).map_err(failed)? {
            expiry.publish(Cutoff::at(Timestamp::from_millis(millis)));
            // The run that left this number had counted.
            expiry.drop_hidden();
        }

        // Only now, when it is known to be ours, does the keyring get keys for the buckets that never had one.
        let made = opening.make_keys.then(|| keyring.make_keys(opening.now)).transpose()?;
        let policy = Retention { window: keyring.keys().window(), ..*retention };
        with_room(&ballast, || Ok(policy::publish(&paths.policy, &policy)?))?;
        Ok(Self {
            engine,
            keyring,
            cases,
            frontier: Mutex::new(frontier),
            trees: Mutex::new(trees),
            late: Mutex::new(Unsettled::of(&noted)),
            noted: RwLock::new(noted),
            expiry,
            committing: Mutex::new(()),
            // What an earlier process left in the log is not known.
            oldest_in_memory: AtomicU64::new(0),
            rewritten: AtomicBool::new(false),
            flushed_in: AtomicU32::new(0),
            history: KeyringHistory { found, destroyed, made },
            retention: *retention,
            erasure: Erasure::of(&paths.keyring, &paths.database),
            paths,
            _lock: lock,
        })
    }
}

/// Takes a step once more without the ballast if it failed for want of space. What it left the first time is what a crash
/// in it leaves, and the step makes that good.
fn with_room<T>(ballast: &Ballast, step: impl Fn() -> Result<T, OpenError>) -> Result<T, OpenError> {
    match step() {
        Err(error) if error.is_full() && ballast.release()? => step(),
        outcome => outcome,
    }
}

fn open_engine(database: &Path, tuning: &Tuning) -> Result<Engine, OpenError> {
    let failed = |source| OpenError::Database { path: database.to_owned(), source };
    let engine = Engine::open(database, tuning).map_err(failed)?;
    match meta::format(&engine).map_err(failed)? {
        Some(FORMAT) => Ok(engine),
        Some(found) if found > FORMAT => Err(OpenError::DatabaseNewer { path: database.to_owned(), found }),
        Some(_) | None => Err(OpenError::DatabaseForeign(database.to_owned())),
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
        CommitError::Stopped | CommitError::OutOfOrder => failed(EngineError::NoColumn(Column::Meta.name())),
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
