//! What a reader should know about how a time was read.

use std::fmt;

use chrono::FixedOffset;

use super::clock::Half;

/// Something that was taken for granted, or left aside, when a time was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// No seconds were written, so that any of the minute may be meant.
    NoSeconds,
    /// The fraction of the second was finer than milliseconds, and the rest was cut off.
    CutToMilliseconds {
        /// How many digits it had.
        digits: usize,
    },
    /// Twelve o'clock with AM or PM, which many mistake for the other one.
    Twelve {
        /// As written.
        half: Half,
    },
    /// The hour has one digit, as on a clock of 12 hours, and neither AM nor PM.
    NoHalf,
    /// The offset `-00:00`: the time is in UTC, and where it was written is not known (RFC 3339, section 4.3).
    NoLocalOffset,
    /// The zone stood beside the time and not in it.
    ZoneBeside,
    /// A zone stood beside a count since 1970, which needs none.
    ZoneUnused {
        /// As written.
        zone: String,
    },
    /// Clocks there showed another abbreviation on that day. `EST` in July is more often a mistake than meant.
    OutOfSeason {
        /// As written.
        written: &'static str,
        /// The zone of the IANA database that was looked at.
        place: &'static str,
        /// What the clocks there showed.
        shown: String,
        /// Their distance from UTC.
        offset: FixedOffset,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSeconds => f.write_str("no seconds were written: it stands for the whole minute"),
            Self::CutToMilliseconds { digits } => {
                write!(f, "of {digits} digits behind the second, three were taken")
            }
            Self::Twelve { half: Half::Am } => {
                f.write_str("12 AM was read as the hour after midnight, when the day begins")
            }
            Self::Twelve { half: Half::Pm } => f.write_str("12 PM was read as the hour after noon"),
            Self::NoHalf => f.write_str("there is neither AM nor PM: the hour was read on a clock of 24 hours"),
            Self::NoLocalOffset => f.write_str("-00:00 was read as UTC, from an unknown place"),
            Self::ZoneBeside => f.write_str("the zone stood beside the time and not in it"),
            Self::ZoneUnused { zone } => {
                write!(f, "a number is counted from 1970 in UTC: the zone `{zone}` beside it was not used")
            }
            Self::OutOfSeason { written, place, shown, offset } => {
                write!(f, "{written} was read as written, but on that day clocks showed {shown} ({offset}) in {place}")
            }
        }
    }
}
