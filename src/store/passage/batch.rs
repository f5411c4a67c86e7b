//! What is written together.

use std::collections::BTreeMap;

use super::noted::{Frontier, Noted};
use super::sealer::Sealed;
use super::settling::Row;
use crate::domain::coverage::{Mark, Whose};
use crate::domain::identity::SourceName;
use crate::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};
use crate::store::cases::SealedRow;
use crate::store::engine::Write;
use crate::store::families::ledger::{Log, Trees};
use crate::store::families::marks;
use crate::store::families::meta::{self, Number};

/// Rows that become durable together, or not at all.
#[derive(Default)]
pub struct Batch {
    records: Vec<Sealed>,
    entries: Vec<(Log, u64, Vec<u8>)>,
    sealed: Vec<SealedRow>,
    heard: BTreeMap<SourceName, Timestamp>,
    followed: BTreeMap<String, Vec<u8>>,
    marks: BTreeMap<(Bucket, Whose), Mark>,
    numbers: BTreeMap<Number, u64>,
    tally: Option<Vec<u8>>,
    keys_reported: Option<Vec<u8>>,
    forget_before: Option<Bucket>,
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

    /// Adds an entry to a log. The index is [`Store::next_entry`](crate::store::Store::next_entry) plus what was added since; a commit
    /// takes no other.
    pub fn entry(&mut self, log: Log, index: u64, bytes: Vec<u8>) {
        self.entries.push((log, index, bytes));
    }

    /// Adds a row of a case. The last of several for the same row counts.
    pub fn sealed(&mut self, row: SealedRow) {
        self.sealed.push(row);
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

    /// Records how far a lease file was read, whose rows up to there are in this batch or in earlier ones. The last counts.
    pub fn followed(&mut self, name: &str, place: Vec<u8>) {
        self.followed.insert(name.to_owned(), place);
    }

    /// Sets what is noted of a source, or of all, in a bucket.
    pub fn mark(&mut self, bucket: Bucket, whose: Whose, mark: Mark) {
        self.marks.insert((bucket, whose), mark);
    }

    /// Sets a number of the daemon's.
    pub fn number(&mut self, number: Number, value: u64) {
        self.numbers.insert(number, value);
    }

    /// Sets what the purge remembers from one report to the next.
    pub fn tally(&mut self, bytes: Vec<u8>) {
        self.tally = Some(bytes);
    }

    /// Sets what reports have said of keys.
    pub fn keys_reported(&mut self, bytes: Vec<u8>) {
        self.keys_reported = Some(bytes);
    }

    /// Forgets what is noted of the buckets before this one.
    pub fn forget_before(&mut self, bucket: Bucket) {
        self.forget_before = Some(bucket);
    }

    /// Is there nothing to write?
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.entries.is_empty()
            && self.sealed.is_empty()
            && self.heard.is_empty()
            && self.followed.is_empty()
            && self.marks.is_empty()
            && self.numbers.is_empty()
            && self.tally.is_none()
            && self.keys_reported.is_none()
            && self.forget_before.is_none()
    }

    /// How many records were added.
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// Takes the entries out and appends them to the trees; the rows of both. `None` if one is not the next of its log.
    pub(in crate::store) fn append_to(&mut self, trees: &mut Trees) -> Option<Vec<Write>> {
        let mut rows = Vec::new();
        for (log, index, entry) in self.entries.drain(..) {
            rows.extend(trees.append(log, index, entry)?);
        }
        Some(rows)
    }

    /// Leaves out the records that are hidden, and says how many those were.
    pub(in crate::store) fn leave_out(&mut self, cutoff: Cutoff) -> u64 {
        let before = self.records.len();
        self.records.retain(|sealed| !cutoff.hides(sealed.at));
        u64::try_from(before.saturating_sub(self.records.len())).unwrap_or(u64::MAX)
    }

    /// Leaves out what comes late and stands there already, by its key: the same statement, of which settling has since said what
    /// it means.
    pub(in crate::store) fn leave_out_repeated<E>(
        &mut self,
        width: BucketWidth,
        frontier: Frontier,
        mut stands: impl FnMut(&[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut outcome = Ok(());
        self.records.retain(|sealed| {
            let Some((key, _)) = sealed.by_address.as_ref().filter(|_| sealed.is_late(width, frontier)) else {
                return true;
            };
            match stands(key) {
                Ok(known) => !known,
                Err(error) => {
                    outcome = Err(error);
                    true
                }
            }
        });
        outcome
    }

    /// The instant of the oldest record.
    pub(in crate::store) fn oldest(&self) -> Option<Timestamp> {
        self.records.iter().map(|sealed| sealed.at).min()
    }

    /// The first bucket of which anything is still noted, where that changes.
    pub(in crate::store) fn forgets_before(&self) -> Option<Bucket> {
        self.forget_before
    }

    /// What need not be noted any more.
    pub(in crate::store) fn forgotten(&self, noted: &Noted) -> Noted {
        self.forget_before.map_or_else(Noted::default, |first| noted.before(first))
    }

    /// What is to be noted of the records.
    pub(in crate::store) fn noted(&self, width: BucketWidth, frontier: Frontier) -> Noted {
        let mut noted = Noted::default();
        for sealed in &self.records {
            let late = sealed.is_late(width, frontier).then(|| width.bucket_of(sealed.at));
            noted.add(sealed.prefix_len, sealed.reset, late);
        }
        noted
    }

    /// Where the records will stand that come after their bucket was settled.
    pub(in crate::store) fn late(&self, width: BucketWidth, frontier: Frontier) -> Vec<Row> {
        let late = self.records.iter().filter(|sealed| sealed.is_late(width, frontier));
        late.filter_map(|sealed| sealed.by_address.as_ref().map(|(key, _)| Row(*key))).collect()
    }

    /// The rows but those of entries, with what is to be noted for the first time.
    pub(in crate::store) fn into_rows(self, fresh: &Noted) -> impl Iterator<Item = Write> {
        let records = self.records.into_iter().flat_map(Sealed::into_rows);
        let sealed = self.sealed.into_iter().map(SealedRow::into_write);
        let meta = fresh
            .rows()
            .chain(self.heard.iter().map(|(source, at)| meta::heard_row(source, *at)))
            .chain(self.followed.into_iter().map(|(name, place)| meta::followed_row(&name, place)))
            .chain(self.marks.iter().map(|((bucket, whose), mark)| marks::row(*bucket, whose, *mark)))
            .chain(self.numbers.iter().map(|(number, value)| meta::number_row(*number, *value)))
            .chain(self.tally.map(meta::tally_row))
            .chain(self.keys_reported.map(meta::keys_reported_row))
            .collect::<Vec<_>>();
        records.chain(sealed).chain(meta)
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
