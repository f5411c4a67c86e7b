//! The family `meta`: what the store knows about itself. No personal data.
//!
//! | key | value |
//! |---|---|
//! | `format` | u32: the number of the format |
//! | `store-id` | 16 bytes: the same as in the keyring |
//! | `prefix-len/` family (1) length (1) | empty: records with this prefix length may exist |
//! | `reset/` bucket (4) | empty: the bucket may hold a reset of a NAS |
//! | `late/` bucket (4) | empty: the bucket got a statement after it had been settled |
//! | `heard/` name of a source | u64: when it was last heard, in milliseconds |
//! | `followed/` name of a lease file | how far it was read |
//! | `heard-in/` bucket (4) name of a source, or nothing for all | what is noted of it in this bucket: see `marks` |
//! | `number/` name | u64: a number of the daemon's |
//! | `purge/keys` | what reports have said of keys |
//! | `purge/tally` | what was purged since the last report |
//!
//! Numbers are big endian.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::address::Family;
use crate::domain::identity::SourceName;
use crate::domain::time::{Bucket, Timestamp};
use crate::store::engine::{Column, Engine, EngineError, Forget, Write};

const FORMAT: &[u8] = b"format";
const STORE_ID: &[u8] = b"store-id";
const PREFIX_LEN: &[u8] = b"prefix-len/";
const HEARD: &[u8] = b"heard/";
const FOLLOWED: &[u8] = b"followed/";
const NUMBER: &[u8] = b"number/";
const KEYS_REPORTED: &[u8] = b"purge/keys";
const TALLY: &[u8] = b"purge/tally";

/// A number that the daemon keeps from one start to the next. Whoever needs another adds it here, so that this list is all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// How many lines of the tokens file have their ledger entry.
    TokensRecorded,
    /// The newest bucket whose records are settled.
    SettledThrough,
    /// The latest cutoff that was in force, in milliseconds: nothing older is read again, whatever the window becomes.
    Cutoff,
    /// When the daemon was last known to take what it is sent, in milliseconds.
    Present,
}

impl Number {
    const fn name(self) -> &'static str {
        match self {
            Self::TokensRecorded => "tokens-recorded",
            Self::SettledThrough => "settled-through",
            Self::Cutoff => "cutoff",
            Self::Present => "present",
        }
    }
}

pub(super) const BAD_ROW: EngineError = EngineError::BadRow("meta");

pub(super) fn row(parts: [&[u8]; 2], value: Vec<u8>) -> Write {
    Write { column: Column::Meta, key: parts.concat(), value }
}

/// What makes an empty database a store.
pub(in crate::store) fn identity_rows(store_id: &[u8; 16]) -> [Write; 2] {
    [row([FORMAT, b""], crate::store::FORMAT.to_be_bytes().to_vec()), row([STORE_ID, b""], store_id.to_vec())]
}

pub(in crate::store) fn prefix_len_row(family: Family, len: u8) -> Write {
    row([PREFIX_LEN, &[family.number(), len]], Vec::new())
}

/// What can be noted of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum BucketNote {
    /// It may hold a reset of a NAS.
    Reset,
    /// It got a statement after it had been settled.
    Late,
}

impl BucketNote {
    const fn start(self) -> &'static [u8] {
        match self {
            Self::Reset => b"reset/",
            Self::Late => b"late/",
        }
    }
}

pub(in crate::store) fn bucket_row(note: BucketNote, bucket: Bucket) -> Write {
    row([note.start(), &bucket.0.to_be_bytes()], Vec::new())
}

pub(in crate::store) fn forget_bucket(note: BucketNote, bucket: Bucket) -> Forget {
    Forget { column: Column::Meta, key: [note.start(), &bucket.0.to_be_bytes()].concat() }
}

pub(in crate::store) fn tally_row(bytes: Vec<u8>) -> Write {
    row([TALLY, b""], bytes)
}

pub(in crate::store) fn keys_reported_row(bytes: Vec<u8>) -> Write {
    row([KEYS_REPORTED, b""], bytes)
}

pub(in crate::store) fn keys_reported(engine: &Engine) -> Result<Option<Vec<u8>>, EngineError> {
    engine.value(Column::Meta, KEYS_REPORTED)
}

pub(in crate::store) fn tally(engine: &Engine) -> Result<Option<Vec<u8>>, EngineError> {
    engine.value(Column::Meta, TALLY)
}

pub(in crate::store) fn heard_row(source: &SourceName, at: Timestamp) -> Write {
    row([HEARD, source.0.as_bytes()], at.millis().to_be_bytes().to_vec())
}

pub(in crate::store) fn followed_row(name: &str, place: Vec<u8>) -> Write {
    row([FOLLOWED, name.as_bytes()], place)
}

pub(in crate::store) fn followed(engine: &Engine, name: &str) -> Result<Option<Vec<u8>>, EngineError> {
    engine.value(Column::Meta, &[FOLLOWED, name.as_bytes()].concat())
}

pub(in crate::store) fn number_row(number: Number, value: u64) -> Write {
    row([NUMBER, number.name().as_bytes()], value.to_be_bytes().to_vec())
}

/// The number of the format; `None` if this is no store.
pub(in crate::store) fn format(engine: &Engine) -> Result<Option<u32>, EngineError> {
    Ok(engine.value(Column::Meta, FORMAT)?.as_deref().and_then(format_of))
}

/// The number of the format in the bytes under `format`.
pub(in crate::store) fn format_of(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// The key that [`format_of`] belongs to.
pub(in crate::store) const fn format_key() -> &'static [u8] {
    FORMAT
}

pub(in crate::store) fn store_id(engine: &Engine) -> Result<Option<[u8; 16]>, EngineError> {
    Ok(engine.value(Column::Meta, STORE_ID)?.and_then(|bytes| bytes.try_into().ok()))
}

pub(in crate::store) fn prefix_lens(engine: &Engine) -> Result<BTreeSet<(Family, u8)>, EngineError> {
    let read = |key: &[u8]| match key.strip_prefix(PREFIX_LEN)? {
        [1, len] => Some((Family::V4, *len)),
        [2, len] => Some((Family::V6, *len)),
        _ => None,
    };
    let rows = engine.scan(Column::Meta, PREFIX_LEN, PREFIX_LEN, usize::MAX)?;
    rows.iter().map(|(key, _)| read(key).ok_or(BAD_ROW)).collect()
}

pub(in crate::store) fn noted_buckets(engine: &Engine, note: BucketNote) -> Result<BTreeSet<Bucket>, EngineError> {
    let start = note.start();
    let read = |key: &[u8]| Some(Bucket(u32::from_be_bytes(key.strip_prefix(start)?.try_into().ok()?)));
    let rows = engine.scan(Column::Meta, start, start, usize::MAX)?;
    rows.iter().map(|(key, _)| read(key).ok_or(BAD_ROW)).collect()
}

pub(in crate::store) fn heard(engine: &Engine) -> Result<BTreeMap<SourceName, Timestamp>, EngineError> {
    let read = |key: &[u8], value: &[u8]| {
        let name = String::from_utf8(key.strip_prefix(HEARD)?.to_vec()).ok()?;
        Some((SourceName(name), Timestamp::from_millis(number_of(value)?)))
    };
    let rows = engine.scan(Column::Meta, HEARD, HEARD, usize::MAX)?;
    rows.iter().map(|(key, value)| read(key, value).ok_or(BAD_ROW)).collect()
}

pub(in crate::store) fn number(engine: &Engine, number: Number) -> Result<Option<u64>, EngineError> {
    let key = [NUMBER, number.name().as_bytes()].concat();
    engine.value(Column::Meta, &key)?.map(|value| number_of(&value).ok_or(BAD_ROW)).transpose()
}

fn number_of(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}
