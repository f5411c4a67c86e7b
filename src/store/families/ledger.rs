//! The family `ledger`: entries of the two logs under `letter (1) | index u64 big endian (8)`, and beside them the hashes that their
//! tiles are made of, under `capital letter (1) | level (1) | index u64 big endian (8)`.
//!
//! Entries are bytes here. What they say, and who signs for them, is not the store's business. A hash is kept of every
//! complete subtree whose level is a multiple of eight, as C2SP tlog-tiles has them; those between are folded from these.

use crate::ledger::merkle::{Frontier, Hash, Subtrees, folded};
use crate::ledger::tile::LEVELS;
use crate::store::engine::{Column, Engine, EngineError, Write};

/// One of the two append-only logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Log {
    /// Every access to a record.
    Access,
    /// What was destroyed: a report of each period.
    Purge,
}

impl Log {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Access, Self::Purge];

    /// The name in paths, keys and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Purge => "purge",
        }
    }

    const fn letter(self) -> u8 {
        match self {
            Self::Access => b'a',
            Self::Purge => b'p',
        }
    }
}

/// The key of an entry.
fn key(log: Log, index: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = index.to_be_bytes();
    [log.letter(), a, b, c, d, e, f, g, h]
}

/// The key of a hash.
fn hash_key(log: Log, level: u8, index: u64) -> [u8; 10] {
    let [a, b, c, d, e, f, g, h] = index.to_be_bytes();
    [log.letter().to_ascii_uppercase(), level, a, b, c, d, e, f, g, h]
}

fn index_of(log: Log, key: &[u8]) -> Option<u64> {
    let index = key.strip_prefix(&[log.letter()])?;
    Some(u64::from_be_bytes(index.try_into().ok()?))
}

/// The two trees as far as they are durable.
#[derive(Clone, Debug)]
pub(in crate::store) struct Trees {
    access: Frontier,
    purge: Frontier,
}

impl Trees {
    pub(in crate::store) fn read(engine: &Engine) -> Result<Self, EngineError> {
        let frontier = |log| {
            Frontier::read(next_entry(engine, log)?, |level, index| LogHashes::of(engine, log).hash(level, index))
        };
        Ok(Self { access: frontier(Log::Access)?, purge: frontier(Log::Purge)? })
    }

    pub(in crate::store) const fn of(&self, log: Log) -> &Frontier {
        match log {
            Log::Access => &self.access,
            Log::Purge => &self.purge,
        }
    }

    const fn of_mut(&mut self, log: Log) -> &mut Frontier {
        match log {
            Log::Access => &mut self.access,
            Log::Purge => &mut self.purge,
        }
    }

    /// Appends an entry; the rows of it and of the hashes that are kept. `None` if it is not the next one of its log.
    pub(in crate::store) fn append(&mut self, log: Log, index: u64, entry: Vec<u8>) -> Option<Vec<Write>> {
        let tree = self.of_mut(log);
        if tree.size() != index {
            return None;
        }
        let completed = tree.append(Hash::of_leaf(&entry)).into_iter();
        let row = |key: &[u8], value| Write { column: Column::Ledger, key: key.to_vec(), value };
        let hashes = completed
            .filter(|(level, _, _)| level.is_multiple_of(LEVELS))
            .map(|(level, index, hash)| row(&hash_key(log, level, index), hash.0.to_vec()));
        Some(std::iter::once(row(&key(log, index), entry)).chain(hashes).collect())
    }
}

/// The complete subtrees of a log, as far as they are durable.
pub struct LogHashes<'a> {
    engine: &'a Engine,
    log: Log,
}

impl<'a> LogHashes<'a> {
    pub(in crate::store) const fn of(engine: &'a Engine, log: Log) -> Self {
        Self { engine, log }
    }

    /// Up to `limit` hashes of a level that is a multiple of eight, from `index` on.
    pub fn hashes(&self, level: u8, index: u64, limit: usize) -> Result<Vec<Hash>, EngineError> {
        let from = hash_key(self.log, level, index);
        let (start, _) = from.split_at(2);
        let rows = self.engine.scan(Column::Ledger, start, &from, limit)?;
        let mut hashes = Vec::with_capacity(rows.len());
        for ((key, value), index) in rows.into_iter().zip(index..) {
            let value: Option<[u8; 32]> = value.try_into().ok().filter(|_| key == hash_key(self.log, level, index));
            hashes.push(Hash(value.ok_or(EngineError::BadRow(Column::Ledger.name()))?));
        }
        Ok(hashes)
    }
}

impl Subtrees for LogHashes<'_> {
    type Error = EngineError;

    fn hash(&self, level: u8, index: u64) -> Result<Hash, EngineError> {
        let missing = EngineError::BadRow(Column::Ledger.name());
        let above = level % LEVELS;
        let width = 1_usize << above;
        let first = index.checked_shl(above.into()).ok_or(missing.clone())?;
        let hashes = self.hashes(level.saturating_sub(above), first, width)?;
        if hashes.len() != width {
            return Err(missing);
        }
        folded(hashes).ok_or(missing)
    }
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

fn next_entry(engine: &Engine, log: Log) -> Result<u64, EngineError> {
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
        assert_eq!(hash_key(Log::Purge, 8, 258), *b"P\x08\0\0\0\0\0\0\x01\x02");
    }
}
