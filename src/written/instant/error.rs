//! Why a text is not one instant.

use chrono::{NaiveDateTime, Weekday};

use super::Reading;

/// Why a text is not one instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Nothing was written.
    #[error("there is no time: write it as 2026-11-21T14:03:22-07:00")]
    Empty,
    /// No time is as long.
    #[error("this is longer than any time: `{text}`")]
    TooLong {
        /// How it begins.
        text: String,
    },
    /// A year of two digits may be a day, and its century is anybody's guess.
    #[error("the year `{year}` has two digits: write all four")]
    TwoDigitYear {
        /// As written.
        year: String,
    },
    /// The text does not begin with a date of a known form.
    #[error("a date was expected at `{at}`: write it first, as 2026-11-21, 21 Nov 2026 or Nov 21, 2026")]
    NoDate {
        /// The text from there on.
        at: String,
    },
    /// No calendar has this day.
    #[error("there is no day `{date}`")]
    NoSuchDay {
        /// As written.
        date: String,
    },
    /// The day of the week belongs to another date, so one of the two is a mistake.
    #[error("it says {written}, and that day is a {is}: one of the two is wrong")]
    WrongWeekday {
        /// As written.
        written: Weekday,
        /// As the calendar has it.
        is: Weekday,
    },
    /// A day is a day's worth of suspects.
    #[error("it has a date and no time of day: write both, as 2026-11-21 14:03:22 -07:00")]
    NoTime,
    /// What follows the date has no known form.
    #[error("a time of day was expected at `{at}`: write it as 14:03:22 or 2:03:22 PM")]
    TimeShape {
        /// The text from there on.
        at: String,
    },
    /// An hour is too long to ask about.
    #[error("`{at}` has no minutes: write the time as 9:03 PM or 9:03:22 PM")]
    NoMinutes {
        /// As written.
        at: String,
    },
    /// No clock shows this.
    #[error("no clock shows `{time}`")]
    NoSuchTime {
        /// As written.
        time: String,
    },
    /// AM and PM count to 12.
    #[error("hour {hour} does not go with AM or PM: write it without, or with an hour from 1 to 12")]
    NotTwelveHours {
        /// As written.
        hour: u32,
    },
    /// ISO 8601 has had it, and RFC 3339 does not.
    #[error("24:00 is not taken: write 00:00 of the following day, if that is what is meant")]
    EndOfDay,
    /// Not every clock has leap seconds, and none of ours.
    #[error("second 60 is a leap second, which no clock here has: write second 59, or the next minute")]
    LeapSecond,
    /// A time without a zone may be any of 26 hours.
    #[error("it has no zone: end it with Z, an offset such as -07:00, or a name such as America/Denver")]
    NoZone,
    /// This is no zone that we know.
    #[error("`{zone}` is no zone known here: write an offset such as -07:00, or a name such as America/Denver")]
    UnknownZone {
        /// As written.
        zone: String,
    },
    /// In the names of the IANA database, `Etc/GMT+7` lies west of Greenwich, and most who write it mean the other
    /// side.
    #[error("the sign of `{zone}` means the opposite of what it seems to: write an offset such as -07:00")]
    InvertedZone {
        /// As written.
        zone: String,
    },
    /// No place on earth is that far from UTC.
    #[error("the offset `{offset}` is not between -12:00 and +14:00")]
    OffsetRange {
        /// As written.
        offset: String,
    },
    /// Two zones are given, and no instant agrees with both.
    #[error("the zones `{first}` and `{second}` contradict each other")]
    ZonesDisagree {
        /// The first, as written.
        first: String,
        /// The other one, as written.
        second: String,
    },
    /// The clocks of the zone were put forward and never showed this time.
    #[error("in {zone} the clocks went from {from} to {until} and never showed this time")]
    Gap {
        /// The zone's name.
        zone: &'static str,
        /// The first local time that was left out.
        from: NaiveDateTime,
        /// The first that was shown again.
        until: NaiveDateTime,
    },
    /// Something follows that belongs to no time.
    #[error("`{at}` does not belong to a time: take it off")]
    Trailing {
        /// The text from there on.
        at: String,
    },
    /// A number alone is a count since 1970, in seconds or in milliseconds.
    #[error("a number of {digits} digits is no time: seconds since 1970 have 10, milliseconds 13")]
    EpochDigits {
        /// How many there are.
        digits: usize,
    },
    /// Nothing was assigned then.
    #[error("it lies before 1970")]
    TooEarly,
    /// It can be read in more than one way, and only its author knows which is meant.
    #[error("it can be read in {} ways: find out which is meant, and write that{}", readings.len(), listed(readings))]
    Ambiguous {
        /// Each way, at least two, the earliest first.
        readings: Vec<Reading>,
    },
}

/// The readings, a line each.
fn listed(readings: &[Reading]) -> String {
    readings.iter().map(|reading| format!("\n  {reading}")).collect()
}
