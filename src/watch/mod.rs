//! Watching the watchers: what stands out in how those who may ask make use of it.
//!
//! Counts come from the access ledger ([`Glance`]). What no entry may say, whose data it was, is seen through [`Tags`]: hashes under
//! a random key that lives as long as the process, in memory only, and turned into counts when their hour or day is over. All
//! that comes out is a pseudonym, a kind, an hour and a count ([`Anomaly`]). Nothing here is an accusation, no name or address
//! comes out of it, and none of it is ever written down.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

mod anomaly;
mod glance;
mod tags;

use crate::domain::time::Timestamp;

pub use anomaly::{Anomaly, Kind, LOOKBACK, Overdue, anomalies};
pub use glance::{Deed, Glance};
pub use tags::{Asked, Tags};

/// Somebody, as the access ledger names them.
pub type Actor = [u8; 8];

const HOUR: u64 = 3_600_000;
const HOURS_A_DAY: u64 = 24;

/// Hours since 1970.
const fn hour_of(at: Timestamp) -> u64 {
    at.millis() / HOUR
}

/// The first instant of an hour.
const fn start_of(hour: u64) -> Timestamp {
    Timestamp::from_millis(hour.saturating_mul(HOUR))
}
