//! Requests on file: the papers of a legal process, its items, and what became of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EmergencyCounts, LookupAnswer};
use crate::domain::process::Group;
use crate::domain::verdict::Verdict;

/// A legal process as its papers have it, with its items. All instants and dates are text, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RequestPaper {
    /// The kind of legal process.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// Its items.
    #[serde(rename = "item", default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemText>,
    /// Items as a CSV with a header, beside the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_csv: Option<String>,
    /// Every other field by its name: those that all requests have (`authority`, `agency`, `officer`, `officer-contact`, `case`,
    /// `issued`, `received`, `return-by`, `jurisdiction`, `document-digest`, `non-disclosure`, `non-disclosure-until`), and
    /// what the type needs (`statute`, `judge`, ...).
    #[serde(flatten)]
    pub fields: BTreeMap<String, String>,
}

/// One item as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemText {
    /// What the paper calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The address, perhaps with its port.
    pub address: String,
    /// The port of the subscriber's side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The time.
    pub at: String,
    /// The zone of a time that has none in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How wrong the clock that gave the time may have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<String>,
    /// Which of several equal address spaces; absent: the public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
}

/// Items to be added to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ItemsPaper {
    /// One by one.
    #[serde(rename = "item", default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemText>,
    /// As a CSV with a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_csv: Option<String>,
}

/// Something to look at before anything is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// The item that it is about; absent: the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u32>,
    /// What it is, by a word.
    pub code: String,
    /// What it is, in a sentence.
    pub text: String,
}

/// How papers would be understood, if they were filed. Nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestPreview {
    /// The items.
    pub items: Vec<ItemReading>,
    /// What to look at before anything is answered.
    pub warnings: Vec<Warning>,
    /// The version of the IANA time zone database that named zones were looked up in.
    pub zones: String,
}

/// How an item was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemReading {
    /// Its number in the request, from 1.
    pub item: u32,
    /// As written.
    pub written: ItemText,
    /// The address, or the network.
    pub address: String,
    /// The port.
    pub port: Option<u16>,
    /// The instant, UTC.
    pub at: String,
}

/// A request was opened, or items were added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestOpened {
    /// The request.
    pub id: String,
    /// How many items it has.
    pub items: u32,
    /// How many of them are captured.
    pub captured: u32,
    /// What to look at before anything is answered.
    pub warnings: Vec<Warning>,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// It can be answered.
    Open,
    /// Its kind of process needs somebody who approves it first.
    AwaitsApproval,
    /// It is closed.
    Closed,
}

impl RequestState {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::AwaitsApproval => "awaits-approval",
            Self::Closed => "closed",
        }
    }
}

/// One line of the list of requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequestLine {
    /// The request.
    pub id: String,
    /// How far it is.
    pub state: RequestState,
    /// The kind of process.
    #[serde(rename = "type")]
    pub process: String,
    /// The case number.
    pub case: String,
    /// Who asks.
    pub agency: String,
    /// When it was received, as understood.
    pub received: String,
    /// Until when it is to be answered, as written.
    pub return_by: Option<String>,
    /// How many items it has.
    pub items: u32,
    /// How many of them were answered.
    pub answered: u32,
    /// Items whose answer would be another one today, since something came late.
    pub changed: Vec<u32>,
}

/// Every request on file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestList {
    /// The oldest first.
    pub requests: Vec<RequestLine>,
    /// The emergencies among them that wait for somebody.
    #[serde(default)]
    pub emergencies: EmergencyCounts,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequestSheet {
    /// Its line in the list.
    pub line: RequestLine,
    /// All fields as they were filed or added.
    pub fields: BTreeMap<String, String>,
    /// Which of them were added later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<AddedText>,
    /// The legal process that followed, if it is an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<String>,
    /// When it was opened.
    pub opened: String,
    /// By whom.
    pub opened_by: String,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// When its answers were last put together for whoever asked.
    pub packaged: Option<String>,
    /// When it was closed.
    pub closed: Option<String>,
    /// From when on its papers are destroyed.
    pub expires: String,
    /// From when on what is captured is destroyed; absent: nothing is, or no more.
    pub captures_expire: Option<String>,
    /// What an answer may have.
    pub releases: Vec<Group>,
    /// What is not on file and must be before anything is answered.
    pub missing: Vec<String>,
    /// What it costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<FeeLine>,
    /// The holds that it may be answered from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<String>,
    /// Its items.
    pub items: Vec<ItemSheet>,
    /// What to look at before anything is answered.
    pub warnings: Vec<Warning>,
}

/// A field that was added to the papers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedText {
    /// Its name.
    pub field: String,
    /// Who added it.
    pub by: String,
    /// When.
    pub at: String,
}

/// Fields to be added to the papers of a request. What is on file is not changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldsPaper {
    /// Their texts, by name.
    pub set: BTreeMap<String, String>,
}

/// Fields were added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldsAdded {
    /// The request.
    pub id: String,
    /// The entry in the access ledger.
    pub ledger: u64,
    /// What is still missing before anything is answered.
    pub missing: Vec<String>,
}

/// A line of the bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeLine {
    /// What it is for.
    pub what: String,
    /// How many.
    pub count: u32,
    /// What one costs, as configured.
    pub each: String,
    /// What all cost.
    pub total: String,
}

/// One item of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ItemSheet {
    /// Its number in the request, from 1.
    pub item: u32,
    /// As written.
    pub written: ItemText,
    /// The address as understood.
    pub address: String,
    /// The port as understood.
    pub port: Option<u16>,
    /// The instant as understood, UTC.
    pub at: String,
    /// Is an answer captured, so that the clock cannot take it?
    pub captured: bool,
    /// The answer that was given last.
    pub verdict: Option<Verdict>,
    /// When it was given.
    pub answered: Option<String>,
    /// Would it be another one today?
    pub changed: bool,
}

/// Which items of a request are to be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswersRequest {
    /// Their numbers; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<u32>>,
}

/// The answers, in the order of the items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// One an item.
    pub answers: Vec<LookupAnswer>,
}

/// Something was done that has no answer of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// What it was done to.
    pub id: String,
    /// The entry in the access ledger.
    pub ledger: u64,
}
