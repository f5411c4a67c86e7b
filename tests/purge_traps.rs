//! Every way we know in which RocksDB keeps what was deleted, on the real store: each test goes through a purge, and fails if
//! the line of code that answers its trap is taken out. That was tried by hand with RocksDB 11.8.1, for each of them:
//!
//! | trap | cure | what is seen without it |
//! |---|---|---|
//! | manual compactions pass over the bottom | `Force` in `store/engine/mod.rs` | with `Skip`: expired rows in bytes and tables. With the default mode, nothing was seen to stay here, where there is a filter; that is RocksDB's choice and not a promise |
//! | the filter sees the newest version only, and never what is in memory | the whole range in one compaction; no removal, no merge; flush (`store/purging/steps.rs`) | with removals instead: versions and tombstones stay |
//! | a tombstone has the key of what it hides | `rewrite` in `purge/execute.rs` goes by files' bounds and tombstones, not by rows alone | without that: the tombstone stays, no reader sees it |
//! | MANIFEST keeps boundary keys of dead files | flush of `meta` in `Store::conclude`; `max_manifest_file_size`, `max_manifest_space_amp_pct` in `store/engine/options.rs` | without any one of the three: their keys in MANIFEST |
//! | the database's own log prints keys | level WARN (`store/engine/options.rs`) | with INFO: keys in hex |
//! | a log lives until every family has flushed past it | `Column::ALL` in `Store::flush_expired` | with the record families alone: keys in the log |
//! | logs are used again, or kept in an archive | `recycle_log_file_num`, `WAL_ttl_seconds` (`store/engine/options.rs`) | with 4, with 3600: keys in a log, in `archive` |
//! | a clean stop does not flush | opening flushes, by RocksDB's default; `oldest_in_memory` is 0 at first (`store/open.rs`) | the first alone suffices, so the second cannot be seen to fail; `avoid_flush_during_recovery` is looked at |
//! | a reader keeps files that are on no list | `Store::leftovers` (`store/purging/directory.rs`) | if only listed files are looked at: a run passes while the keys are on the disk |
//! | compression hides keys from a search of bytes | the search: `sst_dump` decodes (`purge_rig`); format 5 (`store/engine/options.rs`) | a search of bytes finds one key in a hundred; of format 7, `sst_dump` reads nothing |
//! | a filter is used by many threads, and its panic ends the process | a factory, atomics, `RowKey::from_bytes` that refuses (`store/engine/expiry.rs`) | with a panic: the test process aborts. A count that is not added in one step was not seen to lose rows |
//! | no purge comes | `periodic_compaction_seconds` (`store/engine/options.rs`) | the option only: it takes the window and an hour |
//! | universal and FIFO compaction pass over ranges | level style (`store/engine/options.rs`) | the option only: a range from the first key on is served all the same |
//! | an options string drops what was set before it | it comes first (`store/engine/options.rs`) | the options only: what it does not own any more is still there |
//! | a table spans buckets | the partitioner (`store/engine/options.rs`) | without it: tables of many buckets |
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod purge_rig;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lapsed::domain::address::Realm;
use lapsed::domain::time::Bucket;
use lapsed::purge::{Check, Run, Step};
use lapsed::store::{Place, Store};
use purge_rig::{
    KEY, WIDTH, at, close, commit, files, hex, instant_of, network, open, raw_keys, record, resume, retention, run,
    run_watched, table_instants, table_keys,
};

fn held(run: &Run, check: Check) -> bool {
    run.checks.iter().any(|(of, held)| *of == check && *held)
}

/// The database with no filter and none of our options but the tables' format, while the store is closed.
fn bare(dir: &Path) -> rocksdb::DB {
    let path = dir.join("db");
    let families = rocksdb::DB::list_cf(&rocksdb::Options::default(), &path).unwrap();
    let options = || {
        let mut table = rocksdb::BlockBasedOptions::default();
        table.set_format_version(5);
        let mut options = rocksdb::Options::default();
        options.set_block_based_table_factory(&table);
        options
    };
    let families = families.into_iter().map(|name| rocksdb::ColumnFamilyDescriptor::new(name, options()));
    rocksdb::DB::open_cf_descriptors(&options(), path, families).unwrap()
}

/// The files of a database whose names have this in them, as text.
fn texts(dir: &Path, part: &str) -> String {
    let of =
        files(&dir.join("db")).into_iter().filter(|path| path.file_name().unwrap().to_string_lossy().contains(part));
    of.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect()
}

/// The newest OPTIONS file: section, then name, then value.
fn options(dir: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let all = files(&dir.join("db")).into_iter();
    let newest = all.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("OPTIONS-")).max().unwrap();
    let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut section = String::new();
    for line in fs::read_to_string(newest).unwrap().lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((name, value)) = line.split_once('=') {
            sections.entry(section.clone()).or_default().insert(name.to_owned(), value.to_owned());
        }
    }
    sections
}

/// Nothing before the cutoff at `now` is in any byte or any table, and what is after it can be read.
fn assert_gone(store: &Store, dir: &Path, now: u64, live: impl IntoIterator<Item = u32>) {
    let limit = retention().cutoff(at(now)).horizon();
    assert_eq!(raw_keys(dir, limit), [], "plain bytes");
    let decoded: Vec<_> = table_instants(dir).into_iter().filter(|(_, at, _)| *at < limit).collect();
    assert_eq!(decoded, [], "decoded tables");
    let mut view = store.observations(retention().cutoff(at(now)));
    for number in live {
        let place = Place::Address { realm: &Realm::default(), network: network(number) };
        let bucket = retention().bucket.bucket_of(at(u64::from(number)));
        assert_eq!(view.in_bucket(&place, bucket).unwrap(), [record(at(u64::from(number)), number)]);
    }
}

/// A store with a record a second in each of these seconds, each bucket flushed to tables of its own.
fn store_of(dir: &Path, seconds: std::ops::Range<u32>) -> std::sync::Arc<Store> {
    let store = open(dir, at(100));
    for number in seconds {
        commit(&store, [record(at(u64::from(number)), number)]);
        if (u64::from(number) + 1).is_multiple_of(WIDTH) {
            // Each call is in another bucket: so it flushes.
            store.flush_expired(at(u64::from(number) + 1)).unwrap();
        }
    }
    store
}

#[test]
fn files_that_the_database_thinks_done_are_rewritten_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_of(dir.path(), 0..100);
    let mut purger = resume(&store, at(100));
    // Everything lies at the bottom after this, and is rewritten no more unless it is forced.
    store.unlink(Bucket(u32::MAX)).unwrap();
    commit(&store, [record(at(95), 1000)]);
    for now in [105, 112, 120, 133, 150, 151, 170] {
        let run = run(&mut purger, at(now));
        assert!(!run.failed(), "{run:?}");
        assert_gone(&store, dir.path(), now, u32::try_from(now).unwrap() - 100..100);
    }
}

#[test]
fn every_version_of_a_row_goes_and_not_the_newest_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    // The same statement again, each time in a table of its own and the first at the bottom.
    for (time, seal) in [(100, true), (110, false), (120, false)] {
        commit(&store, (0..20).map(|number| record(at(u64::from(number) + 40), number)));
        store.flush_expired(at(time)).unwrap();
        if seal {
            store.unlink(Bucket(u32::MAX)).unwrap();
        }
    }
    assert_eq!(store.doomed().unwrap().total(), 0);
    let versions = table_instants(dir.path()).len();
    assert_eq!(versions, 20 * 2 * 3, "three versions in each family");
    let run = run(&mut purger, at(150));
    assert_eq!((run.classes.assignments.scanned, run.classes.assignments.filtered), (10, 10), "counted once each");
    assert!(!run.failed(), "{run:?}");
    assert_gone(&store, dir.path(), 150, []);
}

#[test]
fn a_tombstone_with_an_expired_key_goes_even_if_no_row_is_left_to_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    drop(store_of(dir.path(), 0..100));
    // As a compaction leaves it that a crash kept from reaching the bottom: the row lies deep, its removal above it.
    let database = bare(dir.path());
    for family in ["by_address", "by_subscriber"] {
        let family = database.cf_handle(family).unwrap();
        database.compact_range_cf(family, None::<&[u8]>, None::<&[u8]>);
        let keys: Vec<_> =
            database.iterator_cf(family, rocksdb::IteratorMode::Start).map(|row| row.unwrap().0).collect();
        for key in keys.iter().filter(|key| instant_of(key).unwrap() < at(55)) {
            database.delete_cf(family, key).unwrap();
        }
        database.flush_cf(family).unwrap();
    }
    drop(database);
    assert!(table_instants(dir.path()).iter().any(|(_, _, kind)| kind == "0"), "removals are in the tables");

    let store = open(dir.path(), at(155));
    let mut purger = resume(&store, at(155));
    let run = run(&mut purger, at(155));
    assert_eq!(run.classes.assignments.scanned, 0, "no reader sees them");
    assert!(!run.failed(), "{run:?}");
    assert!(table_instants(dir.path()).iter().all(|(_, _, kind)| kind == "1"));
    assert_gone(&store, dir.path(), 155, 55..100);
}

#[test]
fn the_manifest_forgets_the_boundary_keys_of_files_that_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_of(dir.path(), 0..100);
    let mut purger = resume(&store, at(100));
    run(&mut purger, at(100));
    let in_manifest = |limit| raw_keys(dir.path(), limit).into_iter().any(|(file, _)| file.starts_with("MANIFEST-"));
    assert!(in_manifest(at(60)), "it has them while the files are live");
    for now in [110, 130, 160] {
        let run = run(&mut purger, at(now));
        assert!(run.manifest_rolled && held(&run, Check::OneManifest), "{run:?}");
        assert!(!in_manifest(at(now - 100)));
    }
}

#[test]
fn the_databases_own_log_prints_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_of(dir.path(), 0..100);
    let mut purger = resume(&store, at(100));
    let keys: Vec<_> =
        table_keys(dir.path()).into_iter().map(|(_, key, _)| key).filter(|key| key.len() == KEY).collect();
    assert_eq!(keys.len(), 200);
    for now in [101, 125, 170] {
        assert!(!run(&mut purger, at(now)).failed());
    }
    let log = texts(dir.path(), "LOG").to_uppercase();
    let printed: Vec<_> = keys.iter().filter(|key| log.contains(&hex(key))).collect();
    assert_eq!(printed, Vec::<&Vec<u8>>::new());
    assert!(!log.contains("MANUAL COMPACTION"), "the bounds of a range are the beginnings of keys");
    assert_eq!(options(dir.path())["DBOptions"]["info_log_level"], "WARN_LEVEL");
}

#[test]
fn a_log_dies_with_the_rows_it_was_written_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    run(&mut purger, at(100));
    for now in [130, 160, 190, 220] {
        // In the log and in memory only; and in the same log an entry of the ledger, whose family no run flushes for itself.
        close(&mut purger, &store, at(now - 30));
        commit(&store, (0..20).map(|number| record(at(now - 95 + u64::from(number)), number)));
        let in_log = raw_keys(dir.path(), at(now)).into_iter().any(|(file, _)| file.ends_with(".log"));
        assert!(in_log, "what was committed is in the log");
        let run = run(&mut purger, at(now));
        assert!(held(&run, Check::NoOldWal) && held(&run, Check::NothingElse) && !run.failed(), "{run:?}");
        assert_gone(&store, dir.path(), now, []);
        assert!(!dir.path().join("db/archive").exists());
        // Nothing in the directory is as long as a log that was kept to be used again.
        assert_eq!(store.listing().unwrap().logs.len(), 1);
    }
    let options = options(dir.path());
    for (name, value) in [("recycle_log_file_num", "0"), ("WAL_ttl_seconds", "0"), ("WAL_size_limit_MB", "0")] {
        assert_eq!(options["DBOptions"][name], value, "{name}");
    }
}

#[test]
fn what_a_clean_stop_left_in_the_log_is_gone_after_the_first_run() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    commit(&store, (0..100).map(|number| record(at(u64::from(number)), number)));
    drop(store);
    let logged = raw_keys(dir.path(), at(55)).into_iter().all(|(file, _)| file.ends_with(".log"));
    assert!(logged, "closing writes no table");
    let store = open(dir.path(), at(155));
    let mut purger = resume(&store, at(155));
    let run = run(&mut purger, at(155));
    assert!(!run.failed(), "{run:?}");
    assert_gone(&store, dir.path(), 155, 55..100);
}

#[test]
fn a_reader_that_keeps_files_on_the_disk_makes_the_run_fail_and_the_next_one_finds_them_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_of(dir.path(), 0..100);
    let mut purger = resume(&store, at(100));
    let mut view = store.observations(retention().cutoff(at(100)));
    let place = Place::Address { realm: &Realm::default(), network: network(1) };
    assert_eq!(view.in_bucket(&place, retention().bucket.bucket_of(at(1))).unwrap().len(), 1);
    let kept = run(&mut purger, at(155));
    assert!(kept.failed() && !held(&kept, Check::FilesAreLive), "{kept:?}");
    assert!(held(&kept, Check::RangeEmpty) && held(&kept, Check::NoFileBelowCutoff), "the database lists none of them");
    assert!(!raw_keys(dir.path(), at(55)).is_empty(), "and there they are");
    drop(view);
    let after = run(&mut purger, at(155));
    assert!(!after.failed(), "{after:?}");
    assert_gone(&store, dir.path(), 155, 55..100);
}

#[test]
fn a_search_of_plain_bytes_sees_some_keys_only_and_decoding_sees_them_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    // One bucket of many rows, so that blocks are whole and compressed.
    commit(&store, (0..5000).map(|number| record(at(10 + u64::from(number % 10)), number)));
    run(&mut purger, at(105));
    let plain: BTreeSet<_> =
        raw_keys(dir.path(), at(100)).into_iter().filter(|(file, _)| file.ends_with(".sst")).collect();
    let decoded = table_instants(dir.path());
    assert_eq!(decoded.len(), 10_000);
    assert!(plain.len() < 100, "{}", plain.len());
    let run = run(&mut purger, at(121));
    assert_eq!(run.classes.assignments.filtered, 5000);
    assert_gone(&store, dir.path(), 121, []);
}

#[test]
fn a_filter_that_many_compactions_share_counts_every_row_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_of(dir.path(), 0..100);
    let mut purger = resume(&store, at(100));
    run(&mut purger, at(100));
    commit(&store, (1000..9000).map(|number| record(at(20 + u64::from(number % 80)), number)));
    let go = AtomicBool::new(true);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while go.load(Ordering::Acquire) {
                    store.unlink(Bucket(u32::MAX)).unwrap()
                }
            });
        }
        for now in (120..200).step_by(10) {
            let run = run(&mut purger, at(now));
            let [rows, listings] = [run.classes.assignments, run.listings];
            assert_eq!((rows.scanned, listings.scanned), (rows.filtered, listings.filtered), "{run:?}");
            assert!(rows.scanned > 0 && held(&run, Check::CountsAgree) && held(&run, Check::RangeEmpty), "{run:?}");
        }
        go.store(false, Ordering::Release);
    });
    assert_eq!(store.dropped().total(), 2 * (100 + 8000 - 10 - 1000));
    assert_gone(&store, dir.path(), 190, []);
}

#[test]
fn a_key_that_is_none_neither_stops_the_filter_nor_passes_for_purged() {
    let dir = tempfile::tempdir().unwrap();
    drop(store_of(dir.path(), 0..100));
    let database = bare(dir.path());
    for (key, value) in [(&b""[..], &b""[..]), (b"\0", b"\xff"), (&[0x0a; 27], &[0; 12]), (&[0; 25], b"")] {
        database.put_cf(database.cf_handle("by_subscriber").unwrap(), key, value).unwrap();
    }
    drop(database);
    let store = open(dir.path(), at(155));
    let mut purger = resume(&store, at(155));
    let run = run(&mut purger, at(155));
    assert!(run.failed() && !held(&run, Check::NoFileBelowCutoff), "{run:?}");
    assert!(!store.bounds().unwrap().foreign.is_empty());
    assert_gone(&store, dir.path(), 155, 55..100);
}

#[test]
fn tables_end_where_buckets_do() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    commit(&store, (0..100).map(|number| record(at(u64::from(number)), number)));
    store.flush_expired(at(100)).unwrap();
    let run = run(&mut purger, at(145));
    assert!(!run.failed(), "{run:?}");
    store.unlink(Bucket(u32::MAX)).unwrap();
    let mut buckets: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (table, at, _) in table_instants(dir.path()) {
        buckets.entry(table).or_default().insert(at.millis() / 1000 / WIDTH);
    }
    assert_eq!(buckets.len(), 2 * 6, "six buckets in each of two families");
    assert!(buckets.values().all(|buckets| buckets.len() == 1), "{buckets:?}");
}

#[test]
fn the_options_that_purging_rests_on_are_in_force() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path(), at(100)));
    // What the database says of itself when it was opened again, and not what it was asked for.
    drop(open(dir.path(), at(100)));
    let options = options(dir.path());
    let database = &options["DBOptions"];
    for (name, value) in [
        ("max_manifest_file_size", "1"),
        ("max_manifest_space_amp_pct", "0"),
        ("max_compaction_trigger_wakeup_seconds", "600"),
        ("keep_log_file_num", "2"),
        ("avoid_flush_during_recovery", "false"),
        ("max_open_files", "512"),
    ] {
        assert_eq!(database[name], value, "{name}");
    }
    for family in ["by_address", "by_subscriber"] {
        let column = &options[&format!("CFOptions \"{family}\"")];
        assert_eq!(column["compaction_style"], "kCompactionStyleLevel", "the others pass over the range of a purge");
        assert_eq!(column["periodic_compaction_seconds"], "3700", "the window and an hour");
        assert_eq!(column["merge_operator"], "nullptr");
        let partitioner = &column["sst_partitioner_factory"];
        assert!(partitioner.contains("SstPartitionerFixedPrefixFactory") && partitioner.contains("length=4"));
        let table = &options[&format!("TableOptions/BlockBasedTable \"{family}\"")];
        assert_eq!(table["format_version"], "5", "what the sst_dump of Debian 12 reads");
        assert_eq!(table["cache_index_and_filter_blocks"], "true", "options after the options string are kept");
    }
}

#[test]
fn a_run_ends_with_the_manifest_and_not_with_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_of(dir.path(), 0..100);
    let mut purger = resume(&store, at(100));
    let mut steps = Vec::new();
    run_watched(&mut purger, at(150), &mut |step| steps.push(step));
    let order = [Step::Barrier, Step::Flush, Step::Count, Step::Keys, Step::Compact, Step::Verify, Step::Record];
    assert_eq!(steps, [&order[..], &[Step::Directory]].concat());
}
