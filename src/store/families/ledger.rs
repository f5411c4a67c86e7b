//! The family `ledger`: entries of the two logs under `letter (1) | index u64 big endian (8)`.
//!
//! Entries are bytes here. What they say, and how they are signed, is not the store's business.

use crate::store::engine::{Column, Engine, EngineError};

/// One of the two append-only logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Log {
    /// Every access to a record.
    Access,
    /// Every run that destroyed something.
    Purge,
}

impl Log {
    const fn letter(self) -> u8 {
        match self {
            Self::Access => b'a',
            Self::Purge => b'p',
        }
    }
}

/// The key of an entry.
pub(in crate::store) fn key(log: Log, index: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = index.to_be_bytes();
    [log.letter(), a, b, c, d, e, f, g, h]
}

fn index_of(log: Log, key: &[u8]) -> Option<u64> {
    let index = key.strip_prefix(&[log.letter()])?;
    Some(u64::from_be_bytes(index.try_into().ok()?))
}

pub(in crate::store) fn entries(
    engine: &Engine,
    log: Log,
    from: u64,
    limit: usize,
) -> Result<Vec<(u64, Vec<u8>)>, EngineError> {
    engine
        .scan(Column::Ledger, &[log.letter()], &key(log, from), limit)?
        .into_iter()
        .map(|(key, value)| Ok((index_of(log, &key).ok_or(EngineError::BadRow(Column::Ledger.name()))?, value)))
        .collect()
}

pub(in crate::store) fn next_entry(engine: &Engine, log: Log) -> Result<u64, EngineError> {
    let last = engine.last_key_to(Column::Ledger, &key(log, u64::MAX))?;
    Ok(last.and_then(|key| index_of(log, &key)).map_or(0, |index| index.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_one_log() {
        assert_eq!(key(Log::Access, 258), *b"a\0\0\0\0\0\0\x01\x02");
        assert_eq!(index_of(Log::Access, &key(Log::Access, 258)), Some(258));
        assert_eq!(index_of(Log::Purge, &key(Log::Access, 258)), None);
    }
}
