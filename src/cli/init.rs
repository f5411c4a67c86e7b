//! `lapsed init`.

use std::path::Path;

use crate::config::Config;
use crate::ledger::keys::{self, KeyError, Signer};

use super::{Ending, say, tell};

/// Those of the ledgers, and that of response packages.
const KEYS: [&str; 3] = ["purge", "access", "package"];

/// Makes the signing keys that are not there, and prints the public ones.
pub(super) fn init(file: &Path) -> Ending {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => {
            tell(&error.to_string());
            return Ending::Usage;
        }
    };
    match public_keys(&config.ledger_keys_dir) {
        Ok(text) => say(&text).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => {
            tell(&format!("lapsed: {error}"));
            Ending::Nobody
        }
    }
}

fn public_keys(dir: &Path) -> Result<String, KeyError> {
    let lines = KEYS.into_iter().map(|name| {
        let origin = format!("lapsed/{name}");
        keys::make_if_missing(dir, name, &origin)?;
        Ok(format!("{name:<8} {}\n", Signer::read(dir, name, &origin)?.vkey()))
    });
    lines.collect()
}
