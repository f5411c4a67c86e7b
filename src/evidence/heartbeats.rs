//! That a daemon that ran has reported: a bucket's period is no longer than a bucket, an interval and the slack.
//!
//! Longer is the period that ends with a start, for nobody was there; one in which the clock was in doubt, since then no report is
//! made; one in which a run was late, by no more than that; and one for whose report there was no space. All are told. A daemon
//! reports at the latest when a bucket is over; so a period that is longer for no reason is one out of which a report was taken.

use std::time::Duration;

use super::Check;
use super::doubt::{Doubt, doubts};
use super::found::listed;
use super::log::Log;
use crate::domain::clock_guard::LONG;
use crate::purge::{Exception, Failure, Kind, Reason, Report, SLACK};

/// No period is longer than there is a reason for.
pub(super) fn heartbeats(log: &Log<Report>) -> Check {
    let (mut found, mut told) = (log.rule(), Vec::new());
    let reports = &log.read.entries;
    for ((index, report), doubt) in reports.iter().enumerate().zip(doubts(reports)) {
        let lasted = report.to.since(report.from);
        let most = bound(report);
        if lasted <= most {
            continue;
        }
        let next = reports.get(index.saturating_add(1));
        let (seconds, from) = (lasted.as_secs(), report.from);
        if report.kind == Kind::Start {
            told.push(format!("entry {index}: no daemon for {seconds} s from {from} on"));
        } else if lasted <= most.saturating_add(held_up(report, next, doubt)) {
            told.push(format!("entry {index}: held up, {seconds} s from {from} on"));
        } else {
            let most = most.as_secs();
            let said = format!("entry {index} is a period of {seconds} s from {from} on; {most} s is the most");
            // A run that hangs shows as late in the period in which the next one begins.
            if next.is_some() { found.fail(said) } else { found.unknown(said) }
        }
    }
    let held = if told.is_empty() { "every bucket has its report".to_owned() } else { listed(&told) };
    found.check("heartbeats", held)
}

fn bound(report: &Report) -> Duration {
    let terms = report.bounding_terms();
    terms.bucket.duration().saturating_add(terms.purge_interval).saturating_add(SLACK)
}

/// For how long the report was held up, by what it says itself and what the next one says of a run that hung.
fn held_up(report: &Report, next: Option<&Report>, doubt: Option<Doubt>) -> Duration {
    let no_space = |exception: &Exception| {
        matches!(exception, Exception::FailedRun { failure: Failure { reason: Reason::NoSpace, .. }, .. })
    };
    let lasts = |exception: &Exception| matches!(exception, Exception::ClockDoubtLasted { .. });
    let late = |report: &Report| {
        let listed = report.exceptions.iter().filter_map(|exception| match exception {
            Exception::LateRun { late, .. } => Some(*late),
            _ => None,
        });
        let left_out = if report.may_leave_out("late-run") { Duration::MAX } else { Duration::ZERO };
        listed.fold(left_out, Duration::saturating_add)
    };
    // Without space for its report a period goes on; what is then kept too long shows in the ages. So does a doubt that lasts.
    if report.exceptions.iter().any(|exception| no_space(exception) || lasts(exception)) {
        return Duration::MAX;
    }
    let doubt = doubt.map_or(Duration::ZERO, |doubt| LONG.saturating_add(doubt.step));
    [Some(report), next].into_iter().flatten().map(late).fold(doubt, Duration::saturating_add)
}
