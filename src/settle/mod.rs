//! Settling: a pass over the store that makes every bucket explain itself, so that what is destroyed is not missed.
//!
//! A lease may be silent for longer than the window; a start or a stop may be lost. Once a bucket is as old as a statement
//! speaks, the pass reads it from end to end, says what each statement in it means, and writes what follows: carries for
//! who is silent, ends for who is gone. After that, an instant is explained by the carry interval before it, and forgetting
//! what is older changes no answer.
//!
//! It is a scan: one bucket is read in the order of its keys, and an index in memory (`known`) says how each session stood
//! before. `site` judges one address, by the rules of [`crate::domain::session`]; `bucket` goes over all of one bucket's;
//! `late` judges anew the addresses of which something came after their bucket was settled; `waking` makes the index when
//! the process starts. All of it can be cut short anywhere: what it writes follows from the log alone, so it is found again.
//!
//! It never decides whether something is disclosed, and reads nothing that is hidden.

mod bucket;
mod known;
mod late;
mod site;
mod terms;
mod thread;
mod waking;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Config;
use crate::domain::record::Kind;
use crate::domain::time::{Bucket, Timestamp};
use crate::store::{Findings, SettlingError, Store};

use known::{Hasher, Index, KnownRun};
use site::Change;
use terms::Terms;

/// How many findings are written together.
const FINDINGS: usize = 512;

/// The pass. One for a store, and used by one thread.
pub struct Settler {
    store: Arc<Store>,
    terms: Terms,
    hasher: Hasher,
    index: Index,
    /// The oldest bucket that was read for the index.
    since: Bucket,
    /// The newest bucket that the index knows; `None` before it was made.
    through: Option<Bucket>,
    findings: Findings,
    work: Work,
    interrupt: Arc<AtomicBool>,
    has_room: Box<dyn Fn() -> bool + Send>,
}

/// What the pass has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Buckets settled.
    pub buckets: u64,
    /// Records read in them.
    pub records: u64,
    /// Records derived.
    pub derived: u64,
    /// Records whose meaning was written.
    pub rewritten: u64,
    /// Addresses judged anew for what came late.
    pub late: u64,
}

/// The size of the index in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexSize {
    /// Addresses.
    pub sites: usize,
    /// Sessions on them.
    pub runs: usize,
    /// Bytes, without what the allocator adds.
    pub bytes: usize,
}

impl Settler {
    /// A pass that has read nothing yet.
    pub fn new(store: Arc<Store>, config: &Config) -> Self {
        Self {
            store,
            terms: Terms::of(config),
            hasher: Hasher::default(),
            index: Index::default(),
            since: Bucket(0),
            through: None,
            findings: Findings::new(),
            work: Work::default(),
            interrupt: Arc::default(),
            has_room: Box::new(|| true),
        }
    }

    /// Settles what came late, then one bucket that is due at `now`. Says whether there may be more to do at once.
    ///
    /// # Errors
    ///
    /// If something cannot be read or written. What was not settled is settled by the next call.
    pub fn step(&mut self, now: Timestamp) -> Result<bool, SettlingError> {
        let outcome = self.step_or_fail(now);
        if outcome.is_err() {
            // What the index knows may be half of a bucket's.
            self.through = None;
            self.findings = Findings::new();
        }
        outcome
    }

    fn step_or_fail(&mut self, now: Timestamp) -> Result<bool, SettlingError> {
        let newest = self.terms.rules.width.bucket_of(now);
        let Some(due) = newest.0.checked_sub(self.terms.rules.carry_buckets).map(Bucket) else { return Ok(false) };
        self.wake(now, due)?;
        self.settle_late()?;
        let next = self.through.map_or(due, |through| through.later(1));
        if next > due {
            return Ok(false);
        }
        self.settle_bucket(next)?;
        Ok(next < due)
    }

    /// Settles everything that is due at `now`.
    ///
    /// # Errors
    ///
    /// As [`Self::step`].
    pub fn catch_up(&mut self, now: Timestamp) -> Result<(), SettlingError> {
        while self.step(now)? {}
        Ok(())
    }

    /// Asks this before every write, and ends a step with [`SettlingError::NoRoom`] if there is no room: a write that fails for
    /// want of space would end all writing.
    #[must_use]
    pub fn writing_while(mut self, has_room: impl Fn() -> bool + Send + 'static) -> Self {
        self.has_room = Box::new(has_room);
        self
    }

    /// When this is set, a step ends with [`SettlingError::Interrupted`] at the next address.
    pub fn interrupt(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupt)
    }

    fn go_on(&self) -> Result<(), SettlingError> {
        if self.interrupt.load(Ordering::Relaxed) { Err(SettlingError::Interrupted) } else { Ok(()) }
    }

    /// What was done since this was made.
    pub fn work(&self) -> Work {
        self.work
    }

    /// What the index takes.
    pub fn index_size(&self) -> IndexSize {
        let (sites, runs, bytes) = self.index.size();
        IndexSize { sites, runs, bytes }
    }

    /// Writes what a site comes to; the runs learn where their newest records stand.
    fn keep(&mut self, changes: Vec<Change>, runs: &mut [KnownRun]) -> Result<(), SettlingError> {
        for change in changes {
            match change {
                Change::Rewrite { row, record, newly_named } => {
                    let entity = newly_named.then(|| self.terms.entity_of(&record));
                    self.store.rewrite(&mut self.findings, row, &record, entity.as_ref())?;
                    self.work.rewritten = self.work.rewritten.saturating_add(1);
                }
                Change::Derive { run, record } => {
                    let row = self.store.derive(&mut self.findings, &record, &self.terms.entity_of(&record))?;
                    self.work.derived = self.work.derived.saturating_add(1);
                    // Who spoke at the very instant of the carry is told by that.
                    let is_newest = |run: &&mut KnownRun| {
                        let carried = run.standing.last.is_some_and(|(_, kind)| kind == Kind::Carry);
                        carried && record.kind == Kind::Carry && run.standing.newest == record.at
                    };
                    if let Some(run) = runs.get_mut(run).filter(is_newest) {
                        run.row = row;
                    }
                }
            }
        }
        if self.findings.count() >= FINDINGS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), SettlingError> {
        if !(self.has_room)() {
            return Err(SettlingError::NoRoom);
        }
        Ok(self.store.keep_findings(std::mem::take(&mut self.findings))?)
    }
}

impl std::fmt::Debug for Settler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settler").field("through", &self.through).field("work", &self.work).finish_non_exhaustive()
    }
}
