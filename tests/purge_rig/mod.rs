//! What the tests of the purge on the real store share: a store of a short window, records, runs and reports, and two searches
//! for what should be gone: one of every byte, one of what Debian's `sst_dump` decodes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

#[path = "../support/sample.rs"]
mod sample;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use lapsed::domain::address::Network;
use lapsed::domain::erasure::ErasureClass;
use lapsed::domain::identity::{Entity, SessionTag, SubscriberId};
use lapsed::domain::record::Record;
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{BucketWidth, Timestamp};
use lapsed::purge::{
    ClockSource, ClockStanding, Closing, Erasure, Kind as ReportKind, Line as ReportLine, Order, Purger, Report, Run,
    Step, Terms, Told, Trigger, policy_digest,
};
use lapsed::store::{Batch, Opening, Store};

/// Seconds in a bucket.
pub(crate) const WIDTH: u64 = 10;
/// A round instant in a year that a raw search can tell from noise.
pub(crate) const START: u64 = 1_700_000_000;
/// Bytes of a row's key.
pub(crate) const KEY: usize = 26;

/// Ten buckets of ten seconds.
pub(crate) fn retention() -> Retention {
    Retention {
        window: Duration::from_secs(100),
        bucket: BucketWidth::from_secs(10).unwrap(),
        purge_interval: Duration::from_secs(5),
        carry_interval: Duration::from_secs(10),
        max_silence: None,
    }
}

/// So many seconds after [`START`].
pub(crate) fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis((START + secs) * 1000)
}

/// Opens the store in a directory.
pub(crate) fn open(dir: &Path, now: Timestamp) -> Arc<Store> {
    Arc::new(Store::open(dir, dir, &retention(), Opening::at(now, &retention())).unwrap())
}

/// Goes on with the purge of a store.
pub(crate) fn resume(store: &Arc<Store>, now: Timestamp) -> Purger {
    Purger::resume(Arc::clone(store), now).unwrap()
}

/// The address of a number.
pub(crate) fn network(number: u32) -> Network {
    Network::single(std::net::Ipv6Addr::from((0x2001_0db8_u128 << 96) | u128::from(number)).into())
}

/// A statement about the address of a number, and its subscriber.
pub(crate) fn record(at: Timestamp, number: u32) -> Record {
    Record {
        subject: sample::whole(network(number)),
        session: SessionTag(u64::from(number).to_be_bytes()),
        subscriber: Some(SubscriberId(format!("subscriber-{number}"))),
        ..sample::start(at)
    }
}

/// Makes records durable.
pub(crate) fn commit(store: &Store, records: impl IntoIterator<Item = Record>) {
    let mut batch = Batch::new();
    records.into_iter().for_each(|record| batch.record(store.sealer().seal(&record, &Entity::default()).unwrap()));
    store.commit(batch).unwrap();
}

/// A run at `now`.
pub(crate) fn run(purger: &mut Purger, now: Timestamp) -> Run {
    run_watched(purger, now, &mut |_| {})
}

/// A run whose steps are watched.
pub(crate) fn run_watched(purger: &mut Purger, now: Timestamp, watch: &mut dyn FnMut(Step)) -> Run {
    let order = Order { cutoff: retention().cutoff(now), trigger: Trigger::Asked };
    purger.run(order, &Terms::of(&retention()), &|| now, watch).unwrap()
}

/// The report of the period that ends at `now`.
pub(crate) fn close(purger: &mut Purger, store: &Store, now: Timestamp) -> Vec<Report> {
    let closing = Closing {
        kind: ReportKind::Bucket,
        at: now,
        system: store.id(),
        software: ReportLine::of("lapsed test"),
        policy: policy_digest(store.policy().as_bytes()),
        terms: Terms::of(&retention()),
        clock: ClockStanding {
            source: ClockSource::System,
            synchronised: Told::Unknown,
            offset_micros: None,
            steps: 0,
        },
        erasure: Erasure { class: ErasureClass::Unsure, stack: ReportLine::of("unknown"), same_device: Told::Yes },
        holds: 0,
        accesses: 0,
    };
    purger.close(&closing).unwrap()
}

/// Every file below a directory.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The instant of a key, if these 26 bytes are one: its bucket and its time say the same.
pub(crate) fn instant_of(key: &[u8]) -> Option<Timestamp> {
    let bucket = u64::from(u32::from_be_bytes(key[..4].try_into().unwrap()));
    let millis = u64::from_be_bytes([0, 0, key[16], key[17], key[18], key[19], key[20], key[21]]);
    let agree = key.len() == KEY && millis / (WIDTH * 1000) == bucket && bucket > START / WIDTH / 2;
    agree.then_some(Timestamp::from_millis(millis))
}

/// Every key before `limit` that stands in plain bytes in any file of a state directory, with the file.
pub(crate) fn raw_keys(dir: &Path, limit: Timestamp) -> Vec<(String, Timestamp)> {
    let mut found = Vec::new();
    for path in files(dir) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // A table may be rewritten, or a log left behind, while this looks: the database works on its own too.
        let Ok(bytes) = fs::read(&path) else { continue };
        let keys = bytes.windows(KEY).filter_map(instant_of).filter(|at| *at < limit);
        found.extend(keys.map(|at| (name.clone(), at)));
    }
    found
}

/// Every key in the tables of a closed or open store, as `sst_dump` decodes them: table, key, what it is. It shows each
/// version of a row and each mark of a deletion, which no reader sees.
pub(crate) fn table_keys(dir: &Path) -> Vec<(String, Vec<u8>, String)> {
    // While the database rewrites tables by itself, one vanishes and another is not whole yet: then this looks again.
    let looks = std::iter::repeat_with(|| decoded(dir)).take(100);
    let mut refused = String::new();
    for look in looks {
        match look {
            Ok(found) => return found,
            Err(said) => refused = said,
        }
    }
    panic!("sst_dump cannot read a table: {refused}")
}

fn decoded(dir: &Path) -> Result<Vec<(String, Vec<u8>, String)>, String> {
    let mut sst_dump = Command::new("sst_dump");
    sst_dump.arg(format!("--file={}", dir.join("db").display())).args(["--command=scan", "--output_hex"]);
    let output = sst_dump.output().unwrap();
    if !output.status.success() || !output.stderr.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let (mut found, mut table) = (Vec::new(), String::new());
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some(path) = line.strip_prefix("Process ") {
            table = path.rsplit('/').next().unwrap().to_owned();
        } else if let Some(row) = line.strip_prefix('\'') {
            // '006F…' seq:12, type:1 => value
            let (key, rest) = row.split_once('\'').unwrap();
            let kind = rest.split("type:").nth(1).unwrap().split(' ').next().unwrap();
            found.push((table.clone(), unhex(key), kind.to_owned()));
        }
    }
    Ok(found)
}

/// The keys of [`table_keys`] that are a record's, with its instant.
pub(crate) fn table_instants(dir: &Path) -> Vec<(String, Timestamp, String)> {
    let keys = table_keys(dir).into_iter().filter(|(_, key, _)| key.len() == KEY);
    keys.filter_map(|(table, key, kind)| Some((table, instant_of(&key)?, kind))).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Bytes as RocksDB's log writes them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
