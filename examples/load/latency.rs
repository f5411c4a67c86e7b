//! How late acknowledgements were, counted in bins, so that an hour takes no more memory than a minute.

use std::time::Duration;

/// The width of a bin.
const BIN: Duration = Duration::from_micros(50);
/// The last bin holds all that took five seconds or longer.
const BINS: usize = 100_000;

/// Counts of latencies.
pub(crate) struct Latencies {
    bins: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { bins: vec![0; BINS], count: 0, longest: Duration::ZERO }
    }

    /// Counts one.
    pub(crate) fn add(&mut self, latency: Duration) {
        let bin = usize::try_from(latency.as_nanos() / BIN.as_nanos()).unwrap_or(BINS).min(BINS - 1);
        if let Some(count) = self.bins.get_mut(bin) {
            *count += 1;
        }
        self.count += 1;
        self.longest = self.longest.max(latency);
    }

    /// The latency that `per_mille` of a thousand did not exceed, to the end of its bin.
    pub(crate) fn quantile(&self, per_mille: u64) -> Duration {
        let wanted = (self.count * per_mille).div_ceil(1000);
        let mut seen = 0;
        let mut upper = Duration::ZERO;
        for count in &self.bins {
            upper += BIN;
            seen += count;
            if seen >= wanted {
                break;
            }
        }
        upper.min(self.longest)
    }

    /// The longest of all.
    pub(crate) const fn longest(&self) -> Duration {
        self.longest
    }
}
