//! The events, and the rows that the store makes of them.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use lapsed::domain::record::{Kind, Record};
use rocksdb::{Cache, ColumnFamilyDescriptor, DB, Env, IteratorMode, Options, ReadOptions};

use crate::support::place::{NOW, Place};
use crate::support::population::{ADDRESSES, Statement};
use crate::support::rng::Rng;
use crate::support::sealing::seal_and_commit;

pub(crate) const FAMILIES: [&str; 2] = ["by_address", "by_subscriber"];

/// A key and its value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// Events, each as the record it becomes and as the two rows that the store writes for it.
pub(crate) struct Events {
    pub(crate) records: Vec<Record>,
    pub(crate) rows: Vec<[Row; 2]>,
    /// Where the keyring is that sealed the rows.
    sealed_at: Place,
}

impl Events {
    /// A thousand a second up to now: most of them updates, random subscribers, no two in the same millisecond.
    pub(crate) fn made(count: u64) -> Self {
        let mut rng = Rng::new(1);
        let mut statement = |number: u64| Statement {
            at: NOW.minus(Duration::from_millis(count - number)),
            kind: if rng.chance(94) {
                Kind::Update
            } else if rng.chance(50) {
                Kind::Start
            } else {
                Kind::Stop
            },
            address: u32::try_from(rng.between(0, u64::from(ADDRESSES))).unwrap(),
            session: u32::try_from(rng.between(0, 4_000_000)).unwrap(),
        };
        let records: Vec<Record> = (0..count).map(|number| statement(number).record()).collect();
        let sealed_at = Place::new();
        seal_and_commit(&sealed_at.store(), records.iter(), 1000);
        let [by_address, by_subscriber] = FAMILIES.map(|family| rows_in_order_of_time(&sealed_at, family));
        assert_eq!((by_address.len(), by_subscriber.len()), (records.len(), records.len()), "two rows an event");
        let rows = by_address.into_iter().zip(by_subscriber).map(|(record, entry)| [record, entry]).collect();
        Self { records, rows, sealed_at }
    }

    /// Directories in which the store seals with the keys that sealed the rows, and so makes the same bytes.
    pub(crate) fn place_with_the_same_keys(&self) -> Place {
        let place = Place::new();
        fs::create_dir(place.keyring_dir()).unwrap();
        fs::copy(self.sealed_at.keyring_dir().join("keyring"), place.keyring_dir().join("keyring")).unwrap();
        place
    }
}

/// Sizes, on the average.
impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes_of = |part: fn(&[Row; 2]) -> usize| self.rows.iter().map(part).sum::<usize>() / self.rows.len();
        let value = bytes_of(|[record, _]| record.1.len());
        let all = bytes_of(|rows| rows.iter().map(|(key, value)| key.len() + value.len()).sum());
        write!(f, "{} events; a sealed record has {value} bytes, both rows with their keys {all}", self.rows.len())
    }
}

/// A database that the store made, as RocksDB opens it with the options it finds there.
pub(crate) fn open_bare(state_dir: &Path) -> DB {
    let path = state_dir.join("db");
    let cache = Cache::new_lru_cache(64 << 20);
    let (options, families): (Options, Vec<ColumnFamilyDescriptor>) =
        Options::load_latest(&path, Env::new().unwrap(), false, cache).unwrap();
    DB::open_cf_descriptors(&options, path, families).unwrap()
}

fn rows_in_order_of_time(place: &Place, family: &str) -> Vec<Row> {
    let database = open_bare(&place.state_dir());
    let mut options = ReadOptions::default();
    options.set_total_order_seek(true);
    let family = database.cf_handle(family).unwrap();
    let iterator = database.iterator_cf_opt(family, options, IteratorMode::Start);
    let mut rows: Vec<Row> =
        iterator.map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())).unwrap()).collect();
    // The instant stands in a key behind the bucket and the tag.
    rows.sort_by(|(a, _), (b, _)| a.get(16..22).cmp(&b.get(16..22)));
    rows
}

/// Goes through the events again and again, a few at a time.
#[derive(Default)]
pub(crate) struct Turn(usize);

impl Turn {
    /// The next `count`; the first follows the last.
    pub(crate) fn take<'a, T>(&mut self, of: &'a [T], count: usize) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let (before, after) = of.split_at(self.0);
        self.0 = (self.0 + count) % of.len();
        after.iter().chain(before).cycle().take(count)
    }
}
