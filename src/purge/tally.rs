//! The tally: runs added up, and what is out of the ordinary noted, until a period is closed into its report.
//!
//! It is kept in `meta` after every run, so that no stop of the daemon leaves a gap between two reports.

use std::time::Duration;

use crate::domain::time::{Bucket, BucketWidth, Timestamp};

use super::exception::{Exception, Explanation};
use super::report::{
    ClassReport, ClockStanding, Erasure, Keys, Kind, LastRun, Outcome, Report, Runs, Standing, Terms, Unlinking,
};
use super::run::{Check, ClassRun, Counted, Failure, KeyDestroyed, PerClass, Reason, Run, Step};
use crate::canonical::Line;

/// The most exceptions of a kind that a report lists.
pub(super) const EXCEPTIONS_OF_A_KIND: usize = 16;
/// The most keys that a report lists, so that it stays below [`super::MAX_ENTRY_BYTES`] whatever else it says.
const KEYS_IN_A_REPORT: usize = 200;

/// What is known of the period that is not over yet, and what the next one needs of those before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    pub(super) sequence: u64,
    pub(super) from: Timestamp,
    // What lasts from one period to the next.
    pub(super) last_began: Option<Timestamp>,
    pub(super) cutoff: Option<Timestamp>,
    pub(super) live_keys: u32,
    pub(super) unreadable: Vec<Bucket>,
    pub(super) wal_oldest: Option<Timestamp>,
    pub(super) last: LastRun,
    // What belongs to this period.
    pub(super) count: u64,
    pub(super) late: u64,
    pub(super) failed: u64,
    pub(super) taken: u64,
    pub(super) classes: PerClass<Count>,
    pub(super) listings: Count,
    pub(super) opened: Vec<(Bucket, [u8; 32])>,
    pub(super) destroyed: Vec<KeyDestroyed>,
    pub(super) files_removed: u64,
    pub(super) manifests_rolled: u64,
    pub(super) checks: [CheckCount; 10],
    pub(super) exceptions: Vec<Exception>,
    pub(super) left_out: u64,
}

/// Of one class, over the runs of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) scanned: u64,
    pub(super) filtered: u64,
    pub(super) remaining: u64,
    pub(super) max_age: Option<Duration>,
}

/// Of one check, over the runs of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CheckCount {
    /// How many runs made it, and it held.
    pub(super) held: u64,
    /// In how many runs it did not hold.
    pub(super) failed: u64,
    /// How many runs had to make it, did not, and did not fail otherwise.
    pub(super) missed: u64,
}

/// What a report says that the runs do not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Why the period ends.
    pub kind: Kind,
    /// When it ends; an instant before its beginning counts as its beginning.
    pub at: Timestamp,
    /// The store's id.
    pub system: [u8; 16],
    /// The version of the software.
    pub software: Line,
    /// [`super::policy_digest`].
    pub policy: [u8; 32],
    /// The terms now in force.
    pub terms: Terms,
    /// The clock.
    pub clock: ClockStanding,
    /// Where keys are overwritten.
    pub erasure: Erasure,
    /// Holds that are kept.
    pub holds: u64,
    /// Entries of the access ledger.
    pub accesses: u64,
}

/// A period that is closed. To be made durable together: a crash between the two would report the period twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The report; where more keys were opened and destroyed than an entry has room for, further reports of no length follow it.
    pub reports: Vec<Report>,
    /// The tally of the next period.
    pub next: Tally,
}

impl Tally {
    /// The tally of a store's first period.
    pub fn begin(from: Timestamp) -> Self {
        Self {
            sequence: 0,
            from,
            last_began: None,
            cutoff: None,
            live_keys: 0,
            unreadable: Vec::new(),
            wal_oldest: None,
            count: 0,
            late: 0,
            failed: 0,
            last: LastRun::None,
            taken: 0,
            classes: PerClass::default(),
            listings: Count::default(),
            opened: Vec::new(),
            destroyed: Vec::new(),
            files_removed: 0,
            manifests_rolled: 0,
            checks: [CheckCount::default(); 10],
            exceptions: Vec::new(),
            left_out: 0,
        }
    }

    /// The number that the next report gets.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When the period began.
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// When the last run began, in this period or before.
    pub const fn last_began(&self) -> Option<Timestamp> {
        self.last_began
    }

    /// The latest cutoff of any run so far that was verified; it never falls.
    pub const fn cutoff(&self) -> Option<Timestamp> {
        self.cutoff
    }

    /// Has a bucket of time ended since the period began?
    pub fn is_due(&self, now: Timestamp, width: BucketWidth) -> bool {
        width.bucket_of(now) > width.bucket_of(self.from)
    }

    /// Is anything noted that was out of the ordinary?
    pub const fn has_exceptions(&self) -> bool {
        !self.exceptions.is_empty()
    }

    /// What is noted.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// Is this noted already?
    pub fn has(&self, exception: &Exception) -> bool {
        self.exceptions.contains(exception)
    }

    /// Notes something out of the ordinary. Of each kind the first sixteen are listed, the others counted.
    pub fn note(&mut self, exception: Exception) {
        let alike = self.exceptions.iter().filter(|noted| noted.name() == exception.name()).count();
        if alike < EXCEPTIONS_OF_A_KIND {
            self.exceptions.push(exception);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Adds statements that were taken in.
    pub fn take(&mut self, statements: u64) {
        self.taken = self.taken.saturating_add(statements);
    }

    /// Adds a run, under the terms it was made by. Notes whether it was late, what failed, and where counts differ.
    pub fn add(&mut self, run: &Run, terms: &Terms) {
        self.count = self.count.saturating_add(1);
        self.add_punctuality(run, terms);
        self.add_counts(run);
        self.add_outcome(run);
        self.add_keys(run);
        if !run.failed() {
            self.cutoff = self.cutoff.max(Some(run.cutoff.horizon()));
        }
        self.files_removed = self.files_removed.saturating_add(run.files_removed);
        self.manifests_rolled = self.manifests_rolled.saturating_add(u64::from(run.manifest_rolled));
        self.wal_oldest = run.wal_oldest;
    }

    fn add_punctuality(&mut self, run: &Run, terms: &Terms) {
        if let Some(before) = self.last_began {
            let late = run.began.since(before).saturating_sub(terms.between_runs());
            if !late.is_zero() {
                self.late = self.late.saturating_add(1);
                self.note(Exception::LateRun { at: run.began, late });
            }
        }
        self.last_began = Some(run.began);
    }

    fn add_counts(&mut self, run: &Run) {
        // What a run did not come to is counted again by the next one.
        let cut_short = run.failures.iter().any(|failure| failure.reason != Reason::CheckFailed);
        for (counted, class) in run.counted() {
            let ClassRun { scanned, filtered, .. } = *class;
            let scanned = if cut_short { scanned.min(filtered) } else { scanned };
            self.count_of(counted).add(&ClassRun { scanned, ..*class }, run.ended);
            if scanned != filtered {
                // A crash repeats compactions, never scans: only too few dropped is a failure.
                let explanation =
                    if filtered > scanned { Explanation::RepeatedCompaction } else { Explanation::Unexplained };
                self.note(Exception::CountsDiffer { at: run.began, counted, scanned, filtered, explanation });
            }
        }
    }

    fn count_of(&mut self, counted: Counted) -> &mut Count {
        match counted.class() {
            Some(class) => self.classes.of_mut(class),
            None => &mut self.listings,
        }
    }

    fn add_outcome(&mut self, run: &Run) {
        for (check, count) in Check::ALL.iter().zip(&mut self.checks) {
            let made = run.checks.iter().filter(|(of, _)| of == check);
            let (mut held, mut failed) = (false, false);
            for (_, holds) in made {
                held |= holds;
                failed |= !holds;
            }
            let missed = !held && !failed && check.is_made_always() && !run.failed();
            count.held = count.held.saturating_add(u64::from(held));
            count.failed = count.failed.saturating_add(u64::from(failed));
            count.missed = count.missed.saturating_add(u64::from(missed));
        }
        self.last = if run.failed() { LastRun::Failed } else { LastRun::Verified };
        if !run.failed() {
            return;
        }
        self.failed = self.failed.saturating_add(1);
        let unnamed = Failure { step: Step::Verify, reason: Reason::CheckFailed };
        let failures = if run.failures.is_empty() { &[unnamed][..] } else { &run.failures };
        for failure in failures {
            self.note(Exception::FailedRun { at: run.began, failure: *failure });
        }
    }

    fn add_keys(&mut self, run: &Run) {
        self.opened.extend(&run.opened);
        self.destroyed.extend(&run.destroyed);
        self.live_keys = run.live_keys;
        for bucket in run.unreadable.iter().filter(|bucket| !self.unreadable.contains(bucket)).collect::<Vec<_>>() {
            self.note(Exception::KeyUnreadable { at: run.began, bucket: *bucket });
        }
        self.unreadable.clone_from(&run.unreadable);
    }

    /// Closes the period. Changes nothing here: what comes of it counts once it is durable.
    pub fn close(&self, closing: &Closing) -> Closed {
        let to = closing.at.max(self.from);
        let mut parts = self.parts().into_iter();
        let first = self.report(closing, to, parts.next().unwrap_or_default());
        let further = parts.map(|keys| self.continued(&first, keys));
        let mut reports: Vec<Report> = std::iter::once(first.clone()).chain(further).collect();
        for (report, sequence) in reports.iter_mut().zip(self.sequence..) {
            report.sequence = sequence;
        }
        let made = u64::try_from(reports.len()).unwrap_or(u64::MAX);
        let next = Self { sequence: self.sequence.saturating_add(made), ..self.after(to) };
        Closed { reports, next }
    }

    /// What is known at the begin of the next period. What the last run left is so until another one has run.
    fn after(&self, to: Timestamp) -> Self {
        Self {
            last_began: self.last_began,
            cutoff: self.cutoff,
            live_keys: self.live_keys,
            unreadable: self.unreadable.clone(),
            wal_oldest: self.wal_oldest,
            last: self.last,
            classes: self.classes.map(Count::left),
            listings: self.listings.left(),
            ..Self::begin(to)
        }
    }

    /// The keys, in as many parts as need a report each; after each, as many are live as the reports so far let one count.
    fn parts(&self) -> Vec<Keys> {
        let mut parts = Vec::new();
        let (mut opened, mut destroyed) = (&self.opened[..], &self.destroyed[..]);
        let unreadable = count(self.unreadable.len());
        loop {
            let room = KEYS_IN_A_REPORT.min(opened.len());
            let (now_opened, opened_later) = opened.split_at_checked(room).unwrap_or((opened, &[]));
            let room = KEYS_IN_A_REPORT.saturating_sub(room).min(destroyed.len());
            let (now_destroyed, destroyed_later) = destroyed.split_at_checked(room).unwrap_or((destroyed, &[]));
            let (to_open, to_destroy) = (count(opened_later.len()), count(destroyed_later.len()));
            let live = self.live_keys.saturating_add(to_destroy).saturating_sub(to_open);
            parts.push(Keys { opened: now_opened.to_vec(), destroyed: now_destroyed.to_vec(), live, unreadable });
            (opened, destroyed) = (opened_later, destroyed_later);
            if opened.is_empty() && destroyed.is_empty() {
                return parts;
            }
        }
    }

    fn report(&self, closing: &Closing, to: Timestamp, keys: Keys) -> Report {
        Report {
            sequence: self.sequence,
            kind: closing.kind,
            from: self.from,
            to,
            system: closing.system,
            software: closing.software.clone(),
            policy: closing.policy,
            terms: closing.terms,
            clock: closing.clock,
            runs: Runs { count: self.count, late: self.late, failed: self.failed, last: self.last },
            standing: Standing { taken: self.taken, holds: closing.holds, accesses: closing.accesses },
            cutoff: self.cutoff,
            classes: self.classes.map(Count::report),
            listings: self.listings.report(),
            keys,
            erasure: closing.erasure.clone(),
            unlinking: Unlinking {
                files_removed: self.files_removed,
                manifests_rolled: self.manifests_rolled,
                wal_oldest: self.wal_oldest,
            },
            checks: self.checks.map(CheckCount::outcome),
            exceptions: self.exceptions.clone(),
            left_out: self.left_out,
        }
    }

    /// A report of no length that lists the keys for which the first had no room, with what was verified about keys.
    fn continued(&self, first: &Report, keys: Keys) -> Report {
        let closing = Closing {
            kind: first.kind,
            at: first.to,
            system: first.system,
            software: first.software.clone(),
            policy: first.policy,
            terms: first.terms,
            clock: ClockStanding { steps: 0, ..first.clock },
            erasure: first.erasure.clone(),
            holds: first.standing.holds,
            accesses: first.standing.accesses,
        };
        let mut checks = first.checks;
        for (check, outcome) in Check::ALL.iter().zip(&mut checks) {
            if check.is_made_always() {
                *outcome = Outcome::NotMade;
            }
        }
        Report { checks, ..self.after(first.to).report(&closing, first.to, keys) }
    }
}

impl Count {
    fn add(&mut self, run: &ClassRun, unlinked: Timestamp) {
        self.scanned = self.scanned.saturating_add(run.scanned);
        self.filtered = self.filtered.saturating_add(run.filtered);
        self.remaining = run.remaining;
        self.max_age = self.max_age.max(run.oldest.map(|oldest| unlinked.since(oldest)));
    }

    /// What is left of it for the next period.
    fn left(&self) -> Self {
        Self { remaining: self.remaining, ..Self::default() }
    }

    const fn report(&self) -> ClassReport {
        let Self { scanned, filtered, remaining, max_age } = *self;
        ClassReport { scanned, filtered, remaining, max_age }
    }
}

impl CheckCount {
    const fn outcome(self) -> Outcome {
        match self {
            Self { failed: 1.., .. } => Outcome::Failed,
            Self { missed: 1.., .. } | Self { held: 0, .. } => Outcome::NotMade,
            Self { .. } => Outcome::Passed,
        }
    }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
