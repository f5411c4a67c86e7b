//! A lookup's request and answer, as JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::process::Group;
use crate::domain::session::Evidence;
use crate::domain::verdict::{Caution, Verdict};

/// One question, with the papers that compel its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookupRequest {
    /// The address, IPv4 or IPv6.
    pub address: String,
    /// The instant, RFC 3339 with an offset, as the paper has it.
    pub at: String,
    /// The source port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Which of several equal address spaces; absent: the public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The kind of legal process.
    pub process: String,
    /// The asker's case number.
    pub case: String,
    /// The court, agency or statute.
    pub authority: String,
}

/// The answer. What belongs to a group ([`Group`]) is absent if the process does not release that group, if the verdict names
/// nobody, or if it is not known; `releases` tells the first from the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LookupAnswer {
    /// [`super::LOOKUP_VERSION`].
    pub version: u32,
    /// The item of a request that it answers; absent for a question that came alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// The outcome.
    pub verdict: Verdict,
    /// The sentence that goes with a verdict which needs one.
    pub note: Option<String>,
    /// The address as understood.
    pub address: String,
    /// The port asked for.
    pub port: Option<u16>,
    /// The realm asked for; empty is the public one.
    pub realm: String,
    /// The legal entity whose subscribers have it, where one is configured for its network.
    pub entity: Option<String>,
    /// The instant.
    pub at: AtText,
    /// Who held the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriber: Option<String>,
    /// What was assigned: the address, or the prefix around it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// What a NAT translated to the address and port, where a statement or the configuration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<InsideText>,
    /// The session's tag: a keyed hash that is the same in every answer about the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The NAS of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nas: Option<String>,
    /// Where the session entered the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineText>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<BoundaryText>,
    /// Until when; absent too if nothing says that it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<BoundaryText>,
    /// Distance to the nearest statements of the session.
    #[serde(default, skip_serializing_if = "HeardText::is_unknown")]
    pub heard: HeardText,
    /// How many subscribers are known to have held the address, or the port; behind a NAT that computes what it translates, how
    /// many inside addresses share it.
    pub sharing: usize,
    /// Where the answer comes from: `store`, a `capture` made when the request was filed, or a `hold`.
    pub from: String,
    /// Why to be careful.
    pub cautions: Vec<Caution>,
    /// The sources it rests on.
    pub sources: Vec<String>,
    /// The first instant that is still readable.
    pub horizon: String,
    /// What the process releases; nothing if it is refused.
    pub releases: Vec<Group>,
    /// The entry in the access ledger.
    pub ledger: LedgerText,
}

/// An address or prefix on the inside of a NAT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InsideText {
    /// The address, or the prefix.
    pub address: String,
    /// Its realm.
    pub realm: String,
}

/// The instant, as written and in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AtText {
    /// As the paper has it.
    pub written: String,
    /// RFC 3339, UTC, milliseconds.
    pub utc: String,
}

/// Where a session entered the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LineText {
    /// MAC address of the customer's equipment.
    pub mac: Option<String>,
    /// Port of the access node.
    pub circuit_id: Option<String>,
    /// Line or modem.
    pub remote_id: Option<String>,
    /// Port of the NAS.
    pub nas_port: Option<String>,
}

/// One end of an assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoundaryText {
    /// RFC 3339, UTC, milliseconds. Where the evidence is `beyond-horizon`, the horizon.
    pub time: String,
    /// How it is known.
    pub evidence: Evidence,
    /// Seconds between this end and the instant asked for.
    pub distance: u64,
}

/// Whole seconds from the instant to the nearest statements of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeardText {
    /// To the newest at or before it.
    pub before: Option<u64>,
    /// To the oldest after it.
    pub after: Option<u64>,
}

impl HeardText {
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the access is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerText {
    /// Index of the entry, from 0.
    pub index: u64,
    /// The random number in the entry.
    pub request: String,
    /// Opens the entry's commitment to the papers; it is kept nowhere else.
    pub salt: String,
}
