//! What one subscriber had: the request and the answer, as JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::finding::Finding;
use crate::domain::process::Group;
use crate::domain::session::Evidence;
use crate::domain::verdict::Caution;

use super::{AtText, InsideText, LedgerText, LineText};

/// A question about one subscriber, with the papers that compel its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriberRequest {
    /// The subscriber, as answers of lookups name them: text, or `0x` and hex where it is not printable.
    pub subscriber: String,
    /// Whose subscriber it is; needed where networks of several entities are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// The first instant, RFC 3339 with an offset, as the paper has it.
    pub from: String,
    /// The first instant that is not asked for any more.
    pub to: String,
    /// The kind of legal process.
    pub process: String,
    /// The asker's case number.
    pub case: String,
    /// The court, agency or statute.
    pub authority: String,
}

/// The answer. What the process does not release is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SubscriberAnswer {
    /// [`super::SUBSCRIBER_VERSION`].
    pub version: u32,
    /// The outcome.
    pub finding: Finding,
    /// The sentence that goes with a finding which needs one.
    pub note: Option<String>,
    /// The subscriber as asked for.
    pub subscriber: String,
    /// Whose subscriber it is, where that is configured.
    pub entity: Option<String>,
    /// The span.
    pub span: SpanAsked,
    /// Logons without an address, in order of time.
    pub logons: Vec<LogonText>,
    /// What was assigned, in order of the beginning.
    pub assignments: Vec<AssignmentText>,
    /// Why to be careful with all of it.
    pub cautions: Vec<Caution>,
    /// The first instant that is still readable.
    pub horizon: String,
    /// What the process releases; nothing if it is refused.
    pub releases: Vec<Group>,
    /// The entry in the access ledger.
    pub ledger: LedgerText,
}

/// The span that was asked for, and whether all of it could be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SpanAsked {
    /// Its first instant.
    pub from: AtText,
    /// The first instant after it.
    pub to: AtText,
    /// Does it begin before the horizon, so that its beginning is not readable?
    pub beyond_horizon: bool,
    /// Does it end after the present?
    pub beyond_now: bool,
}

/// A logon without an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogonText {
    /// RFC 3339, UTC, milliseconds.
    pub at: String,
    /// The session's tag.
    pub session: String,
    /// The NAS that said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nas: Option<String>,
    /// Where the session entered the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineText>,
    /// The source that delivered it.
    pub source: String,
    /// Why to be careful with it.
    pub cautions: Vec<Caution>,
}

/// What the subscriber had, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssignmentText {
    /// The address or prefix.
    pub assigned: String,
    /// The ports of it; absent if all.
    pub ports: Option<PortsText>,
    /// Its realm; empty is the public one.
    pub realm: String,
    /// What a NAT translated to it, where a statement says so.
    pub inside: Option<InsideText>,
    /// Since when, within the span.
    pub since: EndText,
    /// Until when, within the span; `null` if it reaches the present and nothing says that it ended.
    pub until: Option<EndText>,
    /// The session's tag.
    pub session: String,
    /// The NAS of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nas: Option<String>,
    /// Where the session entered the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineText>,
    /// How many others are known to have held the same, or ports of it, at some instant of this time.
    pub others: usize,
    /// Why to be careful with it.
    pub cautions: Vec<Caution>,
    /// The sources it rests on.
    pub sources: Vec<String>,
}

/// A block of ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortsText {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

/// One end of an assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndText {
    /// RFC 3339, UTC, milliseconds. Where the evidence is `beyond-horizon` or `beyond-span`, where that begins or ends.
    pub time: String,
    /// How it is known.
    pub evidence: Evidence,
}
