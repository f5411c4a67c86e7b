//! The desk: what happens to the items of a request before anything is answered.
//!
//! - [`remarks`]: what looks like a mistake, item by item.
//! - [`triage`]: which items can still be answered, and for how long.
//!
//! All of it is pure: items as papers write them, the configuration and the present, each as an argument. No record is
//! read here.

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod remarks;
pub mod triage;
