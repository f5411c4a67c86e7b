//! Room on the disk. While it is short nothing is taken in, and what destroys goes on: it needs room, and makes some.
//!
//! The writer and the purge's thread look how much is free. Below the mark, requests are not acknowledged; the ballast goes
//! before every run, so that unlinking has room, and comes back after it as far as there is room, so that others on the disk
//! do not take it. It ends by itself: when the ballast is whole and enough is free besides, requests are taken again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::{Ballast, BallastError, Store};

const MIB: u64 = 1 << 20;
/// The least that must be free for records to be taken: more than what is written between two looks.
const LEAST_FREE: u64 = 16 * MIB;
/// What a ballast that comes back leaves free, while room is short, for entries of the ledger.
const LEFT_FREE: u64 = 4 * MIB;
/// What must be free for an entry of the ledger to be written.
const ENTRY: u64 = MIB;

/// What is found on the disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Free for us.
    pub(super) free: u64,
    /// Held by the ballast.
    pub(super) held: u64,
}

/// What follows from what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Judgement {
    /// Room is short: nothing is taken in.
    short: bool,
    /// The ballast is to hold so much; `None`: it stays as it is.
    ballast: Option<u64>,
}

/// The bytes by which it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks {
    /// The ballast that is configured.
    ballast: u64,
    /// Less than this free is short.
    low: u64,
}

impl Marks {
    const fn of(ballast: u64) -> Self {
        let quarter = ballast / 4;
        Self { ballast, low: if quarter > LEAST_FREE { quarter } else { LEAST_FREE } }
    }

    /// The ballast that there is room for: as configured, but at most half of what would be free without it.
    fn goal(self, found: Found) -> u64 {
        self.ballast.min(found.free.saturating_add(found.held) / 2)
    }

    /// What to do, if room was `short` so far and the ballast should be `goal`.
    fn judge(self, short: bool, goal: u64, found: Found) -> Judgement {
        let room = found.free.saturating_add(found.held);
        // More than the mark, or it would be short again with the next record.
        let enough = goal.saturating_add(self.low).saturating_add(self.low / 2);
        if room >= enough {
            let wrong = found.held < goal || found.held > self.ballast.saturating_add(MIB);
            return Judgement { short: false, ballast: wrong.then_some(goal) };
        }
        if !short && found.free >= self.low && (found.held > 0 || goal == 0) {
            return Judgement { short: false, ballast: None };
        }
        // What was given up for a run comes back, as far as there is room.
        let back = goal.min(room.saturating_sub(LEFT_FREE));
        Judgement { short: true, ballast: (found.held == 0 && back >= MIB).then_some(back) }
    }
}

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

    /// Can an entry of the ledger be written now?
    pub(super) fn has_entry(&self) -> bool {
        self.store.free_space().map_or(true, |free| free >= ENTRY)
    }

    /// Makes room for an entry of the ledger, at the cost of the ballast. Says whether there is any.
    pub(super) fn make_entry(&self) -> bool {
        let _one_at_a_time = self.goal();
        if !self.has_entry() {
            self.release();
        }
        self.has_entry()
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn found(free: u64, held: u64) -> Found {
        Found { free: free * MIB, held: held * MIB }
    }

    fn judged(short: bool, free: u64, held: u64) -> (bool, Option<u64>) {
        let judgement = Marks::of(256 * MIB).judge(short, 256 * MIB, found(free, held));
        (judgement.short, judgement.ballast.map(|bytes| bytes / MIB))
    }

    #[test]
    fn room_is_short_below_the_mark_and_not_again_before_there_is_more_than_that() {
        assert_eq!(judged(false, 1000, 256), (false, None));
        assert_eq!(judged(false, 64, 256), (false, None));
        assert_eq!(judged(false, 63, 256), (true, None));
        assert_eq!(judged(true, 95, 256), (true, None));
        assert_eq!(judged(true, 96, 256), (false, None));
    }

    #[test]
    fn the_ballast_comes_back_whole_with_the_room_and_in_part_without() {
        assert_eq!(judged(true, 351, 0), (true, Some(256)));
        assert_eq!(judged(true, 352, 0), (false, Some(256)));
        assert_eq!(judged(true, 300, 52), (false, Some(256)));
        assert_eq!(judged(true, 20, 0), (true, Some(16)));
        assert_eq!(judged(true, 20, 8), (true, None));
        assert_eq!(judged(true, 4, 0), (true, None));
        assert_eq!(judged(true, 0, 0), (true, None));
    }

    #[test]
    fn the_ballast_takes_at_most_half_of_what_there_is() {
        let marks = Marks::of(256 * MIB);
        assert_eq!(marks.goal(found(1000, 0)), 256 * MIB);
        assert_eq!(marks.goal(found(300, 0)), 150 * MIB);
        assert_eq!(marks.goal(found(44, 256)), 150 * MIB);
        assert_eq!((marks.low, Marks::of(8 * MIB).low), (64 * MIB, 16 * MIB));
    }

    #[test]
    fn without_a_ballast_room_is_short_all_the_same() {
        let judge = |short, free, held| Marks::of(0).judge(short, 0, found(free, held));
        assert_eq!(judge(false, 16, 0), Judgement { short: false, ballast: None });
        assert_eq!(judge(false, 15, 0), Judgement { short: true, ballast: None });
        assert_eq!(judge(true, 24, 0), Judgement { short: false, ballast: None });
        // One that is no longer configured goes.
        assert_eq!(judge(false, 100, 256), Judgement { short: false, ballast: Some(0) });
    }
}
