//! What stands out in how rights are used: counts, pseudonyms and hours.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All that stands out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AnomaliesAnswer {
    /// Version of this JSON.
    pub version: u32,
    /// From when on the access ledger was looked at.
    pub since: String,
    /// From when on `sweep` and `same-subscriber` could be seen: the daemon's start, if that is later.
    pub seen_since: String,
    /// From which count on something stands out, by kind.
    pub thresholds: BTreeMap<String, u64>,
    /// In how many hours something stood out, by kind; every kind is there.
    pub hours: BTreeMap<String, u64>,
    /// The same of each actor and day.
    pub days: Vec<AnomalyDay>,
    /// One by one, the latest first.
    pub anomalies: Vec<AnomalyText>,
}

/// A day of one actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnomalyDay {
    /// Who, as the access ledger has it: a keyed hash.
    pub actor: String,
    /// Which day, in UTC.
    pub day: String,
    /// What.
    pub kind: String,
    /// In how many of its hours.
    pub hours: u64,
}

/// Something stands out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnomalyText {
    /// Who, as the access ledger has it: a keyed hash.
    pub actor: String,
    /// What.
    pub kind: String,
    /// The hour, by its first instant.
    pub hour: String,
    /// How many.
    pub count: u64,
    /// From how many on it stands out.
    pub threshold: u64,
}
