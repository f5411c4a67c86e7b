//! What is kept, for how long, who may ask and under what, as JSON. No personal data, and no name of who works here.
//!
//! Durations are whole milliseconds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::actor::Role;
use crate::domain::process::{Class, Group, Need, ProcessType};

/// The policy in force and its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyAnswer {
    /// [`super::POLICY_VERSION`].
    pub version: u32,
    /// SHA-256 over `policy` as JSON without white space, its keys in the order of this contract; lower-case hex.
    pub digest: String,
    /// The policy.
    pub policy: PolicyText,
}

/// The policy, from the configuration and the window in force alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyText {
    /// How long what is kept.
    pub retention: RetentionText,
    /// Who is listened to, and what is kept of the line; besides these, principals and tokens with the role source may send events.
    pub sources: Vec<PolicySource>,
    /// Who may ask.
    pub askers: AskersText,
    /// Under which kinds of process; every kind there is.
    pub process_types: Vec<ProcessTypeText>,
    /// SHA-256 of the file with the kinds, as access entries have it; lower-case hex.
    pub process_types_digest: String,
}

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RetentionText {
    /// How long a record is readable.
    pub window_ms: u64,
    /// How much time shares one key.
    pub bucket_ms: u64,
    /// How often expired records are destroyed.
    pub purge_interval_ms: u64,
    /// For how long a statement speaks when nothing follows.
    pub carry_interval_ms: u64,
    /// After how much silence an open session counts as ended; `null`: never.
    pub max_silence_ms: Option<u64>,
}

/// How a source speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// RADIUS accounting (RFC 2866).
    Radius,
    /// The lease file of a DHCP server.
    LeaseFile,
    /// Events over the API.
    Stream,
    /// Events in files that are left in a directory.
    Spool,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicySource {
    /// Its name.
    pub name: String,
    /// How it speaks.
    pub kind: SourceKind,
    /// What is kept of the line: some of `mac`, `circuit-id`, `remote-id`, `nas-port`.
    pub keeps: Vec<String>,
    /// After how much silence an open session of it counts as ended; `null`: never.
    pub max_silence_ms: Option<u64>,
}

/// Which roles may ask what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AskersText {
    /// Who had an address.
    pub address: Vec<Role>,
    /// What one subscriber had.
    pub subscriber: Vec<Role>,
}

/// One kind of process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ProcessTypeText {
    /// Its name.
    pub name: ProcessType,
    /// Where the law has it; `null` where the table leaves the kind out.
    pub statute: Option<String>,
    /// Compelled, permitted, or the customer's own.
    pub class: Class,
    /// What it releases.
    pub releases: Vec<Group>,
    /// May it ask for all that one subscriber had?
    pub reverse: bool,
    /// What must be on file beside what every request has.
    pub needs: Vec<Need>,
    /// Is it published in bands only?
    pub counted_in_bands: bool,
    /// Why it releases nothing; `null` if it releases something.
    pub refused: Option<String>,
}
