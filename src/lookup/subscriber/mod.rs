//! What one subscriber had over a span: logons, and addresses, prefixes and blocks of ports. The reverse of a lookup.
//!
//! Everything that names the subscriber is read, in the whole window: a session may be named by a statement outside the
//! span alone. The prefixes found so are settled like those of a lookup, whoever else held them, and the spans in which the
//! subscriber did are kept (`span`). What lies outside the span asked for is cut off: the papers name the span.

mod span;

use std::collections::BTreeSet;

use crate::config::Config;
use crate::domain::address::{Network, Ports, Realm};
use crate::domain::coverage::Coverage;
use crate::domain::finding::Finding;
use crate::domain::identity::{Entity, Line, NasId, SessionTag, SourceName, SubscriberId};
use crate::domain::nat::Inside;
use crate::domain::record::{Record, Subject};
use crate::domain::session::{Edge, Evidence};
use crate::domain::time::{Cutoff, Timestamp};
use crate::domain::verdict::Caution;
use crate::store::{ReadError, Store};

use super::{NEAR_HORIZON, Policy, gather};
use span::Span;

/// "What did this subscriber have in this span?"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberQuestion {
    /// Whose subscriber it is; several where they are one and the same.
    pub entities: Vec<Entity>,
    /// The subscriber, as answers name them.
    pub subscriber: SubscriberId,
    /// The first instant.
    pub from: Timestamp,
    /// The first instant that is not asked for any more.
    pub to: Timestamp,
}

/// The answer to a [`SubscriberQuestion`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The outcome.
    pub finding: Finding,
    /// Logons without an address, in order of time.
    pub logons: Vec<Logon>,
    /// What was assigned, in order of the beginning.
    pub assignments: Vec<Assignment>,
    /// Why to be careful with all of it.
    pub cautions: BTreeSet<Caution>,
    /// The first instant that is still readable.
    pub horizon: Timestamp,
}

impl History {
    /// A history of nothing.
    pub const fn bare(finding: Finding, horizon: Timestamp) -> Self {
        Self { finding, logons: Vec::new(), assignments: Vec::new(), cautions: BTreeSet::new(), horizon }
    }

    /// Without what a later cutoff hides of it.
    #[must_use]
    pub fn hidden_by(mut self, question: &SubscriberQuestion, cutoff: Cutoff) -> Self {
        let horizon = cutoff.horizon();
        if horizon <= self.horizon || !matches!(self.finding, Finding::Found | Finding::Nothing) {
            return self;
        }
        if question.to <= horizon {
            return Self::bare(Finding::Purged, horizon);
        }
        self.horizon = horizon;
        self.logons.retain(|logon| !cutoff.hides(logon.at));
        self.assignments.retain(|assignment| assignment.until.is_none_or(|until| until.at > horizon));
        for since in self.assignments.iter_mut().map(|assignment| &mut assignment.since) {
            if since.at < horizon {
                *since = Edge { at: horizon, evidence: Evidence::BeyondHorizon };
            }
        }
        if self.logons.is_empty() && self.assignments.is_empty() {
            self.finding = Finding::Nothing;
        }
        self
    }
}

/// A modem of the subscriber logged on, and no address was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logon {
    /// When.
    pub at: Timestamp,
    /// The NAS that said so.
    pub nas: NasId,
    /// The session.
    pub session: SessionTag,
    /// Where it entered the network.
    pub line: Line,
    /// The source that delivered it.
    pub source: SourceName,
    /// Why to be careful with it.
    pub cautions: BTreeSet<Caution>,
}

/// What the subscriber had, for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Which of several equal address spaces.
    pub realm: Realm,
    /// The address or prefix.
    pub network: Network,
    /// The ports of it.
    pub ports: Ports,
    /// What a NAT translated to it, where a statement says so.
    pub inside: Option<Inside>,
    /// Since when, within the span.
    pub since: Edge,
    /// Until when, within the span; `None` if it reaches the present and nothing says that it ended.
    pub until: Option<Edge>,
    /// The NAS of the session.
    pub nas: NasId,
    /// The session.
    pub session: SessionTag,
    /// Where the session entered the network.
    pub line: Line,
    /// How many others are known to have held the same, or ports of it, at some instant of this time.
    pub others: usize,
    /// Why to be careful with it.
    pub cautions: BTreeSet<Caution>,
    /// The sources it rests on.
    pub sources: BTreeSet<SourceName>,
}

/// Answers a question from what is readable at `now`: what `cutoff`, the published one, does not hide.
///
/// # Errors
///
/// If the store cannot be read, or a record does not open under its key. Nothing is answered around damage.
pub fn look_up_subscriber(
    store: &Store,
    config: &Config,
    coverage: &Coverage,
    question: &SubscriberQuestion,
    cutoff: Cutoff,
    now: Timestamp,
) -> Result<History, ReadError> {
    // What was hidden once stays hidden, also after the clock went back a little.
    let cutoff = cutoff.or_later(store.cutoff());
    let horizon = cutoff.horizon();
    if question.to <= horizon {
        return Ok(History::bare(Finding::Purged, horizon));
    }
    if question.from > now {
        return Ok(History::bare(Finding::Future, horizon));
    }
    let mut observations = store.observations(cutoff);
    let mut listed = Vec::new();
    for entity in &question.entities {
        listed.extend(observations.of_subscriber(entity, &question.subscriber, horizon, Timestamp::MAX)?);
    }
    listed.retain(|record| record.at <= now);
    let span = Span { question, from: question.from.max(horizon), horizon, now };
    let mut history = History::bare(Finding::Nothing, horizon);
    history.logons = span.logons(&listed);
    for (realm, network) in places(&listed) {
        let policy = Policy::for_address(config, network.address());
        let timeline = gather::whole(&mut observations, &policy, &realm, network, horizon, now)?;
        history.assignments.extend(span.assignments(&timeline, &realm, &listed));
    }
    history.assignments.sort_by_key(|assignment| (assignment.since.at, assignment.network, assignment.ports));
    if !history.logons.is_empty() || !history.assignments.is_empty() {
        history.finding = Finding::Found;
    }
    if span.from < horizon.plus(NEAR_HORIZON) {
        history.cautions.insert(Caution::NearHorizon);
    }
    let until = question.to.min(now);
    let lossy = |source: &str| !coverage.troubles(&SourceName(source.to_owned()), span.from, until).is_empty();
    if config.sources().any(|source| lossy(&source.name)) {
        history.cautions.insert(Caution::Gap);
    }
    Ok(history)
}

/// The prefixes that statements are about, each once.
fn places(listed: &[Record]) -> BTreeSet<(Realm, Network)> {
    let place = |record: &Record| match &record.subject {
        Subject::Assignment { realm, network, .. } => Some((realm.clone(), *network)),
        Subject::Session | Subject::Nas | Subject::Subscriber => None,
    };
    listed.iter().filter_map(place).collect()
}
