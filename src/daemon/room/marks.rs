//! The rule: what follows from how much is free and what the ballast holds. Pure.

pub(super) const MIB: u64 = 1 << 20;
/// The least that must be free for records to be taken: more than what is written between two looks.
const LEAST_FREE: u64 = 16 * MIB;
/// What a ballast that comes back leaves free, while room is short, for entries of the ledger.
const LEFT_FREE: u64 = 4 * MIB;

/// What is found on the disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Found {
    /// Free for us.
    pub(in crate::daemon) free: u64,
    /// Held by the ballast.
    pub(in crate::daemon) held: u64,
}

/// What follows from what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Room is short: nothing is taken in.
    pub(super) short: bool,
    /// The ballast is to hold so much; `None`: it stays as it is.
    pub(super) ballast: Option<u64>,
}

/// The bytes by which it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// The ballast that is configured.
    ballast: u64,
    /// Less than this free is short.
    pub(super) low: u64,
}

impl Marks {
    pub(super) const fn of(ballast: u64) -> Self {
        let quarter = ballast / 4;
        Self { ballast, low: if quarter > LEAST_FREE { quarter } else { LEAST_FREE } }
    }

    /// The ballast that there is room for: as configured, but at most half of what would be free without it.
    pub(super) fn goal(self, found: Found) -> u64 {
        self.ballast.min(found.free.saturating_add(found.held) / 2)
    }

    /// What to do, if room was `short` so far and the ballast should be `goal`.
    pub(super) fn judge(self, short: bool, goal: u64, found: Found) -> Judgement {
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
