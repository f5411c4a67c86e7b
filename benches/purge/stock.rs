//! Records to be purged, and how they come into a store fast.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use lapsed::domain::identity::Entity;
use lapsed::domain::record::Kind;
use lapsed::domain::time::Timestamp;
use lapsed::store::{Batch, Sealed, Sealer, Store};
use rocksdb::{Cache, ColumnFamilyDescriptor, DB, Env, Options, WaitForCompactOptions};

use crate::support::figures::took;
use crate::support::place::{NOW, Place, retention};
use crate::support::population::{ADDRESSES, Statement};

/// Records in a batch.
const BATCH: u64 = 10_000;
/// Threads that seal. Each makes every second batch.
const SEALERS: u64 = 2;

/// Records, evenly spread over minutes of the window; those count from the horizon.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) until: u64,
    pub(crate) records: u64,
}

impl Span {
    /// The statement with this number: an update, every one of another session for as long as numbers last.
    fn statement(self, number: u64) -> Statement {
        let millis = self.from * 60_000 + (self.until - self.from) * 60_000 * number / self.records;
        Statement {
            at: horizon().plus(Duration::from_millis(millis)),
            kind: Kind::Update,
            address: u32::try_from(number % u64::from(ADDRESSES)).unwrap(),
            session: u32::try_from(number).unwrap(),
        }
    }
}

/// The first instant of the window.
pub(crate) fn horizon() -> Timestamp {
    retention().cutoff(NOW).horizon()
}

/// A store full of records, with nothing left to be compacted.
pub(crate) struct Stock {
    pub(crate) store: Arc<Store>,
    pub(crate) took: Duration,
    spans: Vec<Span>,
    _place: Place,
}

impl Stock {
    /// Rows that were loaded from one minute to another: two for each record.
    pub(crate) fn rows(&self, from: u64, until: u64) -> u64 {
        let records = self.spans.iter().map(|span| {
            let minutes = until.clamp(span.from, span.until) - from.clamp(span.from, span.until);
            span.records * minutes / (span.until - span.from)
        });
        2 * records.sum::<u64>()
    }

    pub(crate) fn load(spans: &[Span]) -> Self {
        let place = Place::new();
        let loading = took(|| {
            let store = place.store();
            spans.iter().for_each(|span| load(&store, *span));
            drop(store);
            settle(&place);
        });
        Self { store: Arc::new(place.store()), took: loading.wall, spans: spans.to_vec(), _place: place }
    }
}

/// Two threads seal, this one commits.
fn load(store: &Store, span: Span) {
    thread::scope(|scope| {
        let sealed: Vec<Receiver<Vec<Sealed>>> = (0..SEALERS)
            .map(|turn| {
                let (queue, sealed) = sync_channel(2);
                let sealer = store.sealer();
                scope.spawn(move || seal(&sealer, span, turn, &queue));
                sealed
            })
            .collect();
        for batch in sealed.iter().cycle().map_while(|sealed| sealed.recv().ok()) {
            let mut rows = Batch::new();
            batch.into_iter().for_each(|sealed| rows.record(sealed));
            store.commit(rows).unwrap();
        }
    });
}

fn seal(sealer: &Sealer, span: Span, turn: u64, queue: &SyncSender<Vec<Sealed>>) {
    let entity = Entity::default();
    let mut first = turn * BATCH;
    while first < span.records {
        let numbers = first..(first + BATCH).min(span.records);
        let batch = numbers.map(|number| sealer.seal(&span.statement(number).record(), &entity).unwrap()).collect();
        queue.send(batch).unwrap();
        first += SEALERS * BATCH;
    }
}

/// Waits until RocksDB has nothing left to do, so that no run is measured beside what loading set off.
fn settle(place: &Place) {
    let path = place.state_dir().join("db");
    let cache = Cache::new_lru_cache(64 << 20);
    let (options, families): (Options, Vec<ColumnFamilyDescriptor>) =
        Options::load_latest(&path, Env::new().unwrap(), false, cache).unwrap();
    let database = DB::open_cf_descriptors(&options, path, families).unwrap();
    let mut wait = WaitForCompactOptions::default();
    wait.set_flush(true);
    database.wait_for_compact(&wait).unwrap();
}
