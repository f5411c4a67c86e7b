//! Answers as a person reads them: one fact a line, nothing that needs colour, every foreign text escaped.

use std::fmt::Write as _;

use crate::api::{ClockState, ClockStatus, StatusAnswer};
use crate::domain::actor::Role;
use crate::domain::process::Group;

use super::escape::escape;
use super::render_request::waiting;

/// Builds a sheet of names and values.
#[derive(Default)]
pub(super) struct Sheet(pub(super) String);

impl Sheet {
    pub(super) fn line(&mut self, name: &str, value: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "  {name:<13} {}", escape(value));
    }

    /// Begins a part of the sheet.
    pub(super) fn head(&mut self, title: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{title}");
    }

    pub(super) fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(name, value);
        }
    }
}

/// What the process releases; nothing to say where it is refused.
pub(super) fn released(groups: &[Group]) -> Option<String> {
    let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
    (!names.is_empty()).then(|| format!("{} (all that this process releases)", names.join(", ")))
}

/// The daemon's status.
pub(super) fn status_sheet(status: &StatusAnswer) -> String {
    let health = if status.accepting { "taking events" } else { "NOT taking events" };
    let mut sheet = Sheet(format!("lapsed {}: {health}\n", status.version));
    sheet.line("now", &status.now);
    sheet.line("horizon", &format!("{} (window {} s, buckets of {} s)", status.horizon, status.window, status.bucket));
    sheet.line("started", &status.started);
    if let Some(reason) = status.clock.reason {
        sheet.line("clock", &format!("IN DOUBT: {reason}; `lapse clock status` says more"));
    }
    if status.disk.full {
        let free = status.disk.free.map_or_else(|| "?".to_owned(), |free| (free >> 20).to_string());
        sheet.line("disk", &format!("FULL ({free} MiB free): events are not acknowledged until there is room again"));
    }
    sheet.line("ledger", &format!("{} access entries", status.access_entries));
    sheet.maybe("emergencies", waiting(&status.emergencies).as_deref());
    for source in &status.sources {
        let heard = source.heard.as_deref().unwrap_or("never heard");
        sheet.line("source", &format!("{}: newest event {heard}", source.name));
    }
    for (name, count) in status.counters.iter().filter(|(_, count)| **count > 0) {
        sheet.line("count", &format!("{name} {count}"));
    }
    sheet.0
}

/// The clock.
pub(super) fn clock_sheet(clock: &ClockStatus) -> String {
    let mut sheet = Sheet(match clock.state {
        ClockState::Trusted => "TRUSTED: the wall clock is believed\n".to_owned(),
        ClockState::InDoubt => {
            "IN DOUBT: nothing is acknowledged, answered or destroyed by the wall clock\n".to_owned()
        }
    });
    sheet.line("wall clock", &clock.now);
    sheet.maybe("expected", clock.expected.as_deref());
    sheet.maybe(
        "offset",
        clock.offset.map(|offset| format!("{offset} s (up to {} s is believed)", clock.max_step)).as_deref(),
    );
    sheet.line("synchronised", &format!("{} (says the kernel)", clock.synchronised));
    if let (Some(reason), Some(since), Some(age)) = (clock.reason, &clock.since, clock.age) {
        sheet.line("reason", reason.name());
        sheet.line("since", &format!("{since} ({age} s)"));
        sheet.line("sources", &format!("{} of {} agree with it", clock.sources_agreeing, clock.sources_heard));
        sheet.line("to accept it", &roles(&clock.needs));
    }
    sheet.0
}

/// Roles in a row.
pub(super) fn roles(roles: &[Role]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" and ")
}
