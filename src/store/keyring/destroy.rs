//! Destroying keys: overwritten where they lie, synced, read back past the cache, their places compared, and forgotten.

use super::erase::{Place, With};
use super::layout::{Entry, slot_offset};
use super::live::{Due, Slot};
use super::past_cache::ReadBack;
use super::plan::slot_of;
use super::{Keyring, KeyringError};
use crate::domain::time::{Bucket, Cutoff};
use crate::store::rows::BucketKeys;

/// What a run destroyed, and what shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destruction {
    /// The keys that are gone, in the order of time: other bytes are durable in their place.
    pub keys: Vec<DestroyedKey>,
    /// Buckets whose key could not be overwritten, and why. It is dropped from memory all the same, and stays due.
    pub failed: Vec<(Bucket, KeyringError)>,
    /// How the overwritten slots were read back.
    pub read_back: ReadBack,
    /// Whether they lie where they lay.
    pub extents: Extents,
}

/// A key that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DestroyedKey {
    /// Whose key it was.
    pub bucket: Bucket,
    /// The hash that was published when it was made. `None` if the table's entry was damaged.
    pub commitment: Option<[u8; 32]>,
}

/// Whether overwritten slots stayed in their place on the device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Extents {
    /// Nothing was overwritten.
    #[default]
    Nothing,
    /// All stayed: the new bytes lie where the old ones were, as far as the file system can tell.
    Same,
    /// The slots of these buckets were written elsewhere: what they held may still be on the device.
    Moved(Vec<Bucket>),
    /// The file system does not say where a file lies, for at least one slot.
    Unknown,
}

impl Extents {
    /// Its name in reports and notes.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Same => "same",
            Self::Moved(_) => "moved",
            Self::Unknown => "unknown",
        }
    }
}

impl Keyring {
    /// Destroys the keys of buckets wholly before the cutoff. One that fails does not keep the others from it.
    ///
    /// An error is one of the table: every slot has been dealt with, and all of them are still due.
    pub(in crate::store) fn destroy(&self, cutoff: Cutoff) -> Result<Destruction, KeyringError> {
        let file = self.file();
        let due = self.keys.due(cutoff);
        if due.is_empty() {
            return Ok(Destruction::default());
        }
        // 1. The keys, overwritten where they lie, synced and read back. A crash here leaves slots that do not match their
        //    commitments; opening takes them for damaged, finds them due and comes back to this function.
        let offsets: Vec<u64> = due.iter().map(|due| slot_offset(file.header.slots, due.slot)).collect();
        let (erased, read_back) = file.eraser().erase(&offsets, With::Random);

        let mut destruction = Destruction { read_back, ..Destruction::default() };
        let mut gone = Vec::new();
        for (due, erased) in due.iter().zip(erased) {
            match erased.result {
                Ok(()) => {
                    destruction.keys.push(DestroyedKey { bucket: due.bucket, commitment: due.commitment });
                    destruction.extents = std::mem::take(&mut destruction.extents).and(due.bucket, erased.place);
                    gone.push(due);
                }
                Err(error) => destruction.failed.push((due.bucket, error)),
            }
        }
        // 2. The memory: nobody needs a key that is due, also one that is still on the disk. The last reader of a bucket wipes
        //    it. Until step 4, memory is as after a crash: the key is not to be had, and due.
        let damaged = |due: &Due| (due.slot, Slot::Damaged(due.bucket, due.commitment));
        self.keys.replace(due.iter().map(damaged));
        // 3. The table. Before the sync in step 1 it would be a lie; a crash here leaves what step 1 leaves.
        for due in &gone {
            file.write_entry(due.slot, Entry::Destroyed(due.bucket, due.commitment))?;
        }
        file.sync()?;
        // 4. Only now are they no longer due.
        self.keys.replace(gone.iter().map(|due| (due.slot, Slot::Destroyed(due.bucket, due.commitment))));
        Ok(destruction)
    }
}

impl Keyring {
    /// Does the slot of a destroyed bucket have other bytes than its key was? Read past the cache.
    pub(in crate::store) fn confirm_destroyed(&self, bucket: Bucket) -> Result<ReadBack, KeyringError> {
        let file = self.file();
        let commitment =
            self.keys.records().into_iter().find(|record| record.bucket == bucket).and_then(|record| record.commitment);
        let slot = slot_of(bucket, file.header.slots);
        let (how, found) = file.read_past_cache(slot)?;
        if commitment == Some(BucketKeys::of_slot(&found).commitment()) {
            return Err(KeyringError::NotOverwritten(file.path().to_owned()));
        }
        Ok(how)
    }
}

impl Extents {
    /// With one more bucket's slot: to have moved weighs most, then not to know.
    fn and(self, bucket: Bucket, place: Place) -> Self {
        match (self, place) {
            (Self::Moved(mut buckets), Place::Moved) => {
                buckets.push(bucket);
                Self::Moved(buckets)
            }
            (_, Place::Moved) => Self::Moved(vec![bucket]),
            (moved @ Self::Moved(_), Place::Same | Place::Unknown) => moved,
            (Self::Unknown, _) | (_, Place::Unknown) => Self::Unknown,
            (Self::Nothing | Self::Same, Place::Same) => Self::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slot_that_moved_is_never_hidden_by_others() {
        let of = |places: &[Place]| {
            (0..).zip(places).fold(Extents::Nothing, |extents, (bucket, place)| extents.and(Bucket(bucket), *place))
        };
        assert_eq!(of(&[]), Extents::Nothing);
        assert_eq!(of(&[Place::Same, Place::Same]), Extents::Same);
        assert_eq!(of(&[Place::Unknown, Place::Same]), Extents::Unknown);
        assert_eq!(of(&[Place::Unknown, Place::Moved, Place::Same]), Extents::Moved(vec![Bucket(1)]));
        assert_eq!(of(&[Place::Moved, Place::Unknown, Place::Moved]), Extents::Moved(vec![Bucket(0), Bucket(2)]));
    }
}
