//! The store's side.

use lapsed::store::Store;

use crate::events::{Events, Turn};
use crate::support::place::Place;
use crate::support::sealing::{BothTook, seal_and_commit};

/// A store that takes events.
pub(crate) struct Sealing<'a> {
    events: &'a Events,
    turn: Turn,
    store: Store,
    _place: Place,
}

impl<'a> Sealing<'a> {
    pub(crate) fn new(events: &'a Events) -> Self {
        let place = events.place_with_the_same_keys();
        Self { events, turn: Turn::default(), store: place.store(), _place: place }
    }

    /// Seals and commits the next events.
    pub(crate) fn run(&mut self, batch: usize, batches: usize) -> BothTook {
        let records = self.turn.take(&self.events.records, batch * batches);
        seal_and_commit(&self.store, records, batch)
    }
}
