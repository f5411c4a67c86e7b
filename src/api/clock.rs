//! The wall clock and whether it is believed, as JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::actor::Role;
use crate::domain::clock_guard::{Reason, Synchronised};

/// Believed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClockState {
    /// It is believed.
    Trusted,
    /// It is not: nothing is acknowledged, answered or destroyed by it.
    InDoubt,
}

/// What is known of the wall clock. The fields about a doubt are `null` while it is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ClockStatus {
    /// Is it believed?
    pub state: ClockState,
    /// What it shows, RFC 3339.
    pub now: String,
    /// What it should show at least, by the last trusted instant and the time since the machine started; `null` if it was
    /// never trusted.
    pub expected: Option<String>,
    /// By how many seconds it has moved against the time since the machine started; in doubt, how far it is from where it
    /// should be. Negative if it is behind; `null` where there is nothing to measure it by.
    pub offset: Option<i64>,
    /// Does the kernel say that it is synchronised?
    pub synchronised: Synchronised,
    /// How far it may move before it is in doubt, in seconds.
    pub max_step: u64,
    /// Why it is in doubt.
    pub reason: Option<Reason>,
    /// Since when it is in doubt, by the time expected then.
    pub since: Option<String>,
    /// For how many seconds.
    pub age: Option<u64>,
    /// The number of the doubt, which names it when it is accepted.
    pub doubt: Option<u64>,
    /// The roles whose acceptance would end it and has not come.
    pub needs: Vec<Role>,
    /// Sources that were heard since the clock last moved.
    pub sources_heard: usize,
    /// Those of them whose event stamps agree with it.
    pub sources_agreeing: usize,
}

/// Accepts the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// [`ClockStatus::doubt`], so that nobody accepts another clock than the one they looked at.
    pub doubt: u64,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AcceptAnswer {
    /// The clock afterwards.
    pub clock: ClockStatus,
    /// Index of the entry in the access ledger.
    pub index: u64,
}
