//! The desk: requests on file, and what happens to their items before anything is answered.
//!
//! - [`Papers`]: what is written, and what is missing. [`Request`] and [`Hold`]: those on file with all that became of them, and the
//!   bytes of both. `Debug` shows how much there is of them, and no word. What is sealed, when, and who may do what to it, is
//!   the daemon's business.
//! - [`remarks`]: what looks like a mistake, item by item.
//! - [`triage`]: which items can still be answered, and for how long.
//!
//! All of it is pure: papers and items as they are written, the configuration and the present, each as an argument. No record is
//! read here.

#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

mod emergency;
mod filed;
mod hold;
mod item;
mod papers;
mod redacted;
pub mod remarks;
pub mod triage;

pub use filed::{Addition, Approval, FiledError, FollowUp, Given, Request, State};
pub use hold::Hold;
pub use item::{Item, ItemFault, items};
pub use papers::{CUSTOMER_ENTITY, MAX_FIELD, PaperFault, Papers};
