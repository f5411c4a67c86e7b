//! What the daemon knows, in the terms of a purge report. Pure.

use std::time::Duration;

use crate::domain::clock_guard::{self, BREACH, ClockEvent, ClockEventKind, End, LONG, Step};
use crate::purge::{DoubtEnd, Erasure, Exception, Jump, Line, Synchronised};
use crate::store::{self, Together};

/// The software's name and version.
pub(super) fn software() -> Line {
    Line::of(concat!("lapsed ", env!("CARGO_PKG_VERSION")))
}

/// What overwriting a key means where the keyring lies.
pub(super) fn erasure(found: &store::Erasure) -> Erasure {
    let same_device = match found.together {
        Together::SameDevice => Some(true),
        Together::OtherDevice => Some(false),
        Together::Unknown => None,
    };
    Erasure { class: found.class, stack: Line::of(&found.stack), same_device }
}

/// Whether the kernel says that the clock is kept right.
pub(super) const fn synchronised(found: clock_guard::Synchronised) -> Synchronised {
    match found {
        clock_guard::Synchronised::Yes => Synchronised::Yes,
        clock_guard::Synchronised::No => Synchronised::No,
        clock_guard::Synchronised::Unknown => Synchronised::Unknown,
    }
}

/// What a report says of an event of the clock; nothing of one that another exception of the period implies.
pub(super) fn exception(event: ClockEvent) -> Option<Exception> {
    let at = event.at;
    let begun = |step: Step| {
        let jump = match step {
            Step::Ahead(_) => Jump::Forward,
            Step::Behind(_) => Jump::Backward,
        };
        Exception::ClockDoubtBegun { at, jump, by: step.size() }
    };
    match event.kind {
        ClockEventKind::Began(_, step) | ClockEventKind::Moved(_, step) => Some(begun(step)),
        ClockEventKind::Long => Some(Exception::ClockDoubtLasted { at, lasted: LONG }),
        ClockEventKind::Breach => {
            Some(Exception::ClockDoubtLasted { at, lasted: BREACH.saturating_add(Duration::from_millis(1)) })
        }
        ClockEventKind::Accepted(_) => event.by.map(|who| Exception::ClockDoubtAccepted { at, who }),
        ClockEventKind::Ended(end) => {
            let by = match end {
                End::Agreed => DoubtEnd::Agreement,
                End::Kernel => DoubtEnd::Synchronised,
                End::Sources => DoubtEnd::Sources,
                End::Accepted => DoubtEnd::Accepted,
            };
            Some(Exception::ClockDoubtEnded { at, by })
        }
        ClockEventKind::Forgotten => None,
    }
}
