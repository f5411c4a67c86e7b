//! Checks a state directory from outside: is anything in it that should have gone?
//!
//! A path of its own. It takes no key, no lock and no part of [`Store`](super::Store): with that it shares the constants of the
//! format and nothing else, so that a fault there does not hide itself here. It changes nothing in the directory, which may
//! be that of a running daemon or a copy.
//!
//! Three means, each for what the others cannot see: the bounds of every table as the MANIFEST has them; every row that can be
//! read; and the bytes of every file, searched for expired keys. Tables are compressed: the search of the bytes sees some of
//! their keys only, and the rows that are read are the others. What neither sees is a row of a table that was overwritten or
//! deleted and stands in the middle of a block; deletions are counted for that reason.
//!
//! It does not look into a keyring outside of the directory, and says nothing about the disk below the files.

mod database;
mod expired;
mod finding;
mod listing;
mod look;
mod policy;
mod raw;

use std::collections::BTreeSet;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::domain::time::{Cutoff, Timestamp};

pub use finding::{Finding, Incomplete, InspectError, Inspection, Kind, Outcome, Remark};

use expired::Expired;
use look::{Look, Measure, Scope};

/// What a purge run may take beyond its interval.
const SLACK: Duration = Duration::from_secs(5);
/// How often something that may be passing is looked at again.
const LOOKS: u32 = 2;

/// What has been done since the last report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many rows were read.
    Rows(u64),
    /// So many bytes were searched.
    Bytes(u64),
}

/// Inspects the state directory `dir` as of `at`, and tells `progress` as it goes on.
///
/// Not for the process that has the store open: closing a file there lets go of RocksDB's lock on it.
///
/// # Errors
///
/// If there is nothing to measure by, or nothing to measure. What could not be looked at is in [`Inspection::incomplete`].
pub fn inspect(dir: &Path, at: Timestamp, progress: &mut dyn FnMut(Progress)) -> Result<Inspection, InspectError> {
    if !dir.is_dir() {
        return Err(InspectError::NoDirectory(dir.to_owned()));
    }
    let policy = policy::read(&dir.join("POLICY"))?;
    if !dir.join("db/CURRENT").exists() {
        return Err(InspectError::NoDatabase(dir.to_owned()));
    }
    let horizon = Cutoff::of(at, policy.window).horizon();
    let tolerance = policy.purge_interval.saturating_add(SLACK);
    let limit = horizon.minus(tolerance);
    let expired = Expired::before(limit, policy.bucket);
    let live = look::is_live(dir);
    let measure = Measure { dir, expired: &expired, young: at.minus(tolerance), live };

    let mut first = look::look(&measure, Scope::All, progress);
    first.findings.sort_by(|a, b| (a.kind, &a.place).cmp(&(b.kind, &b.place)));
    if live {
        confirm(&measure, &mut first, progress);
    }
    Ok(Inspection {
        window: policy.window,
        horizon,
        tolerance,
        limit,
        live,
        files: first.files,
        bytes: first.bytes,
        rows: first.rows,
        oldest: first.oldest,
        findings: first.findings,
        remarks: first.remarks,
        incomplete: first.incomplete,
    })
}

/// Where a daemon runs, a finding counts if it is there in every look, one right after the other: a file may have been listed
/// in the moment before it was removed.
fn confirm(measure: &Measure<'_>, first: &mut Look, progress: &mut dyn FnMut(Progress)) {
    for _ in 0..LOOKS {
        // Rows and bounds that are no keys come and go with nothing.
        let passing = |finding: &Finding| !matches!(finding.kind, Kind::NotAKey | Kind::Misfiled);
        let names: BTreeSet<String> =
            first.findings.iter().filter(|found| passing(found)).map(|found| found.place.clone()).collect();
        if names.is_empty() {
            return;
        }
        pause();
        let again = look::look(measure, Scope::Again(&names), progress);
        let seen = |of: &Finding| again.findings.iter().any(|now| now.kind == of.kind && now.place == of.place);
        first.findings.retain(|found| !passing(found) || seen(found));
    }
}

/// Lets a running daemon come to the end of what it is doing.
fn pause() {
    thread::sleep(Duration::from_millis(200));
}
