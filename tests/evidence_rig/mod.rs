//! Ledgers as an honest daemon would write them, made in memory by the tally that the daemon uses, and as the files that an auditor fetches.

mod files;
mod world;

pub(crate) use files::{Files, Signers, laid_out};
pub(crate) use world::{Event, World};

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lapsed::audit::Entry;
use lapsed::evidence::{Evidence, verify};
use lapsed::purge::Report;

/// Writes all files below a directory.
pub(crate) fn write(dir: &Path, files: &Files) {
    for (name, bytes) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

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

    /// What the checks make of these ledgers, signed as they are.
    pub(crate) fn verified(&self) -> Evidence {
        let (dir, signers) = (tempfile::tempdir().unwrap(), Signers::fresh());
        write(dir.path(), &self.files(&signers));
        verify(dir.path(), &signers.keys(), &[]).unwrap()
    }

    /// All files that an auditor fetches, by their names below the directory.
    pub(crate) fn files(&self, signers: &Signers) -> Files {
        let mut files = BTreeMap::new();
        files.extend(laid_out("purge", &self.purge_bytes(), &signers.purge));
        files.extend(laid_out("access", &self.access_bytes(), &signers.access));
        files
    }
}
