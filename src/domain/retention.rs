//! The promise in numbers: how long records are readable, and in which steps they go.

use std::time::Duration;

use super::time::{BucketWidth, Cutoff, Timestamp};

/// The retention policy a store was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long a record is readable.
    pub window: Duration,
    /// How much time shares one key.
    pub bucket: BucketWidth,
    /// How often expired records are destroyed.
    pub purge_interval: Duration,
    /// For how long a statement speaks when nothing follows.
    pub carry_interval: Duration,
    /// After how much silence an open session counts as ended; `None`: never.
    pub max_silence: Option<Duration>,
}

impl Retention {
    /// The cutoff at `now`.
    pub fn cutoff(&self, now: Timestamp) -> Cutoff {
        Cutoff::of(now, self.window)
    }

    /// This policy with another window in force. What does not fit into it is as if nothing had been configured.
    #[must_use]
    pub fn under(self, window: Duration) -> Self {
        let carry_interval = if self.carry_interval < window {
            self.carry_interval
        } else {
            Self::default_carry_interval(window, self.bucket)
        };
        // Silence beyond the window cannot be seen.
        Self { window, carry_interval, max_silence: self.max_silence.map(|silence| silence.min(window)), ..self }
    }

    /// `carry-interval` where the configuration names none: the smaller of 4 h and window / 12, in whole buckets, at least one.
    pub fn default_carry_interval(window: Duration, bucket: BucketWidth) -> Duration {
        let wanted = Duration::from_secs(4 * 3600).min(window.checked_div(12).unwrap_or_default());
        bucket.duration().saturating_mul(bucket.buckets_in(wanted).max(1))
    }

    /// `max-silence` where the configuration names none: the smaller of 24 h and window / 2.
    pub fn default_max_silence(window: Duration) -> Duration {
        Duration::from_secs(24 * 3600).min(window.checked_div(2).unwrap_or_default())
    }

    /// After how many buckets a session that may be silent for this long counts as ended; `None`: never.
    ///
    /// No longer than can be seen: while a bucket waits to be settled, what a silent session said last must not have expired.
    pub fn silent_buckets(&self, max_silence: Option<Duration>) -> Option<u32> {
        let carry = self.carry_buckets();
        let most = self.bucket.buckets_in(self.window).saturating_sub(carry.saturating_mul(3)).max(carry);
        max_silence.map(|silence| self.bucket.buckets_in(silence).min(most))
    }

    /// For how many buckets a statement speaks; at least one.
    pub fn carry_buckets(&self) -> u32 {
        self.bucket.buckets_in(self.carry_interval).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_follow_the_window() {
        let ten_minutes = BucketWidth::from_secs(600).unwrap();
        let two_days = Duration::from_secs(48 * 3600);
        assert_eq!(Retention::default_carry_interval(two_days, ten_minutes), Duration::from_secs(4 * 3600));
        assert_eq!(Retention::default_max_silence(two_days), Duration::from_secs(24 * 3600));

        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        let two = Retention {
            window: two_days,
            bucket: ten_minutes,
            purge_interval: Duration::from_secs(60),
            carry_interval: Duration::from_secs(4 * 3600),
            max_silence: Some(days(1)),
        };
        assert_eq!(two.under(days(3)), Retention { window: days(3), ..two });
        let hour = Duration::from_secs(3600);
        let (carry_interval, max_silence) = (Duration::from_secs(600), Some(hour));
        assert_eq!(two.under(hour), Retention { window: hour, carry_interval, max_silence, ..two });

        let second = BucketWidth::from_secs(1).unwrap();
        assert_eq!(Retention::default_carry_interval(Duration::from_secs(20), second), Duration::from_secs(2));
    }
}
