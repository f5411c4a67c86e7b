//! The nouns: what a record means, and the rules that need neither IO nor a clock.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod actor;
pub mod address;
pub mod clock_guard;
pub mod coverage;
pub mod erasure;
pub mod event;
pub mod finding;
pub mod identity;
pub mod lease;
pub mod lockout;
pub mod money;
pub mod nat;
pub mod process;
pub mod rate;
pub mod record;
pub mod retention;
pub mod rfc3339;
pub mod selection;
pub mod session;
pub mod time;
pub mod verdict;
