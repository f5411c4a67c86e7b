//! `lapsed decommission`.

use std::fs;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::ledger::keys;
use crate::store::{Inventory, WindUp, WindUpError};

use super::{Ending, say, tell};

/// What of the state directory is not the store's own, and goes with it.
const ALSO: [&str; 4] = ["tokens", "ledger-keys", "access.checkpoint", "purge.checkpoint"];

/// What has signing keys, in a directory of their own: of them nothing may be signed any more when the store is gone.
const SIGNING: [&str; 3] = ["access", "purge", "package"];

/// Destroys every key and removes the store, after the state directory's name was given.
pub(super) fn decommission(file: &Path, confirm: Option<String>) -> Ending {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => {
            tell(&error.to_string());
            return Ending::Usage;
        }
    };
    let (state_dir, keyring_dir) = (&config.state_dir, &config.keyring_dir);
    let Some(name) = state_dir.file_name().and_then(|name| name.to_str()) else {
        tell(&format!("lapsed: {} has no name that could be typed", state_dir.display()));
        return Ending::Usage;
    };
    // First the locks: who runs a daemon is told so before being asked for anything.
    let wind_up = match WindUp::begin(state_dir, keyring_dir, SystemClock.now()) {
        Ok(wind_up) => wind_up,
        Err(error) => return failed(&error),
    };
    let given = confirm.or_else(|| ask(&config, name));
    if given.as_deref() != Some(name) {
        tell(&format!("lapsed: that is not `{name}`: nothing was done"));
        return Ending::Usage;
    }
    // First, while doing it again still finds a store: a crash here leaves the store, and some of these or none.
    let signing = SigningKeys::remove(&config.ledger_keys_dir);
    match wind_up.finish(&ALSO) {
        Ok(inventory) => say(&words(&inventory, &signing)).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => {
            tell(signing.words().trim_end());
            failed(&error)
        }
    }
}

/// The files of the keys that signed ledgers and packages, and what became of them.
#[derive(Default)]
struct SigningKeys {
    removed: Vec<PathBuf>,
    left: Vec<(PathBuf, io::Error)>,
}

impl SigningKeys {
    /// Removes those that can be removed, and the directory if nothing else is in it.
    fn remove(dir: &Path) -> Self {
        let mut keys = Self::default();
        for name in SIGNING {
            match keys::files_of(dir, name) {
                Ok(files) => files.into_iter().for_each(|path| keys.remove_one(path)),
                Err(error) => {
                    keys.left.push((dir.to_owned(), error));
                    break;
                }
            }
        }
        if !keys.removed.is_empty() && fs::remove_dir(dir).is_ok() {
            keys.removed.push(dir.to_owned());
        }
        keys
    }

    fn remove_one(&mut self, path: PathBuf) {
        match fs::remove_file(&path) {
            Ok(()) => self.removed.push(path),
            Err(error) => self.left.push((path, error)),
        }
    }

    fn words(&self) -> String {
        let mut text = String::new();
        for path in &self.removed {
            text.push_str(&format!("removed  {}\n", path.display()));
        }
        for (path, error) in &self.left {
            text.push_str(&format!("left     {} ({error})\n", path.display()));
        }
        if !self.left.is_empty() {
            text.push_str(
                "The signing keys that are left must never sign again: a ledger that goes on under them is another history \
                 than the one that auditors have. Destroy them where they are given from.\n",
            );
        }
        text
    }
}

fn failed(error: &WindUpError) -> Ending {
    tell(&format!("lapsed: {error}"));
    Ending::Nobody
}

/// What was typed; `None` if nothing was.
fn ask(config: &Config, name: &str) -> Option<String> {
    tell(&format!(
        "This destroys every key in {}, and removes the signing keys in {} and the store in {}: all records, requests and \
         ledgers. It cannot be undone.\n\
         To go on, type the name of the state directory ({name}):",
        config.keyring_dir.display(),
        config.ledger_keys_dir.display(),
        config.state_dir.display(),
    ));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn words(inventory: &Inventory, signing: &SigningKeys) -> String {
    let mut text = match inventory.keys {
        Some(keys) => format!(
            "The keyring was overwritten in place, synced and read back: {keys} live keys and the keys of the store's lifetime \
             are gone.\n"
        ),
        None => {
            "There was no keyring that could be read. If one exists elsewhere, its keys are not destroyed.\n".to_owned()
        }
    };
    text.push_str(&signing.words());
    for path in &inventory.removed {
        text.push_str(&format!("removed  {}\n", path.display()));
    }
    for path in &inventory.left {
        text.push_str(&format!("left     {} (not made by lapsed)\n", path.display()));
    }
    text.push_str(
        "Not done: the configuration and the files of shared secrets were left where they are. Removed files were not \
         overwritten; without the keys their records cannot be read, but ledger entries and token hashes in them are not \
         encrypted. Copies of the ledgers that auditors fetched, journals, backups, snapshots, and what the sources \
         themselves keep are beyond reach. Overwriting does not reach inside a drive.\n",
    );
    text
}
