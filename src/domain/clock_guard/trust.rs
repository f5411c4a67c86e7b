//! What is remembered of the machine's clocks, from one look to the next and from one start to the next.

use super::reading::Reading;
use crate::domain::time::Timestamp;

/// What is remembered of a clock that was trusted. It is kept on disk, and never written in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// What later readings of the same boot are measured against. It is taken anew at most once an hour, so that many
    /// small steps add up to a large one.
    pub anchor: Reading,
    /// The newest reading that was trusted; of the same boot as the anchor.
    pub last: Reading,
    /// The latest wall time that was ever trusted. What it hid stays hidden, also after the clock was set back.
    pub highest: Timestamp,
}

impl Trust {
    /// Trust that begins with this reading.
    pub fn from(reading: Reading) -> Self {
        Self { anchor: reading, last: reading, highest: reading.wall }
    }
}
