//! The keyring: one random slot a bucket, overwritten in place when the bucket is past.
//!
//! Bucket `b` has slot `b mod N`, and a slot moves on to later buckets only. It does not know what the keys open.

mod file;
mod layout;
mod lifetime;
mod live;
mod plan;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::file::{KeyringFile, random_page};
use self::layout::{Entry, slots_for};
use self::lifetime::LifetimeKeys;
use self::live::Slot;
use self::plan::Step;
use super::bucket_keys::BucketKeys;
use super::disk::DiskError;
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};

pub(super) use self::live::{KeyOf, Keys};

/// Why the keyring could not be brought up to date. What was due stays due.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A step on the file failed.
    #[error("cannot {doing} {path}: {kind}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The keyring.
        path: std::path::PathBuf,
        /// Why it failed.
        kind: std::io::ErrorKind,
    },
    /// The kernel gave no random bytes.
    #[error("the kernel gave no random bytes for a key")]
    NoRandom,
}

impl From<DiskError> for KeyringError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Io { doing, path, kind }
    }
}

/// Why a keyring cannot be used.
#[derive(Debug)]
pub(super) enum KeyringFault {
    Missing,
    Unfinished,
    Locked,
    Foreign,
    Newer(u32),
    Damaged,
    OtherWindow(Duration),
    OtherBucket(BucketWidth),
    TooManyBuckets,
    Failed(KeyringError),
}

impl<E: Into<KeyringError>> From<E> for KeyringFault {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a run of [`Store::maintain`](super::Store::maintain) did and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintained {
    /// Buckets whose keys were destroyed.
    pub destroyed: Vec<Bucket>,
    /// Buckets that got a key.
    pub made: Vec<Bucket>,
    /// Buckets that need a key and must not get one: a later bucket has used their slot, so the clock went back.
    pub refused: Vec<Bucket>,
    /// Buckets whose slot is damaged: what they hold cannot be read.
    pub unreadable: Vec<Bucket>,
    /// How many keys are live, those made ahead included.
    pub live: usize,
    /// When there will be something to do again.
    pub next: Timestamp,
}

/// The open keyring. A change goes to the disk first, under the file's lock, and to memory when it is durable.
pub(super) struct Keyring {
    file: Mutex<KeyringFile>,
    keys: Arc<Keys>,
    store_id: [u8; 16],
}

impl Keyring {
    /// Opens or makes the keyring at `path`. No key is made and none destroyed yet.
    pub(super) fn open(
        path: &Path,
        retention: &Retention,
        may_create: bool,
        now: Timestamp,
    ) -> Result<Self, KeyringFault> {
        let file = KeyringFile::open(path, retention, may_create)?;
        let header = &file.header;
        if header.bucket != retention.bucket {
            return Err(KeyringFault::OtherBucket(header.bucket));
        }
        if header.window != retention.window {
            return Err(KeyringFault::OtherWindow(header.window));
        }
        if slots_for(retention) != Some(header.slots) {
            return Err(KeyringFault::Damaged);
        }
        let oldest = header.bucket.bucket_of(retention.cutoff(now).horizon());
        let slots = (0..header.slots).map(|slot| load(&file, slot, oldest)).collect::<Result<_, DiskError>>()?;
        let lifetime = LifetimeKeys::of_secret(&header.secret);
        let keys = Arc::new(Keys::new(slots, lifetime, header.bucket, header.window));
        Ok(Self { keys, store_id: header.store_id, file: Mutex::new(file) })
    }

    /// The keys in memory, which are shared and go without the file.
    pub(super) fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    pub(super) fn store_id(&self) -> &[u8; 16] {
        &self.store_id
    }

    /// Destroys what is due, then makes what is needed.
    pub(super) fn maintain(&self, now: Timestamp) -> Result<Maintained, KeyringError> {
        let destroyed = self.destroy_due(self.keys.cutoff(now))?;
        let maintained = self.make_missing(now)?;
        Ok(Maintained { destroyed, ..maintained })
    }

    /// Destroys the keys of buckets wholly before the cutoff.
    pub(super) fn destroy_due(&self, cutoff: Cutoff) -> Result<Vec<Bucket>, KeyringError> {
        let file = self.file();
        let due = self.keys.due(cutoff);
        if due.is_empty() {
            return Ok(Vec::new());
        }
        // 1. The keys, overwritten where they lie. A crash here leaves slots that do not match their commitments; opening takes
        //    them for damaged, finds them due and comes back to this function.
        for (slot, _) in &due {
            file.write_slot(*slot, &random_page()?)?;
        }
        file.sync()?;
        // 2. The table. Before the sync above it would be a lie; a crash here leaves what step 1 leaves.
        for (slot, bucket) in &due {
            file.write_entry(*slot, Entry::Destroyed(*bucket))?;
        }
        file.sync()?;
        // 3. The memory. Keys are wiped when the last reader of the bucket lets go of them.
        self.keys.replace(due.iter().map(|(slot, bucket)| (*slot, Slot::Destroyed(*bucket))));
        Ok(buckets(&due))
    }

    /// Makes keys for the buckets of the window and some ahead that never had one.
    pub(super) fn make_missing(&self, now: Timestamp) -> Result<Maintained, KeyringError> {
        let file = self.file();
        let making = self.keys.missing(now);
        // 1. Fresh random bytes in the slots. A crash here leaves the table as it was: nothing knows these bytes, and the next
        //    run writes others.
        let mut made = Vec::with_capacity(making.make.len());
        for (slot, bucket) in &making.make {
            let page = random_page()?;
            file.write_slot(*slot, &page)?;
            made.push((*slot, *bucket, Arc::new(BucketKeys::of_slot(&page))));
        }
        if !made.is_empty() {
            file.sync()?;
        }
        // 2. The table. A crash here leaves some buckets with a key that has sealed nothing, which is as good as another.
        for (slot, bucket, keys) in &made {
            file.write_entry(*slot, Entry::Live(*bucket, keys.commitment()))?;
        }
        if !made.is_empty() {
            file.sync()?;
        }
        // 3. The memory, last: no record is sealed under a key that a crash could lose.
        self.keys.replace(made.into_iter().map(|(slot, bucket, keys)| (slot, Slot::Live(bucket, keys))));
        let (live, unreadable, next) = self.keys.standing(now);
        let (made, refused) = (buckets(&making.make), making.refused);
        Ok(Maintained { destroyed: Vec::new(), made, refused, unreadable, live, next })
    }

    /// Whoever panicked with this lock had changed bytes that the next run writes again.
    fn file(&self) -> MutexGuard<'_, KeyringFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot as the file has it. `oldest` is the first bucket of the window.
fn load(file: &KeyringFile, slot: u32, oldest: Bucket) -> Result<Slot, DiskError> {
    Ok(match file.entry(slot)? {
        Some(Entry::Unused) => Slot::Unused,
        Some(Entry::Destroyed(bucket)) => Slot::Destroyed(bucket),
        Some(Entry::Live(bucket, commitment)) => {
            let keys = BucketKeys::of_slot(&file.slot(slot)?);
            if keys.commitment() == commitment { Slot::Live(bucket, Arc::new(keys)) } else { Slot::Damaged(bucket) }
        }
        // Whose key it was is lost. The one bucket of this window that it can be is unreadable, and gets no second key.
        None => Slot::Damaged(first_from(oldest, slot, file.header.slots)),
    })
}

/// The first bucket from `oldest` on that has this slot.
fn first_from(oldest: Bucket, slot: u32, slots: u32) -> Bucket {
    let ahead = slot.saturating_add(slots).saturating_sub(plan::slot_of(oldest, slots));
    oldest.later(ahead.checked_rem(slots).unwrap_or(0))
}

fn buckets(steps: &[Step]) -> Vec<Bucket> {
    steps.iter().map(|(_, bucket)| *bucket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_without_an_entry_is_put_down_to_a_bucket_of_the_window() {
        for oldest in 90..120 {
            for slot in 0..16 {
                let bucket = first_from(Bucket(oldest), slot, 16);
                assert_eq!(plan::slot_of(bucket, 16), slot);
                assert!((oldest..oldest + 16).contains(&bucket.0));
            }
        }
    }
}
