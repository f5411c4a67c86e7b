//! What is written together.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::{Column, Write};
use super::ledger::{self, Log};
use super::meta::{self, Number};
use super::sealer::Sealed;
use crate::domain::address::Family;
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;

/// Rows that become durable together, or not at all.
#[derive(Default)]
pub struct Batch {
    records: Vec<Sealed>,
    entries: Vec<(Log, u64, Vec<u8>)>,
    heard: BTreeMap<SourceName, Timestamp>,
    numbers: BTreeMap<Number, u64>,
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record. The same event twice, in one batch or in two, is stored once.
    pub fn record(&mut self, sealed: Sealed) {
        self.records.push(sealed);
    }

    /// Adds an entry to a log. The index is [`Store::next_entry`](super::Store::next_entry) plus what was added since.
    pub fn entry(&mut self, log: Log, index: u64, bytes: Vec<u8>) {
        self.entries.push((log, index, bytes));
    }

    /// Records when a source was heard. Of several instants in one batch the latest counts; over an earlier batch's, this one's.
    pub fn heard(&mut self, source: &SourceName, at: Timestamp) {
        match self.heard.get_mut(source) {
            Some(known) => *known = at.max(*known),
            None => {
                self.heard.insert(source.clone(), at);
            }
        }
    }

    /// Sets a number of the daemon's.
    pub fn number(&mut self, number: Number, value: u64) {
        self.numbers.insert(number, value);
    }

    /// Is there nothing to write?
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.entries.is_empty() && self.heard.is_empty() && self.numbers.is_empty()
    }

    /// How many records were added.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    pub(super) fn prefix_lens(&self) -> BTreeSet<(Family, u8)> {
        self.records.iter().filter_map(|sealed| sealed.prefix_len).collect()
    }

    /// The rows, with the prefix lengths that are used for the first time.
    pub(super) fn into_rows(self, fresh: &BTreeSet<(Family, u8)>) -> impl Iterator<Item = Write> {
        let records = self.records.into_iter().flat_map(|sealed| {
            let row = |column, (key, value): ([u8; _], Vec<u8>)| Write { column, key: key.to_vec(), value };
            let by_address = sealed.by_address.map(|found| row(Column::ByAddress, found));
            let by_subscriber = sealed.by_subscriber.map(|found| row(Column::BySubscriber, found));
            by_address.into_iter().chain(by_subscriber)
        });
        let entries = self.entries.into_iter().map(|(log, index, value)| Write {
            column: Column::Ledger,
            key: ledger::key(log, index).to_vec(),
            value,
        });
        let meta = fresh
            .iter()
            .map(|(family, len)| meta::prefix_len_row(*family, *len))
            .chain(self.heard.iter().map(|(source, at)| meta::heard_row(source, *at)))
            .chain(self.numbers.iter().map(|(number, value)| meta::number_row(*number, *value)))
            .collect::<Vec<_>>();
        records.chain(entries).chain(meta)
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("records", &self.records.len())
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}
