//! `lapsed decommission`.

use std::io::BufRead as _;
use std::path::Path;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::store::{Inventory, WindUp, WindUpError};

use super::{Ending, say, tell};

/// What of the state directory is not the store's own, and goes with it.
const ALSO: [&str; 4] = ["tokens", "ledger-keys", "access.checkpoint", "purge.checkpoint"];

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
    let given = confirm.or_else(|| ask(state_dir, keyring_dir, name));
    if given.as_deref() != Some(name) {
        tell(&format!("lapsed: that is not `{name}`: nothing was done"));
        return Ending::Usage;
    }
    match wind_up.finish(&ALSO) {
        Ok(inventory) => say(&words(&inventory)).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => failed(&error),
    }
}

fn failed(error: &WindUpError) -> Ending {
    tell(&format!("lapsed: {error}"));
    Ending::Nobody
}

/// What was typed; `None` if nothing was.
fn ask(state_dir: &Path, keyring_dir: &Path, name: &str) -> Option<String> {
    tell(&format!(
        "This destroys every key in {} and removes the store in {}: all records, requests and ledgers. It cannot be undone.\n\
         To go on, type the name of the state directory ({name}):",
        keyring_dir.display(),
        state_dir.display(),
    ));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    Some(line.trim_end_matches(['\n', '\r']).to_owned())
}

fn words(inventory: &Inventory) -> String {
    let mut text = match inventory.keys {
        Some(keys) => format!(
            "The keyring was overwritten in place, synced and read back: {keys} live keys and the keys of the store's lifetime \
             are gone.\n"
        ),
        None => {
            "There was no keyring that could be read. If one exists elsewhere, its keys are not destroyed.\n".to_owned()
        }
    };
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
