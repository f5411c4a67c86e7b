//! The two families without records: what the store knows about itself, and the entries of the logs.
//!
//! Here is what their rows are called and how they are read. Whoever writes some puts them into a batch, beside the records
//! that they speak of. What the numbers and the entries mean, others decide.

pub(super) mod ledger;
pub(super) mod marks;
pub(super) mod meta;

pub use ledger::{Log, LogHashes};
pub use meta::Number;
