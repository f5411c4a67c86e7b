//! The contract that daemon and client share: paths, requests, answers and problems.

mod answer;
mod problem;
mod status;

pub use answer::{AtText, BoundaryText, HeardText, LedgerText, LineText, LookupAnswer, LookupRequest};
pub use problem::{PROBLEM_JSON, Problem};
pub use status::{SourceStatus, StatusAnswer};

/// `POST`: one lookup, a [`LookupRequest`] answered with a [`LookupAnswer`].
pub const LOOKUPS: &str = "/v1/lookups";
/// `GET`: a [`StatusAnswer`].
pub const STATUS: &str = "/v1/status";
/// `GET`: 200 while the process runs.
pub const LIVEZ: &str = "/livez";
/// `GET`: 200 while the store takes events, 503 otherwise.
pub const READYZ: &str = "/readyz";

/// Version of the JSON of a lookup.
pub const LOOKUP_VERSION: u32 = 1;
