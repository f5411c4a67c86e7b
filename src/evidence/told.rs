//! What the reports say against those who made them: every breach and every exception.
//!
//! None of it counts. A run that failed and was made good in time broke no promise; what was not shows in `failures` and in the ages, which
//! do count, each by a name of its own, so that a confession is not taken for a forgery.

use super::Check;
use super::log::Log;
use super::periods::in_order;
use crate::purge::{Exception, Report, Verdict};

/// Reports that say that something failed, remained, or was destroyed too late.
pub(super) fn breaches(log: &Log<Report>) -> Check {
    let mut found = log.rule();
    for (index, _, report) in in_order(&log.read.entries) {
        let mut said = Vec::new();
        if report.verdict() == Verdict::Failed {
            said.push("its result is failed".to_owned());
        }
        for (counted, class) in report.counted() {
            if class.remaining > 0 {
                said.push(format!("{} of {counted} remained", class.remaining));
            }
            if let Some(bound) = report.bound_of(counted).filter(|bound| class.max_age > Some(*bound)) {
                said.push(format!("{counted} were unlinked later than {} s", bound.as_secs()));
            }
        }
        if report.key_max_age() > Some(report.key_bound()) {
            said.push(format!("a key was destroyed later than {} s", report.key_bound().as_secs()));
        }
        if !said.is_empty() {
            found.fail(format!("entry {index}: {}", said.join(", ")));
        }
    }
    found.told("reported-breaches", "none is reported")
}

/// Every exception, without whom.
pub(super) fn exceptions(log: &Log<Report>) -> Check {
    let mut all = Vec::new();
    for (index, _, report) in in_order(&log.read.entries) {
        let told = |of: &Exception| format!("entry {index}: {} {}, {}", of.name(), of.at(), of.in_words());
        all.extend(report.exceptions.iter().map(told));
        if report.left_out > 0 {
            all.push(format!("entry {index}: {} more that had no room", report.left_out));
        }
    }
    let held = if all.is_empty() { "there is none".to_owned() } else { all.join("; ") };
    log.rule().told("exceptions", held)
}
