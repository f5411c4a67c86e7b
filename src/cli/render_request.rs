//! Requests as a person reads them.

use std::fmt::Write as _;

use crate::api::{EmergencyCounts, ItemSheet, RequestLine, RequestList, RequestSheet};

use super::escape::escape;
use super::render::Sheet;

/// The list of what is on file.
pub(super) fn list(list: &RequestList) -> String {
    let waiting = waiting(&list.emergencies);
    if list.requests.is_empty() {
        return "no request is on file\n".to_owned();
    }
    let mut text = waiting.map(|waiting| format!("EMERGENCIES: {waiting}\n")).unwrap_or_default();
    for line in &list.requests {
        let RequestLine { id, state, process, case, agency, .. } = line;
        let (process, case, agency) = (escape(process), escape(case), escape(agency));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{id}  {:<15}  {process}, {case}, {agency}", state.name());
        let due = line.return_by.as_ref().map_or_else(String::new, |due| format!(", due {}", escape(due)));
        let changed =
            if line.changed.is_empty() { String::new() } else { format!(", changed: {}", numbers(&line.changed)) };
        let _ = writeln!(text, "    {} of {} items answered{due}{changed}", line.answered, line.items);
    }
    text
}

/// The emergencies that wait for somebody; `None` if none does.
pub(super) fn waiting(counts: &EmergencyCounts) -> Option<String> {
    let EmergencyCounts { awaiting_approval, overdue } = counts;
    let waits = *awaiting_approval > 0 || *overdue > 0;
    waits.then(|| format!("{awaiting_approval} await an approver, {overdue} overdue (`lapse emergency list`)"))
}

/// One request.
pub(super) fn sheet(request: &RequestSheet) -> String {
    let line = &request.line;
    let mut sheet = Sheet(format!("REQUEST {}: {}\n", line.id, line.state.name()));
    sheet.line("type", &line.process);
    for (name, text) in &request.fields {
        sheet.line(name, text);
    }
    for added in &request.added {
        sheet.line("added", &format!("{} at {} by {}", added.field, added.at, added.by));
    }
    sheet.maybe("followed by", request.follow_up.as_deref());
    sheet.line("opened", &format!("{} by {}", request.opened, request.opened_by));
    for name in &request.approved_by {
        sheet.line("approved", &format!("by {name}"));
    }
    sheet.maybe("packaged", request.packaged.as_deref());
    sheet.maybe("closed", request.closed.as_deref());
    let releases: Vec<&str> = request.releases.iter().map(|group| group.name()).collect();
    let releases = if releases.is_empty() { "nothing".to_owned() } else { releases.join(", ") };
    sheet.line("releases", &releases);
    if !request.missing.is_empty() {
        sheet.line("missing", &request.missing.join(", "));
    }
    sheet.maybe("captured", request.captures_expire.as_ref().map(|at| format!("until {at}")).as_deref());
    sheet.line("kept", &format!("until {}", request.expires));
    for hold in &request.holds {
        sheet.line("hold", hold);
    }
    for fee in &request.fees {
        sheet.line("fee", &format!("{} x {} at {}: {}", fee.count, fee.what, fee.each, fee.total));
    }
    for warning in &request.warnings {
        let place = warning.item.map_or_else(String::new, |item| format!("item {item}: "));
        sheet.line("look at", &format!("{place}{}", warning.text));
    }
    for item in &request.items {
        sheet.head(&one(item));
    }
    sheet.0
}

fn one(item: &ItemSheet) -> String {
    let name = item.written.line.as_ref().map_or_else(String::new, |line| format!(" ({})", escape(line)));
    let port = item.port.map_or_else(String::new, |port| format!(" port {port}"));
    let outcome = match (&item.verdict, &item.answered) {
        (Some(verdict), Some(at)) => format!("{verdict}, answered {at}"),
        _ => "not answered".to_owned(),
    };
    let captured = if item.captured { "; captured" } else { "" };
    let changed = if item.changed { "; CHANGED since" } else { "" };
    let (address, written) = (escape(&item.address), escape(&item.written.at));
    format!("item {}{name}: {address}{port} at {} (`{written}`): {outcome}{captured}{changed}", item.item, item.at)
}

fn numbers(items: &[u32]) -> String {
    items.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}
