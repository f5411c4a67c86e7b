//! The accesses as tables of counts.

use std::collections::BTreeMap;

use super::accesses::{Accesses, CLASSES};
use super::series::share;
use super::table::Table;
use super::words::number;
use crate::shown::html::plain;

/// Lookups by class and outcome, with a bar for each, and what else was done.
pub(super) fn accesses(accesses: &Accesses) -> String {
    let mut text = by_class(accesses);
    text.push_str(&by_outcome("Lookups of an address, by verdict", &accesses.lookups));
    text.push_str(&by_outcome("Look-ups of a subscriber, by finding", &accesses.subscribers));
    let mut acts = Table::new("What else is on record", &["What", "Entries"]);
    for (what, counts) in [("Requests", &accesses.requests), ("Holds", &accesses.holds), ("Other", &accesses.others)] {
        for (name, count) in counts {
            acts.row("", &[format!("{what}: {name}"), number(*count)]);
        }
    }
    if !(accesses.requests.is_empty() && accesses.holds.is_empty() && accesses.others.is_empty()) {
        text.push_str(&acts.html("acts"));
    }
    text
}

fn by_class(accesses: &Accesses) -> String {
    let counts: Vec<_> = CLASSES.iter().map(|class| (*class, accesses.in_class(class), String::new())).collect();
    bars("Lookups, by class of process", &counts)
}

fn by_outcome(caption: &str, counts: &BTreeMap<(&'static str, &'static str), u64>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let mut outcomes: BTreeMap<&str, (u64, Vec<String>)> = BTreeMap::new();
    for ((class, outcome), count) in counts {
        let (all, parts) = outcomes.entry(outcome).or_default();
        *all = all.saturating_add(*count);
        parts.push(format!("{} {class}", number(*count)));
    }
    let mut rows: Vec<_> = outcomes.into_iter().map(|(name, (all, parts))| (name, all, parts.join(", "))).collect();
    rows.sort_by_key(|(name, all, _)| (std::cmp::Reverse(*all), *name));
    bars(caption, &rows)
}

/// A table of names and counts with a bar for each, the longest over the whole width.
fn bars(caption: &str, rows: &[(&str, u64, String)]) -> String {
    let most = rows.iter().map(|(_, count, _)| *count).max().unwrap_or(0).max(1);
    let caption = plain(caption);
    let row = |(name, count, told): &(&str, u64, String)| {
        let (name, width, told) = (plain(name), share(*count, most) * 100.0, plain(told));
        let told = if told.is_empty() { told } else { format!("<br/><small>{told}</small>") };
        format!(
            "<tr><th scope=\"row\">{name}{told}</th><td class=\"count\">{}</td><td class=\"bar\"><svg aria-hidden=\"true\" \
             viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\"><rect class=\"bar\" width=\"{width:.1}\" height=\"10\"/></svg></td></tr>\n",
            number(*count)
        )
    };
    let rows: String = rows.iter().map(row).collect();
    format!("<figure><table class=\"bars\"><caption>{caption}</caption>\n<tbody>\n{rows}</tbody></table></figure>\n")
}
