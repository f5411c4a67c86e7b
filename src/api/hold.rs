//! Holds: what is preserved for a process that may follow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is to be preserved, for a request on file: an address over a span, everything of a subscriber, or, if neither is named,
/// the addresses of the request's items at their times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// The request.
    pub request: String,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Which of several equal address spaces; absent: the public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The subscriber.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscriber: Option<String>,
    /// Whose subscriber, where several entities are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// The first instant; absent: as far back as anything is readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first instant that is not preserved any more; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The request that a hold is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// The request.
    pub request: String,
}

/// How far a hold is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HoldState {
    /// Nobody has approved it yet: it is destroyed within a day.
    AwaitsApproval,
    /// It is approved.
    Approved,
}

impl HoldState {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwaitsApproval => "awaits-approval",
            Self::Approved => "approved",
        }
    }
}

/// A hold, by counts and spans; never by names or addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HoldSheet {
    /// The hold.
    pub id: String,
    /// How far it is.
    pub state: HoldState,
    /// The request that it was placed for.
    pub request: String,
    /// The requests that may be answered from it.
    pub attached: Vec<String>,
    /// How many statements of sources are in it.
    pub records: usize,
    /// The spans that it answers for.
    pub spans: Vec<HeldSpan>,
    /// When it was placed.
    pub placed: String,
    /// By whom.
    pub placed_by: String,
    /// By whom it was approved.
    pub approved_by: Option<String>,
    /// From when on it is destroyed.
    pub expires: String,
    /// How often it was renewed.
    pub renewed: u16,
    /// How often it may be renewed.
    pub renewals: u16,
}

/// A span `[from, to)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeldSpan {
    /// Its first instant.
    pub from: String,
    /// The first instant after it.
    pub to: String,
}

/// Every hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldList {
    /// The oldest first.
    pub holds: Vec<HoldSheet>,
}
