//! Requests, captures and holds in a run: those that have expired end, and what has ended since the last run is counted.
//!
//! Their age counts from their expiry, since each has its own: it says how long something was there that should have gone.

use crate::domain::time::Timestamp;
use crate::store::{CaseClass, CaseId, CaseRow, CasesError, EndedCase, Store};

use super::run::{ClassRun, Failure, PerClass, Reason, Run, Step};

/// Ends what has expired by `now`; `with_rows` says whether there is room to take rows out. What fails is in the run, and stays due.
pub(super) fn end(store: &Store, run: &mut Run, now: Timestamp, with_rows: bool) {
    let due: Vec<CaseId> = store.cases().into_iter().filter(|case| case.expires <= now).map(|case| case.id).collect();
    let ended = if with_rows { store.end_cases(&due) } else { store.destroy_cases(&due) };
    match ended {
        Ok(ended) if ended.failed.is_empty() => {}
        Ok(_) => run.failures.push(Failure { step: Step::Keys, reason: Reason::Keyring }),
        Err(error) => run.failures.push(Failure { step: Step::Keys, reason: reason_of(&error) }),
    }
    let ended = store.take_ended();
    for EndedCase { record, rows } in &ended {
        // One that ended before its time is of no age.
        let oldest = Some(record.expires.min(now));
        for (kind, count) in rows {
            if let Some(class) = class_of(&mut run.classes, record.class, *kind) {
                class.scanned = class.scanned.saturating_add(*count);
                class.filtered = class.filtered.saturating_add(*count);
                class.oldest = class.oldest.into_iter().chain(oldest).min();
            }
        }
    }
    if with_rows
        && !ended.is_empty()
        && let Err(error) = store.rewrite_cases()
    {
        run.failures.push(Failure { step: Step::Compact, reason: reason_of(&error.into()) });
    }
}

/// What rows of a kind are counted as; papers are no class of the report, as nothing in them is a record.
const fn class_of(classes: &mut PerClass<ClassRun>, class: CaseClass, kind: u8) -> Option<&mut ClassRun> {
    match (class, kind) {
        (CaseClass::Request, _) => None,
        (CaseClass::Capture, CaseRow::ANSWER) => Some(&mut classes.answers),
        (CaseClass::Capture, _) => Some(&mut classes.captures),
        (CaseClass::Hold, _) => Some(&mut classes.holds),
    }
}

fn reason_of(error: &CasesError) -> Reason {
    tracing::error!(%error, "what has expired of requests and holds could not be ended");
    match error {
        CasesError::Keys(_) => Reason::Keyring,
        CasesError::Database(error) if error.is_full() => Reason::NoSpace,
        CasesError::Database(_)
        | CasesError::Commit(_)
        | CasesError::Full
        | CasesError::Gone(_)
        | CasesError::Damaged(_)
        | CasesError::BadRow(_) => Reason::Database,
    }
}
