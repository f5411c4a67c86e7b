//! Where the clock was in doubt. Then nothing is unlinked, and keys go by the time since boot alone; what is destroyed afterwards
//! is older than its bound, and by how much it may be is bounded too.

use std::time::Duration;

use crate::purge::{DoubtEnd, Exception, Report};

/// A doubt that a report tells of, or that goes on in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// By how much more than time passed the clock may have gone forward when it was trusted again: all is older by that at once.
    pub(super) step: Duration,
}

/// For each report the doubt in it, if there is one.
pub(super) fn doubts(reports: &[Report]) -> impl Iterator<Item = Option<Doubt>> {
    let mut open = None;
    reports.iter().map(move |report| in_report(report, &mut open))
}

/// `open` is how far the clock was off in a doubt that the report before does not tell the end of. No report is made in doubt, so it is
/// over in this one, also if a stop kept its end from being noted.
fn in_report(report: &Report, open: &mut Option<Duration>) -> Option<Doubt> {
    let mut off = open.take();
    let mut doubt = off.map(|_| Doubt { step: Duration::ZERO });
    let mut told = |step: Option<Duration>| {
        let before = doubt.map_or(Duration::ZERO, |doubt| doubt.step);
        doubt = Some(Doubt { step: step.map_or(before, |step| before.max(step)) });
    };
    for exception in &report.exceptions {
        match exception {
            Exception::ClockDoubtBegun { by, .. } | Exception::ClockDoubtMoved { by, .. } => {
                off = Some(off.map_or(*by, |before| before.max(*by)));
                *open = off;
                told(None);
            }
            Exception::ClockDoubtLasted { .. } => told(None),
            // It came back to where it should be.
            Exception::ClockDoubtEnded { by: DoubtEnd::Agreed, .. } => {
                (off, *open) = (None, None);
                told(None);
            }
            Exception::ClockDoubtEnded { .. } | Exception::ClockDoubtAccepted { .. } => {
                *open = None;
                told(off.take());
            }
            // Nobody knows how far it was off.
            Exception::ClockForgotten { .. } => told(Some(Duration::MAX)),
            Exception::LateRun { .. }
            | Exception::FailedRun { .. }
            | Exception::CountsDiffer { .. }
            | Exception::PolicyChanged { .. }
            | Exception::KeyringLost { .. }
            | Exception::KeyUnreadable { .. }
            | Exception::Swept { .. }
            | Exception::Restored { .. } => {}
        }
    }
    doubt
}
