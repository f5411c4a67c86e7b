//! What a run says of keys: which were opened and destroyed since the reports before it.
//!
//! It goes by the keyring's table and by what earlier reports have said, and not by what this process remembers: so a key
//! that was destroyed just before a crash, by opening or by a sweep, is in the next report.

use std::collections::BTreeSet;

use crate::domain::time::{Bucket, Timestamp};
use crate::store::{self, Destruction, KeyRecord, KeyState, KeyringError, ReadBack as HowRead, Store};

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
    /// The bytes that are kept: numbers of buckets, the first of them the latest of which anything was said.
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

    /// What is known where the keyring is not the one that reports speak of: nobody can say what became of its keys.
    #[must_use]
    pub fn without_keyring(self) -> Self {
        Self { open: BTreeSet::new(), ..self }
    }

    fn is_new(&self, bucket: Bucket) -> bool {
        self.through.is_none_or(|through| through < bucket)
    }
}

/// An act of destruction, and when it was done.
#[derive(Clone, Debug)]
pub struct Act {
    /// When it was durable.
    pub at: Timestamp,
    /// What it destroyed.
    pub destruction: Destruction,
}

impl Act {
    fn has(&self, bucket: Bucket) -> bool {
        self.destruction.keys.iter().any(|key| key.bucket == bucket)
    }
}

/// Enters into the run what the table says beyond what was reported. `acts` are those that are known, the run's own among
/// them; `now` stands for the instant of one that is not.
pub(super) fn account(run: &mut Run, store: &Store, acts: &[Act], reported: &Reported, now: Timestamp) {
    let records = store.key_records();
    let tabled: BTreeSet<Bucket> = records.iter().map(|record| record.bucket).collect();
    // A slot serves a later bucket once its key is destroyed. After a long doubt or a long absence that comes before the run.
    run.destroyed.extend(reported.open.difference(&tabled).map(|bucket| destroyed(*bucket, store, acts, now)));
    for record in &records {
        let new = reported.is_new(record.bucket);
        if let Some(commitment) = record.commitment.filter(|_| new) {
            run.opened.push((record.bucket, commitment));
        }
        if record.state == KeyState::Destroyed && (new || reported.open.contains(&record.bucket)) {
            run.destroyed.push(destroyed(record.bucket, store, acts, now));
        }
    }
    let is = |state| move |record: &&KeyRecord| record.state == state;
    run.live_keys = u32::try_from(records.iter().filter(is(KeyState::Live)).count()).unwrap_or(u32::MAX);
    // Of a bucket that is past, a key that was lost is missed by nobody. One that is damaged stays due until its slot is overwritten.
    let first = store.bucket_of(run.cutoff.horizon());
    let unreadable = |record: &&KeyRecord| match record.state {
        KeyState::Damaged => true,
        KeyState::Lost => record.bucket >= first,
        KeyState::Live | KeyState::Destroyed => false,
    };
    run.unreadable = records.iter().filter(unreadable).map(|record| record.bucket).collect();
    check(run);
}

/// What the run verified of the keys that it reports as destroyed.
fn check(run: &mut Run) {
    if run.destroyed.is_empty() {
        return;
    }
    let read = |key: &KeyDestroyed| matches!(key.read_back, ReadBack::Device | ReadBack::CacheDropped);
    run.checks.push((Check::ReadBack, run.destroyed.iter().all(read)));
    let moved = run.destroyed.iter().any(|key| key.extents == Extents::Moved);
    if moved || run.destroyed.iter().all(|key| key.extents == Extents::Same) {
        run.checks.push((Check::ExtentsUnchanged, !moved));
    }
}

/// What is known of a destroyed key. Of one whose act nobody remembers, for a crash came between, the slot itself is asked
/// whether it still has the key that the commitment is of.
fn destroyed(bucket: Bucket, store: &Store, acts: &[Act], now: Timestamp) -> KeyDestroyed {
    let act = acts.iter().find(|act| act.has(bucket));
    let (at, read_back, extents) = match act {
        Some(act) => (act.at, Ok(act.destruction.read_back), extents(&act.destruction.extents, bucket)),
        None => (now, store.confirm_destroyed(bucket), Extents::Unknown),
    };
    let read_back = match read_back {
        Ok(HowRead::Device) => ReadBack::Device,
        Ok(HowRead::CacheDropped) => ReadBack::CacheDropped,
        Ok(HowRead::Nothing) => ReadBack::Unread,
        Err(KeyringError::NotOverwritten(_)) => ReadBack::Differs,
        Err(KeyringError::Io { .. } | KeyringError::NoRandom) => ReadBack::Unread,
    };
    KeyDestroyed { bucket, at, read_back, extents }
}

fn extents(found: &store::Extents, bucket: Bucket) -> Extents {
    match found {
        store::Extents::Same => Extents::Same,
        store::Extents::Moved(moved) if moved.contains(&bucket) => Extents::Moved,
        store::Extents::Moved(_) => Extents::Same,
        store::Extents::Nothing | store::Extents::Unknown => Extents::Unknown,
    }
}
