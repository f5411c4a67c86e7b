//! The way of records into the database and out of it: sealed, collected in a batch, and read under a cutoff.
//!
//! What the bytes of a row are, is the business of `rows`. The commit itself is [`Store::commit`](super::Store::commit),
//! which alone sees the batch, what is noted and the cutoff together.

mod batch;
mod noted;
mod observations;
mod sealer;
mod settling;

pub use batch::Batch;
pub(super) use noted::{Frontier, Noted};
pub use observations::{Observations, Place, ReadError};
pub use sealer::{SealError, Sealed, Sealer};
pub(super) use settling::Unsettled;
pub use settling::{Findings, Late, LateByBucket, Row, SettlingError};
