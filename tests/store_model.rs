//! The store against a map: what was committed is found, what is past is not, and no file holds a name in clear.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/sample.rs"]
mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use lapsed::domain::address::{Family, Network, Ports, Realm};
use lapsed::domain::identity::{CircuitId, Entity, Line, Mac, NasId, SessionTag, SourceName, SubscriberId};
use lapsed::domain::record::{Kind, Record, Subject, TimeQuality};
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};
use lapsed::store::{Batch, CommitError, Destruction, EngineError, Fault, Opening, Place, ReadError, SealError, Store};
use proptest::prelude::*;

const WINDOW: u64 = 100;
const SUBSCRIBERS: [&str; 3] = ["alice.example-subscriber", "bob.example-subscriber", "carol.example-subscriber"];
const NASES: [&str; 2] = ["bng-north.example", "bng-south.example"];
const NETWORKS: [&str; 5] =
    ["192.0.2.7/32", "198.51.100.0/24", "203.0.113.255/32", "2001:db8:77:8800::/56", "2001:db8:77:8800::77/128"];
const REALMS: [&str; 2] = ["", "inside-the-cgnat"];

fn retention() -> Retention {
    Retention {
        window: Duration::from_secs(WINDOW),
        bucket: BucketWidth::from_secs(10).unwrap(),
        purge_interval: Duration::from_secs(5),
        carry_interval: Duration::from_secs(10),
        max_silence: None,
    }
}

fn entity() -> Entity {
    Entity("isp-east".into())
}

fn pick<T: Copy + std::fmt::Debug + 'static, const N: usize>(of: [T; N]) -> impl Strategy<Value = T> {
    proptest::sample::select(of.to_vec())
}

/// A record some time before now, given as `at` milliseconds.
fn record() -> impl Strategy<Value = Record> {
    let subject = prop_oneof![
        6 => (pick(REALMS), pick(NETWORKS), pick([(0, u16::MAX), (1024, 2047)])).prop_map(|(realm, network, (first, last))| {
            Subject::Assignment {
                realm: Realm(realm.into()),
                network: Network::new(network.parse().unwrap()),
                ports: Ports::new(first, last).unwrap(),
            }
        }),
        1 => Just(Subject::Session),
        1 => Just(Subject::Nas),
        1 => Just(Subject::Subscriber),
    ];
    let said = (pick([Kind::Start, Kind::Update, Kind::Stop]), pick(NASES), 0..3_u8);
    let who = (proptest::option::weighted(0.8, pick(SUBSCRIBERS)), any::<bool>(), any::<bool>());
    // Few instants, so that statements meet.
    (0..20_u64, subject, said, who).prop_map(|(ago, subject, (kind, nas, session), (subscriber, line, lease))| {
        let at = Timestamp::from_millis(ago * (WINDOW * 1000 / 20));
        let (kind, subscriber) = match subject {
            Subject::Assignment { .. } => (kind, subscriber),
            Subject::Session => (Kind::SessionEnd, subscriber),
            Subject::Nas => (Kind::Reset, None),
            Subject::Subscriber => (Kind::Logon, subscriber.or(Some(SUBSCRIBERS[0]))),
        };
        Record {
            at,
            kind,
            subject,
            source: SourceName("source-1".into()),
            nas: NasId(nas.into()),
            session: SessionTag([session; 8]),
            subscriber: subscriber.map(|name| SubscriberId(name.into())),
            line: Line {
                mac: line.then_some(Mac([0x02, 0x00, 0x5e, 0x10, 0x99, session])),
                circuit_id: line.then(|| CircuitId("olt-7/ont-1234".into())),
                remote_id: None,
                nas_port: None,
            },
            quality: TimeQuality::Stamped,
            receive_delay: Duration::from_millis(ago),
            lease_end: lease.then(|| at.plus(Duration::from_secs(3600))),
            terminate_cause: None,
            inside: None,
            named_earlier: false,
        }
    })
}

#[derive(Clone, Debug)]
enum Step {
    /// Records by their age, written together.
    Commit(Vec<Record>),
    Advance(u64),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => proptest::collection::vec(record(), 1..12).prop_map(Step::Commit),
        3 => (0..60_000_u64).prop_map(Step::Advance),
        1 => Just(Step::Reopen),
    ]
}

/// The same event twice has the same identity, whatever else it says the second time.
type Identity = (Timestamp, String);

fn identity(record: &Record) -> Identity {
    let who = if record.subject == Subject::Subscriber { record.subscriber.clone() } else { None };
    let who = who.map(|name| name.0);
    (record.at, format!("{:?} {:?} {:?} {:?} {who:?}", record.subject, record.nas, record.session, record.kind))
}

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_cached_key(identity);
    records
}

struct World {
    dir: tempfile::TempDir,
    store: Option<Store>,
    now: Timestamp,
    model: BTreeMap<Identity, Record>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            dir: tempfile::tempdir().unwrap(),
            store: None,
            now: Timestamp::from_secs(1_700_000_003),
            model: BTreeMap::new(),
        };
        world.reopen();
        world
    }

    fn reopen(&mut self) {
        self.store = None;
        self.store = Some(open(self.dir.path(), self.now));
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn cutoff(&self) -> Cutoff {
        retention().cutoff(self.now)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Reopen => self.reopen(),
            Step::Advance(millis) => {
                self.now = self.now.plus(Duration::from_millis(millis));
                self.store().destroy_keys(self.cutoff()).unwrap();
                let maintained = self.store().make_keys(self.now).unwrap();
                assert_eq!((maintained.refused, maintained.unreadable), (vec![], vec![]));
                assert!(self.now < maintained.next);
            }
            Step::Commit(records) => {
                let mut batch = Batch::new();
                for mut record in records {
                    let age = Duration::from_millis(record.at.millis());
                    record.lease_end = record.lease_end.map(|end| self.now.plus(end.since(record.at)).minus(age));
                    record.at = self.now.minus(age);
                    batch.record(self.store().sealer().seal(&record, &entity()).unwrap());
                    self.model.insert(identity(&record), record);
                }
                self.store().commit(batch).unwrap();
            }
        }
    }

    fn expected(&self, wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        let cutoff = self.cutoff();
        self.model.values().filter(|record| !cutoff.hides(record.at) && wanted(record)).cloned().collect()
    }

    fn found(&self, place: &Place<'_>) -> Vec<Record> {
        let width = retention().bucket;
        let mut view = self.store().observations(self.cutoff());
        let mut found = Vec::new();
        // Some buckets that are past, and some that are to come.
        let first = width.bucket_of(self.cutoff().horizon()).earlier(20);
        for bucket in (first.0..=width.bucket_of(self.now).later(20).0).map(Bucket) {
            let records = view.in_bucket(place, bucket).unwrap();
            assert!(records.is_sorted_by_key(|record| record.at));
            assert!(records.iter().all(|record| width.bucket_of(record.at) == bucket));
            found.extend(records);
        }
        sorted(found)
    }

    fn check(&self) {
        for realm in REALMS.map(|realm| Realm(realm.into())) {
            for network in NETWORKS.map(|network| Network::new(network.parse().unwrap())) {
                let expected = self.expected(|record| {
                    matches!(&record.subject, Subject::Assignment { realm: of, network: is, .. } if *of == realm && *is == network)
                });
                assert_eq!(self.found(&Place::Address { realm: &realm, network }), sorted(expected));
            }
        }
        for nas in NASES.map(|nas| NasId(nas.into())) {
            let resets = self.expected(|record| record.subject == Subject::Nas && record.nas == nas);
            assert_eq!(self.found(&Place::Nas { nas: &nas }), sorted(resets));
            for session in (0..3).map(|byte| SessionTag([byte; 8])) {
                let ends = self.expected(|record| {
                    record.subject == Subject::Session && record.nas == nas && record.session == session
                });
                assert_eq!(self.found(&Place::Session { nas: &nas, session }), sorted(ends));
            }
        }
        self.check_subscribers();
        self.check_prefix_lens();
    }

    fn check_subscribers(&self) {
        let middle = self.now.minus(Duration::from_secs(WINDOW / 2));
        for name in SUBSCRIBERS.map(|name| SubscriberId(name.into())) {
            for (from, until) in [(Timestamp::EPOCH, Timestamp::MAX), (middle, self.now), (middle, middle)] {
                let expected = self.expected(|record| {
                    let listed = matches!(record.subject, Subject::Assignment { .. } | Subject::Subscriber);
                    listed && record.subscriber.as_ref() == Some(&name) && from <= record.at && record.at < until
                });
                let mut view = self.store().observations(self.cutoff());
                let found = view.of_subscriber(&entity(), &name, from, until).unwrap();
                assert!(found.is_sorted_by_key(|record| record.at));
                assert_eq!(sorted(found), sorted(expected));
                let other = view.of_subscriber(&Entity("isp-west".into()), &name, from, until);
                assert_eq!(other, Ok(vec![]));
            }
        }
    }

    fn check_prefix_lens(&self) {
        let view = self.store().observations(self.cutoff());
        for family in [Family::V4, Family::V6] {
            let known = view.prefix_lens(family);
            assert!(known.is_sorted_by(|a, b| a > b));
            let used = self.expected(
                |record| matches!(&record.subject, Subject::Assignment { network, .. } if network.family() == family),
            );
            for record in used {
                let Subject::Assignment { network, .. } = record.subject else { unreachable!() };
                assert!(known.contains(&network.prefix_len()));
            }
        }
    }
}

fn open(dir: &Path, now: Timestamp) -> Store {
    let opening = Opening::at(now, &retention());
    Store::open(&dir.join("state"), &dir.join("keys"), &retention(), opening).unwrap()
}

/// What must stand in no file: names as text, addresses and MACs as the bytes they are.
fn assert_nothing_in_clear(dir: &Path) {
    let mut secrets: Vec<Vec<u8>> = SUBSCRIBERS.iter().chain(&NASES).map(|text| text.as_bytes().to_vec()).collect();
    secrets.push(b"olt-7/ont-1234".to_vec());
    secrets.push(vec![0x02, 0x00, 0x5e, 0x10, 0x99]);
    secrets.push(b"02:00:5e:10:99".to_vec());
    secrets.push(vec![0x20, 0x01, 0x0d, 0xb8, 0x00, 0x77, 0x88]);
    secrets.push(b"inside-the-cgnat".to_vec());
    let mut dirs = vec![dir.to_owned()];
    let mut files = 0;
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            files += 1;
            let bytes = fs::read(&path).unwrap();
            for secret in &secrets {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{secret:?} stands in {path:?}");
            }
        }
    }
    assert!(files > 5, "the search looked at {files} files");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_committed_is_found_until_it_is_past(steps in proptest::collection::vec(step(), 1..14)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
        // Once more from the files alone. Opening has then also moved the log into tables.
        world.reopen();
        world.check();
        world.store = None;
        assert_nothing_in_clear(world.dir.path());
    }
}

fn at(secs: u64) -> (Timestamp, Record) {
    let at = Timestamp::from_millis(secs * 1000);
    (at, sample::start(at))
}

fn commit(store: &Store, record: &Record) -> Result<(), CommitError> {
    let mut batch = Batch::new();
    batch.record(store.sealer().seal(record, &entity()).unwrap());
    store.commit(batch).map(drop)
}

fn found(store: &Store, record: &Record, now: Timestamp) -> Result<Vec<Record>, ReadError> {
    let Subject::Assignment { realm, network, .. } = &record.subject else { unreachable!() };
    let bucket = retention().bucket.bucket_of(record.at);
    store.observations(retention().cutoff(now)).in_bucket(&Place::Address { realm, network: *network }, bucket)
}

#[test]
fn a_writer_that_was_told_of_a_failure_gets_no_further_and_finds_the_truth_at_the_next_start() {
    // The story: a sync failed, the writer tried again, the second sync "succeeded" over pages that the first had dropped, and
    // events were acknowledged that no disk had seen.
    for (fault, kept) in [(Fault::NotPersisted, false), (Fault::PersistedButFailed, true)] {
        let dir = tempfile::tempdir().unwrap();
        let (now, first) = at(5000);
        let (_, second) = at(4990);
        let (_, third) = at(4980);
        let store = open(dir.path(), now);
        store.fail_commit(1, fault);
        assert_eq!(commit(&store, &first), Ok(()));
        assert_eq!(commit(&store, &second), Err(CommitError::Failed(EngineError::Injected)));
        assert_eq!(commit(&store, &third), Err(CommitError::Stopped));
        drop(store);

        let store = open(dir.path(), now);
        assert_eq!(found(&store, &first, now), Ok(vec![first]));
        assert_eq!(found(&store, &second, now).unwrap().len(), usize::from(kept));
        assert_eq!(found(&store, &third, now), Ok(vec![]));
        assert_eq!(commit(&store, &third), Ok(()));
    }
}

#[test]
fn an_event_from_before_the_window_or_from_the_future_has_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let (now, record) = at(5000);
    let store = open(dir.path(), now);
    let seal = |secs: u64| {
        let record = Record { at: Timestamp::from_millis(secs * 1000), ..record.clone() };
        store.sealer().seal(&record, &entity()).err()
    };
    assert_eq!(seal(4899), Some(SealError::NoKey(Bucket(489))));
    assert_eq!(seal(4900), None);
    assert_eq!(seal(5049), None);
    assert_eq!(seal(5050), Some(SealError::NoKey(Bucket(505))));
}

#[test]
fn a_clock_that_went_back_finds_keys_destroyed_and_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let (now, record) = at(5000);
    let store = open(dir.path(), now);
    commit(&store, &record).unwrap();
    let later = now.plus(Duration::from_secs(500));
    assert_eq!(store.destroy_keys(retention().cutoff(later)).unwrap().keys.len(), 15);
    store.make_keys(later).unwrap();

    assert_eq!(store.destroy_keys(retention().cutoff(now)).unwrap(), Destruction::default());
    let back = store.make_keys(now).unwrap();
    assert_eq!(back.made, vec![]);
    // Later buckets have the slots of eleven of them; of the others the table says that their keys were destroyed.
    assert_eq!(back.refused.len(), 11);
    assert_eq!(found(&store, &record, now), Err(ReadError::Destroyed(Bucket(500))), "not: nobody had it");
    assert_eq!(store.sealer().seal(&record, &entity()).err(), Some(SealError::NoKey(Bucket(500))));
    assert_eq!(found(&store, &record, later), Ok(vec![]));
}

#[test]
fn an_outage_longer_than_the_window_leaves_nothing_and_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (now, record) = at(5000);
    let store = open(dir.path(), now);
    commit(&store, &record).unwrap();
    drop(store);
    let (later, fresh) = at(9000);
    let store = open(dir.path(), later);
    let maintained = store.make_keys(later).unwrap();
    assert_eq!((maintained.live, maintained.refused.len()), (15, 0));
    commit(&store, &fresh).unwrap();
    assert_eq!(found(&store, &fresh, later), Ok(vec![fresh]));
}

#[test]
fn a_view_does_not_change_while_others_write() {
    let dir = tempfile::tempdir().unwrap();
    let (now, record) = at(5000);
    let store = open(dir.path(), now);
    let mut view = store.observations(retention().cutoff(now));
    commit(&store, &record).unwrap();
    let Subject::Assignment { realm, network, .. } = &record.subject else { unreachable!() };
    let place = Place::Address { realm, network: *network };
    assert_eq!(view.in_bucket(&place, Bucket(500)), Ok(vec![]));
    assert_eq!(found(&store, &record, now), Ok(vec![record.clone()]));
}
