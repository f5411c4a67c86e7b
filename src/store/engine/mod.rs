//! RocksDB, held at arm's length: the column families, one way in for writes, and scans of the small families.
//!
//! How the database is set up stands in `options`, and which rows its compactions drop in `expiry`. Families, keys and values
//! are all that it knows of what it holds: it seals nothing, decodes no record, and decides no cutoff.

mod expiry;
mod options;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rocksdb::{
    BottommostLevelCompaction, ColumnFamily, ColumnFamilyDescriptor, CompactOptions, DB, DBRawIterator, FlushOptions,
    LiveFile, ReadOptions, WriteBatch, WriteOptions, properties,
};

pub use self::expiry::Rows;
pub(super) use self::expiry::{Expiry, RowClass};
pub(super) use self::options::Tuning;
use self::options::memory_filter;

/// The column families. `held` and `requests` are empty until preservations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    ByAddress,
    BySubscriber,
    Held,
    Requests,
    Ledger,
    Meta,
}

impl Column {
    pub(super) const ALL: [Self; 6] =
        [Self::ByAddress, Self::BySubscriber, Self::Held, Self::Requests, Self::Ledger, Self::Meta];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ByAddress => "by_address",
            Self::BySubscriber => "by_subscriber",
            Self::Held => "held",
            Self::Requests => "requests",
            Self::Ledger => "ledger",
            Self::Meta => "meta",
        }
    }

    /// Does it hold records?
    pub(super) const fn holds_records(self) -> bool {
        matches!(self, Self::ByAddress | Self::BySubscriber)
    }
}

/// What the database engine says went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// RocksDB's own words.
    #[error("{0}")]
    RocksDb(String),
    /// A column family that was there when the store was opened is not.
    #[error("the column family `{0}` is not open")]
    NoColumn(&'static str),
    /// A row of the family is not in the format.
    #[error("a row of `{0}` is not in the format")]
    BadRow(&'static str),
    /// What is in memory is more than there is space for. A flush that fails ends all writing: so it was not begun.
    #[error("no space left to write to files what is in memory: {free} bytes are free, {needed} may be needed")]
    NoRoomToFlush {
        /// Bytes free on the disk.
        free: u64,
        /// Bytes in memory, and a margin.
        needed: u64,
    },
    /// What may be rewritten is more than there is space for. A rewriting that fails takes the space of all others first: so it was
    /// not begun, or somebody else took the space meanwhile.
    #[error("no space left to rewrite files: {free} bytes are free, {needed} may be needed")]
    NoRoomToRewrite {
        /// Bytes free on the disk.
        free: u64,
        /// Bytes of the files, of what is in memory, and a margin.
        needed: u64,
    },
    /// A file could not be rewritten, with space enough: RocksDB counts it, and says no more.
    #[error("files could not be rewritten")]
    NotRewritten,
    /// A test asked for this failure.
    #[error("a test asked for this failure")]
    Injected,
}

impl EngineError {
    /// Is it for want of space on the disk?
    pub fn is_full(&self) -> bool {
        // RocksDB passes the kernel's words on (strerror(3) of ENOSPC and EDQUOT), and no code with them.
        let full = ["No space left on device", "Disk quota exceeded"];
        match self {
            Self::RocksDb(words) => full.iter().any(|full| words.contains(full)),
            Self::NoRoomToFlush { .. } | Self::NoRoomToRewrite { .. } => true,
            Self::NoColumn(_) | Self::BadRow(_) | Self::NotRewritten | Self::Injected => false,
        }
    }
}

impl From<rocksdb::Error> for EngineError {
    fn from(error: rocksdb::Error) -> Self {
        Self::RocksDb(error.into_string())
    }
}

/// Why a commit did not go through.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The write or its sync failed. What of it is on disk shows when the store is opened again.
    #[error("the write failed: {0}")]
    Failed(#[from] EngineError),
    /// An earlier commit failed, and nothing is written after that until the store is opened again.
    #[error("an earlier write failed: the store takes no more until it is opened again")]
    Stopped,
    /// An entry is not the next one of its log. Nothing was written.
    #[error("an entry of a ledger is not the next one")]
    OutOfOrder,
}

/// How a commit fails when a test asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing reached the disk.
    NotPersisted,
    /// Everything reached the disk, and the writer was told that it failed.
    PersistedButFailed,
}

/// A row to be written.
pub(super) struct Write {
    pub(super) column: Column,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// A row to be taken out of a family without records. Of a record only the compaction filter may dispose: a tombstone would
/// hold its key.
pub(super) struct Forget {
    pub(super) column: Column,
    pub(super) key: Vec<u8>,
}

/// A row as it was read.
pub(super) type KeyAndValue = (Vec<u8>, Vec<u8>);

/// The open database.
pub(super) struct Engine {
    db: DB,
    stopped: AtomicBool,
    planned: Mutex<Option<(u32, Fault)>>,
}

impl Engine {
    /// Opens a database that has all the families.
    pub(super) fn open(path: &Path, tuning: &Tuning) -> Result<Self, EngineError> {
        Self::start(path, tuning, &tuning.database()?)
    }

    /// Makes a database with all the families.
    pub(super) fn create(path: &Path, tuning: &Tuning) -> Result<Self, EngineError> {
        let mut options = tuning.database()?;
        options.create_if_missing(true);
        options.set_error_if_exists(true);
        options.create_missing_column_families(true);
        Self::start(path, tuning, &options)
    }

    /// The names of a database's families. Reads its MANIFEST only.
    pub(super) fn families(path: &Path, tuning: &Tuning) -> Result<BTreeSet<String>, EngineError> {
        Ok(DB::list_cf(&tuning.database()?, path)?.into_iter().collect())
    }

    /// One value of a database that may have other families than ours. Changes nothing in it.
    pub(super) fn peek(
        path: &Path,
        tuning: &Tuning,
        column: Column,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, EngineError> {
        let db = DB::open_cf_for_read_only(&tuning.database()?, path, ["default", column.name()], false)?;
        let family = db.cf_handle(column.name()).ok_or(EngineError::NoColumn(column.name()))?;
        Ok(db.get_cf(family, key)?)
    }

    fn start(path: &Path, tuning: &Tuning, options: &rocksdb::Options) -> Result<Self, EngineError> {
        let columns = Column::ALL
            .into_iter()
            .map(|column| Ok(ColumnFamilyDescriptor::new(column.name(), tuning.column(column)?)))
            .collect::<Result<Vec<_>, EngineError>>()?;
        let db = DB::open_cf_descriptors(options, path, columns)?;
        Ok(Self { db, stopped: AtomicBool::new(false), planned: Mutex::new(None) })
    }

    /// Writes all rows or none, and syncs. Every write of the store passes here.
    pub(super) fn commit(&self, rows: impl IntoIterator<Item = Write>) -> Result<(), CommitError> {
        self.change(rows, [])
    }

    /// Writes rows and takes others out, all or none, and syncs.
    pub(super) fn change(
        &self,
        rows: impl IntoIterator<Item = Write>,
        forget: impl IntoIterator<Item = Forget>,
    ) -> Result<(), CommitError> {
        self.attempt(|| self.write(rows, forget, true))
    }

    /// Writes all rows or none, and does not wait for the disk: the next commit that does takes them along.
    pub(super) fn change_unsynced(&self, rows: impl IntoIterator<Item = Write>) -> Result<(), CommitError> {
        self.attempt(|| self.write(rows, [], false))
    }

    fn attempt(&self, write: impl FnOnce() -> Result<(), EngineError>) -> Result<(), CommitError> {
        if self.stopped.load(Ordering::Acquire) {
            return Err(CommitError::Stopped);
        }
        let outcome = match self.due_fault() {
            Some(Fault::NotPersisted) => Err(EngineError::Injected),
            Some(Fault::PersistedButFailed) => write().and(Err(EngineError::Injected)),
            None => write(),
        };
        if outcome.is_err() {
            // A second sync can succeed over pages that the first one lost: so there is no second one.
            self.stopped.store(true, Ordering::Release);
        }
        Ok(outcome?)
    }

    fn write(
        &self,
        rows: impl IntoIterator<Item = Write>,
        forget: impl IntoIterator<Item = Forget>,
        sync: bool,
    ) -> Result<(), EngineError> {
        let mut batch = WriteBatch::default();
        for row in rows {
            batch.put_cf(self.column(row.column)?, row.key, row.value);
        }
        for row in forget.into_iter().filter(|row| !row.column.holds_records()) {
            batch.delete_cf(self.column(row.column)?, row.key);
        }
        let mut options = WriteOptions::default();
        options.set_sync(sync);
        // A crash during the write leaves none of the batch; one after it, all of it: recovery replays whole batches.
        Ok(self.db.write_opt(batch, &options)?)
    }

    pub(super) fn fail_commit(&self, after: u32, fault: Fault) {
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) = Some((after, fault));
    }

    fn due_fault(&self) -> Option<Fault> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        match *planned {
            Some((0, fault)) => {
                *planned = None;
                Some(fault)
            }
            Some((after, fault)) => {
                *planned = Some((after.saturating_sub(1), fault));
                None
            }
            None => None,
        }
    }

    /// The value of a key.
    pub(super) fn value(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.db.get_cf(self.column(column)?, key)?)
    }

    /// Is there a row with this key? Cheap where nothing has the key's prefix.
    pub(super) fn has(&self, column: Column, key: &[u8]) -> Result<bool, EngineError> {
        Ok(self.db.get_pinned_cf(self.column(column)?, key)?.is_some())
    }

    /// Up to `limit` rows whose keys begin with `start`, from the key `from` on, in key order. For families without records.
    pub(super) fn scan(
        &self,
        column: Column,
        start: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<KeyAndValue>, EngineError> {
        let mut iterator = self.iterator(column, ReadOptions::default())?;
        let mut rows = Vec::new();
        iterator.seek(from);
        while let Some((key, value)) = iterator.item().filter(|(key, _)| rows.len() < limit && key.starts_with(start)) {
            rows.push((key.to_vec(), value.to_vec()));
            iterator.next();
        }
        iterator.status()?;
        Ok(rows)
    }

    /// The last key that is not above `key`.
    pub(super) fn last_key_to(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        let mut iterator = self.iterator(column, ReadOptions::default())?;
        iterator.seek_for_prev(key);
        iterator.status()?;
        Ok(iterator.key().map(<[u8]>::to_vec))
    }

    /// The last key of a family.
    pub(super) fn last_key(&self, column: Column) -> Result<Option<Vec<u8>>, EngineError> {
        let mut options = ReadOptions::default();
        // Without this the order of keys holds within a prefix only.
        options.set_total_order_seek(true);
        let mut iterator = self.iterator(column, options)?;
        iterator.seek_to_last();
        iterator.status()?;
        Ok(iterator.key().map(<[u8]>::to_vec))
    }

    /// A view of a record family as it is now, in which each seek finds the rows of one prefix.
    pub(super) fn view(&self, column: Column) -> Result<DBRawIterator<'_>, EngineError> {
        let mut options = ReadOptions::default();
        options.set_prefix_same_as_start(true);
        self.iterator(column, options)
    }

    /// Writes what is in memory to files, in every family: only then does the log that holds it die.
    pub(super) fn flush(&self, columns: &[Column]) -> Result<(), EngineError> {
        let families = columns.iter().map(|column| self.column(*column)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.db.flush_cfs_opt(&families, &FlushOptions::default())?)
    }

    /// Bytes that a flush of all families would write, at the most.
    pub(super) fn in_memory(&self) -> Result<u64, EngineError> {
        let size = |column| {
            let bytes = self.db.property_int_value_cf(self.column(column)?, properties::CUR_SIZE_ALL_MEM_TABLES)?;
            // There may be several, one full and one begun: then this is more than what will be written.
            Ok(bytes.unwrap_or(0).saturating_sub(u64::try_from(memory_filter(column)).unwrap_or(0)))
        };
        Column::ALL.into_iter().map(size).sum()
    }

    /// Rewrites every file that holds a key below `end`, on every level.
    ///
    /// *Force*, since in any other mode RocksDB passes over files that it thinks done. It reports no failure here, so what it
    /// did is to be found out by other means.
    ///
    /// The range begins with a key, the least there is: of an open one RocksDB does not look whether memory has any of it, and
    /// writes it to a file each time.
    pub(super) fn compact_below(&self, column: Column, end: &[u8]) -> Result<(), EngineError> {
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        options.set_exclusive_manual_compaction(false);
        self.db.compact_range_cf_opt(self.column(column)?, Some([]), Some(end), &options);
        Ok(())
    }

    /// Rewrites a whole family, so that what was taken out of it is in none of its files.
    pub(super) fn compact(&self, column: Column) -> Result<(), EngineError> {
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        options.set_exclusive_manual_compaction(false);
        self.db.compact_range_cf_opt(self.column(column)?, None::<&[u8]>, None::<&[u8]>, &options);
        Ok(())
    }

    /// The first key of a family.
    pub(super) fn first_key(&self, column: Column) -> Result<Option<Vec<u8>>, EngineError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        let mut iterator = self.iterator(column, options)?;
        iterator.seek_to_first();
        iterator.status()?;
        Ok(iterator.key().map(<[u8]>::to_vec))
    }

    /// Visits every row of a family whose key is below `end`, past the cache: it is read once.
    pub(super) fn visit_below(
        &self,
        column: Column,
        end: &[u8],
        visit: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), EngineError> {
        self.visit_between(column, &[], end, visit)
    }

    /// The same from the key `from` on.
    pub(super) fn visit_between(
        &self,
        column: Column,
        from: &[u8],
        end: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), EngineError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.fill_cache(false);
        options.set_iterate_upper_bound(end);
        options.set_readahead_size(1 << 20);
        let mut iterator = self.iterator(column, options)?;
        iterator.seek(from);
        while let Some((key, value)) = iterator.item() {
            visit(key, value);
            iterator.next();
        }
        Ok(iterator.status()?)
    }

    /// How many flushes and compactions have failed since the database was opened.
    pub(super) fn background_errors(&self) -> Result<u64, EngineError> {
        Ok(self.db.property_int_value(properties::BACKGROUND_ERRORS)?.unwrap_or(0))
    }

    /// Are files being written or rewritten?
    pub(super) fn is_rewriting(&self) -> Result<bool, EngineError> {
        let running = [properties::NUM_RUNNING_COMPACTIONS, properties::NUM_RUNNING_FLUSHES];
        let counts = running.into_iter().map(|name| self.db.property_int_value(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(counts.into_iter().any(|count| count != Some(0)))
    }

    /// The files that the database counts as its own.
    pub(super) fn live_files(&self) -> Result<Vec<LiveFile>, EngineError> {
        Ok(self.db.live_files()?)
    }

    fn iterator(&self, column: Column, options: ReadOptions) -> Result<DBRawIterator<'_>, EngineError> {
        Ok(self.db.raw_iterator_cf_opt(self.column(column)?, options))
    }

    fn column(&self, column: Column) -> Result<&ColumnFamily, EngineError> {
        self.db.cf_handle(column.name()).ok_or(EngineError::NoColumn(column.name()))
    }
}
