//! The purge of one store, from run to run and from report to report.

use std::sync::Arc;

use crate::canonical::ParseError;
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::{Batch, CommitError, EngineError, KeyringFound, Log, Number, Store};

use super::exception::{Exception, Setting};
use super::execute::{self, Order, Surroundings};
use super::keys::{Act, Reported};
use super::report::{Report, Terms};
use super::run::{Run, Step};
use super::tally::{Closing, Tally};
use super::tally_bytes::TallyError;

/// Why the purge cannot go on where it was.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// The database cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What was kept of the period is not in the format.
    #[error("what the purge remembers cannot be read: {0}")]
    Tally(#[from] TallyError),
    /// The last report is not in the grammar.
    #[error("the last report cannot be read: {0}")]
    Report(#[from] ParseError),
    /// What was kept of the keys is not in the format.
    #[error("what the purge remembers of keys is not in the format")]
    Keys,
    /// The ledger does not end where the tally says.
    #[error("the purge ledger has {entries} entries, and the purge remembers {sequence}")]
    Sequence {
        /// Entries in the ledger.
        entries: u64,
        /// The number that the tally gives the next one.
        sequence: u64,
    },
}

/// Purges a store: one for each store, on one thread.
pub struct Purger {
    store: Arc<Store>,
    tally: Tally,
    reported: Reported,
    oldest_kept: Option<Timestamp>,
    /// Acts of destruction that no run has reported yet.
    acts: Vec<Act>,
}

impl Purger {
    /// Goes on where the last one stopped. `now` is the beginning of a new store's first period.
    ///
    /// # Errors
    ///
    /// If what was kept cannot be read, or does not agree with the ledger.
    pub fn resume(store: Arc<Store>, now: Timestamp) -> Result<Self, ResumeError> {
        let tally = match store.tally()? {
            Some(bytes) => Tally::parse(&bytes)?,
            None => Tally::begin(now),
        };
        let reported = match store.keys_reported()? {
            Some(bytes) => Reported::from_bytes(&bytes).ok_or(ResumeError::Keys)?,
            None => Reported::default(),
        };
        let reported = match store.keyring_history().found {
            KeyringFound::Lost(_) => reported.without_keyring(),
            KeyringFound::Whole | KeyringFound::Mended | KeyringFound::New => reported,
        };
        let (entries, sequence) = (store.next_entry(Log::Purge), tally.sequence());
        if entries == sequence {
            let opening = Act { at: now, destruction: store.keyring_history().destroyed.clone() };
            Ok(Self { store, tally, reported, acts: vec![opening], oldest_kept: None })
        } else {
            Err(ResumeError::Sequence { entries, sequence })
        }
    }

    /// What is known of the period that is not over.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The oldest instant that the last run left, in the buckets that its cutoff touches; `None` if nothing is in them. Then
    /// the oldest is elsewhere ([`Store::oldest`]).
    pub fn oldest_kept(&self) -> Option<Timestamp> {
        self.oldest_kept
    }

    /// Remembers, for the next run's report, keys that were destroyed by another: when the store was opened, or by a sweep.
    pub fn recall(&mut self, act: Act) {
        self.acts.push(act);
    }

    /// Adds statements that were taken in, for the next report.
    pub fn take(&mut self, statements: u64) {
        self.tally.take(statements);
    }

    /// Notes something out of the ordinary, for the next report.
    pub fn note(&mut self, exception: Exception) {
        self.tally.note(exception);
    }

    /// Notes how these terms differ from those of the last report and what was noted since: they were changed in the
    /// configuration, or by somebody of whom a crash left no name.
    ///
    /// # Errors
    ///
    /// If the last report cannot be read.
    pub fn note_terms(&mut self, at: Timestamp, terms: &Terms) -> Result<(), ResumeError> {
        let Some(last) = self.tally.sequence().checked_sub(1) else { return Ok(()) };
        let entries = self.store.entries(Log::Purge, last, 1)?;
        let Some((_, bytes)) = entries.first() else { return Ok(()) };
        let before = Report::parse(bytes)?.terms;
        // What is noted here follows from one another.
        let known = before.changed_by(self.tally.exceptions()).unwrap_or(before);
        for (setting, old, new) in [
            (Setting::Window, known.window, terms.window),
            (Setting::PurgeInterval, known.purge_interval, terms.purge_interval),
        ] {
            if old != new {
                self.tally.note(Exception::PolicyChanged { at, setting, old, new, who: None });
            }
        }
        Ok(())
    }

    /// Makes durable what was noted since the last run.
    ///
    /// # Errors
    ///
    /// If it cannot be made durable.
    pub fn keep(&self) -> Result<(), CommitError> {
        // A crash before this loses the notes; whatever made them may be noted again.
        self.store.commit(self.batch(&self.tally, self.store.cutoff())).map(|_| ())
    }

    /// Makes one run, and its result durable. What failed is in the run, and in the next report; what is not gone is
    /// tried again by the next run.
    ///
    /// # Errors
    ///
    /// If the result cannot be made durable: then nobody knows what is on disk until the store is opened again.
    pub fn run(
        &mut self,
        order: Order,
        terms: &Terms,
        now: &dyn Fn() -> Timestamp,
        watch: &mut dyn FnMut(Step),
    ) -> Result<Run, CommitError> {
        let reported = self.reported.clone();
        let acts = self.acts.clone();
        let wal_oldest = self.tally.wal_oldest;
        let mut around = Surroundings { now, watch, reported: &reported, acts: &acts, wal_oldest };
        let unlinked = execute::unlink(&self.store, order, &mut around);
        self.oldest_kept = unlinked.oldest_kept;

        // 7. The run is made durable, and flushed: that makes the database write a MANIFEST without the keys of dead files. A
        //    crash before it leaves a run that is on no record, whose rows are gone: the next run finds them gone and reports no
        //    more than it sees. A crash after it leaves this run on record without its look at the directory.
        (around.watch)(Step::Record);
        let mut tally = self.tally.clone();
        tally.add(&unlinked.run, terms);
        self.reported = reported.after(&unlinked.run);
        // After a failure nobody looks any further: the daemon ends, and every second counts until the next start destroys keys.
        self.store.conclude(self.batch(&tally, order.cutoff))?;
        let run = execute::look_through(&self.store, unlinked, &mut around);
        self.acts.clear();
        self.tally.add(&run, terms);
        self.store.commit(self.batch(&self.tally, order.cutoff))?;
        Ok(run)
    }

    /// Makes the part of a run that needs no space: keys are destroyed, and nothing is written down. What was done is in the
    /// record of the next run, and a crash before it leaves a table that says which keys are gone.
    pub fn run_without_space(
        &mut self,
        order: Order,
        terms: &Terms,
        now: &dyn Fn() -> Timestamp,
        watch: &mut dyn FnMut(Step),
    ) -> Run {
        let (reported, acts) = (self.reported.clone(), std::mem::take(&mut self.acts));
        let wal_oldest = self.tally.wal_oldest;
        let mut around = Surroundings { now, watch, reported: &reported, acts: &acts, wal_oldest };
        let run = execute::without_space(&self.store, order, &mut around);
        self.reported = reported.after(&run);
        self.tally.add(&run, terms);
        run
    }

    /// Closes the period: its report becomes an entry of the purge ledger, in the batch that begins the next period.
    ///
    /// # Errors
    ///
    /// If it cannot be made durable.
    pub fn close(&mut self, closing: &Closing) -> Result<Vec<Report>, CommitError> {
        let closed = self.tally.close(closing);
        let mut batch = self.batch(&closed.next, Cutoff::at(closed.next.cutoff().unwrap_or(Timestamp::EPOCH)));
        for report in &closed.reports {
            batch.entry(Log::Purge, report.sequence, report.to_bytes());
        }
        // A crash before this leaves the period open, and the next report begins where this one would have.
        self.store.commit(batch)?;
        self.tally = closed.next;
        Ok(closed.reports)
    }

    /// What is kept from one run to the next.
    fn batch(&self, tally: &Tally, cutoff: Cutoff) -> Batch {
        let mut batch = Batch::new();
        match tally.to_bytes() {
            Ok(bytes) => batch.tally(bytes),
            Err(error) => tracing::error!(%error, "what was purged since the last report cannot be kept"),
        }
        batch.keys_reported(self.reported.to_bytes());
        batch.number(Number::Cutoff, cutoff.horizon().max(self.store.cutoff().horizon()).millis());
        batch.forget_before(self.store.bucket_of(cutoff.horizon()));
        batch
    }
}
