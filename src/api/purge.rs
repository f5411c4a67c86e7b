//! The purge, as JSON: how it is doing, what it would do, what it reported. No personal data.
//!
//! Instants are RFC 3339 in UTC with milliseconds; durations are whole milliseconds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the purge is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PurgeStatus {
    /// The daemon's wall clock.
    pub now: String,
    /// For how long a record is readable.
    pub window_ms: u64,
    /// Nothing older is readable.
    pub cutoff: String,
    /// The oldest record on disk after the last run; `null` if there is none, or no run yet.
    pub oldest: Option<OldestText>,
    /// How far that record lies behind the cutoff of now: 0 when nothing waits to be destroyed. It grows up to the purge interval and
    /// what a run takes.
    pub lag_ms: u64,
    /// The last run since the daemon started.
    pub last_run: Option<RunText>,
    /// When the next run is due; `null` before the first.
    pub next_run: Option<String>,
    /// How many runs in a row have failed.
    pub consecutive_failures: u32,
    /// How many keys are live, those made ahead included.
    pub live_keys: u32,
    /// How many buckets of the window have a key that is damaged or lost.
    pub unreadable_keys: u32,
    /// What the overwriting of keys is worth; `null` while it is not known.
    pub erasure: Option<ErasureText>,
    /// How many reports there are.
    pub reports: u64,
}

/// The oldest record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OldestText {
    /// Its instant.
    pub time: String,
    /// Its age.
    pub age_ms: u64,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunText {
    /// When it began.
    pub began: String,
    /// When it had ended.
    pub ended: String,
    /// Why it was made: `start`, `interval`, `stop` or `asked`.
    pub trigger: String,
    /// `verified` or `failed`.
    pub result: String,
    /// The step and the reason of every failure.
    pub failures: Vec<String>,
    /// How many records it unlinked.
    pub unlinked: u64,
    /// How many keys it destroyed.
    pub keys_destroyed: u64,
}

/// A run that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunAnswer {
    /// Everything older is gone, if the run was verified.
    pub cutoff: String,
    /// What it did. Its report comes when the period ends.
    pub run: RunText,
    /// How many expired rows are still there; 0 if the run was verified.
    pub remaining: u64,
    /// How many table files it unlinked.
    pub files_removed: u64,
}

/// What the overwriting of keys is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ErasureText {
    /// `C`, `C?`, `memory` or `degraded`.
    pub class: String,
    /// The file system and the devices that the class was read from.
    pub stack: String,
    /// Are the keys on the device of the database: `yes`, `no` or `unknown`?
    pub same_device: String,
}

/// What a purge would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PlanAnswer {
    /// The daemon's wall clock.
    pub now: String,
    /// The window by which it is planned.
    pub window_ms: u64,
    /// Everything older goes.
    pub cutoff: String,
    /// Buckets whose keys will be destroyed, the oldest first.
    pub destroy: Vec<BucketText>,
    /// The bucket in which the cutoff lies.
    pub cut: Option<BucketText>,
    /// What will be compacted.
    pub compact: Option<SpanText>,
    /// The change of the window that was asked about.
    pub change: Option<ChangeText>,
    /// The plan in words.
    pub text: String,
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BucketText {
    /// Its number.
    pub bucket: u32,
    /// Its first instant.
    pub from: String,
}

/// From an instant up to, not including, another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpanText {
    /// The first instant.
    pub from: String,
    /// The first instant after it.
    pub until: String,
}

/// A change of the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ChangeText {
    /// The window so far.
    pub old_ms: u64,
    /// The window asked for.
    pub new_ms: u64,
    /// What is readable now and will not be; `null` if nothing is.
    pub lost: Option<SpanText>,
}

/// Reports, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PurgeReports {
    /// Each in brief.
    pub reports: Vec<ReportLine>,
    /// The number that the next report will have: reports below it exist.
    pub next: u64,
}

/// A report in brief. Its canonical text alone counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReportLine {
    /// Its number.
    pub sequence: u64,
    /// Why its period ended.
    pub kind: String,
    /// The beginning of the period.
    pub from: String,
    /// Its end.
    pub to: String,
    /// How many runs there were.
    pub runs: u64,
    /// How many records were unlinked, of all classes.
    pub unlinked: u64,
    /// How many keys were opened.
    pub keys_opened: u64,
    /// How many keys were destroyed.
    pub keys_destroyed: u64,
    /// How many exceptions it has, those included that had no room.
    pub exceptions: u64,
    /// `clean`, `exceptions` or `failed`.
    pub result: String,
}

/// Change for how long records are readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowRequest {
    /// The new window, such as `24h`.
    pub window: String,
    /// The same once more, letter by letter.
    pub confirm: String,
}

/// The window is changed, and what that made due is destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WindowAnswer {
    /// The window so far.
    pub old_ms: u64,
    /// The window from now on.
    pub new_ms: u64,
    /// The first instant that is still readable.
    pub cutoff: String,
}
