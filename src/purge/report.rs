//! The report of a period: what was destroyed, when, how, and what was verified. It names no record.
//!
//! Bounds, maxima of keys and the result follow from the rest; they are computed, so that no report can claim another.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::domain::erasure::ErasureClass;
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, BucketWidth, Timestamp, millis_of};

use super::exception::{Exception, Setting};
use super::run::{Check, Counted, KeyDestroyed, PerClass};
use super::tally::EXCEPTIONS_OF_A_KIND;
use crate::canonical::{Line, named};

/// What a run may take, beyond the interval, until everything is unlinked.
pub const SLACK: Duration = Duration::from_secs(5);

/// The most bytes an entry may have: its length is two bytes in a ledger's tile (C2SP tlog-tiles).
pub const MAX_ENTRY_BYTES: usize = 65_535;

named! {
    /// Why a period ended.
    pub enum Kind {
        /// A bucket of time is over.
        Bucket = "bucket",
        /// The daemon has started.
        Start = "start",
        /// The daemon stops.
        Stop = "stop",
        /// Something was out of the ordinary.
        Exception = "exception",
        /// The policy changed.
        Policy = "policy",
    }
}

named! {
    /// What a report comes to.
    pub enum Verdict {
        /// Everything was destroyed in time and verified, and nothing was out of the ordinary.
        Clean = "clean",
        /// Everything is destroyed and verified; something was late or out of the ordinary.
        Exceptions = "exceptions",
        /// Something is not destroyed, or not verified.
        Failed = "failed",
    }
}

named! {
    /// What the last run came to, in the period or before it.
    pub enum LastRun {
        /// There was none yet.
        None = "none",
        /// Nothing failed.
        Verified = "verified",
        /// Something failed.
        Failed = "failed",
    }
}

named! {
    /// A check, over all runs of a period.
    pub enum Outcome {
        /// It held in every run that had to make it, save those that failed before.
        Passed = "passed",
        /// It did not hold in some run.
        Failed = "failed",
        /// Some run that had to make it did not, or no run had to.
        NotMade = "not-made",
    }
}

named! {
    /// Where the wall clock comes from.
    pub enum ClockSource {
        /// The system's clock.
        System = "system",
    }
}

named! {
    /// What the kernel says, if it does.
    pub enum Told {
        /// It is so.
        Yes = "yes",
        /// It is not.
        No = "no",
        /// It does not tell.
        Unknown = "unknown",
    }
}

/// The terms of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// For how long a record is readable.
    pub window: Duration,
    /// How much time shares one key.
    pub bucket: BucketWidth,
    /// How often expired records are destroyed.
    pub purge_interval: Duration,
}

impl Terms {
    /// The terms of a retention policy.
    pub const fn of(retention: &Retention) -> Self {
        Self { window: retention.window, bucket: retention.bucket, purge_interval: retention.purge_interval }
    }

    /// The terms after the changes that these exceptions tell of.
    ///
    /// # Errors
    ///
    /// The first change that does not begin where the one before it ended.
    pub fn changed_by(mut self, exceptions: &[Exception]) -> Result<Self, Exception> {
        for exception in exceptions {
            if let Exception::PolicyChanged { setting, old, new, .. } = exception {
                let value = self.value_mut(*setting);
                if *value != *old {
                    return Err(*exception);
                }
                *value = *new;
            }
        }
        Ok(self)
    }

    const fn value_mut(&mut self, setting: Setting) -> &mut Duration {
        match setting {
            Setting::Window => &mut self.window,
            Setting::PurgeInterval => &mut self.purge_interval,
        }
    }

    /// The most time there may be between the beginnings of two runs.
    pub fn between_runs(&self) -> Duration {
        self.purge_interval.saturating_add(SLACK)
    }
}

/// The digest of the policy that a report names: SHA-256 over the bytes of the file `POLICY`, as `sha256sum` prints it.
pub fn policy_digest(policy: &[u8]) -> [u8; 32] {
    Sha256::digest(policy).into()
}

/// The clock by which a period was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStanding {
    /// Where the time comes from.
    pub source: ClockSource,
    /// Is it kept in step with others?
    pub synchronised: Told,
    /// How far the kernel says it is off, in microseconds.
    pub offset_micros: Option<i64>,
    /// How often it jumped in the period.
    pub steps: u64,
}

/// The runs of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// How many there were.
    pub count: u64,
    /// How many of them began too late.
    pub late: u64,
    /// How many of them failed.
    pub failed: u64,
    /// What the last came to.
    pub last: LastRun,
}

/// What happened to a class of data in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassReport {
    /// Rows counted before they were unlinked. What a run that was cut short left is counted by the next.
    pub scanned: u64,
    /// Rows the compaction filter dropped.
    pub filtered: u64,
    /// Rows older than the cutoff that were found after the last run. What an earlier one left shows in its checks.
    pub remaining: u64,
    /// The greatest age that a row had reached when it was unlinked; `None` if none was.
    pub max_age: Option<Duration>,
}

/// What there was to do with, and what else is on record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Statements taken in during the period; after a crash, at least so many.
    pub taken: u64,
    /// Holds that were kept at its end.
    pub holds: u64,
    /// Entries of the access ledger at its end: who withholds some of them is found out by this ledger.
    pub accesses: u64,
}

/// The keys of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Buckets that got a key, with the commitment to it.
    pub opened: Vec<(Bucket, [u8; 32])>,
    /// Keys that were destroyed.
    pub destroyed: Vec<KeyDestroyed>,
    /// How many are live: those opened less those destroyed, over all reports so far.
    pub live: u32,
    /// How many buckets of the window have a key that is damaged or lost.
    pub unreadable: u32,
}

/// Where the keys were overwritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// What it is worth.
    pub class: ErasureClass,
    /// The file system and the devices below it, from which the class was read.
    pub stack: Line,
    /// Is the keyring on the device of the database?
    pub same_device: Told,
}

/// How records were unlinked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlinking {
    /// Table files that are gone.
    pub files_removed: u64,
    /// How many times a MANIFEST was written without what is gone.
    pub manifests_rolled: u64,
    /// When the oldest write-ahead log was begun.
    pub wal_oldest: Option<Timestamp>,
}

/// The report of a period, which begins where the one before ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its number, from 0 and without a gap; the index in the ledger.
    pub sequence: u64,
    /// Why the period ended.
    pub kind: Kind,
    /// The beginning of the period.
    pub from: Timestamp,
    /// Its end; not before its beginning.
    pub to: Timestamp,
    /// The store's id.
    pub system: [u8; 16],
    /// The version of the software.
    pub software: Line,
    /// [`policy_digest`].
    pub policy: [u8; 32],
    /// The terms at the end of the period.
    pub terms: Terms,
    /// The clock.
    pub clock: ClockStanding,
    /// The runs.
    pub runs: Runs,
    /// What was taken in, and what else is on record.
    pub standing: Standing,
    /// Up to where everything that goes with the window was destroyed, and that was verified; `None` before the first such run.
    pub cutoff: Option<Timestamp>,
    /// By class.
    pub classes: PerClass<ClassReport>,
    /// The index rows by subscriber.
    pub listings: ClassReport,
    /// The keys.
    pub keys: Keys,
    /// Where keys were overwritten.
    pub erasure: Erasure,
    /// How records were unlinked.
    pub unlinking: Unlinking,
    /// What was verified, in the order of [`Check::ALL`].
    pub checks: [Outcome; 10],
    /// What was out of the ordinary, in the order in which it came up.
    pub exceptions: Vec<Exception>,
    /// How many exceptions had no room.
    pub left_out: u64,
}

impl Report {
    /// The terms that bound what was destroyed in the period. Where the policy changed in it, the greater of old and new count.
    pub fn bounding_terms(&self) -> Terms {
        let mut terms = self.terms;
        for exception in &self.exceptions {
            if let Exception::PolicyChanged { setting, old, .. } = exception {
                let value = terms.value_mut(*setting);
                *value = (*value).max(*old);
            }
        }
        terms
    }

    /// The greatest age that a record may have reached when it is unlinked: window, interval and [`SLACK`] of
    /// [`Report::bounding_terms`].
    pub fn unlink_bound(&self) -> Duration {
        let terms = self.bounding_terms();
        sum(sum(terms.window, terms.purge_interval), SLACK)
    }

    /// The same for the first instant of a bucket whose key is destroyed: one bucket more.
    pub fn key_bound(&self) -> Duration {
        sum(self.unlink_bound(), self.terms.bucket.duration())
    }

    /// The bound of a class; `None` where each thing has its own expiry.
    pub fn bound_of(&self, counted: Counted) -> Option<Duration> {
        counted.goes_with_the_window().then(|| self.unlink_bound())
    }

    /// The greatest age that the first instant of a bucket had reached when its key was destroyed; `None` if none was.
    pub fn key_max_age(&self) -> Option<Duration> {
        let age = |key: &KeyDestroyed| key.at.since(self.terms.bucket.start_of(key.bucket));
        self.keys.destroyed.iter().map(age).max()
    }

    /// What was counted, under its name, in the order of the format.
    pub fn counted(&self) -> impl Iterator<Item = (Counted, &ClassReport)> {
        Counted::ALL.iter().map(|counted| match counted.class() {
            Some(class) => (*counted, self.classes.of(class)),
            None => (*counted, &self.listings),
        })
    }

    /// What a check came to.
    pub fn outcome(&self, check: Check) -> Outcome {
        let mut all = Check::ALL.iter().zip(self.checks);
        all.find(|(of, _)| **of == check).map_or(Outcome::NotMade, |(_, outcome)| outcome)
    }

    /// What it all comes to: never [`Verdict::Clean`] if a check failed or was not made, anything remained, fewer rows were dropped
    /// than counted, a run was late or failed, or an age exceeds its bound.
    pub fn verdict(&self) -> Verdict {
        if self.has_failed() {
            Verdict::Failed
        } else if self.is_ordinary() {
            Verdict::Clean
        } else {
            Verdict::Exceptions
        }
    }

    /// May there be more exceptions of a kind than are listed?
    pub fn may_leave_out(&self, name: &str) -> bool {
        let listed = self.exceptions.iter().filter(|exception| exception.name() == name).count();
        self.left_out > 0 && listed >= EXCEPTIONS_OF_A_KIND
    }

    fn has_failed(&self) -> bool {
        let destroyed = !self.keys.destroyed.is_empty();
        let ran = self.runs.count > 0;
        let unverified = Check::ALL.iter().any(|check| match (self.outcome(*check), check) {
            (Outcome::Passed, _) => false,
            (Outcome::Failed, _) => true,
            // Some file systems do not tell where a file lies. The keys' lines say so.
            (Outcome::NotMade, Check::ExtentsUnchanged) => false,
            (Outcome::NotMade, Check::ReadBack) => destroyed,
            (Outcome::NotMade, _) => ran,
        });
        unverified
            || self.runs.last == LastRun::Failed
            || self.counted().any(|(_, class)| class.remaining > 0 || class.filtered < class.scanned)
            || !self.keys.destroyed.iter().all(KeyDestroyed::is_proven)
            || self.exceptions.iter().any(Exception::is_a_breach)
    }

    fn is_ordinary(&self) -> bool {
        let Runs { count, late, failed, .. } = self.runs;
        let too_old = |(counted, class): (Counted, &ClassReport)| {
            self.bound_of(counted).is_some_and(|bound| class.max_age > Some(bound))
        };
        // A purge that hangs has no late run to show for it yet.
        let idle = count == 0 && self.to.since(self.from) > self.terms.between_runs();
        let punctual = late == 0 && failed == 0 && !idle;
        let in_bounds = !self.counted().any(too_old) && self.key_max_age() <= Some(self.key_bound());
        punctual && in_bounds && self.keys.unreadable == 0 && self.exceptions.is_empty() && self.left_out == 0
    }
}

/// The sum, in milliseconds that an entry can state.
fn sum(one: Duration, other: Duration) -> Duration {
    Duration::from_millis(millis_of(one).saturating_add(millis_of(other)))
}
