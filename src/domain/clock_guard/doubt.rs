//! A doubt: why, since when, and what speaks against it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::reading::{Reading, Step};
use crate::domain::actor::Role;
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;

/// How far a source's stamp may be from the wall clock that it speaks for.
const AGREEMENT: Duration = Duration::from_secs(300);
/// For how long a clock must have run before anything speaks for it: one that stands still is right for a moment only.
const PROBATION: Duration = Duration::from_secs(1);

/// Why a wall clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It went further than CLOCK_BOOTTIME did.
    JumpedForward,
    /// It was set back, or it stands still.
    WentBack,
    /// After a restart of the machine it is behind the last instant that was trusted.
    BehindLastTrusted,
    /// It shows a time before this program was written.
    BeforeThisProgram,
}

impl Reason {
    /// The name in the API and in ledger entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JumpedForward => "jumped-forward",
            Self::WentBack => "went-back",
            Self::BehindLastTrusted => "behind-last-trusted",
            Self::BeforeThisProgram => "before-this-program",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What ended a doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The wall clock agreed again with the trusted one and CLOCK_BOOTTIME; or it is the first that can be right.
    Agreed,
    /// The kernel says that its clock is synchronised.
    Kernel,
    /// The event stamps of all live sources agree with it.
    Sources,
    /// People accepted it.
    Accepted,
}

impl End {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Kernel => "kernel",
            Self::Sources => "sources",
            Self::Accepted => "accepted",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an acceptance does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// There is nothing to accept.
    #[error("the clock is not in doubt")]
    NoDoubt,
    /// The clock has moved again since it was looked at.
    #[error("the clock has moved since: look at it again")]
    OtherDoubt,
    /// Nobody can make this right by accepting it.
    #[error("the clock shows a time before this program was written: set it first")]
    Impossible,
    /// The second acceptance must be another person's.
    #[error("the same person accepted it in another role: another person must")]
    SamePerson,
    /// An acceptance by this role is not asked for.
    #[error("no acceptance by role {0} is asked for")]
    NotAsked(Role),
}

/// What a source has said since the doubt began.
#[derive(Clone, Copy, Debug)]
struct Said {
    newest: Timestamp,
    agrees: bool,
}

/// A wall clock in doubt.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// Counts the doubts of a guard from 1, and goes up when the clock moves again: what was said of the clock before is
    /// not said of it now.
    pub number: u64,
    /// Why.
    pub reason: Reason,
    /// The reading with which it began.
    pub began: Reading,
    /// How far the wall clock is from where it should be.
    pub step: Step,
    /// The reading since which the wall clock has moved with CLOCK_BOOTTIME. Only what was said since then is said of it.
    since: Reading,
    sources: BTreeMap<SourceName, Said>,
    accepted: Vec<Role>,
    /// A clock that is ahead by more than this is accepted by two.
    pub(super) carry: Duration,
    /// Of the two marks of [`super::LONG`] and [`super::BREACH`], those that are past.
    pub(super) marks: usize,
}

impl Doubt {
    pub(super) fn new(number: u64, reason: Reason, reading: Reading, step: Step, carry: Duration) -> Self {
        Self {
            number,
            reason,
            began: reading,
            step,
            since: reading,
            sources: BTreeMap::new(),
            accepted: Vec::new(),
            carry,
            marks: 0,
        }
    }

    /// For how long it has lasted, by CLOCK_BOOTTIME.
    pub fn age(&self, reading: &Reading) -> Duration {
        reading.elapsed_since(&self.began)
    }

    /// The roles whose acceptance would end it and has not come. A clock that is far ahead destroys what it should not, and
    /// one person is not enough to accept it; one that is behind destroys nothing.
    pub fn needs(&self) -> Vec<Role> {
        let far_ahead = matches!(self.step, Step::Ahead(by) if by > self.carry);
        let asked = [Role::Operator].into_iter().chain(far_ahead.then_some(Role::Approver));
        asked.filter(|role| !self.accepted.contains(role)).collect()
    }

    /// How many sources have been heard since the clock last moved, and how many of them agree with it.
    pub fn sources(&self) -> (usize, usize) {
        (self.sources.len(), self.sources.values().filter(|said| said.agrees).count())
    }

    /// A further move makes it another clock: what spoke for the earlier one is forgotten.
    pub(super) fn moved(&mut self, reason: Reason, reading: Reading, step: Step) {
        self.number = self.number.saturating_add(1);
        self.reason = reason;
        self.since = reading;
        self.step = step;
        self.sources.clear();
        self.accepted.clear();
    }

    /// Has the wall clock moved by more than this against CLOCK_BOOTTIME since it was last looked at from here?
    pub(super) fn has_moved(&self, reading: &Reading, max_step: Duration) -> bool {
        reading.step_since(&self.since).size() > max_step
    }

    /// A statement of this source, stamped so, came in at `wall`. The same stamp sent again says nothing new.
    pub(super) fn hear(&mut self, source: &SourceName, stamp: Timestamp, wall: Timestamp) {
        let said = Said { newest: stamp, agrees: stamp.distance(wall) <= AGREEMENT };
        if self.sources.get(source).is_none_or(|earlier| earlier.newest < stamp) {
            self.sources.insert(source.clone(), said);
        }
    }

    /// Is there a source, and do all agree?
    pub(super) fn sources_agree(&self) -> bool {
        !self.sources.is_empty() && self.sources.values().all(|said| said.agrees)
    }

    /// Does the wall clock run? One that stands still agrees with everybody for a moment.
    pub(super) fn runs(&self, reading: &Reading) -> bool {
        let elapsed = reading.elapsed_since(&self.since);
        elapsed >= PROBATION && reading.wall.since(self.since.wall).saturating_mul(2) >= elapsed
    }

    /// May this role accept the clock as it was in doubt number `number`?
    pub(super) fn check(&self, number: u64, role: Role) -> Result<(), NotAccepted> {
        if self.reason == Reason::BeforeThisProgram {
            Err(NotAccepted::Impossible)
        } else if self.number != number {
            Err(NotAccepted::OtherDoubt)
        } else if self.needs().contains(&role) {
            Ok(())
        } else {
            Err(NotAccepted::NotAsked(role))
        }
    }

    /// Takes down an acceptance; says whether it was the last that was asked for.
    pub(super) fn accept(&mut self, role: Role) -> bool {
        self.accepted.push(role);
        self.needs().is_empty()
    }
}
