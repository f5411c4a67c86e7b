//! What a run says of keys: which were opened and destroyed since the reports before it.
//!
//! It goes by the keyring's table and by what earlier reports have said, and not by what this process remembers: so a key
//! that was destroyed just before a crash, by opening or by a sweep, is in the next report.

use std::collections::BTreeSet;

use crate::domain::time::{Bucket, Timestamp};
use crate::store::{DestroyedKey, Destruction, KeyRecord, KeyState, ReadBack as HowRead};

use super::run::{Check, Extents, KeyDestroyed, ReadBack, Run};

/// The keys that reports have said to be open, and not yet to be destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The latest bucket of which anything was said.
    pub(super) through: Option<Bucket>,
    /// The buckets.
    pub(super) open: BTreeSet<Bucket>,
}

impl Reported {
    /// The bytes that are kept: numbers of buckets, the first of them [`Reported::through`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let buckets = self.through.into_iter().chain(self.open.iter().copied());
        buckets.flat_map(|bucket| bucket.0.to_be_bytes()).collect()
    }

    /// Reads them back; `None` if they are no such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (buckets, rest) = bytes.as_chunks::<4>();
        let mut buckets = buckets.iter().map(|bytes| Bucket(u32::from_be_bytes(*bytes)));
        rest.is_empty().then(|| Self { through: buckets.next(), open: buckets.collect() })
    }

    /// What is known after a run.
    #[must_use]
    pub fn after(&self, run: &Run) -> Self {
        let mut after = self.clone();
        for (bucket, _) in &run.opened {
            after.open.insert(*bucket);
            after.through = after.through.max(Some(*bucket));
        }
        for key in &run.destroyed {
            after.open.remove(&key.bucket);
            after.through = after.through.max(Some(key.bucket));
        }
        after
    }

    fn is_new(&self, bucket: Bucket) -> bool {
        self.through.is_none_or(|through| through < bucket)
    }
}

/// Enters into the run what the table says beyond what was reported. `at` is when the run's own destruction was durable;
/// `before` is what others destroyed since the last run, so far as they left word.
pub(super) fn account(
    run: &mut Run,
    records: &[KeyRecord],
    destruction: &Destruction,
    before: &[Destruction],
    reported: &Reported,
    at: Timestamp,
) {
    let all: Vec<&Destruction> = std::iter::once(destruction).chain(before).collect();
    for record in records {
        let new = reported.is_new(record.bucket);
        if let Some(commitment) = record.commitment.filter(|_| new) {
            run.opened.push((record.bucket, commitment));
        }
        if record.state == KeyState::Destroyed && (new || reported.open.contains(&record.bucket)) {
            run.destroyed.push(destroyed(record, &all, at));
        }
    }
    let is = |state| move |record: &&KeyRecord| record.state == state;
    run.live_keys = u32::try_from(records.iter().filter(is(KeyState::Live)).count()).unwrap_or(u32::MAX);
    run.unreadable = records
        .iter()
        .filter(|record| matches!(record.state, KeyState::Damaged | KeyState::Lost))
        .map(|record| record.bucket)
        .collect();
    for destruction in all.into_iter().filter(|destruction| !destruction.keys.is_empty()) {
        run.checks.push((Check::ReadBack, destruction.failed.is_empty()));
        match destruction.extents {
            crate::store::Extents::Same => run.checks.push((Check::ExtentsUnchanged, true)),
            crate::store::Extents::Moved(_) => run.checks.push((Check::ExtentsUnchanged, false)),
            crate::store::Extents::Nothing | crate::store::Extents::Unknown => {}
        }
    }
}

/// What is known of a destroyed key: all of it from who destroyed it, else that the table says so.
fn destroyed(record: &KeyRecord, all: &[&Destruction], at: Timestamp) -> KeyDestroyed {
    let has = |of: &&&Destruction| of.keys.iter().any(|DestroyedKey { bucket, .. }| *bucket == record.bucket);
    let by = all.iter().find(has);
    let read_back = match by.map(|by| by.read_back) {
        Some(HowRead::Device) => ReadBack::Device,
        Some(HowRead::CacheDropped) => ReadBack::CacheDropped,
        Some(HowRead::Nothing) | None => ReadBack::Unread,
    };
    let extents = match by.map(|by| &by.extents) {
        Some(crate::store::Extents::Moved(moved)) if moved.contains(&record.bucket) => Extents::Moved,
        Some(crate::store::Extents::Same | crate::store::Extents::Moved(_)) => Extents::Same,
        Some(crate::store::Extents::Nothing | crate::store::Extents::Unknown) | None => Extents::Unknown,
    };
    KeyDestroyed { bucket: record.bucket, commitment: record.commitment, at, read_back, extents }
}
