//! Emergencies on file, and the legal processes that must follow them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RequestState;

/// How many emergencies wait for somebody. It names nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EmergencyCounts {
    /// For an approver who did not open them.
    pub awaiting_approval: u32,
    /// For the legal process that should have followed by now.
    pub overdue: u32,
}

/// One emergency for which no legal process is named yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EmergencyLine {
    /// The request.
    pub id: String,
    /// How far it is.
    pub state: RequestState,
    /// When it was opened.
    pub opened: String,
    /// The case number.
    pub case: String,
    /// Who asked.
    pub agency: String,
    /// What is not on file and must be before anything is answered.
    pub missing: Vec<String>,
    /// How many items it has.
    pub items: u32,
    /// How many of them were answered.
    pub answered: u32,
    /// Before when the legal process is due; absent: nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_due: Option<String>,
    /// Should it have followed by now?
    pub overdue: bool,
}

/// The emergencies for which no legal process is named yet, closed ones too if anything of them was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyList {
    /// Those that are overdue first, then by what is due first; last those of which nobody has said when.
    pub emergencies: Vec<EmergencyLine>,
}

/// The legal process that followed an emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUpRequest {
    /// The request that it is.
    pub request: String,
}
