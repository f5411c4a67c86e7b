//! Keeps the keyring in step with time, between the runs of the purge: keys made ahead of need; and in doubt about the clock,
//! keys destroyed that are past in any case.

use crate::domain::time::Timestamp;
use crate::store::{Destruction, Extents, Maintained, Store};

use super::counters::Counters;
use super::time::Time;

/// Makes the keys that are needed. A failure is said and tried again: without fresh keys no event is acknowledged.
pub(super) fn make_keys(store: &Store, now: Timestamp, counters: &Counters) {
    match store.make_keys(now) {
        Ok(maintained) => {
            counters.keys_made.add(count(&maintained.made));
            if !maintained.made.is_empty() {
                report_making(&maintained);
            }
        }
        Err(error) => tracing::error!(%error, "keys for the buckets to come could not be made; trying again"),
    }
}

/// Destroys what the time since the machine started alone proves to be past, and says what that was.
pub(super) fn destroy_overdue(store: &Store, time: &Time, counters: &Counters) -> Option<Destruction> {
    match store.destroy_keys(time.overdue_cutoff()?) {
        Ok(destruction) => {
            counters.keys_destroyed.add(count(&destruction.keys));
            report_destruction(&destruction);
            Some(destruction).filter(|destruction| !destruction.keys.is_empty())
        }
        Err(error) => {
            tracing::error!(%error, "overdue keys could not be destroyed; trying again");
            None
        }
    }
}

/// Says which keys are not gone as they should be.
pub(super) fn report_destruction(destruction: &Destruction) {
    for (bucket, error) in &destruction.failed {
        tracing::error!(bucket = bucket.0, %error, "a key that is due could not be overwritten; trying again");
    }
    if let Extents::Moved(buckets) = &destruction.extents {
        let buckets = buckets.len();
        tracing::error!(
            buckets,
            "keys were overwritten elsewhere than where they lay: the old bytes may still be there"
        );
    }
}

/// Says which buckets have no key that works: somebody has to look. To be said when the store was opened, and once for every
/// key that is made.
pub(super) fn report_making(maintained: &Maintained) {
    if !maintained.unreadable.is_empty() {
        let buckets = maintained.unreadable.len();
        tracing::error!(
            buckets,
            "buckets with a damaged or lost key: their records cannot be read, nor their events taken"
        );
    }
    if !maintained.refused.is_empty() {
        let buckets = maintained.refused.len();
        tracing::error!(buckets, "buckets that get no key, for the clock went back: their events are not acknowledged");
    }
}

fn count<T>(keys: &[T]) -> u64 {
    u64::try_from(keys.len()).unwrap_or(u64::MAX)
}
