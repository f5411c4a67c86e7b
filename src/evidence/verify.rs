//! All checks, in the order in which they are told.

use std::path::Path;

use super::fetched::{self, Fetched, ReadError};
use super::found::Found;
use super::history::Known;
use super::log::{self, Log, Names};
use super::{Check, Evidence, accesses, ages, failures, heartbeats, key_count, periods, system, told};
use crate::audit::Entry;
use crate::ledger::note::VerifierKey;
use crate::purge::Report;

const PURGE: Names =
    Names { signature: "purge-signature", files: "purge-files", root: "purge-root", entries: "purge-entries" };
const ACCESS: Names =
    Names { signature: "access-signature", files: "access-files", root: "access-root", entries: "access-entries" };

/// The public keys of the ledgers, from elsewhere than the directory: who could change that could change them too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// That of the purge ledger.
    pub purge: VerifierKey,
    /// That of the access ledger.
    pub access: VerifierKey,
}

/// Looks at both ledgers in a directory as `lapse audit fetch` leaves it; `known` are signed checkpoints that were kept of earlier.
///
/// Every rule is judged by itself, whatever came of the others. Of an entry that a rule could not look at, it is not said that it
/// held. Reads all of both ledgers into memory.
///
/// # Errors
///
/// If the directory, or what is in it, cannot be read. What is missing there is no error but a finding.
pub fn verify(dir: &Path, keys: &Keys, known: &[Vec<u8>]) -> Result<Evidence, ReadError> {
    let Fetched { purge, access, strange } = fetched::read(dir)?;
    let known = Known::open(known, keys);
    let (purge_sizes, access_sizes) = known.sizes();
    let purge = log::look(&PURGE, &purge, &keys.purge, &purge_sizes, Report::parse);
    let access = log::look(&ACCESS, &access, &keys.access, &access_sizes, Entry::parse);
    let mut checks = vec![directory(&strange)];
    checks.extend(purge.checks.iter().chain(&access.checks).cloned());
    checks.extend(of_reports(&purge));
    checks.extend([
        accesses::times(&access, &purge),
        accesses::covered(&access, &purge),
        known.look(&purge, &access),
        ages::unlinked(&purge),
        ages::keys(&purge),
        failures::failures(&purge),
        told::breaches(&purge),
        told::exceptions(&purge),
    ]);
    Ok(Evidence { purge: purge.read, access: access.read, checks })
}

fn of_reports(purge: &Log<Report>) -> [Check; 6] {
    [
        periods::sequence(purge),
        periods::periods(purge),
        periods::cutoff(purge),
        key_count::keys(purge),
        heartbeats::heartbeats(purge),
        system::system(purge),
    ]
}

/// There is nothing beside the two ledgers.
fn directory(strange: &[String]) -> Check {
    let mut found = Found::default();
    for name in strange {
        found.fail(format!("{name} does not belong there"));
    }
    found.check("directory", "purge and access, and nothing else")
}
