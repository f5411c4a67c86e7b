//! Where a store lies, and the small files that stand beside its database and its keyring.
//!
//! None of them needs the database to be open, and none holds a record or a key. When one is written, and what its content is
//! worth, others decide. The notes of the sweeps are such a file too; they speak of destroyed keys, and stand in `purging`.

pub(super) mod ballast;
pub(super) mod disk;
mod paths;
pub(super) mod policy;
mod trusted_clock;

pub use ballast::{Ballast, BallastError};
pub(super) use paths::Paths;
pub use trusted_clock::{Remembered, TrustedClock, TrustedClockError};
