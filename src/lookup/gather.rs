//! Reads the statements of an address off the ground it is given, only as far as the answer needs.
//!
//! For each prefix length in use, the longest first. Where the store is settled, an instant is explained by the carry
//! interval before it: what is open there has a statement in it. What is not settled yet is settled here, from the last
//! carry interval that is. Beyond that, reading goes back for the evidence of the beginning, or for whoever held the
//! address last; and on until what was held has ended.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::address::{Family, Network, Realm};
use crate::domain::record::Kind;
use crate::domain::session::{Evidence, Held, INFERRED_START_SLACK, Read};
use crate::domain::time::{Bucket, Timestamp};

use super::ground::Ground;
use super::timeline::{Statements, Timeline};
use super::{Policy, Question, Reach};

/// The timelines of every prefix around the address that the answer needs, the longest first.
pub(super) fn gather<G: Ground>(
    ground: &mut G,
    policy: &Policy,
    question: &Question,
    reach: Reach,
    horizon: Timestamp,
    now: Timestamp,
) -> Result<Vec<Timeline>, G::Error> {
    let mut reading = Reading {
        ground,
        policy,
        question,
        reach,
        horizon,
        from: question.at.minus(policy.margin).max(horizon),
        to: question.at.plus(policy.margin).min(now),
        now,
    };
    let mut timelines = Vec::new();
    for prefix_len in reading.ground.prefix_lens(Family::of(question.address)) {
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

/// Everything that is readable of one prefix, whoever held it.
pub(super) fn whole<G: Ground>(
    ground: &mut G,
    policy: &Policy,
    realm: &Realm,
    network: Network,
    horizon: Timestamp,
    now: Timestamp,
) -> Result<Timeline, G::Error> {
    let question = Question { address: network.address(), at: now, port: None, realm: realm.clone() };
    let reach = Reach::Everything;
    Reading { ground, policy, question: &question, reach, horizon, from: now, to: now, now }.timeline(network)
}

struct Reading<'a, G> {
    ground: &'a mut G,
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

impl<G: Ground> Reading<'_, G> {
    fn timeline(&mut self, network: Network) -> Result<Timeline, G::Error> {
        let mut statements = Statements::new(network);
        let mut marked = BTreeSet::new();
        let mut stretch = self.first_stretch();
        self.read(&mut statements, stretch)?;
        loop {
            self.read_marks(&mut statements, stretch, &mut marked)?;
            let timeline = Timeline::of(&statements, self.question.port, self.policy, self.read_as(stretch));
            let (oldest, newest) = (self.bucket_of(self.horizon), self.bucket_of(self.now));
            if stretch.first > oldest && self.needs_older(&timeline, stretch) {
                let first = stretch.first.earlier(self.step()).max(oldest);
                self.read(&mut statements, Stretch { first, last: stretch.first.earlier(1) })?;
                stretch.first = first;
            } else if stretch.last < newest && self.needs_newer(&timeline, stretch) {
                let last = stretch.last.later(self.step()).min(newest);
                self.read(&mut statements, Stretch { first: stretch.last.later(1), last })?;
                stretch.last = last;
            } else {
                return self.without_refuted(timeline);
            }
        }
    }

    /// What must be read in any case: the margin, and the carry interval before it that explains it. Near the horizon,
    /// where that is destroyed, the carry interval after it tells what was open there.
    fn first_stretch(&self) -> Stretch {
        let (oldest, newest) = (self.bucket_of(self.horizon), self.bucket_of(self.now));
        let carry = self.policy.rules.carry_buckets;
        let explained = match self.ground.settled_through() {
            Some(settled) if self.reach != Reach::Everything => self.bucket_of(self.from).min(settled).earlier(carry),
            _ => oldest,
        };
        let first = explained.max(oldest);
        let last = self.bucket_of(self.to);
        let told = if first == oldest { oldest.later(carry) } else { last };
        let last = if self.reach == Reach::Everything { newest } else { last.max(told).min(newest) };
        Stretch { first, last }
    }

    fn needs_older(&self, timeline: &Timeline, stretch: Stretch) -> bool {
        if timeline.undecided {
            return true;
        }
        let mut holders = timeline.spans.iter().filter(|held| held.covers(self.question.at)).peekable();
        if holders.peek().is_none() {
            // Whoever held it last may have been silent for long, and a stop to come may speak of a start long ago.
            return true;
        }
        let begins_here = |held: &Held| {
            held.from.evidence == Evidence::BeyondHorizon
                || self.bucket_of(held.from.at).earlier(self.policy.rules.carry_buckets) < stretch.first
        };
        self.reach != Reach::Verdict && holders.any(begins_here)
    }

    /// Does something newer matter: the end of what is open at the instant, whether its source went on to speak of it, or
    /// the stop that an inferred start came with?
    fn needs_newer(&self, timeline: &Timeline, stretch: Stretch) -> bool {
        let holders = || timeline.spans.iter().filter(|held| held.covers(self.question.at));
        let near = self.bucket_of(self.question.at.plus(self.policy.carry_interval));
        (self.reach == Reach::Evidence && holders().any(|held| held.until.is_none()))
            || (stretch.last < near
                && holders().any(|held| timeline.rests_on_carries(held.run, self.question.at, self.policy)))
            || timeline.waits_for_a_stop(self.to)
    }

    fn read(&mut self, statements: &mut Statements, stretch: Stretch) -> Result<(), G::Error> {
        for bucket in buckets(stretch) {
            for (record, trust) in self.ground.of_network(&self.question.realm, statements.network, bucket)? {
                if record.at <= self.now {
                    statements.hear(record, trust, self.policy);
                }
            }
        }
        Ok(())
    }

    /// Reads the ends of sessions and the resets of their NAS, where they are not settled yet. Shortly before that too: an
    /// update means nothing after its session's end, also where nothing else was said of the address before.
    fn read_marks(
        &mut self,
        statements: &mut Statements,
        stretch: Stretch,
        marked: &mut BTreeSet<(Bucket, u32)>,
    ) -> Result<(), G::Error> {
        let settled = self.ground.settled_through();
        if settled.is_some_and(|through| stretch.last <= through) {
            return Ok(());
        }
        let first = settled.map_or(stretch.first, |through| through.later(1).earlier(self.policy.rules.carry_buckets));
        let unsettled = Stretch { first: first.max(stretch.first), ..stretch };
        for session in 0.. {
            let Some(key) = statements.session(session).cloned() else { break };
            if !statements.concerns(session, self.question.port) {
                continue;
            }
            for bucket in buckets(unsettled).filter(|bucket| marked.insert((*bucket, session))) {
                for record in self.ground.of_session(&key, bucket)? {
                    if record.at <= self.now && record.kind == Kind::SessionEnd {
                        statements.hear_end(session, record);
                    }
                }
                for record in self.ground.of_nas(&key.0, bucket)? {
                    if record.at <= self.now && record.kind == Kind::Reset {
                        statements.hear_reset(record);
                    }
                }
            }
        }
        Ok(())
    }

    fn read_as(&self, stretch: Stretch) -> Read {
        Read {
            from: self.policy.rules.width.start_of(stretch.first).max(self.horizon),
            settled_through: self.ground.settled_through(),
            hinted_through: self.ground.written_through(),
            through: self.end_of(stretch),
        }
    }

    /// Leaves out the inferred spans at the instant whose session spoke between start and stop, also about another address.
    fn without_refuted(&mut self, mut timeline: Timeline) -> Result<Timeline, G::Error> {
        let mut kept = Vec::new();
        for held in std::mem::take(&mut timeline.inferred) {
            if !held.covers(self.question.at) || !self.is_refuted(&timeline, &held)? {
                kept.push(held);
            }
        }
        timeline.inferred = kept;
        Ok(timeline)
    }

    fn is_refuted(&mut self, timeline: &Timeline, held: &Held) -> Result<bool, G::Error> {
        let named = timeline.named(held.run, Timestamp::MAX);
        let (Some(session), Some(subscriber)) = (timeline.session_of(held.run), named) else {
            return Ok(false);
        };
        let from = held.from.at.minus(INFERRED_START_SLACK);
        let until = held.until.map_or(self.now, |edge| edge.at);
        Ok(!self.ground.spoken(&self.policy.entity, &subscriber, session, from, until)?.is_empty())
    }

    /// How many buckets are read before it is looked whether they suffice.
    fn step(&self) -> u32 {
        self.policy.rules.carry_buckets
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
