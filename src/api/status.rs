//! The daemon's status, as JSON. It holds no personal data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClockStatus, EmergencyCounts};

/// What the daemon says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Emergencies that wait for an approver or for the legal process that must follow.
    #[serde(default)]
    pub emergencies: EmergencyCounts,
    /// The configured sources and what is known of them.
    pub sources: Vec<SourceStatus>,
    /// Counts since the start, by name.
    pub counters: BTreeMap<String, u64>,
}

/// Room on the disk that the store lies on. `null` where the file system does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskStatus {
    /// Is there too little to take events?
    pub full: bool,
    /// Bytes that are free.
    pub free: Option<u64>,
    /// Bytes that the ballast holds back.
    pub ballast: Option<u64>,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SourceStatus {
    /// Its configured name.
    pub name: String,
    /// The realm of the addresses it speaks of; empty is the public one.
    pub realm: String,
    /// Does it report its open sessions regularly?
    pub interims: bool,
    /// After how much silence an open session of it counts as ended, in seconds; `null`: never.
    pub max_silence: Option<u64>,
    /// The newest event time it has sent; `null` if none.
    pub heard: Option<String>,
    /// How long ago that was, in seconds.
    pub heard_ago: Option<u64>,
    /// When something of it arrived last; `null` if nothing has since the start.
    pub arrived: Option<String>,
    /// Events that arrived lately.
    pub events: u64,
    /// In how many seconds those arrived.
    pub events_over: u64,
    /// By how many milliseconds its clock is ahead of ours, or behind if negative; `null` if nothing came undelayed.
    pub clock_ahead: Option<i64>,
    /// Requests of it that were left unanswered since the start, for want of room or of a trusted clock.
    pub lost: u64,
    /// What was acknowledged and not kept since the start, by reason.
    pub quarantined: BTreeMap<String, u64>,
    /// When something of it may have been lost, in whole buckets of the window, the oldest first.
    pub gaps: Vec<GapText>,
}

/// A stretch in which something may have been lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct GapText {
    /// Its first instant.
    pub from: String,
    /// The first instant after it.
    pub until: String,
    /// Why: `away`, `clock-in-doubt`, `disk-full`, `refused`, `kernel-drop`, `backlog`, `unread`.
    pub why: Vec<String>,
}
