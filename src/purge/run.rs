//! What one purge run did: plain data that names no record.

use crate::domain::time::{Bucket, Cutoff, Timestamp};

use crate::canonical::named;

named! {
    /// Why a run was made.
    pub enum Trigger {
        /// The daemon has started and is not ready yet.
        Start = "start",
        /// The interval is over.
        Interval = "interval",
        /// The daemon stops.
        Stop = "stop",
        /// Somebody asked for it, or the policy changed.
        Asked = "asked",
    }
}

named! {
    /// A class of data, with its own retention.
    pub enum Class {
        /// Who had which address.
        Assignments = "assignments",
        /// Logons that name no address.
        Logons = "logons",
        /// Sealed at the filing of a request.
        Captures = "captures",
        /// Sealed under a preservation.
        Holds = "holds",
        /// Answers given.
        Answers = "answers",
    }
}

named! {
    /// What was verified by other means than those that destroy.
    pub enum Check {
        /// A range scan finds nothing older than the cutoff.
        RangeEmpty = "range-empty",
        /// No live file begins before the cutoff.
        NoFileBelowCutoff = "no-file-below-cutoff",
        /// No deletion mark keeps the key of what it deleted.
        NoTombstones = "no-tombstones",
        /// The filter dropped no fewer rows than were counted.
        CountsAgree = "counts-agree",
        /// The table files in the directory are the live ones.
        FilesAreLive = "files-are-live",
        /// There is one MANIFEST.
        OneManifest = "one-manifest",
        /// No write-ahead log is older than a bucket.
        NoOldWal = "no-old-wal",
        /// Nothing else is in the directory: no archive, no trash.
        NothingElse = "nothing-else",
        /// Every overwritten slot was read back and was as written. Made when keys are destroyed.
        ReadBack = "read-back",
        /// The file's place on the device is as before the overwriting. Made when keys are destroyed and the file system tells.
        ExtentsUnchanged = "extents-unchanged",
    }
}

impl Check {
    /// Does every run make it? The others are made only by runs that destroy keys.
    pub const fn is_made_always(self) -> bool {
        !matches!(self, Self::ReadBack | Self::ExtentsUnchanged)
    }
}

named! {
    /// How an overwritten slot was read back.
    pub enum ReadBack {
        /// From the device, past the page cache; it is as written.
        Device = "device",
        /// After the kernel was asked to forget its copy, for the file system gives no other way; it is as written.
        CacheDropped = "cache-dropped",
        /// It is not as written.
        Differs = "differs",
        /// It could not be read.
        Unread = "unread",
    }
}

named! {
    /// Where a slot lies on the device after it was overwritten.
    pub enum Extents {
        /// Where it lay before.
        Same = "same",
        /// Elsewhere: the old place may still have the key.
        Moved = "moved",
        /// The file system does not tell.
        Unknown = "unknown",
    }
}

named! {
    /// A step of a run.
    pub enum Step {
        /// Waiting until no older event is on its way.
        Barrier = "barrier",
        /// Writing out what is in memory.
        Flush = "flush",
        /// Counting what is to go.
        Count = "count",
        /// Destroying keys.
        Keys = "keys",
        /// Compacting, with the filter.
        Compact = "compact",
        /// Verifying.
        Verify = "verify",
        /// Recording the run.
        Record = "record",
        /// Looking through the directory.
        Directory = "directory",
    }
}

named! {
    /// Why a step failed.
    pub enum Reason {
        /// The disk is full.
        NoSpace = "no-space",
        /// The file system refused.
        Io = "io",
        /// The database refused.
        Database = "database",
        /// The keyring could not be written.
        Keyring = "keyring",
        /// A check found what should not be.
        CheckFailed = "check-failed",
    }
}

/// A step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub step: Step,
    /// Why.
    pub reason: Reason,
}

/// What a run did to one class of data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassRun {
    /// Rows older than the cutoff that a range scan counted before.
    pub scanned: u64,
    /// Rows that the compaction filter dropped.
    pub filtered: u64,
    /// Rows older than the cutoff that a range scan found afterwards.
    pub remaining: u64,
    /// The oldest instant of the rows that were to go; `None` if there were none.
    pub oldest: Option<Timestamp>,
}

/// One value for each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerClass<T> {
    /// Of [`Class::Assignments`].
    pub assignments: T,
    /// Of [`Class::Logons`].
    pub logons: T,
    /// Of [`Class::Captures`].
    pub captures: T,
    /// Of [`Class::Holds`].
    pub holds: T,
    /// Of [`Class::Answers`].
    pub answers: T,
}

impl<T> PerClass<T> {
    /// Another value for each, made from this one.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> PerClass<U> {
        PerClass {
            assignments: make(&self.assignments),
            logons: make(&self.logons),
            captures: make(&self.captures),
            holds: make(&self.holds),
            answers: make(&self.answers),
        }
    }

    /// The value of a class.
    pub const fn of(&self, class: Class) -> &T {
        match class {
            Class::Assignments => &self.assignments,
            Class::Logons => &self.logons,
            Class::Captures => &self.captures,
            Class::Holds => &self.holds,
            Class::Answers => &self.answers,
        }
    }

    /// The value of a class, to be changed.
    pub const fn of_mut(&mut self, class: Class) -> &mut T {
        match class {
            Class::Assignments => &mut self.assignments,
            Class::Logons => &mut self.logons,
            Class::Captures => &mut self.captures,
            Class::Holds => &mut self.holds,
            Class::Answers => &mut self.answers,
        }
    }
}

/// A key that was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDestroyed {
    /// Whose key it was.
    pub bucket: Bucket,
    /// When its overwriting was durable.
    pub at: Timestamp,
    /// How it was read back.
    pub read_back: ReadBack,
    /// Whether it was overwritten in place.
    pub extents: Extents,
}

impl KeyDestroyed {
    /// Was it read back, and in its place? If not, the key may still be somewhere.
    pub fn is_proven(&self) -> bool {
        matches!(self.read_back, ReadBack::Device | ReadBack::CacheDropped) && self.extents != Extents::Moved
    }
}

/// What one run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub began: Timestamp,
    /// When everything it unlinked was unlinked.
    pub ended: Timestamp,
    /// Why it was made.
    pub trigger: Trigger,
    /// What it destroyed: everything older.
    pub cutoff: Cutoff,
    /// By class.
    pub classes: PerClass<ClassRun>,
    /// The index rows by subscriber, which are unlinked beside the assignments they point to.
    pub listings: ClassRun,
    /// Buckets that got a key since the run before, with the commitment to it.
    pub opened: Vec<(Bucket, [u8; 32])>,
    /// Keys that were destroyed.
    pub destroyed: Vec<KeyDestroyed>,
    /// How many keys are live afterwards.
    pub live_keys: u32,
    /// Buckets of the window whose key is damaged or lost.
    pub unreadable: Vec<Bucket>,
    /// Table files that are gone.
    pub files_removed: u64,
    /// Was a MANIFEST written that has no boundary key of what is gone?
    pub manifest_rolled: bool,
    /// When the oldest write-ahead log was begun; `None` if there is none.
    pub wal_oldest: Option<Timestamp>,
    /// What was verified, and whether it held. A check that is not here was not made.
    pub checks: Vec<(Check, bool)>,
    /// The steps that failed.
    pub failures: Vec<Failure>,
}

impl Run {
    /// A run that has done nothing yet.
    pub fn begin(began: Timestamp, trigger: Trigger, cutoff: Cutoff) -> Self {
        Self {
            began,
            ended: began,
            trigger,
            cutoff,
            classes: PerClass::default(),
            listings: ClassRun::default(),
            opened: Vec::new(),
            destroyed: Vec::new(),
            live_keys: 0,
            unreadable: Vec::new(),
            files_removed: 0,
            manifest_rolled: false,
            wal_oldest: None,
            checks: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// How many expired rows of all kinds were still there at its end.
    pub fn remaining(&self) -> u64 {
        self.counted().map(|(_, class)| class.remaining).fold(0, u64::saturating_add)
    }

    /// Classes and listings with the name they have in reports, in its order.
    pub(super) fn counted(&self) -> impl Iterator<Item = (Counted, &ClassRun)> {
        Counted::ALL.iter().map(|counted| match counted.class() {
            Some(class) => (*counted, self.classes.of(class)),
            None => (*counted, &self.listings),
        })
    }

    /// Did a step or a check fail, or did anything remain that was to go?
    pub fn failed(&self) -> bool {
        let remained = self.counted().any(|(_, class)| class.remaining > 0);
        !self.failures.is_empty() || remained || self.checks.iter().any(|(_, held)| !held)
    }
}

named! {
    /// What is counted: the classes, and the index rows beside them.
    pub enum Counted {
        /// [`Class::Assignments`].
        Assignments = "assignments",
        /// [`Class::Logons`].
        Logons = "logons",
        /// [`Class::Captures`].
        Captures = "captures",
        /// [`Class::Holds`].
        Holds = "holds",
        /// [`Class::Answers`].
        Answers = "answers",
        /// The index rows by subscriber.
        Listings = "listings",
    }
}

impl Counted {
    /// The class; `None` for the index rows.
    pub const fn class(self) -> Option<Class> {
        match self {
            Self::Assignments => Some(Class::Assignments),
            Self::Logons => Some(Class::Logons),
            Self::Captures => Some(Class::Captures),
            Self::Holds => Some(Class::Holds),
            Self::Answers => Some(Class::Answers),
            Self::Listings => None,
        }
    }

    /// Does it go with the window? Captures, holds and answers have an expiry each.
    pub const fn goes_with_the_window(self) -> bool {
        matches!(self, Self::Assignments | Self::Logons | Self::Listings)
    }
}
