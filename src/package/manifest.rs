//! The manifest: which files there are, of which request, under which policy; its bytes are what is signed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{File, Response};
use crate::audit::hex;
use crate::domain::time::Timestamp;

/// Version of the manifest.
const VERSION: u32 = 1;

/// As it is written; docs/package.md says what each means.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Manifest<'a> {
    version: u32,
    request: &'a str,
    case: &'a str,
    created: String,
    software: &'a str,
    policy: &'a str,
    process_types: &'a str,
    /// The indexes of the access entries of the answers, in the order of the items.
    ledger: Vec<u64>,
    public_key: String,
    files: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    bytes: usize,
    sha256: String,
}

impl<'a> Listed<'a> {
    fn of(file: &'a File) -> Self {
        Self { name: file.name, bytes: file.bytes.len(), sha256: digest(file) }
    }
}

/// SHA-256 of a file, lower-case hex.
pub(super) fn digest(file: &File) -> String {
    hex(&Sha256::digest(&file.bytes))
}

/// The list that `sha256sum -c` reads.
pub(super) fn sums(files: &[File]) -> String {
    files.iter().map(|file| format!("{}  {}\n", digest(file), file.name)).collect()
}

/// The manifest of these files, in JSON.
pub(super) fn json(
    response: &Response<'_>,
    files: &[File],
    created: Timestamp,
    public: &[u8; 32],
) -> Result<Vec<u8>, serde_json::Error> {
    let manifest = Manifest {
        version: VERSION,
        request: &response.request,
        case: response.papers.field("case"),
        created: created.to_string(),
        software: &response.software,
        policy: &response.policy,
        process_types: &response.process_types,
        ledger: response.answers.iter().map(|answered| answered.answer.ledger.index).collect(),
        public_key: STANDARD.encode(public),
        files: files.iter().map(Listed::of).collect(),
    };
    let mut json = serde_json::to_vec_pretty(&manifest)?;
    json.push(b'\n');
    Ok(json)
}
