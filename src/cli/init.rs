//! `lapsed init`.

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::ledger::generation;
use crate::ledger::keys::{self, KeyError, Signer};

use super::{Ending, say, tell};

/// The ledgers, which begin new generations.
const LEDGERS: [&str; 2] = ["purge", "access"];
/// What signs response packages, and has one key for good.
const PACKAGE: &str = "package";

/// Makes the signing keys that are not there, in this directory or in that of the configuration, and prints the public ones.
pub(super) fn init(file: &Path, dir: Option<PathBuf>, generation: u32) -> Ending {
    let dir = match dir.map_or_else(|| Config::read(file).map(|config| config.ledger_keys_dir), Ok) {
        Ok(dir) => dir,
        Err(error) => {
            tell(&error.to_string());
            return Ending::Usage;
        }
    };
    match public_keys(&dir, generation) {
        Ok(text) => say(&text).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => {
            tell(&format!("lapsed: {error}"));
            Ending::Nobody
        }
    }
}

/// A line for each key.
fn public_keys(dir: &Path, generation: u32) -> Result<String, KeyError> {
    let ledgers = LEDGERS.map(|name| (generation::key(name, generation), generation::origin(name, generation)));
    let package = (generation <= 1).then(|| (PACKAGE.to_owned(), generation::origin(PACKAGE, 1)));
    let lines = ledgers.into_iter().chain(package).map(|(name, origin)| {
        keys::make_if_missing(dir, &name, &origin)?;
        Ok(format!("{name:<8} {}\n", Signer::read(dir, &name, &origin)?.vkey()))
    });
    lines.collect()
}
