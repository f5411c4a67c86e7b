//! Ledgers as an honest daemon would write them, made in memory by the tally that the daemon uses, and as the files that an auditor fetches.

mod files;
mod world;

pub(crate) use files::{Files, Signers, laid_out};
pub(crate) use world::{Event, World};

use std::collections::BTreeMap;

use lapsed::audit::Entry;
use lapsed::purge::Report;

/// Both ledgers, before anything is signed.
#[derive(Clone)]
pub(crate) struct Ledgers {
    pub(crate) purge: Vec<Report>,
    pub(crate) access: Vec<Entry>,
}

impl Ledgers {
    /// The entries of the purge ledger.
    pub(crate) fn purge_bytes(&self) -> Vec<Vec<u8>> {
        self.purge.iter().map(Report::to_bytes).collect()
    }

    /// The entries of the access ledger.
    pub(crate) fn access_bytes(&self) -> Vec<Vec<u8>> {
        self.access.iter().map(Entry::to_bytes).collect()
    }

    /// All files that an auditor fetches, by their names below the directory.
    pub(crate) fn files(&self, signers: &Signers) -> Files {
        let mut files = BTreeMap::new();
        files.extend(laid_out("purge", &self.purge_bytes(), &signers.purge));
        files.extend(laid_out("access", &self.access_bytes(), &signers.access));
        files
    }
}
