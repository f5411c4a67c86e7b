//! Which parts of a prefix's timeline were one subscriber's, and lie in the span asked for. Pure.

use std::collections::BTreeSet;

use crate::domain::address::{Ports, Realm};
use crate::domain::identity::{Line, SessionTag, SubscriberId};
use crate::domain::record::{Kind, Record, TimeQuality};
use crate::domain::session::{Edge, Evidence, Held, INFERRED_START_SLACK, Said};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Caution;

use super::super::timeline::{Timeline, named, nearest};
use super::{Assignment, Logon, SubscriberQuestion};

/// The part of the span asked for that can be answered.
pub(super) struct Span<'a> {
    pub(super) question: &'a SubscriberQuestion,
    /// Its first instant that is readable.
    pub(super) from: Timestamp,
    pub(super) horizon: Timestamp,
    pub(super) now: Timestamp,
}

impl Span<'_> {
    /// The logons among what names the subscriber.
    pub(super) fn logons(&self, listed: &[Record]) -> Vec<Logon> {
        let within = |record: &&Record| self.from <= record.at && record.at < self.question.to;
        let logons = listed.iter().filter(|record| record.kind == Kind::Logon).filter(within);
        let mut logons: Vec<Logon> = logons
            .map(|record| Logon {
                at: record.at,
                nas: record.nas.clone(),
                session: record.session,
                line: record.line.clone(),
                source: record.source.clone(),
                cautions: clock_caution(record).into_iter().collect(),
            })
            .collect();
        logons.sort_by_key(|logon| logon.at);
        logons
    }

    /// What of a prefix was the subscriber's in this span.
    pub(super) fn assignments(&self, timeline: &Timeline, realm: &Realm, listed: &[Record]) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        let mut take = |of: &Held, held: &Held| {
            for piece in self.named_pieces(timeline, of, held) {
                assignments.extend(self.assignment(timeline, realm, of, &piece));
            }
        };
        for held in &timeline.spans {
            take(held, held);
        }
        // What a stop alone hints at counts only where nobody is known to have held it.
        for hinted in timeline.inferred.iter().filter(|held| !is_refuted(timeline, held, listed)) {
            for free in free_of(timeline, hinted) {
                take(hinted, &free);
            }
        }
        assignments
    }

    /// The parts of a stretch of a span in which its session had the subscriber's name: it may have had another before.
    fn named_pieces(&self, timeline: &Timeline, of: &Held, held: &Held) -> Vec<Held> {
        let records = timeline.records_of(of);
        let ours = |name: Option<SubscriberId>| name.as_ref() == Some(&self.question.subscriber);
        let mut since = ours(named(&records, held.from.at)).then_some(held.from);
        let mut pieces = Vec::new();
        let until = |at: Timestamp| held.until.is_none_or(|until| at < until.at);
        for record in records.iter().filter(|record| record.at > held.from.at && until(record.at)) {
            if record.subscriber.is_none() {
                continue;
            }
            let edge = Edge { at: record.at, evidence: Evidence::Inferred };
            match (since, ours(record.subscriber.clone())) {
                (None, true) => since = Some(edge),
                (Some(from), false) => {
                    pieces.push(Held { run: held.run, from, until: Some(edge) });
                    since = None;
                }
                (Some(_), true) | (None, false) => {}
            }
        }
        pieces.extend(since.map(|from| Held { run: held.run, from, until: held.until }));
        pieces
    }

    fn assignment(&self, timeline: &Timeline, realm: &Realm, of: &Held, piece: &Held) -> Option<Assignment> {
        let (since, until) = self.cut(piece)?;
        let ports = timeline.runs.get(piece.run)?.ports;
        let (nas, session) = timeline.session_of(piece.run)?;
        let last = until.map_or(self.now, |until| until.at);
        let records = timeline.records_of(of);
        let mut cautions: BTreeSet<Caution> =
            records.iter().filter(|record| record.at <= last).filter_map(|record| clock_caution(record)).collect();
        if since.evidence == Evidence::Inferred {
            cautions.insert(Caution::InferredStart);
        }
        if until.is_some_and(|until| until.evidence == Evidence::Inferred) {
            cautions.insert(Caution::InferredEnd);
        }
        Some(Assignment {
            realm: realm.clone(),
            network: timeline.network,
            ports,
            inside: nearest(&records, last, |record| record.inside.clone()),
            since,
            until,
            nas: nas.clone(),
            session: *session,
            line: Line {
                mac: nearest(&records, last, |record| record.line.mac),
                circuit_id: nearest(&records, last, |record| record.line.circuit_id.clone()),
                remote_id: nearest(&records, last, |record| record.line.remote_id.clone()),
                nas_port: nearest(&records, last, |record| record.line.nas_port.clone()),
            },
            others: self.others(timeline, ports, since.at, last),
            cautions,
            sources: records.iter().map(|record| record.source.clone()).collect(),
        })
    }

    /// The ends of what of a span lies in the one that was asked for; `None` if nothing does.
    fn cut(&self, held: &Held) -> Option<(Edge, Option<Edge>)> {
        let beyond = if self.from == self.horizon { Evidence::BeyondHorizon } else { Evidence::BeyondSpan };
        let since = if held.from.at < self.from { Edge { at: self.from, evidence: beyond } } else { held.from };
        let end = Edge { at: self.question.to, evidence: Evidence::BeyondSpan };
        let until = match held.until {
            Some(until) if until.at <= end.at => Some(until),
            None if end.at > self.now => None,
            Some(_) | None => Some(end),
        };
        let nothing = since.at >= self.question.to || until.is_some_and(|until| until.at <= since.at);
        (!nothing).then_some((since, until))
    }

    /// How many others, by name or by session, held any of the ports at some instant from `since` to `last`.
    fn others(&self, timeline: &Timeline, ports: Ports, since: Timestamp, last: Timestamp) -> usize {
        let others = timeline.spans.iter().filter(|other| {
            timeline.runs.get(other.run).is_some_and(|run| run.ports.overlaps(ports))
                && other.from.at < last
                && other.until.is_none_or(|until| until.at > since)
        });
        let party = |other: &Held| -> Option<Result<SubscriberId, SessionTag>> {
            let (_, session) = timeline.session_of(other.run)?;
            let name = named(&timeline.records_of(other), since.max(other.from.at));
            Some(name.ok_or(*session)).filter(|party| party.as_ref() != Ok(&self.question.subscriber))
        };
        others.filter_map(party).collect::<BTreeSet<_>>().len()
    }
}

fn clock_caution(record: &Record) -> Option<Caution> {
    (record.quality == TimeQuality::SourceClockAhead).then_some(Caution::SourceClock)
}

/// Did the session of an inferred span speak between its start and its stop, also about another address?
fn is_refuted(timeline: &Timeline, held: &Held, listed: &[Record]) -> bool {
    let Some((nas, session)) = timeline.session_of(held.run) else { return true };
    let from = held.from.at.minus(INFERRED_START_SLACK);
    listed.iter().any(|record| {
        record.session == *session
            && record.nas == *nas
            && from <= record.at
            && held.until.is_none_or(|until| record.at < until.at)
            && (record.kind == Kind::Logon || Said::of(record.kind).is_some_and(Said::is_real))
    })
}

/// The parts of an inferred span in which no session is known to have held any of its ports.
fn free_of(timeline: &Timeline, hinted: &Held) -> Vec<Held> {
    let ports = timeline.runs.get(hinted.run).map(|run| run.ports);
    let overlaps =
        |held: &&Held| timeline.runs.get(held.run).zip(ports).is_some_and(|(run, ports)| run.ports.overlaps(ports));
    let mut rest = Some(*hinted);
    let mut free = Vec::new();
    // In order of their beginning.
    for held in timeline.spans.iter().filter(overlaps) {
        let Some(left) = rest else { break };
        let ended = |at: Timestamp| left.until.is_some_and(|until| until.at <= at);
        if held.until.is_some_and(|until| until.at <= left.from.at) || ended(held.from.at) {
            continue;
        }
        let edge = |at: Timestamp| Edge { at, evidence: Evidence::Inferred };
        if held.from.at > left.from.at {
            free.push(Held { until: Some(edge(held.from.at)), ..left });
        }
        rest = held.until.filter(|until| !ended(until.at)).map(|until| Held { from: edge(until.at), ..left });
    }
    free.extend(rest);
    free
}
