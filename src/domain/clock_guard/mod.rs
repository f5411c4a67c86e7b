//! The clock guard: is the wall clock to be believed? Pure; it is told what the clocks show.
//!
//! Everything here is decided by wall time, and wall time can be set: by a person, a bad time server, a flat battery, a
//! restored machine. A clock that jumps forward would destroy what is not due, one that jumps back disclose what is
//! hidden. So each reading is measured against CLOCK_BOOTTIME, which nobody can set, since an earlier reading that was
//! trusted. What does not fit is in doubt, and in doubt nothing is acknowledged, disclosed or destroyed.
//!
//! Doubt is no way to keep data either: [`ClockGuard::overdue_cutoff`] says what CLOCK_BOOTTIME alone proves to be past.
//!
//! What it cannot see: a clock that is wrong when the machine starts and ahead of the last trusted instant looks like a
//! long power-off; and a virtual machine that is paused stops both clocks.

mod doubt;
mod event;
mod reading;
#[cfg(test)]
mod tests;
mod trust;

use std::time::Duration;

use super::actor::Role;
use super::identity::SourceName;
use super::time::{Cutoff, Timestamp};

pub use doubt::{Doubt, End, NotAccepted, Reason};
pub use event::{ClockEvent, ClockEventKind};
pub use reading::{BadBootId, BootId, Reading, Step, Synchronised};
pub use trust::Trust;

/// A doubt that is older is an exception in the purge report.
pub const LONG: Duration = Duration::from_secs(3600);
/// A doubt that is older is a breach of the promise.
pub const BREACH: Duration = Duration::from_secs(6 * 3600);
/// Where CLOCK_BOOTTIME alone decides, a bucket is destroyed this much later than it would be otherwise.
pub const OVERDUE: Duration = Duration::from_secs(3600);

/// How long an anchor is kept at least.
const ANCHORED: Duration = Duration::from_secs(3600);
/// 2026-01-01T00:00:00Z. This program is younger, so a clock that shows less is wrong.
const EARLIEST: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// What is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How far the wall clock may move against CLOCK_BOOTTIME before it is in doubt.
    pub max_step: Duration,
    /// A clock that is ahead by more than this is accepted by two.
    pub carry_interval: Duration,
}

/// What an observation changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The clock is in doubt from now on.
    Began(Reason, Step),
    /// It moved again while it was in doubt.
    Moved(Reason, Step),
    /// The doubt is older than [`LONG`].
    Long,
    /// The doubt is older than [`BREACH`].
    Breach,
    /// The clock is trusted again.
    Ended(End),
}

/// What became of an acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The clock is trusted again.
    Trusted,
    /// Others must accept it too.
    NeedsAlso(Vec<Role>),
}

/// Watches a wall clock.
#[derive(Clone, Debug)]
pub struct ClockGuard {
    rules: Rules,
    trust: Option<Trust>,
    doubt: Option<Doubt>,
    /// How many doubts there were.
    doubts: u64,
}

impl ClockGuard {
    /// A guard that knows what was trusted last, if anything was, and has seen nothing since.
    pub fn new(rules: Rules, trust: Option<Trust>) -> Self {
        Self { rules, trust, doubt: None, doubts: 0 }
    }

    /// Another carry-interval is in force, also for a doubt that has begun.
    pub fn set_carry_interval(&mut self, carry_interval: Duration) {
        self.rules.carry_interval = carry_interval;
        if let Some(doubt) = &mut self.doubt {
            doubt.carry = carry_interval;
        }
    }

    /// Takes a reading. The first decides how the guard begins. Returns what changed, in order; most often nothing.
    pub fn observe(&mut self, reading: Reading) -> Vec<Change> {
        let judged = self.judge(&reading);
        let Some(doubt) = &mut self.doubt else {
            return match judged {
                Ok(()) => {
                    self.trusted(reading);
                    Vec::new()
                }
                Err((reason, step)) => vec![self.begin(reason, reading, step)],
            };
        };
        let mut changes = Vec::new();
        let marks = [(LONG, Change::Long), (BREACH, Change::Breach)];
        for (_, change) in marks.into_iter().skip(doubt.marks).take_while(|(mark, _)| doubt.age(&reading) > *mark) {
            changes.push(change);
        }
        doubt.marks = doubt.marks.saturating_add(changes.len());
        // After a restart of the machine there is nothing that the clock could agree with again: what it shows now is as
        // good as what it showed before, and somebody else has to speak for it.
        let comparable = self.trust.is_none_or(|trust| trust.last.boot == reading.boot);
        if comparable && judged.is_ok() {
            changes.push(self.end(reading, End::Agreed));
            return changes;
        }
        let moved = doubt.has_moved(&reading, self.rules.max_step);
        let (reason, step) = judged.err().unwrap_or((doubt.reason, doubt.step));
        let (reason, step) = self.another(reason, step, &reading);
        if moved {
            changes.extend(self.doubt.as_mut().map(|doubt| {
                doubt.moved(reason, reading, step);
                self.doubts = doubt.number;
                Change::Moved(reason, step)
            }));
        }
        if let Some(doubt) = &mut self.doubt {
            doubt.step = step;
        }
        if self.doubt.as_ref().is_some_and(Doubt::sources_agree) && self.may_be_right(&reading) {
            changes.push(self.end(reading, End::Sources));
        }
        changes
    }

    /// The kernel says whether it keeps the clock that this reading is of, which was taken before the kernel was asked.
    ///
    /// Whoever sets the clock takes the kernel's mark away, so a mark that is there after a jump was made after it.
    pub fn kernel_says(&mut self, reading: Reading, synchronised: Synchronised) -> Option<Change> {
        (synchronised == Synchronised::Yes && self.may_be_right(&reading)).then(|| self.end(reading, End::Kernel))
    }

    /// A source that authenticated sent a statement stamped so; it need not have been acknowledged. Only in doubt does it
    /// matter.
    pub fn hear(&mut self, source: &SourceName, stamp: Timestamp, reading: Reading) -> Option<Change> {
        let doubt = self.doubt.as_mut()?;
        doubt.hear(source, stamp, reading.wall);
        let enough = doubt.sources_agree();
        (enough && self.may_be_right(&reading)).then(|| self.end(reading, End::Sources))
    }

    /// Would an acceptance count? Then of which doubt.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check_accept(&self, number: u64, role: Role) -> Result<&Doubt, NotAccepted> {
        let doubt = self.doubt.as_ref().ok_or(NotAccepted::NoDoubt)?;
        doubt.check(number, role).map(|()| doubt)
    }

    /// Someone in this role accepts the clock as it was in doubt `number`. One principal has one role, so two roles are two
    /// principals; that they are two people, the caller has made sure.
    ///
    /// # Errors
    ///
    /// Why it does not count.
    pub fn accept(
        &mut self,
        reading: Reading,
        number: u64,
        role: Role,
    ) -> Result<(Accepted, Option<Change>), NotAccepted> {
        self.check_accept(number, role)?;
        let doubt = self.doubt.as_mut().ok_or(NotAccepted::NoDoubt)?;
        if doubt.accept(role) {
            let change = self.end(reading, End::Accepted);
            return Ok((Accepted::Trusted, Some(change)));
        }
        Ok((Accepted::NeedsAlso(doubt.needs()), None))
    }

    /// The doubt, if there is one.
    pub fn doubt(&self) -> Option<&Doubt> {
        self.doubt.as_ref()
    }

    /// What is to be remembered on disk; `None` in doubt, and before the first reading.
    pub fn to_remember(&self) -> Option<&Trust> {
        self.trust.as_ref().filter(|_| self.doubt.is_none())
    }

    /// The published cutoff: it follows the wall clock while that is trusted and goes forward, and never moves back.
    pub fn cutoff(&self, window: Duration) -> Cutoff {
        Cutoff::of(self.trust.map_or(Timestamp::EPOCH, |trust| trust.highest), window)
    }

    /// How far the wall clock has moved against CLOCK_BOOTTIME since the anchor, in this boot.
    pub fn offset(&self, reading: &Reading) -> Option<Step> {
        let trust = self.trust.filter(|trust| trust.last.boot == reading.boot)?;
        Some(reading.step_since(&trust.anchor))
    }

    /// What time it is at least, by the last trusted instant and CLOCK_BOOTTIME alone. Within the same boot that is
    /// exact; after a restart of the machine the time that it was off is missing. `None` if nothing was ever trusted.
    pub fn estimate(&self, reading: &Reading) -> Option<Timestamp> {
        self.trust.map(|trust| least(&trust, reading))
    }

    /// In doubt: the cutoff below which everything is destroyed anyway, [`OVERDUE`] later than in trust.
    pub fn overdue_cutoff(&self, reading: &Reading, window: Duration) -> Option<Cutoff> {
        self.doubt.as_ref()?;
        Some(Cutoff::of(self.estimate(reading)?.minus(OVERDUE), window))
    }

    /// The cutoff below which keys are to be destroyed, in doubt or not; `None` in doubt where nothing was ever trusted.
    pub fn due_cutoff(&self, reading: &Reading, window: Duration) -> Option<Cutoff> {
        if self.doubt.is_some() { self.overdue_cutoff(reading, window) } else { Some(self.cutoff(window)) }
    }

    fn judge(&self, reading: &Reading) -> Result<(), (Reason, Step)> {
        let expected = self.trust.map(|trust| least(&trust, reading));
        if reading.wall < EARLIEST {
            return Err((Reason::BeforeThisProgram, Step::between(expected.unwrap_or(EARLIEST), reading.wall)));
        }
        let (Some(trust), Some(expected)) = (self.trust, expected) else { return Ok(()) };
        if trust.last.boot != reading.boot {
            return match Step::between(expected, reading.wall) {
                step @ Step::Behind(by) if by > self.rules.max_step => Err((Reason::BehindLastTrusted, step)),
                Step::Behind(_) | Step::Ahead(_) => Ok(()),
            };
        }
        // Against the last reading for one large step, against the anchor for many small ones.
        let steps = [&trust.last, &trust.anchor].map(|before| reading.step_since(before));
        match steps.into_iter().max_by_key(|step| step.size()) {
            Some(step @ Step::Ahead(by)) if by > self.rules.max_step => Err((Reason::JumpedForward, step)),
            Some(step @ Step::Behind(by)) if by > self.rules.max_step => Err((Reason::WentBack, step)),
            Some(Step::Ahead(_) | Step::Behind(_)) | None => Ok(()),
        }
    }

    /// Why a clock that moved while it was in doubt is in doubt now, where nothing but the doubt speaks against it.
    fn another(&self, reason: Reason, step: Step, reading: &Reading) -> (Reason, Step) {
        match self.estimate(reading).map(|expected| Step::between(expected, reading.wall)) {
            Some(step @ Step::Ahead(_)) => (Reason::JumpedForward, step),
            Some(Step::Behind(_)) | None => (reason, step),
        }
    }

    /// Can the clock be right, if someone says so?
    fn may_be_right(&self, reading: &Reading) -> bool {
        reading.wall >= EARLIEST && self.doubt.as_ref().is_some_and(|doubt| doubt.runs(reading))
    }

    fn begin(&mut self, reason: Reason, reading: Reading, step: Step) -> Change {
        self.doubts = self.doubts.saturating_add(1);
        self.doubt = Some(Doubt::new(self.doubts, reason, reading, step, self.rules.carry_interval));
        Change::Began(reason, step)
    }

    fn end(&mut self, reading: Reading, end: End) -> Change {
        self.doubt = None;
        let highest = self.trust.map_or(reading.wall, |trust| trust.highest.max(reading.wall));
        self.trust = Some(Trust { highest, ..Trust::from(reading) });
        Change::Ended(end)
    }

    fn trusted(&mut self, reading: Reading) {
        let Some(trust) = &mut self.trust else {
            self.trust = Some(Trust::from(reading));
            return;
        };
        if trust.anchor.boot != reading.boot || reading.elapsed_since(&trust.anchor) >= ANCHORED {
            trust.anchor = reading;
        }
        trust.last = reading;
        trust.highest = trust.highest.max(reading.wall);
    }
}

/// The time that must have come at a reading, if the trust was right.
fn least(trust: &Trust, reading: &Reading) -> Timestamp {
    if trust.last.boot == reading.boot {
        trust.last.wall.plus(reading.elapsed_since(&trust.last))
    } else {
        // The trust is from before this start of the machine, so all of the time since is time after it.
        trust.last.wall.plus(reading.since_boot)
    }
}
