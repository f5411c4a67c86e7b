//! That a daemon that ran has reported: a bucket's period is no longer than a bucket, an interval and the slack.
//!
//! Longer is the period that ends with a start, for nobody was there; and one in which runs or reports were held up, which
//! its own exceptions say. Both are told. A daemon reports at the latest when a bucket is over; so a period that is longer for
//! no reason is one out of which a report was taken.

use std::time::Duration;

use super::Check;
use super::log::Log;
use crate::purge::{Kind, Report, SLACK};

/// No period is longer than there is a reason for.
pub(super) fn heartbeats(log: &Log<Report>) -> Check {
    let (mut found, mut told) = (log.rule(), Vec::new());
    let reports = &log.read.entries;
    for (index, report) in reports.iter().enumerate() {
        let lasted = report.to.since(report.from);
        let most = bound(report);
        if lasted <= most {
            continue;
        }
        let next = reports.get(index.saturating_add(1));
        // A run that hangs shows as late in the period in which the next one begins.
        let held_up = is_held_up(report) || next.is_some_and(|next| next.runs.late > 0);
        let (seconds, from) = (lasted.as_secs(), report.from);
        if report.kind == Kind::Start {
            told.push(format!("entry {index}: no daemon for {seconds} s from {from} on"));
        } else if held_up {
            told.push(format!("entry {index}: held up, {seconds} s from {from} on"));
        } else {
            let most = most.as_secs();
            found.fail(format!("entry {index} is a period of {seconds} s from {from} on; {most} s is the most"));
        }
    }
    let held = if told.is_empty() { "every bucket has its report".to_owned() } else { told.join("; ") };
    found.check("heartbeats", held)
}

fn bound(report: &Report) -> Duration {
    let terms = &report.terms;
    terms.bucket.duration().saturating_add(terms.purge_interval).saturating_add(SLACK)
}

fn is_held_up(report: &Report) -> bool {
    !report.exceptions.is_empty() || report.left_out > 0 || report.runs.late > 0 || report.runs.failed > 0
}
