//! The machine that says what statements mean, one instant after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Read, Rules, Run, Said, Settled, Spoke, Standing, Statement, closes, opens};
use crate::domain::record::Kind;
use crate::domain::time::{Bucket, Timestamp};

/// What statements mean, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Every statement with its meaning, and what was derived, in the order of time.
    pub settled: Vec<Settled>,
    /// How the runs stand at the end.
    pub standings: Vec<Standing>,
    /// Whether some silent run has lapsed depends on when it last spoke, which was before all that was read. It is taken as
    /// carried; reading further back decides it.
    pub undecided: bool,
}

/// Says what was read means. `statements` may come in any order; those outside of `read` must have been left out.
pub fn settle_read(runs: &[Run], statements: &[Statement], rules: Rules, read: Read) -> Outcome {
    let order = in_order(statements);
    let mut settling = Settling::new(runs, vec![Standing::default(); runs.len()], rules, read);
    settling.open_at_start(&order);
    settling.go(&order)
}

/// Goes on from how the runs stood. `statements` are those after `read.settled_through` and none later than `read.through`;
/// none of them has its meaning yet.
pub fn settle_on(
    runs: &[Run],
    standings: Vec<Standing>,
    statements: &[Statement],
    rules: Rules,
    read: Read,
) -> Outcome {
    Settling::new(runs, standings, rules, read).go(&in_order(statements))
}

type InOrder<'a> = Vec<(usize, &'a Statement)>;

fn in_order(statements: &[Statement]) -> InOrder<'_> {
    let mut order: InOrder<'_> = statements.iter().enumerate().collect();
    order.sort_by_key(|(index, statement)| (statement.at, statement.said, *index));
    order
}

struct Settling<'a> {
    runs: &'a [Run],
    rules: Rules,
    read: Read,
    standings: Vec<Standing>,
    /// Which runs were opened by a hint and have not spoken since.
    guided: Vec<bool>,
    /// What silence was once taken to mean, by run and instant.
    hints: BTreeMap<(usize, Timestamp), Kind>,
    out: Vec<Settled>,
    undecided: bool,
}

impl<'a> Settling<'a> {
    fn new(runs: &'a [Run], mut standings: Vec<Standing>, rules: Rules, read: Read) -> Self {
        standings.resize(runs.len(), Standing::default());
        Self {
            runs,
            rules,
            read,
            standings,
            guided: vec![false; runs.len()],
            hints: BTreeMap::new(),
            out: Vec::new(),
            undecided: false,
        }
    }

    fn go(mut self, order: &InOrder<'_>) -> Outcome {
        let hint = |statement: &Statement| {
            let kind = statement.hint.filter(|kind| matches!(kind, Kind::Carry | Kind::Lapsed))?;
            Some(((statement.run, statement.at), kind))
        };
        self.hints = order.iter().filter_map(|(_, statement)| hint(statement)).collect();
        for group in order.chunk_by(|(_, a), (_, b)| a.at == b.at) {
            let Some((_, first)) = group.first() else { continue };
            self.derive_through(first.at);
            for (index, statement) in group {
                self.hear(*index, statement);
            }
            self.end_predecessors(first.at, group);
        }
        self.derive_through(self.read.through);
        self.out.sort_by_key(|settled| settled.at);
        Outcome { settled: self.out, standings: self.standings, undecided: self.undecided }
    }

    /// Opens the runs whose first own statement says that they were open when what was read begins.
    fn open_at_start(&mut self, order: &InOrder<'_>) {
        let from = self.read.from;
        let bucket = self.rules.width.bucket_of(from);
        let last = bucket.later(self.rules.carry_buckets);
        // What spoke last in this very bucket, before it was read, is carried at the first instant of the bucket `last`.
        let cut = from > self.rules.width.start_of(bucket);
        let unknown_until = self.rules.width.start_of(last.later(u32::from(cut)));
        let mut seen = vec![false; self.runs.len()];
        for (_, statement) in order.iter().take_while(|(_, statement)| statement.at < unknown_until) {
            // What was said of the session or its NAS does not tell of this address.
            // Nor does what came late: had it been open, something that was settled would say so.
            let bucket_of = self.rules.width.bucket_of(statement.at);
            let unsettled = self.read.hinted_through.is_none_or(|hinted| hinted < bucket_of);
            let own =
                statement.meaning.is_some() || statement.hint.is_some() || (statement.said.is_real() && unsettled);
            let Some(seen) = seen.get_mut(statement.run) else { continue };
            if !own || std::mem::replace(seen, true) {
                continue;
            }
            if was_open(statement, bucket_of < last) {
                if let Some(guided) = self.guided.get_mut(statement.run) {
                    *guided = statement.meaning.is_none() && statement.hint.is_some();
                }
                let newest = from.minus(Duration::from_millis(1));
                let last = Some((bucket, Kind::Carry));
                self.set(statement.run, Standing { last, newest, spoke: Spoke::Before, lease_end: None });
                self.out.push(Settled { at: from, kind: Kind::Carry, run: statement.run, origin: None });
            } else {
                // It was not, and has not been for long.
                let ended = match statement.meaning.or(statement.hint) {
                    Some(Kind::Void) => Kind::Stop,
                    Some(Kind::Resumed) => Kind::Lapsed,
                    _ => continue,
                };
                self.set(statement.run, Standing { last: Some((bucket, ended)), ..Standing::default() });
            }
        }
    }

    /// Derives what the end of leases and silence up to and including `through` mean, where that is not settled already.
    fn derive_through(&mut self, through: Timestamp) {
        for run in 0..self.standings.len() {
            while let Some((at, kind)) = self.next_derived(run, through) {
                let Some(standing) = self.standings.get_mut(run) else { break };
                standing.last = Some((self.rules.width.bucket_of(at), kind));
                if kind == Kind::Carry {
                    standing.newest = at;
                } else {
                    standing.lease_end = None;
                }
                self.out.push(Settled { at, kind, run, origin: None });
            }
        }
    }

    fn next_derived(&mut self, run: usize, through: Timestamp) -> Option<(Timestamp, Kind)> {
        let (standing, of) = (*self.standings.get(run)?, self.runs.get(run)?);
        let (bucket, _) = standing.last.filter(|_| standing.is_open())?;
        let due_bucket = bucket.later(self.rules.carry_buckets);
        let due = self.rules.width.start_of(due_bucket);
        let ends = standing.lease_end.filter(|end| !self.is_settled(self.rules.width.bucket_of(*end)));
        if let Some(end) = ends.filter(|end| *end <= due && *end <= through) {
            return Some((end, Kind::LeaseEnd));
        }
        let told = self.is_guided(run) && self.read.hinted_through.is_some_and(|hinted| due_bucket <= hinted);
        if due > through || self.is_settled(due_bucket) || told {
            return None;
        }
        let lately = standing.lease_end.is_some()
            || of.silence.is_none_or(|silence| self.spoke_after(standing.spoke, bucket, silence, (run, due)));
        Some((due, if lately { Kind::Carry } else { Kind::Lapsed }))
    }

    /// Did a run that stood in `bucket` last speak less than `silence` buckets before?
    fn spoke_after(&mut self, spoke: Spoke, bucket: Bucket, silence: u32, due: (usize, Timestamp)) -> bool {
        match spoke {
            Spoke::In(spoke) => spoke.later(silence) > bucket,
            // All the buckets in which it would have had to speak were read.
            Spoke::Before if self.rules.width.bucket_of(self.read.from).later(silence) <= bucket.later(1) => false,
            Spoke::Before => {
                // Where nothing further back can be read, it is as it was taken to be.
                self.undecided = true;
                self.hints.get(&due) != Some(&Kind::Lapsed)
            }
        }
    }

    /// Takes one statement.
    fn hear(&mut self, index: usize, statement: &Statement) {
        let Some(standing) = self.standings.get(statement.run).copied() else { return };
        let bucket = self.rules.width.bucket_of(statement.at);
        let Some(kind) = statement.meaning.or_else(|| self.meaning(statement, &standing, bucket)) else { return };
        if kind == Kind::Start && statement.meaning.is_none() && standing.is_open() {
            // Its id was used again without a stop: what held the address until now was another session.
            self.out.push(Settled { at: statement.at, kind: Kind::Lapsed, run: statement.run, origin: None });
        }
        if let Some(guided) = self.guided.get_mut(statement.run).filter(|_| statement.said.is_real()) {
            *guided = false;
        }
        self.out.push(Settled { at: statement.at, kind, run: statement.run, origin: Some(index) });
        if kind == Kind::Void {
            return;
        }
        let last = Some((bucket, kind));
        let next = if closes(kind) {
            Standing { last, lease_end: None, ..standing }
        } else {
            let spoke = if kind == Kind::Carry { standing.spoke } else { Spoke::In(bucket) };
            // What is carried is carried under its lease; whoever speaks and names none has none.
            let lease_end = statement.lease_end.or(standing.lease_end.filter(|_| kind == Kind::Carry));
            Standing { last, newest: statement.at, spoke, lease_end }
        };
        self.set(statement.run, next);
    }

    /// What a statement of a source means; `None` if nothing.
    fn meaning(&self, statement: &Statement, standing: &Standing, bucket: Bucket) -> Option<Kind> {
        if let Some(hint) = statement.hint.filter(|_| statement.said.is_derived()) {
            return Some(hint).filter(|_| standing.is_open() && self.is_guided(statement.run));
        }
        let recent =
            standing.last.filter(|(last, _)| last.later(self.rules.carry_buckets) > bucket).map(|(_, kind)| kind);
        let open = standing.is_open();
        Some(match statement.said {
            Said::InferredStart | Said::Ended | Said::Carry => return None,
            Said::Reset if !open => return None,
            Said::Reset => Kind::Reset,
            Said::Start => Kind::Start,
            Said::Update => match recent {
                None => Kind::First,
                Some(Kind::Lapsed | Kind::Reset | Kind::LeaseEnd) => Kind::Resumed,
                Some(kind) if closes(kind) => Kind::Void,
                Some(_) => Kind::Update,
            },
            Said::Stop | Said::SessionEnd if !open => Kind::Lone,
            Said::Stop => Kind::Stop,
            Said::SessionEnd => Kind::SessionEnd,
        })
    }

    /// Ends the runs that others, opening at `at`, have taken over from. All that was said at `at` has been heard, so
    /// that two who speak in the same second are both open, whichever is heard first.
    fn end_predecessors(&mut self, at: Timestamp, group: &[(usize, &Statement)]) {
        let bucket = self.rules.width.bucket_of(at);
        if self.is_settled(bucket) {
            return;
        }
        for (_, statement) in group {
            let (Some(opener), Some(standing)) = (self.runs.get(statement.run), self.standings.get(statement.run))
            else {
                continue;
            };
            if standing.newest != at || !self.opened_at(at, statement.run) {
                continue;
            }
            for (run, (other, standing)) in self.runs.iter().zip(&mut self.standings).enumerate() {
                let spoke_now = standing.newest >= at && standing.last.is_none_or(|(_, kind)| kind != Kind::Carry);
                let taken = other.session != opener.session && other.ports.overlaps(opener.ports);
                if taken && standing.is_open() && !spoke_now {
                    standing.last = Some((bucket, Kind::Lapsed));
                    standing.lease_end = None;
                    self.out.push(Settled { at, kind: Kind::Lapsed, run, origin: None });
                }
            }
        }
    }

    /// Did the run open at `at`, also if it closed or spoke again in the same instant?
    fn opened_at(&self, at: Timestamp, run: usize) -> bool {
        let latest = self.out.iter().rev().take_while(|settled| settled.at == at);
        latest.into_iter().any(|settled| settled.run == run && opens(settled.kind))
    }

    fn is_settled(&self, bucket: Bucket) -> bool {
        self.read.settled_through.is_some_and(|through| bucket <= through)
    }

    fn is_guided(&self, run: usize) -> bool {
        self.guided.get(run).copied().unwrap_or(false)
    }

    fn set(&mut self, run: usize, standing: Standing) {
        if let Some(place) = self.standings.get_mut(run) {
            *place = standing;
        }
    }
}

/// Was the run open before this statement, its first? Where its meaning is not settled, that is a `guess`.
fn was_open(statement: &Statement, guess: bool) -> bool {
    match statement.meaning.or(statement.hint) {
        Some(kind) => {
            matches!(
                kind,
                Kind::Update
                    | Kind::Carry
                    | Kind::Stop
                    | Kind::SessionEnd
                    | Kind::Lapsed
                    | Kind::Reset
                    | Kind::LeaseEnd
            )
        }
        None => guess && matches!(statement.said, Said::Update | Said::Stop),
    }
}
