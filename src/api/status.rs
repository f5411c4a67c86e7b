//! The daemon's status, as JSON. It holds no personal data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ClockStatus;

/// What the daemon says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StatusAnswer {
    /// Version of the software.
    pub version: String,
    /// The daemon's wall clock, RFC 3339.
    pub now: String,
    /// The first instant that is still readable.
    pub horizon: String,
    /// How long a record is readable, in seconds.
    pub window: u64,
    /// How much time shares one key, in seconds.
    pub bucket: u64,
    /// When the daemon started.
    pub started: String,
    /// Are events taken? Not while the clock is in doubt or the disk full.
    pub accepting: bool,
    /// Is the wall clock believed?
    pub clock: ClockStatus,
    /// Room on the disk.
    pub disk: DiskStatus,
    /// Entries in the access ledger.
    pub access_entries: u64,
    /// The configured sources and what is known of them.
    pub sources: Vec<SourceStatus>,
    /// Counts since the start, by name.
    pub counters: BTreeMap<String, u64>,
}

/// Room on the disk that the store lies on. `null` where the file system does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskStatus {
    /// Is there too little to take events?
    pub full: bool,
    /// Bytes that are free.
    pub free: Option<u64>,
    /// Bytes that the ballast holds back.
    pub ballast: Option<u64>,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its configured name.
    pub name: String,
    /// The newest event time it has sent; `null` if none.
    pub heard: Option<String>,
}
