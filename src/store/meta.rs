//! The family `meta`: what the store knows about itself. No personal data.
//!
//! | key | value |
//! |---|---|
//! | `format` | u32: the number of the format |
//! | `store-id` | 16 bytes: the same as in the keyring |
//! | `prefix-len/` family (1) length (1) | empty: records with this prefix length may exist |
//! | `heard/` name of a source | u64: when it was last heard, in milliseconds |
//! | `number/` name | u64: a number of the daemon's |
//!
//! Numbers are big endian.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::{Column, Engine, EngineError, Write};
use crate::domain::address::Family;
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;

const FORMAT: &[u8] = b"format";
const STORE_ID: &[u8] = b"store-id";
const PREFIX_LEN: &[u8] = b"prefix-len/";
const HEARD: &[u8] = b"heard/";
const NUMBER: &[u8] = b"number/";

/// A number that the daemon keeps from one start to the next. Whoever needs another adds it here, so that this list is all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Number {
    /// How many lines of the tokens file have their ledger entry.
    TokensRecorded,
}

impl Number {
    const fn name(self) -> &'static str {
        match self {
            Self::TokensRecorded => "tokens-recorded",
        }
    }
}

const BAD_ROW: EngineError = EngineError::BadRow("meta");

fn row(parts: [&[u8]; 2], value: Vec<u8>) -> Write {
    Write { column: Column::Meta, key: parts.concat(), value }
}

/// What makes an empty database a store.
pub(super) fn identity_rows(store_id: &[u8; 16]) -> [Write; 2] {
    [row([FORMAT, b""], super::FORMAT.to_be_bytes().to_vec()), row([STORE_ID, b""], store_id.to_vec())]
}

pub(super) fn prefix_len_row(family: Family, len: u8) -> Write {
    row([PREFIX_LEN, &[family.number(), len]], Vec::new())
}

pub(super) fn heard_row(source: &SourceName, at: Timestamp) -> Write {
    row([HEARD, source.0.as_bytes()], at.millis().to_be_bytes().to_vec())
}

pub(super) fn number_row(number: Number, value: u64) -> Write {
    row([NUMBER, number.name().as_bytes()], value.to_be_bytes().to_vec())
}

/// The number of the format; `None` if this is no store.
pub(super) fn format(engine: &Engine) -> Result<Option<u32>, EngineError> {
    Ok(engine.value(Column::Meta, FORMAT)?.as_deref().and_then(format_of))
}

/// The number of the format in the bytes under `format`.
pub(super) fn format_of(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// The key that [`format_of`] belongs to.
pub(super) const fn format_key() -> &'static [u8] {
    FORMAT
}

pub(super) fn store_id(engine: &Engine) -> Result<Option<[u8; 16]>, EngineError> {
    Ok(engine.value(Column::Meta, STORE_ID)?.and_then(|bytes| bytes.try_into().ok()))
}

pub(super) fn prefix_lens(engine: &Engine) -> Result<BTreeSet<(Family, u8)>, EngineError> {
    let read = |key: &[u8]| match key.strip_prefix(PREFIX_LEN)? {
        [1, len] => Some((Family::V4, *len)),
        [2, len] => Some((Family::V6, *len)),
        _ => None,
    };
    let rows = engine.scan(Column::Meta, PREFIX_LEN, PREFIX_LEN, usize::MAX)?;
    rows.iter().map(|(key, _)| read(key).ok_or(BAD_ROW)).collect()
}

pub(super) fn heard(engine: &Engine) -> Result<BTreeMap<SourceName, Timestamp>, EngineError> {
    let read = |key: &[u8], value: &[u8]| {
        let name = String::from_utf8(key.strip_prefix(HEARD)?.to_vec()).ok()?;
        Some((SourceName(name), Timestamp::from_millis(number_of(value)?)))
    };
    let rows = engine.scan(Column::Meta, HEARD, HEARD, usize::MAX)?;
    rows.iter().map(|(key, value)| read(key, value).ok_or(BAD_ROW)).collect()
}

pub(super) fn number(engine: &Engine, number: Number) -> Result<Option<u64>, EngineError> {
    let key = [NUMBER, number.name().as_bytes()].concat();
    engine.value(Column::Meta, &key)?.map(|value| number_of(&value).ok_or(BAD_ROW)).transpose()
}

fn number_of(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}
