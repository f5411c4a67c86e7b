//! What the API says of the ledgers, besides their bytes.

/// The public keys that the checkpoints of the ledgers are signed with, as C2SP signed-note writes them (`NAME+ID+KEY`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct LedgerKeys {
    /// Of the ledger of what was destroyed.
    pub purge: String,
    /// Of the ledger of accesses.
    pub access: String,
}

/// A receipt of one access: of the asker's own, unless the asker is an auditor. Any other entry is answered as one that is not there.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct ReceiptAnswer {
    /// A C2SP tlog-proof, with the entry as its extra data.
    pub receipt: String,
}
