//! What a purge would do now, in words, before it does it.

use std::fmt;
use std::time::Duration;

use crate::config::Written;
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};

use crate::canonical::named;

named! {
    /// What is known of a bucket's key.
    pub enum KeyState {
        /// It can be used.
        Live = "live",
        /// It is overwritten.
        Destroyed = "destroyed",
        /// It is damaged or lost. What is left of it is overwritten like any other.
        Unreadable = "unreadable",
    }
}

/// A change of the window, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The window so far.
    pub old: Duration,
    /// The window that is asked for.
    pub new: Duration,
    /// What is readable now and will not be: from the first instant up to, not including, the second. `None` if the window is not
    /// shortened.
    pub lost: Option<(Timestamp, Timestamp)>,
}

/// What a purge would do. Nothing is done by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Everything older goes.
    pub cutoff: Cutoff,
    /// The window that the cutoff comes from.
    pub window: Duration,
    /// Buckets that are wholly past and still have a key, the oldest first.
    pub destroy: Vec<Bucket>,
    /// The bucket in which the cutoff lies: its older records are unlinked one by one, its key stays.
    pub cut: Option<Bucket>,
    /// What is compacted: from the oldest record up to, not including, the cutoff. `None` if no record is older.
    pub compact: Option<(Timestamp, Timestamp)>,
    /// The change of the window that this plan is about.
    pub change: Option<Change>,
    width: BucketWidth,
}

impl Plan {
    /// The plan at a cutoff: `keys` are those of the keyring, `oldest` is the instant of the oldest record that is still on disk.
    pub fn at(retention: &Retention, cutoff: Cutoff, keys: &[(Bucket, KeyState)], oldest: Option<Timestamp>) -> Self {
        let (width, horizon) = (retention.bucket, cutoff.horizon());
        let past = |bucket: Bucket| width.start_of(bucket.later(1)) <= horizon;
        let mut destroy: Vec<_> = keys
            .iter()
            .filter(|(bucket, state)| past(*bucket) && *state != KeyState::Destroyed)
            .map(|(bucket, _)| *bucket)
            .collect();
        destroy.sort_unstable();
        let around = width.bucket_of(horizon);
        Self {
            cutoff,
            window: retention.window,
            destroy,
            cut: Some(around).filter(|bucket| width.start_of(*bucket) < horizon),
            compact: oldest.filter(|oldest| cutoff.hides(*oldest)).map(|oldest| (oldest, horizon)),
            change: None,
            width,
        }
    }

    /// The plan of a change of the window to that of `retention`, where `old` is the window so far and `standing` the cutoff that
    /// is in force: no change moves it back.
    pub fn of_change(
        retention: &Retention,
        old: Duration,
        standing: Cutoff,
        now: Timestamp,
        keys: &[(Bucket, KeyState)],
        oldest: Option<Timestamp>,
    ) -> Self {
        let cutoff = retention.cutoff(now).max(standing);
        let lost = (cutoff > standing).then(|| (standing.horizon(), cutoff.horizon()));
        let change = Some(Change { old, new: retention.window, lost });
        Self { change, ..Self::at(retention, cutoff, keys, oldest) }
    }

    /// Is there nothing to destroy?
    pub const fn is_empty(&self) -> bool {
        self.destroy.is_empty() && self.compact.is_none()
    }

    /// The steps in words, one a line, none wider than 100 columns.
    fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        let horizon = self.cutoff.horizon();
        if let Some(Change { old, new, lost }) = self.change {
            steps.push(format!("change the window from {} to {}", Written(old), Written(new)));
            match lost {
                Some((from, until)) => {
                    steps.push(format!("LOSE what is readable now from {from} to {until}"));
                    steps.push("nothing brings it back: not a longer window, not a copy of the database".to_owned());
                }
                None => steps.push("lose nothing; what is hidden or destroyed does not come back".to_owned()),
            }
        }
        steps.push(format!("hide everything before {horizon} (window {})", Written(self.window)));
        match (&self.destroy[..], self.destroy.first(), self.destroy.last()) {
            (_, Some(first), Some(last)) => {
                let (from, until) = (self.width.start_of(*first), self.width.start_of(last.later(1)));
                let count = self.destroy.len();
                steps.push(format!("destroy {count} {} of buckets between", if count == 1 { "key" } else { "keys" }));
                steps.push(format!("  {from} and {until}"));
            }
            _ => steps.push("destroy no key: every bucket that is wholly past has none any more".to_owned()),
        }
        if let Some(bucket) = self.cut {
            let (from, until) = (self.width.start_of(bucket), self.width.start_of(bucket.later(1)));
            steps.push(format!("keep the key of the bucket {from} to {until},"));
            steps.push("  in which the cutoff lies; of its records, unlink those before the cutoff".to_owned());
        }
        match self.compact {
            Some((from, until)) => steps.push(format!("compact from {from} to {until}, dropping every record")),
            None => steps.push("unlink nothing: no record on disk is older than the cutoff".to_owned()),
        }
        steps
    }
}

/// The steps, numbered by nothing but their order.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.change.is_some() { "with the new window, a purge" } else { "a purge now" };
        let much = if self.is_empty() { " finds nothing to destroy" } else { " would" };
        writeln!(f, "{what}{much}:")?;
        for step in self.steps() {
            // What continues a step stands below its text.
            match step.strip_prefix("  ") {
                Some(rest) => writeln!(f, "    {rest}")?,
                None => writeln!(f, "  - {step}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(window: u64) -> Retention {
        let bucket = BucketWidth::from_secs(600).unwrap();
        let window = Duration::from_secs(window);
        Retention {
            window,
            bucket,
            purge_interval: Duration::from_secs(60),
            carry_interval: Duration::from_secs(600),
            max_silence: None,
        }
    }

    /// Bucket 2 begins at 1200 s; the cutoff lies in the middle of bucket 3.
    const CUTOFF: u64 = 2100;

    fn seconds(seconds: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_secs(seconds))
    }

    fn keys() -> Vec<(Bucket, KeyState)> {
        let state = |bucket| match bucket {
            0 => KeyState::Destroyed,
            1 => KeyState::Unreadable,
            _ => KeyState::Live,
        };
        (0..6).rev().map(|bucket| (Bucket(bucket), state(bucket))).collect()
    }

    #[test]
    fn keys_of_buckets_that_are_wholly_past_go_and_the_one_that_is_cut_through_stays() {
        let cutoff = Cutoff::of(seconds(CUTOFF), Duration::ZERO);
        let plan = Plan::at(&retention(3600), cutoff, &keys(), Some(seconds(900)));
        assert_eq!(plan.destroy, [Bucket(1), Bucket(2)]);
        assert_eq!(plan.cut, Some(Bucket(3)));
        assert_eq!(plan.compact, Some((seconds(900), seconds(CUTOFF))));
        assert!(!plan.is_empty());
    }

    #[test]
    fn at_the_edge_of_a_bucket_nothing_is_cut_and_an_empty_store_compacts_nothing() {
        let cutoff = Cutoff::of(seconds(1800), Duration::ZERO);
        let plan = Plan::at(&retention(3600), cutoff, &keys()[..3], Some(seconds(1800)));
        assert_eq!((plan.cut, plan.compact), (None, None));
        assert!(plan.is_empty());
        assert_eq!(
            plan.to_string(),
            "\
a purge now finds nothing to destroy:
  - hide everything before 1970-01-01T00:30:00.000Z (window 1h)
  - destroy no key: every bucket that is wholly past has none any more
  - unlink nothing: no record on disk is older than the cutoff
"
        );
    }

    #[test]
    fn shortening_says_what_is_lost() {
        let now = seconds(5700);
        let standing = Cutoff::of(now, Duration::from_secs(4500));
        let plan =
            Plan::of_change(&retention(3600), Duration::from_secs(4500), standing, now, &keys(), Some(seconds(1201)));
        assert_eq!(plan.change.unwrap().lost, Some((seconds(1200), seconds(CUTOFF))));
        assert_eq!(
            plan.to_string(),
            "\
with the new window, a purge would:
  - change the window from 1h15m to 1h
  - LOSE what is readable now from 1970-01-01T00:20:00.000Z to 1970-01-01T00:35:00.000Z
  - nothing brings it back: not a longer window, not a copy of the database
  - hide everything before 1970-01-01T00:35:00.000Z (window 1h)
  - destroy 2 keys of buckets between
    1970-01-01T00:10:00.000Z and 1970-01-01T00:30:00.000Z
  - keep the key of the bucket 1970-01-01T00:30:00.000Z to 1970-01-01T00:40:00.000Z,
    in which the cutoff lies; of its records, unlink those before the cutoff
  - compact from 1970-01-01T00:20:01.000Z to 1970-01-01T00:35:00.000Z, dropping every record
"
        );
        assert!(plan.to_string().lines().all(|line| line.len() <= 100));
    }

    #[test]
    fn lengthening_revives_nothing() {
        let now = seconds(5700);
        let standing = Cutoff::of(now, Duration::from_secs(3600));
        let plan = Plan::of_change(&retention(4500), Duration::from_secs(3600), standing, now, &[], None);
        assert_eq!(plan.cutoff, standing);
        assert_eq!(plan.change.unwrap().lost, None);
        assert!(plan.to_string().contains("does not come back"));
    }
}
