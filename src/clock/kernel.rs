//! Asks the kernel whether somebody keeps its clock right: adjtimex(2), of which there is no safe wrapper.
#![expect(unsafe_code, reason = "one system call that nix does not wrap; it only reads")]

use std::mem::MaybeUninit;

use nix::libc::{STA_UNSYNC, TIME_ERROR, adjtimex, timex};

use crate::domain::clock_guard::Synchronised;

/// An error that is admitted to be this large is that of a clock which nobody keeps: the kernel's own limit, in microseconds.
const HOPELESS: i64 = 16_000_000;

/// What the kernel says now. A seccomp filter or a container may forbid to ask.
pub(super) fn synchronised() -> Synchronised {
    let mut state = MaybeUninit::<timex>::zeroed();
    // SAFETY: `timex` is plain numbers, for which zero is a value; the kernel fills in the whole of it or returns -1. With
    // `modes` 0 it changes nothing and asks for no right.
    let (said, state) = unsafe {
        let said = adjtimex(state.as_mut_ptr());
        (said, state.assume_init())
    };
    if said < 0 {
        return Synchronised::Unknown;
    }
    let kept = said != TIME_ERROR && state.status & STA_UNSYNC == 0 && state.maxerror < HOPELESS;
    if kept { Synchronised::Yes } else { Synchronised::No }
}

#[cfg(test)]
mod tests {
    #[test]
    fn asking_twice_harms_nothing() {
        assert_eq!(super::synchronised(), super::synchronised());
    }
}
