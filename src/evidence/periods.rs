//! That the reports are numbered as they stand, that their periods have no gap, and that no cutoff falls.

use super::Check;
use super::found::Found;
use super::log::Log;
use crate::purge::Report;

/// A report, where it stands, and the one before it.
pub(super) type InOrder<'a> = (usize, Option<&'a Report>, &'a Report);

/// Reports in their order, each with the one before.
pub(super) fn in_order(reports: &[Report]) -> impl Iterator<Item = InOrder<'_>> {
    let before = std::iter::once(None).chain(reports.iter().map(Some));
    before.zip(reports).enumerate().map(|(index, (before, report))| (index, before, report))
}

/// The number in each entry is its index.
pub(super) fn sequence(log: &Log<Report>) -> Check {
    let mut found = log.rule();
    if log.read.entries.is_empty() {
        found.unknown("there is no report".to_owned());
    }
    for (index, _, report) in in_order(&log.read.entries) {
        if u64::try_from(index).ok() != Some(report.sequence) {
            found.fail(format!("entry {index} says that it is entry {}", report.sequence));
        }
    }
    found.check("purge-sequence", format!("{} entries, from 0 and without a gap", log.read.entries.len()))
}

/// Each period begins where the one before ended, and the first entry is the first of its ledger.
pub(super) fn periods(log: &Log<Report>) -> Check {
    let mut found = log.rule();
    let reports = &log.read.entries;
    for (index, before, report) in in_order(reports) {
        match before {
            None if report.sequence != 0 => {
                found.fail(format!("the reports begin with number {} and not with 0", report.sequence));
            }
            Some(before) if report.from != before.to => {
                let (from, to) = (report.from, before.to);
                found.fail(format!("entry {index} begins at {from}, and the one before ended at {to}"));
            }
            None | Some(_) => {}
        }
    }
    found.check("periods", spanned(reports))
}

fn spanned(reports: &[Report]) -> String {
    match (reports.first(), reports.last()) {
        (Some(first), Some(last)) => format!("without a gap from {} to {}", first.from, last.to),
        _ => "there is no report".to_owned(),
    }
}

/// What was destroyed up to an instant stays so.
pub(super) fn cutoff(log: &Log<Report>) -> Check {
    let mut found: Found = log.rule();
    for (index, before, report) in in_order(&log.read.entries) {
        if let Some(before) = before.filter(|before| report.cutoff < before.cutoff) {
            let said = |cutoff: Option<_>| cutoff.map_or_else(|| "none".to_owned(), |at| format!("{at}"));
            let (now, then) = (said(report.cutoff), said(before.cutoff));
            found.fail(format!("entry {index} has the cutoff {now}, and the one before had {then}"));
        }
    }
    let last = log.read.entries.last().and_then(|report| report.cutoff);
    found.check("cutoff", last.map_or_else(|| "no run yet".to_owned(), |at| format!("it never falls, and is {at}")))
}
