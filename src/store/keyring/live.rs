//! The keys in memory, shared by all who seal and read. They know nothing of the file, and cannot change it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use super::layout::Commitment;
use super::lifetime::LifetimeKeys;
use super::plan::{self, Making, Status, slot_of};
use crate::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp, millis_of};
use crate::store::rows::BucketKeys;

/// What the keyring has for a bucket.
pub(in crate::store) enum KeyOf {
    /// Its keys.
    Live(Arc<BucketKeys>),
    /// It never had a key, so it has no records.
    NeverMade,
    /// Its slot is damaged, or was lost with an earlier keyring.
    Damaged,
    /// Its key was destroyed, or a later bucket has its slot.
    Gone,
}

/// A slot in memory.
#[derive(Clone)]
pub(super) enum Slot {
    Unused,
    Live(Bucket, Arc<BucketKeys>),
    /// The key is not to be had, and its slot is still to be overwritten. The commitment is what the table says of it.
    Damaged(Bucket, Option<Commitment>),
    Destroyed(Bucket, Option<Commitment>),
    Lost(Bucket),
}

/// A key that fell due.
pub(super) struct Due {
    pub(super) slot: u32,
    pub(super) bucket: Bucket,
    pub(super) commitment: Option<Commitment>,
}

/// How a bucket's key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It opens what the bucket holds.
    Live,
    /// Its slot or its table entry is damaged: what the bucket holds cannot be read. It is overwritten when it is due.
    Damaged,
    /// It was overwritten.
    Destroyed,
    /// It was lost with an earlier keyring.
    Lost,
}

/// A bucket that has or had a key, as the keyring's table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The bucket.
    pub bucket: Bucket,
    /// How its key stands.
    pub state: KeyState,
    /// The hash that shows which key it was and tells nothing about it. `None` where the table is damaged or the key was lost.
    pub commitment: Option<[u8; 32]>,
}

impl Slot {
    fn status(&self) -> Status {
        match self {
            Self::Unused => Status::Unused,
            Self::Live(bucket, _) | Self::Damaged(bucket, _) => Status::Held(*bucket),
            Self::Destroyed(bucket, _) | Self::Lost(bucket) => Status::Destroyed(*bucket),
        }
    }

    fn record(&self) -> Option<KeyRecord> {
        let (bucket, state, commitment) = match self {
            Self::Unused => return None,
            Self::Live(bucket, keys) => (*bucket, KeyState::Live, Some(keys.commitment())),
            Self::Damaged(bucket, commitment) => (*bucket, KeyState::Damaged, *commitment),
            Self::Destroyed(bucket, commitment) => (*bucket, KeyState::Destroyed, *commitment),
            Self::Lost(bucket) => (*bucket, KeyState::Lost, None),
        };
        Some(KeyRecord { bucket, state, commitment })
    }
}

/// The slots as they are on the disk. A lock is held for a moment, and never while something is written there.
pub(in crate::store) struct Keys {
    slots: RwLock<Vec<Slot>>,
    lifetime: LifetimeKeys,
    width: BucketWidth,
    /// In milliseconds. It changes with the header.
    window: AtomicU64,
}

impl Keys {
    pub(super) fn new(slots: Vec<Slot>, lifetime: LifetimeKeys, width: BucketWidth, window: Duration) -> Self {
        Self { slots: RwLock::new(slots), lifetime, width, window: AtomicU64::new(millis_of(window)) }
    }

    /// The window in force.
    pub(in crate::store) fn window(&self) -> Duration {
        Duration::from_millis(self.window.load(Ordering::Acquire))
    }

    pub(super) fn set_window(&self, window: Duration) {
        self.window.store(millis_of(window), Ordering::Release);
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
            Some(Slot::Damaged(of, _) | Slot::Lost(of)) if *of == bucket => KeyOf::Damaged,
            // A slot that has served this bucket or a later one: the bucket may have had a key, and has none any more.
            Some(Slot::Destroyed(of, _) | Slot::Live(of, _) | Slot::Damaged(of, _) | Slot::Lost(of))
                if *of >= bucket =>
            {
                KeyOf::Gone
            }
            Some(Slot::Unused | Slot::Destroyed(..) | Slot::Live(..) | Slot::Damaged(..) | Slot::Lost(_)) | None => {
                KeyOf::NeverMade
            }
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

    /// All that the table says, in the order of time.
    pub(super) fn records(&self) -> Vec<KeyRecord> {
        let mut records: Vec<KeyRecord> = self.slots().iter().filter_map(Slot::record).collect();
        records.sort_unstable_by_key(|record| record.bucket);
        records
    }

    /// The keys of buckets wholly before the cutoff, in the order of time.
    pub(super) fn due(&self, cutoff: Cutoff) -> Vec<Due> {
        let slots = self.slots();
        let commitment = |slot| slots.get(index(slot)).and_then(Slot::record).and_then(|record| record.commitment);
        let steps = plan::due((0..).zip(slots.iter().map(Slot::status)), self.width, cutoff);
        let mut due: Vec<Due> =
            steps.into_iter().map(|(slot, bucket)| Due { slot, bucket, commitment: commitment(slot) }).collect();
        due.sort_unstable_by_key(|due| due.bucket);
        due
    }

    /// The keys to make at `now`.
    pub(super) fn missing(&self, now: Timestamp) -> Making {
        let slots = self.slots();
        let status = |slot| slots.get(index(slot)).map_or(Status::Unused, Slot::status);
        plan::missing(status, count(&slots), self.width, Cutoff::of(now, self.window()), now)
    }

    /// How many keys are live, which buckets cannot be read, and when there will be something to do again.
    pub(super) fn standing(&self, now: Timestamp) -> (usize, Vec<Bucket>, Timestamp) {
        let slots = self.slots();
        let (window, cutoff) = (self.window(), Cutoff::of(now, self.window()));
        let live = slots.iter().filter(|slot| matches!(slot, Slot::Live(..))).count();
        let mut unreadable: Vec<Bucket> = slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Damaged(bucket, _) => Some(*bucket),
                Slot::Lost(bucket) => Some(*bucket).filter(|bucket| !plan::is_past(*bucket, self.width, cutoff)),
                Slot::Unused | Slot::Live(..) | Slot::Destroyed(..) => None,
            })
            .collect();
        unreadable.sort_unstable();
        let next_key = self.width.start_of(self.width.bucket_of(now).later(1));
        let next_due = slots
            .iter()
            .filter_map(|slot| match slot.status() {
                Status::Held(bucket) => Some(self.width.start_of(bucket.later(1)).plus(window)),
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
