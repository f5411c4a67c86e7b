//! What was out of the ordinary: one typed line each, without free text.

use std::fmt;
use std::time::Duration;

use crate::domain::clock_guard::BREACH;
use crate::domain::time::{Bucket, Timestamp};

use super::run::{Counted, Failure};
use crate::canonical::{ParseError, Words};
use crate::canonical::{Word, named};

/// Doubt about the clock that lasts this long is a breach.
pub const LONGEST_DOUBT: Duration = BREACH;

named! {
    /// Why a scan and a filter counted differently.
    pub enum Explanation {
        /// A crash repeated a compaction, so rows were dropped twice over.
        RepeatedCompaction = "repeated-compaction",
        /// Rows were counted that the filter did not drop: that is a failure.
        Unexplained = "unexplained",
    }
}

named! {
    /// Why the wall clock is in doubt.
    pub enum DoubtReason {
        /// It went further than the time since boot.
        JumpedForward = "jumped-forward",
        /// It was set back, or stands still.
        WentBack = "went-back",
        /// After a restart of the machine it is behind the last instant in trust.
        BehindLastTrusted = "behind-last-trusted",
        /// It shows a time before the program was written.
        BeforeThisProgram = "before-this-program",
    }
}

named! {
    /// What ended a doubt about the clock.
    pub enum DoubtEnd {
        /// The wall clock agrees again with the time since boot.
        Agreed = "agreed",
        /// The kernel's clock was synchronised.
        Kernel = "kernel",
        /// The event times of the sources agree.
        Sources = "sources",
        /// Somebody accepted the clock as it is.
        Accepted = "accepted",
    }
}

named! {
    /// A setting of the policy.
    pub enum Setting {
        /// For how long a record is readable.
        Window = "window",
        /// How often expired records are destroyed.
        PurgeInterval = "purge-interval",
    }
}

/// Something out of the ordinary. Who did it is a pseudonym: a keyed hash, as in the access ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// A run began too long after the one before it.
    LateRun {
        /// When it began.
        at: Timestamp,
        /// How much too late.
        late: Duration,
    },
    /// A step of a run failed.
    FailedRun {
        /// When the run began.
        at: Timestamp,
        /// What failed.
        failure: Failure,
    },
    /// A scan and the filter counted differently.
    CountsDiffer {
        /// When the run began.
        at: Timestamp,
        /// What was counted.
        counted: Counted,
        /// By the scan.
        scanned: u64,
        /// By the filter.
        filtered: u64,
        /// Why.
        explanation: Explanation,
    },
    /// The clock came into doubt.
    ClockDoubtBegun {
        /// When, by the clock in doubt.
        at: Timestamp,
        /// Why.
        reason: DoubtReason,
        /// How far it is off.
        by: Duration,
    },
    /// The clock moved again while it was in doubt.
    ClockDoubtMoved {
        /// When, by the clock in doubt.
        at: Timestamp,
        /// Why it is in doubt now.
        reason: DoubtReason,
        /// How far it is off.
        by: Duration,
    },
    /// The clock has been in doubt for over an hour, or was until now.
    ClockDoubtLasted {
        /// When.
        at: Timestamp,
        /// For how long, by the time since boot.
        lasted: Duration,
    },
    /// The doubt ended.
    ClockDoubtEnded {
        /// When.
        at: Timestamp,
        /// By what.
        by: DoubtEnd,
    },
    /// Somebody accepted the clock as it is.
    ClockDoubtAccepted {
        /// When.
        at: Timestamp,
        /// Who.
        who: [u8; 8],
    },
    /// What was remembered of the clock in trust could not be read, so nothing was held against it.
    ClockForgotten {
        /// When it was found.
        at: Timestamp,
    },
    /// The policy changed. Belongs to the period in which what the change made due is destroyed: there the longer window bounds
    /// the ages.
    PolicyChanged {
        /// When.
        at: Timestamp,
        /// Which setting.
        setting: Setting,
        /// From what.
        old: Duration,
        /// To what.
        new: Duration,
        /// Who; `None` if it was changed in the configuration.
        who: Option<[u8; 8]>,
    },
    /// The keyring was missing or its header damaged: what it opened cannot be read any more.
    KeyringLost {
        /// When it was found.
        at: Timestamp,
    },
    /// A bucket's key is damaged or lost.
    KeyUnreadable {
        /// When it was found.
        at: Timestamp,
        /// The bucket.
        bucket: Bucket,
    },
    /// `lapsed sweep` destroyed keys while the daemon was away.
    Swept {
        /// When.
        at: Timestamp,
        /// How many.
        keys: u32,
    },
    /// The store was put back from a copy.
    Restored {
        /// When it was found.
        at: Timestamp,
    },
}

impl Exception {
    /// The name of its kind.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LateRun { .. } => "late-run",
            Self::FailedRun { .. } => "failed-run",
            Self::CountsDiffer { .. } => "counts-differ",
            Self::ClockDoubtBegun { .. } => "clock-doubt-begun",
            Self::ClockDoubtMoved { .. } => "clock-doubt-moved",
            Self::ClockDoubtLasted { .. } => "clock-doubt-lasted",
            Self::ClockDoubtEnded { .. } => "clock-doubt-ended",
            Self::ClockDoubtAccepted { .. } => "clock-doubt-accepted",
            Self::ClockForgotten { .. } => "clock-forgotten",
            Self::PolicyChanged { .. } => "policy-changed",
            Self::KeyringLost { .. } => "keyring-lost",
            Self::KeyUnreadable { .. } => "key-unreadable",
            Self::Swept { .. } => "swept",
            Self::Restored { .. } => "restored",
        }
    }

    /// When it was.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::LateRun { at, .. }
            | Self::FailedRun { at, .. }
            | Self::CountsDiffer { at, .. }
            | Self::ClockDoubtBegun { at, .. }
            | Self::ClockDoubtMoved { at, .. }
            | Self::ClockDoubtLasted { at, .. }
            | Self::ClockDoubtEnded { at, .. }
            | Self::ClockDoubtAccepted { at, .. }
            | Self::PolicyChanged { at, .. }
            | Self::ClockForgotten { at }
            | Self::KeyringLost { at }
            | Self::KeyUnreadable { at, .. }
            | Self::Swept { at, .. }
            | Self::Restored { at } => *at,
        }
    }

    /// Does it alone make a report a failed one?
    pub fn is_a_breach(&self) -> bool {
        match self {
            Self::CountsDiffer { explanation, .. } => *explanation == Explanation::Unexplained,
            Self::ClockDoubtLasted { lasted, .. } => *lasted >= LONGEST_DOUBT,
            Self::LateRun { .. }
            | Self::FailedRun { .. }
            | Self::ClockDoubtBegun { .. }
            | Self::ClockDoubtMoved { .. }
            | Self::ClockForgotten { .. }
            | Self::ClockDoubtEnded { .. }
            | Self::ClockDoubtAccepted { .. }
            | Self::PolicyChanged { .. }
            | Self::KeyringLost { .. }
            | Self::KeyUnreadable { .. }
            | Self::Swept { .. }
            | Self::Restored { .. } => false,
        }
    }

    /// What follows the instant.
    fn details(&self) -> Vec<String> {
        match self {
            Self::LateRun { late, .. } => vec![late.word()],
            Self::FailedRun { failure, .. } => vec![failure.step.word(), failure.reason.word()],
            Self::CountsDiffer { counted, scanned, filtered, explanation, .. } => {
                vec![counted.word(), scanned.word(), filtered.word(), explanation.word()]
            }
            Self::ClockDoubtBegun { reason, by, .. } | Self::ClockDoubtMoved { reason, by, .. } => {
                vec![reason.word(), by.word()]
            }
            Self::ClockDoubtLasted { lasted, .. } => vec![lasted.word()],
            Self::ClockDoubtEnded { by, .. } => vec![by.word()],
            Self::ClockDoubtAccepted { who, .. } => vec![who.word()],
            Self::PolicyChanged { setting, old, new, who, .. } => {
                vec![setting.word(), old.word(), new.word(), who.word()]
            }
            Self::KeyUnreadable { bucket, .. } => vec![bucket.word()],
            Self::Swept { keys, .. } => vec![keys.word()],
            Self::ClockForgotten { .. } | Self::KeyringLost { .. } | Self::Restored { .. } => Vec::new(),
        }
    }

    /// Reads what [`fmt::Display`] writes.
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, ParseError> {
        let name = words.text("an exception")?;
        let at: Timestamp = words.next("an instant")?;
        let exception = match name {
            "late-run" => Self::LateRun { at, late: words.next("milliseconds")? },
            "failed-run" => {
                let failure = Failure { step: words.next("a step")?, reason: words.next("a reason")? };
                Self::FailedRun { at, failure }
            }
            "counts-differ" => Self::CountsDiffer {
                at,
                counted: words.next("a class")?,
                scanned: words.next("a count")?,
                filtered: words.next("a count")?,
                explanation: words.next("an explanation")?,
            },
            "clock-doubt-begun" => {
                Self::ClockDoubtBegun { at, reason: words.next("a reason")?, by: words.next("milliseconds")? }
            }
            "clock-doubt-moved" => {
                Self::ClockDoubtMoved { at, reason: words.next("a reason")?, by: words.next("milliseconds")? }
            }
            "clock-forgotten" => Self::ClockForgotten { at },
            "clock-doubt-lasted" => Self::ClockDoubtLasted { at, lasted: words.next("milliseconds")? },
            "clock-doubt-ended" => Self::ClockDoubtEnded { at, by: words.next("what ended it")? },
            "clock-doubt-accepted" => Self::ClockDoubtAccepted { at, who: words.next("a pseudonym")? },
            "policy-changed" => Self::PolicyChanged {
                at,
                setting: words.next("a setting")?,
                old: words.next("milliseconds")?,
                new: words.next("milliseconds")?,
                who: words.next("a pseudonym or none")?,
            },
            "keyring-lost" => Self::KeyringLost { at },
            "key-unreadable" => Self::KeyUnreadable { at, bucket: words.next("a bucket")? },
            "swept" => Self::Swept { at, keys: words.next("a count")? },
            "restored" => Self::Restored { at },
            _ => return Err(words.wrong("an exception")),
        };
        words.end()?;
        Ok(exception)
    }
}

/// Its words in an entry: name, instant, details.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.at())?;
        self.details().iter().try_for_each(|word| write!(f, " {word}"))
    }
}
