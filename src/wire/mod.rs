//! Bytes to events and back: the protocols as they stand on the wire.
//!
//! Everything here is sans-IO and total: it owns no socket, reads no clock, and answers any bytes whatever with a
//! value or an error, in work bounded by their number. Whether a source may say what it says, and when it happened, is
//! decided above.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod events;
pub mod radius;
pub mod reader;
