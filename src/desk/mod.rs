//! Requests on file: what a legal process says, what it asks for, and how far its answer is. Pure.
//!
//! `papers` reads what is written, and names what is missing; `filed` is a request with all that became of it, and the bytes of both.
//! What is sealed, when, and who may do what to it, is the daemon's business.

mod filed;
mod hold;
mod item;
mod papers;

pub use filed::{Approval, FiledError, Given, Request, State};
pub use hold::Hold;
pub use item::{Item, ItemFault, items};
pub use papers::{MAX_FIELD, PaperFault, Papers};
