//! Is there space for a step of a purge? It is looked at before the step: one that runs out of space in the middle takes what
//! everybody else needs meanwhile, and a commit that fails for that ends the daemon.

use std::ops::RangeInclusive;

use crate::store::Store;
use crate::store::engine::{Column, EngineError};
use crate::store::rows::keys::RowKey;

/// What a flush takes besides what is in memory: indexes and filters of tables, a new log and list of files, and what RocksDB takes
/// ahead for them. Found by trying: with a quarter of a MiB, a flush failed on a disk with one and a half.
const BESIDE_TABLES: u64 = 2 << 20;

/// A table of a record family.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Table {
    keys: RangeInclusive<Vec<u8>>,
    /// Bytes of it that a rewriting may write anew: none, if all of it is hidden.
    kept: u64,
}

impl Store {
    /// Is there space for what is in memory? A flush without it would end all writing.
    pub(super) fn room_to_flush(&self) -> Result<(), EngineError> {
        let needed = self.engine.in_memory()?.saturating_add(BESIDE_TABLES);
        self.room(needed, |free, needed| EngineError::NoRoomToFlush { free, needed })
    }

    /// Is there space to rewrite what is below `end`, beside what is in memory, which goes to files with it?
    pub(super) fn room_to_rewrite(&self, end: &[u8]) -> Result<(), EngineError> {
        let beside = self.engine.in_memory()?.saturating_add(BESIDE_TABLES);
        let by_address = written_anew(self.tables(Column::ByAddress)?, end);
        let by_subscriber = written_anew(self.tables(Column::BySubscriber)?, end);
        // One family after the other: the old tables of the first are gone by then.
        self.room(beside.saturating_add(by_address.max(by_subscriber)), |free, needed| EngineError::NoRoomToRewrite {
            free,
            needed,
        })
    }

    fn room(&self, needed: u64, short: impl FnOnce(u64, u64) -> EngineError) -> Result<(), EngineError> {
        match self.free_space() {
            Ok(free) if free < needed => Err(short(free, needed)),
            // Where the file system does not say, the step will.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn tables(&self, column: Column) -> Result<Vec<Table>, EngineError> {
        let cut = self.bucket_of(self.cutoff().horizon());
        let of_column = self.engine.live_files()?.into_iter().filter(|file| file.column_family_name == column.name());
        Ok(of_column
            .map(|file| {
                let last = file.end_key.unwrap_or_default();
                let hidden = RowKey::from_bytes(&last).is_some_and(|key| key.bucket < cut);
                let bytes = u64::try_from(file.size).unwrap_or(u64::MAX);
                Table { keys: file.start_key.unwrap_or_default()..=last, kept: if hidden { 0 } else { bytes } }
            })
            .collect())
    }
}

/// Bytes that may be written before any old table goes: of the tables that begin at `end` or before, and of those that overlap
/// with one of them, since a table is never rewritten without those.
fn written_anew(mut tables: Vec<Table>, end: &[u8]) -> u64 {
    tables.sort_by(|one, other| one.keys.start().cmp(other.keys.start()));
    let mut reach = end.to_vec();
    let mut bytes = 0_u64;
    for table in tables {
        let (first, last) = table.keys.into_inner();
        if first > reach {
            break;
        }
        bytes = bytes.saturating_add(table.kept);
        reach = reach.max(last);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(first: u8, last: u8, kept: u64) -> Table {
        Table { keys: vec![first]..=vec![last], kept }
    }

    #[test]
    fn what_overlaps_with_what_is_rewritten_is_rewritten_too() {
        let bytes = |tables: &[Table], end: u8| written_anew(tables.to_vec(), &[end]);
        assert_eq!(bytes(&[], 9), 0);
        let apart = [table(5, 6, 100), table(1, 2, 1), table(3, 4, 10)];
        assert_eq!([0, 1, 3, 9].map(|end| bytes(&apart, end)), [0, 1, 11, 111]);
        // A wide one of the first level ties others together.
        let tied = [table(1, 2, 1), table(2, 4, 10), table(4, 5, 100), table(6, 7, 1000)];
        assert_eq!([0, 1, 5, 6].map(|end| bytes(&tied, end)), [0, 111, 111, 1111]);
    }

    #[test]
    fn what_is_wholly_hidden_is_not_written_anew() {
        assert_eq!(written_anew(vec![table(1, 2, 0), table(2, 3, 7)], &[2]), 7);
    }
}
