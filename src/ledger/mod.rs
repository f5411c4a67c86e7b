//! The append-only ledgers, as far as they are built: the keys that will sign their checkpoints, and the one that signs packages.
//!
//! Knows nothing of leases.

pub mod keys;
