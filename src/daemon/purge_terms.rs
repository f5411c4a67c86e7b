//! What the daemon knows, in the terms of a purge report. Pure.

use std::time::Duration;

use crate::domain::clock_guard::{BREACH, ClockEvent, ClockEventKind, End, LONG, Reason, Synchronised};
use crate::purge::{DoubtEnd, DoubtReason, Erasure, Exception, KeyState, Line, Told};
use crate::store::{self, Together};

/// The version of the software.
pub(super) fn software() -> Line {
    Line::of(env!("CARGO_PKG_VERSION"))
}

/// What overwriting a key means where the keyring lies.
pub(super) fn erasure(found: &store::Erasure) -> Erasure {
    let same_device = match found.together {
        Together::SameDevice => Told::Yes,
        Together::OtherDevice => Told::No,
        Together::Unknown => Told::Unknown,
    };
    Erasure { class: found.class, stack: Line::of(&found.stack), same_device }
}

/// Whether the kernel says that the clock is kept right.
pub(super) const fn synchronised(found: Synchronised) -> Told {
    match found {
        Synchronised::Yes => Told::Yes,
        Synchronised::No => Told::No,
        Synchronised::Unknown => Told::Unknown,
    }
}

/// What a report says of an event of the clock; nothing of one that another exception of the period implies.
pub(super) fn exception(event: ClockEvent) -> Option<Exception> {
    let at = event.at;
    match event.kind {
        ClockEventKind::Began(why, step) => {
            Some(Exception::ClockDoubtBegun { at, reason: reason(why), by: step.size() })
        }
        ClockEventKind::Moved(why, step) => {
            Some(Exception::ClockDoubtMoved { at, reason: reason(why), by: step.size() })
        }
        ClockEventKind::Long => Some(Exception::ClockDoubtLasted { at, lasted: LONG }),
        ClockEventKind::Breach => {
            Some(Exception::ClockDoubtLasted { at, lasted: BREACH.saturating_add(Duration::from_millis(1)) })
        }
        ClockEventKind::Accepted(_) => event.by.map(|who| Exception::ClockDoubtAccepted { at, who }),
        ClockEventKind::Ended(end) => {
            let by = match end {
                End::Agreed => DoubtEnd::Agreed,
                End::Kernel => DoubtEnd::Kernel,
                End::Sources => DoubtEnd::Sources,
                End::Accepted => DoubtEnd::Accepted,
            };
            Some(Exception::ClockDoubtEnded { at, by })
        }
        ClockEventKind::Forgotten => Some(Exception::ClockForgotten { at }),
    }
}

const fn reason(why: Reason) -> DoubtReason {
    match why {
        Reason::JumpedForward => DoubtReason::JumpedForward,
        Reason::WentBack => DoubtReason::WentBack,
        Reason::BehindLastTrusted => DoubtReason::BehindLastTrusted,
        Reason::BeforeThisProgram => DoubtReason::BeforeThisProgram,
    }
}

/// How a bucket's key stands.
pub(super) const fn key_state(state: store::KeyState) -> KeyState {
    match state {
        store::KeyState::Live => KeyState::Live,
        store::KeyState::Destroyed => KeyState::Destroyed,
        store::KeyState::Damaged | store::KeyState::Lost => KeyState::Unreadable,
    }
}
