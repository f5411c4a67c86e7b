//! The steps of a purge on the real store: what is hidden is gone from every file afterwards, and what is not stays.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[path = "support/sample.rs"]
mod sample;

use std::fs;
use std::path::Path;
use std::time::Duration;

use lapsed::domain::address::{Network, Realm};
use lapsed::domain::identity::{Entity, SessionTag, SubscriberId};
use lapsed::domain::record::{Kind, Record, Subject};
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{Bucket, BucketWidth, Timestamp};
use lapsed::store::{Batch, Dead, Opening, Place, Store};

const WIDTH: u64 = 10;
/// A round instant in a year that a raw search can tell from noise.
const START: u64 = 1_700_000_000;

fn retention() -> Retention {
    Retention {
        window: Duration::from_secs(100),
        bucket: BucketWidth::from_secs(10).unwrap(),
        purge_interval: Duration::from_secs(5),
        carry_interval: Duration::from_secs(10),
        max_silence: None,
    }
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis((START + secs) * 1000)
}

fn record(at: Timestamp, host: u8, kind: Kind) -> Record {
    let subject = match kind {
        Kind::Logon => Subject::Subscriber,
        Kind::Reset => Subject::Nas,
        _ => sample::whole(Network::single([192, 0, 2, host].into())),
    };
    let subscriber = (kind != Kind::Reset).then(|| SubscriberId(format!("subscriber-{host}")));
    Record { kind, subject, session: SessionTag([host; 8]), subscriber, ..sample::start(at) }
}

fn commit(store: &Store, records: impl IntoIterator<Item = Record>) -> u64 {
    let mut batch = Batch::new();
    records.into_iter().for_each(|record| batch.record(store.sealer().seal(&record, &Entity::default()).unwrap()));
    store.commit(batch).unwrap()
}

/// Every instant before `limit` that a self-consistent key names, in any file below `dir`.
fn expired_keys(dir: &Path, limit: Timestamp) -> Vec<(String, Timestamp)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(expired_keys(&path, limit));
            continue;
        }
        for key in fs::read(&path).unwrap().windows(26) {
            let bucket = u64::from(u32::from_be_bytes(key[..4].try_into().unwrap()));
            let millis = u64::from_be_bytes([0, 0, key[16], key[17], key[18], key[19], key[20], key[21]]);
            if millis / (WIDTH * 1000) == bucket && bucket > START / WIDTH / 2 && millis < limit.millis() {
                found.push((path.display().to_string(), Timestamp::from_millis(millis)));
            }
        }
    }
    found
}

/// All steps, as the purge takes them.
fn purge(store: &Store, now: Timestamp) {
    store.hide(retention().cutoff(now));
    store.flush_expired(now).unwrap();
    store.destroy_keys(retention().cutoff(now)).unwrap();
    store.make_keys(now).unwrap();
    store.drop_hidden();
    store.unlink(Bucket(u32::MAX)).unwrap();
    let mut batch = Batch::new();
    batch.tally(b"a run".to_vec());
    store.conclude(batch).unwrap();
}

#[test]
fn what_is_hidden_is_gone_from_every_file_and_what_is_not_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), dir.path(), &retention(), Opening::at(at(100), &retention())).unwrap();
    for second in 0..100 {
        let host = u8::try_from(second).unwrap();
        commit(&store, [Kind::Start, Kind::Logon, Kind::Reset].map(|kind| record(at(second), host, kind)));
    }
    assert!(!expired_keys(dir.path(), at(100)).is_empty(), "the search finds what is there");
    // The cutoff cuts a bucket in two: its first five seconds are past.
    let now = at(155);
    store.hide(retention().cutoff(now));
    let doomed = store.doomed().unwrap();
    assert_eq!((doomed.assignments.rows, doomed.logons.rows, doomed.listings.rows), (110, 55, 55));
    assert_eq!(doomed.oldest(), Some(at(0)));
    assert_eq!(doomed.oldest_kept, Some(at(55)), "of the bucket that the cutoff cuts through");

    purge(&store, now);
    assert_eq!(store.dropped().total(), doomed.total());
    assert_eq!(store.doomed().unwrap().total(), 0);
    let bounds = store.bounds().unwrap();
    assert_eq!((bounds.expired.len(), bounds.tombstones.len(), bounds.foreign.len()), (0, 0, 0));
    assert_eq!(expired_keys(dir.path(), at(55)), []);

    let mut view = store.observations(retention().cutoff(now));
    for second in 55..100 {
        let (realm, network) = (Realm::default(), Network::single([192, 0, 2, u8::try_from(second).unwrap()].into()));
        let place = Place::Address { realm: &realm, network };
        let found = view.in_bucket(&place, retention().bucket.bucket_of(at(second))).unwrap();
        assert_eq!(found, [record(at(second), u8::try_from(second).unwrap(), Kind::Start)]);
    }
}

#[test]
fn a_record_that_was_hidden_while_it_waited_for_the_writer_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), dir.path(), &retention(), Opening::at(at(100), &retention())).unwrap();
    let mut batch = Batch::new();
    for second in [3, 70] {
        batch.record(store.sealer().seal(&record(at(second), 1, Kind::Start), &Entity::default()).unwrap());
    }
    store.hide(retention().cutoff(at(104)));
    assert_eq!(store.commit(batch), Ok(1));
    assert_eq!(store.doomed().unwrap().total(), 0);
}

#[test]
fn a_filter_that_drops_nothing_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), dir.path(), &retention(), Opening::at(at(100), &retention())).unwrap();
    commit(&store, (0..50).map(|host| record(at(u64::from(host)), host, Kind::Start)));
    store.blind_filter(true);
    purge(&store, at(155));
    assert_eq!(store.dropped().total(), 0);
    assert_eq!(store.doomed().unwrap().total(), 100);
    assert_ne!(store.bounds().unwrap().expired.len(), 0);
    store.blind_filter(false);
    purge(&store, at(155));
    assert_eq!(store.doomed().unwrap().total(), 0);
}

#[test]
fn the_cutoff_survives_a_restart_and_never_moves_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), dir.path(), &retention(), Opening::at(at(100), &retention())).unwrap();
    store.hide(retention().cutoff(at(150)));
    store.hide(retention().cutoff(at(140)));
    assert_eq!(store.cutoff().horizon(), at(50));
    let mut batch = Batch::new();
    batch.number(lapsed::store::Number::Cutoff, at(50).millis());
    store.conclude(batch).unwrap();
    drop(store);
    let store = Store::open(dir.path(), dir.path(), &retention(), Opening::at(at(140), &retention())).unwrap();
    assert_eq!(store.cutoff().horizon(), at(50));
}

#[test]
fn what_does_not_belong_in_the_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), dir.path(), &retention(), Opening::at(at(100), &retention())).unwrap();
    commit(&store, (0..50).map(|host| record(at(u64::from(host)), host, Kind::Start)));
    let dead = Dead { logs: store.listing().unwrap().logs, ..Dead::default() };
    assert!(!dead.logs.is_empty());
    purge(&store, at(155));
    assert!(store.leftovers(&dead).unwrap().is_empty(), "{:?}", store.leftovers(&dead));

    let database = dir.path().join("db");
    fs::create_dir(database.join("archive")).unwrap();
    for name in ["999999.sst", "MANIFEST-000001"] {
        fs::write(database.join(name), b"").unwrap();
    }
    let found = store.leftovers(&dead).unwrap();
    let names = |of: &std::collections::BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found.tables), ["999999.sst"]);
    assert_eq!(names(&found.manifests), ["MANIFEST-000001"]);
    assert_eq!(names(&found.others), ["archive"]);
}

#[test]
fn a_reader_that_holds_on_to_a_file_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), dir.path(), &retention(), Opening::at(at(100), &retention())).unwrap();
    commit(&store, (0..50).map(|host| record(at(u64::from(host)), host, Kind::Start)));
    store.flush_expired(at(100)).unwrap();
    let before = store.bounds().unwrap().live;
    let mut view = store.observations(retention().cutoff(at(100)));
    let (realm, network) = (Realm::default(), Network::single([192, 0, 2, 1].into()));
    let place = Place::Address { realm: &realm, network };
    let bucket = retention().bucket.bucket_of(at(1));
    assert_eq!(view.in_bucket(&place, bucket).unwrap().len(), 1);
    purge(&store, at(155));
    let live = store.bounds().unwrap().live;
    let dead = Dead { tables: before.difference(&live).cloned().collect(), ..Dead::default() };
    assert!(!dead.tables.is_empty());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| store.leftovers(&dead).unwrap());
        drop(view);
        assert!(waiting.join().unwrap().is_empty());
    });
}
