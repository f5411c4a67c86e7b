//! Wall time, injected.
//!
//! Rules take a `Timestamp`; only long-lived things hold a [`Clock`] and ask it once for each thing they do. Monotonic
//! time may measure, and never decides.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Utc;

use crate::domain::time::Timestamp;

/// Says what time it is.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_utc(Utc::now()).unwrap_or(Timestamp::EPOCH)
    }
}

/// A clock that tests move by hand, also backwards.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicU64::new(now.millis()))
    }

    /// Moves the clock to `now`.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
