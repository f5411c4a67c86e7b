//! What is noted of sources in buckets: rows `heard-in/` of `meta`. No personal data, and forgotten with the bucket all the same.
//!
//! Value: troubles u16, one bit each, as [`Trouble`](crate::domain::coverage::Trouble) numbers them; then, if the source was
//! heard, the first and the last instant it spoke of, each a u64: milliseconds after the bucket's start.

use std::time::Duration;

use super::meta::{self, BAD_ROW};
use crate::domain::coverage::{Mark, Troubles, Whose};
use crate::domain::identity::SourceName;
use crate::domain::time::{Bucket, millis_of};
use crate::store::engine::{Column, Engine, EngineError, Forget, Write};

const HEARD_IN: &[u8] = b"heard-in/";

/// How many rows one commit forgets at most. What is left over waits for the next run of the purge.
const FORGET_AT_ONCE: usize = 4096;

pub(in crate::store) fn row(bucket: Bucket, whose: &Whose, mark: Mark) -> Write {
    let name = whose.as_ref().map_or(&[][..], |source| source.0.as_bytes());
    let key = [&bucket.0.to_be_bytes()[..], name].concat();
    let mut value = mark.troubles.bits().to_be_bytes().to_vec();
    if let Some((first, last)) = mark.heard {
        value.extend([first, last].map(|offset| millis_of(offset).to_be_bytes()).concat());
    }
    meta::row([HEARD_IN, &key], value)
}

/// All marks, in the order of their buckets.
pub(in crate::store) fn read(engine: &Engine) -> Result<Vec<(Bucket, Whose, Mark)>, EngineError> {
    let rows = engine.scan(Column::Meta, HEARD_IN, HEARD_IN, usize::MAX)?;
    rows.iter().map(|(key, value)| mark_of(key, value).ok_or(BAD_ROW)).collect()
}

/// The rows of the buckets before this one.
pub(in crate::store) fn keys_before(engine: &Engine, first: Bucket) -> Result<Vec<Forget>, EngineError> {
    let rows = engine.scan(Column::Meta, HEARD_IN, HEARD_IN, FORGET_AT_ONCE)?;
    let keys = rows.into_iter().map(|(key, _)| key);
    let past = keys.take_while(|key| bucket_of(key).is_some_and(|(bucket, _)| bucket < first));
    Ok(past.map(|key| Forget { column: Column::Meta, key }).collect())
}

fn bucket_of(key: &[u8]) -> Option<(Bucket, &[u8])> {
    let (bucket, name) = key.strip_prefix(HEARD_IN)?.split_first_chunk()?;
    Some((Bucket(u32::from_be_bytes(*bucket)), name))
}

fn mark_of(key: &[u8], value: &[u8]) -> Option<(Bucket, Whose, Mark)> {
    let (bucket, name) = bucket_of(key)?;
    let name = String::from_utf8(name.to_vec()).ok()?;
    let (troubles, heard) = value.split_first_chunk()?;
    let heard = match heard.split_first_chunk() {
        None if heard.is_empty() => None,
        None => return None,
        Some((first, last)) => Some((offset(*first), offset(last.try_into().ok()?))),
    };
    let troubles = Troubles::from_bits(u16::from_be_bytes(*troubles));
    Some((bucket, (!name.is_empty()).then_some(SourceName(name)), Mark { heard, troubles }))
}

fn offset(millis: [u8; 8]) -> Duration {
    Duration::from_millis(u64::from_be_bytes(millis))
}
