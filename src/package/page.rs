//! The answers as one page that prints on A4 and on Letter, needs nothing from elsewhere and runs nothing.

use chrono::DateTime;
use chrono_tz::Tz;

use super::html::Rows;
use super::{Answered, Response};
use crate::api::LookupAnswer;
use crate::domain::process::Group;
use crate::domain::session::Evidence;
use crate::domain::verdict::Verdict;
use crate::shown::html::{self, plain};
use crate::shown::words::{NO_PERSON, boundary, meaning};

/// A4 is 210 mm wide, Letter 279 mm high: within these margins a page of 174 mm fits on both, and the printer chooses.
const STYLE: &str = "@page { size: auto; margin: 18mm; }
body { font: 10pt/1.4 sans-serif; max-width: 174mm; margin: 0 auto; color: #000; background: #fff; }
h1 { font-size: 16pt; } h2 { font-size: 12pt; margin: 0 0 2mm; }
section { border-top: 1px solid #000; padding: 3mm 0; break-inside: avoid; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; vertical-align: top; font-weight: normal; width: 32mm; padding: 0 3mm 0 0; color: #333; }
td { overflow-wrap: anywhere; }
";

/// The page.
pub(super) fn page(response: &Response<'_>) -> String {
    let title = format!("Answers to request {}", response.request);
    let mut text = html::head(&title, STYLE) + &introduction(response);
    for answered in &response.answers {
        text.push_str(&section(answered, response.zone));
    }
    text.push_str("</body>\n</html>\n");
    text
}

/// Whose answers these are, to whom they are given, and how they are to be read.
fn introduction(response: &Response<'_>) -> String {
    let mut rows = Rows::default();
    for custodian in &response.custodians {
        rows.maybe("entity", Some(&custodian.entity));
        rows.maybe("brand", Some(&custodian.brand));
        rows.maybe("custodian", Some(&custodian.custodian));
    }
    rows.row("request", &response.request);
    for name in ["case", "authority", "agency", "officer"] {
        rows.maybe(name, Some(response.papers.field(name)));
    }
    rows.row("type", response.papers.process.name());
    rows.row("received", &instant(&response.papers.received().to_string(), response.zone));
    rows.row("policy", &response.policy);
    rows.row("software", &response.software);
    for line in &response.bill.lines {
        rows.row("fee", &format!("{} x {} at {}: {}", line.count, line.what, line.each, line.total));
    }
    rows.maybe("fees in all", response.bill.total.map(|total| total.to_string()).as_deref());
    format!(
        "<h1>Answers to a legal process</h1>\n<p>{NO_PERSON} An answer says which account had an address, not who used it. Where something \
         is withheld, the kind of process does not release it. This page was made from answers.json, which counts where they \
         differ.</p>\n{}",
        rows.table()
    )
}

fn section(answered: &Answered<'_>, zone: Tz) -> String {
    let Answered { number, item, answer, .. } = answered;
    let mut rows = Rows::default();
    let written = &item.written;
    rows.maybe("called", written.line.as_deref());
    rows.row("address as written", &written.address);
    rows.maybe("port as written", written.port.map(|port| port.to_string()).as_deref());
    rows.maybe("protocol", written.protocol.as_deref());
    rows.row("time as written", &written.at);
    rows.maybe("its zone", written.zone.as_deref());
    rows.maybe("its uncertainty", written.uncertainty.as_deref());
    rows.row("address", &answer.address);
    rows.maybe("port", answer.port.map(|port| port.to_string()).as_deref());
    rows.maybe("realm", Some(&answer.realm));
    rows.maybe("entity", answer.entity.as_deref());
    rows.row("time, UTC", &instant(&answer.at.utc, Tz::UTC));
    rows.row("time, local", &instant(&answer.at.utc, zone));
    holder(&mut rows, answer);
    span(&mut rows, answer);
    for caution in &answer.cautions {
        rows.row("caution", &format!("{}: {}", caution.name(), caution.sentence()));
    }
    evidence(&mut rows, answer);
    let verdict = answer.verdict;
    let (name, meaning) = (plain(&verdict.name().to_uppercase()), plain(meaning(verdict)));
    format!("<section>\n<h2>Item {number}: {name}: {meaning}</h2>\n{}</section>\n", rows.table())
}

fn holder(rows: &mut Rows, answer: &LookupAnswer) {
    rows.maybe("subscriber", answer.subscriber.as_deref());
    rows.maybe("assigned", answer.assigned.as_deref());
    if let Some(inside) = &answer.inside {
        rows.row("inside a NAT", &inside.address);
        rows.maybe("inside realm", Some(&inside.realm));
    }
    // What was not looked up says nothing of how many there are.
    if !matches!(answer.verdict, Verdict::NotOurs | Verdict::Purged | Verdict::Future | Verdict::Refused) {
        rows.row("known holders", &answer.sharing.to_string());
    }
    rows.maybe("session", answer.session.as_deref());
    rows.maybe("NAS", answer.nas.as_deref());
    if let Some(line) = &answer.line {
        rows.maybe("MAC", line.mac.as_deref());
        rows.maybe("circuit-id", line.circuit_id.as_deref());
        rows.maybe("remote-id", line.remote_id.as_deref());
        rows.maybe("NAS port", line.nas_port.as_deref());
    }
}

fn span(rows: &mut Rows, answer: &LookupAnswer) {
    let Some(since) = &answer.since else { return };
    let earlier = if since.evidence == Evidence::BeyondHorizon { "at or before " } else { "" };
    let until = answer.until.as_ref().map_or("no end is known", |until| until.time.as_str());
    rows.row("held", &format!("[{earlier}{}, {until}): the first instant is part of it, the last is not", since.time));
    rows.row("since", &boundary(since, "before"));
    if let Some(until) = &answer.until {
        rows.row("until", &boundary(until, "after"));
    }
    let seconds = |distance: Option<u64>| distance.map_or_else(|| "never".to_owned(), |secs| format!("{secs} s"));
    let (before, after) = (seconds(answer.heard.before), seconds(answer.heard.after));
    rows.row("heard", &format!("{before} before and {after} after this time"));
}

fn evidence(rows: &mut Rows, answer: &LookupAnswer) {
    rows.maybe("sources", Some(&answer.sources.join(", ")));
    rows.row("answered from", &answer.from);
    rows.row("horizon", &format!("{} (nothing older was readable)", answer.horizon));
    let names = |groups: Vec<&str>| if groups.is_empty() { "nothing".to_owned() } else { groups.join(", ") };
    rows.row("released", &names(answer.releases.iter().map(|group| group.name()).collect()));
    let withheld = Group::ALL.iter().filter(|group| !answer.releases.contains(group));
    rows.row("withheld", &names(withheld.map(|group| group.name()).collect()));
    rows.row("ledger", &format!("access entry {}, request {}", answer.ledger.index, answer.ledger.request));
    rows.maybe("note", answer.note.as_deref());
    if answer.subscriber.is_some() {
        rows.row("note", NO_PERSON);
    }
}

/// An instant as clocks in the zone show it, with the weekday and the zone's name; a text that is none as it is.
fn instant(utc: &str, zone: Tz) -> String {
    let time = DateTime::parse_from_rfc3339(utc).map(|time| time.with_timezone(&zone));
    time.map_or_else(|_| utc.to_owned(), |time| format!("{} ({zone})", time.format("%a %Y-%m-%d %H:%M:%S%.3f %:z %Z")))
}
