//! Zones as papers name them: UTC, an offset, a name of the IANA database, an abbreviation.

use std::fmt;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, IANA_TZDB_VERSION, OffsetName, TZ_VARIANTS, Tz};

use super::super::scan::{Scan, shown};
use super::abbreviation::MEANINGS;
use super::{InstantError, Note};

/// Names of UTC. GMT is taken for it, as by programs that print times.
const NAMES_OF_UTC: [&str; 4] = ["Z", "UTC", "GMT", "UT"];

/// The offsets that are in use on earth, in seconds: from -12:00 to +14:00.
const OFFSETS: std::ops::RangeInclusive<i32> = -43_200..=50_400;

/// One meaning of an abbreviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The abbreviation, in capital letters.
    pub short: &'static str,
    /// What it stands for.
    pub name: &'static str,
    /// Seconds east of Greenwich.
    pub offset: i32,
    /// A zone of the IANA database that shows it, at least in one season.
    pub place: Option<&'static str>,
}

/// A zone in which a time was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// UTC, under one of its names.
    Utc,
    /// A distance from UTC.
    Offset(FixedOffset),
    /// The offset `-00:00`.
    UnknownOffset,
    /// A zone of the IANA database.
    Named(Tz),
    /// An abbreviation in one of its meanings.
    Abbreviation(&'static Meaning),
}

/// What it is, and for a zone of the IANA database which version of it was asked.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc => f.write_str("UTC"),
            Self::Offset(offset) => offset.fmt(f),
            Self::UnknownOffset => f.write_str("-00:00"),
            Self::Named(zone) => write!(f, "{}, by the IANA time zone database {IANA_TZDB_VERSION}", zone.name()),
            Self::Abbreviation(meaning) => write!(f, "{}, {}", meaning.short, meaning.name),
        }
    }
}

impl Zone {
    /// The instants at which clocks of the zone show a local time: one, or two when they were put back.
    pub(super) fn instants(self, local: NaiveDateTime) -> Result<Vec<DateTime<FixedOffset>>, InstantError> {
        let found = match self {
            Self::Utc | Self::UnknownOffset => vec![local.and_utc().fixed_offset()],
            Self::Offset(offset) => offset.from_local_datetime(&local).single().into_iter().collect(),
            Self::Abbreviation(meaning) => FixedOffset::east_opt(meaning.offset)
                .and_then(|offset| offset.from_local_datetime(&local).single())
                .into_iter()
                .collect(),
            Self::Named(zone) => match zone.from_local_datetime(&local) {
                LocalResult::Single(at) => vec![at.fixed_offset()],
                LocalResult::Ambiguous(first, second) => vec![first.fixed_offset(), second.fixed_offset()],
                LocalResult::None => return Err(gap(zone, local)),
            },
        };
        if found.is_empty() { Err(InstantError::TooEarly) } else { Ok(found) }
    }

    /// What a reader should know about the zone at an instant.
    pub(super) fn note(self, at: DateTime<FixedOffset>) -> Option<Note> {
        match self {
            Self::UnknownOffset => Some(Note::NoLocalOffset),
            Self::Abbreviation(meaning) => out_of_season(meaning, at),
            Self::Utc | Self::Offset(_) | Self::Named(_) => None,
        }
    }
}

/// What clocks of the abbreviation's place showed at that instant, if it was another offset.
fn out_of_season(meaning: &Meaning, at: DateTime<FixedOffset>) -> Option<Note> {
    let zone: Tz = meaning.place?.parse().ok()?;
    let there = at.with_timezone(&zone);
    let offset = there.offset().fix();
    (offset.local_minus_utc() != meaning.offset).then(|| Note::OutOfSeason {
        written: meaning.short,
        place: zone.name(),
        shown: there.offset().abbreviation().unwrap_or("another time").to_owned(),
        offset,
    })
}

fn gap(zone: Tz, local: NaiveDateTime) -> InstantError {
    let gap = GapInfo::new(&local, &zone);
    let from = gap.as_ref().and_then(|gap| gap.begin).map_or(local, |(begin, _)| begin);
    let until = gap.and_then(|gap| gap.end).map_or(local, |end| end.naive_local());
    InstantError::Gap { zone: zone.name(), from, until }
}

/// The words of a text that names zones: `-0700 (MST)` has two, and they must agree.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace).flat_map(|word| {
        let bracket = word.char_indices().find(|(place, c)| *place > 0 && matches!(c, '(' | '['));
        let (head, tail) = word.split_at_checked(bracket.map_or(word.len(), |(place, _)| place)).unwrap_or((word, ""));
        [head.trim(), tail.trim()].into_iter().filter(|word| !word.is_empty())
    })
}

/// Everything that a word may mean as a zone, at least one.
pub(super) fn read(word: &str) -> Result<Vec<Zone>, InstantError> {
    let inside = |open, close| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let word = inside('(', ')').or(inside('[', ']')).unwrap_or(word);
    if NAMES_OF_UTC.iter().any(|name| name.eq_ignore_ascii_case(word)) {
        return Ok(vec![Zone::Utc]);
    }
    if let Some(offset) = offset(word) {
        return offset.map(|offset| vec![offset]);
    }
    let short = word.to_uppercase();
    let meanings: Vec<Zone> =
        MEANINGS.iter().filter(|meaning| meaning.short == short).map(Zone::Abbreviation).collect();
    if !meanings.is_empty() {
        return Ok(meanings);
    }
    // Names without a slash, such as `EST5EDT` or `Cuba`, are left to the past.
    let named = TZ_VARIANTS.iter().find(|zone| word.contains('/') && zone.name().eq_ignore_ascii_case(word));
    match named {
        Some(zone) if zone.name().contains(['+', '-']) && zone.name().starts_with("Etc/") => {
            Err(InstantError::InvertedZone { zone: shown(word) })
        }
        Some(zone) => Ok(vec![Zone::Named(*zone)]),
        None => Err(InstantError::UnknownZone { zone: shown(word) }),
    }
}

/// `-07:00`, `-0700`, `-07`, `UTC-7`; `None` if it looks like none.
fn offset(word: &str) -> Option<Result<Zone, InstantError>> {
    let mut scan = Scan::new(word);
    let behind_name = scan.word("UTC") || scan.word("GMT");
    let is_west = scan.one_of(&['+', '-', '\u{2212}'])? != '+';
    let first = scan.digits();
    let second = scan.one_of(&[':']).map(|_| scan.digits());
    if !scan.rest().is_empty() {
        return None;
    }
    let (hours, minutes) = match (first.len(), second) {
        (1, None) if behind_name => (first, "00"),
        (2, None) => (first, "00"),
        (4, None) => first.split_at_checked(2)?,
        (2, Some(minutes)) if minutes.len() == 2 => (first, minutes),
        (1, Some(minutes)) if behind_name && minutes.len() == 2 => (first, minutes),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = hours.saturating_mul(3600).saturating_add(minutes.saturating_mul(60));
    let seconds = if is_west { seconds.saturating_neg() } else { seconds };
    let known = FixedOffset::east_opt(seconds).filter(|_| minutes < 60 && OFFSETS.contains(&seconds));
    Some(match known {
        Some(_) if is_west && seconds == 0 => Ok(Zone::UnknownOffset),
        Some(offset) => Ok(Zone::Offset(offset)),
        None => Err(InstantError::OffsetRange { offset: shown(word) }),
    })
}
