//! What settling needs of the store: a bucket read from end to end, single records, and a commit of its own.
//!
//! What records mean is not known here. This module keeps apart what is settled and what is not: what is committed to a
//! bucket after settling has begun with it is *late*, and until it was looked at, nothing from its bucket on counts as
//! settled for those who read.

use std::collections::{BTreeMap, BTreeSet};

use super::observations::{ReadError, open};
use super::sealer::{SealError, Sealed};
use super::{Noted, noted::Frontier};
use crate::domain::identity::Entity;
use crate::domain::record::Record;
use crate::domain::time::{Bucket, Timestamp};
use crate::store::Store;
use crate::store::engine::{Column, CommitError, Write};
use crate::store::families::Number;
use crate::store::families::meta;
use crate::store::keyring::KeyOf;
use crate::store::rows::keys::{KEY_BYTES, RowKey};

/// More late rows of one bucket than this are not kept one by one: the whole bucket is then looked at.
const MOST_LATE: usize = 1 << 18;

/// Where a record stands. It means nothing to anybody else, and nothing at all once its bucket's key is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(pub(super) [u8; KEY_BYTES]);

impl Row {
    /// The bucket it stands in.
    pub fn bucket(&self) -> Bucket {
        RowKey::from_bytes(&self.0).map_or(Bucket(0), |key| key.bucket)
    }

    /// What stands under the same tag follows one another: statements about one address in one bucket.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).take(crate::store::rows::keys::PREFIX_BYTES).all(|(a, b)| a == b)
    }
}

/// What came late to one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Late {
    /// These records.
    Rows(BTreeSet<Row>),
    /// Any of its records may have: there were too many, or an earlier process knew which.
    Any,
}

/// What came late, by bucket.
pub type LateByBucket = BTreeMap<Bucket, Late>;

/// What came late and was not settled again yet.
#[derive(Default)]
pub(in crate::store) struct Unsettled {
    /// Nobody has looked at it.
    fresh: LateByBucket,
    /// It is being settled.
    taken: LateByBucket,
}

impl Unsettled {
    /// What an earlier process noted as late: which rows, it knew alone.
    pub(in crate::store) fn of(noted: &Noted) -> Self {
        let fresh = noted.late_buckets().map(|bucket| (bucket, Late::Any)).collect();
        Self { fresh, taken: LateByBucket::new() }
    }

    fn has(&self, row: &Row) -> bool {
        let bucket = row.bucket();
        [&self.fresh, &self.taken]
            .into_iter()
            .any(|late| matches!(late.get(&bucket), Some(Late::Rows(rows)) if rows.contains(row)))
    }
}

/// What settling writes: what it derived, and what it says anew of records.
#[derive(Default)]
pub struct Findings {
    sealed: Vec<Sealed>,
    rewritten: Vec<(Row, Vec<u8>)>,
}

impl Findings {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many records they are.
    pub fn count(&self) -> usize {
        self.sealed.len().saturating_add(self.rewritten.len())
    }
}

impl std::fmt::Debug for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Findings").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl Store {
    /// The newest bucket that was settled, also if something came late since; `None` if none was.
    pub fn settled_through(&self) -> Option<Bucket> {
        self.frontier().settled
    }

    /// From here on, what is committed to this bucket or an earlier one is late. When this returns, no such commit is under way.
    pub fn begin_settling(&self, bucket: Bucket) {
        let _no_commit = self.committing();
        let mut frontier = self.frontier_mut();
        frontier.begun = frontier.begun.max(Some(bucket));
    }

    /// Visits every record of a bucket that the published cutoff does not hide: those of one address follow one another, in
    /// the order of time.
    ///
    /// # Errors
    ///
    /// If the bucket's key is damaged, or a record does not open. A bucket that never had a key holds none.
    pub fn visit_bucket(&self, bucket: Bucket, mut visit: impl FnMut(Row, Record)) -> Result<(), ReadError> {
        let cutoff = self.cutoff();
        let keys = match self.keyring.keys().key_of(bucket) {
            KeyOf::Live(keys) => keys,
            KeyOf::NeverMade | KeyOf::Gone => return Ok(()),
            KeyOf::Damaged => return Err(ReadError::Unreadable(bucket)),
        };
        let (from, end) = (bucket.0.to_be_bytes(), bucket.later(1).0.to_be_bytes());
        let mut outcome = Ok(());
        self.engine.visit_between(Column::ByAddress, &from, &end, |key, value| {
            if outcome.is_err() {
                return;
            }
            let Some((row, bytes)) = RowKey::from_bytes(key).zip(key.try_into().ok()) else {
                outcome = Err(ReadError::BadKey(bucket));
                return;
            };
            if cutoff.hides(row.at) {
                return;
            }
            match open(&keys, row, value) {
                Ok(record) => visit(Row(bytes), record),
                Err(error) => outcome = Err(error),
            }
        })?;
        outcome
    }

    /// The record in a place; `None` if it is hidden or gone.
    pub fn record_at(&self, row: Row) -> Result<Option<Record>, ReadError> {
        let Some(key) = RowKey::from_bytes(&row.0) else { return Ok(None) };
        if self.cutoff().hides(key.at) {
            return Ok(None);
        }
        let KeyOf::Live(keys) = self.keyring.keys().key_of(key.bucket) else { return Ok(None) };
        let value = self.engine.value(Column::ByAddress, &row.0)?;
        value.map(|value| open(&keys, key, &value)).transpose()
    }

    /// Adds a record that settling derived; it says where that will stand.
    pub fn derive(&self, findings: &mut Findings, record: &Record, entity: &Entity) -> Result<Option<Row>, SealError> {
        let sealed = self.sealer().seal(record, entity)?;
        let row = sealed.by_address.as_ref().map(|(key, _)| Row(*key));
        findings.sealed.push(sealed);
        Ok(row)
    }

    /// Adds what a record became; it stays in its place. With an `entity`, it is listed under its subscriber, which it did
    /// not name before.
    pub fn rewrite(
        &self,
        findings: &mut Findings,
        row: Row,
        record: &Record,
        entity: Option<&Entity>,
    ) -> Result<(), SealError> {
        let (value, listed) = self.sealer().seal_again(&row.0, record, entity)?;
        findings.rewritten.push((row, value));
        findings.sealed.extend(listed);
        Ok(())
    }

    /// Writes findings. They are not synced: a crash may lose them together with the word that their bucket is settled, and
    /// then they are found again.
    pub fn keep_findings(&self, findings: Findings) -> Result<(), CommitError> {
        let _one_at_a_time = self.committing();
        let cutoff = self.cutoff();
        let instant = |row: &Row| RowKey::from_bytes(&row.0).map_or(Timestamp::EPOCH, |key| key.at);
        let sealed = findings.sealed.into_iter().filter(|sealed| !cutoff.hides(sealed.at));
        let rewritten = findings.rewritten.into_iter().filter(|(row, _)| !cutoff.hides(instant(row)));
        let (mut rows, mut oldest) = (Vec::new(), Timestamp::MAX);
        for sealed in sealed {
            oldest = oldest.min(sealed.at);
            rows.extend(sealed.into_rows());
        }
        for (row, value) in rewritten {
            oldest = oldest.min(instant(&row));
            rows.push(Write { column: Column::ByAddress, key: row.0.to_vec(), value });
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.note_in_memory(oldest);
        self.engine.change_unsynced(rows)
    }

    /// Everything up to `bucket` is settled, but for what is late. Synced, with all findings before it.
    pub fn settled(&self, bucket: Bucket) -> Result<(), CommitError> {
        let _one_at_a_time = self.committing();
        self.engine.commit([meta::number_row(Number::SettledThrough, u64::from(bucket.0))])?;
        *self.frontier_mut() = Frontier { settled: Some(bucket), begun: Some(bucket) };
        Ok(())
    }

    /// Takes what came late, to be settled again. Until [`Store::caught_up`] says that it was, nothing from its first bucket
    /// on counts as settled.
    pub fn take_late(&self) -> LateByBucket {
        let mut late = self.late();
        late.taken = std::mem::take(&mut late.fresh);
        late.taken.clone()
    }

    /// Is it known that this record came late, and was it not settled again yet?
    pub fn is_late(&self, row: &Row) -> bool {
        self.late().has(row)
    }

    /// What [`Store::take_late`] gave is settled again.
    pub fn caught_up(&self, late: &LateByBucket) -> Result<(), CommitError> {
        let _one_at_a_time = self.committing();
        let mut unsettled = self.late();
        let done = Noted::late_in(late.keys().filter(|bucket| !unsettled.fresh.contains_key(bucket)).copied());
        self.engine.change([], done.forgetting())?;
        self.forget_notes(&done);
        unsettled.taken.clear();
        Ok(())
    }

    /// What [`Store::take_late`] gave could not be settled again.
    pub fn still_late(&self, late: LateByBucket) {
        let mut unsettled = self.late();
        unsettled.taken.clear();
        for bucket in late.into_keys() {
            unsettled.fresh.insert(bucket, Late::Any);
        }
    }

    /// The newest bucket that counts as settled for those who read: none from the first late one on.
    pub(super) fn settled_for_readers(&self) -> Option<Bucket> {
        let settled = self.frontier().settled?;
        self.noted().first_late().map_or(Some(settled), |late| Some(settled.min(late.earlier(1))))
    }

    /// Notes where late records will stand.
    pub(in crate::store) fn note_late(&self, rows: Vec<Row>) {
        let mut late = self.late();
        for row in rows {
            let of = late.fresh.entry(row.bucket()).or_insert_with(|| Late::Rows(BTreeSet::new()));
            if let Late::Rows(rows) = of {
                rows.insert(row);
                if rows.len() > MOST_LATE {
                    *of = Late::Any;
                }
            }
        }
    }
}

/// Why settling cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SettlingError {
    /// Something cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Something cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Something cannot be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// There is no room on the disk for what was found. It is found again.
    #[error("there is no room on the disk to settle")]
    NoRoom,
    /// Somebody asked for it.
    #[error("settling was interrupted")]
    Interrupted,
}
