//! The verdict, from timelines. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::identity::{Line, SessionTag, SourceName, SubscriberId};
use crate::domain::nat::Inside;
use crate::domain::record::{Kind, Record, TimeQuality};
use crate::domain::session::{Edge, Evidence, Held, Rules, Said};
use crate::domain::time::Timestamp;
use crate::domain::verdict::{Caution, Verdict};

use super::coverage::Watch;
use super::timeline::{Timeline, named, nearest};
use super::{Answer, Heard, Holder, Policy, Question};

/// Nearer than this to the horizon, evidence is going.
pub(super) const NEAR_HORIZON: Duration = Duration::from_secs(300);

/// Who holds an address: a subscriber, whoever has an address on the inside of a NAT, or a session of which neither is known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Named(SubscriberId),
    Inside(Inside),
    Unnamed(SessionTag),
}

/// A span with the timeline it belongs to.
#[derive(Clone, Copy)]
struct Holding<'a> {
    timeline: &'a Timeline,
    held: &'a Held,
    inferred: bool,
}

impl Holding<'_> {
    fn holds_all_ports(&self) -> bool {
        self.timeline.runs.get(self.held.run).is_some_and(|run| run.ports.is_all())
    }

    fn records(&self) -> Vec<&Record> {
        self.timeline.records_of(self.held)
    }

    fn party(&self, at: Timestamp) -> Option<Party> {
        let (_, tag) = self.timeline.session_of(self.held.run)?;
        let records = self.records();
        let named = named(&records, at);
        let inside = || nearest(&records, at, |record| record.inside.clone());
        Some(named.map(Party::Named).or_else(|| inside().map(Party::Inside)).unwrap_or(Party::Unnamed(*tag)))
    }
}

/// What the verdict rests on.
pub(super) struct Evidences<'a> {
    /// Of every prefix around the address, the longest first.
    pub(super) timelines: &'a [Timeline],
    pub(super) policy: &'a Policy,
    pub(super) question: &'a Question,
    pub(super) watch: Watch<'a>,
    pub(super) horizon: Timestamp,
    pub(super) now: Timestamp,
}

impl<'a> Evidences<'a> {
    /// Who held the address at the question's instant, and how sure that is.
    pub(super) fn judge(&self) -> Answer {
        let mut answer = Answer::bare(Verdict::NoCoverage, self.horizon);
        if self.question.at < self.horizon.plus(NEAR_HORIZON) {
            answer.cautions.insert(Caution::NearHorizon);
        }
        let holdings = self.holdings_at(self.question.at);
        let Some(holding) = holdings.iter().min_by_key(|holding| holding.held.from.at) else {
            self.nobody(&mut answer);
            return answer;
        };
        answer.sharing = self.parties_at(self.question.at).len();
        answer.sources = holdings.iter().flat_map(Holding::records).map(|record| record.source.clone()).collect();
        let shared = self.policy.shared || holdings.iter().any(|holding| !holding.holds_all_ports());
        if answer.sharing > 1 || (shared && self.question.port.is_none()) {
            answer.verdict = Verdict::Ambiguous;
            return answer;
        }
        self.describe(holding, &mut answer);
        let doubtful = self.doubts(holding, &mut answer.cautions);
        self.remarks(holding, &mut answer.cautions);
        answer.verdict = if doubtful { Verdict::Uncertain } else { Verdict::Attributed };
        answer
    }

    /// Who holds the address at an instant: the sessions on the longest prefix that has any. What a stop alone hints at
    /// counts only where no session holds any of the prefixes.
    fn holdings_at(&self, at: Timestamp) -> Vec<Holding<'a>> {
        for inferred in [false, true] {
            for timeline in self.timelines {
                let spans = if inferred { &timeline.inferred } else { &timeline.spans };
                let covering = spans.iter().filter(|held| held.covers(at));
                let holdings: Vec<_> = covering.map(|held| Holding { timeline, held, inferred }).collect();
                if !holdings.is_empty() {
                    return holdings;
                }
            }
        }
        Vec::new()
    }

    fn parties_at(&self, at: Timestamp) -> BTreeSet<Party> {
        self.holdings_at(at).iter().filter_map(|holding| holding.party(at)).collect()
    }

    /// Fills in who, since when and until when.
    fn describe(&self, holding: &Holding<'_>, answer: &mut Answer) {
        let at = self.question.at;
        let records = holding.records();
        let Some((nas, session)) = holding.timeline.session_of(holding.held.run) else { return };
        answer.holder = Some(Holder {
            subscriber: named(&records, at),
            session: *session,
            nas: nas.clone(),
            line: Line {
                mac: nearest(&records, at, |record| record.line.mac),
                circuit_id: nearest(&records, at, |record| record.line.circuit_id.clone()),
                remote_id: nearest(&records, at, |record| record.line.remote_id.clone()),
                nas_port: nearest(&records, at, |record| record.line.nas_port.clone()),
            },
            network: holding.timeline.network,
        });
        answer.inside = nearest(&records, at, |record| record.inside.clone());
        answer.since = Some(holding.held.from);
        answer.until = holding.held.until;
        let spoken = holding.timeline.own_statements(holding.held.run);
        let spoken: Vec<_> = spoken.iter().filter(|record| Said::of(record.kind).is_some_and(Said::is_real)).collect();
        answer.heard = Heard {
            before: spoken.iter().rev().find(|record| record.at <= at).map(|record| at.since(record.at)),
            after: spoken.iter().find(|record| record.at > at).map(|record| record.at.since(at)),
        };
    }

    /// The cautions that make one holder uncertain; says whether there are any.
    fn doubts(&self, holding: &Holding<'_>, cautions: &mut BTreeSet<Caution>) -> bool {
        let at = self.question.at;
        let mut found = BTreeSet::new();
        if holding.inferred {
            found.insert(Caution::InferredStart);
        }
        if matches!(holding.party(at), None | Some(Party::Unnamed(_))) {
            found.insert(Caution::UnnamedHolder);
        }
        if self.changes_hands_near(at) {
            found.insert(Caution::NearBoundary);
        }
        if self.clock_is_doubtful(holding) {
            found.insert(Caution::SourceClock);
        }
        if self.rests_on_carries(holding) {
            found.insert(Caution::SilentSource);
        }
        cautions.extend(&found);
        !found.is_empty()
    }

    /// Does someone else, or nobody, hold the address at any instant within the margin and the window?
    fn changes_hands_near(&self, at: Timestamp) -> bool {
        let from = at.minus(self.policy.margin).max(self.horizon);
        let to = at.plus(self.policy.margin).min(self.now);
        let holder = self.parties_at(at);
        let edges = self.timelines.iter().flat_map(Timeline::edges).filter(|edge| from <= *edge && *edge <= to);
        edges.chain([from, to]).any(|instant| self.parties_at(instant) != holder)
    }

    /// Does the beginning, or the newest statement before the instant, rest on a clock that was ahead of ours?
    fn clock_is_doubtful(&self, holding: &Holding<'_>) -> bool {
        self.rests_on(holding, |record| record.quality == TimeQuality::SourceClockAhead)
    }

    /// Did one of the two come after its bucket was settled?
    fn came_late(&self, holding: &Holding<'_>) -> bool {
        let Rules { width, carry_buckets } = self.policy.rules;
        self.rests_on(holding, |record| {
            let arrived = width.bucket_of(record.at.plus(record.receive_delay));
            arrived >= width.bucket_of(record.at).later(carry_buckets)
        })
    }

    fn rests_on(&self, holding: &Holding<'_>, is_so: impl Fn(&Record) -> bool) -> bool {
        let records = holding.records();
        let before = records.iter().rev().find(|record| record.at <= self.question.at);
        let opening = records.iter().find(|record| record.at == holding.held.from.at);
        [before, opening].into_iter().flatten().any(|record| is_so(record))
    }

    /// Was a source that reports its open sessions silent about this one for a carry interval on either side?
    fn rests_on_carries(&self, holding: &Holding<'_>) -> bool {
        let may_still_speak = self.now.since(self.question.at) < self.policy.carry_interval;
        !may_still_speak && holding.timeline.rests_on_carries(holding.held.run, self.question.at, self.policy)
    }

    /// The cautions that do not change the verdict.
    fn remarks(&self, holding: &Holding<'_>, cautions: &mut BTreeSet<Caution>) {
        let from = holding.held.from;
        if from.evidence == Evidence::Inferred {
            cautions.insert(Caution::InferredStart);
        }
        if holding.held.until.is_some_and(|until| until.evidence == Evidence::Inferred) {
            cautions.insert(Caution::InferredEnd);
        }
        if self.came_late(holding) {
            cautions.insert(Caution::Late);
        }
        // Who spoke last before the holder began, within the carry interval: so far back is always read.
        let predecessor = holding.timeline.spoke_last_before(holding.held.run, from.at);
        let lately = |record: &Record| {
            let rules = self.policy.rules;
            rules.width.bucket_of(record.at).later(rules.carry_buckets) > rules.width.bucket_of(from.at)
        };
        let unclosed = |other: &Held| {
            other.until == Some(Edge { at: from.at, evidence: Evidence::Inferred })
                && predecessor.is_some_and(|(run, record)| run == other.run && lately(record))
        };
        if holding.timeline.spans.iter().any(unclosed) {
            cautions.insert(Caution::UnclosedPredecessor);
        }
        let sources: BTreeSet<&SourceName> = holding.records().iter().map(|record| &record.source).collect();
        if sources.into_iter().any(|source| self.watch.was_silent_around(source, self.now)) {
            cautions.insert(Caution::SilentSource);
        }
    }

    /// Nobody is known to have held it: on evidence, or because nothing is known?
    ///
    /// It is evidence if on every prefix that was ever spoken of, the newest statement is an explicit end, and its source
    /// has been heard since; or if every source that would know was heard throughout the last carry interval, in which each
    /// of them speaks of every session that is open.
    fn nobody(&self, answer: &mut Answer) {
        let mut ended = true;
        let mut spoken_of = false;
        for timeline in self.timelines {
            let until_then = timeline.settled.iter().filter(|settled| settled.at <= self.question.at);
            let Some(newest) = until_then.filter(|settled| settled.kind != Kind::Void).max_by_key(|settled| settled.at)
            else {
                continue;
            };
            spoken_of = true;
            if let Some(end) = timeline.explicit_end(newest) {
                answer.sources.insert(end.source.clone());
                let heard_since = self.watch.was_heard_since(&end.source, newest.at);
                ended &= heard_since;
                if !heard_since {
                    answer.cautions.insert(Caution::SilentSource);
                }
            } else {
                answer.cautions.insert(Caution::LastHolderSilent);
                ended = false;
            }
        }
        // Who has a block of ports is said when it is allocated, and need not be said again.
        let in_blocks = self.timelines.iter().flat_map(|timeline| &timeline.runs).any(|run| !run.ports.is_all());
        let throughout = !in_blocks && self.watch.heard_all_throughout();
        if throughout {
            answer.sources.extend(self.watch.responsible());
        } else if self.watch.may_have_lost(&answer.sources) {
            answer.cautions.insert(Caution::Gap);
        }
        let known = (spoken_of && ended) || throughout;
        answer.verdict = if known { Verdict::Unassigned } else { Verdict::NoCoverage };
    }
}
