//! The date at the beginning of a time, with a weekday or without.

use chrono::{Datelike, NaiveDate, Weekday};

use super::super::scan::{Scan, shown};
use super::{Form, InstantError};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "monday"),
    (Weekday::Tue, "tuesday"),
    (Weekday::Wed, "wednesday"),
    (Weekday::Thu, "thursday"),
    (Weekday::Fri, "friday"),
    (Weekday::Sat, "saturday"),
    (Weekday::Sun, "sunday"),
];

/// What stands between the parts of a date.
const BETWEEN: [char; 3] = ['-', '/', '.'];

/// A date as it was written.
#[derive(Debug)]
pub(super) struct Date<'t> {
    weekday: Option<Weekday>,
    parts: Parts<'t>,
    /// The text of it, for errors.
    text: &'t str,
    /// Is it `20261121`, so that its time has no colons either?
    pub(super) is_compact: bool,
}

#[derive(Debug)]
enum Parts<'t> {
    YearFirst {
        year: &'t str,
        month: &'t str,
        day: &'t str,
    },
    /// Two numbers before the year, of which either may be the month.
    YearLast {
        first: &'t str,
        second: &'t str,
        year: &'t str,
    },
    /// A month with a name. A year of `None` stands at the end of the whole text, as in `Sat Nov 21 21:03:22 UTC 2026`.
    Named {
        month: u32,
        day: &'t str,
        year: Option<&'t str>,
    },
}

impl<'t> Date<'t> {
    /// Takes a date from the beginning.
    pub(super) fn take(scan: &mut Scan<'t>) -> Result<Self, InstantError> {
        let begin = scan.rest();
        let weekday = weekday(scan);
        let parts = parts(scan).ok_or_else(|| InstantError::NoDate { at: shown(begin) })?;
        let length = begin.len().saturating_sub(scan.rest().len());
        let text = begin.get(..length).unwrap_or(begin);
        let is_compact = text.bytes().all(|byte| byte.is_ascii_digit());
        Ok(Self { weekday, parts, text, is_compact })
    }

    /// Does the year stand at the end of the whole text?
    pub(super) const fn wants_year(&self) -> bool {
        matches!(self.parts, Parts::Named { year: None, .. })
    }

    /// Puts the year that stood at the end in its place.
    pub(super) const fn set_year(&mut self, at_end: &'t str) {
        if let Parts::Named { year, .. } = &mut self.parts {
            *year = Some(at_end);
        }
    }

    /// Does it begin with the year, so that a `T` may follow?
    pub(super) const fn is_year_first(&self) -> bool {
        matches!(self.parts, Parts::YearFirst { .. })
    }

    /// The days it may mean: one, or two if nobody can tell the month from the day. The weekday decides if there is
    /// one.
    pub(super) fn days(&self) -> Result<Vec<(Form, NaiveDate)>, InstantError> {
        let mut days = match self.parts {
            Parts::YearFirst { year, month, day } => vec![(Form::YearFirst, self.day(year, number(month), day)?)],
            Parts::Named { month, day, year } => {
                let year = year.ok_or_else(|| InstantError::NoDate { at: shown(self.text) })?;
                vec![(Form::MonthName, self.day(year, month, day)?)]
            }
            Parts::YearLast { first, second, year } => {
                let month_first = || Ok((Form::MonthFirst, self.day(year, number(first), second)?));
                let day_first = || Ok((Form::DayFirst, self.day(year, number(second), first)?));
                match (number(first) > 12, number(second) > 12) {
                    (true, _) => vec![day_first()?],
                    (false, true) => vec![month_first()?],
                    (false, false) if number(first) == number(second) => vec![month_first()?],
                    (false, false) => vec![month_first()?, day_first()?],
                }
            }
        };
        if let Some(written) = self.weekday {
            let is = days.first().map_or(written, |(_, day)| day.weekday());
            days.retain(|(_, day)| day.weekday() == written);
            if days.is_empty() {
                return Err(InstantError::WrongWeekday { written, is });
            }
        }
        Ok(days)
    }

    fn day(&self, year: &str, month: u32, day: &str) -> Result<NaiveDate, InstantError> {
        if year.len() <= 2 {
            return Err(InstantError::TwoDigitYear { year: year.to_owned() });
        }
        let found = match (year.len(), year.parse()) {
            (4, Ok(year)) => NaiveDate::from_ymd_opt(year, month, number(day)),
            _ => None,
        };
        found.ok_or_else(|| InstantError::NoSuchDay { date: shown(self.text) })
    }
}

/// A number of one or two digits; anything else is no month and no day, as 0 is none.
fn number(digits: &str) -> u32 {
    if digits.len() > 2 { 0 } else { digits.parse().unwrap_or(0) }
}

/// A weekday with what separates it from the date; nothing is taken if there is none.
fn weekday(scan: &mut Scan<'_>) -> Option<Weekday> {
    let mut ahead = *scan;
    let found = named(ahead.letters(), WEEKDAYS.iter().map(|(_, name)| *name))?;
    ahead.one_of(&[',', '.']);
    ahead.blanks();
    *scan = ahead;
    WEEKDAYS.get(found).map(|(weekday, _)| *weekday)
}

/// The place of a name among others, written out or cut after at least three letters.
fn named(word: &str, mut names: impl Iterator<Item = &'static str>) -> Option<usize> {
    let word = word.to_lowercase();
    names.position(|name| word.len() >= 3 && name.starts_with(&word))
}

fn month(word: &str) -> Option<u32> {
    named(word, MONTHS.into_iter()).and_then(|place| u32::try_from(place.saturating_add(1)).ok())
}

fn parts<'t>(scan: &mut Scan<'t>) -> Option<Parts<'t>> {
    let first = scan.digits();
    match first.len() {
        0 => month_then_day(scan),
        8 => compact(first),
        4 => {
            let between = scan.one_of(&BETWEEN)?;
            let month = some(scan.digits())?;
            scan.one_of(&[between])?;
            Some(Parts::YearFirst { year: first, month, day: some(scan.digits())? })
        }
        1 | 2 => {
            ordinal(scan);
            let between = scan.one_of(&BETWEEN);
            let blank = scan.blanks();
            if between.is_none() && !blank {
                return None;
            }
            if !scan.at_digit() {
                let month = month(scan.letters())?;
                scan.one_of(&BETWEEN);
                scan.one_of(&[',']);
                scan.blanks();
                return Some(Parts::Named { month, day: first, year: Some(some(scan.digits())?) });
            }
            let second = some(scan.digits())?;
            scan.one_of(&[between?])?;
            Some(Parts::YearLast { first, second, year: some(scan.digits())? })
        }
        _ => None,
    }
}

/// `Nov 21, 2026`, and `Nov 21` where a time of day follows at once.
fn month_then_day<'t>(scan: &mut Scan<'t>) -> Option<Parts<'t>> {
    let month = month(scan.letters())?;
    scan.one_of(&BETWEEN);
    scan.blanks();
    let day = some(scan.digits())?;
    ordinal(scan);
    let mut ahead = *scan;
    ahead.one_of(&BETWEEN);
    ahead.one_of(&[',']);
    ahead.blanks();
    let year = some(ahead.digits())?;
    if ahead.rest().starts_with(':') {
        return Some(Parts::Named { month, day, year: None });
    }
    *scan = ahead;
    Some(Parts::Named { month, day, year: Some(year) })
}

/// `20261121`.
fn compact(digits: &str) -> Option<Parts<'_>> {
    let (year, rest) = digits.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Some(Parts::YearFirst { year, month, day })
}

/// Takes what English adds to a day's number.
fn ordinal(scan: &mut Scan<'_>) {
    let mut ahead = *scan;
    let letters = ahead.letters();
    if ["st", "nd", "rd", "th"].iter().any(|ending| letters.eq_ignore_ascii_case(ending)) {
        *scan = ahead;
    }
}

fn some(digits: &str) -> Option<&str> {
    (!digits.is_empty()).then_some(digits)
}
