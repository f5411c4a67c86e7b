//! The purge: what is planned, what a run did, and what the ledger says of a period.
//!
//! [`Plan`] says what a run will do, before it does it. [`Run`] is what one run did. [`Tally`] adds runs up and, at the end of a
//! period, closes into a [`Report`], whose canonical text is the entry of the purge ledger. These are plain data about
//! buckets, counts and instants. [`Purger`] acts: it takes the steps of a run on a store, in the one order that is safe, and
//! writes the reports. Nothing here knows an address, a subscriber or a clock.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

mod cases;
mod covering;
mod exception;
mod execute;
mod keys;
mod plan;
mod prose;
mod purger;
mod report;
mod run;
mod tally;
mod tally_bytes;
mod text;

pub use crate::canonical::{Line, ParseError};
pub use covering::{Reach, covering};
pub use exception::{DoubtEnd, DoubtReason, Exception, Explanation, LONGEST_DOUBT, Setting};
pub use execute::Order;
pub use keys::{Act, Reported};
pub use plan::{Change, KeyState, Plan};
pub use purger::{Purger, ResumeError};
pub use report::{
    ClassReport, ClockSource, ClockStanding, Erasure, Keys, Kind, LastRun, MAX_ENTRY_BYTES, Outcome, Report, Runs,
    SLACK, Standing, Terms, Told, Unlinking, Verdict, policy_digest,
};
pub use run::{
    Check, Class, ClassRun, Counted, Extents, Failure, KeyDestroyed, PerClass, ReadBack, Reason, Run, Step, Trigger,
};
pub use tally::{Closed, Closing, Tally};
pub use tally_bytes::TallyError;
