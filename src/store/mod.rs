//! The store: records under keys that can be destroyed, and the only module that names RocksDB.
//!
//! A record lies in the bucket of its instant. Each bucket has a random key of its own in the [keyring](Store::make_keys),
//! outside the database: identifiers become keyed hashes, values are sealed, and overwriting one slot of the keyring makes
//! unreadable whatever a file, a log or a backup of the database still holds of that bucket. `docs/format.md` has every byte.
//!
//! From the writer down: [`Sealer`] turns a record into rows, off the writer's thread; [`Batch`] collects them;
//! [`Store::commit`] makes them durable in one write. [`Observations`] is the only way to read records, and it takes a cutoff.
//!
//! The rooms, from the bottom up. Each uses those before it and [`Store`], and none after it; the files beside this one join them.
//!
//! - `rows`: a row as bytes, its key and its seal. `files`: where a store lies, and the small files beside the database.
//! - `keyring`: the secrets, and how one is destroyed. `erasure`: what overwriting is worth on the disk below.
//! - `engine`: RocksDB, its settings and its filter. `families`: the two families without records.
//! - `cases`: what is sealed for a request or a hold, under keys of its own.
//! - `passage`: the way of records in and out. `purging`: how what is stored comes to its end.
//!
//! Beside all this stands [`inspect`], which checks a state directory from outside and uses none of it.
//!
//! Of the disk's space the [`Ballast`] holds some back; opening gives it up when the database does not open without, and
//! everything else about it is the daemon's.
//!
//! This module decides nothing about time: it is told `now`. It computes no intervals, knows no roles, and writes no logs.
//! What is before the published cutoff is neither read nor written; the steps that unlink it are in `purging`.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

mod cases;
mod engine;
mod erasure;
mod families;
mod files;
pub mod inspect;
mod key_place;
mod keyring;
mod open;
mod open_error;
mod passage;
mod purging;
mod rows;
mod upkeep;

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use nix::fcntl::Flock;

use crate::domain::coverage::{Mark, Whose};
use crate::domain::identity::SourceName;
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};

pub use cases::{CaseClass, CaseId, CaseRecord, CaseRow, CasesError, Ended, EndedCase, NoCaseId, SealedRow};
pub use engine::{CommitError, EngineError, Fault, Rows};
pub use erasure::{Erasure, Together};
pub use families::{Log, LogHashes, Number};
pub use files::{Ballast, BallastError, Remembered, TrustedClock, TrustedClockError};
pub use keyring::{
    DestroyedKey, Destruction, Extents, KeyRecord, KeyState, KeyringError, Loss, MadeKey, Maintained, ReadBack,
    WindowError,
};
pub use open::{KeyringFound, KeyringHistory, Opening};
pub use open_error::OpenError;
pub use passage::{
    Batch, Findings, Late, LateByBucket, Observations, Place, ReadError, Row, SealError, Sealed, Sealer, SettlingError,
};
pub use purging::{
    Bounds, Dead, Doomed, Expired, Inventory, Leftovers, Listing, ListingError, NotesError, SweepError, SweepNote,
    Sweeper, Swept, WindUp, WindUpError,
};
pub use rows::{DecodeError, MAX_RECORD_BYTES, decode, encode};

use crate::ledger::merkle::Hash;
use cases::Cases;
use engine::{Column, Engine, Expiry};
use families::ledger::{self, Trees};
use families::{marks, meta};
use files::Paths;
use keyring::Keyring;
use passage::{Frontier, Noted, Unsettled};

/// The number of the format that this version reads and writes.
pub const FORMAT: u32 = 1;

/// An open store. One process has it at a time; threads share it in an [`Arc`].
pub struct Store {
    // Fields are dropped in this order: the database closes before the locks go.
    engine: Engine,
    keyring: Keyring,
    /// The keys of requests, captures and holds.
    cases: Cases,
    /// What `meta` notes about the records.
    noted: RwLock<Noted>,
    /// How far the records are settled.
    frontier: Mutex<Frontier>,
    /// What came after its bucket was settled, and was not looked at yet.
    late: Mutex<Unsettled>,
    /// The trees over the two logs.
    trees: Mutex<Trees>,
    /// What is hidden for good, shared with the compactions.
    expiry: Arc<Expiry>,
    /// Held during a commit, and while the cutoff moves.
    committing: Mutex<()>,
    /// Instant of the oldest record that may be in memory and in the log alone, in milliseconds.
    oldest_in_memory: AtomicU64,
    /// Has a run rewritten all that may be expired, since opening?
    rewritten: AtomicBool,
    /// The bucket in which all families were last flushed.
    flushed_in: AtomicU32,
    /// What opening did with the keyring.
    history: KeyringHistory,
    /// As it was configured; the window in force is the keyring's.
    retention: Retention,
    erasure: Erasure,
    paths: Paths,
    _lock: Flock<File>,
}

impl Store {
    /// What turns records into rows. A cheap clone, for use on any thread; it keeps no file open.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(Arc::clone(self.keyring.keys()))
    }

    /// One consistent view of the records that `cutoff` does not hide.
    ///
    /// A view keeps files on disk for as long as it lives: drop it when the question is answered.
    pub fn observations(&self, cutoff: Cutoff) -> Observations<'_> {
        Observations::new(self, cutoff)
    }

    /// Makes a batch durable: all of it or nothing. When this returns, it survives kill -9 and power loss.
    ///
    /// Records that are hidden by now are left out; the count says how many. So is what stands there already and is settled: the
    /// second copy knows less. After a failure nobody knows what reached the
    /// disk, so every later commit is refused with [`CommitError::Stopped`]: stop acknowledging, exit, and let opening recover.
    pub fn commit(&self, mut batch: Batch) -> Result<u64, CommitError> {
        let _one_at_a_time = self.committing();
        let hidden = batch.leave_out(self.expiry.cutoff());
        let (width, frontier) = (self.width(), self.frontier());
        batch.leave_out_repeated(width, frontier, |key| self.engine.has(Column::ByAddress, key))?;
        if batch.is_empty() {
            return Ok(hidden);
        }
        let mut trees = self.trees().clone();
        let entries = batch.append_to(&mut trees).ok_or(CommitError::OutOfOrder)?;
        let fresh = batch.noted(width, frontier).beyond(&self.noted());
        // Readers learn of it before the first such record can be seen: a note too many costs a probe, one too few an answer.
        // Nearly every commit has nothing to note, and readers need not wait for it.
        if !fresh.is_empty() {
            self.noted.write().unwrap_or_else(PoisonError::into_inner).extend(&fresh);
        }
        let late = batch.late(width, frontier);
        if let Some(oldest) = batch.oldest() {
            self.note_in_memory(oldest);
        }
        let forgotten = batch.forgotten(&self.noted());
        self.forget_notes(&forgotten);
        let marks = batch.forgets_before().map(|first| marks::keys_before(&self.engine, first)).transpose()?;
        let forgetting = forgotten.forgetting().chain(marks.unwrap_or_default());
        self.engine.change(batch.into_rows(&fresh).chain(entries), forgetting)?;
        // Nobody signs for an entry that is not durable.
        *self.trees() = trees;
        self.note_late(late);
        Ok(hidden)
    }

    /// A record of this instant may be in memory and in the log alone.
    fn note_in_memory(&self, oldest: Timestamp) {
        self.oldest_in_memory.fetch_min(oldest.millis(), Ordering::AcqRel);
    }

    fn forget_notes(&self, old: &Noted) {
        if !old.is_empty() {
            self.noted.write().unwrap_or_else(PoisonError::into_inner).forget(old);
        }
    }

    /// When each source was last heard, as [`Batch::heard`] recorded it.
    pub fn heard(&self) -> Result<BTreeMap<SourceName, Timestamp>, EngineError> {
        meta::heard(&self.engine)
    }

    /// How far a lease file was read, as [`Batch::followed`] recorded it.
    pub fn followed(&self, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
        meta::followed(&self.engine, name)
    }

    /// What is noted of the sources, as [`Batch::mark`] recorded it.
    pub fn marks(&self) -> Result<Vec<(Bucket, Whose, Mark)>, EngineError> {
        marks::read(&self.engine)
    }

    /// A number of the daemon's; `None` until one was recorded.
    pub fn number(&self, number: Number) -> Result<Option<u64>, EngineError> {
        meta::number(&self.engine, number)
    }

    /// The store's id: random, the same in the keyring and in the database.
    pub fn id(&self) -> [u8; 16] {
        *self.keyring.store_id()
    }

    /// What reports have said of keys, as [`Batch::keys_reported`] recorded it.
    pub fn keys_reported(&self) -> Result<Option<Vec<u8>>, EngineError> {
        meta::keys_reported(&self.engine)
    }

    /// What the purge remembers from one report to the next, as [`Batch::tally`] recorded it.
    pub fn tally(&self) -> Result<Option<Vec<u8>>, EngineError> {
        meta::tally(&self.engine)
    }

    /// Up to `limit` entries of a log with their indexes, from the index `from` on.
    pub fn entries(&self, log: Log, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, EngineError> {
        ledger::entries(&self.engine, log, from, limit)
    }

    /// The index that the next entry of a log gets.
    pub fn next_entry(&self, log: Log) -> u64 {
        self.trees().of(log).size()
    }

    /// The size of a log and the root over it, of what is durable.
    pub fn tree(&self, log: Log) -> (u64, Hash) {
        let trees = self.trees();
        (trees.of(log).size(), trees.of(log).root())
    }

    /// The complete subtrees of a log. Of entries beyond the size that [`Store::tree`] gave there may be some.
    pub fn log_hashes(&self, log: Log) -> LogHashes<'_> {
        LogHashes::of(&self.engine, log)
    }

    /// Makes a coming commit fail: the one after `after` that succeed. For tests of those who depend on the store.
    #[doc(hidden)]
    pub fn fail_commit(&self, after: u32, fault: Fault) {
        self.engine.fail_commit(after, fault);
    }

    fn committing(&self) -> MutexGuard<'_, ()> {
        self.committing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trees(&self) -> MutexGuard<'_, Trees> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn width(&self) -> BucketWidth {
        self.keyring.keys().width()
    }

    /// How far records are settled.
    fn frontier(&self) -> Frontier {
        *self.frontier_mut()
    }

    fn frontier_mut(&self) -> MutexGuard<'_, Frontier> {
        self.frontier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> MutexGuard<'_, Unsettled> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self) -> RwLockReadGuard<'_, Noted> {
        self.noted.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
