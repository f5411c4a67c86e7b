//! Answers as a person reads them: one fact a line, nothing that needs colour, every foreign text escaped.

use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, Local};

use crate::api::{BoundaryText, ClockState, ClockStatus, LookupAnswer, StatusAnswer};
use crate::domain::actor::Role;
use crate::domain::process::Group;
use crate::domain::session::Evidence;
use crate::domain::verdict::Verdict;

use super::escape::escape;

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

/// The answer of a lookup.
pub(super) fn lookup_sheet(answer: &LookupAnswer) -> String {
    let mut sheet = Sheet(format!("{}\n", headline(answer)));
    sheet.line("address", &answer.address);
    if let Some(port) = answer.port {
        sheet.line("port", &port.to_string());
    }
    if !answer.realm.is_empty() {
        sheet.line("realm", &answer.realm);
    }
    sheet.maybe("entity", answer.entity.as_deref());
    sheet.line("time", &format!("{} (as written)", answer.at.written));
    sheet.line("", &format!("{} UTC", calendar(&answer.at.utc, |time| time.to_utc().fixed_offset())));
    sheet.line("", &format!("{} local", calendar(&answer.at.utc, |time| time.with_timezone(&Local).fixed_offset())));
    sheet.maybe("subscriber", answer.subscriber.as_deref());
    sheet.maybe("assigned", answer.assigned.as_deref().filter(|assigned| *assigned != answer.address));
    if let Some(inside) = &answer.inside {
        let realm = if inside.realm.is_empty() { String::new() } else { format!(" (realm {})", inside.realm) };
        sheet.line("inside", &format!("{}{realm}", inside.address));
    }
    sheet.maybe("session", answer.session.as_deref());
    sheet.maybe("NAS", answer.nas.as_deref());
    if let Some(line) = &answer.line {
        sheet.maybe("MAC", line.mac.as_deref());
        sheet.maybe("circuit-id", line.circuit_id.as_deref());
        sheet.maybe("remote-id", line.remote_id.as_deref());
        sheet.maybe("NAS port", line.nas_port.as_deref());
    }
    if let Some(since) = &answer.since {
        sheet.line("since", &boundary(since, "before"));
        let open = || "no end is known".to_owned();
        sheet.line("until", &answer.until.as_ref().map_or_else(open, |until| boundary(until, "after")));
        let seconds = |distance: Option<u64>| distance.map_or_else(|| "never".to_owned(), |s| format!("{s} s"));
        let (before, after) = (seconds(answer.heard.before), seconds(answer.heard.after));
        sheet.line("heard", &format!("{before} before and {after} after this time"));
    }
    if answer.sharing > 1 || answer.verdict == Verdict::Ambiguous {
        sheet.line("sharing", &format!("{} subscribers known", answer.sharing));
    }
    for caution in &answer.cautions {
        sheet.line("caution", &format!("{}: {}", caution.name(), caution.sentence()));
    }
    if !answer.sources.is_empty() {
        sheet.line("sources", &answer.sources.join(", "));
    }
    sheet.line("horizon", &format!("{} (nothing older is readable)", answer.horizon));
    sheet.maybe("released", released(&answer.releases).as_deref());
    sheet.line("ledger", &format!("access entry {}, request {}", answer.ledger.index, answer.ledger.request));
    sheet.maybe("note", answer.note.as_deref());
    if answer.subscriber.is_some() {
        sheet.line("note", "An account is not a person.");
    }
    sheet.0
}

/// What the process releases; nothing to say where it is refused.
pub(super) fn released(groups: &[Group]) -> Option<String> {
    let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
    (!names.is_empty()).then(|| format!("{} (all that this process releases)", names.join(", ")))
}

fn headline(answer: &LookupAnswer) -> String {
    let said = match answer.verdict {
        Verdict::Attributed => "one subscriber held this address",
        Verdict::Uncertain => "one subscriber may have held this address; read the cautions",
        Verdict::Ambiguous => "several subscribers may have held this address",
        Verdict::Unassigned => "nobody held this address",
        Verdict::NoCoverage => "it is not known whether anybody held this address",
        Verdict::NotOurs => "this address is in none of our configured networks",
        Verdict::Purged => "nothing of that age is readable",
        Verdict::Future => "this time has not come yet",
        Verdict::Refused => "this process is not answered",
    };
    format!("{}: {said}", answer.verdict.name().to_uppercase())
}

fn boundary(boundary: &BoundaryText, side: &str) -> String {
    let BoundaryText { time, evidence, distance } = boundary;
    match evidence {
        Evidence::Observed => format!("{time} (observed, {distance} s {side})"),
        Evidence::Inferred => format!("{time} (inferred, {distance} s {side})"),
        Evidence::BeyondHorizon => format!("at or before {time} (the horizon)"),
        Evidence::BeyondSpan => format!("{time}, and beyond"),
    }
}

/// An instant with its weekday, in the zone that `zone` puts it in.
pub(super) fn calendar(utc: &str, zone: impl Fn(DateTime<FixedOffset>) -> DateTime<FixedOffset>) -> String {
    let time = DateTime::parse_from_rfc3339(utc);
    time.map_or_else(|_| utc.to_owned(), |time| zone(time).format("%a %Y-%m-%d %H:%M:%S%.3f %:z").to_string())
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
