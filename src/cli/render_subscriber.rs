//! What one subscriber had, as a person reads it: one fact a line, every foreign text escaped.

use crate::api::{AssignmentText, AtText, EndText, InsideText, LineText, LogonText, SubscriberAnswer};
use crate::domain::finding::Finding;
use crate::domain::session::Evidence;
use crate::domain::verdict::Caution;

use super::page::calendar;
use super::render::{Sheet, released};

/// The answer of a look-up of one subscriber.
pub(super) fn sheet(answer: &SubscriberAnswer) -> String {
    let mut sheet = Sheet(format!("{}\n", headline(answer)));
    sheet.line("subscriber", &answer.subscriber);
    sheet.maybe("entity", answer.entity.as_deref());
    instant(&mut sheet, "from", &answer.span.from);
    instant(&mut sheet, "to", &answer.span.to);
    let answered = !matches!(answer.finding, Finding::Purged | Finding::Refused | Finding::Future);
    if answered && answer.span.beyond_horizon {
        sheet.line("caution", "beyond-horizon: the span begins before the horizon; nothing of that part is readable");
    }
    if answered && answer.span.beyond_now {
        sheet.line("caution", "beyond-now: the span has not ended yet; it is answered up to the present");
    }
    cautions(&mut sheet, &answer.cautions);
    for (logon, number) in answer.logons.iter().zip(1_u32..) {
        sheet.head(&format!("logon {number}"));
        of_logon(&mut sheet, logon);
    }
    for (assignment, number) in answer.assignments.iter().zip(1_u32..) {
        sheet.head(&format!("assignment {number}"));
        of_assignment(&mut sheet, assignment);
    }
    sheet.head("this answer");
    sheet.line("horizon", &format!("{} (nothing older is readable)", answer.horizon));
    sheet.maybe("released", released(&answer.releases).as_deref());
    sheet.line("ledger", &format!("access entry {}, request {}", answer.ledger.index, answer.ledger.request));
    sheet.maybe("note", answer.note.as_deref());
    if answer.finding == Finding::Found {
        sheet.line("note", "An account is not a person.");
    }
    sheet.0
}

fn headline(answer: &SubscriberAnswer) -> String {
    let said = match answer.finding {
        Finding::Found => format!("{} logons, {} assignments", answer.logons.len(), answer.assignments.len()),
        Finding::Nothing => "nothing readable names this subscriber in this span".to_owned(),
        Finding::Purged => "nothing of that age is readable".to_owned(),
        Finding::Future => "this span has not come yet".to_owned(),
        Finding::Refused => "this process is not answered".to_owned(),
    };
    format!("{}: {said}", answer.finding.name().to_uppercase())
}

fn instant(sheet: &mut Sheet, name: &str, at: &AtText) {
    sheet.line(name, &format!("{} (as written)", at.written));
    sheet.line("", &format!("{} UTC", calendar(&at.utc, |time| time.to_utc().fixed_offset())));
}

fn of_logon(sheet: &mut Sheet, logon: &LogonText) {
    sheet.line("time", &logon.at);
    sheet.line("session", &logon.session);
    sheet.maybe("NAS", logon.nas.as_deref());
    of_line(sheet, logon.line.as_ref());
    cautions(sheet, &logon.cautions);
    sheet.line("sources", &logon.source);
}

fn of_assignment(sheet: &mut Sheet, assignment: &AssignmentText) {
    sheet.line("assigned", &assignment.assigned);
    if let Some(ports) = assignment.ports {
        sheet.line("ports", &format!("{} to {}", ports.first, ports.last));
    }
    if !assignment.realm.is_empty() {
        sheet.line("realm", &assignment.realm);
    }
    if let Some(inside) = &assignment.inside {
        sheet.line("inside", &inside_text(inside));
    }
    sheet.line("since", &end(&assignment.since));
    sheet.line("until", &assignment.until.as_ref().map_or_else(|| "no end is known".to_owned(), end));
    sheet.line("session", &assignment.session);
    sheet.maybe("NAS", assignment.nas.as_deref());
    of_line(sheet, assignment.line.as_ref());
    if assignment.others > 0 {
        sheet.line("others", &format!("{} held it too, at some instant of this time", assignment.others));
    }
    cautions(sheet, &assignment.cautions);
    sheet.line("sources", &assignment.sources.join(", "));
}

fn inside_text(inside: &InsideText) -> String {
    let realm = if inside.realm.is_empty() { String::new() } else { format!(" (realm {})", inside.realm) };
    format!("{}{realm}", inside.address)
}

fn of_line(sheet: &mut Sheet, line: Option<&LineText>) {
    let Some(line) = line else { return };
    sheet.maybe("MAC", line.mac.as_deref());
    sheet.maybe("circuit-id", line.circuit_id.as_deref());
    sheet.maybe("remote-id", line.remote_id.as_deref());
    sheet.maybe("NAS port", line.nas_port.as_deref());
}

fn cautions(sheet: &mut Sheet, cautions: &[Caution]) {
    for caution in cautions {
        sheet.line("caution", &format!("{}: {}", caution.name(), caution.sentence()));
    }
}

fn end(end: &EndText) -> String {
    let EndText { time, evidence } = end;
    match evidence {
        Evidence::Observed => format!("{time} (observed)"),
        Evidence::Inferred => format!("{time} (inferred)"),
        Evidence::BeyondHorizon => format!("{time} (the horizon; it began at or before)"),
        Evidence::BeyondSpan => format!("{time} (the span's end; what lies outside is not told)"),
    }
}
