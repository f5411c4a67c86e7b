//! The charts: what each shows, and how it is to be read.

use std::time::Duration;

use super::chart::{Chart, Scale, dates};
use super::data::{oldest, remaining};
use super::series::{Extent, Period, Step, Worst, merged, share, spread, steps};
use super::words::{length, many, number, spelled};
use crate::domain::time::millis_of;
use crate::purge::{Exception, Report, SLACK};
use crate::shown::html::plain;

/// All charts over the reports.
pub(super) fn figures(reports: &[Report]) -> String {
    let Some(extent) = Extent::of(reports) else { return "<p>There are no reports to draw.</p>\n".to_owned() };
    let charts = [
        unlinking(reports, extent),
        lag(reports, extent),
        by_age(reports),
        intake(reports, extent),
        holds(reports, extent),
    ];
    charts.concat()
}

/// What stands where a chart would be empty.
fn empty(title: &str, text: &str) -> String {
    format!("<section class=\"nothing\"><h3>{}</h3><p>{}</p></section>\n", plain(title), plain(text))
}

fn most(steps: &[Step]) -> f64 {
    steps.iter().filter_map(|step| step.value).fold(0.0, f64::max)
}

/// How far the oldest row was beyond the window when it was unlinked.
fn beyond(report: &Report) -> Option<Duration> {
    oldest(report).map(|age| age.saturating_sub(report.bounding_terms().window))
}

fn unlinking(reports: &[Report], extent: Extent) -> String {
    let title = "Oldest record at unlinking, beyond the window";
    let Some((worst, report)) =
        reports.iter().filter_map(|report| Some((beyond(report)?, report))).max_by_key(|(beyond, _)| *beyond)
    else {
        return empty(title, "No record was due in any report.");
    };
    let over = reports.iter().filter(|report| oldest(report) > Some(report.unlink_bound())).collect::<Vec<_>>();
    let bound_of = |report: &Report| report.bounding_terms().purge_interval.saturating_add(SLACK).as_secs_f64();
    let ages: Vec<_> =
        reports.iter().map(|report| Period::of(report, beyond(report).map(|by| by.as_secs_f64()))).collect();
    let bounds: Vec<_> = reports.iter().map(|report| Period::of(report, Some(bound_of(report)))).collect();
    let (ages, bounds) = (steps(&ages, extent, Worst::Most), steps(&bounds, extent, Worst::Most));
    let scale = Scale::of_seconds(most(&ages).max(most(&bounds)));
    let mut drawing = scale.drawing();
    drawing.line("bound", &bounds);
    drawing.line("value", &ages);
    let told = format!(
        "The highest is {}, in report {}. {} of {} above the bound.",
        spelled(worst),
        number(report.sequence),
        number(length(&over)),
        many(length(reports), "report lies", "reports lie")
    );
    let caption = format!(
        "For how long the oldest record of each report was still in the files after it had left the window. All that time it was \
         hidden: nothing was answered from it. {told}{}",
        merged(reports.len(), extent, "highest")
    );
    let bound = format!("bound: {} in the last report", last_bound(reports));
    let legend = vec![("value", "oldest record of a report".to_owned()), ("bound", bound)];
    Chart { id: "unlinking", title, caption, told, legend, scale, below: dates(extent) }.figure(drawing)
}

fn last_bound(reports: &[Report]) -> String {
    let bound = reports.last().map(|report| report.bounding_terms().purge_interval.saturating_add(SLACK));
    bound.map_or_else(String::new, spelled)
}

/// By how much a purge of the report was late: by its own exceptions, or because a row went beyond its bound.
fn lateness(report: &Report) -> Option<Duration> {
    let runs = report.exceptions.iter().filter_map(|exception| match exception {
        Exception::LateRun { late, .. } => Some(*late),
        _ => None,
    });
    let rows = oldest(report).map(|age| age.saturating_sub(report.unlink_bound())).filter(|over| !over.is_zero());
    runs.chain(rows).max()
}

fn lag(reports: &[Report], extent: Extent) -> String {
    let title = "Late purges";
    let count = reports.iter().map(|report| report.runs.late).fold(0, u64::saturating_add);
    let Some((worst, report)) =
        reports.iter().filter_map(|report| Some((lateness(report)?, report))).max_by_key(|(late, _)| *late)
    else {
        let told = match count {
            0 => "No purge began late, and no record went beyond its bound.".to_owned(),
            _ => format!(
                "{} late; by how much, the reports had no room to say.",
                many(count, "purge began", "purges began")
            ),
        };
        return empty(title, &told);
    };
    let late: Vec<_> =
        reports.iter().map(|report| Period::of(report, lateness(report).map(|late| late.as_secs_f64()))).collect();
    let late = steps(&late, extent, Worst::Most);
    let scale = Scale::of_seconds(most(&late));
    let mut drawing = scale.drawing();
    drawing.bars("bar", &late);
    let told = format!(
        "{} late. The worst lateness is {}, in report {}.",
        many(count, "purge began", "purges began"),
        spelled(worst),
        number(report.sequence)
    );
    let caption = format!(
        "By how much a purge began later than the interval and {} after the one before it, or a record went beyond its bound: \
         the worst of each report. {told}{}",
        spelled(SLACK),
        merged(reports.len(), extent, "highest")
    );
    let legend = vec![("bar", "lateness".to_owned())];
    Chart { id: "lag", title, caption, told, legend, scale, below: dates(extent) }.figure(drawing)
}

/// Widths of a bar of the chart by age, in milliseconds.
const WIDTHS: [u64; 5] = [60_000, 600_000, 3_600_000, 21_600_000, 86_400_000];

fn by_age(reports: &[Report]) -> String {
    let title = "What was taken in, by its age at the end of the last report";
    let Some(last) = reports.last() else { return String::new() };
    // Up to where all was verified to be destroyed; as long as that is within the bound, the window's edge.
    let kept = last.cutoff.map(|cutoff| last.to.since(cutoff)).filter(|kept| *kept > last.unlink_bound());
    let kept = kept.unwrap_or(last.terms.window);
    let window = millis_of(kept).max(1);
    let width = WIDTHS.into_iter().find(|width| window / width <= 100).unwrap_or(window / 100);
    let bins = window.div_ceil(width).saturating_add((window / width / 12).max(2));
    let reach = width.saturating_mul(bins);
    let to = last.to.millis();
    let extent = Extent { from: to.saturating_sub(reach), to };
    let counts: Vec<_> = reports
        .iter()
        .map(|report| (report.from.millis(), report.to.millis(), report.standing.taken))
        .filter(|(_, end, _)| *end >= extent.from)
        .collect();
    let ages = spread(&counts, extent, width).into_iter().rev().zip(0_u64..);
    let edge = share(window, reach);
    let step = |((count, told), bin): ((f64, u64), u64)| {
        let (left, right) = (share(bin, bins), share(bin.saturating_add(1), bins));
        Step { left, right: right.min(edge), value: (told > 0 && left < edge).then_some(count) }
    };
    let bars: Vec<_> = ages.map(step).collect();
    let scale = Scale::of_counts(most(&bars));
    let mut drawing = scale.drawing();
    drawing.bars("bar", &bars);
    for bar in bars.iter().filter(|bar| bar.value.is_none() && bar.left < edge) {
        drawing.band(bar.left, bar.right);
    }
    drawing.edge(edge);
    let left = match remaining(last) {
        0 => "none".to_owned(),
        rows => many(rows, "row", "rows"),
    };
    if remaining(last) > 0 {
        drawing.band(edge, 1.0);
    }
    let hours = spelled(Duration::from_millis(width));
    let told = format!(
        "The last run that was verified left nothing beyond the edge at {}; the last run found {left} in the files that had to go.",
        spelled(kept)
    );
    let caption = format!(
        "Statements taken in, for each {hours} before {}. Left of the edge lies what may still be readable. {told}",
        super::words::when(last.to)
    );
    let legend = vec![
        ("bar", format!("statements taken in, per {hours}")),
        ("edge", "beyond it, the last verified run left nothing".to_owned()),
        ("gap", if remaining(last) > 0 { "not destroyed, or no report" } else { "no report" }.to_owned()),
    ];
    let half = spelled(Duration::from_millis(window / 2));
    let below = vec![(0.0, "now".to_owned()), (edge / 2.0, half), (edge, spelled(kept))];
    Chart { id: "by-age", title, caption, told, legend, scale, below }.figure(drawing)
}

/// Periods shorter than this are told of by their neighbours: a rate of a moment says nothing.
const SHORTEST: Duration = Duration::from_secs(60);

/// Statements an hour.
fn rate(report: &Report) -> Option<f64> {
    let length = report.to.since(report.from);
    (length >= SHORTEST).then(|| report.standing.taken as f64 * 3600.0 / length.as_secs_f64())
}

/// From when to when reports go, in milliseconds; those that follow one another as one.
fn joined(reports: &[&Report]) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for report in reports {
        let (from, to) = (report.from.millis(), report.to.millis());
        match spans.last_mut() {
            Some((_, end)) if *end == from => *end = to,
            Some(_) | None => spans.push((from, to)),
        }
    }
    spans
}

fn intake(reports: &[Report], extent: Extent) -> String {
    let title = "Statements taken in per hour";
    let rates: Vec<_> = reports.iter().map(|report| Period::of(report, rate(report))).collect();
    let rates = steps(&rates, extent, Worst::Least);
    let silent: Vec<_> = reports.iter().filter(|report| rate(report) == Some(0.0)).collect();
    let scale = Scale::of_counts(most(&rates));
    let mut drawing = scale.drawing();
    drawing.bars("bar", &rates);
    for (from, to) in joined(&silent) {
        drawing.band(extent.place(from), extent.place(to));
    }
    for (left, right) in uncovered(reports, extent) {
        drawing.band(left, right);
    }
    let told = match length(&silent) {
        0 => "Every report of a minute or more took something in.".to_owned(),
        count => format!("{} nothing in.", many(count, "report took", "reports took")),
    };
    let caption = format!(
        "The rate of each report. {told} Hatched is time in which nothing was taken in, or of which no report tells.{}",
        merged(reports.len(), extent, "lowest")
    );
    let legend = vec![("bar", "statements an hour".to_owned()), ("gap", "nothing, or no report".to_owned())];
    Chart { id: "intake", title, caption, told, legend, scale, below: dates(extent) }.figure(drawing)
}

/// The parts of the chart of which no report tells.
fn uncovered(reports: &[Report], extent: Extent) -> Vec<(f64, f64)> {
    let mut periods: Vec<_> = reports.iter().map(|report| (report.from.millis(), report.to.millis())).collect();
    periods.sort_unstable();
    let mut covered = extent.from;
    let mut gaps = Vec::new();
    for (from, to) in periods {
        if from > covered {
            gaps.push((extent.place(covered), extent.place(from)));
        }
        covered = covered.max(to);
    }
    gaps
}

fn holds(reports: &[Report], extent: Extent) -> String {
    let title = "Holds";
    let highest = reports.iter().map(|report| report.standing.holds).max().unwrap_or(0);
    if highest == 0 {
        return empty(title, "No hold was kept at the end of any report.");
    }
    let kept: Vec<_> = reports.iter().map(|report| Period::of(report, Some(report.standing.holds as f64))).collect();
    let kept = steps(&kept, extent, Worst::Most);
    let scale = Scale::of_counts(most(&kept));
    let mut drawing = scale.drawing();
    drawing.line("value", &kept);
    let at_the_end = reports.last().map_or(0, |report| report.standing.holds);
    let told = format!("At most {} at a time; {} at the end.", number(highest), number(at_the_end));
    let caption = format!(
        "Sealed copies that are kept under a preservation beyond the window. {told} A hold keeps no record in the store.{}",
        merged(reports.len(), extent, "highest")
    );
    let legend = vec![("value", "holds kept at the end of a report".to_owned())];
    Chart { id: "holds-kept", title, caption, told, legend, scale, below: dates(extent) }.figure(drawing)
}
