//! What the access ledger says beyond its tree: its times, and that the purge ledger knows of no more of it than there is.

use std::time::Duration;

use super::Check;
use super::log::Log;
use super::periods::in_order;
use crate::audit::Entry;
use crate::domain::time::Timestamp;
use crate::purge::{Exception, Report};

/// How far a clock may go back unless it is configured to be believed in more: the default of `[clock] max-step`.
const BELIEVED: Duration = Duration::from_secs(300);
/// The most that it can be configured to be believed in.
const MOST_BELIEVED: Duration = Duration::from_secs(3600);

/// How far times may fall.
struct Steps {
    /// The greatest step of the clock that is on record.
    known: Duration,
    /// Is there a doubt on record of which nobody knows how far the clock was off?
    boundless: bool,
}

/// Times do not fall by more than a step of the clock that is on record. What a clock may do without being doubted is no step.
pub(super) fn times(access: &Log<Entry>, purge: &Log<Report>) -> Check {
    let mut found = access.rule();
    let mut steps = of_reports(&purge.read.entries);
    let mut told = Vec::new();
    let mut before: Option<Timestamp> = None;
    for (index, entry) in access.read.entries.iter().enumerate() {
        let at = entry.at();
        let fell = before.map_or(Duration::ZERO, |before| before.since(at));
        if fell > BELIEVED {
            let said = format!("entry {index} is {} s earlier than the one before", fell.as_secs());
            if steps.boundless || fell <= steps.known.saturating_add(BELIEVED) {
                told.push(format!("{said}, as the clock went back"));
            } else if fell > steps.known.saturating_add(MOST_BELIEVED) {
                found.fail(format!("{said}, and no step of the clock is on record"));
            } else {
                found.unknown(format!("{said}: only a clock with max-step above its default goes so unnoticed"));
            }
        }
        if let Entry::ClockAccepted { step, .. } = entry {
            steps.known = steps.known.max(Duration::from_secs(step.unsigned_abs()));
        }
        before = Some(at);
    }
    let held = if told.is_empty() { "they do not fall".to_owned() } else { told.join("; ") };
    found.check("access-times", held)
}

fn of_reports(reports: &[Report]) -> Steps {
    let mut steps = Steps { known: Duration::ZERO, boundless: false };
    for report in reports {
        for exception in &report.exceptions {
            match exception {
                Exception::ClockDoubtBegun { by, .. } | Exception::ClockDoubtMoved { by, .. } => {
                    steps.known = steps.known.max(*by);
                }
                Exception::ClockForgotten { .. } => steps.boundless = true,
                Exception::LateRun { .. }
                | Exception::FailedRun { .. }
                | Exception::CountsDiffer { .. }
                | Exception::ClockDoubtLasted { .. }
                | Exception::ClockDoubtEnded { .. }
                | Exception::ClockDoubtAccepted { .. }
                | Exception::PolicyChanged { .. }
                | Exception::KeyringLost { .. }
                | Exception::KeyUnreadable { .. }
                | Exception::Swept { .. }
                | Exception::Restored { .. } => {}
            }
        }
        // Of the doubts that had no room nobody knows how large they were.
        steps.boundless |= ["clock-doubt-begun", "clock-doubt-moved"].iter().any(|of| report.may_leave_out(of));
    }
    steps
}

/// The reports count the entries of the access ledger: never fewer than before, and never more than there are.
///
/// The purge ledger must be fetched before the access ledger is, or an honest daemon may have written to both in between.
pub(super) fn covered(access: &Log<Entry>, purge: &Log<Report>) -> Check {
    let mut found = purge.rule();
    let mut most = 0;
    for (index, before, report) in in_order(&purge.read.entries) {
        let count = report.standing.accesses;
        if let Some(before) = before.filter(|before| count < before.standing.accesses) {
            let then = before.standing.accesses;
            found.fail(format!("entry {index} counts {count} accesses, and the one before counted {then}"));
        }
        if let Some(size) = access.size.filter(|size| count > *size && count > most) {
            found.fail(format!("entry {index} counts {count} accesses, and the access ledger has {size} entries"));
        }
        most = most.max(count);
    }
    if access.size.is_none() {
        found.unknown("without a checkpoint of the access ledger its size is not known".to_owned());
    }
    found.check("access-covered", format!("the last report counts {most} accesses"))
}
