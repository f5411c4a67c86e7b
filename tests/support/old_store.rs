//! Stores that were filled at an earlier time, for tests of those who check how old their contents are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lapsed::domain::identity::Entity;
use lapsed::domain::record::Record;
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{BucketWidth, Timestamp};
use lapsed::store::{Batch, Opening, Store};

use super::sample;

/// 2026-11-21T21:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_294_800_000);
/// Seconds.
pub(crate) const BUCKET: u64 = 60;
/// The window, the purge interval and five seconds: what is older is expired.
pub(crate) const LIMIT: u64 = 3600 + 10 + 5;

fn open(state: &Path, now: Timestamp) -> Store {
    let retention = Retention {
        window: Duration::from_secs(3600),
        bucket: BucketWidth::from_secs(60).unwrap(),
        purge_interval: Duration::from_secs(10),
        carry_interval: Duration::from_secs(300),
        max_silence: None,
    };
    Store::open(state, state, &retention, Opening::at(now, &retention)).unwrap()
}

/// A statement about an instant so long before `NOW`.
fn record(age: u64) -> Record {
    sample::start(NOW.minus(Duration::from_secs(age)))
}

/// A state directory in which statements of these ages were stored when the oldest of them was young.
///
/// They stand in the write-ahead log alone. Every further opening moves what is there into tables.
pub(crate) fn store_with(ages: &[u64]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let eldest = ages.iter().copied().max().unwrap_or_default();
    let store = open(&state, NOW.minus(Duration::from_secs(eldest)));
    let mut batch = Batch::new();
    for age in ages {
        // Few enough buckets lie between them for the keys made ahead.
        let sealed = store.sealer().seal(&record(*age), &Entity(String::new()));
        batch.record(sealed.unwrap());
    }
    store.commit(batch).unwrap();
    (dir, state)
}

/// Moves what stands in the log into tables, as a restart at the time of the oldest statement does.
pub(crate) fn flush(state: &Path, eldest: u64) {
    drop(open(state, NOW.minus(Duration::from_secs(eldest))));
}

/// The file in `db` with this extension, or this beginning, and the highest number.
pub(crate) fn newest(state: &Path, extension: &str) -> String {
    let names = fs::read_dir(state.join("db")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(extension) || name.starts_with(extension)).max().unwrap()
}

/// The key of a row that is so old and has this much in its tag.
pub(crate) fn key(age: u64, tag: u8) -> Vec<u8> {
    let at = NOW.millis() - age * 1000;
    let bucket = u32::try_from(at / (BUCKET * 1000)).unwrap();
    [bucket.to_be_bytes().as_slice(), &[tag; 12], &at.to_be_bytes()[2..], &[0, 0, 0, 1]].concat()
}
