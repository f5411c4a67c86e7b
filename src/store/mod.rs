//! The store: records under keys that can be destroyed, and the only module that names RocksDB.
//!
//! A record lies in the bucket of its instant. Each bucket has a random key of its own in the [keyring](Store::maintain),
//! outside the database: identifiers become keyed hashes, values are sealed, and overwriting one slot of the keyring makes
//! unreadable whatever a file, a log or a backup of the database still holds of that bucket. `docs/format.md` has every byte.
//!
//! From the writer down: [`Sealer`] turns a record into rows, off the writer's thread; [`Batch`] collects them;
//! [`Store::commit`] makes them durable in one write. [`Observations`] is the only way to read records, and it takes a cutoff.
//!
//! Beside all this stands [`inspect`], which checks a state directory from outside and uses none of it.
//!
//! This module decides nothing about time: it is told `now`. It computes no intervals, knows no roles, and writes no logs.
//! It unlinks nothing yet: a destroyed bucket's rows stay as unreadable bytes until they are purged.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

mod batch;
mod bucket_keys;
mod disk;
mod engine;
mod envelope;
mod fields;
pub mod inspect;
mod keyring;
mod keys;
mod ledger;
mod meta;
mod observations;
mod open;
mod options;
mod policy;
mod records;
mod sealer;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::{Arc, PoisonError, RwLock};

use nix::fcntl::Flock;

use crate::domain::address::Family;
use crate::domain::identity::SourceName;
use crate::domain::time::{Cutoff, Timestamp};

pub use batch::Batch;
pub use engine::{CommitError, EngineError, Fault};
pub use keyring::{KeyringError, Maintained};
pub use ledger::Log;
pub use meta::Number;
pub use observations::{Observations, Place, ReadError};
pub use open::OpenError;
pub use records::{DecodeError, MAX_RECORD_BYTES, decode, encode};
pub use sealer::{SealError, Sealed, Sealer};

use engine::Engine;
use keyring::Keyring;

/// The number of the format that this version reads and writes.
pub const FORMAT: u32 = 1;

/// An open store. One process has it at a time; threads share it in an [`Arc`].
pub struct Store {
    // Fields are dropped in this order: the database closes before the locks go.
    engine: Engine,
    keyring: Keyring,
    /// What `meta` says about prefix lengths, so that a lookup need not ask.
    prefix_lens: RwLock<BTreeSet<(Family, u8)>>,
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
    /// Called by one writer's thread only. After a failure nobody knows what reached the disk, so every later commit is
    /// refused with [`CommitError::Stopped`]: stop acknowledging, exit, and let opening recover.
    pub fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        if batch.is_empty() {
            return Ok(());
        }
        let fresh = self.fresh_prefix_lens(&batch);
        // Readers learn of a length before its first record can be seen: a length too many costs a probe, one too few an answer.
        self.prefix_lens.write().unwrap_or_else(PoisonError::into_inner).extend(fresh.iter().copied());
        self.engine.commit(batch.into_rows(&fresh))
    }

    /// Brings the keyring up to `now`: keys of buckets wholly before the cutoff are overwritten, synced and dropped from memory;
    /// slots of the buckets that come next get fresh keys, synced before any record can use them.
    ///
    /// To be called at least once a bucket; [`Maintained::next`] says when it next has something to do. A failed run changes
    /// nothing in memory that is not on disk, and the next one repeats it from the first write.
    pub fn maintain(&self, now: Timestamp) -> Result<Maintained, KeyringError> {
        self.keyring.maintain(now)
    }

    /// When each source was last heard, as [`Batch::heard`] recorded it.
    pub fn heard(&self) -> Result<BTreeMap<SourceName, Timestamp>, EngineError> {
        meta::heard(&self.engine)
    }

    /// A number of the daemon's; `None` until one was recorded.
    pub fn number(&self, number: Number) -> Result<Option<u64>, EngineError> {
        meta::number(&self.engine, number)
    }

    /// Up to `limit` entries of a log with their indexes, from the index `from` on.
    pub fn entries(&self, log: Log, from: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, EngineError> {
        ledger::entries(&self.engine, log, from, limit)
    }

    /// The index that the next entry of a log gets.
    pub fn next_entry(&self, log: Log) -> Result<u64, EngineError> {
        ledger::next_entry(&self.engine, log)
    }

    /// Makes a coming commit fail: the one after `after` that succeed. For tests of those who depend on the store.
    #[doc(hidden)]
    pub fn fail_commit(&self, after: u32, fault: Fault) {
        self.engine.fail_commit(after, fault);
    }

    fn prefix_lens(&self, family: Family) -> Vec<u8> {
        let known = self.prefix_lens.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().rev().filter(|(of, _)| *of == family).map(|(_, len)| *len).collect()
    }

    fn fresh_prefix_lens(&self, batch: &Batch) -> BTreeSet<(Family, u8)> {
        let known = self.prefix_lens.read().unwrap_or_else(PoisonError::into_inner);
        batch.prefix_lens().difference(&known).copied().collect()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}
