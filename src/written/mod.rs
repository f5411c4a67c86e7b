//! Times, addresses and lists of items as papers write them, read without guessing.
//!
//! - [`instant`]: a time of day with a date and a zone, to one instant, or to the readings it has.
//! - [`address`]: an address, perhaps with a port or as a prefix, and what kind of address it is.
//! - [`items`]: the CSV of the items of a request: all of it, or every fault in it.
//!
//! What can be read in two ways is refused with both, since half of the errors in requests are wrong addresses and
//! wrong times, and each of them names somebody. What was read is given back with the text it was read from, so that it
//! can be shown and confirmed. No IO and no clock: whether an instant lies in the future is for those who know the
//! present.

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod address;
pub mod instant;
pub mod items;
mod scan;
