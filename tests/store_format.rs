//! The bytes on disk, as `docs/format.md` has them: what this version writes, reads and refuses.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::coverage::{Mark, Trouble, Troubles};
use lapsed::domain::identity::{CircuitId, Entity, Line, Mac, NasId, NasPort, SessionTag, SourceName, SubscriberId};
use lapsed::domain::nat::Inside;
use lapsed::domain::record::{Kind, Record, Subject, TimeQuality};
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{Bucket, BucketWidth, Timestamp};
use lapsed::store::{
    Batch, DecodeError, KeyRecord, KeyState, Log, Number, OpenError, Opening, SealError, Store, decode, encode,
};

const PAGE: usize = 4096;

/// 40 s of 10 s buckets: 4 * 4 + 2 + 4 = 22 slots, one page of table.
fn retention() -> Retention {
    Retention {
        window: Duration::from_secs(40),
        bucket: BucketWidth::from_secs(10).unwrap(),
        purge_interval: Duration::from_secs(5),
        carry_interval: Duration::from_secs(10),
        max_silence: None,
    }
}

/// In bucket 100; the window begins in bucket 96.
fn now() -> Timestamp {
    Timestamp::from_secs(1005)
}

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn keyring(&self) -> PathBuf {
        self.dir.path().join("keys/keyring")
    }

    fn open(&self) -> Result<Store, OpenError> {
        let opening = Opening::at(now(), &retention());
        Store::open(&self.state(), &self.dir.path().join("keys"), &retention(), opening)
    }

    fn keyring_bytes(&self) -> Vec<u8> {
        fs::read(self.keyring()).unwrap()
    }

    /// The rows of a family, read without the store.
    fn rows(&self, family: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let db = raw(&self.state().join("db"));
        let family = db.cf_handle(family).unwrap();
        db.iterator_cf(family, rocksdb::IteratorMode::Start)
            .map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap())
            .collect()
    }
}

fn raw(path: &Path) -> rocksdb::DB {
    let families = rocksdb::DB::list_cf(&rocksdb::Options::default(), path).unwrap();
    rocksdb::DB::open_cf(&rocksdb::Options::default(), path, families).unwrap()
}

fn record() -> Record {
    Record {
        at: Timestamp::from_millis(1_001_234),
        kind: Kind::Start,
        subject: Subject::Assignment {
            realm: Realm("in".into()),
            network: Network::single("192.0.2.7".parse().unwrap()),
            ports: Ports::new(1024, 2047).unwrap(),
        },
        source: SourceName("src".into()),
        nas: NasId("nas".into()),
        session: SessionTag([1, 2, 3, 4, 5, 6, 7, 8]),
        subscriber: Some(SubscriberId("alice".into())),
        line: Line {
            mac: Some(Mac([2, 0, 0x5e, 0x10, 0, 1])),
            circuit_id: Some(CircuitId("c1".into())),
            remote_id: None,
            nas_port: Some(NasPort("9".into())),
        },
        quality: TimeQuality::Delayed,
        receive_delay: Duration::from_millis(1500),
        lease_end: Some(Timestamp::from_millis(4_601_234)),
        terminate_cause: Some(10),
        inside: Some(Inside { realm: Realm("in".into()), network: Network::single("10.0.0.9".parse().unwrap()) }),
        named_earlier: false,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `RecordV1` as another library sees it.
#[derive(wincode::SchemaWrite, wincode::SchemaRead, PartialEq, Debug)]
struct RecordV1 {
    kind: u8,
    quality: u8,
    subject: SubjectV1,
    session: [u8; 8],
    source: String,
    nas: String,
    subscriber: Option<String>,
    mac: Option<[u8; 6]>,
    circuit_id: Option<String>,
    remote_id: Option<String>,
    nas_port: Option<String>,
    receive_delay_ms: u64,
    lease_ms: Option<u64>,
    terminate_cause: Option<u32>,
    inside: Option<InsideV1>,
    named_earlier: bool,
}

#[derive(wincode::SchemaWrite, wincode::SchemaRead, PartialEq, Debug)]
enum InsideV1 {
    V4 { realm: String, address: [u8; 4], prefix_len: u8 },
    V6 { realm: String, address: [u8; 16], prefix_len: u8 },
}

#[derive(wincode::SchemaWrite, wincode::SchemaRead, PartialEq, Debug)]
enum SubjectV1 {
    V4 { realm: String, address: [u8; 4], prefix_len: u8, first_port: u16, last_port: u16 },
    V6 { realm: String, address: [u8; 16], prefix_len: u8, first_port: u16, last_port: u16 },
    Session,
    Nas,
    Subscriber,
}

const GOLDEN_RECORD: &str = concat!(
    "01",       // kind: start
    "02",       // quality: delayed
    "00000000", // subject: IPv4
    "0200000000000000",
    "696e", // realm "in"
    "c0000207",
    "20",
    "0004",
    "ff07",             // 192.0.2.7/32, ports 1024 to 2047
    "0102030405060708", // session
    "0300000000000000",
    "737263", // source "src"
    "0300000000000000",
    "6e6173", // NAS "nas"
    "01",
    "0500000000000000",
    "616c696365", // subscriber "alice"
    "01",
    "02005e100001", // MAC
    "01",
    "0200000000000000",
    "6331", // circuit-id "c1"
    "00",   // no remote-id
    "01",
    "0100000000000000",
    "39",               // NAS port "9"
    "dc05000000000000", // received 1500 ms later
    "01",
    "80ee360000000000", // lease runs another 3600 s
    "01",
    "0a000000", // NAS-Request
    "01",
    "00000000", // what is inside: IPv4
    "0200000000000000",
    "696e", // realm "in"
    "0a000009",
    "20", // 10.0.0.9/32
    "00", // the statement told the subscriber itself
);

#[test]
fn a_record_has_the_bytes_it_always_had() {
    let bytes = encode(&record()).unwrap();
    assert_eq!(hex(&bytes), GOLDEN_RECORD);
    assert_eq!(decode(&bytes, record().at), Ok(record()));
}

#[test]
fn a_second_library_reads_and_writes_the_same_bytes() {
    let v6 = Record {
        subject: Subject::Assignment {
            realm: Realm::default(),
            network: Network::new("2001:db8:7::/56".parse().unwrap()),
            ports: Ports::ALL,
        },
        subscriber: None,
        lease_end: None,
        named_earlier: true,
        inside: Some(Inside { realm: Realm::default(), network: Network::new("2001:db8:9::/56".parse().unwrap()) }),
        ..record()
    };
    let marker = |subject| Record { subject, terminate_cause: None, inside: None, ..record() };
    for record in [record(), v6, marker(Subject::Session), marker(Subject::Nas), marker(Subject::Subscriber)] {
        let bytes = encode(&record).unwrap();
        let read: RecordV1 = wincode::deserialize(&bytes).unwrap();
        assert_eq!(hex(&wincode::serialize(&read).unwrap()), hex(&bytes));
        assert_eq!(decode(&bytes, record.at), Ok(record));
    }
}

#[test]
fn bytes_that_are_no_record_say_why() {
    let at = record().at;
    let bytes = encode(&record()).unwrap();
    let changed = |offset: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[offset] = byte;
        decode(&bytes, at)
    };
    assert_eq!(changed(0, 17), Err(DecodeError::Kind(17)));
    assert_eq!(changed(1, 0), Err(DecodeError::Quality(0)));
    assert_eq!(changed(2, 9), Err(DecodeError::Encoding));
    assert_eq!(changed(20, 33), Err(DecodeError::PrefixLen(33)));
    assert_eq!(changed(22, 9), Err(DecodeError::Ports(0x900, 0x7ff)));
    assert_eq!(changed(bytes.len() - 2, 33), Err(DecodeError::PrefixLen(33)));
    assert_eq!(changed(bytes.len() - 1, 2), Err(DecodeError::Encoding));
    // A length of 2^63 asks for no memory.
    assert_eq!(changed(13, 0x80), Err(DecodeError::Encoding));
    assert_eq!(decode(&[bytes.as_slice(), &[0, 0]].concat(), at), Err(DecodeError::TrailingBytes(2)));
    for len in 0..bytes.len() {
        assert_eq!(decode(&bytes[..len], at), Err(DecodeError::Encoding));
    }
}

#[test]
fn a_record_of_the_longest_attributes_fits_and_a_longer_one_is_refused() {
    // 253 bytes of binary attribute are 508 of hex text.
    let longest = "0x".to_owned() + &"0".repeat(506);
    let mut record = record();
    record.nas = NasId(longest.clone());
    record.subscriber = Some(SubscriberId(longest.clone()));
    record.line.circuit_id = Some(CircuitId(longest.clone()));
    record.line.nas_port = Some(NasPort(longest.clone()));
    record.source = SourceName(longest);
    assert_eq!(decode(&encode(&record).unwrap(), record.at), Ok(record.clone()));

    record.source = SourceName("s".repeat(4000));
    assert_eq!(encode(&record), None);
    let place = Home::new();
    let store = place.open().unwrap();
    assert_eq!(store.sealer().seal(&record, &Entity::default()).err(), Some(SealError::TooLarge));
}

/// Writes a keyring by the book: every bucket `b` of the window has a slot filled with the byte `b`.
fn keyring_by_the_book() -> Vec<u8> {
    let mut header = Vec::new();
    header.extend_from_slice(b"lapsed keyring\r\n");
    header.extend_from_slice(&2_u32.to_be_bytes());
    header.extend_from_slice(&[0xAB; 16]);
    header.extend_from_slice(&40_000_u64.to_be_bytes());
    header.extend_from_slice(&10_u32.to_be_bytes());
    header.extend_from_slice(&22_u32.to_be_bytes());
    header.extend_from_slice(&[0xCD; 32]);
    header.extend_from_slice(&blake3::derive_key("lapsed 2026-11 keyring v1: checksum of the header", &header));
    header.resize(PAGE, 0);

    // Slots 8 to 16 hold buckets 96 to 104; slot 7 held 95, and 94 was lost; slots 17 to 21 and 0 to 5 are unused.
    let (mut table, mut slots) = (Vec::new(), Vec::new());
    for slot in 0..22_u32 {
        let bucket = 88 + slot;
        let page = [u8::try_from(bucket).unwrap(); PAGE];
        let key = blake3::derive_key("lapsed 2026-11 store v1: bucket key of a slot", &page);
        let commitment = blake3::derive_key("lapsed 2026-11 store v1: commitment to a slot", &key);
        let (state, bucket, commitment) = match bucket {
            94 => (3, bucket, [0; 32]),
            95 => (2, bucket, [0x95; 32]),
            96..=104 => (1, bucket, commitment),
            _ => (0, 0, [0; 32]),
        };
        let mut entry = vec![state, 0, 0, 0];
        entry.extend_from_slice(&bucket.to_be_bytes());
        entry.extend_from_slice(&commitment);
        entry.extend_from_slice(&[0; 8]);
        let mut checksum = blake3::Hasher::new_derive_key("lapsed 2026-11 keyring v1: checksum of a table entry");
        checksum.update(&slot.to_be_bytes()).update(&entry);
        entry.extend_from_slice(&checksum.finalize().as_bytes()[..16]);
        table.extend_from_slice(&entry);
        slots.extend_from_slice(&page);
    }
    table.resize(PAGE, 0);
    [header.clone(), table, slots, header].concat()
}

#[test]
fn a_keyring_by_the_book_seals_what_it_always_sealed() {
    let place = Home::new();
    fs::create_dir(place.dir.path().join("keys")).unwrap();
    fs::write(place.keyring(), keyring_by_the_book()).unwrap();
    let store = place.open().unwrap();
    assert!(place.keyring_bytes() == keyring_by_the_book(), "nothing was due and nothing missing");
    let state = |bucket| store.key_records().into_iter().find(|record| record.bucket == Bucket(bucket));
    let destroyed = KeyRecord { bucket: Bucket(95), state: KeyState::Destroyed, commitment: Some([0x95; 32]) };
    assert_eq!(state(95), Some(destroyed));
    assert_eq!(state(94), Some(KeyRecord { bucket: Bucket(94), state: KeyState::Lost, commitment: None }));

    let sealer = store.sealer();
    let mut batch = Batch::new();
    batch.record(sealer.seal(&record(), &Entity("isp".into())).unwrap());
    store.commit(batch).unwrap();
    drop(store);

    let [(key, value)] = place.rows("by_address").try_into().unwrap();
    assert_eq!(hex(&key), GOLDEN_KEY);
    assert_eq!(hex(&value), GOLDEN_VALUE);
    let [(listed, tag)] = place.rows("by_subscriber").try_into().unwrap();
    assert_eq!(hex(&listed), GOLDEN_LISTED);
    assert_eq!(tag, key[4..16]);
}

#[test]
fn tags_of_the_stores_lifetime_are_what_they_always_were() {
    let place = Home::new();
    fs::create_dir(place.dir.path().join("keys")).unwrap();
    fs::write(place.keyring(), keyring_by_the_book()).unwrap();
    let sealer = place.open().unwrap().sealer();
    let nas = NasId("nas".into());
    let session = lapsed::domain::identity::SessionId(b"65000000-1".to_vec());
    assert_eq!(sealer.session_tag(&nas, &session).to_string(), GOLDEN_SESSION);
    assert_eq!(sealer.line_tag(&nas, None, Some(Mac([2, 0, 0, 0, 0, 1]))).to_string(), GOLDEN_LINE);
    assert_eq!(hex(&sealer.actor_pseudonym("carol")), GOLDEN_ACTOR);
}

const GOLDEN_KEY: &str = "0000006404355f505eb01a54eaf020020000000f4712a1d96ad8";
const GOLDEN_VALUE: &str = "01265d3ac96e1e49612b9ab2040abe79069196aa0977b96794d0b4b5dc98e83e24457a283bb1503ea085047235f2521bd179b39040be22c50984e595dcb10086e9ecbdf6c3f4e1edcbd5a84dbc73300b1bf8b44776f651a1ba645b504657c6e17ac5ae97e8caaa70eac453bc146a1823384752dcde75e2b12d90849daa1ec04ec839856c0c4f0dfd37b2ceb31f3682a3ac04672099cb736eeeb13bf3d4b6";
const GOLDEN_LISTED: &str = "00000064554b6b2e861a7912182f019e0000000f4712a1d96ad8";
const GOLDEN_SESSION: &str = "65b87f48cc1c08e6";
const GOLDEN_LINE: &str = "907e59ac810f041f";
const GOLDEN_ACTOR: &str = "d03d79dd3a6b969e";

#[test]
fn meta_and_ledger_have_the_rows_of_the_book() {
    let place = Home::new();
    let store = place.open().unwrap();
    let mut batch = Batch::new();
    batch.record(store.sealer().seal(&record(), &Entity::default()).unwrap());
    batch.heard(&SourceName("bng-1".into()), Timestamp::from_millis(5));
    batch.heard(&SourceName("bng-1".into()), Timestamp::from_millis(4));
    batch.number(Number::TokensRecorded, 3);
    batch.number(Number::Present, 7);
    let mut troubles = Troubles::default();
    assert!(troubles.add(Trouble::Refused) && troubles.add(Trouble::Away) && !troubles.add(Trouble::Away));
    let heard = Some((Duration::from_millis(258), Duration::from_millis(4000)));
    let marks =
        [(None, Mark { heard: None, troubles }), (Some("bng-1"), Mark { heard, troubles: Troubles::default() })];
    let marks = marks.map(|(name, mark)| (Bucket(9), name.map(|name: &str| SourceName(name.into())), mark));
    marks.iter().cloned().for_each(|(bucket, whose, mark)| batch.mark(bucket, whose, mark));
    batch.entry(Log::Purge, 0, b"p0".to_vec());
    batch.entry(Log::Access, 0, b"a0".to_vec());
    batch.entry(Log::Access, 1, b"a1".to_vec());
    store.commit(batch).unwrap();

    assert_eq!(store.next_entry(Log::Access), 2);
    assert_eq!(store.next_entry(Log::Purge), 1);
    assert_eq!(store.entries(Log::Access, 1, 9), Ok(vec![(1, b"a1".to_vec())]));
    assert_eq!(store.entries(Log::Access, 0, 1), Ok(vec![(0, b"a0".to_vec())]));
    assert_eq!(store.number(Number::TokensRecorded), Ok(Some(3)));
    assert_eq!(store.marks().unwrap(), marks);
    assert_eq!(store.heard().unwrap().into_values().collect::<Vec<_>>(), [Timestamp::from_millis(5)]);
    drop(store);

    let id = place.keyring_bytes()[20..36].to_vec();
    let expected: [(&[u8], Vec<u8>); 8] = [
        (b"format", vec![0, 0, 0, 1]),
        (b"heard-in/\0\0\0\x09", vec![0, 9]),
        (b"heard-in/\0\0\0\x09bng-1", vec![0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0x0f, 0xa0]),
        (b"heard/bng-1", vec![0, 0, 0, 0, 0, 0, 0, 5]),
        (b"number/present", vec![0, 0, 0, 0, 0, 0, 0, 7]),
        (b"number/tokens-recorded", vec![0, 0, 0, 0, 0, 0, 0, 3]),
        (b"prefix-len/\x01\x20", vec![]),
        (b"store-id", id),
    ];
    assert_eq!(place.rows("meta"), expected.map(|(key, value)| (key.to_vec(), value)));
    let keys: Vec<Vec<u8>> = place.rows("ledger").into_iter().map(|(key, _)| key).collect();
    // The hashes of the leaves, then the entries.
    let hashes: [&[u8]; 3] = [b"A\0\0\0\0\0\0\0\0\0", b"A\0\0\0\0\0\0\0\0\x01", b"P\0\0\0\0\0\0\0\0\0"];
    let entries: [&[u8]; 3] = [b"a\0\0\0\0\0\0\0\0", b"a\0\0\0\0\0\0\0\x01", b"p\0\0\0\0\0\0\0\0"];
    assert_eq!(keys, [hashes, entries].concat());
}

#[test]
fn marks_are_forgotten_with_their_buckets() {
    let place = Home::new();
    let store = place.open().unwrap();
    let mut batch = Batch::new();
    let whose = Some(SourceName("bng-1".into()));
    (5..9).for_each(|bucket| batch.mark(Bucket(bucket), whose.clone(), Mark::default()));
    store.commit(batch).unwrap();
    let mut batch = Batch::new();
    batch.forget_before(Bucket(7));
    store.commit(batch).unwrap();
    let left = store.marks().unwrap().into_iter().map(|(bucket, _, _)| bucket.0);
    assert_eq!(left.collect::<Vec<_>>(), [7, 8]);
}

#[test]
fn a_new_store_is_private_and_says_what_it_keeps() {
    let place = Home::new();
    let store = place.open().unwrap();
    for private in [place.state(), place.state().join("db"), place.dir.path().join("keys")] {
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o700, "{private:?}");
    }
    assert_eq!(fs::metadata(place.keyring()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(place.keyring_bytes().len(), 25 * PAGE);
    let policy = fs::read_to_string(place.state().join("POLICY")).unwrap();
    assert!(policy.contains("window-seconds = 40\nbucket-seconds = 10\npurge-interval-seconds = 5\n"), "{policy}");
    assert_eq!(store.make_keys(now()).map(|maintained| maintained.live), Ok(9));
}

#[test]
fn what_is_not_ours_is_refused_by_name() {
    let refused = |prepare: &dyn Fn(&Home)| {
        let place = Home::new();
        drop(place.open().unwrap());
        prepare(&place);
        (place.open().unwrap_err(), place)
    };

    let (error, place) = refused(&|place| {
        let other = Home::new();
        drop(other.open().unwrap());
        fs::copy(other.keyring(), place.keyring()).unwrap();
    });
    assert_eq!(error, OpenError::OtherStore { keyring: place.keyring(), database: place.state().join("db") });

    let (error, place) = refused(&|place| {
        let db = raw(&place.state().join("db"));
        db.put_cf(db.cf_handle("meta").unwrap(), "format", [0, 0, 0, 2]).unwrap();
    });
    assert_eq!(error, OpenError::DatabaseNewer { path: place.state().join("db"), found: 2 });

    let (error, place) = refused(&|place| {
        let mut db = raw(&place.state().join("db"));
        db.create_cf("a_later_family", &rocksdb::Options::default()).unwrap();
        db.put_cf(db.cf_handle("meta").unwrap(), "format", [0, 0, 0, 2]).unwrap();
    });
    assert_eq!(error, OpenError::DatabaseNewer { path: place.state().join("db"), found: 2 });

    let (error, place) = refused(&|place| {
        raw(&place.state().join("db")).create_cf("elsewhere", &rocksdb::Options::default()).unwrap();
    });
    assert_eq!(error, OpenError::DatabaseForeign(place.state().join("db")));

    let (error, place) = refused(&|place| {
        let db = raw(&place.state().join("db"));
        db.delete_cf(db.cf_handle("meta").unwrap(), "format").unwrap();
    });
    assert_eq!(error, OpenError::DatabaseForeign(place.state().join("db")));

    let (error, place) = refused(&|place| {
        fs::remove_dir_all(place.state().join("db")).unwrap();
        fs::create_dir(place.state().join("db")).unwrap();
        fs::write(place.state().join("db/notes.txt"), "mine").unwrap();
    });
    assert_eq!(error, OpenError::DatabaseForeign(place.state().join("db")));
}

#[test]
fn a_second_one_is_kept_out() {
    let place = Home::new();
    let store = place.open().unwrap();
    assert_eq!(place.open().unwrap_err(), OpenError::Locked(place.state().join("LOCK")));
    let elsewhere = place.dir.path().join("elsewhere");
    let opening = Opening::at(now(), &retention());
    let same_keyring = Store::open(&elsewhere, &place.dir.path().join("keys"), &retention(), opening);
    assert_eq!(same_keyring.unwrap_err(), OpenError::Locked(place.keyring()));
    drop(store);
    place.open().unwrap();
}

#[test]
fn a_crash_while_the_store_is_made_is_repaired_by_making_it() {
    // In the middle of the keyring: the header page is zero.
    let place = Home::new();
    fs::create_dir(place.dir.path().join("keys")).unwrap();
    fs::write(place.keyring(), [[0; PAGE], [7; PAGE]].concat()).unwrap();
    drop(place.open().unwrap());

    // After the keyring, in the middle of the database.
    fs::rename(place.state().join("db"), place.state().join("db.new")).unwrap();
    fs::remove_file(place.state().join("db.new/CURRENT")).unwrap();
    fs::remove_file(place.state().join("POLICY")).unwrap();
    drop(place.open().unwrap());
    assert!(!place.state().join("db.new").exists());
    assert!(place.state().join("POLICY").exists());
}
