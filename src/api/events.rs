//! Answers to the event stream, one line each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Problem;

/// What became of one line. With `ok` it is durable, or needs not be; without, it never will be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventAck {
    /// The line's number.
    pub line: u64,
    /// Was it taken?
    pub ok: bool,
    /// Why nothing is stored of a line that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The last line of an answer that stops early: what has no line before it was not taken, and is to be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamEnd {
    /// Why.
    pub problem: Problem,
}
