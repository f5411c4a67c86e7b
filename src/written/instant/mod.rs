//! A time as a paper writes it, to one instant.
//!
//! [`read`] takes RFC 3339 and ISO 8601 with an offset, also with a blank for the `T`; what mail, Apache and `date` print;
//! counts of seconds or milliseconds since 1970; and these:
//!
//! - `2026-11-21 21:03:22 UTC`, `2026-11-21 14:03:22 America/Denver`
//! - `11/21/2026 9:03:22 PM MST`, `21/11/2026 21:03:22 UTC`
//! - `21 Nov 2026 21:03:22 +0000`, `Nov 21, 2026 9:03 PM EST`
//!
//! It refuses years of two digits and times without a zone, and it does not choose: where month and day, the half of the
//! day, an abbreviation or the hour in which clocks are put back leave a choice, it lists the readings. Typing errors in
//! the year are not its business: they show only beside the dates of the paper.

mod abbreviation;
mod clock;
mod date;
mod epoch;
mod error;
mod note;
mod reading;
#[cfg(test)]
mod tests;
mod zone;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use super::scan::{Scan, shown};
use crate::domain::{rfc3339, time::Timestamp};
use clock::Clock;
pub use clock::Half;
use date::Date;
pub use error::InstantError;
pub use note::Note;
pub use reading::Reading;
pub use zone::{Meaning, Zone};

/// No time is longer, in bytes.
const LONGEST: usize = 128;

/// The version of the IANA time zone database that names of zones are looked up in, e.g. `2025b`.
pub const ZONES_VERSION: &str = chrono_tz::IANA_TZDB_VERSION;

/// The form in which a time was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// RFC 3339, section 5.6.
    Rfc3339,
    /// Year, month and day as numbers, otherwise.
    YearFirst,
    /// The month's number, the day, the year, as in the United States; also where month and day are the same number.
    MonthFirst,
    /// The day, the month's number, the year.
    DayFirst,
    /// The month by its name.
    MonthName,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc3339 => "RFC 3339",
            Self::YearFirst => "the year first",
            Self::MonthFirst => "the month first",
            Self::DayFirst => "the day first",
            Self::MonthName => "the month by its name",
            Self::EpochSeconds => "seconds since 1970",
            Self::EpochMilliseconds => "milliseconds since 1970",
        })
    }
}

/// How finely a time was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// To the millisecond, or a tenth or hundredth of the second.
    Millisecond,
    /// To the second.
    Second,
    /// To the minute: no seconds were written.
    Minute,
}

impl Precision {
    /// How long the time lasts that the text stands for.
    pub const fn duration(self) -> Duration {
        match self {
            Self::Millisecond => Duration::from_millis(1),
            Self::Second => Duration::from_secs(1),
            Self::Minute => Duration::from_secs(60),
        }
    }
}

/// A time that was read, with what was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instant {
    /// The text as it was written.
    pub raw: String,
    /// The first millisecond that it stands for.
    pub at: Timestamp,
    /// The same instant as clocks of the zone show it.
    pub local: DateTime<FixedOffset>,
    /// The zone in which it was read.
    pub zone: Zone,
    /// The form in which it was written.
    pub form: Form,
    /// How finely it was written.
    pub precision: Precision,
    /// What should be shown beside it.
    pub notes: Vec<Note>,
}

impl Instant {
    /// The first instant that the text no longer stands for: a time without seconds lasts a minute.
    pub fn until(&self) -> Timestamp {
        self.at.plus(self.precision.duration())
    }
}

/// The text, UTC, and local time with its weekday: ``` `11/21/2026 2:03:22 PM MST` is 2026-11-21T21:03:22.000Z,
/// Saturday ...```
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (raw, at, zone) = (shown(&self.raw), self.at, self.zone);
        write!(f, "`{raw}` is {at}, {} in local time ({zone})", self.local.format("%A %Y-%m-%d %H:%M:%S%.f %:z"))
    }
}

/// Reads a time; `beside` is a zone that stands beside it, such as in a column of its own.
///
/// All zones that are named must agree on an instant. One that leaves a choice is decided by another that does not:
/// `CST` beside `-06:00` is that of North America.
///
/// # Errors
///
/// If the text is no time, names none that was, or can be read in more than one way.
pub fn read(text: &str, beside: Option<&str>) -> Result<Instant, InstantError> {
    let raw = text.to_owned();
    let text = text.trim();
    let beside = beside.map(str::trim).filter(|beside| !beside.is_empty());
    if text.is_empty() {
        return Err(InstantError::Empty);
    }
    if let Some(long) = [Some(text), beside].into_iter().flatten().find(|text| text.len() > LONGEST) {
        return Err(InstantError::TooLong { text: shown(long) });
    }
    if let Some(found) = epoch::read(text) {
        let mut instant = found?;
        instant.raw = raw;
        instant.notes.extend(beside.map(|zone| Note::ZoneUnused { zone: shown(zone) }));
        return Ok(instant);
    }
    let mut scan = Scan::new(text);
    let mut date = Date::take(&mut scan)?;
    separate(&mut scan, &date)?;
    let clock = Clock::take(&mut scan, date.is_compact)?;
    let mut rest = scan.rest().trim_start();
    if date.wants_year() {
        let (head, year) = rest.rsplit_once(char::is_whitespace).unwrap_or(("", rest));
        if year.is_empty() || !year.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InstantError::NoDate { at: shown(text) });
        }
        date.set_year(year);
        rest = head;
    }
    // What is wrong with the date or the clock comes before what is wrong with the zone.
    let days = date.days()?;
    for (form, _) in &days {
        clock.times(*form)?;
    }
    let zones = zones(rest, beside)?;
    let mut notes = clock.notes();
    if rest.trim().is_empty() {
        notes.push(Note::ZoneBeside);
    }
    let reading = reading::only(&reading::all(&days, &clock, &zones)?)?;
    notes.extend(reading.zone.note(reading.local));
    let form = if rfc3339::parse(text).is_ok() { Form::Rfc3339 } else { reading.form };
    Ok(Instant {
        raw,
        at: reading.at()?,
        local: reading.local,
        zone: reading.zone,
        form,
        precision: clock.precision(),
        notes,
    })
}

/// Takes what stands between a date and a time of day.
fn separate(scan: &mut Scan<'_>, date: &Date<'_>) -> Result<(), InstantError> {
    let before = scan.rest();
    if before.trim().is_empty() {
        return Err(InstantError::NoTime);
    }
    if date.is_year_first() && scan.one_of(&['T', 't']).is_some() {
        return Ok(());
    }
    // Apache writes `21/Nov/2026:21:03:22`.
    scan.one_of(&[',', ':']);
    scan.blanks();
    if scan.word("at") {
        scan.blanks();
    }
    if scan.rest().len() == before.len() {
        return Err(InstantError::TimeShape { at: shown(before) });
    }
    if !scan.at_digit() && zone::words(scan.rest()).next().is_some_and(|word| zone::read(word).is_ok()) {
        return Err(InstantError::NoTime);
    }
    Ok(())
}

/// The zones in the text and beside it, each word with everything it may mean.
fn zones<'t>(inside: &'t str, beside: Option<&'t str>) -> Result<Vec<(&'t str, Vec<Zone>)>, InstantError> {
    let mut zones = Vec::new();
    for word in zone::words(inside) {
        match zone::read(word) {
            Ok(meanings) => zones.push((word, meanings)),
            Err(InstantError::UnknownZone { zone }) if !zones.is_empty() => {
                return Err(InstantError::Trailing { at: zone });
            }
            Err(error) => return Err(error),
        }
    }
    for word in beside.into_iter().flat_map(zone::words) {
        zones.push((word, zone::read(word)?));
    }
    if zones.is_empty() { Err(InstantError::NoZone) } else { Ok(zones) }
}
