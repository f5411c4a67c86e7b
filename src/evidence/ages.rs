//! The greatest ages at which anything was destroyed, and the ages of what was not destroyed yet, against the bounds of their entries.
//!
//! These count. A host that confesses to have kept something too long has kept its ledger well, and has broken its promise all the same:
//! whoever asks a program whether all is well must not be told that it is.
//!
//! Two things excuse what is over its bound, and are told. While the clock is in doubt nothing is unlinked, and keys go by the time since
//! boot, an hour later; a doubt that lasts too long is a breach of its own. And where nobody ran, rows lie until the next start: when
//! they became unreadable, `key-age` says.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Check;
use super::doubt::{Doubt, doubts};
use super::found::Found;
use super::log::Log;
use super::periods::in_order;
use crate::domain::clock_guard::OVERDUE;
use crate::purge::{Exception, Kind, LONGEST_DOUBT, Report};

/// Of rows, when they were unlinked; and at the end of each period, of the oldest that may not be.
pub(super) fn unlinked(log: &Log<Report>) -> Check {
    let reports = &log.read.entries;
    let mut ages = Ages::of(log);
    // What the first runs did not come to was there before them.
    let begin = reports.first().map(|first| first.from.minus(first.terms.window));
    for ((index, _, report), doubt) in in_order(reports).zip(doubts(reports)) {
        let excuse = if report.kind == Kind::Start {
            Some(Excuse { most: Duration::MAX, why: "nobody ran" })
        } else {
            doubt.map(|doubt| Excuse::doubt(LONGEST_DOUBT, doubt))
        };
        for (counted, class) in report.counted() {
            if let (Some(age), Some(bound)) = (class.max_age, report.bound_of(counted)) {
                ages.hold(index, format!("{counted} had an age of"), (age, bound), excuse);
            }
        }
        if let Some(cutoff) = report.cutoff.or(begin) {
            let said = format!("all is verified to be unlinked up to {cutoff} only, an age of");
            ages.hold(index, said, (report.to.since(cutoff), report.unlink_bound()), excuse);
        }
    }
    ages.check("unlink-age")
}

/// Of the first instants of buckets, when their keys were destroyed; and at the end of each period, of those that were not.
pub(super) fn keys(log: &Log<Report>) -> Check {
    let reports = &log.read.entries;
    let (mut ages, mut open) = (Ages::of(log), BTreeSet::new());
    for ((index, _, report), doubt) in in_order(reports).zip(doubts(reports)) {
        let excuse = doubt.map(|doubt| Excuse::doubt(OVERDUE, doubt));
        if let Some(age) = report.key_max_age() {
            ages.hold(index, "keys had an age of".to_owned(), (age, report.key_bound()), excuse);
        }
        if report.exceptions.iter().any(|exception| matches!(exception, Exception::KeyringLost { .. })) {
            open.clear();
        }
        open.extend(report.keys.opened.iter().map(|(bucket, _)| *bucket));
        for key in &report.keys.destroyed {
            open.remove(&key.bucket);
        }
        // Where keys had no room in a report, those that follow it at the same instant tell of the others.
        let goes_on = reports.get(index.saturating_add(1)).is_some_and(|next| next.to == report.to);
        if let Some(oldest) = open.first().filter(|_| !goes_on) {
            let said = format!("the key of bucket {} is not destroyed, at an age of", oldest.0);
            let age = report.to.since(report.terms.bucket.start_of(*oldest));
            ages.hold(index, said, (age, report.key_bound()), excuse);
        }
    }
    ages.check("key-age")
}

/// Why something may be older than its bound, and by how much.
#[derive(Clone, Copy)]
struct Excuse {
    most: Duration,
    why: &'static str,
}

impl Excuse {
    fn doubt(most: Duration, doubt: Doubt) -> Self {
        Self { most: most.saturating_add(doubt.step), why: "the clock was in doubt" }
    }
}

struct Ages {
    found: Found,
    excused: Vec<String>,
    /// The greatest age within its bound so far, with the entry and the bound there.
    greatest: Option<(Duration, usize, Duration)>,
}

impl Ages {
    fn of(log: &Log<Report>) -> Self {
        Self { found: log.rule(), excused: Vec::new(), greatest: None }
    }

    fn hold(&mut self, index: usize, said: String, (age, bound): (Duration, Duration), excuse: Option<Excuse>) {
        if age <= bound {
            if self.greatest.is_none_or(|(before, ..)| age > before) {
                self.greatest = Some((age, index, bound));
            }
            return;
        }
        let told = format!("entry {index}: {said} {} s, and the bound is {} s", age.as_secs_f64(), bound.as_secs_f64());
        match excuse {
            Some(Excuse { most, why }) if age <= bound.saturating_add(most) => {
                self.excused.push(format!("{told}, as {why}"));
            }
            Some(_) | None => self.found.fail(told),
        }
    }

    fn check(self, name: &'static str) -> Check {
        let within = self.greatest.map_or_else(
            || "nothing was destroyed yet".to_owned(),
            |(age, index, bound)| {
                let (age, bound) = (age.as_secs_f64(), bound.as_secs_f64());
                format!("at most {age} s, in entry {index}, and the bound is {bound} s")
            },
        );
        let held: Vec<String> = std::iter::once(within).chain(self.excused).collect();
        self.found.check(name, super::found::listed(&held))
    }
}
