//! The meaning of statements, written to be read and not to be fast: every rule looks at the whole log.
//!
//! It is the yardstick for `lapsed::domain::session`, which does the same in one pass. It settles bucket by bucket, as a
//! store that settles on disk would, and answers from the last buckets before an instant alone.
#![expect(clippy::indexing_slicing, reason = "a yardstick that fails fails its test")]

use std::collections::{BTreeMap, BTreeSet};

/// What a source said, or what was derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Word {
    Reset,
    Start,
    Update,
    Stop,
    /// The session ended, whatever it held.
    End,
    Carry,
    Lapsed,
    First,
    Resumed,
    Restart,
    Lone,
    Void,
}

use Word::{Carry, End, First, Lapsed, Lone, Reset, Restart, Resumed, Start, Stop, Update, Void};

/// At an instant, of a session: a word.
pub(crate) type Said = (u64, u32, Word);

/// Width of a bucket, buckets a statement speaks for, buckets of silence after which a session is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) width: u64,
    pub(crate) carry: u64,
    pub(crate) silence: Option<u64>,
}

fn rank(word: Word) -> u8 {
    match word {
        Reset | Lapsed => 0,
        Carry => 1,
        First | Start | Resumed | Restart => 2,
        Update => 3,
        Stop | Lone => 4,
        End => 5,
        Void => 6,
    }
}

fn order(said: &Said) -> (u64, u8) {
    (said.0, rank(said.2))
}

fn closes(word: Word) -> bool {
    matches!(word, Stop | End | Lone | Lapsed)
}

fn opens_others(word: Word) -> bool {
    matches!(word, Start | First | Restart)
}

impl Rules {
    fn bucket(&self, at: u64) -> u64 {
        at / self.width
    }

    fn near(&self, earlier: u64, bucket: u64) -> bool {
        self.bucket(earlier) + self.carry > bucket
    }

    /// Is this update a straggler after its own stop?
    fn straggles(&self, log: &[Said], x: &Said) -> bool {
        if x.2 != Update {
            return x.2 == Void;
        }
        let mut before: Vec<Said> = log
            .iter()
            .filter(|y| y.1 == x.1 && y.2 != Reset && order(y) < order(x) && self.near(y.0, self.bucket(x.0)))
            .copied()
            .collect();
        before.sort_by_key(order);
        before.iter().rev().find(|y| !self.straggles(&before, y)).is_some_and(|y| matches!(y.2, Stop | End | Lone))
    }

    /// Does this statement open its session?
    fn opens(&self, log: &[Said], x: &Said) -> bool {
        let own: Vec<Said> = log.iter().filter(|y| y.1 == x.1 && y.2 != Reset).copied().collect();
        let before = own.iter().filter(|y| order(y) < order(x) && !self.straggles(&own, y));
        let newest = before.max_by_key(|y| order(y));
        // At the first instant of a bucket, what was open one bucket further back has a carry, or its end, beside x.
        let beside = |y: &Said| x.0 > 0 && x.0.is_multiple_of(self.width) && self.near(y.0, self.bucket(x.0) - 1);
        let silent_before = !newest.is_some_and(|y| self.near(y.0, self.bucket(x.0)) || (beside(y) && !closes(y.2)));
        opens_others(x.2) || (x.2 == Update && silent_before)
    }

    /// The first instant after `after` at which another session opens or this one's NAS is reset. An own statement that
    /// was really made at `before` wins over an opening in that instant, but not over a reset.
    fn end(&self, log: &[Said], session: u32, after: u64, before: u64, really_said: bool) -> Option<u64> {
        let opened = log
            .iter()
            .filter(|x| x.1 != session && after < x.0 && (x.0 < before || (x.0 == before && !really_said)))
            .filter(|x| self.opens(log, x))
            .map(|x| x.0);
        let reset = log.iter().filter(|x| x.1 == session && x.2 == Reset && after < x.0 && x.0 <= before).map(|x| x.0);
        opened.chain(reset).min()
    }

    /// Every statement once all buckets up to the one of `end` are settled. Where the log begins at a horizon, an own
    /// first word within `carry` buckets of it speaks of a session that was open there.
    pub(crate) fn settle(&self, events: &[Said], horizon: u64, end: u64) -> Vec<Said> {
        let mut log = events.to_vec();
        log.sort_by_key(order);
        for session in log.iter().map(|x| x.1).collect::<BTreeSet<_>>() {
            let first = log.iter().find(|x| x.1 == session && matches!(x.2, Start | Update | Stop)).copied();
            if let Some((at, _, Update | Stop)) = first
                && self.bucket(at) < self.bucket(horizon) + self.carry
            {
                // It was open just before the horizon, in the horizon's own bucket: tests choose their horizons so.
                log.push((horizon.saturating_sub(1), session, Start));
            }
        }
        log.sort_by_key(order);
        for bucket in 0..=self.bucket(end) {
            self.name(&mut log, bucket);
            self.end_or_carry(&mut log, bucket);
            self.end_between(&mut log, bucket);
            log.sort_by_key(order);
        }
        log
    }

    fn sessions(&self, log: &[Said], bucket: u64) -> BTreeSet<u32> {
        log.iter().filter(|x| self.bucket(x.0) == bucket).map(|x| x.1).collect()
    }

    /// Step 1: says what each statement of the bucket is, from the buckets before it.
    fn name(&self, log: &mut [Said], bucket: u64) {
        for i in 0..log.len() {
            let x = log[i];
            if self.bucket(x.0) != bucket || x.2 == Reset {
                continue;
            }
            let last = log
                .iter()
                .filter(|y| {
                    y.1 == x.1 && order(y) < order(&x) && self.near(y.0, bucket) && !matches!(y.2, Void | Reset)
                })
                .max_by_key(|y| order(y))
                .map(|y| y.2);
            log[i].2 = match (x.2, last) {
                (Update, Some(Stop | End | Lone)) => Void,
                (Update, None) => First,
                (Update, Some(Lapsed)) => Resumed,
                (Start, Some(word)) if !closes(word) => Restart,
                (Stop | End, None | Some(Stop | End | Lone | Lapsed)) => Lone,
                (word, _) => word,
            };
        }
    }

    /// Step 2: ends or carries what the bucket leaves open. What happens at the very instant of a carry is judged once all
    /// that ended before it is known.
    fn end_or_carry(&self, log: &mut Vec<Said>, bucket: u64) {
        let due = (bucket + self.carry) * self.width;
        for at_the_instant in [false, true] {
            for session in self.sessions(log, bucket) {
                let own = || log.iter().filter(|x| x.1 == session && !matches!(x.2, Void | Reset));
                let Some(newest) = own().filter(|x| self.bucket(x.0) <= bucket).max_by_key(|x| order(x)).copied()
                else {
                    continue;
                };
                if self.bucket(newest.0) != bucket || closes(newest.2) {
                    continue;
                }
                let said = own().map(|x| x.0).filter(|at| newest.0 < *at && *at <= due).min();
                let next = said.unwrap_or(due);
                let end = self.end(log, session, newest.0, next, said.is_some());
                let word = match end {
                    Some(at) if at_the_instant || at < due => Some((at, Lapsed)),
                    None if at_the_instant && next == due => {
                        let spoke = own().any(|x| {
                            x.2 != Carry
                                && !closes(x.2)
                                && self.bucket(x.0) <= bucket
                                && self.silence.is_none_or(|silence| self.bucket(x.0) + silence > bucket)
                        });
                        Some((due, if spoke { Carry } else { Lapsed }))
                    }
                    _ => None,
                };
                log.extend(word.map(|(at, word)| (at, session, word)));
            }
        }
    }

    /// Step 3: the same between two statements of one session inside the bucket.
    fn end_between(&self, log: &mut Vec<Said>, bucket: u64) {
        for session in self.sessions(log, bucket) {
            let mut own: Vec<Said> = log
                .iter()
                .filter(|x| x.1 == session && self.bucket(x.0) == bucket && !matches!(x.2, Void | Reset))
                .copied()
                .collect();
            own.sort_by_key(order);
            for pair in own.windows(2) {
                let (x, y) = (pair[0], pair[1]);
                if closes(x.2) || matches!(y.2, Lapsed | Start | First) {
                    continue;
                }
                if let Some(at) = self.end(log, session, x.0, y.0, true) {
                    log.push((at, session, Lapsed));
                    let word = match y.2 {
                        Update => Resumed,
                        Stop | End => Lone,
                        Restart => Start,
                        word => word,
                    };
                    if let Some(place) = log.iter_mut().find(|z| **z == y) {
                        place.2 = word;
                    }
                }
            }
        }
    }

    /// The sessions open at an instant, from the buckets that must explain it.
    pub(crate) fn resolve(&self, log: &[Said], at: u64) -> BTreeSet<u32> {
        let since = (self.bucket(at) + 1).saturating_sub(self.carry) * self.width;
        let mut sorted: Vec<&Said> = log.iter().filter(|x| since <= x.0 && x.0 <= at).collect();
        sorted.sort_by_key(|x| order(x));
        let (mut newest, mut open, mut openings) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (at, session, word) in sorted.into_iter().copied().filter(|x| !matches!(x.2, Void | Reset)) {
            open.insert(session, !closes(word));
            if !closes(word) {
                newest.insert(session, (at, word));
            }
            if opens_others(word) {
                openings.push((at, session));
            }
        }
        let taken = |session: &u32| {
            newest.get(session).is_some_and(|(at, word)| {
                openings
                    .iter()
                    .any(|(opened, other)| other != session && (opened > at || (opened == at && *word == Carry)))
            })
        };
        open.iter().filter(|(session, open)| **open && !taken(session)).map(|(session, _)| *session).collect()
    }
}
