//! Durations, and how they are summed up.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// What something took.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// Of the thread that did it: what other programs do disturbs it less.
    pub(crate) processor: Duration,
}

/// What it took to do something.
#[expect(clippy::disallowed_methods, reason = "a bench measures")]
pub(crate) fn took(work: impl FnOnce()) -> Took {
    let (started, at_first) = (Instant::now(), processor_time());
    work();
    Took { wall: started.elapsed(), processor: processor_time().saturating_sub(at_first) }
}

/// The processor time that this thread has had.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// The value that `percent` of a hundred do not exceed; `None` of nothing.
pub(crate) fn percentile<T: Copy + PartialOrd>(values: &[T], percent: usize) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    let last = sorted.len().checked_sub(1)?;
    sorted.get(last * percent / 100).copied()
}
