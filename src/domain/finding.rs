//! What a look-up of one subscriber can come to.

use std::fmt;

/// The outcome of a look-up of one subscriber. None of them says that there was nothing: only that nothing is readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Logons, assignments or both were found.
    Found,
    /// Nothing that is readable names the subscriber in the span.
    Nothing,
    /// The whole span lies before the horizon.
    Purged,
    /// The span has not begun yet.
    Future,
    /// The process is not one that releases this.
    Refused,
}

impl Finding {
    /// The name in answers and ledger entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Nothing => "nothing",
            Self::Purged => "purged",
            Self::Future => "future",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
