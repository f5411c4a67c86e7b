//! A record: one statement about one instant, as it is stored.
//!
//! What a record can hold is the whole of what Lapsed can know. There is no place in it for traffic counters, the
//! called station, routes, names of hosts or pages, and none for an instant older than its own.

use std::time::Duration;

use super::address::{Network, Ports, Realm};
use super::identity::{Line, NasId, SessionTag, SourceName, SubscriberId};
use super::nat::Inside;
use super::time::Timestamp;

/// A statement at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The instant it speaks of, and the only one.
    pub at: Timestamp,
    /// What it says.
    pub kind: Kind,
    /// What it is said of.
    pub subject: Subject,
    /// Which configured source delivered it.
    pub source: SourceName,
    /// The NAS, relay or server that said it.
    pub nas: NasId,
    /// The session, or the line where the source names no session.
    pub session: SessionTag,
    /// The subscriber, if the statement names one, or [`Self::named_earlier`] its session.
    pub subscriber: Option<SubscriberId>,
    /// Where the session entered the network.
    pub line: Line,
    /// How `at` came about.
    pub quality: TimeQuality,
    /// How much later than `at` the statement arrived.
    pub receive_delay: Duration,
    /// When the lease runs out, for sources that say so. Later than `at`.
    pub lease_end: Option<Timestamp>,
    /// Why the session ended (RFC 2866, section 5.10).
    pub terminate_cause: Option<u32>,
    /// What a NAT translates to the ports that this is about, if it names no subscriber: who had that, had the ports.
    pub inside: Option<Inside>,
    /// The statement did not tell the subscriber, or `inside`: its session had, and settling filled it in.
    pub named_earlier: bool,
}

/// What a record is about; together with the instant it decides where the record is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An address or prefix, or some ports of one.
    Assignment {
        /// Which of several equal address spaces.
        realm: Realm,
        /// The address or prefix.
        network: Network,
        /// The ports of it.
        ports: Ports,
    },
    /// A session as a whole: the marker that every stop leaves, for a stop often names no address.
    Session,
    /// A NAS as a whole: the marker of a reset.
    Nas,
    /// A subscriber without an address: a logon.
    Subscriber,
}

/// What a record says. The number is the one on disk, and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The session began to hold the address.
    Start = 1,
    /// The session still holds it.
    Update = 2,
    /// The session no longer holds it.
    Stop = 3,
    /// A modem logged on; no address is named.
    Logon = 4,
    /// Marker: the session ended, whatever it held.
    SessionEnd = 5,
    /// Marker: the NAS lost all sessions.
    Reset = 6,
    /// Candidate: a stop's session length says that the session began here.
    InferredStart = 7,
    /// Derived: an open session that was silent still holds the address.
    Carry = 8,
    /// Derived: an open session is taken as ended, by its successor, a reset or too long a silence.
    Lapsed = 9,
    /// An update whose start was lost.
    First = 10,
    /// An update that speaks again after its session had lapsed.
    Resumed = 11,
    /// A stop of a session that was not open.
    Lone = 12,
    /// An update that means nothing, after its own session's stop.
    Void = 13,
    /// Nobody whom this NAS or server knows of holds the address any more.
    Vacated = 14,
    /// Derived: the lease ran out and was not renewed.
    LeaseEnd = 15,
    /// A derived statement that no longer follows.
    Withdrawn = 16,
}

impl Kind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Self; 16] = [
        Self::Start,
        Self::Update,
        Self::Stop,
        Self::Logon,
        Self::SessionEnd,
        Self::Reset,
        Self::InferredStart,
        Self::Carry,
        Self::Lapsed,
        Self::First,
        Self::Resumed,
        Self::Lone,
        Self::Void,
        Self::Vacated,
        Self::LeaseEnd,
        Self::Withdrawn,
    ];

    /// The number on disk.
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number on disk; `None` if this version knows none.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// How the instant of a record was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TimeQuality {
    /// The source's own time stamp.
    Stamped = 1,
    /// No stamp: the time of arrival less the delay the source gave.
    Delayed = 2,
    /// No stamp and no usable delay: the time of arrival.
    Received = 3,
    /// The stamp lay in the future: the time of arrival. An answer that rests on it says `source-clock`.
    SourceClockAhead = 4,
}

impl TimeQuality {
    /// The number on disk.
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The quality of a number on disk; `None` if this version knows none.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Stamped, Self::Delayed, Self::Received, Self::SourceClockAhead]
            .into_iter()
            .find(|quality| quality.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_without_a_gap_and_read_back() {
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(kind.number()), index + 1);
            assert_eq!(Kind::from_number(kind.number()), Some(kind));
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_number(17), None);
    }
}
