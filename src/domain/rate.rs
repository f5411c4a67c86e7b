//! How much one principal may ask: a bucket that fills at a rate and holds what comes in a second.
//!
//! Time is how long the caller's stopwatch runs.

use std::collections::BTreeMap;
use std::time::Duration;

/// Parts of a request, so that a bucket fills smoothly without fractions: one a nanosecond and request a second.
const WHOLE: u128 = 1_000_000_000;

/// The buckets of all principals. There are as many as principals that ever asked: each had to show who it is.
#[derive(Debug)]
pub struct Rates {
    per_second: u32,
    buckets: BTreeMap<String, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u128,
    looked: Duration,
}

impl Rates {
    /// So many requests a second for each, at least one.
    pub fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1), buckets: BTreeMap::new() }
    }

    /// May this principal make one more request now?
    pub fn take(&mut self, name: &str, now: Duration) -> bool {
        let (rate, most) = (u128::from(self.per_second), u128::from(self.per_second).saturating_mul(WHOLE));
        if !self.buckets.contains_key(name) {
            self.buckets.insert(name.to_owned(), Bucket { left: most, looked: now });
        }
        let Some(bucket) = self.buckets.get_mut(name) else { return false };
        let filled = now.saturating_sub(bucket.looked).as_nanos().saturating_mul(rate);
        bucket.left = bucket.left.saturating_add(filled).min(most);
        bucket.looked = bucket.looked.max(now);
        let rest = bucket.left.checked_sub(WHOLE);
        bucket.left = rest.unwrap_or(bucket.left);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_a_second_passes_and_then_the_rate() {
        let mut rates = Rates::new(10);
        let now = Duration::from_secs(100);
        let passed = |rates: &mut Rates, name: &str, now| (0..50).filter(|_| rates.take(name, now)).count();
        assert_eq!(passed(&mut rates, "amy", now), 10);
        assert_eq!(passed(&mut rates, "bob", now), 10, "nobody takes another's");
        assert_eq!(passed(&mut rates, "amy", now + Duration::from_millis(250)), 2);
        assert_eq!(passed(&mut rates, "amy", now + Duration::from_millis(300)), 1, "what is left of a request is kept");
        assert_eq!(passed(&mut rates, "amy", now + Duration::from_secs(3600)), 10);
    }
}
