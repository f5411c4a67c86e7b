//! What a requester is given: the files of a response package, and a no-records certificate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AtText, ItemText};
use crate::domain::verdict::Verdict;

/// A response package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The request that it answers.
    pub id: String,
    /// The entry in the access ledger.
    pub ledger: u64,
    /// Its files, in the order in which they are read.
    pub files: Vec<PackageFile>,
}

/// One file, as text or as bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PackageFile {
    /// Its name: letters, digits, `-`, `_` and `.`, and no `.` first.
    pub name: String,
    /// What is in it.
    #[serde(flatten)]
    pub content: PackageContent,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PackageContent {
    /// UTF-8.
    Text(String),
    /// Bytes in base64 (RFC 4648, section 4).
    Base64(String),
}

/// A certificate that there is no readable record, to be signed by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Certificate {
    /// [`super::CERTIFICATE_VERSION`].
    pub version: u32,
    /// The request.
    pub request: String,
    /// The case number.
    pub case: String,
    /// Who asks.
    pub agency: String,
    /// When the process was received, UTC.
    pub received: String,
    /// When this was made, UTC.
    pub made: String,
    /// The version of the software.
    pub software: String,
    /// The digest of the policy in force, as `lapse policy show` has it.
    pub policy: String,
    /// The digest of the configured networks: SHA-256 over their prefixes, sorted as text, a line each.
    pub networks: String,
    /// In whose name it is given and who signs, where that is configured.
    pub custodians: Vec<CustodianText>,
    /// The items that were answered `purged` or `not-ours`; at least one.
    pub items: Vec<CertifiedItem>,
    /// The entry in the access ledger.
    pub ledger: u64,
}

/// In whose name something is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustodianText {
    /// The legal entity; empty: the only one.
    pub entity: String,
    /// The name that customers know.
    pub brand: String,
    /// Who keeps the records and signs.
    pub custodian: String,
}

/// One item of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertifiedItem {
    /// Its number in the request.
    pub item: u32,
    /// As written.
    pub written: ItemText,
    /// The address as understood.
    pub address: String,
    /// The port as understood.
    pub port: Option<u16>,
    /// The time, as written and in UTC.
    pub at: AtText,
    /// `purged` or `not-ours`.
    pub verdict: Verdict,
    /// The purge report that covers the time; absent where none does yet, or the address is not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<u64>,
    /// What is said of it.
    pub statement: String,
}
