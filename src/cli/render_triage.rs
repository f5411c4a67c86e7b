//! A triage as a person reads it, and as a table: what dies first stands first.

use crate::api::{TriageAnswer, TriageItem, TriageState};
use crate::config::Written;

use super::cells;
use super::page::{Look, Page};

/// The columns of the table, in their order.
pub const COLUMNS: [&str; 15] = [
    "file-line",
    "line",
    "state",
    "seconds",
    "said",
    "needs-port",
    "address",
    "port",
    "protocol",
    "realm",
    "written",
    "utc",
    "local",
    "zone",
    "remarks",
];

/// The page: a part for each item.
pub fn text(answer: &TriageAnswer, look: Look) -> String {
    let mut page = Page::new(look);
    let (window, count) = (std::time::Duration::from_millis(answer.window_ms), answer.items.len());
    let alive = answer.items.iter().filter(|item| item.state == TriageState::Alive).count();
    page.head(&format!("TRIAGE: {alive} of {count} can still be answered"));
    page.line("now", &answer.now);
    page.line("horizon", &format!("{} (nothing older is readable; window {})", answer.horizon, Written(window)));
    answer.items.iter().for_each(|item| of_item(&mut page, item, look));
    page.head("this page");
    page.line(
        "zones",
        &format!("as the IANA time zone database {} has them; local time as this machine has it", answer.zones),
    );
    page.line(
        "note",
        "From the clock and the configuration alone. Whether anything is known of an item is not looked at.",
    );
    page.text()
}

fn of_item(page: &mut Page, item: &TriageItem, look: Look) {
    let name = item.line.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    page.head(&format!("line {}{name}: {}", item.file_line, item.said));
    let from = if item.written == item.address { String::new() } else { format!("(from {})", item.written) };
    page.whole("address", &item.address, &from);
    if let Some(port) = item.port {
        page.line("port", &format!("{port} {}", item.protocol.as_deref().unwrap_or_default()));
    }
    page.maybe("realm", Some(item.realm.as_str()).filter(|realm| !realm.is_empty()));
    page.whole("time", &item.at.written, &format!("(as written; read in {})", item.zone));
    page.line("", &format!("{} UTC", look.utc(&item.at.utc)));
    page.line("", &format!("{} local", look.local(&item.at.utc)));
    for remark in &item.remarks {
        page.line("remark", &format!("{}: {}", remark.code, remark.sentence));
    }
}

/// The table, its header included: [`COLUMNS`], a row for each item.
pub fn csv(answer: &TriageAnswer, look: Look) -> String {
    answer.items.iter().fold(cells::row(COLUMNS), |table, item| table + &row(item, look))
}

fn row(item: &TriageItem, look: Look) -> String {
    let state = match item.state {
        TriageState::Alive => "alive",
        TriageState::Gone => "gone",
        TriageState::Future => "future",
        TriageState::NotOurs => "not-ours",
    };
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let remarks: Vec<&str> = item.remarks.iter().map(|remark| remark.code.as_str()).collect();
    cells::row([
        item.file_line.to_string(),
        item.line.clone().unwrap_or_default(),
        state.to_owned(),
        number(item.seconds),
        item.said.clone(),
        if item.needs_port { "yes" } else { "no" }.to_owned(),
        item.address.clone(),
        number(item.port.map(u64::from)),
        item.protocol.clone().unwrap_or_default(),
        item.realm.clone(),
        item.at.written.clone(),
        item.at.utc.clone(),
        look.local(&item.at.utc),
        item.zone.clone(),
        remarks.join(" "),
    ])
}
