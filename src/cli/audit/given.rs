//! What an auditor has: a directory, two public keys, and the checkpoints that were kept.

use std::fs;
use std::path::PathBuf;

use crate::cli::{Ending, escape, tell};
use crate::evidence::{self, Evidence, Keys};
use crate::ledger::note::VerifierKey;

/// The arguments that name it.
#[derive(Debug, clap::Args)]
pub(super) struct Given {
    /// The directory that was fetched: it has `purge` and `access` in it.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The key of the purge ledger, NAME+ID+KEY, or a file that has it.
    #[arg(long, value_name = "KEY")]
    purge_vkey: String,
    /// The key of the access ledger, likewise.
    #[arg(long, value_name = "KEY")]
    access_vkey: String,
    /// A signed checkpoint of either ledger that you kept; as often as you have one.
    #[arg(long, value_name = "FILE")]
    known: Vec<PathBuf>,
}

impl Given {
    /// Everything is read and checked. Says on stderr why it cannot be.
    pub(super) fn evidence(&self) -> Result<Evidence, Ending> {
        self.verify().map_err(|error| {
            tell(&format!("lapse: {}", escape::escape(&error)));
            Ending::CannotTell
        })
    }

    fn verify(&self) -> Result<Evidence, String> {
        let purge = key(&self.purge_vkey).map_err(|error| format!("--purge-vkey: {error}"))?;
        let access = key(&self.access_vkey).map_err(|error| format!("--access-vkey: {error}"))?;
        let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("--known {}: {error}", path.display()));
        let known: Vec<Vec<u8>> = self.known.iter().map(read).collect::<Result<_, _>>()?;
        evidence::verify(&self.dir, &Keys { purge, access }, &known).map_err(|error| error.to_string())
    }
}

/// The key that is this text, or that is in the file of this name. Neither is repeated: it may be a secret one by mistake.
pub(super) fn key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text).or_else(|error| match fs::read_to_string(text) {
        Ok(held) => VerifierKey::parse(held.trim_end()).map_err(|error| format!("in the file: {error}")),
        Err(_) => Err(format!("no file of this name can be read, and {error}")),
    })
}
