//! Short turns on the processor for the threads that answer: sched_setattr(2), of which there is no safe wrapper.
//!
//! A purge and the pass that settles keep a processor busy for seconds. Linux lets whoever has it finish a turn of some
//! milliseconds before another thread that has just woken gets it; and an answer takes less than one. A thread that asks for
//! shorter turns gets no more of the processor, and gets it sooner (from Linux 6.12 on; before, the kernel takes no notice).
#![expect(unsafe_code, reason = "one system call that nix does not wrap; it concerns the calling thread alone")]

use nix::libc::{SYS_sched_setattr, c_uint, syscall};

/// As short as a turn may be, in nanoseconds.
const TURN: u64 = 100_000;

/// `struct sched_attr` of linux/sched/types.h, in its first version.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks for short turns for the calling thread. Nothing depends on whether it gets them: a seccomp filter may forbid to ask.
pub(super) fn ask() {
    let size = u32::try_from(size_of::<Attributes>()).unwrap_or(0);
    let attributes = Attributes { size, runtime: TURN, ..Attributes::default() };
    let (this_thread, no_flags): (c_uint, c_uint) = (0, 0);
    // SAFETY: the kernel reads `size` bytes from the pointer, which is that of a live struct of that size and layout, and keeps
    // nothing of it. Policy 0 and nice 0 are what every thread of ours has.
    unsafe {
        syscall(SYS_sched_setattr, this_thread, &raw const attributes, no_flags);
    }
}
