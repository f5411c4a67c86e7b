//! What the keyring has to do at an instant, decided from plain values. Doing it is not this file's business.

use crate::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};

use super::layout::AHEAD;

/// What a slot is, as far as deciding needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// No bucket has used it.
    Unused,
    /// A bucket's key, or what is left of one.
    Held(Bucket),
    /// A bucket's key was here, or should be and was lost with an earlier keyring.
    Destroyed(Bucket),
}

/// A slot and the bucket that it is made for or destroyed for.
pub(super) type Step = (u32, Bucket);

/// Keys to make, in the order of time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Making {
    pub(super) make: Vec<Step>,
    /// Buckets that need a key and must not get one: a later bucket has used their slot, so the clock went back.
    pub(super) refused: Vec<Bucket>,
}

/// The slot of a bucket.
pub(super) fn slot_of(bucket: Bucket, slots: u32) -> u32 {
    bucket.0.checked_rem(slots).unwrap_or(0)
}

/// The latest bucket up to `last` that has this slot.
pub(super) fn latest_to(last: Bucket, slot: u32, slots: u32) -> Bucket {
    let back = slot_of(last, slots).saturating_add(slots).saturating_sub(slot);
    last.earlier(back.checked_rem(slots).unwrap_or(0))
}

/// Is the whole bucket hidden by the cutoff?
pub(super) fn is_past(bucket: Bucket, width: BucketWidth, cutoff: Cutoff) -> bool {
    width.start_of(bucket.later(1)) <= cutoff.horizon()
}

/// The keys that fell due: those of buckets wholly before the cutoff, and of no others.
pub(super) fn due(slots: impl Iterator<Item = (u32, Status)>, width: BucketWidth, cutoff: Cutoff) -> Vec<Step> {
    slots
        .filter_map(|(slot, status)| match status {
            Status::Held(bucket) if is_past(bucket, width, cutoff) => Some((slot, bucket)),
            Status::Held(_) | Status::Unused | Status::Destroyed(_) => None,
        })
        .collect()
}

/// The keys to make: for every bucket from the cutoff to some way ahead of `now` that has never had one.
///
/// A slot moves on to later buckets only. A bucket whose slot has served it or a later one gets no key: it may have had one.
pub(super) fn missing(
    status: impl Fn(u32) -> Status,
    slots: u32,
    width: BucketWidth,
    cutoff: Cutoff,
    now: Timestamp,
) -> Making {
    let first = width.bucket_of(cutoff.horizon());
    let last = width.bucket_of(now).later(AHEAD);
    let mut making = Making::default();
    for bucket in (first.0..=last.0).map(Bucket) {
        let slot = slot_of(bucket, slots);
        match status(slot) {
            Status::Unused => making.make.push((slot, bucket)),
            Status::Destroyed(earlier) if earlier < bucket => making.make.push((slot, bucket)),
            Status::Held(same) | Status::Destroyed(same) if same == bucket => {}
            // Held by an earlier bucket: not destroyed yet, because that failed. The next run makes both good.
            Status::Held(_) | Status::Destroyed(_) => making.refused.push(bucket),
        }
    }
    making
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SLOTS: u32 = 46;

    fn width() -> BucketWidth {
        BucketWidth::from_secs(10).unwrap()
    }

    fn at(secs: u32) -> (Timestamp, Cutoff) {
        let now = Timestamp::from_secs(secs);
        (now, Cutoff::of(now, Duration::from_secs(100)))
    }

    #[test]
    fn a_slot_is_put_down_to_the_latest_bucket_that_can_have_it() {
        for last in 90..120 {
            for slot in 0..16 {
                let bucket = latest_to(Bucket(last), slot, 16);
                assert_eq!(slot_of(bucket, 16), slot);
                assert!((last - 15..=last).contains(&bucket.0));
            }
        }
    }

    #[test]
    fn a_key_falls_due_when_its_whole_bucket_is_hidden() {
        let held = || [(4, Status::Held(Bucket(20)))].into_iter();
        let (_, cutoff) = at(309);
        assert_eq!(due(held(), width(), cutoff), []);
        let (_, cutoff) = at(310);
        assert_eq!(due(held(), width(), cutoff), [(4, Bucket(20))]);
    }

    #[test]
    fn an_empty_keyring_gets_keys_for_the_window_and_ahead() {
        let (now, cutoff) = at(1005);
        let making = missing(|_| Status::Unused, SLOTS, width(), cutoff, now);
        let buckets: Vec<u32> = making.make.iter().map(|(_, bucket)| bucket.0).collect();
        assert_eq!(buckets, (90..=104).collect::<Vec<_>>());
        assert_eq!(making.refused, []);
    }

    #[test]
    fn no_bucket_gets_a_second_key() {
        let (now, cutoff) = at(1005);
        for had in [Status::Held(Bucket(100)), Status::Destroyed(Bucket(100))] {
            let making = missing(
                |slot| if slot == slot_of(Bucket(100), SLOTS) { had } else { Status::Unused },
                SLOTS,
                width(),
                cutoff,
                now,
            );
            assert!(making.make.iter().all(|(_, bucket)| *bucket != Bucket(100)));
            assert_eq!(making.refused, []);
        }
    }

    #[test]
    fn a_clock_that_went_back_makes_no_keys_over_later_ones() {
        let (now, cutoff) = at(1005);
        let making = missing(|slot| Status::Destroyed(Bucket(1600 + slot)), SLOTS, width(), cutoff, now);
        assert_eq!(making.make, []);
        assert_eq!(making.refused.len(), 15);
    }

    #[test]
    fn every_live_bucket_has_a_slot_of_its_own() {
        // The longest window that has room in 46 slots is one of 40 buckets: with its ends and those ahead, 45 at once.
        for secs in 1000..1020 {
            let now = Timestamp::from_secs(secs);
            let cutoff = Cutoff::of(now, Duration::from_secs(400));
            let making = missing(|_| Status::Unused, SLOTS, width(), cutoff, now);
            let mut slots: Vec<u32> = making.make.iter().map(|(slot, _)| *slot).collect();
            slots.sort_unstable();
            slots.dedup();
            assert_eq!(slots.len(), making.make.len());
        }
    }
}
