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
//! Beside these, the table of `case-keys`, which says in clear until when each request, capture and hold may be there.
//!
//! It does not look into a keyring outside of the directory, and says nothing about the disk below the files.

mod cases;
mod database;
mod expired;
mod finding;
mod listing;
mod look;
mod policy;
mod raw;

use std::mem;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::domain::time::{Cutoff, Timestamp};

pub use finding::{Finding, Incomplete, InspectError, Inspection, Kind, Outcome, Remark};

use expired::Expired;
use look::{Look, Measure, Scope};

/// What a purge run may take beyond its interval.
const SLACK: Duration = Duration::from_secs(5);
/// How often something that may be passing is looked at again at most. Whoever always finds something new has found something.
const LOOKS: u32 = 8;

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
    let mut measure = Measure { dir, expired: &expired, at, tolerance, live: look::is_live(dir) };

    let mut first = look::look(&measure, Scope::All, progress);
    // A daemon may also have been started meanwhile.
    measure.live = measure.live || look::is_live(dir);
    if measure.live {
        confirm(&measure, &mut first, progress);
    }
    let mut overdue = cases::overdue(dir, at.minus(tolerance));
    if measure.live && matches!(overdue, Ok(Some(_))) {
        pause();
        overdue = cases::overdue(dir, at.minus(tolerance));
    }
    match overdue {
        Ok(finding) => first.findings.extend(finding),
        Err(incomplete) => first.incomplete.push(incomplete),
    }
    first.findings.sort_by(|a, b| (a.kind, &a.place).cmp(&(b.kind, &b.place)));
    Ok(Inspection {
        window: policy.window,
        horizon,
        tolerance,
        limit,
        live: measure.live,
        files: first.files,
        bytes: first.bytes,
        rows: first.rows,
        oldest: first.oldest,
        findings: first.findings,
        remarks: first.remarks,
        incomplete: first.incomplete,
    })
}

/// Where a daemon runs, a finding counts if it is there in two looks, one right after the other: a file may have been listed
/// in the moment before it was removed.
///
/// What vanished from one file may have been moved to another. So each look covers the files that are new, and what it
/// finds there has to be seen twice in its turn.
fn confirm(measure: &Measure<'_>, first: &mut Look, progress: &mut dyn FnMut(Progress)) {
    // Rows and bounds that are no keys come and go with nothing.
    let passes = |finding: &Finding| !matches!(finding.kind, Kind::NotAKey | Kind::Misfiled);
    let (mut passing, lasting): (Vec<_>, Vec<_>) = mem::take(&mut first.findings).into_iter().partition(passes);
    first.findings = lasting;
    for _ in 0..LOOKS {
        if passing.is_empty() {
            return;
        }
        pause();
        let suspects = passing.iter().map(|finding| finding.place.clone()).collect();
        let again = look::look(measure, Scope::Again { suspects: &suspects, known: &first.searched }, progress);
        if !again.incomplete.is_empty() {
            // Who could not look cannot say that it is gone.
            first.incomplete.extend(again.incomplete);
            break;
        }
        first.searched.extend(again.searched);
        let before = mem::replace(&mut passing, again.findings.into_iter().filter(passes).collect());
        let was_there = |now: &Finding| before.iter().any(|of| now.kind == of.kind && now.place == of.place);
        if passing.iter().all(was_there) {
            break;
        }
    }
    first.findings.extend(passing);
}

/// Lets a running daemon come to the end of what it is doing.
fn pause() {
    thread::sleep(Duration::from_millis(200));
}
