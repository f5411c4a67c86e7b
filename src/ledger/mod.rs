//! The append-only ledgers: their keys, the hash tree, and the C2SP layouts in which others read them.
//!
//! All but [`keys`], [`handed_out`] and [`durable`] is pure: bytes and hashes in, bytes and hashes out. Knows nothing of leases, nor of where a ledger is kept.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod checkpoint;
pub mod durable;
pub mod generation;
pub mod handed_out;
pub mod keys;
pub mod merkle;
pub mod note;
pub mod receipt;
mod text;
pub mod tile;
