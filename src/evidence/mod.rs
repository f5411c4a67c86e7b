//! What an auditor makes of the two ledgers as they were fetched: files, two public keys and no reason to trust anybody.
//!
//! Needs no daemon, no store and no token. A ledger shows that what was reported is consistent and was not changed; it does not
//! show that it is true, and nothing here says so.

mod accesses;
mod ages;
mod doubt;
mod failures;
mod fetched;
mod found;
mod heartbeats;
mod history;
mod key_count;
mod log;
mod page;
mod periods;
pub mod sample;
mod signature;
mod system;
mod told;
mod tree;
mod verify;

use crate::audit::Entry;
use crate::ledger::checkpoint::Checkpoint;
use crate::purge::Report;

pub use fetched::ReadError;
pub use page::page;
pub use verify::{Keys, verify};

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It held.
    Pass,
    /// It is proven not to hold.
    Fail,
    /// What is there does not tell.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// Its name, which scripts may rely on.
    pub name: &'static str,
    /// What it came to.
    pub result: Outcome,
    /// Which entry and which rule, or what is missing; of one that held, what it held for.
    pub detail: String,
    /// Does the verdict depend on it? What is only told does not.
    #[serde(skip)]
    pub counts: bool,
}

/// One ledger, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read<E> {
    /// What the host signed; `None` if there is no checkpoint that its key opens.
    pub checkpoint: Option<Checkpoint>,
    /// The entries in their order, as far as they are in the grammar.
    pub entries: Vec<E>,
}

/// Both ledgers and all checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The reports of what was destroyed.
    pub purge: Read<Report>,
    /// The accesses.
    pub access: Read<Entry>,
    /// What was looked at, in the order in which it is told.
    pub checks: Vec<Check>,
}

impl Evidence {
    /// `Some(true)` if every check that counts held, `Some(false)` if one is proven not to, `None` if it cannot be told.
    pub fn valid(&self) -> Option<bool> {
        self.judge(|check| check.counts)
    }

    /// The same of what is about the access ledger, and of its history where a checkpoint was kept.
    pub fn accesses_hold(&self) -> Option<bool> {
        self.judge(|check| {
            let history = check.name == "history-fixed" && check.result == Outcome::Fail;
            history || check.name == "directory" || check.name.starts_with("access-")
        })
    }

    fn judge(&self, counts: impl Fn(&Check) -> bool) -> Option<bool> {
        let of = |result| self.checks.iter().any(|check| counts(check) && check.result == result);
        if of(Outcome::Fail) {
            Some(false)
        } else if of(Outcome::Unknown) {
            None
        } else {
            Some(true)
        }
    }
}

/// What `lapse audit verify -o json` prints.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// As of [`Evidence::valid`]: `null` where it cannot be told.
    pub valid: Option<bool>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

impl From<&Evidence> for Verdict {
    fn from(evidence: &Evidence) -> Self {
        Self { valid: evidence.valid(), checks: evidence.checks.clone() }
    }
}
