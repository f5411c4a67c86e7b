//! The reports as tables: those out of the ordinary, what was destroyed in all, and every exception.

use std::time::Duration;

use super::data::{oldest, remaining, totals};
use super::table::Table;
use super::verdict::shortcoming;
use super::words::{length, many, number, spelled, when};
use crate::purge::{Counted, Report, Verdict};

/// So many reports at the end are listed, whatever they say.
const LAST: usize = 50;

/// The reports that are not clean, and the last ones. The others are counted where they would stand.
pub(super) fn listed(reports: &[Report]) -> String {
    let columns = ["Report", "Period, UTC", "Purges", "Oldest record", "Oldest key", "Left", "Result"];
    let mut table = Table::new("Purge reports: all that are out of the ordinary, and the last 50", &columns);
    let mut skipped = 0;
    for (place, report) in reports.iter().enumerate() {
        let is_last = reports.len().saturating_sub(place) <= LAST;
        if report.verdict() == Verdict::Clean && !is_last {
            skipped += 1;
            continue;
        }
        skip(&mut table, &mut skipped);
        let broken = shortcoming(report).is_some();
        table.row(if broken { "broken" } else { report.verdict().name() }, &cells(report, broken));
    }
    skip(&mut table, &mut skipped);
    table.html("reports")
}

fn skip(table: &mut Table, skipped: &mut u64) {
    if *skipped > 0 {
        table.skip(&format!("{}, clean", many(*skipped, "report", "reports")));
        *skipped = 0;
    }
}

fn cells(report: &Report, broken: bool) -> Vec<String> {
    let runs = report.runs;
    let purges = [(runs.late, "late"), (runs.failed, "failed")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .fold(number(runs.count), |text, (count, name)| format!("{text}, {} {name}", number(count)));
    let result = match report.verdict() {
        Verdict::Failed => "FAILED",
        Verdict::Clean => "clean",
        Verdict::Exceptions if broken => "OVER ITS BOUND",
        Verdict::Exceptions => "exceptions",
    };
    vec![
        number(report.sequence),
        period(report),
        purges,
        aged(oldest(report), report.unlink_bound()),
        aged(report.key_max_age(), report.key_bound()),
        number(remaining(report)),
        result.to_owned(),
    ]
}

/// From when to when; the date once, where it is one.
fn period(report: &Report) -> String {
    let (from, to) = (report.from.to_utc(), report.to.to_utc());
    let until = if from.date_naive() == to.date_naive() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    format!("{} to {}", from.format("%Y-%m-%d %H:%M:%S"), to.format(until))
}

fn aged(age: Option<Duration>, bound: Duration) -> String {
    match age {
        None => "nothing due".to_owned(),
        Some(age) if age > bound => format!("{}, OVER {}", spelled(age), spelled(bound)),
        Some(age) => spelled(age),
    }
}

/// What was unlinked over all reports, by kind.
pub(super) fn unlinked(reports: &[Report]) -> String {
    let columns = ["Kind", "Counted before", "Dropped", "Left at the end", "Oldest", "Counted from"];
    let mut table = Table::new("What was unlinked, over all reports", &columns);
    for counted in Counted::ALL {
        let [scanned, filtered] = totals(reports, *counted);
        let of_kind = |report: &Report| report.counted().find(|(of, _)| of == counted).map(|(_, class)| *class);
        let age = reports.iter().filter_map(|report| of_kind(report)?.max_age).max();
        let left = reports.last().and_then(of_kind).map_or(0, |class| class.remaining);
        let from = if counted.goes_with_the_window() { "its instant" } else { "its own expiry" };
        let name = if *counted == Counted::Listings { "index rows" } else { counted.name() };
        let age = age.map_or_else(|| "nothing due".to_owned(), spelled);
        let cells = [name.to_owned(), number(scanned), number(filtered), number(left), age, from.to_owned()];
        table.row("", &cells);
    }
    table.html("unlinked")
}

/// Every exception, in words, without whom.
pub(super) fn exceptions(reports: &[Report]) -> String {
    let count = reports.iter().map(|report| length(&report.exceptions)).fold(0, u64::saturating_add);
    let left_out = reports.iter().map(|report| report.left_out).fold(0, u64::saturating_add);
    if count == 0 && left_out == 0 {
        return "<p>There are none.</p>\n".to_owned();
    }
    let caption = format!("{}, in the order of the reports", many(count, "exception", "exceptions"));
    let mut table = Table::new(&caption, &["Report", "When", "What"]);
    for report in reports {
        for exception in &report.exceptions {
            table.row("", &[number(report.sequence), when(exception.at()), exception.in_words()]);
        }
        if report.left_out > 0 {
            let more = format!("and {} more, which had no room in the report", number(report.left_out));
            table.row("", &[number(report.sequence), "in its period".to_owned(), more]);
        }
    }
    table.html("exceptions")
}
