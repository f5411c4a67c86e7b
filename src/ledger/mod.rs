//! The append-only ledgers, as far as they are built: their keys, the hash tree, and the C2SP layouts in which others read them.
//!
//! All but [`keys`] and [`handed_out`] is pure: bytes and hashes in, bytes and hashes out. Knows nothing of leases, nor of where a ledger is kept.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

pub mod checkpoint;
pub mod handed_out;
pub mod keys;
pub mod merkle;
pub mod note;
pub mod receipt;
mod text;
pub mod tile;
