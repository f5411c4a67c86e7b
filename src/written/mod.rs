//! Times as papers write them, read without guessing.
//!
//! - [`instant`]: a time of day with a date and a zone, to one instant, or to the readings it has.
//!
//! What can be read in two ways is refused with both, since half of the errors in requests are wrong addresses and wrong times,
//! and each of them names somebody. What was read is given back with the text it was read from, so that it can be shown
//! and confirmed. No IO and no clock: whether an instant lies in the future is for those who know the present.

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod instant;
mod scan;
