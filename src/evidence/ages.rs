//! The greatest ages at which anything was destroyed, against the bounds of their entries.
//!
//! These count. A host that confesses to have kept something too long has kept its ledger well, and has broken its promise all the same:
//! whoever asks a program whether all is well must not be told that it is.

use std::time::Duration;

use super::Check;
use super::found::Found;
use super::log::Log;
use super::periods::in_order;
use crate::purge::Report;

/// The greatest age so far, with the entry that reports it and the bound there.
type Greatest = Option<(Duration, usize, Duration)>;

/// Of rows, when they were unlinked.
pub(super) fn unlinked(log: &Log<Report>) -> Check {
    let (mut found, mut greatest) = (log.rule(), None);
    for (index, _, report) in in_order(&log.read.entries) {
        for (counted, class) in report.counted() {
            if let (Some(age), Some(bound)) = (class.max_age, report.bound_of(counted)) {
                hold(counted.name(), age, index, bound, (&mut greatest, &mut found));
            }
        }
    }
    found.check("unlink-age", said(greatest))
}

/// Of the first instants of buckets, when their keys were destroyed.
pub(super) fn keys(log: &Log<Report>) -> Check {
    let (mut found, mut greatest) = (log.rule(), None);
    for (index, _, report) in in_order(&log.read.entries) {
        if let Some(age) = report.key_max_age() {
            hold("keys", age, index, report.key_bound(), (&mut greatest, &mut found));
        }
    }
    found.check("key-age", said(greatest))
}

fn hold(of: &str, age: Duration, index: usize, bound: Duration, (greatest, found): (&mut Greatest, &mut Found)) {
    if age > bound {
        let (age, bound) = (age.as_secs_f64(), bound.as_secs_f64());
        found.fail(format!("entry {index}: {of} had an age of {age} s, and the bound is {bound} s"));
    }
    if greatest.is_none_or(|(before, ..)| age > before) {
        *greatest = Some((age, index, bound));
    }
}

fn said(greatest: Greatest) -> String {
    greatest.map_or_else(
        || "nothing was destroyed yet".to_owned(),
        |(age, index, bound)| {
            let (age, bound) = (age.as_secs_f64(), bound.as_secs_f64());
            format!("at most {age} s, in entry {index}, and the bound is {bound} s")
        },
    )
}
