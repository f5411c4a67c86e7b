//! The sources as a person reads them: who is heard, how well, and when something may have been lost.

use crate::api::{GapText, SourceStatus};

use super::escape::escape;
use super::render::Sheet;

/// How many gaps of a source are listed; the latest say most, and JSON has all.
const GAPS: usize = 5;

/// All sources, each with all that is known of it.
pub(super) fn sheet(sources: &[SourceStatus]) -> String {
    if sources.is_empty() {
        return "no source is configured\n".to_owned();
    }
    sources.iter().map(source).collect::<Vec<_>>().join("\n")
}

fn source(source: &SourceStatus) -> String {
    let mut sheet = Sheet(format!("{}\n", escape(&source.name)));
    if !source.realm.is_empty() {
        sheet.line("realm", &source.realm);
    }
    let ago = source.heard_ago.map(|ago| format!(" ({ago} s ago)")).unwrap_or_default();
    let heard = source.heard.as_deref().map_or_else(|| "never".to_owned(), |heard| format!("{heard}{ago}"));
    sheet.line("newest event", &heard);
    sheet.line("last arrival", source.arrived.as_deref().unwrap_or("none since the start"));
    sheet.line("rate", &rate(source));
    sheet.line("clock", &clock(source.clock_ahead));
    let interims = if source.interims { "reports its open sessions" } else { "promises no reports of open sessions" };
    sheet.line("interims", interims);
    let silence = source.max_silence.map_or_else(|| "none".to_owned(), |secs| format!("{secs} s"));
    sheet.line("max-silence", &silence);
    if source.lost > 0 {
        sheet.line("unanswered", &format!("{} requests since the start", source.lost));
    }
    for (reason, count) in &source.quarantined {
        sheet.line("quarantine", &format!("{reason} {count}"));
    }
    let left_out = source.gaps.len().saturating_sub(GAPS);
    if left_out > 0 {
        sheet.line("gaps", &format!("{left_out} earlier ones"));
    }
    source.gaps.iter().skip(left_out).for_each(|found| sheet.line("gap", &gap(found)));
    if source.gaps.is_empty() {
        sheet.line("gaps", "none known in the window");
    }
    sheet.0
}

fn rate(source: &SourceStatus) -> String {
    let tenths = source.events.saturating_mul(10).checked_div(source.events_over).unwrap_or(0);
    format!("{}.{} events/s ({} in {} s)", tenths / 10, tenths % 10, source.events, source.events_over)
}

fn clock(ahead: Option<i64>) -> String {
    match ahead {
        None => "not known: nothing with a stamp came undelayed".to_owned(),
        Some(millis) => {
            let side = if millis > 0 { "ahead" } else { "behind" };
            let millis = millis.unsigned_abs();
            format!("{}.{:03} s {side}", millis / 1000, millis % 1000)
        }
    }
}

fn gap(gap: &GapText) -> String {
    format!("{} to {}: {}", gap.from, gap.until, gap.why.join(", "))
}
