//! The time of day, on a clock of 24 hours or of 12.

use std::fmt;

use chrono::NaiveTime;

use super::super::scan::{Scan, shown};
use super::{Form, InstantError, Note, Precision};

/// A half of the day, as clocks of 12 hours tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Before noon.
    Am,
    /// From noon on.
    Pm,
}

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Am => "AM",
            Self::Pm => "PM",
        })
    }
}

/// A time of day as it was written.
#[derive(Debug)]
pub(super) struct Clock<'t> {
    hour: u32,
    minute: u32,
    second: Option<u32>,
    millis: u32,
    fraction: &'t str,
    half: Option<Half>,
    /// Was the hour written with one digit?
    one_digit: bool,
    text: &'t str,
}

impl<'t> Clock<'t> {
    /// Takes a time of day from the beginning; `compact` ones have no colons.
    pub(super) fn take(scan: &mut Scan<'t>, compact: bool) -> Result<Self, InstantError> {
        let begin = scan.rest();
        let shape = || InstantError::TimeShape { at: shown(begin) };
        let [hour, minute, second] =
            if compact { without_colons(scan) } else { with_colons(scan) }.ok_or_else(shape)?;
        let fraction = match second {
            Some(_) if scan.one_of(&['.', ',']).is_some() => scan.digits(),
            _ => "",
        };
        let rest = scan.rest();
        let lost_fraction = fraction.is_empty() && begin.len() > rest.len() && ends_in_point(begin, rest);
        let half = half(scan);
        let length = begin.len().saturating_sub(scan.rest().len());
        let text = begin.get(..length).unwrap_or(begin);
        let Some(minute) = minute else {
            return Err(if half.is_some() { InstantError::NoMinutes { at: shown(text) } } else { shape() });
        };
        let hour = hour.ok_or_else(shape)?;
        if lost_fraction || hour.len() > 2 || [Some(minute), second].iter().flatten().any(|part| part.len() != 2) {
            return Err(shape());
        }
        let millis = format!("{fraction:0<3.3}").parse().unwrap_or(0);
        let second = second.map(number);
        Ok(Self {
            hour: number(hour),
            minute: number(minute),
            second,
            millis,
            fraction,
            half,
            one_digit: hour.len() == 1,
            text,
        })
    }

    /// The times it may mean on a day of this form: one, or both halves of the day if month and day are written as in
    /// the United States and no half is named where one belongs.
    pub(super) fn times(&self, form: Form) -> Result<Vec<(Option<Half>, NaiveTime)>, InstantError> {
        if self.second == Some(60) {
            return Err(InstantError::LeapSecond);
        }
        if self.hour == 24 && self.minute == 0 && self.half.is_none() {
            return Err(InstantError::EndOfDay);
        }
        let has_half = (1..=12).contains(&self.hour);
        let halves = match self.half {
            Some(_) if !has_half => return Err(InstantError::NotTwelveHours { hour: self.hour }),
            Some(half) => vec![Some(half)],
            None if form == Form::MonthFirst && has_half => vec![Some(Half::Am), Some(Half::Pm)],
            None => vec![None],
        };
        halves.into_iter().map(|half| Ok((half, self.time(half)?))).collect()
    }

    fn time(&self, half: Option<Half>) -> Result<NaiveTime, InstantError> {
        let hour = match half {
            None => self.hour,
            Some(Half::Am) => self.hour.checked_rem(12).unwrap_or(0),
            Some(Half::Pm) => self.hour.checked_rem(12).unwrap_or(0).saturating_add(12),
        };
        NaiveTime::from_hms_milli_opt(hour, self.minute, self.second.unwrap_or(0), self.millis)
            .ok_or_else(|| InstantError::NoSuchTime { time: shown(self.text) })
    }

    /// How finely it was written.
    pub(super) const fn precision(&self) -> Precision {
        match self.second {
            None => Precision::Minute,
            Some(_) if self.fraction.is_empty() => Precision::Second,
            Some(_) => Precision::Millisecond,
        }
    }

    /// What a reader should know about how it was read.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if self.second.is_none() {
            notes.push(Note::NoSeconds);
        }
        if self.fraction.len() > 3 {
            notes.push(Note::CutToMilliseconds { digits: self.fraction.len() });
        }
        match self.half {
            Some(half) if self.hour == 12 => notes.push(Note::Twelve { half }),
            None if self.one_digit => notes.push(Note::NoHalf),
            _ => {}
        }
        notes
    }
}

/// Hour, minute, second as far as they are there.
type Digits<'t> = [Option<&'t str>; 3];

fn with_colons<'t>(scan: &mut Scan<'t>) -> Option<Digits<'t>> {
    let hour = Some(scan.digits()).filter(|digits| !digits.is_empty())?;
    let mut next = || scan.one_of(&[':']).map(|_| scan.digits());
    Some([Some(hour), next(), next()])
}

fn without_colons<'t>(scan: &mut Scan<'t>) -> Option<Digits<'t>> {
    let digits = scan.digits();
    if digits.len() != 4 && digits.len() != 6 {
        return None;
    }
    Some([digits.get(..2), digits.get(2..4), digits.get(4..).filter(|seconds| !seconds.is_empty())])
}

/// Takes AM or PM, with points or without; nothing is taken if there is neither.
fn half(scan: &mut Scan<'_>) -> Option<Half> {
    let mut ahead = *scan;
    ahead.blanks();
    let words = [("a.m.", Half::Am), ("p.m.", Half::Pm), ("am", Half::Am), ("pm", Half::Pm)];
    let (_, half) = words.into_iter().find(|(word, _)| ahead.word(word))?;
    if ahead.rest().starts_with(char::is_alphanumeric) {
        return None;
    }
    *scan = ahead;
    Some(half)
}

fn number(digits: &str) -> u32 {
    digits.parse().unwrap_or(u32::MAX)
}

/// Is the last thing that was taken from `begin`, of which `rest` is left, a decimal point?
fn ends_in_point(begin: &str, rest: &str) -> bool {
    let taken = begin.get(..begin.len().saturating_sub(rest.len())).unwrap_or("");
    taken.ends_with(['.', ','])
}
