//! The keys in memory, shared by all who seal and read. They know nothing of the file, and cannot change it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use super::lifetime::LifetimeKeys;
use super::plan::{self, Making, Status, Step, slot_of};
use crate::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};
use crate::store::bucket_keys::BucketKeys;

/// What the keyring has for a bucket.
pub(in crate::store) enum KeyOf {
    /// Its keys.
    Live(Arc<BucketKeys>),
    /// It never had a key, so it has no records.
    NeverMade,
    /// Its slot is damaged.
    Damaged,
    /// Its key was destroyed, or a later bucket has its slot.
    Gone,
}

/// A slot in memory.
#[derive(Clone)]
pub(super) enum Slot {
    Unused,
    Live(Bucket, Arc<BucketKeys>),
    Damaged(Bucket),
    Destroyed(Bucket),
}

impl Slot {
    fn status(&self) -> Status {
        match self {
            Self::Unused => Status::Unused,
            Self::Live(bucket, _) | Self::Damaged(bucket) => Status::Held(*bucket),
            Self::Destroyed(bucket) => Status::Destroyed(*bucket),
        }
    }
}

/// The slots as they are on the disk. A lock is held for a moment, and never while something is written there.
pub(in crate::store) struct Keys {
    slots: RwLock<Vec<Slot>>,
    lifetime: LifetimeKeys,
    width: BucketWidth,
    window: Duration,
}

impl Keys {
    pub(super) fn new(slots: Vec<Slot>, lifetime: LifetimeKeys, width: BucketWidth, window: Duration) -> Self {
        Self { slots: RwLock::new(slots), lifetime, width, window }
    }

    pub(in crate::store) fn width(&self) -> BucketWidth {
        self.width
    }

    pub(in crate::store) fn lifetime(&self) -> &LifetimeKeys {
        &self.lifetime
    }

    pub(in crate::store) fn is_past(&self, bucket: Bucket, cutoff: Cutoff) -> bool {
        plan::is_past(bucket, self.width, cutoff)
    }

    /// What there is for a bucket.
    pub(in crate::store) fn key_of(&self, bucket: Bucket) -> KeyOf {
        let slots = self.slots();
        match slots.get(index(slot_of(bucket, count(&slots)))) {
            Some(Slot::Live(of, keys)) if *of == bucket => KeyOf::Live(Arc::clone(keys)),
            Some(Slot::Damaged(of)) if *of == bucket => KeyOf::Damaged,
            // A slot that has served this bucket or a later one: the bucket may have had a key, and has none any more.
            Some(Slot::Destroyed(of) | Slot::Live(of, _) | Slot::Damaged(of)) if *of >= bucket => KeyOf::Gone,
            Some(Slot::Unused | Slot::Destroyed(_) | Slot::Live(..) | Slot::Damaged(_)) | None => KeyOf::NeverMade,
        }
    }

    /// The latest bucket that has or had a key.
    pub(in crate::store) fn newest(&self) -> Option<Bucket> {
        let slots = self.slots();
        slots
            .iter()
            .filter_map(|slot| match slot.status() {
                Status::Unused => None,
                Status::Held(bucket) | Status::Destroyed(bucket) => Some(bucket),
            })
            .max()
    }

    /// The cutoff at `now`.
    pub(super) fn cutoff(&self, now: Timestamp) -> Cutoff {
        Cutoff::of(now, self.window)
    }

    /// The keys of buckets wholly before the cutoff.
    pub(super) fn due(&self, cutoff: Cutoff) -> Vec<Step> {
        let slots = self.slots();
        plan::due((0..).zip(slots.iter().map(Slot::status)), self.width, cutoff)
    }

    /// The keys to make at `now`.
    pub(super) fn missing(&self, now: Timestamp) -> Making {
        let slots = self.slots();
        let status = |slot| slots.get(index(slot)).map_or(Status::Unused, Slot::status);
        plan::missing(status, count(&slots), self.width, Cutoff::of(now, self.window), now)
    }

    /// How many keys are live, which buckets cannot be read, and when there will be something to do again.
    pub(super) fn standing(&self, now: Timestamp) -> (usize, Vec<Bucket>, Timestamp) {
        let slots = self.slots();
        let live = slots.iter().filter(|slot| matches!(slot, Slot::Live(..))).count();
        let mut unreadable: Vec<Bucket> = slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Damaged(bucket) => Some(*bucket),
                Slot::Unused | Slot::Live(..) | Slot::Destroyed(_) => None,
            })
            .collect();
        unreadable.sort_unstable();
        let next_key = self.width.start_of(self.width.bucket_of(now).later(1));
        let next_due = slots
            .iter()
            .filter_map(|slot| match slot.status() {
                Status::Held(bucket) => Some(self.width.start_of(bucket.later(1)).plus(self.window)),
                Status::Unused | Status::Destroyed(_) => None,
            })
            .min();
        (live, unreadable, next_due.map_or(next_key, |due| due.min(next_key)))
    }

    /// Takes over what is durable.
    pub(super) fn replace(&self, changed: impl Iterator<Item = (u32, Slot)>) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        for (slot, value) in changed {
            if let Some(place) = slots.get_mut(index(slot)) {
                *place = value;
            }
        }
    }

    fn slots(&self) -> RwLockReadGuard<'_, Vec<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(slots: &[Slot]) -> u32 {
    u32::try_from(slots.len()).unwrap_or(u32::MAX)
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}
