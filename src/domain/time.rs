//! Instants, spans and buckets of time.
//!
//! All wall time is a [`Timestamp`] in milliseconds, UTC. Nothing here reads a clock.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

/// An instant: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted, below 2^48 (the year 10889).
///
/// Arithmetic saturates at both ends, so that a hostile time stamp cannot stop the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last instant that fits into the six bytes of a key.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// The instant `millis` milliseconds after the epoch, or [`Timestamp::MAX`] if that is later.
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// The instant `secs` seconds after the epoch, as RADIUS counts (RFC 2869, section 5.3).
    pub fn from_secs(secs: u32) -> Self {
        Self(u64::from(secs).saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This instant moved later.
    pub fn plus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis_of(by)))
    }

    /// This instant moved earlier, not below the epoch.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(by)))
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Time between two instants, whichever is first.
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }

    /// The same instant as a calendar value.
    pub fn to_utc(self) -> DateTime<Utc> {
        i64::try_from(self.0).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
    }

    /// The instant of a calendar value; `None` before 1970.
    pub fn from_utc(time: DateTime<Utc>) -> Option<Self> {
        u64::try_from(time.timestamp_millis()).ok().map(Self::from_millis)
    }
}

/// RFC 3339 in UTC with milliseconds, e.g. `2026-11-21T21:03:22.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Whole milliseconds of a duration; more than 2^64 of them count as 2^64 - 1.
pub fn millis_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The number of a piece of time one bucket wide, counted from the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(pub u32);

impl Bucket {
    /// The bucket `count` later.
    pub fn later(self, count: u32) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The bucket `count` earlier, not below 0.
    pub fn earlier(self, count: u32) -> Self {
        Self(self.0.saturating_sub(count))
    }
}

/// How long a bucket is: whole seconds, fixed when a store is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketWidth(u32);

impl BucketWidth {
    /// A width of `secs` seconds; `None` for 0.
    pub const fn from_secs(secs: u32) -> Option<Self> {
        if secs == 0 { None } else { Some(Self(secs)) }
    }

    /// The width in seconds.
    pub const fn secs(self) -> u32 {
        self.0
    }

    /// The width as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0))
    }

    /// The bucket that holds `at`.
    pub fn bucket_of(self, at: Timestamp) -> Bucket {
        let number = at.millis().checked_div(self.millis()).unwrap_or(0);
        Bucket(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// The first instant of `bucket`.
    pub fn start_of(self, bucket: Bucket) -> Timestamp {
        Timestamp::from_millis(u64::from(bucket.0).saturating_mul(self.millis()))
    }

    /// The smallest number of whole buckets that is not shorter than `duration`.
    pub fn buckets_in(self, duration: Duration) -> u32 {
        u32::try_from(millis_of(duration).div_ceil(self.millis())).unwrap_or(u32::MAX)
    }

    fn millis(self) -> u64 {
        u64::from(self.0).saturating_mul(1000)
    }
}

/// The instant before which nothing is readable: `now - window`, computed in one place.
///
/// Every read of records takes one, so that late destruction is never late disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cutoff(Timestamp);

impl Cutoff {
    /// The cutoff of a window that ends at `now`.
    pub fn of(now: Timestamp, window: Duration) -> Self {
        Self(now.minus(window))
    }

    /// The cutoff whose first readable instant is `horizon`.
    pub const fn at(horizon: Timestamp) -> Self {
        Self(horizon)
    }

    /// The first instant that is still readable; a lookup calls it the horizon.
    pub const fn horizon(self) -> Timestamp {
        self.0
    }

    /// The one that hides more.
    #[must_use]
    pub fn or_later(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Is a record of this instant hidden?
    pub fn hides(self, at: Timestamp) -> bool {
        at < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_at_the_cutoff_is_readable_and_one_millisecond_older_is_hidden() {
        let cutoff = Cutoff::of(Timestamp::from_millis(100_000), Duration::from_secs(60));
        assert!(!cutoff.hides(Timestamp::from_millis(40_000)));
        assert!(cutoff.hides(Timestamp::from_millis(39_999)));
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::EPOCH.minus(Duration::MAX), Timestamp::EPOCH);
        assert_eq!(Timestamp::from_millis(u64::MAX), Timestamp::MAX);
    }

    #[test]
    fn buckets_are_half_open() {
        let width = BucketWidth::from_secs(600).unwrap();
        let start = width.start_of(Bucket(7));
        assert_eq!(width.bucket_of(start), Bucket(7));
        assert_eq!(width.bucket_of(start.minus(Duration::from_millis(1))), Bucket(6));
        assert_eq!(width.buckets_in(Duration::from_secs(601)), 2);
    }
}
