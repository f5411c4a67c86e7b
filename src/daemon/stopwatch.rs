//! How long something takes; never what time it is, and nothing is decided by it.

use std::time::{Duration, Instant};

/// A running stopwatch.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[expect(clippy::disallowed_methods, reason = "measures what an answer takes")]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
