//! The answer of a lookup as a sheet of evidence: what was asked, who, when, how it is known, and why to be careful.

use crate::api::LookupAnswer;
use crate::domain::process::Group;
use crate::domain::session::Evidence;
use crate::domain::verdict::{Caution, Verdict};
use crate::shown::words::{NO_PERSON, boundary, meaning};

use super::page::{Look, Page};

/// The sheet of one answer.
pub(super) fn sheet(answer: &LookupAnswer, look: Look) -> String {
    let mut page = Page::new(look);
    page.head(&format!("{}: {}", answer.verdict.name().to_uppercase(), meaning(answer.verdict)));
    question(&mut page, answer, look);
    holder(&mut page, answer);
    span(&mut page, answer);
    for caution in &answer.cautions {
        page.line("caution", &format!("{}: {}", caution.name(), caution.sentence()));
    }
    evidence(&mut page, answer);
    page.text()
}

fn question(page: &mut Page, answer: &LookupAnswer, look: Look) {
    if let Some(item) = answer.item {
        page.line("item", &item.to_string());
    }
    page.whole("address", &answer.address, "");
    if let Some(port) = answer.port {
        page.line("port", &port.to_string());
    }
    page.maybe("realm", Some(answer.realm.as_str()).filter(|realm| !realm.is_empty()));
    page.maybe("entity", answer.entity.as_deref());
    page.whole("time", &answer.at.written, "(as written)");
    page.line("", &format!("{} UTC", look.utc(&answer.at.utc)));
    page.line("", &format!("{} local", look.local(&answer.at.utc)));
}

fn holder(page: &mut Page, answer: &LookupAnswer) {
    page.maybe("subscriber", answer.subscriber.as_deref());
    page.maybe("assigned", answer.assigned.as_deref());
    if let Some(inside) = &answer.inside {
        let realm = if inside.realm.is_empty() { String::new() } else { format!("(realm {})", inside.realm) };
        page.whole("inside", &inside.address, &realm);
    }
    // What was not looked up says nothing of how many there are.
    if !matches!(answer.verdict, Verdict::NotOurs | Verdict::Purged | Verdict::Future | Verdict::Refused) {
        let known = match answer.sharing {
            0 => "no subscriber is known to have held it".to_owned(),
            1 => "one subscriber is known to have held it".to_owned(),
            several => format!("{several} subscribers are known to have held it or share it"),
        };
        page.line("sharing", &known);
    }
    page.maybe("session", answer.session.as_deref());
    page.maybe("NAS", answer.nas.as_deref());
    if let Some(line) = &answer.line {
        page.maybe("MAC", line.mac.as_deref());
        page.maybe("circuit-id", line.circuit_id.as_deref());
        page.maybe("remote-id", line.remote_id.as_deref());
        page.maybe("NAS port", line.nas_port.as_deref());
    }
}

fn span(page: &mut Page, answer: &LookupAnswer) {
    let Some(since) = &answer.since else { return };
    let earlier = if since.evidence == Evidence::BeyondHorizon { "at or before " } else { "" };
    let until = answer.until.as_ref().map_or("no end is known", |until| until.time.as_str());
    page.line("held", &format!("[{earlier}{}, {until})", since.time));
    page.line("", "(half-open: the first instant is part of it, the last is not)");
    page.line("since", &boundary(since, "before"));
    let open = || "no end is known: nothing says that it ended".to_owned();
    page.line("until", &answer.until.as_ref().map_or_else(open, |until| boundary(until, "after")));
    let seconds = |distance: Option<u64>| distance.map_or_else(|| "never".to_owned(), |secs| format!("{secs} s"));
    let (before, after) = (seconds(answer.heard.before), seconds(answer.heard.after));
    page.line("heard", &format!("{before} before and {after} after this time"));
}

/// On what the answer rests, under what it was given, and where that is on record.
fn evidence(page: &mut Page, answer: &LookupAnswer) {
    if !answer.sources.is_empty() {
        page.line("sources", &answer.sources.join(", "));
        let is_ahead = answer.cautions.contains(&Caution::SourceClock);
        let clocks = if is_ahead { "ahead of ours, see the cautions" } else { "none was seen ahead of ours" };
        page.line("their clocks", clocks);
    }
    page.line("horizon", &format!("{} (nothing older is readable)", answer.horizon));
    let names = |groups: Vec<&str>| if groups.is_empty() { "nothing".to_owned() } else { groups.join(", ") };
    page.line("released", &names(answer.releases.iter().map(|group| group.name()).collect()));
    let withheld = Group::ALL.iter().filter(|group| !answer.releases.contains(group));
    page.line("withheld", &names(withheld.map(|group| group.name()).collect()));
    page.line("ledger", &format!("access entry {}, request {}", answer.ledger.index, answer.ledger.request));
    if let Some(note) = &answer.note {
        page.line("note", note);
    }
    if answer.subscriber.is_some() {
        page.line("note", NO_PERSON);
    }
}
