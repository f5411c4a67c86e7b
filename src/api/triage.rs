//! Which items of a list can still be answered, and for how long: the request and the answer, as JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AtText;

/// A list of items as a paper has it. Neither a process nor a record belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TriageRequest {
    /// The text of the CSV `line,address,port,protocol,at,zone,uncertainty,realm`, with its header.
    pub list: String,
    /// When the paper was issued, with a zone, in any form that items have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<String>,
    /// When it was received; the present if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
}

/// What the list comes to, from the clock and the configuration alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TriageAnswer {
    /// [`super::TRIAGE_VERSION`].
    pub version: u32,
    /// The present, RFC 3339, UTC, milliseconds.
    pub now: String,
    /// The first instant that is still readable.
    pub horizon: String,
    /// The window in force, in milliseconds.
    pub window_ms: u64,
    /// Every item that can be read: what can be answered first, and of that what dies first; then what is gone, the latest
    /// first; then what has not come yet; then what is not ours.
    pub items: Vec<TriageItem>,
    /// What of the list cannot be read, in its order.
    pub faults: Vec<RowFault>,
    /// The version of the IANA time zone database in which names of zones were looked up.
    pub zones: String,
}

/// How it stands with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TriageState {
    /// It can be answered, and dies.
    Alive,
    /// It lies before the horizon.
    Gone,
    /// It has not come yet.
    Future,
    /// The address lies in none of the configured networks.
    NotOurs,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TriageItem {
    /// Its line of the list, counted from 1; the header is line 1.
    pub file_line: usize,
    /// What the paper calls it.
    pub line: Option<String>,
    /// How it stands.
    pub state: TriageState,
    /// Whole seconds until it dies, since it is gone, or until it comes; `null` if it is not ours.
    pub seconds: Option<u64>,
    /// Do several share the address, so that it needs a port and has none?
    pub needs_port: bool,
    /// The state in words, such as `dies in 3 h 12 min`.
    pub said: String,
    /// The address as written.
    pub written: String,
    /// The address or network as understood, without its port.
    pub address: String,
    /// The port.
    pub port: Option<u16>,
    /// The protocol: `tcp` or `udp`.
    pub protocol: Option<String>,
    /// The realm; empty is the public one.
    pub realm: String,
    /// The time.
    pub at: AtText,
    /// The zone in which it was read.
    pub zone: String,
    /// What looks like a mistake.
    pub remarks: Vec<RemarkText>,
}

/// Something that should be looked at before the item is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemarkText {
    /// Its short name, such as `other-year`.
    pub code: String,
    /// It in words, without a full stop.
    pub sentence: String,
}

/// Why a row is no item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RowFault {
    /// The line of the list; `null`: the list as a whole.
    pub file_line: Option<usize>,
    /// The column; `null`: the row as a whole.
    pub field: Option<String>,
    /// What is wrong, over several lines where a time has several readings.
    pub problem: String,
}
