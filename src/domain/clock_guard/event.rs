//! What happened to a clock, for whoever reports it.

use super::{Change, End, Reason, Step};
use crate::domain::actor::Role;
use crate::domain::time::Timestamp;

/// Something that a report must mention. It names nobody: whoever accepted a clock is a pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockEvent {
    /// When: by the wall clock while it is trusted, else by the last trusted instant and CLOCK_BOOTTIME.
    pub at: Timestamp,
    /// What.
    pub kind: ClockEventKind,
    /// Whose doing it was, as a keyed hash, where it was somebody's.
    pub by: Option<[u8; 8]>,
}

/// The kinds of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockEventKind {
    /// A doubt began, and the clock was this far from where it should be.
    Began(Reason, Step),
    /// The clock moved again while it was in doubt.
    Moved(Reason, Step),
    /// A doubt is older than [`super::LONG`].
    Long,
    /// A doubt is older than [`super::BREACH`].
    Breach,
    /// Someone in this role accepted the clock, perhaps not alone.
    Accepted(Role),
    /// A doubt ended.
    Ended(End),
    /// What was remembered of the trusted clock could not be read at the start, so that nothing was held against the wall
    /// clock.
    Forgotten,
}

impl From<Change> for ClockEventKind {
    fn from(change: Change) -> Self {
        match change {
            Change::Began(reason, step) => Self::Began(reason, step),
            Change::Moved(reason, step) => Self::Moved(reason, step),
            Change::Long => Self::Long,
            Change::Breach => Self::Breach,
            Change::Ended(end) => Self::Ended(end),
        }
    }
}
