//! What stands first: the verdict, four figures, and what they cover.

use std::time::Duration;

use super::accesses::{Accesses, CLASSES};
use super::data::oldest;
use super::verdict::Verdict;
use super::words::{capital, length, many, number, spelled, when};
use crate::canonical::Word as _;
use crate::domain::time::Timestamp;
use crate::evidence::{Evidence, Read};
use crate::purge::Report;
use crate::shown::html::plain;

/// The verdict, of what was reported, and why.
pub(super) fn verdict(verdict: Verdict, reason: &str) -> String {
    let (class, title, reason) = (verdict.name(), verdict.title(), plain(reason));
    format!(
        "<section class=\"verdict {class}\" aria-label=\"Verdict\">\n<p class=\"title\">{title}</p>\n\
         <p class=\"of\">of what was reported</p>\n<p>{reason}</p>\n</section>\n"
    )
}

/// The four figures that are asked for first.
pub(super) fn tiles(reports: &[Report], accesses: &Accesses) -> String {
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).fold(0, u64::saturating_add);
    let (late, failed) = (sum(|report| report.runs.late), sum(|report| report.runs.failed));
    let classes: Vec<_> = CLASSES.iter().map(|class| format!("{} {class}", number(accesses.in_class(class)))).collect();
    let record = nearest(reports, |report| Some((oldest(report)?, report.unlink_bound())));
    let key = nearest(reports, |report| Some((report.key_max_age()?, report.key_bound())));
    let runs = format!("{} late, {} failed", number(late), number(failed));
    let tiles = [
        tile("Age of records when unlinked, at worst", &record.0, &record.1),
        tile("Age of keys when destroyed, at worst", &key.0, &key.1),
        tile("Purges", &number(sum(|report| report.runs.count)), &runs),
        tile("Lookups", &number(accesses.looked_up()), &classes.join(", ")),
    ];
    format!("<dl class=\"tiles\">\n{}</dl>\n", tiles.concat())
}

fn tile(name: &str, value: &str, told: &str) -> String {
    // A number stays beside its unit.
    let value = value.replace(" min", "\u{a0}min").replace(" h", "\u{a0}h").replace(" s", "\u{a0}s");
    let (name, value, told) = (plain(name), plain(&value), plain(told));
    format!("<div><dt>{name}</dt><dd class=\"value\">{value}</dd><dd>{told}</dd></div>\n")
}

/// The age that came nearest to its own bound, or went furthest beyond it, and how.
fn nearest(reports: &[Report], of: impl Fn(&Report) -> Option<(Duration, Duration)>) -> (String, String) {
    let ages = reports.iter().filter_map(|report| of(report).map(|(age, bound)| (age, bound, report.sequence)));
    // A bound can change with the policy, so that the greatest age need not be the worst.
    let worst =
        ages.max_by_key(|(age, bound, _)| (age.saturating_sub(*bound), std::cmp::Reverse(bound.saturating_sub(*age))));
    let Some((age, bound, sequence)) = worst else {
        return ("none".to_owned(), "nothing was due".to_owned());
    };
    let comparison = if age > bound { "OVER its bound of" } else { "within its bound of" };
    (spelled(age), format!("{comparison} {} (report {})", spelled(bound), number(sequence)))
}

/// Names and values.
struct Facts(String);

impl Facts {
    fn fact(&mut self, name: &str, value: &str) {
        self.0.push_str(&format!("<div><dt>{}</dt><dd>{}</dd></div>\n", plain(name), plain(value)));
    }
}

/// What the page covers, and under which policy.
pub(super) fn scope(evidence: &Evidence, made: Timestamp) -> String {
    let mut facts = Facts(String::new());
    let reports = &evidence.purge.entries;
    if let (Some(first), Some(last)) = (reports.first(), reports.last()) {
        let (one, other) = (number(first.sequence), number(last.sequence));
        let silence = made.since(last.to);
        facts.fact("Time", &format!("{} to {}", when(first.from), when(last.to)));
        facts.fact(
            "Reports",
            &format!("{}, numbers {one} to {other}", many(length(reports), "purge report", "purge reports")),
        );
        facts.fact(
            "Since then",
            &format!("{} until this page was made; of that time it says nothing", spelled(silence)),
        );
        for (name, of) in ATTRIBUTES {
            for (text, from, count) in runs(reports, of) {
                let whole = count == length(reports);
                let since = if whole { String::new() } else { format!(" (from {} on)", when(from)) };
                facts.fact(name, &format!("{text}{since}"));
            }
        }
    }
    facts.fact("Accesses", &many(length(&evidence.access.entries), "entry", "entries"));
    facts.fact("Purge ledger", &ledger(&evidence.purge));
    facts.fact("Access ledger", &ledger(&evidence.access));
    format!("<dl class=\"facts\">\n{}</dl>\n", facts.0)
}

/// What is told of a report.
type Told = fn(&Report) -> String;

/// What is told of a report as long as it stays as it is.
const ATTRIBUTES: [(&str, Told); 6] = [
    ("System", |report| report.system.word()),
    ("Software", |report| format!("lapsed {}", report.software)),
    ("Policy", policy),
    ("Bounds", bounds),
    ("Policy digest", |report| format!("SHA-256 {}", report.policy.word())),
    ("Erasure", |report| {
        let class = report.erasure.class;
        format!("class {class}: {}; {}", capital(class.meaning()), report.erasure.stack)
    }),
];

fn policy(report: &Report) -> String {
    let terms = report.terms;
    let (window, interval) = (spelled(terms.window), spelled(terms.purge_interval));
    let bucket = spelled(terms.bucket.duration());
    format!(
        "nothing older than {window} is readable; what is older is purged every {interval}; every {bucket} of time have a key of their own"
    )
}

/// Of the terms alone: a change within a report bounds that report only.
fn bounds(report: &Report) -> String {
    let terms = report.terms;
    let unlinked = terms.window.saturating_add(terms.purge_interval).saturating_add(crate::purge::SLACK);
    let destroyed = unlinked.saturating_add(terms.bucket.duration());
    format!(
        "a record is out of every file of the store at an age of {} at the latest; a key is overwritten {} after the first \
         instant of its bucket at the latest",
        spelled(unlinked),
        spelled(destroyed)
    )
}

/// Each text that differs from the one before, from when on it was so, and in how many reports.
fn runs(reports: &[Report], of: Told) -> Vec<(String, Timestamp, u64)> {
    let mut runs: Vec<(String, Timestamp, u64)> = Vec::new();
    for report in reports {
        let text = of(report);
        match runs.last_mut() {
            Some((same, _, count)) if *same == text => *count = count.saturating_add(1),
            _ => runs.push((text, report.from, 1)),
        }
    }
    runs
}

fn ledger<E>(read: &Read<E>) -> String {
    read.checkpoint.as_ref().map_or_else(
        || "no checkpoint that its key opens".to_owned(),
        |checkpoint| {
            let size = many(checkpoint.size, "entry", "entries");
            format!("{}: {size}, root {}", checkpoint.origin, checkpoint.root)
        },
    )
}
