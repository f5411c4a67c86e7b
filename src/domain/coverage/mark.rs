//! What is noted of one source in one bucket, and what may have gone wrong there.

use std::fmt;
use std::time::Duration;

/// Why something that a source said may have been lost. The number is the bit on disk, and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Trouble {
    /// We were not there: stopped, asleep, in doubt about the clock, or without room.
    Away = 0,
    /// A request was left unanswered because the clock was in doubt.
    ClockInDoubt = 1,
    /// A request was left unanswered because the disk was full.
    DiskFull = 2,
    /// A request was left unanswered because the store took nothing.
    Refused = 3,
    /// The kernel dropped datagrams for want of buffer.
    KernelDrop = 4,
    /// What arrived was late: more of its time may have been on its way.
    Backlog = 5,
    /// A part of what the source wrote could not be read.
    Unread = 6,
}

impl Trouble {
    /// All of them, in the order of the bits.
    pub const ALL: [Self; 7] =
        [Self::Away, Self::ClockInDoubt, Self::DiskFull, Self::Refused, Self::KernelDrop, Self::Backlog, Self::Unread];

    /// The name in the status.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::ClockInDoubt => "clock-in-doubt",
            Self::DiskFull => "disk-full",
            Self::Refused => "refused",
            Self::KernelDrop => "kernel-drop",
            Self::Backlog => "backlog",
            Self::Unread => "unread",
        }
    }

    const fn bit(self) -> u16 {
        match self {
            Self::Away => 1,
            Self::ClockInDoubt => 1 << 1,
            Self::DiskFull => 1 << 2,
            Self::Refused => 1 << 3,
            Self::KernelDrop => 1 << 4,
            Self::Backlog => 1 << 5,
            Self::Unread => 1 << 6,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of troubles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Troubles(u16);

impl Troubles {
    /// The set with these bits. A bit that no trouble has counts as one all the same: it is from a later version.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Adds one; says whether it is new.
    pub const fn add(&mut self, trouble: Trouble) -> bool {
        let before = self.0;
        self.0 |= trouble.bit();
        self.0 != before
    }

    /// Is there none?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in either set.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that this version knows.
    pub fn iter(self) -> impl Iterator<Item = Trouble> {
        Trouble::ALL.into_iter().filter(move |trouble| self.0 & trouble.bit() != 0)
    }
}

/// What is noted of one source in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The first and the last instant of the bucket that the source spoke of, counted from the bucket's start.
    pub heard: Option<(Duration, Duration)>,
    /// What may have kept us from hearing all of it.
    pub troubles: Troubles,
}

impl Mark {
    /// Takes an instant that the source spoke of; says whether anything changed.
    pub(super) fn hear(&mut self, offset: Duration) -> bool {
        let heard = self.heard.map_or((offset, offset), |(first, last)| (first.min(offset), last.max(offset)));
        self.heard.replace(heard) != Some(heard)
    }
}
