//! Counts of seconds or milliseconds since 1970.

use super::super::scan::Scan;
use super::{Form, Instant, InstantError, Note, Precision, Zone};
use crate::domain::time::Timestamp;

/// Digits of a count of seconds from 2001 to 2286, and of one of milliseconds.
const SECONDS: usize = 10;
const MILLISECONDS: usize = 13;

/// Reads a number that stands alone; `None` if the text is something else, such as a compact date with its time.
pub(super) fn read(text: &str) -> Option<Result<Instant, InstantError>> {
    let mut scan = Scan::new(text);
    let whole = scan.digits();
    let fraction = scan.one_of(&['.']).map(|_| scan.digits()).filter(|fraction| !fraction.is_empty());
    if whole.is_empty() || !scan.rest().is_empty() || text.ends_with('.') {
        return None;
    }
    let digits = whole.len();
    let (form, millis) = match (digits, fraction) {
        (SECONDS, _) => (Form::EpochSeconds, format!("{whole}{:0<3.3}", fraction.unwrap_or(""))),
        (MILLISECONDS, None) => (Form::EpochMilliseconds, whole.to_owned()),
        _ => return Some(Err(InstantError::EpochDigits { digits })),
    };
    let at = millis.parse().map_or(Timestamp::MAX, Timestamp::from_millis);
    let is_coarse = form == Form::EpochSeconds && fraction.is_none();
    let long = fraction.filter(|fraction| fraction.len() > 3);
    Some(Ok(Instant {
        raw: text.to_owned(),
        at,
        local: at.to_utc().fixed_offset(),
        zone: Zone::Utc,
        form,
        precision: if is_coarse { Precision::Second } else { Precision::Millisecond },
        notes: long.map(|fraction| Note::CutToMilliseconds { digits: fraction.len() }).into_iter().collect(),
    }))
}
