//! What was read of one prefix, as runs with their statements, and the spans that follow from it. Pure.

use std::collections::BTreeMap;

use crate::domain::address::{Network, Ports};
use crate::domain::identity::{NasId, SessionTag, SubscriberId};
use crate::domain::record::{Kind, Record, Subject};
use crate::domain::session::{self, Evidence, Held, Read, Run, Said, Settled, Statement};
use crate::domain::time::Timestamp;

use super::Policy;

/// A session, unambiguous within the store.
pub(super) type SessionKey = (NasId, SessionTag);

/// The statements read of one prefix.
pub(super) struct Statements {
    pub(super) network: Network,
    pub(super) runs: Vec<Run>,
    pub(super) sessions: Vec<SessionKey>,
    /// What was said of the runs themselves.
    said: Vec<(Statement, Record)>,
    /// What was said of sessions, of NASes and of the prefix as a whole.
    marks: Vec<(Mark, Record)>,
    run_of: BTreeMap<(u32, Ports), usize>,
}

/// What the kind of a record is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It is what the record means.
    Settled,
    /// It was; something that came late may have changed it.
    Doubtful,
    /// It is what the source said.
    Raw,
}

/// What ends runs without naming them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// The session ended, whatever it held.
    Session(u32),
    /// The NAS lost all sessions, or gave up the prefix.
    Nas,
}

impl Statements {
    pub(super) fn new(network: Network) -> Self {
        Self {
            network,
            runs: Vec::new(),
            sessions: Vec::new(),
            said: Vec::new(),
            marks: Vec::new(),
            run_of: BTreeMap::new(),
        }
    }

    /// Takes a record of the prefix itself. What is settled has the meaning that its kind says.
    pub(super) fn hear(&mut self, record: Record, trust: Trust, policy: &Policy) {
        let settled = trust == Trust::Settled;
        let Subject::Assignment { ports, .. } = record.subject else { return };
        if record.kind == Kind::Vacated && !settled {
            self.marks.push((Mark::Nas, record));
            return;
        }
        // What nobody has settled yet has nothing derived in it, but for what a pass that was cut short has left.
        let Some(said) = Said::of(record.kind).filter(|said| trust != Trust::Raw || !said.is_derived()) else { return };
        let session = self.session_number(&(record.nas.clone(), record.session));
        let silence = policy.of(&record.source).silence;
        let runs = &mut self.runs;
        let run = *self.run_of.entry((session, ports)).or_insert_with(|| {
            runs.push(Run { session, ports, silence });
            runs.len().saturating_sub(1)
        });
        let kind = Some(record.kind).filter(|_| said != Said::InferredStart);
        let (meaning, hint) = match trust {
            Trust::Settled => (kind, None),
            Trust::Doubtful => (None, kind),
            Trust::Raw => (None, None),
        };
        self.said.push((Statement { at: record.at, said, run, lease_end: record.lease_end, meaning, hint }, record));
    }

    /// Takes the end of a session.
    pub(super) fn hear_end(&mut self, session: u32, record: Record) {
        self.marks.push((Mark::Session(session), record));
    }

    /// Takes a reset of a NAS. The same may be heard for every session of it.
    pub(super) fn hear_reset(&mut self, record: Record) {
        if !self.marks.iter().any(|(mark, known)| *mark == Mark::Nas && *known == record) {
            self.marks.push((Mark::Nas, record));
        }
    }

    /// A session by its number.
    pub(super) fn session(&self, number: u32) -> Option<&SessionKey> {
        self.sessions.get(usize::try_from(number).ok()?)
    }

    /// The session of a run.
    fn session_of(&self, run: usize) -> Option<&SessionKey> {
        self.session(self.runs.get(run)?.session)
    }

    /// Does it matter for a port how this session stands: does it hold it, or contend with one that does?
    pub(super) fn concerns(&self, session: u32, port: Option<u16>) -> bool {
        let Some(port) = port else { return true };
        let mut own = self.runs.iter().filter(|run| run.session == session);
        let holders = || self.runs.iter().filter(|run| run.ports.contains(port));
        own.any(|run| holders().any(|holder| holder.ports.overlaps(run.ports)))
    }

    /// Every statement about a run, with the record behind it: those of the runs, and the marks for each run they end.
    fn all(&self) -> Vec<(Statement, &Record)> {
        let own = self.said.iter().map(|(statement, record)| (*statement, record));
        let marks = self.marks.iter().flat_map(|(mark, record)| {
            let ended = self.runs.iter().enumerate().filter(move |(run, of)| match mark {
                Mark::Session(session) => of.session == *session,
                Mark::Nas => self.session_of(*run).is_some_and(|(nas, _)| *nas == record.nas),
            });
            let said = if *mark == Mark::Nas { Said::Reset } else { Said::SessionEnd };
            ended.map(move |(run, _)| {
                (Statement { at: record.at, said, run, lease_end: None, meaning: None, hint: None }, record)
            })
        });
        own.chain(marks).collect()
    }

    fn session_number(&mut self, key: &SessionKey) -> u32 {
        let number = self.sessions.iter().position(|known| known == key).unwrap_or_else(|| {
            self.sessions.push(key.clone());
            self.sessions.len().saturating_sub(1)
        });
        u32::try_from(number).unwrap_or(u32::MAX)
    }
}

/// The statements of one prefix, settled.
pub(super) struct Timeline {
    pub(super) network: Network,
    pub(super) runs: Vec<Run>,
    sessions: Vec<SessionKey>,
    said: Vec<(Statement, Record)>,
    pub(super) settled: Vec<Settled>,
    pub(super) spans: Vec<Held>,
    /// Spans that rest on a stop's session length alone.
    pub(super) inferred: Vec<Held>,
    /// Would reading further back change what silence means?
    pub(super) undecided: bool,
}

impl Timeline {
    /// Settles what was read, and keeps what concerns a port: a run that holds it may have been ended by one that does not.
    pub(super) fn of(statements: &Statements, port: Option<u16>, policy: &Policy, read: Read) -> Self {
        let said: Vec<(Statement, Record)> =
            statements.all().into_iter().map(|(statement, record)| (statement, record.clone())).collect();
        let plain: Vec<Statement> = said.iter().map(|(statement, _)| *statement).collect();
        let outcome = session::settle_read(&statements.runs, &plain, policy.rules, read);
        let holds =
            |run: usize| port.is_none_or(|port| statements.runs.get(run).is_some_and(|run| run.ports.contains(port)));
        let mut spans = session::spans(&outcome.settled);
        spans.retain(|held| holds(held.run));
        let mut inferred = session::inferred_spans(&statements.runs, &plain);
        inferred.retain(|held| holds(held.run));
        let mut settled = outcome.settled;
        settled.retain(|settled| holds(settled.run));
        Self {
            network: statements.network,
            runs: statements.runs.clone(),
            sessions: statements.sessions.clone(),
            spans,
            inferred,
            settled,
            undecided: outcome.undecided,
            said,
        }
    }

    /// The session of a run.
    pub(super) fn session_of(&self, run: usize) -> Option<&SessionKey> {
        self.sessions.get(usize::try_from(self.runs.get(run)?.session).ok()?)
    }

    /// Every instant at which a span begins or ends.
    pub(super) fn edges(&self) -> Vec<Timestamp> {
        let ends = self.spans.iter().filter_map(|held| held.until);
        self.spans.iter().map(|held| held.from).chain(ends).map(|edge| edge.at).collect()
    }

    /// The record that says a run's end in so many words: a stop, its session's end, its NAS's reset, or its lease's. `None`
    /// if the statement is no such end.
    pub(super) fn explicit_end(&self, settled: &Settled) -> Option<&Record> {
        match (settled.kind, settled.origin) {
            (Kind::Stop | Kind::Lone | Kind::SessionEnd | Kind::Reset, Some(origin)) => {
                self.said.get(origin).map(|(_, record)| record)
            }
            // The lease itself is in what its session said last.
            (Kind::LeaseEnd, _) => self.own_statements(settled.run).into_iter().rfind(|record| record.at <= settled.at),
            _ => None,
        }
    }

    /// What the session of a run itself said of this prefix, and what was written down of it since, in order of time.
    pub(super) fn own_statements(&self, run: usize) -> Vec<&Record> {
        let session_of = |run: usize| self.runs.get(run).map(|run| run.session);
        let own = self.said.iter().filter(|(statement, _)| {
            session_of(statement.run) == session_of(run)
                && (statement.said.is_real()
                    || statement.said == Said::InferredStart
                    || statement.meaning.is_some()
                    || statement.hint.is_some())
        });
        let mut own: Vec<&(Statement, Record)> = own.collect();
        own.sort_by_key(|(statement, _)| (statement.at, statement.said));
        own.into_iter().map(|(_, record)| record).collect()
    }

    /// What the session of a span said in it. A span whose start was not observed may go back on what was said before; one
    /// that is known only because its session spoke after it had ended, on that.
    pub(super) fn records_of(&self, held: &Held) -> Vec<&Record> {
        let observed = held.from.evidence == Evidence::Observed;
        let own = self.own_statements(held.run);
        let begun = own.into_iter().filter(|record| !observed || record.at >= held.from.at);
        let ended = |record: &Record| held.until.is_some_and(|until| record.at > until.at);
        let (after, inside): (Vec<_>, Vec<_>) = begun.partition(|record| ended(record));
        if inside.is_empty() { after.into_iter().take(1).collect() } else { inside }
    }

    /// Has a source that reports its open sessions been silent about this one, on either side of an instant, for as long as a
    /// statement speaks?
    pub(super) fn rests_on_carries(&self, run: usize, at: Timestamp, policy: &Policy) -> bool {
        let own = self.own_statements(run);
        let reports = own.iter().any(|record| policy.of(&record.source).interims);
        let real = |record: &&&Record| Said::of(record.kind).is_some_and(Said::is_real);
        reports && !own.iter().filter(real).any(|record| record.at.distance(at) <= policy.carry_interval)
    }

    /// Has a start been inferred, at `to` or before, whose stop is still to come?
    pub(super) fn waits_for_a_stop(&self, to: Timestamp) -> bool {
        self.said.iter().any(|(candidate, _)| {
            let answers = |(other, _): &(Statement, Record)| {
                other.run == candidate.run && other.said.is_real() && other.at >= candidate.at
            };
            candidate.said == Said::InferredStart && candidate.at <= to && !self.said.iter().any(answers)
        })
    }

    /// The newest statement of another run before an instant, and its run.
    pub(super) fn spoke_last_before(&self, run: usize, at: Timestamp) -> Option<(usize, &Record)> {
        let others = self.said.iter().filter(|(said, _)| said.run != run && said.at < at && said.said.is_real());
        others.max_by_key(|(said, _)| (said.at, said.said)).map(|(said, record)| (said.run, record))
    }

    /// The subscriber that the session of a run had at an instant: an absent name erases none that was given earlier.
    /// Where none was, the next one counts.
    pub(super) fn named(&self, run: usize, at: Timestamp) -> Option<SubscriberId> {
        named(&self.own_statements(run), at)
    }
}

/// The subscriber by an instant: as its source told it last, else as it was carried on or filled in, else the first one told
/// after. What was filled in may be older than what came late.
pub(super) fn named(records: &[&Record], at: Timestamp) -> Option<SubscriberId> {
    let real = |record: &&Record| Said::of(record.kind).is_some_and(Said::is_real) && !record.named_earlier;
    let told = records.iter().rev().filter(|record| record.at <= at && real(record));
    told.into_iter()
        .find_map(|record| record.subscriber.clone())
        .or_else(|| nearest(records, at, |record| record.subscriber.clone()))
}

/// The newest value at or before an instant, else the oldest after it. `records` are in order of time.
pub(super) fn nearest<T>(records: &[&Record], at: Timestamp, value: impl Fn(&Record) -> Option<T>) -> Option<T> {
    let before = records.iter().rev().filter(|record| record.at <= at).find_map(|record| value(record));
    before.or_else(|| records.iter().filter(|record| record.at > at).find_map(|record| value(record)))
}
