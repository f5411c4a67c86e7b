//! RocksDB's side.

use rocksdb::{DB, WriteBatch, WriteOptions};

use crate::events::{Events, FAMILIES, Turn, open_bare};
use crate::support::figures::{Took, took};
use crate::support::place::Place;

/// A database that takes rows.
pub(crate) struct Bare<'a> {
    events: &'a Events,
    turn: Turn,
    database: DB,
    _place: Place,
}

impl<'a> Bare<'a> {
    pub(crate) fn new(events: &'a Events) -> Self {
        let place = events.place_with_the_same_keys();
        // The store makes the database and lets go of it.
        drop(place.store());
        Self { events, turn: Turn::default(), database: open_bare(&place.state_dir()), _place: place }
    }

    /// Writes the rows of the next events.
    pub(crate) fn run(&mut self, batch: usize, batches: usize) -> Took {
        let [by_address, by_subscriber] = FAMILIES.map(|family| self.database.cf_handle(family).unwrap());
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let mut rows = self.turn.take(&self.events.rows, batch * batches);
        took(|| {
            for _ in 0..batches {
                let mut writes = WriteBatch::default();
                for [(record_key, record), (entry_key, entry)] in rows.by_ref().take(batch) {
                    writes.put_cf(by_address, record_key, record);
                    writes.put_cf(by_subscriber, entry_key, entry);
                }
                self.database.write_opt(writes, &options).unwrap();
            }
        })
    }
}
