//! The ways in which one text can be read, and the choice that nobody makes.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::super::scan::shown;
use super::clock::{Clock, Half};
use super::{Form, InstantError, Zone};
use crate::domain::time::Timestamp;

/// One way to read a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The instant, as clocks of the zone show it.
    pub local: DateTime<FixedOffset>,
    /// Which of the numbers was taken for the month.
    pub form: Form,
    /// Which half of the day was taken, if hours count to 12.
    pub half: Option<Half>,
    /// Which zone was taken.
    pub zone: Zone,
}

impl Reading {
    /// The instant.
    ///
    /// # Errors
    ///
    /// If it lies before 1970.
    pub fn at(&self) -> Result<Timestamp, InstantError> {
        Timestamp::from_utc(self.local.with_timezone(&Utc)).ok_or(InstantError::TooEarly)
    }
}

/// RFC 3339, so that it can be copied, and what was taken for what.
impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} if it is {}", self.local.format("%Y-%m-%dT%H:%M:%S%.f%:z"), self.zone)?;
        if matches!(self.form, Form::MonthFirst | Form::DayFirst) {
            write!(f, ", {}", self.form)?;
        }
        self.half.map_or(Ok(()), |half| write!(f, ", {half}"))
    }
}

/// Every reading, each instant once, the earliest first. At least one.
///
/// The first zone is the one that is read; the others say which of its meanings can be meant.
pub(super) fn all(
    days: &[(Form, NaiveDate)],
    clock: &Clock<'_>,
    zones: &[(&str, Vec<Zone>)],
) -> Result<Vec<Reading>, InstantError> {
    let Some(((first, meanings), others)) = zones.split_first() else { return Err(InstantError::NoZone) };
    let mut readings = Vec::new();
    for (form, day) in days {
        for (half, time) in clock.times(*form)? {
            for zone in meanings {
                let instants = zone.instants(day.and_time(time))?;
                readings.extend(instants.into_iter().map(|local| Reading { local, form: *form, half, zone: *zone }));
            }
        }
    }
    for (word, meanings) in others {
        let mut agreeing = Vec::new();
        for reading in readings {
            if agrees(&reading, meanings)? {
                agreeing.push(reading);
            }
        }
        if agreeing.is_empty() {
            return Err(InstantError::ZonesDisagree { first: shown(first), second: shown(word) });
        }
        readings = agreeing;
    }
    readings.sort_by_key(|reading| reading.local);
    readings.dedup_by_key(|reading| reading.local);
    Ok(readings)
}

/// Does the local time mean the same instant in one of the zones?
fn agrees(reading: &Reading, zones: &[Zone]) -> Result<bool, InstantError> {
    for zone in zones {
        if zone.instants(reading.local.naive_local())?.contains(&reading.local) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The one reading there is.
pub(super) fn only(readings: &[Reading]) -> Result<Reading, InstantError> {
    match readings {
        [reading] => Ok(*reading),
        readings => Err(InstantError::Ambiguous { readings: readings.to_vec() }),
    }
}
