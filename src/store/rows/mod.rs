//! A row as bytes: its key and the hashes in it, its value and the seal on it.
//!
//! All of it is computed: from a record and the secret of a bucket to bytes, and back. Nothing here knows where the secret
//! lies, which column family a row belongs to, or whether it may still be read.

mod bucket_keys;
pub(super) mod envelope;
pub(super) mod fields;
pub(super) mod keys;
pub(super) mod records;

pub(super) use bucket_keys::BucketKeys;
pub use records::{DecodeError, MAX_RECORD_BYTES, decode, encode};
