//! Clocks that tests move by hand.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Clock;
use crate::domain::clock_guard::{BootId, Reading, Synchronised};
use crate::domain::time::Timestamp;

/// Clocks that move when they are told to, also backwards. The kernel's word is unknown until it is given.
#[derive(Debug)]
pub struct ManualClock(Mutex<(Reading, Synchronised)>);

impl ManualClock {
    /// A wall clock that shows `now`, on a machine that started a day ago.
    pub fn at(now: Timestamp) -> Self {
        let reading = Reading { wall: now, since_boot: Duration::from_secs(86_400), boot: BootId([1; 16]) };
        Self(Mutex::new((reading, Synchronised::Unknown)))
    }

    /// Sets the wall clock alone, as a person or a time server does. The kernel's word is gone, as it is then.
    pub fn set(&self, now: Timestamp) {
        let mut clocks = self.clocks();
        clocks.0.wall = now;
        if clocks.1 == Synchronised::Yes {
            clocks.1 = Synchronised::No;
        }
    }

    /// Lets time pass on all clocks.
    pub fn advance(&self, by: Duration) {
        let mut clocks = self.clocks();
        clocks.0.wall = clocks.0.wall.plus(by);
        clocks.0.since_boot = clocks.0.since_boot.saturating_add(by);
    }

    /// Lets time pass while the wall clock stands still.
    pub fn freeze(&self, by: Duration) {
        let mut clocks = self.clocks();
        clocks.0.since_boot = clocks.0.since_boot.saturating_add(by);
    }

    /// Starts the machine again; a moment later its wall clock shows `now`.
    pub fn reboot(&self, now: Timestamp) {
        let mut clocks = self.clocks();
        let BootId(before) = clocks.0.boot;
        let boot = BootId(before.map(|byte| byte.wrapping_add(1)));
        *clocks = (Reading { wall: now, since_boot: Duration::from_secs(20), boot }, Synchronised::Unknown);
    }

    /// Lets the kernel say this of its clock.
    pub fn say(&self, synchronised: Synchronised) {
        self.clocks().1 = synchronised;
    }

    fn clocks(&self) -> MutexGuard<'_, (Reading, Synchronised)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn reading(&self) -> Reading {
        self.clocks().0
    }

    fn synchronised(&self) -> Synchronised {
        self.clocks().1
    }
}
