//! That all reports are of one store, and that no terms change in silence.

use super::Check;
use super::log::Log;
use super::periods::in_order;
use crate::purge::{Exception, Failure, Kind, Reason, Report};

/// One store id and one width of buckets; window and interval change as reports tell, step by step, and the policy only where a report
/// says why.
pub(super) fn system(log: &Log<Report>) -> Check {
    let mut found = log.rule();
    for (index, before, report) in in_order(&log.read.entries) {
        let Some(before) = before else { continue };
        if report.system != before.system {
            found.fail(format!("entry {index} is of another store than the one before"));
        }
        let (now, then) = (&report.terms, &before.terms);
        if now.bucket != then.bucket {
            found.fail(format!(
                "entry {index} has buckets of {} s, and the one before had {} s",
                now.bucket.secs(),
                then.bucket.secs()
            ));
        }
        if !report.may_leave_out("policy-changed") {
            match then.changed_by(&report.exceptions) {
                Ok(told) if told.window == now.window && told.purge_interval == now.purge_interval => {}
                Ok(_) => found.fail(format!("entry {index} has other terms than what was told of leads to")),
                Err(change) => found.fail(format!("entry {index}: {}, and that was not in force", change.in_words())),
            }
        }
        if report.policy != before.policy && !may_change(report) {
            found.fail(format!("entry {index} has another policy than the one before, and says nothing of a change"));
        }
    }
    let stores = log.read.entries.first().map_or_else(
        || "there is no report".to_owned(),
        |report| format!("store {}", crate::audit::hex(&report.system)),
    );
    found.check("system", stores)
}

/// The policy is read at a start, and changed by a request. A start in doubt about the clock or without space makes no report:
/// then the next one speaks of the doubt, or of no space.
fn may_change(report: &Report) -> bool {
    let says_why = |exception: &Exception| match exception {
        Exception::PolicyChanged { .. }
        | Exception::Restored { .. }
        | Exception::ClockForgotten { .. }
        | Exception::ClockDoubtBegun { .. }
        | Exception::ClockDoubtMoved { .. }
        | Exception::ClockDoubtLasted { .. }
        | Exception::ClockDoubtEnded { .. }
        | Exception::ClockDoubtAccepted { .. } => true,
        Exception::FailedRun { failure: Failure { reason, .. }, .. } => *reason == Reason::NoSpace,
        Exception::LateRun { .. }
        | Exception::CountsDiffer { .. }
        | Exception::KeyringLost { .. }
        | Exception::KeyUnreadable { .. }
        | Exception::Swept { .. } => false,
    };
    report.kind == Kind::Start || report.may_leave_out("policy-changed") || report.exceptions.iter().any(says_why)
}
