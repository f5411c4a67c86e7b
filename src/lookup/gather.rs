//! Reads the statements of an address, only as far as the answer needs.
//!
//! For each prefix length in use, the longest first: back from the instant, a carry interval at a time, until what was
//! read explains itself (see `settled_past`) or the horizon is reached; forward until what was held has ended. Where the
//! store has been settled on disk, one carry interval back will do; until then, it may be the whole window.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::address::{Family, Network};
use crate::domain::record::{Kind, Subject};
use crate::domain::session::{Evidence, Held, INFERRED_START_SLACK, Said, Statement};
use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::store::{Observations, Place, ReadError, Store};

use super::settled_past::explained_since;
use super::timeline::{Statements, Timeline};
use super::{Policy, Question, Reach};

/// The timelines of every prefix around the address that the answer needs, the longest first.
pub(super) fn gather(
    store: &Store,
    policy: &Policy,
    question: &Question,
    reach: Reach,
    cutoff: Cutoff,
    now: Timestamp,
) -> Result<Vec<Timeline>, ReadError> {
    let mut reading = Reading {
        observations: store.observations(cutoff),
        policy,
        question,
        reach,
        horizon: cutoff.horizon(),
        from: question.at.minus(policy.margin).max(cutoff.horizon()),
        to: question.at.plus(policy.margin).min(now),
        now,
    };
    let mut timelines = Vec::new();
    for prefix_len in reading.observations.prefix_lens(Family::of(question.address)) {
        let Some(network) = Network::around(question.address, prefix_len) else { continue };
        let timeline = reading.timeline(network)?;
        let settles_it = timeline.spans.iter().any(|held| held.covers(reading.from) && held.covers(reading.to));
        timelines.push(timeline);
        // A shorter prefix is asked only where the longer ones leave an instant open.
        if settles_it && reach != Reach::Everything {
            break;
        }
    }
    Ok(timelines)
}

struct Reading<'a> {
    observations: Observations<'a>,
    policy: &'a Policy,
    question: &'a Question,
    reach: Reach,
    horizon: Timestamp,
    /// The margin around the instant, within the window.
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
}

/// The buckets that have been read, both ends included.
#[derive(Clone, Copy)]
struct Stretch {
    first: Bucket,
    last: Bucket,
}

impl Reading<'_> {
    fn timeline(&mut self, network: Network) -> Result<Timeline, ReadError> {
        let mut statements = Statements::new(network);
        let last = self.bucket_of(self.to);
        let mut stretch = Stretch { first: last.later(1), last };
        loop {
            self.read_enough(&mut statements, &mut stretch)?;
            self.read_markers(&mut statements, stretch)?;
            let back = stretch.first > self.bucket_of(self.horizon) && !self.is_held(&statements, stretch);
            let on = stretch.last < self.bucket_of(self.now) && self.waits(&statements, stretch);
            if self.reach == Reach::Everything || !(back || on) {
                break;
            }
            statements.forget_markers();
            if back {
                // Whoever seemed to hold the address had ended. What does hold it may begin anywhere in the window.
                self.read_back(&mut statements, &mut stretch, u32::MAX)?;
            }
            if on {
                // What seemed to end the holder meant nothing, after its own session's end.
                self.read_on(&mut statements, &mut stretch)?;
            }
        }
        let mut timeline = Timeline::of(statements, self.policy, self.horizon, self.end_of(stretch));
        self.drop_refuted(&mut timeline)?;
        Ok(timeline)
    }

    /// From the end of the margin back until what was read explains itself, or to the horizon; and on until nothing that
    /// matters is open any more, or to now. What is read later may speak of a session whose beginning lies further back:
    /// then reading back goes on.
    fn read_enough(&mut self, statements: &mut Statements, stretch: &mut Stretch) -> Result<(), ReadError> {
        let (oldest, newest) = (self.bucket_of(self.horizon), self.bucket_of(self.now));
        loop {
            if stretch.first > oldest && !self.explained(statements, *stretch) {
                self.read_back(statements, stretch, self.step())?;
            } else if stretch.last < newest && self.waits(statements, *stretch) {
                self.read_on(statements, stretch)?;
            } else {
                return Ok(());
            }
        }
    }

    fn read_back(&mut self, statements: &mut Statements, stretch: &mut Stretch, step: u32) -> Result<(), ReadError> {
        let first = stretch.first.earlier(step).max(self.bucket_of(self.horizon));
        self.read(statements, Stretch { first, last: stretch.first.earlier(1) })?;
        stretch.first = first;
        Ok(())
    }

    fn read_on(&mut self, statements: &mut Statements, stretch: &mut Stretch) -> Result<(), ReadError> {
        let last = stretch.last.later(self.step()).min(self.bucket_of(self.now));
        self.read(statements, Stretch { first: stretch.last.later(1), last })?;
        stretch.last = last;
        Ok(())
    }

    /// Does nothing older matter? An instant that nobody holds may still be explained by an inferred start further back.
    fn explained(&self, statements: &Statements, stretch: Stretch) -> bool {
        self.reach != Reach::Everything
            && explained_since(statements, self.from, self.question.port).is_some()
            && self.spans(statements, stretch).iter().any(|held| {
                held.covers(self.question.at)
                    && (self.reach == Reach::Verdict || self.sees_before(statements, stretch, held.from.at))
            })
    }

    /// Has anything been read that was said before a holder's beginning, or else all that could be told of it? It shows
    /// whether the holder before closed its session.
    fn sees_before(&self, statements: &Statements, stretch: Stretch, beginning: Timestamp) -> bool {
        self.bucket_of(beginning).earlier(self.policy.rules.carry_buckets) >= stretch.first
            || statements.said.iter().any(|said| said.at < beginning && said.said != Said::InferredStart)
    }

    fn is_held(&self, statements: &Statements, stretch: Stretch) -> bool {
        self.spans(statements, stretch).iter().any(|held| held.covers(self.question.at))
    }

    /// Does something newer matter: the end of what is open at the instant, or the stop of an inferred start? Near the
    /// horizon, the first statements after it tell what was open there.
    fn waits(&self, statements: &Statements, stretch: Stretch) -> bool {
        let horizon = self.bucket_of(self.horizon);
        let untold = stretch.first <= horizon && stretch.last < horizon.later(self.policy.rules.carry_buckets);
        if self.reach == Reach::Everything || untold {
            return true;
        }
        let open = |held: &Held| held.covers(self.question.at) && held.until.is_none();
        (self.reach == Reach::Evidence && self.spans(statements, stretch).iter().any(open))
            || statements.said.iter().any(|candidate| {
                let answers = |other: &Statement| {
                    other.run == candidate.run && other.said != Said::InferredStart && other.at >= candidate.at
                };
                candidate.said == Said::InferredStart && candidate.at <= self.to && !statements.said.iter().any(answers)
            })
    }

    fn spans(&self, statements: &Statements, stretch: Stretch) -> Vec<Held> {
        statements.settle(self.policy, self.horizon, self.end_of(stretch)).1
    }

    fn read(&mut self, statements: &mut Statements, stretch: Stretch) -> Result<(), ReadError> {
        let place = Place::Address { realm: &self.question.realm, network: statements.network };
        for bucket in buckets(stretch) {
            for record in self.observations.in_bucket(&place, bucket)? {
                let Subject::Assignment { ports, .. } = record.subject else { continue };
                if record.at <= self.now && self.question.port.is_none_or(|port| ports.contains(port)) {
                    statements.hear(record, self.policy);
                }
            }
        }
        Ok(())
    }

    /// Reads the ends of sessions and the resets of their NAS, wherever the statements leave a session open, and in the
    /// carry interval before a span whose start was not observed: an update shortly after its session's end means nothing.
    ///
    /// An update that turns out to mean nothing no longer ends others: then more is open, and more is read, until what is
    /// open has been looked at.
    fn read_markers(&mut self, statements: &mut Statements, stretch: Stretch) -> Result<(), ReadError> {
        let mut probed = BTreeSet::new();
        loop {
            let fresh: Vec<_> = self.probes(statements, stretch).difference(&probed).copied().collect();
            if fresh.is_empty() {
                return Ok(());
            }
            for (bucket, session) in fresh {
                probed.insert((bucket, session));
                let Some((nas, tag)) = statements.session(session) else { continue };
                let mut markers = self.observations.in_bucket(&Place::Session { nas, session: *tag }, bucket)?;
                markers.extend(self.observations.in_bucket(&Place::Nas { nas }, bucket)?);
                for record in markers.iter().filter(|record| record.at <= self.now) {
                    let said = if record.kind == Kind::Reset { Said::Reset } else { Said::SessionEnd };
                    statements.hear_marker(session, said, record);
                }
            }
        }
    }

    /// Where markers matter, as far as is known: buckets and sessions.
    fn probes(&self, statements: &Statements, stretch: Stretch) -> BTreeSet<(Bucket, u32)> {
        let spans = self.spans(statements, stretch);
        // Whoever held the address last may have ended long after it was given up for its silence.
        let newest = spans.iter().filter(|held| held.from.at <= self.question.at).max_by_key(|held| held.from.at);
        let (from, to) = self.what_matters(statements, &spans, stretch);
        let oldest = self.bucket_of(from);
        let mut probes = BTreeSet::new();
        for held in spans.iter().filter(|held| held.from.at <= to && held.until.is_none_or(|until| from <= until.at)) {
            let Some(run) = statements.runs.get(held.run) else { continue };
            let back = if held.from.evidence == Evidence::Observed { 0 } else { self.policy.rules.carry_buckets };
            let first = self.bucket_of(held.from.at).earlier(back).max(oldest);
            let until = held.until.map_or(stretch.last, |until| self.bucket_of(until.at));
            let last = if newest == Some(held) { until.max(self.bucket_of(self.question.at)) } else { until };
            let probed = Stretch { first, last: last.min(self.bucket_of(to)).min(stretch.last) };
            probes.extend(buckets(probed).map(|bucket| (bucket, run.session)));
        }
        probes
    }

    /// From when to when it matters who was open: since the statements explain themselves, and until the margin or, for
    /// the evidence, the holder ends. All that was read, if nobody is open at the instant: then somebody may be who was
    /// ended by a statement that means nothing.
    fn what_matters(&self, statements: &Statements, spans: &[Held], stretch: Stretch) -> (Timestamp, Timestamp) {
        let end = self.end_of(stretch);
        let holders = || spans.iter().filter(|held| held.covers(self.question.at));
        if self.reach == Reach::Everything || holders().next().is_none() {
            return (self.horizon, end);
        }
        let since = explained_since(statements, self.from, self.question.port).unwrap_or(self.horizon);
        let until = holders().map(|held| held.until.map_or(end, |until| until.at)).max();
        let until = until.filter(|_| self.reach == Reach::Evidence);
        (since, until.map_or(self.to, |until| until.max(self.to)))
    }

    /// Leaves out the inferred spans at the instant whose session spoke between start and stop, also about another address.
    fn drop_refuted(&mut self, timeline: &mut Timeline) -> Result<(), ReadError> {
        let mut kept = Vec::new();
        for held in std::mem::take(&mut timeline.inferred) {
            if !held.covers(self.question.at) || !self.is_refuted(timeline, &held)? {
                kept.push(held);
            }
        }
        timeline.inferred = kept;
        Ok(())
    }

    fn is_refuted(&mut self, timeline: &Timeline, held: &Held) -> Result<bool, ReadError> {
        let named = timeline.named(held.run, Timestamp::MAX);
        let (Some((nas, session)), Some(subscriber)) = (timeline.statements.session_of(held.run), named) else {
            return Ok(false);
        };
        let from = held.from.at.minus(INFERRED_START_SLACK);
        let until = held.until.map_or(self.now, |edge| edge.at);
        let said = self.observations.of_subscriber(&self.policy.entity, &subscriber, from, until)?;
        Ok(said.iter().any(|record| {
            record.session == *session
                && record.nas == *nas
                && matches!(record.kind, Kind::Start | Kind::Update | Kind::Stop | Kind::Logon)
        }))
    }

    /// How many buckets are read before it is looked whether they suffice.
    fn step(&self) -> u32 {
        self.policy.rules.carry_buckets.div_ceil(8)
    }

    fn bucket_of(&self, at: Timestamp) -> Bucket {
        self.policy.rules.width.bucket_of(at)
    }

    /// The last instant that has been read: of the newest bucket, no later than now.
    fn end_of(&self, stretch: Stretch) -> Timestamp {
        self.policy.rules.width.start_of(stretch.last.later(1)).minus(Duration::from_millis(1)).min(self.now)
    }
}

fn buckets(stretch: Stretch) -> impl Iterator<Item = Bucket> {
    (stretch.first.0..=stretch.last.0).map(Bucket)
}
