//! The keyring as a file on a disk: destroyed in place and shown to be, damaged, cut, lost, and with another window.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "support/sample.rs"]
mod sample;

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::time::Duration;

use lapsed::domain::address::{Network, Realm};
use lapsed::domain::identity::{Entity, SubscriberId};
use lapsed::domain::record::Record;
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};
use lapsed::store::{
    Batch, Destruction, Extents, KeyRecord, KeyState, KeyringFound, Loss, OpenError, Opening, Place, ReadBack,
    ReadError, SealError, Store, Sweeper, Swept, WindowError,
};

const PAGE: usize = 4096;
/// 40 s of 10 s buckets: 4 * 4 + 2 + 4 slots.
const SLOTS: usize = 22;
/// Where the copy of the header lies: behind the header, a page of table and the slots.
const COPY: usize = (2 + SLOTS) * PAGE;

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

/// Where a bucket's slot lies in the file.
fn slot_of(bucket: usize) -> usize {
    (2 + bucket % SLOTS) * PAGE
}

/// Where a bucket's entry lies in the file.
fn entry_of(bucket: usize) -> usize {
    PAGE + bucket % SLOTS * 64
}

struct Home {
    dir: tempfile::TempDir,
    keys: &'static str,
}

impl Home {
    /// With the keyring in a directory of its own.
    fn apart() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), keys: "keys" }
    }

    /// With the keyring in the state directory, as it is where nothing else is configured.
    fn together() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), keys: "state" }
    }

    fn keyring(&self) -> PathBuf {
        self.dir.path().join(self.keys).join("keyring")
    }

    fn open_with(&self, retention: &Retention, opening: Opening) -> Result<Store, OpenError> {
        Store::open(&self.dir.path().join("state"), &self.dir.path().join(self.keys), retention, opening)
    }

    fn open_at(&self, now: Timestamp) -> Result<Store, OpenError> {
        self.open_with(&retention(), Opening::at(now, &retention()))
    }

    fn open(&self) -> Result<Store, OpenError> {
        self.open_at(now())
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.keyring()).unwrap()
    }

    fn patch(&self, offset: usize, bytes: &[u8]) {
        let file = fs::OpenOptions::new().write(true).open(self.keyring()).unwrap();
        file.write_all_at(bytes, u64::try_from(offset).unwrap()).unwrap();
    }

    /// Damages both headers.
    fn damage_headers(&self) {
        self.patch(60, &[1, 2, 3, 4]);
        self.patch(COPY + 60, &[1, 2, 3, 4]);
    }
}

fn record_at(secs: u32) -> Record {
    sample::start(Timestamp::from_secs(secs))
}

fn seal(store: &Store, secs: u32) -> Result<(), SealError> {
    store.sealer().seal(&record_at(secs), &Entity::default()).map(|_| ())
}

fn commit(store: &Store, secs: u32) {
    let mut batch = Batch::new();
    batch.record(store.sealer().seal(&record_at(secs), &Entity::default()).unwrap());
    store.commit(batch).unwrap();
}

fn read(store: &Store, bucket: u32) -> Result<Vec<Record>, ReadError> {
    let realm = Realm::default();
    let network = Network::single("192.0.2.7".parse().unwrap());
    let cutoff = Cutoff::of(now(), store.window());
    store.observations(cutoff).in_bucket(&Place::Address { realm: &realm, network }, Bucket(bucket))
}

fn buckets(destruction: &Destruction) -> Vec<u32> {
    destruction.keys.iter().map(|key| key.bucket.0).collect()
}

fn state(store: &Store, bucket: u32) -> Option<KeyRecord> {
    store.key_records().into_iter().find(|record| record.bucket == Bucket(bucket))
}

#[test]
fn a_destroyed_key_is_overwritten_in_place_and_read_back() {
    let place = Home::apart();
    let store = place.open().unwrap();
    let made = store.keyring_history().made.clone().unwrap().made;
    let before = place.bytes();
    let inode = fs::metadata(place.keyring()).unwrap().ino();

    // Bucket 96 ends at 970 s, and the window of 1010 s begins there.
    let later = Timestamp::from_secs(1010);
    assert_eq!(store.destroy_keys(retention().cutoff(Timestamp::from_millis(1_009_999))), Ok(Destruction::default()));
    let destruction = store.destroy_keys(retention().cutoff(later)).unwrap();
    assert_eq!((buckets(&destruction), destruction.failed.len()), (vec![96], 0));
    assert_eq!(destruction.keys[0].commitment, Some(made[0].commitment), "what was opened is what is destroyed");
    assert_ne!(destruction.read_back, ReadBack::Nothing);
    assert_ne!(destruction.extents, Extents::Nothing);

    let after = place.bytes();
    let slot = |bytes: &[u8], bucket: usize| bytes[slot_of(bucket)..slot_of(bucket) + PAGE].to_vec();
    for unchanged in 97..118 {
        assert!(slot(&before, unchanged) == slot(&after, unchanged), "slot of {unchanged}");
    }
    let same = slot(&before, 96).iter().zip(slot(&after, 96)).filter(|(a, b)| **a == *b).count();
    assert!(same < 100, "{same} of 4096 bytes are as they were");
    assert_eq!(after[entry_of(96)], 2, "the table says destroyed");
    assert_eq!(state(&store, 96).map(|record| record.state), Some(KeyState::Destroyed));
    assert_eq!(fs::metadata(place.keyring()).unwrap().ino(), inode);
    assert_eq!(store.make_keys(later).unwrap().made.iter().map(|key| key.bucket.0).collect::<Vec<_>>(), [105]);
}

#[test]
fn a_slot_that_cannot_be_overwritten_keeps_no_other_from_it_and_stays_due() {
    let place = Home::apart();
    let store = place.open().unwrap();
    let commitment = state(&store, 97).unwrap().commitment;
    store.fail_overwrite(Bucket(97));
    let cutoff = retention().cutoff(Timestamp::from_secs(1030));
    for expected in [vec![96, 98], vec![]] {
        let destruction = store.destroy_keys(cutoff).unwrap();
        assert_eq!(buckets(&destruction), expected);
        assert_eq!(destruction.failed.iter().map(|(bucket, _)| bucket.0).collect::<Vec<_>>(), [97]);
    }
    assert_eq!(seal(&store, 975), Err(SealError::Unreadable(Bucket(97))), "the key has left memory all the same");
    drop(store);

    let store = place.open_at(Timestamp::from_secs(1030)).unwrap();
    let destroyed = &store.keyring_history().destroyed;
    assert_eq!((buckets(destroyed), destroyed.keys[0].commitment), (vec![97], commitment));
}

#[test]
fn a_crash_in_the_middle_of_a_destruction_is_finished_at_the_next_start() {
    let place = Home::apart();
    drop(place.open().unwrap());
    // The slot of bucket 96 is overwritten, and the table does not say so yet.
    place.patch(slot_of(96), &[9; PAGE]);
    let store = place.open_at(Timestamp::from_secs(1010)).unwrap();
    assert_eq!(buckets(&store.keyring_history().destroyed), [96]);
    assert_eq!(store.make_keys(Timestamp::from_secs(1010)).unwrap().unreadable, []);
    assert_eq!(place.bytes()[entry_of(96)], 2, "the table says destroyed");
}

#[test]
fn in_doubt_about_the_clock_opening_destroys_nothing_and_makes_nothing() {
    let place = Home::apart();
    drop(place.open().unwrap());
    let before = place.bytes();
    let doubtful = Timestamp::from_secs(900_000);
    let opening = Opening { now: doubtful, destroy: None, make_keys: false, new_keyring: false };
    let store = place.open_with(&retention(), opening).unwrap();
    assert!(place.bytes() == before);
    assert_eq!(
        (store.keyring_history().destroyed.clone(), &store.keyring_history().made),
        (Destruction::default(), &None)
    );
    assert_eq!(seal(&store, 1005), Ok(()));
}

#[test]
fn a_damaged_slot_or_entry_makes_one_bucket_unreadable_and_is_never_replaced() {
    for offset in [slot_of(98) + 17, entry_of(98) + 20] {
        let place = Home::apart();
        let store = place.open().unwrap();
        commit(&store, 985);
        commit(&store, 995);
        drop(store);
        place.patch(offset, &[0, 1, 2, 3]);

        let store = place.open().unwrap();
        assert_eq!(store.make_keys(now()).unwrap().unreadable, [Bucket(98)]);
        assert_eq!(seal(&store, 985), Err(SealError::Unreadable(Bucket(98))));
        assert_eq!(read(&store, 98), Err(ReadError::Unreadable(Bucket(98))));
        assert_eq!(read(&store, 99), Ok(vec![record_at(995)]));
        let mut view = store.observations(retention().cutoff(now()));
        let all =
            view.of_subscriber(&Entity::default(), &SubscriberId("alice".into()), Timestamp::EPOCH, Timestamp::MAX);
        assert_eq!(all, Err(ReadError::Unreadable(Bucket(98))));
        drop(view);

        // When the bucket is past, its slot is made good, and serves a later one.
        let later = Timestamp::from_secs(1075);
        assert!(buckets(&store.destroy_keys(retention().cutoff(later)).unwrap()).contains(&98));
        assert_eq!(store.make_keys(later).unwrap().unreadable, []);
        let again = Timestamp::from_secs(1205);
        store.destroy_keys(retention().cutoff(again)).unwrap();
        assert!(store.make_keys(again).unwrap().made.iter().any(|key| key.bucket == Bucket(120)));
    }
}

#[test]
fn a_damaged_entry_of_no_bucket_of_the_window_is_made_good_at_once() {
    let place = Home::apart();
    drop(place.open().unwrap());
    // Bucket 105 has had no key yet; the slot's last bucket was 83, long ago.
    place.patch(entry_of(105) + 20, &[0, 1, 2, 3]);
    let store = place.open().unwrap();
    assert_eq!(buckets(&store.keyring_history().destroyed), [83]);
    assert_eq!(store.make_keys(now()).unwrap().unreadable, []);
    let later = Timestamp::from_secs(1010);
    assert_eq!(store.make_keys(later).unwrap().made[0].bucket, Bucket(105));
}

#[test]
fn a_header_is_mended_from_its_copy_and_the_copy_from_the_header() {
    for damaged in [0, COPY] {
        for bytes in [vec![0; PAGE], vec![1; PAGE], vec![0, 0, 0, 9]] {
            let place = Home::apart();
            let store = place.open().unwrap();
            commit(&store, 995);
            drop(store);
            let whole = place.bytes();
            // In the middle of the header, but for whole pages.
            place.patch(if bytes.len() == PAGE { damaged } else { damaged + 50 }, &bytes);
            let store = place.open().unwrap();
            assert_eq!(store.keyring_history().found, KeyringFound::Mended);
            assert_eq!(read(&store, 99), Ok(vec![record_at(995)]));
            assert!(place.bytes() == whole);
            drop(store);
            assert_eq!(place.open().unwrap().keyring_history().found, KeyringFound::Whole);
        }
    }
}

#[test]
fn a_file_that_was_cut_costs_the_buckets_that_were_cut_off() {
    let place = Home::apart();
    let store = place.open().unwrap();
    commit(&store, 975);
    drop(store);
    let whole = place.bytes().len();
    let file = fs::OpenOptions::new().write(true).open(place.keyring()).unwrap();
    file.set_len(u64::try_from(slot_of(100)).unwrap()).unwrap();
    let store = place.open().unwrap();
    assert_eq!(store.make_keys(now()).unwrap().unreadable, [100, 101, 102, 103, 104].map(Bucket));
    assert_eq!(read(&store, 97), Ok(vec![record_at(975)]));
    assert_eq!(place.bytes().len(), whole);
}

#[test]
fn a_keyring_that_may_be_somewhere_else_is_asked_for_and_not_replaced() {
    let prepared = |prepare: &dyn Fn(&Home)| {
        let place = Home::apart();
        drop(place.open().unwrap());
        prepare(&place);
        place
    };
    let missing = prepared(&|place| fs::remove_file(place.keyring()).unwrap());
    let unfinished = prepared(&|place| fs::write(place.keyring(), [0; 3 * PAGE]).unwrap());
    let damaged = prepared(&Home::damage_headers);
    let errors = [
        (&missing, OpenError::KeyringMissing(missing.keyring()), Loss::Missing),
        (&unfinished, OpenError::KeyringUnfinished(unfinished.keyring()), Loss::Unfinished),
        (&damaged, OpenError::KeyringDamaged(damaged.keyring()), Loss::Damaged),
    ];
    for (place, expected, loss) in errors {
        let before = fs::read(place.keyring()).ok();
        assert_eq!(place.open().unwrap_err(), expected);
        assert!(expected.to_string().contains("lapsed run --new-keyring"), "{expected}");
        assert!(fs::read(place.keyring()).ok() == before, "nothing is made or changed");
        let opening = Opening { new_keyring: true, ..Opening::at(now(), &retention()) };
        let store = place.open_with(&retention(), opening).unwrap();
        assert_eq!(store.keyring_history().found, KeyringFound::Lost(loss));
    }
}

#[test]
fn a_lost_keyring_beside_its_database_is_replaced_and_no_old_bucket_gets_a_key() {
    type Lose = fn(&Home);
    let ways: [(Loss, Lose); 3] = [
        (Loss::Missing, |place| fs::remove_file(place.keyring()).unwrap()),
        (Loss::Unfinished, |place| fs::write(place.keyring(), [0; 3 * PAGE]).unwrap()),
        (Loss::Damaged, Home::damage_headers),
    ];
    for (loss, lose) in ways {
        let place = Home::together();
        let store = place.open().unwrap();
        commit(&store, 995);
        drop(store);
        let before = place.bytes();
        lose(&place);

        let store = place.open().unwrap();
        assert_eq!(store.keyring_history().found, KeyringFound::Lost(loss));
        let lost: Vec<Bucket> = (96..=104).map(Bucket).collect();
        let made = store.make_keys(now()).unwrap();
        assert_eq!((made.unreadable, made.made.len(), made.live), (lost, 0, 0));
        assert_eq!(read(&store, 99), Err(ReadError::Unreadable(Bucket(99))));
        assert_eq!(seal(&store, 1005), Err(SealError::Unreadable(Bucket(100))));
        drop(store);
        assert!(!place.bytes().chunks(PAGE).any(|page| before.chunks(PAGE).skip(2).any(|old| old == page)));

        // What comes after is served, also after another start.
        let store = place.open_at(Timestamp::from_secs(1015)).unwrap();
        assert_eq!(store.keyring_history().found, KeyringFound::Whole);
        commit(&store, 1050);
        assert_eq!(store.make_keys(Timestamp::from_secs(1015)).unwrap().live, 1);
        let much_later = Timestamp::from_secs(1095);
        assert_eq!(store.make_keys(much_later).unwrap().unreadable, []);
    }
}

#[test]
fn a_clock_behind_the_database_gives_no_second_key_to_what_it_holds() {
    let place = Home::together();
    let store = place.open().unwrap();
    commit(&store, 995);
    drop(store);
    fs::remove_file(place.keyring()).unwrap();
    let store = place.open_at(Timestamp::from_secs(905)).unwrap();
    let later = store.make_keys(now()).unwrap();
    assert!(later.made.iter().all(|key| key.bucket > Bucket(99)), "{later:?}");
    assert_eq!(seal(&store, 995), Err(SealError::Unreadable(Bucket(99))));
}

#[test]
fn what_is_no_keyring_of_this_version_is_left_alone() {
    let refused = |prepare: &dyn Fn(&Home)| {
        let place = Home::together();
        drop(place.open().unwrap());
        prepare(&place);
        let before = place.bytes();
        let error = place.open().unwrap_err();
        assert!(place.bytes() == before);
        (error, place)
    };
    let (error, place) = refused(&|place| fs::write(place.keyring(), [b'x'; 30 * PAGE]).unwrap());
    assert_eq!(error, OpenError::KeyringForeign(place.keyring()));

    let (error, place) = refused(&|place| place.patch(16, &[0, 0, 0, 7]));
    assert_eq!(error, OpenError::KeyringNewer { path: place.keyring(), found: 7 });
    assert!(error.to_string().contains("newer version, format 7"), "{error}");

    let (error, place) = refused(&|place| place.patch(16, &[0, 0, 0, 1]));
    assert_eq!(error, OpenError::KeyringOlder { path: place.keyring(), found: 1 });
}

#[test]
fn another_bucket_width_is_refused() {
    let place = Home::apart();
    drop(place.open().unwrap());
    let other = Retention { bucket: BucketWidth::from_secs(20).unwrap(), ..retention() };
    let error = place.open_with(&other, Opening::at(now(), &other)).unwrap_err();
    assert_eq!(error, OpenError::OtherBucket { path: place.keyring(), stored: 10, configured: 20 });

    let elsewhere = Home::apart();
    let endless = Retention { window: Duration::from_secs(10 << 17), ..retention() };
    let error = elsewhere.open_with(&endless, Opening::at(now(), &endless)).unwrap_err();
    assert_eq!(error, OpenError::TooManyBuckets);
}

#[test]
fn a_changed_configuration_leaves_the_stores_window_in_force() {
    let place = Home::apart();
    drop(place.open().unwrap());
    // A start with a window of 20 s, at an instant at which bucket 97 would be past: by the store's 40 s it is not.
    let shorter = Retention { window: Duration::from_secs(20), ..retention() };
    let later = Timestamp::from_secs(1010);
    let store = place.open_with(&shorter, Opening::at(later, &shorter)).unwrap();
    assert_eq!((store.window().as_secs(), store.configured_window().as_secs()), (40, 20));
    assert_eq!(buckets(&store.keyring_history().destroyed), [96]);
    let policy = fs::read_to_string(place.dir.path().join("state/POLICY")).unwrap();
    assert!(policy.contains("window-seconds = 40\n"), "{policy}");
}

#[test]
fn a_window_grows_to_four_times_its_length_and_revives_nothing() {
    let place = Home::apart();
    let store = place.open().unwrap();
    commit(&store, 995);
    store.destroy_keys(retention().cutoff(Timestamp::from_secs(1010))).unwrap();
    let too_long = Duration::from_secs(161);
    let longest = Duration::from_secs(160);
    assert_eq!(store.change_window(too_long), Err(WindowError::TooLong { asked: too_long, longest }));
    assert_eq!(store.window().as_secs(), 40);

    store.change_window(longest).unwrap();
    let policy = fs::read_to_string(place.dir.path().join("state/POLICY")).unwrap();
    assert!(policy.contains("window-seconds = 160\n"), "{policy}");
    let later = Timestamp::from_secs(1010);
    store.make_keys(later).unwrap();
    assert_eq!(seal(&store, 965), Err(SealError::NoKey(Bucket(96))), "its key was destroyed, and there is no other");
    assert_eq!(read(&store, 99), Ok(vec![record_at(995)]));
    drop(store);

    // The configuration need not say it for the next start, and in 100 s what was there is still there.
    let store = place.open_at(Timestamp::from_secs(1105)).unwrap();
    assert_eq!(store.window(), longest);
    assert_eq!(read(&store, 99), Ok(vec![record_at(995)]));
}

#[test]
fn a_crash_while_the_window_changes_leaves_one_of_the_two_whole() {
    let place = Home::apart();
    let store = place.open().unwrap();
    let old = place.bytes();
    store.change_window(Duration::from_secs(80)).unwrap();
    drop(store);
    let new = place.bytes();
    let window = || place.open().unwrap().window().as_secs();

    // After the copy: the header still says the old window.
    place.patch(0, &old[..PAGE]);
    assert_eq!(window(), 40);
    assert!(place.bytes()[COPY..] == old[COPY..], "the copy follows the header");
    // In the middle of the header: the copy says the new one.
    place.patch(COPY, &new[COPY..]);
    place.patch(0, &new[..60]);
    place.patch(60, &[0xee; 20]);
    assert_eq!(window(), 80);
    // In the middle of the copy.
    place.patch(0, &old[..PAGE]);
    place.patch(COPY, &[0xee; 100]);
    assert_eq!(window(), 40);
}

#[test]
fn a_sweep_destroys_what_is_due_without_the_database_and_leaves_a_note() {
    let place = Home::apart();
    let store = place.open().unwrap();
    let dir = place.dir.path().join("keys");
    let later = Timestamp::from_secs(1020);
    assert!(matches!(Sweeper::open(&dir, later), Ok(Swept::InUse)));
    let commitments: Vec<_> = store.key_records().iter().take(2).map(|record| record.commitment).collect();
    drop(store);
    fs::remove_dir_all(place.dir.path().join("state")).unwrap();

    let Ok(Swept::Free(sweeper)) = Sweeper::open(&dir, later) else { unreachable!() };
    let destruction = sweeper.sweep(Cutoff::of(later, sweeper.window()), later).unwrap();
    assert_eq!(buckets(&destruction), [96, 97]);
    assert_eq!(buckets(&sweeper.sweep(Cutoff::of(later, sweeper.window()), later).unwrap()), [0; 0]);
    drop(sweeper);

    let store = place.open_at(later).unwrap();
    let notes = store.sweep_notes().unwrap();
    assert_eq!(notes.len(), 1, "a sweep that finds nothing says nothing");
    assert_eq!((notes[0].at, &notes[0].keys), (later, &destruction.keys));
    assert_eq!(notes[0].keys.iter().map(|key| key.commitment).collect::<Vec<_>>(), commitments);
    store.forget_sweep_notes().unwrap();
    assert_eq!(store.sweep_notes(), Ok(vec![]));
}
