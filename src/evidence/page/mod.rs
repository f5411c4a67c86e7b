//! The evidence as one page for an auditor: it needs nothing from elsewhere, runs nothing, and prints.
//!
//! The verdict comes first, of what was reported and no more. Of the access ledger there are counts only: no pseudonym, no
//! instant of an access. Decides nothing that [`Evidence`] and the reports do not say.

mod accesses;
mod chart;
mod data;
mod figures;
mod lookups;
mod reports;
mod series;
mod summary;
mod svg;
mod table;
mod verdict;
mod words;

use self::accesses::Accesses;
use self::table::Table;
use super::{Check, Evidence, Outcome};
use crate::domain::time::Timestamp;
use crate::shown::html;

const STYLE: &str = include_str!("style.css");

/// What a ledger cannot show.
const LIMITS: &str = include_str!("limits.html");

/// How it is checked by whoever trusts neither us nor the host.
const BY_HAND: &str = include_str!("by_hand.html");

/// The page, as a whole HTML document in UTF-8 that is well-formed XML too. It was made at `made`, an instant in UTC.
///
/// Where there is nothing to tell, it says so. Every text of an entry or a check is made harmless.
pub fn page(evidence: &Evidence, made: Timestamp) -> String {
    let reports = &evidence.purge.entries;
    let accesses = Accesses::of(&evidence.access.entries);
    let (verdict, reason) = verdict::judge(evidence);
    let checks = told(evidence);
    let mut text = html::head("What the ledgers show", STYLE) + svg::PATTERN;
    text.push_str(&format!(
        "<header><h1>What the ledgers show</h1>\n<p>Purges and accesses of a Lapsed store, as its host reported them. Made {}.</p></header>\n<main>\n",
        words::when(made)
    ));
    text.push_str(&summary::verdict(verdict, &reason));
    text.push_str(&summary::tiles(reports, &accesses));
    let sections = [
        ("scope", "What this covers", summary::scope(evidence, made)),
        ("limits", "What this does not show", LIMITS.to_owned()),
        ("charts", "Over time", figures::figures(reports)),
        ("lookups", "Accesses", lookups::accesses(&accesses)),
        ("reports", "What was destroyed", reports::unlinked(reports) + &reports::listed(reports)),
        ("exceptions", "Exceptions", reports::exceptions(reports)),
        ("integrity", "Integrity of the ledgers", integrity(&checks)),
        ("by-hand", "Verify this without us", BY_HAND.to_owned()),
    ];
    for (id, title, body) in sections {
        text.push_str(&format!("<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n"));
    }
    text.push_str("</main>\n");
    text.push_str(&data::element(evidence, &checks, &accesses, (verdict, &reason), made));
    text.push_str("</body>\n</html>\n");
    text
}

/// The checks as the page tells them: exceptions have a table of their own.
fn told(evidence: &Evidence) -> Vec<Check> {
    let mut checks = evidence.checks.clone();
    for check in checks.iter_mut().filter(|check| check.name == "exceptions") {
        "listed under Exceptions".clone_into(&mut check.detail);
    }
    checks
}

/// Every check, with what it came to.
fn integrity(checks: &[Check]) -> String {
    if checks.is_empty() {
        return "<p>No check was made.</p>\n".to_owned();
    }
    let mut table = Table::new("Every check that was made", &["Check", "Result", "Counts", "Detail"]);
    for check in checks {
        let (class, result) = match check.result {
            Outcome::Pass => ("", "pass"),
            Outcome::Fail => ("broken", "FAIL"),
            Outcome::Unknown => ("exceptions", "UNKNOWN"),
        };
        let counts = if check.counts { "yes" } else { "told only" };
        table.row(class, &[check.name.to_owned(), result.to_owned(), counts.to_owned(), check.detail.clone()]);
    }
    table.html("checks")
}
