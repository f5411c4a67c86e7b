//! `lapse audit anomalies`.

use std::fmt::Write as _;

use crate::api::{ANOMALIES, AnomaliesAnswer};
use crate::cli::{Connection, Ending, Output, client, request, say};

pub(super) fn anomalies(connection: &Connection, output: Output) -> Ending {
    let found: AnomaliesAnswer = match client::ask(connection, ANOMALIES, None::<&()>) {
        Ok(found) => found,
        Err(ending) => return ending,
    };
    let text = match output {
        Output::Table => Ok(table(&found)),
        Output::Json => request::json(&found),
    };
    match text.map(|text| say(&text)) {
        Ok(Ok(())) => Ending::Ok,
        Ok(Err(_)) => Ending::Fault,
        Err(ending) => ending,
    }
}

fn table(found: &AnomaliesAnswer) -> String {
    let mut text = format!("since {}; sweep and same-subscriber since {}\n", found.since, found.seen_since);
    for (kind, hours) in &found.hours {
        let threshold = found.thresholds.get(kind).copied().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {kind:<18} stands out in {hours} hours (from {threshold} on)");
    }
    for anomaly in &found.anomalies {
        let _ = writeln!(text, "{}  {:<18}  {:>6}  {}", anomaly.hour, anomaly.kind, anomaly.count, anomaly.actor);
    }
    text
}
