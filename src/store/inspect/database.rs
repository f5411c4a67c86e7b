//! The database, opened to be read and never to be changed: the tables' bounds from the MANIFEST, and every row.

use std::collections::BTreeSet;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, LiveFile, Options, ReadOptions, properties};

use super::expired::{Expired, KeySays};
use super::finding::{Finding, Kind};
use crate::domain::time::Timestamp;
use crate::store::engine::{Column, EngineError};

/// The families whose keys are checked.
pub(super) const FAMILIES: [&str; 2] = [Column::ByAddress.name(), Column::BySubscriber.name()];

const MIB: usize = 1 << 20;

/// A database as it was at one moment.
pub(super) struct Database(DB);

/// The rows of a family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) count: u64,
    pub(super) oldest: Option<Timestamp>,
    pub(super) findings: Vec<Finding>,
}

/// What the MANIFEST says of the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    /// Those in use, of all families.
    pub(super) live: BTreeSet<u64>,
    pub(super) findings: Vec<Finding>,
}

/// Which rows are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All.
    All,
    /// Those of buckets that reach below the limit.
    Old,
}

impl Database {
    /// Opens it. The logs are replayed into memory, and nothing is written, not even a log of RocksDB's own.
    ///
    /// On a directory in use this fails now and then, since a file of the list is gone before it is opened.
    pub(super) fn open(path: &Path) -> Result<Self, EngineError> {
        // Every table is opened at once and stays so: those that a running daemon removes can then be read to the end.
        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
            && soft < hard
        {
            // If it stays as it is, opening may fail, and says so.
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
        }
        let mut options = Options::default();
        options.set_max_open_files(-1);
        let cache = Cache::new_lru_cache(64 * MIB);
        let columns = DB::list_cf(&options, path)?.into_iter().map(|name| {
            let mut table = BlockBasedOptions::default();
            // Indexes and filters of a large store are larger than the memory.
            table.set_block_cache(&cache);
            table.set_cache_index_and_filter_blocks(true);
            let mut column = Options::default();
            column.set_block_based_table_factory(&table);
            ColumnFamilyDescriptor::new(name, column)
        });
        Ok(Self(DB::open_cf_descriptors_read_only(&options, path, columns, false)?))
    }

    /// The number of the oldest log that holds something which no table does.
    pub(super) fn oldest_wal(&self) -> Result<Option<u64>, EngineError> {
        Ok(self.0.property_int_value(properties::MIN_LOG_NUMBER_TO_KEEP)?)
    }

    /// The tables and their bounds.
    pub(super) fn tables(&self, expired: &Expired) -> Result<Tables, EngineError> {
        let mut tables = Tables::default();
        for file in self.0.live_files()? {
            let name = file.name.trim_start_matches('/').to_owned();
            tables.live.extend(name.strip_suffix(".sst").and_then(|number| number.parse::<u64>().ok()));
            if FAMILIES.contains(&file.column_family_name.as_str()) {
                tables.findings.extend(of_table(&file, &name, expired));
            }
        }
        Ok(tables)
    }

    /// Reads the rows of a family. Rows that were overwritten or deleted are not among them; the search of the bytes sees
    /// some of those.
    pub(super) fn rows(
        &self,
        family: &'static str,
        extent: Extent,
        expired: &Expired,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Rows, EngineError> {
        let column = self.0.cf_handle(family).ok_or(EngineError::NoColumn(family))?;
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        options.fill_cache(false);
        options.set_readahead_size(2 * MIB);
        if extent == Extent::Old {
            let beyond = expired.bucket_of(expired.limit()).saturating_add(1);
            options.set_iterate_upper_bound(beyond.to_be_bytes());
        }
        let mut iterator = self.0.raw_iterator_cf_opt(column, options);
        let mut rows = Rows::default();
        iterator.seek_to_first();
        while let Some(key) = iterator.key() {
            rows.take(key, family, expired);
            if rows.count.is_multiple_of(STEP) {
                progress(STEP);
            }
            iterator.next();
        }
        iterator.status()?;
        Ok(rows)
    }
}

/// After how many rows progress is told.
const STEP: u64 = 1 << 20;

impl Rows {
    fn take(&mut self, key: &[u8], family: &str, expired: &Expired) {
        self.count = self.count.saturating_add(1);
        let (kind, at) = match expired.read(key) {
            KeySays::Nothing => (Some(Kind::NotAKey), None),
            KeySays::At(at) | KeySays::Misfiled(at) if expired.holds(at) => (Some(Kind::ExpiredRow), Some(at)),
            KeySays::Misfiled(at) => (Some(Kind::Misfiled), Some(at)),
            KeySays::At(at) => (None, Some(at)),
        };
        self.oldest = earlier(self.oldest, at);
        let Some(kind) = kind else { return };
        match self.findings.iter_mut().find(|finding| finding.kind == kind) {
            Some(known) => {
                known.count = known.count.saturating_add(1);
                known.oldest = earlier(known.oldest, at);
            }
            None => {
                let place = format!("rows of {family}");
                self.findings.push(Finding { kind, place, count: 1, offset: None, oldest: at });
            }
        }
    }
}

/// What is wrong with the table of a record family.
fn of_table(file: &LiveFile, name: &str, expired: &Expired) -> Vec<Finding> {
    let finding = |kind, count, oldest| Finding { kind, place: format!("db/{name}"), count, offset: None, oldest };
    let bounds = [&file.start_key, &file.end_key].map(|key| expired.read(key.as_deref().unwrap_or_default()));
    let instants = bounds.map(|bound| match bound {
        KeySays::Nothing => None,
        KeySays::Misfiled(at) | KeySays::At(at) => Some(at),
    });
    let old = || instants.into_iter().flatten().filter(|at| expired.holds(*at));
    let mut findings = Vec::new();
    if let Some(oldest) = old().min() {
        findings.push(finding(Kind::ExpiredBound, count(old().count()), Some(oldest)));
    }
    let with = |wanted: fn(&KeySays) -> bool| count(bounds.iter().filter(|bound| wanted(bound)).count());
    let (nothing, misfiled) =
        (with(|bound| *bound == KeySays::Nothing), with(|bound| matches!(bound, KeySays::Misfiled(_))));
    if nothing > 0 {
        findings.push(finding(Kind::NotAKey, nothing, None));
    }
    if misfiled > 0 {
        findings.push(finding(Kind::Misfiled, misfiled, None));
    }
    // A deletion's key lies between the bounds, and so in no bucket before that of the first one.
    let limit = expired.bucket_of(expired.limit());
    let reaches_down = match bounds {
        [KeySays::At(first), _] => expired.bucket_of(first) <= limit,
        [KeySays::Nothing | KeySays::Misfiled(_), _] => true,
    };
    if file.num_deletions > 0 && reaches_down {
        findings.push(finding(Kind::Deletions, file.num_deletions, None));
    }
    findings
}

fn earlier(known: Option<Timestamp>, at: Option<Timestamp>) -> Option<Timestamp> {
    known.into_iter().chain(at).min()
}

fn count(found: usize) -> u64 {
    u64::try_from(found).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::expired::tests::{LIMIT, expired, key};
    use super::*;

    fn table(first: Vec<u8>, last: Vec<u8>, num_deletions: u64) -> Vec<(Kind, u64)> {
        let file = LiveFile {
            column_family_name: "by_address".to_owned(),
            name: String::new(),
            size: 1,
            level: 6,
            start_key: Some(first),
            end_key: Some(last),
            num_entries: 9,
            num_deletions,
        };
        of_table(&file, "000012.sst", &expired()).into_iter().map(|found| (found.kind, found.count)).collect()
    }

    fn good(at: u64) -> Vec<u8> {
        key(at / 600_000, at)
    }

    #[test]
    fn bounds_before_the_limit_of_another_length_or_in_another_bucket_are_found() {
        assert_eq!(table(good(LIMIT), good(LIMIT + 900_000), 0), []);
        assert_eq!(table(good(LIMIT - 1), good(LIMIT), 0), [(Kind::ExpiredBound, 1)]);
        assert_eq!(table(good(LIMIT - 9), good(LIMIT - 1), 0), [(Kind::ExpiredBound, 2)]);
        assert_eq!(table(good(LIMIT), vec![0; 25], 0), [(Kind::NotAKey, 1)]);
        assert_eq!(table(good(LIMIT), key(9, LIMIT), 0), [(Kind::Misfiled, 1)]);
    }

    #[test]
    fn deletions_count_where_the_table_reaches_below_the_limit() {
        // The limit is the first instant of its bucket here; a deletion in that bucket may still hold a younger key only.
        assert_eq!(table(good(LIMIT), good(LIMIT + 1), 3), [(Kind::Deletions, 3)]);
        assert_eq!(table(good(LIMIT + 600_000), good(LIMIT + 600_001), 3), []);
        assert_eq!(table(key(9, LIMIT), good(LIMIT), 3), [(Kind::Misfiled, 1), (Kind::Deletions, 3)]);
    }
}
