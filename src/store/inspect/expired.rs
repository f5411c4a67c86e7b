//! What an expired key looks like: the one rule of the inspection, applied to rows, to bounds of files and to raw bytes.

use std::ops::RangeInclusive;

use crate::domain::time::{BucketWidth, Timestamp};
use crate::store::rows::keys::KEY_BYTES;

/// 2020-01-01T00:00:00Z. No store is older, and the raw search takes nothing before it for an instant.
pub(super) const FLOOR: Timestamp = Timestamp::from_millis(1_577_836_800_000);

/// What a row's key says about itself. Read here once more, and not by the store's own reader: one fault in that would blind both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeySays {
    /// It is not a key.
    Nothing,
    /// Its instant does not lie in its bucket.
    Misfiled(Timestamp),
    /// An instant, in the right bucket.
    At(Timestamp),
}

/// Tells what is expired.
#[derive(Clone, Debug)]
pub(super) struct Expired {
    width: u64,
    limit: Timestamp,
    plausible: RangeInclusive<u32>,
}

impl Expired {
    /// Expired is what is dated before `limit`, in buckets of `width`.
    pub(super) fn before(limit: Timestamp, width: BucketWidth) -> Self {
        let mut expired = Self { width: u64::from(width.secs()).saturating_mul(1000), limit, plausible: 0..=0 };
        let last = Timestamp::from_millis(limit.millis().saturating_sub(1));
        expired.plausible = expired.bucket_of(FLOOR)..=expired.bucket_of(last);
        expired
    }

    /// The first instant that is not expired.
    pub(super) const fn limit(&self) -> Timestamp {
        self.limit
    }

    /// Is a row of this instant expired?
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        at < self.limit
    }

    /// The bucket of an instant. One that lies beyond the last number has it, and no key agrees with that.
    pub(super) fn bucket_of(&self, at: Timestamp) -> u32 {
        at.millis().checked_div(self.width).and_then(|bucket| u32::try_from(bucket).ok()).unwrap_or(u32::MAX)
    }

    /// Reads the key of a row.
    pub(super) fn read(&self, key: &[u8]) -> KeySays {
        match parts(key) {
            Some((bucket, at)) if key.len() == KEY_BYTES => {
                if self.bucket_of(at) == bucket {
                    KeySays::At(at)
                } else {
                    KeySays::Misfiled(at)
                }
            }
            Some(_) | None => KeySays::Nothing,
        }
    }

    /// Can an expired key begin with this? Lets through one in some thousands of random places, and is all that most places cost.
    pub(super) fn may_begin(&self, bucket: u32) -> bool {
        self.plausible.contains(&bucket)
    }

    /// The instant of an expired key that these bytes begin with: they agree with themselves, and lie after 2020 and before the limit.
    ///
    /// Of random bytes, one place in `2^80 / (limit - 2020 in milliseconds)` passes, whatever the width: the bucket must be one
    /// of `range / width` in `2^32`, and then the instant one of `width` in `2^48`. In 2026 that is one in 5 * 10^12.
    pub(super) fn begins(&self, bytes: &[u8]) -> Option<Timestamp> {
        let head = u32::from_be_bytes(*bytes.first_chunk::<4>()?);
        if !self.may_begin(head) {
            return None;
        }
        let (bucket, at) = parts(bytes)?;
        (FLOOR <= at && self.holds(at) && self.bucket_of(at) == bucket).then_some(at)
    }
}

/// The bucket and the instant of a key that the bytes begin with.
fn parts(bytes: &[u8]) -> Option<(u32, Timestamp)> {
    let (bucket, rest) = bytes.get(..KEY_BYTES)?.split_first_chunk::<4>()?;
    let (_tag, rest) = rest.split_first_chunk::<12>()?;
    let [a, b, c, d, e, f] = *rest.first_chunk::<6>()?;
    Some((u32::from_be_bytes(*bucket), Timestamp::from_millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// 2026-11-21T21:00:00Z.
    pub(in crate::store::inspect) const LIMIT: u64 = 1_795_294_800_000;

    pub(in crate::store::inspect) fn expired() -> Expired {
        Expired::before(Timestamp::from_millis(LIMIT), BucketWidth::from_secs(600).unwrap())
    }

    pub(in crate::store::inspect) fn key(bucket: u64, at: u64) -> Vec<u8> {
        let bucket = u32::try_from(bucket).unwrap().to_be_bytes();
        [bucket.as_slice(), &[7; 12], &at.to_be_bytes()[2..], &[1, 2, 3, 4]].concat()
    }

    #[test]
    fn a_key_at_the_limit_is_not_expired_and_one_a_millisecond_older_is() {
        let expired = expired();
        let of = |at: u64| expired.begins(&key(at / 600_000, at));
        assert_eq!(of(LIMIT), None);
        assert_eq!(of(LIMIT - 1), Some(Timestamp::from_millis(LIMIT - 1)));
        assert_eq!(of(FLOOR.millis()), Some(FLOOR));
        assert_eq!(of(FLOOR.millis() - 1), None);
    }

    #[test]
    fn bytes_that_do_not_agree_with_themselves_are_no_key() {
        let expired = expired();
        let at = LIMIT - 1;
        assert_eq!(expired.begins(&key(at / 600_000 - 1, at)), None);
        assert_eq!(expired.begins(&key(at / 600_000, at)[..25]), None);
        let mut longer = key(at / 600_000, at);
        longer.push(0);
        assert!(expired.begins(&longer).is_some());
        assert_eq!(expired.read(&longer), KeySays::Nothing);
        assert_eq!(expired.read(&key(3, at)), KeySays::Misfiled(Timestamp::from_millis(at)));
    }

    #[test]
    fn before_2020_nothing_can_be_told_from_chance() {
        let expired = Expired::before(Timestamp::from_secs(5000), BucketWidth::from_secs(10).unwrap());
        assert_eq!(expired.begins(&key(400, 4_000_000)), None);
        assert_eq!(expired.read(&key(400, 4_000_000)), KeySays::At(Timestamp::from_secs(4000)));
    }
}
