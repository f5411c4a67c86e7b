//! Who held an address: from statements at instants to spans of time.
//!
//! Sources speak of instants, and some of what they say is lost. [`settle`] says what each statement of an address
//! means in the light of those before it, and adds what must follow from silence: that an open session still holds its
//! address for a while (`carry`), or no longer does (`lapsed`). [`spans`] reads off the result who held it when.
//!
//! Both are pure, and causal: what they say of an instant rests on statements up to that instant alone. The rules:
//!
//! - A statement speaks for `carry_buckets` buckets. An open session that says nothing in that time is carried on at the
//!   first instant of the bucket in which it would have fallen silent, until its run's `silence` is over.
//! - A session that opens ends every other on overlapping ports that has not itself spoken at that instant or later.
//!   Two that both speak after the other opened are both open.
//! - An update opens its session if nothing of the session stands in the `carry_buckets` before it; it means nothing
//!   after the session's own stop; and it speaks again, without opening, after the session was taken as ended.
//! - What lies before the horizon is unknown. The first own statement of a run tells whether it was open there: an
//!   update or a stop within `carry_buckets` of the horizon says that it was.

use std::collections::BTreeMap;
use std::time::Duration;

use super::address::Ports;
use super::record::Kind;
use super::time::{Bucket, BucketWidth, Timestamp};

/// How far before an inferred start a real statement of the session makes it void: clocks of one NAS count in seconds.
pub const INFERRED_START_SLACK: Duration = Duration::from_secs(5);

/// One session on one address, or on some ports of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which session; runs of the same session do not end each other.
    pub session: u32,
    /// The ports it holds.
    pub ports: Ports,
    /// After how many buckets of silence it counts as ended; `None`: never.
    pub silence: Option<u32>,
}

/// One statement about a run, as its source meant it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// When.
    pub at: Timestamp,
    /// What was said.
    pub said: Said,
    /// Index of the run it is said of.
    pub run: usize,
}

/// What can be said of a run. The order is that of statements at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// Its NAS lost all sessions.
    Reset,
    /// A later stop says that the session began here. It opens nothing: see [`inferred_spans`].
    InferredStart,
    /// It began.
    Start,
    /// It goes on.
    Update,
    /// It ended.
    Stop,
    /// Its session ended, whatever it held.
    SessionEnd,
}

/// The two numbers that settling needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a bucket is.
    pub width: BucketWidth,
    /// For how many buckets a statement speaks.
    pub carry_buckets: u32,
}

/// A statement, given or derived, whose meaning is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// When.
    pub at: Timestamp,
    /// What it means.
    pub kind: Kind,
    /// Index of its run.
    pub run: usize,
    /// Index of the statement it was; `None` if it was derived.
    pub origin: Option<usize>,
}

/// A span in which a run held its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Index of the run.
    pub run: usize,
    /// Its first instant.
    pub from: Edge,
    /// The first instant it no longer did; `None` as far as is known it still does.
    pub until: Option<Edge>,
}

impl Held {
    /// Does the span hold `at`? It is half-open.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from.at <= at && self.until.is_none_or(|until| at < until.at)
    }
}

/// One end of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The instant.
    pub at: Timestamp,
    /// How it is known.
    pub evidence: Evidence,
}

/// How an end of a span is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A source said so.
    Observed,
    /// It follows from something else that was said, or from silence.
    Inferred,
    /// It lies before the horizon, where nothing is known any more.
    BeyondHorizon,
}

/// What is known of a run while its statements go by.
#[derive(Clone, Copy, Default)]
struct State {
    /// Bucket and meaning of its newest statement that is not void.
    last: Option<(Bucket, Kind)>,
    /// Instant of the newest statement that left it open.
    newest: Timestamp,
    /// Bucket of the newest statement of its own that left it open.
    spoke: Option<Bucket>,
}

impl State {
    fn is_open(&self) -> bool {
        self.last.is_some_and(|(_, kind)| !closes(kind))
    }
}

/// Does a statement of this meaning leave its run closed?
fn closes(kind: Kind) -> bool {
    matches!(kind, Kind::Stop | Kind::SessionEnd | Kind::Lone | Kind::Lapsed)
}

/// Does a statement of this meaning open its run, and so end others?
fn opens(kind: Kind) -> bool {
    matches!(kind, Kind::Start | Kind::First | Kind::Restart)
}

/// Says what each statement means, and adds what follows from silence up to and including `through`.
///
/// `statements` may come in any order; those before `horizon` or after `through` must have been left out. The result is
/// in order of time.
pub fn settle(
    runs: &[Run],
    statements: &[Statement],
    rules: Rules,
    horizon: Timestamp,
    through: Timestamp,
) -> Vec<Settled> {
    let mut order: Vec<(usize, &Statement)> = statements.iter().enumerate().collect();
    order.sort_by_key(|(index, statement)| (statement.at, statement.said, *index));
    let mut settling = Settling { runs, rules, states: vec![State::default(); runs.len()], out: Vec::new() };
    settling.open_at_horizon(&order, horizon);
    for group in order.chunk_by(|(_, a), (_, b)| a.at == b.at) {
        let Some((_, first)) = group.first() else { continue };
        settling.pass_silence(first.at);
        for (index, statement) in group {
            settling.hear(*index, statement);
        }
        settling.end_predecessors(first.at, group);
    }
    settling.pass_silence(through);
    let mut out = settling.out;
    out.sort_by_key(|settled| settled.at);
    out
}

struct Settling<'a> {
    runs: &'a [Run],
    rules: Rules,
    states: Vec<State>,
    out: Vec<Settled>,
}

impl Settling<'_> {
    /// Opens the runs whose first own statement says that they were open at the horizon.
    fn open_at_horizon(&mut self, order: &[(usize, &Statement)], horizon: Timestamp) {
        let bucket = self.rules.width.bucket_of(horizon);
        let unknown_until = self.rules.width.start_of(bucket.later(self.rules.carry_buckets));
        let mut seen = vec![false; self.runs.len()];
        for (_, statement) in order.iter().take_while(|(_, statement)| statement.at < unknown_until) {
            let Some(seen) = seen.get_mut(statement.run) else { continue };
            // A marker tells of the session, not of this address.
            let own = matches!(statement.said, Said::Start | Said::Update | Said::Stop);
            let first = own && !std::mem::replace(seen, *seen || own);
            if first && statement.said != Said::Start {
                let newest = horizon.minus(Duration::from_millis(1));
                self.set(statement.run, State { last: Some((bucket, Kind::Carry)), newest, spoke: Some(bucket) });
                self.out.push(Settled { at: horizon, kind: Kind::Carry, run: statement.run, origin: None });
            }
        }
    }

    /// Derives what silence up to and including `through` means.
    fn pass_silence(&mut self, through: Timestamp) {
        for (run, (state, of)) in self.states.iter_mut().zip(self.runs).enumerate() {
            while let Some((bucket, kind)) = state.last {
                let due_bucket = bucket.later(self.rules.carry_buckets);
                let due = self.rules.width.start_of(due_bucket);
                if closes(kind) || due > through {
                    break;
                }
                let lately = of.silence.is_none_or(|silence| state.spoke.is_some_and(|b| b.later(silence) > bucket));
                let kind = if lately { Kind::Carry } else { Kind::Lapsed };
                state.last = Some((due_bucket, kind));
                if lately {
                    state.newest = due;
                }
                self.out.push(Settled { at: due, kind, run, origin: None });
            }
        }
    }

    /// Takes one statement of its source.
    fn hear(&mut self, index: usize, statement: &Statement) {
        let Some(state) = self.states.get(statement.run).copied() else { return };
        let bucket = self.rules.width.bucket_of(statement.at);
        let recent = state.last.filter(|(last, _)| last.later(self.rules.carry_buckets) > bucket).map(|(_, kind)| kind);
        let kind = match statement.said {
            Said::InferredStart => return,
            Said::Reset if !state.is_open() => return,
            Said::Reset => Kind::Lapsed,
            Said::Start if state.is_open() => Kind::Restart,
            Said::Start => Kind::Start,
            Said::Update => match recent {
                None => Kind::First,
                Some(Kind::Lapsed) => Kind::Resumed,
                Some(kind) if closes(kind) => Kind::Void,
                Some(_) => Kind::Update,
            },
            Said::Stop | Said::SessionEnd if !state.is_open() => Kind::Lone,
            Said::Stop => Kind::Stop,
            Said::SessionEnd => Kind::SessionEnd,
        };
        self.out.push(Settled { at: statement.at, kind, run: statement.run, origin: Some(index) });
        if kind == Kind::Void {
            return;
        }
        let last = Some((bucket, kind));
        let next = if closes(kind) {
            State { last, ..state }
        } else {
            State { last, newest: statement.at, spoke: Some(bucket) }
        };
        self.set(statement.run, next);
    }

    /// Ends the runs that others, opening at `at`, have taken over from. All that was said at `at` has been heard, so
    /// that two who speak in the same second are both open, whichever is heard first.
    fn end_predecessors(&mut self, at: Timestamp, group: &[(usize, &Statement)]) {
        let bucket = self.rules.width.bucket_of(at);
        for (_, statement) in group {
            let (Some(opener), Some(state)) = (self.runs.get(statement.run), self.states.get(statement.run)) else {
                continue;
            };
            if state.newest != at || !self.opened_at(at, statement.run) {
                continue;
            }
            for (run, (other, state)) in self.runs.iter().zip(&mut self.states).enumerate() {
                let spoke_now = state.newest >= at && !state.last.is_some_and(|(_, kind)| kind == Kind::Carry);
                let taken = other.session != opener.session && other.ports.overlaps(opener.ports);
                if taken && state.is_open() && !spoke_now {
                    state.last = Some((bucket, Kind::Lapsed));
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

    fn set(&mut self, run: usize, state: State) {
        if let Some(place) = self.states.get_mut(run) {
            *place = state;
        }
    }
}

/// The spans in which the runs held their address, in order of their beginning.
pub fn spans(settled: &[Settled]) -> Vec<Held> {
    let mut spans: Vec<Held> = Vec::new();
    let mut newest_of_run: BTreeMap<usize, usize> = BTreeMap::new();
    for statement in settled {
        let edge = |evidence| Edge { at: statement.at, evidence };
        let newest = newest_of_run.get(&statement.run).and_then(|index| spans.get_mut(*index));
        let open = newest.filter(|held| held.until.is_none());
        let from = match (statement.kind, open) {
            (Kind::Stop | Kind::SessionEnd, Some(held)) => {
                held.until = Some(edge(Evidence::Observed));
                continue;
            }
            (Kind::Lapsed, Some(held)) => {
                held.until = Some(edge(Evidence::Inferred));
                continue;
            }
            (Kind::Restart, Some(held)) => {
                // The id was used again without a stop: what held the address until now was another session.
                held.until = Some(edge(Evidence::Inferred));
                edge(Evidence::Observed)
            }
            (Kind::Start | Kind::Restart, None) => edge(Evidence::Observed),
            (Kind::First | Kind::Resumed | Kind::Update, None) => edge(Evidence::Inferred),
            (Kind::Carry, None) => edge(Evidence::BeyondHorizon),
            (Kind::Start | Kind::First | Kind::Resumed | Kind::Update | Kind::Carry, Some(_))
            | (Kind::Stop | Kind::SessionEnd | Kind::Lapsed, None)
            | (
                Kind::Logon
                | Kind::Reset
                | Kind::InferredStart
                | Kind::Lone
                | Kind::Void
                | Kind::Vacated
                | Kind::LeaseEnd
                | Kind::Withdrawn,
                _,
            ) => continue,
        };
        newest_of_run.insert(statement.run, spans.len());
        spans.push(Held { run: statement.run, from, until: None });
    }
    spans
}

/// The spans that rest on a stop's session length alone: from each inferred start to the stop it came with, unless the
/// session made any real statement between shortly before it and that stop.
///
/// They open nothing: where another run holds the address they do not count, and an answer that rests on one is uncertain.
pub fn inferred_spans(runs: &[Run], statements: &[Statement]) -> Vec<Held> {
    let session_of = |run: usize| runs.get(run).map(|run| run.session);
    let mut spans: Vec<Held> = statements
        .iter()
        .filter(|candidate| candidate.said == Said::InferredStart)
        .filter_map(|candidate| {
            let from = candidate.at.minus(INFERRED_START_SLACK);
            let own = statements.iter().filter(|other| {
                other.at >= from
                    && matches!(other.said, Said::Start | Said::Update | Said::Stop)
                    && session_of(other.run) == session_of(candidate.run)
            });
            let next = own.min_by_key(|other| (other.at, other.said))?;
            let ends = next.said == Said::Stop && next.at >= candidate.at;
            let edge = |at, evidence| Edge { at, evidence };
            ends.then(|| Held {
                run: candidate.run,
                from: edge(candidate.at, Evidence::Inferred),
                until: Some(edge(next.at, Evidence::Observed)),
            })
        })
        .collect();
    spans.sort_by_key(|held| held.from.at);
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { width: BucketWidth::from_secs(10).unwrap(), carry_buckets: 3 };

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_millis(secs.saturating_mul(1000))
    }

    fn run(session: u32) -> Run {
        Run { session, ports: Ports::ALL, silence: Some(6) }
    }

    fn says(secs: u64, run: usize, said: Said) -> Statement {
        Statement { at: at(secs), said, run }
    }

    /// The runs open at an instant, of statements that nothing older than second 0 precedes.
    fn open(runs: &[Run], statements: &[Statement], secs: u64) -> Vec<usize> {
        let heard: Vec<Statement> = statements.iter().filter(|s| s.at <= at(secs)).copied().collect();
        let settled = settle(runs, &heard, RULES, Timestamp::EPOCH, at(secs));
        spans(&settled).iter().filter(|held| held.covers(at(secs))).map(|held| held.run).collect()
    }

    #[test]
    fn a_silent_session_is_carried_and_lapses_after_its_silence() {
        let said = [says(100, 0, Said::Start)];
        assert_eq!(open(&[run(0)], &said, 189), vec![0]);
        assert_eq!(open(&[run(0)], &said, 190), Vec::<usize>::new());
    }

    #[test]
    fn a_late_stop_of_an_old_session_does_not_close_a_new_one() {
        let said = [says(100, 0, Said::Start), says(110, 1, Said::Start), says(120, 0, Said::Stop)];
        assert_eq!(open(&[run(0), run(1)], &said, 105), vec![0]);
        assert_eq!(open(&[run(0), run(1)], &said, 125), vec![1]);
    }

    #[test]
    fn two_that_speak_after_the_other_opened_are_both_open() {
        let said = [says(100, 0, Said::Start), says(110, 1, Said::Start), says(115, 0, Said::Update)];
        assert_eq!(open(&[run(0), run(1)], &said, 114), vec![1]);
        assert_eq!(open(&[run(0), run(1)], &said, 116), vec![1, 0]);
    }

    #[test]
    fn an_opening_at_the_instant_of_a_carry_ends_what_was_carried() {
        let said = [says(100, 0, Said::Start), says(130, 1, Said::Start)];
        assert_eq!(open(&[run(0), run(1)], &said, 130), vec![1]);
    }

    #[test]
    fn an_update_after_its_own_stop_means_nothing() {
        let said = [says(100, 0, Said::Start), says(105, 0, Said::Stop), says(107, 0, Said::Update)];
        assert_eq!(open(&[run(0)], &said, 108), Vec::<usize>::new());
    }

    #[test]
    fn a_reset_ends_what_is_open_and_what_speaks_again_is_resumed() {
        let said = [says(100, 0, Said::Start), says(105, 0, Said::Reset), says(107, 0, Said::Update)];
        assert_eq!(open(&[run(0)], &said, 106), Vec::<usize>::new());
        assert_eq!(open(&[run(0)], &said, 108), vec![0]);
    }

    #[test]
    fn the_first_statement_after_the_horizon_tells_what_was_open_at_it() {
        let said = [says(107, 0, Said::Update), says(109, 1, Said::Start)];
        let settled = settle(&[run(0), run(1)], &said, RULES, at(103), at(115));
        let first = spans(&settled);
        assert_eq!(first[0].from, Edge { at: at(103), evidence: Evidence::BeyondHorizon });
        assert_eq!(first[0].until, Some(Edge { at: at(109), evidence: Evidence::Inferred }));
        assert_eq!(first[1].from, Edge { at: at(109), evidence: Evidence::Observed });
    }

    #[test]
    fn a_stop_with_its_length_hints_at_a_start_that_a_real_statement_refutes() {
        let alone = [says(100, 0, Said::InferredStart), says(140, 0, Said::Stop)];
        assert_eq!(inferred_spans(&[run(0)], &alone).len(), 1);
        let refuted = [says(96, 0, Said::Start), says(100, 0, Said::InferredStart), says(140, 0, Said::Stop)];
        assert_eq!(inferred_spans(&[run(0)], &refuted).len(), 0);
    }
}
