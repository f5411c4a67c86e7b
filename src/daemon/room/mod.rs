//! Room on the disk. While it is short nothing is taken in, and what destroys goes on: it needs room, and makes some.
//!
//! The writer and the purge's thread look how much is free. Below the mark, requests are not acknowledged; the ballast goes
//! before every run, so that unlinking has room, and comes back after it as far as there is room, so that others on the disk
//! do not take it. It ends by itself: when the ballast is whole and enough is free besides, requests are taken again.

mod marks;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{Ballast, BallastError, Store};

use marks::{MIB, Marks};

pub(super) use marks::Found;

/// What must be free for an entry of the ledger to be written.
const ENTRY: u64 = MIB;

/// The room of one store. Shared by all who need some.
#[derive(Debug)]
pub(super) struct Room {
    store: Arc<Store>,
    ballast: Ballast,
    marks: Marks,
    short: AtomicBool,
    /// What the ballast should hold: it only grows, so that records do not eat it up a half at a time. Held while it changes.
    goal: Mutex<u64>,
}

impl Room {
    /// Looks how much there is. The ballast stays as it is: first there is purged.
    pub(super) fn find(store: Arc<Store>, ballast: u64) -> Self {
        let room = Self {
            ballast: store.ballast(),
            store,
            marks: Marks::of(ballast),
            short: AtomicBool::new(false),
            goal: Mutex::new(0),
        };
        if let Some(found) = room.found() {
            let goal = room.marks.goal(found);
            *room.goal() = goal;
            if goal < ballast {
                tracing::warn!(free = found.free, ballast, goal, "there is no room for the whole ballast");
            }
            room.turn(room.marks.judge(false, goal, found).short, found);
        }
        room
    }

    /// Is room short? Then nothing is to be taken in.
    pub(super) fn is_short(&self) -> bool {
        self.short.load(Ordering::Acquire)
    }

    /// What there is on the disk; `None` if it does not say.
    pub(super) fn found(&self) -> Option<Found> {
        let found = self.store.free_space().and_then(|free| Ok(Found { free, held: self.ballast.held()? }));
        found.inspect_err(|error| tracing::error!(%error, "how much is free is not known")).ok()
    }

    /// Whether records can be taken: a glance between commits, which changes nothing on the disk.
    pub(super) fn glance(&self) {
        if let Ok(free) = self.store.free_space()
            && free < self.marks.low
        {
            self.turn(true, Found { free, held: 0 });
        }
    }

    /// Gives the ballast up if room is short: before what destroys, and what needs room for that. Says whether there is any:
    /// without, nothing must be written to the database, since a write that fails ends the daemon.
    pub(super) fn give_way(&self) -> bool {
        self.glance();
        if self.is_short() {
            let _one_at_a_time = self.goal();
            self.release();
        }
        // Where the file system does not say, the write will.
        self.store.free_space().map_or(true, |free| free >= ENTRY)
    }

    /// Looks how much there is, makes the ballast again if there is room for it, and takes records again or not any more.
    pub(super) fn look(&self) {
        let mut goal = self.goal();
        let Some(found) = self.found() else { return };
        *goal = self.marks.goal(found).max(*goal);
        let judgement = self.marks.judge(self.is_short(), *goal, found);
        let made = judgement.ballast.map_or(Ok(()), |bytes| self.make(bytes));
        match made {
            Ok(()) => self.turn(judgement.short, found),
            // Somebody else was faster.
            Err(error) if error.is_full() => self.turn(true, found),
            Err(error) => {
                tracing::error!(%error, "the ballast cannot be made: a full disk will keep the database from opening");
                // Records are no worse off for that, and it is tried no more.
                *goal = 0;
                self.turn(found.free < self.marks.low, found);
            }
        }
    }

    /// Can an entry of the ledger be written now, with so many bytes beside it?
    pub(super) fn has_entry(&self, beside: u64) -> bool {
        self.store.free_space().map_or(true, |free| free >= ENTRY.saturating_add(beside))
    }

    /// Makes room for an entry of the ledger and what is beside it, at the cost of the ballast. Says whether there is any.
    pub(super) fn make_entry(&self, beside: u64) -> bool {
        let _one_at_a_time = self.goal();
        if !self.has_entry(beside) {
            self.release();
        }
        self.has_entry(beside)
    }

    fn make(&self, bytes: u64) -> Result<(), BallastError> {
        if bytes == 0 { self.ballast.release().map(drop) } else { self.ballast.make(bytes) }
    }

    fn release(&self) {
        match self.ballast.release() {
            Ok(true) => tracing::warn!("the disk is full: the ballast is given up"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the disk is full, and the ballast cannot be given up"),
        }
    }

    /// Says it, once.
    fn turn(&self, short: bool, Found { free, .. }: Found) {
        let was = self.short.swap(short, Ordering::AcqRel);
        if short && !was {
            let least = self.marks.low;
            tracing::error!(free, least, "the disk is full: no event is acknowledged until there is room again");
        } else if was && !short {
            tracing::warn!(free, "there is room on the disk again: events are acknowledged");
        }
    }

    fn goal(&self) -> MutexGuard<'_, u64> {
        self.goal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
