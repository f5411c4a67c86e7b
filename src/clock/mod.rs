//! The machine's clocks, injected.
//!
//! Rules take a `Timestamp`; only long-lived things hold a [`Clock`] and ask it once for each thing they do. Whether the
//! wall clock is to be believed is not decided here: [`crate::domain::clock_guard`] does, from what is read here.

mod kernel;
mod manual;

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::Utc;
use nix::time::{ClockId, clock_gettime};

use crate::domain::clock_guard::{BootId, Reading, Synchronised};
use crate::domain::time::Timestamp;

pub use manual::ManualClock;

/// Reads the clocks of a machine.
pub trait Clock: Send + Sync {
    /// All of them at one moment.
    fn reading(&self) -> Reading;

    /// Does the kernel say that the wall clock is synchronised?
    fn synchronised(&self) -> Synchronised;

    /// The wall clock alone, believed or not.
    fn now(&self) -> Timestamp {
        self.reading().wall
    }
}

/// How far apart two readings of CLOCK_BOOTTIME may be for the reading of the wall clock between them to belong to both.
const TOGETHER: Duration = Duration::from_secs(1);

/// The machine's own clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn reading(&self) -> Reading {
        let mut before = since_boot();
        // A machine that is suspended between the two readings seems to have jumped; once more, then.
        for _ in 0..3 {
            let wall = wall();
            let after = since_boot();
            if after.saturating_sub(before) < TOGETHER {
                return Reading { wall, since_boot: after, boot: boot_id() };
            }
            before = after;
        }
        Reading { wall: wall(), since_boot: before, boot: boot_id() }
    }

    fn synchronised(&self) -> Synchronised {
        kernel::synchronised()
    }

    fn now(&self) -> Timestamp {
        wall()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Timestamp {
    Timestamp::from_utc(Utc::now()).unwrap_or(Timestamp::EPOCH)
}

/// CLOCK_BOOTTIME. A kernel without it would have to be older than Linux 2.6.39; it would seem to stand still.
fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// The kernel's name for this boot. Where it is hidden, a name for this process: then a restart of the daemon is taken
/// for one of the machine, which is believed more easily.
fn boot_id() -> BootId {
    static BOOT: OnceLock<BootId> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id");
        text.ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let mut name = [0; 16];
            // Without random bytes there are no keys either, and the store says so.
            let _ = getrandom::fill(&mut name);
            BootId(name)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clocks_go_on_together() {
        let first = SystemClock.reading();
        let second = SystemClock.reading();
        assert!(second.since_boot >= first.since_boot && second.boot == first.boot);
        assert_ne!(first.boot, BootId([0; 16]));
        assert!(second.step_since(&first).size() < Duration::from_secs(60));
    }
}
