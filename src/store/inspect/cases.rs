//! The keys of requests, captures and holds: is one of them there beyond its expiry? Their table has the expiry in clear.

use std::fs;
use std::path::Path;

use super::finding::{Finding, Incomplete, Kind};
use crate::domain::time::Timestamp;

const NAME: &str = "case-keys";
/// Where the table begins, and how long an entry of it is.
const TABLE: usize = 4096;
const ENTRY: usize = 64;
const ENTRIES: usize = 16_384;
/// State of an entry with a live key.
const LIVE: u8 = 1;

/// The keys that expired before `limit`, as one finding; none if the file lies elsewhere.
pub(super) fn overdue(dir: &Path, limit: Timestamp) -> Result<Option<Finding>, Incomplete> {
    let path = dir.join(NAME);
    if !path.exists() {
        return Ok(None);
    }
    let bytes =
        fs::read(&path).map_err(|error| Incomplete::Unreadable { place: NAME.to_owned(), kind: error.kind() })?;
    let table = bytes.get(TABLE..).unwrap_or_default().chunks(ENTRY).take(ENTRIES);
    let expiries = (0_u64..).zip(table).filter_map(|(slot, entry)| Some((slot, expiry(entry)?)));
    let overdue: Vec<(u64, Timestamp)> = expiries.filter(|(_, expires)| *expires < limit).collect();
    let first = overdue.first().map(|(slot, _)| slot.saturating_mul(64).saturating_add(4096));
    Ok(first.map(|offset| Finding {
        kind: Kind::OverdueCase,
        place: NAME.to_owned(),
        count: u64::try_from(overdue.len()).unwrap_or(u64::MAX),
        offset: Some(offset),
        oldest: overdue.iter().map(|(_, expires)| *expires).min(),
    }))
}

/// When a live key expires.
fn expiry(entry: &[u8]) -> Option<Timestamp> {
    let (state, rest) = entry.split_first_chunk::<2>()?;
    let (expires, _) = rest.split_first_chunk::<8>()?;
    let [state, _] = *state;
    (state == LIVE).then(|| Timestamp::from_millis(u64::from_be_bytes(*expires)))
}
