//! The figures of the page for programs: what the charts and the counts are made of, and nothing that the page does not tell.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::accesses::Accesses;
use super::verdict::Verdict;
use crate::canonical::Word as _;
use crate::domain::time::{Timestamp, millis_of};
use crate::evidence::{Check, Evidence};
use crate::purge::{Counted, Report};

/// What the numbers of a report's row are, in their order. Instants are milliseconds since 1970, ages and bounds milliseconds; what
/// there was none of is null.
const COLUMNS: [&str; 15] = [
    "number",
    "from",
    "to",
    "kind",
    "verdict",
    "runs",
    "late",
    "failed",
    "taken",
    "holds",
    "remaining",
    "oldest_unlinked",
    "unlink_bound",
    "oldest_key",
    "key_bound",
];

/// The greatest age at unlinking of what goes with the window.
pub(super) fn oldest(report: &Report) -> Option<Duration> {
    let bounded = report.counted().filter(|(counted, _)| counted.goes_with_the_window());
    bounded.filter_map(|(_, class)| class.max_age).max()
}

/// Rows that remained, of everything.
pub(super) fn remaining(report: &Report) -> u64 {
    report.counted().map(|(_, class)| class.remaining).fold(0, u64::saturating_add)
}

/// The element with the data. No text in it can end it, or be taken for mark-up.
pub(super) fn element(
    evidence: &Evidence,
    checks: &[Check],
    accesses: &Accesses,
    (verdict, reason): (Verdict, &str),
    made: Timestamp,
) -> String {
    let data = json!({
        "version": 1,
        "made": made.to_string(),
        "verdict": verdict.name(),
        "reason": reason,
        "reports": {
            "columns": COLUMNS,
            "rows": evidence.purge.entries.iter().map(row).collect::<Vec<_>>(),
        },
        "unlinked": unlinked(&evidence.purge.entries),
        "exceptions": evidence.purge.entries.iter().flat_map(exceptions).collect::<Vec<_>>(),
        "lookups": pairs(&accesses.lookups),
        "subscribers": pairs(&accesses.subscribers),
        "requests": accesses.requests,
        "holds": accesses.holds,
        "others": accesses.others,
        "checks": checks,
    });
    let text = ['<', '>', '&', '\u{2028}', '\u{2029}']
        .into_iter()
        .fold(data.to_string(), |text, c| text.replace(c, &format!("\\u{:04x}", u32::from(c))));
    format!("<script type=\"application/json\" id=\"data\">{text}</script>\n")
}

fn row(report: &Report) -> Value {
    let age = |age: Option<Duration>| age.map(millis_of);
    json!([
        report.sequence,
        report.from.millis(),
        report.to.millis(),
        report.kind.name(),
        report.verdict().name(),
        report.runs.count,
        report.runs.late,
        report.runs.failed,
        report.standing.taken,
        report.standing.holds,
        remaining(report),
        age(oldest(report)),
        millis_of(report.unlink_bound()),
        age(report.key_max_age()),
        millis_of(report.key_bound()),
    ])
}

/// By class: rows counted before they were unlinked, and rows dropped.
fn unlinked(reports: &[Report]) -> BTreeMap<&'static str, [u64; 2]> {
    Counted::ALL.iter().map(|counted| (counted.name(), totals(reports, *counted))).collect()
}

/// Rows of one kind over all reports: counted before they were unlinked, and dropped.
pub(super) fn totals(reports: &[Report], of: Counted) -> [u64; 2] {
    let classes = reports.iter().flat_map(Report::counted).filter(|(counted, _)| *counted == of);
    classes.fold([0, 0], |[scanned, filtered], (_, class)| {
        [scanned.saturating_add(class.scanned), filtered.saturating_add(class.filtered)]
    })
}

/// The number of the report, the name, the instant. Whom it names stays in the ledger.
fn exceptions(report: &Report) -> impl Iterator<Item = Value> {
    report.exceptions.iter().map(|exception| json!([report.sequence, exception.name(), exception.at().word()]))
}

fn pairs(counts: &BTreeMap<(&'static str, &'static str), u64>) -> Vec<Value> {
    counts.iter().map(|((class, outcome), count)| json!({"class": class, "outcome": outcome, "count": count})).collect()
}
