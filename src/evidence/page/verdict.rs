//! What the evidence comes to, and the first reason for it.

use std::time::Duration;

use super::words::{length, many, number, spelled};
use crate::evidence::{Check, Evidence, Outcome};
use crate::purge::{self, LastRun, Report};

/// What the page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Every check that counts held.
    NoViolation,
    /// Something that counts is unknown.
    NotProven,
    /// A check that counts failed.
    Breach,
}

impl Verdict {
    /// As it stands on the page.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::NoViolation => "NO VIOLATION FOUND",
            Self::NotProven => "NOT PROVEN",
            Self::Breach => "BREACH",
        }
    }

    /// Its name in the data, and the class of its frame.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NoViolation => "no-violation-found",
            Self::NotProven => "not-proven",
            Self::Breach => "breach",
        }
    }
}

/// The verdict, and why in one sentence. It is that of [`Evidence::valid`], and of nothing else.
pub(super) fn judge(evidence: &Evidence) -> (Verdict, String) {
    match evidence.valid() {
        Some(false) => (Verdict::Breach, first_check(evidence, Outcome::Fail, "failed")),
        None => (Verdict::NotProven, first_check(evidence, Outcome::Unknown, "cannot tell")),
        Some(true) => held(evidence),
    }
}

fn held(evidence: &Evidence) -> (Verdict, String) {
    let reports = &evidence.purge.entries;
    let checks = length(&evidence.checks.iter().filter(|check| check.counts).collect::<Vec<_>>());
    if checks == 0 {
        return (Verdict::NotProven, "No check was made that counts.".to_owned());
    }
    let all = many(length(reports), "report", "reports");
    let failed =
        length(&reports.iter().filter(|report| report.verdict() == purge::Verdict::Failed).collect::<Vec<_>>());
    let reason = if failed == 0 {
        format!(
            "{checks} of {checks} checks that count held, and none of the {all} says that anything was destroyed later than its \
             bound, was not destroyed, or was not verified."
        )
    } else {
        let tell =
            many(failed, "says that something failed, and it was", "say that something failed, and all of it was");
        format!("{checks} of {checks} checks that count held. Of {all}, {tell} made good in time.")
    };
    (Verdict::NoViolation, reason)
}

/// The first check that counts and came to this.
fn first_check(evidence: &Evidence, result: Outcome, says: &str) -> String {
    let first = evidence.checks.iter().find(|check| check.counts && check.result == result);
    let told = |check: &Check| format!("The check {} {says}: {}.", check.name, check.detail.trim_end_matches('.'));
    first.map(told).unwrap_or_default()
}

/// What a report says against those who made it: its number and the first rule that did not hold; `None` if it says nothing. Whether it
/// was made good in time, checks say.
pub(super) fn shortcoming(report: &Report) -> Option<String> {
    let rule = remained(report).or_else(|| too_old(report)).or_else(|| unverified(report));
    let rule = rule.or_else(|| {
        let failed = report.verdict() == purge::Verdict::Failed;
        failed.then(|| "its own verdict is that something is not destroyed, or not verified".to_owned())
    })?;
    Some(format!("Report {}: {rule}.", number(report.sequence)))
}

fn remained(report: &Report) -> Option<String> {
    report.counted().find_map(|(counted, class)| {
        if class.remaining > 0 {
            let rows = many(class.remaining, "row", "rows");
            Some(format!("{rows} of {counted} remained that had to be destroyed"))
        } else if class.filtered < class.scanned {
            let (scanned, filtered) = (number(class.scanned), number(class.filtered));
            Some(format!("{scanned} rows of {counted} had to be destroyed, and {filtered} were"))
        } else {
            None
        }
    })
}

fn too_old(report: &Report) -> Option<String> {
    let rows =
        report.counted().filter_map(|(counted, class)| Some((counted, class.max_age?, report.bound_of(counted)?)));
    let mut late = rows.filter(|(_, age, bound)| age > bound);
    if let Some((counted, age, bound)) = late.next() {
        return Some(over(&format!("a row of {counted} was unlinked"), age, bound));
    }
    let (age, bound) = (report.key_max_age()?, report.key_bound());
    (age > bound).then(|| over("a key was destroyed", age, bound))
}

fn over(what: &str, age: Duration, bound: Duration) -> String {
    format!("{what} at an age of {}, and its bound is {}", spelled(age), spelled(bound))
}

fn unverified(report: &Report) -> Option<String> {
    let failed = purge::Check::ALL.iter().find(|check| report.outcome(**check) == purge::Outcome::Failed);
    if let Some(check) = failed {
        return Some(format!("what it verified by other means did not hold ({check})"));
    }
    if let Some(key) = report.keys.destroyed.iter().find(|key| !key.is_proven()) {
        let (read_back, extents) = (key.read_back, key.extents);
        return Some(format!("a key was overwritten without proof (read-back {read_back}, extents {extents})"));
    }
    (report.runs.last == LastRun::Failed).then(|| "the last purge of its period failed".to_owned())
}
