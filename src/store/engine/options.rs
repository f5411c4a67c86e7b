//! How RocksDB is set up. Much of it is there so that what the purge unlinks is gone from every file; each such line says so.

use std::sync::Arc;
use std::time::Duration;

use rocksdb::{BlockBasedOptions, Cache, DBCompactionStyle, DBCompressionType, LogLevel, Options, SliceTransform};

use super::expiry::{Dropping, Expiry};
use super::{Column, EngineError};
use crate::store::rows::keys::PREFIX_BYTES;

const MIB: usize = 1 << 20;
/// The memory of a record family, before it is written to a file.
const RECORD_BUFFER: usize = 32 * MIB;

/// Bytes of a family's memory that a flush does not write: the filter over what is there, made whole with the first record.
pub(super) const fn memory_filter(column: Column) -> usize {
    if column.holds_records() { RECORD_BUFFER / 10 } else { 0 }
}

/// What is not the same for every store.
pub(in crate::store) struct Tuning {
    cache: Cache,
    window: Duration,
    expiry: Arc<Expiry>,
}

impl Tuning {
    /// For a store that keeps records for `window`, and drops what `expiry` says.
    pub(in crate::store) fn new(window: Duration, expiry: Arc<Expiry>) -> Self {
        // Of the kind without locks, which measures its entries itself (0): a lookup asks it for every file that it passes.
        Self { cache: Cache::new_hyper_clock_cache(256 * MIB, 0), window, expiry }
    }

    /// Options of the database as a whole.
    pub(super) fn database(&self) -> Result<Options, EngineError> {
        // An options string makes new options that do not own what was set before: it has to come first.
        // Every change of the file list rolls the MANIFEST, so that boundary keys of dead files do not stay in it; and the
        // periodic compaction is looked after every 10 minutes.
        let mut options = Options::default().get_options_from_string(
            "max_manifest_space_amp_pct=0;manifest_preallocation_size=65536;max_compaction_trigger_wakeup_seconds=600",
        )?;
        options.set_max_manifest_file_size(1);
        // At level INFO the log prints keys of manual compactions.
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(MIB);
        options.set_stats_dump_period_sec(0);
        // A log file that is kept or used again keeps the bytes of what was purged.
        options.set_recycle_log_file_num(0);
        options.set_wal_ttl_seconds(0);
        options.set_wal_size_limit_mb(0);
        // The log lives until every family has flushed past it. This bounds it between purges.
        options.set_max_total_wal_size(128 * 1024 * 1024);
        options.set_db_write_buffer_size(96 * MIB);
        options.set_max_background_jobs(4);
        // Below the usual RLIMIT_NOFILE of 1024, with room for sockets.
        options.set_max_open_files(512);
        Ok(options)
    }

    /// Options of a column family.
    pub(super) fn column(&self, column: Column) -> Result<Options, EngineError> {
        let mut options = if column.holds_records() {
            // Files are cut where buckets meet, so that a whole file goes with its bucket.
            Options::default()
                .get_options_from_string("sst_partitioner_factory={id=SstPartitionerFixedPrefixFactory;length=4}")?
        } else {
            Options::default()
        };
        // Universal and FIFO compaction ignore the range of a manual compaction.
        options.set_compaction_style(DBCompactionStyle::Level);
        options.set_compression_type(DBCompressionType::Lz4);

        let mut table = BlockBasedOptions::default();
        // The newest format that the sst_dump of Debian 12 reads: an auditor can look into the files with it.
        table.set_format_version(5);
        table.set_block_cache(&self.cache);
        // Indexes and filters grow with the window: they live in the cache, and not beside it. Whole, not in partitions: a
        // lookup walks many small files, one or a few a bucket, and partitions cost it a third more.
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        if column.holds_records() {
            table.set_bloom_filter(10.0, false);
            table.set_whole_key_filtering(false);
            options.set_prefix_extractor(SliceTransform::create_fixed_prefix(PREFIX_BYTES));
            // See `memory_filter`.
            options.set_memtable_prefix_bloom_ratio(0.1);
            options.set_write_buffer_size(RECORD_BUFFER);
            options.set_max_write_buffer_number(3);
            options.set_compaction_filter_factory(Dropping { expiry: Arc::clone(&self.expiry), column });
            // The backstop: every file is rewritten an hour after the window, and passes the filter, also where no purge has
            // reached.
            options.set_periodic_compaction_seconds(self.window.as_secs().saturating_add(3600));
        } else {
            options.set_write_buffer_size(4 * MIB);
        }
        options.set_block_based_table_factory(&table);
        Ok(options)
    }
}
