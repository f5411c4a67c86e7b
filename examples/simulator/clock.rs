//! The only place in the examples that reads the wall clock.

use std::time::SystemTime;

use lapsed::domain::time::{Timestamp, millis_of};

/// The wall clock: what a NAS stamps its events with.
#[expect(clippy::disallowed_methods, reason = "a simulated NAS has a clock of its own")]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(millis_of(since_epoch))
}
