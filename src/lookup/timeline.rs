//! What was read of one prefix, as runs with their statements, and the spans that follow from it. Pure.

use std::collections::BTreeMap;

use crate::domain::address::{Network, Ports};
use crate::domain::identity::{NasId, SessionTag, SubscriberId};
use crate::domain::record::{Kind, Record, Subject};
use crate::domain::session::{self, Held, Run, Said, Settled, Statement};
use crate::domain::time::Timestamp;

use super::Policy;

/// A session, unambiguous within the store.
pub(super) type SessionKey = (NasId, SessionTag);

/// The statements read of one prefix.
pub(super) struct Statements {
    pub(super) network: Network,
    pub(super) runs: Vec<Run>,
    pub(super) sessions: Vec<SessionKey>,
    pub(super) said: Vec<Statement>,
    /// The record behind each statement.
    pub(super) records: Vec<Record>,
    run_of: BTreeMap<(u32, Ports), usize>,
}

impl Statements {
    pub(super) fn new(network: Network) -> Self {
        Self {
            network,
            runs: Vec::new(),
            sessions: Vec::new(),
            said: Vec::new(),
            records: Vec::new(),
            run_of: BTreeMap::new(),
        }
    }

    /// Takes a record of the prefix itself.
    pub(super) fn hear(&mut self, record: Record, policy: &Policy) {
        let Subject::Assignment { ports, .. } = record.subject else { return };
        let said = match record.kind {
            Kind::Start => Said::Start,
            Kind::Update => Said::Update,
            Kind::Stop => Said::Stop,
            Kind::InferredStart => Said::InferredStart,
            // Markers have subjects of their own, and this version writes no derived statement.
            Kind::Logon | Kind::SessionEnd | Kind::Reset => return,
            Kind::Carry
            | Kind::Lapsed
            | Kind::First
            | Kind::Resumed
            | Kind::Restart
            | Kind::Lone
            | Kind::Void
            | Kind::Vacated
            | Kind::LeaseEnd
            | Kind::Withdrawn => return,
        };
        let session = self.session_number(&(record.nas.clone(), record.session));
        let silence = policy.of(&record.source).silence;
        let runs = &mut self.runs;
        let run = *self.run_of.entry((session, ports)).or_insert_with(|| {
            runs.push(Run { session, ports, silence });
            runs.len().saturating_sub(1)
        });
        self.said.push(Statement { at: record.at, said, run });
        self.records.push(record);
    }

    /// Forgets the ends of sessions and the resets, which were read last.
    pub(super) fn forget_markers(&mut self) {
        let own = self.said.iter().take_while(|said| !matches!(said.said, Said::SessionEnd | Said::Reset)).count();
        self.said.truncate(own);
        self.records.truncate(own);
    }

    /// Takes the end of a session, or a reset of its NAS, for every run of the session.
    pub(super) fn hear_marker(&mut self, session: u32, said: Said, record: &Record) {
        for (run, _) in self.runs.iter().enumerate().filter(|(_, run)| run.session == session) {
            self.said.push(Statement { at: record.at, said, run });
            self.records.push(record.clone());
        }
    }

    /// A session by its number.
    pub(super) fn session(&self, number: u32) -> Option<&SessionKey> {
        self.sessions.get(usize::try_from(number).ok()?)
    }

    /// The session of a run.
    pub(super) fn session_of(&self, run: usize) -> Option<&SessionKey> {
        self.session(self.runs.get(run)?.session)
    }

    /// What the statements mean, and the spans that follow, up to `through`.
    pub(super) fn settle(&self, policy: &Policy, horizon: Timestamp, through: Timestamp) -> (Vec<Settled>, Vec<Held>) {
        let settled = session::settle(&self.runs, &self.said, policy.rules, horizon, through);
        let spans = session::spans(&settled);
        (settled, spans)
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
    pub(super) statements: Statements,
    pub(super) settled: Vec<Settled>,
    pub(super) spans: Vec<Held>,
    /// Spans that rest on a stop's session length alone.
    pub(super) inferred: Vec<Held>,
}

impl Timeline {
    /// Settles what was read, up to `through`.
    pub(super) fn of(statements: Statements, policy: &Policy, horizon: Timestamp, through: Timestamp) -> Self {
        let (settled, spans) = statements.settle(policy, horizon, through);
        let inferred = session::inferred_spans(&statements.runs, &statements.said);
        Self { statements, settled, spans, inferred }
    }

    /// Every instant at which a span begins or ends.
    pub(super) fn edges(&self) -> Vec<Timestamp> {
        let ends = self.spans.iter().filter_map(|held| held.until);
        self.spans.iter().map(|held| held.from).chain(ends).map(|edge| edge.at).collect()
    }

    /// The record behind a settled statement; derived ones have none.
    pub(super) fn record(&self, settled: &Settled) -> Option<&Record> {
        self.statements.records.get(settled.origin?)
    }

    /// What the session of a run itself said of this prefix, in order of time.
    pub(super) fn own_statements(&self, run: usize) -> Vec<&Record> {
        let session_of = |run: usize| self.statements.runs.get(run).map(|run| run.session);
        let said = self.statements.said.iter().zip(&self.statements.records);
        let own = said.filter(|(statement, _)| {
            session_of(statement.run) == session_of(run)
                && matches!(statement.said, Said::Start | Said::Update | Said::Stop | Said::InferredStart)
        });
        let mut records: Vec<&Record> = own.map(|(_, record)| record).collect();
        records.sort_by_key(|record| record.at);
        records
    }

    /// The newest statement of another run before an instant, and its run.
    pub(super) fn spoke_last_before(&self, run: usize, at: Timestamp) -> Option<(usize, &Record)> {
        let said = self.statements.said.iter().zip(&self.statements.records);
        let others = said.filter(|(said, _)| {
            said.run != run && said.at < at && matches!(said.said, Said::Start | Said::Update | Said::Stop)
        });
        others.max_by_key(|(said, _)| (said.at, said.said)).map(|(said, record)| (said.run, record))
    }

    /// The subscriber that the session of a run had at an instant: an absent name erases none that was given earlier.
    /// Where none was, the next one counts.
    pub(super) fn named(&self, run: usize, at: Timestamp) -> Option<SubscriberId> {
        nearest(&self.own_statements(run), at, |record| record.subscriber.clone())
    }
}

/// The newest value at or before an instant, else the oldest after it. `records` are in order of time.
pub(super) fn nearest<T>(records: &[&Record], at: Timestamp, value: impl Fn(&Record) -> Option<T>) -> Option<T> {
    let before = records.iter().rev().filter(|record| record.at <= at).find_map(|record| value(record));
    before.or_else(|| records.iter().filter(|record| record.at > at).find_map(|record| value(record)))
}
