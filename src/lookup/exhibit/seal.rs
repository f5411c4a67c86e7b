//! Gathers an exhibit from the store.
//!
//! What is readable of every prefix around the address is read, in the whole window: how far back a lookup must go is decided
//! by what it meets. Then what stands inside of the NATs that holders of the spans are behind. Whom no answer shows is hidden
//! last, when all that tells who was known.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::Config;
use crate::domain::address::{Family, Network, Realm};
use crate::domain::coverage::Coverage;
use crate::domain::identity::NasId;
use crate::domain::nat::Inside;
use crate::domain::record::{Kind, Record};
use crate::domain::session::{INFERRED_START_SLACK, Said};
use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::store::{Observations, ReadError, Store};

use super::needed::Needed;
use super::others::hide_others;
use super::replay::Replay;
use super::{Exhibit, Extent};
use crate::lookup::coverage::Watch;
use crate::lookup::ground::Ground as _;
use crate::lookup::timeline::{SessionKey, Trust};
use crate::lookup::{Policy, Question, SubscriberQuestion, gather, is_not_ours, look_up_subscriber};

type Spans = Vec<(Timestamp, Timestamp)>;
type Row = (Record, Trust);

impl Exhibit {
    /// Seals what lookups of one address need, at the instants of the extent that are readable at `now`: what `cutoff`, the
    /// published one, does not hide. Where none is, the exhibit has no spans and answers nothing.
    ///
    /// # Errors
    ///
    /// If the store cannot be read, or a record does not open under its key. Nothing is sealed around damage.
    pub fn of_address(
        store: &Store,
        config: &Config,
        coverage: &Coverage,
        extent: &Extent,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Result<Self, ReadError> {
        let cutoff = cutoff.or_later(store.cutoff());
        let (from, to) = (extent.from.max(cutoff.horizon()), extent.to.min(after(now)));
        let spans = if from < to { vec![(from, to)] } else { Vec::new() };
        let place = (extent.realm.clone(), Network::single(extent.address));
        Sealing::new(store, config, coverage, place, spans, cutoff, now).seal(&[])
    }

    /// Seals what a subscriber had in a span: one exhibit for each address or prefix, whose spans are those in which the
    /// subscriber had it or ports of it. In the order of realm and network; none where nothing is known. Logons without an
    /// address are not in them.
    ///
    /// # Errors
    ///
    /// As [`Exhibit::of_address`].
    pub fn of_subscriber(
        store: &Store,
        config: &Config,
        coverage: &Coverage,
        question: &SubscriberQuestion,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Result<Vec<Self>, ReadError> {
        let cutoff = cutoff.or_later(store.cutoff());
        let history = look_up_subscriber(store, config, coverage, question, cutoff, now)?;
        let mut had: BTreeMap<(Realm, Network), Spans> = BTreeMap::new();
        for assignment in &history.assignments {
            let until = assignment.until.map_or(after(now), |until| until.at);
            had.entry((assignment.realm.clone(), assignment.network)).or_default().push((assignment.since.at, until));
        }
        let places: Vec<(Realm, Network)> = had.keys().cloned().collect();
        had.into_iter()
            .map(|(place, spans)| {
                Sealing::new(store, config, coverage, place, joined(spans), cutoff, now).seal(&places)
            })
            .collect()
    }
}

/// The instant after the last one that may be asked about.
fn after(now: Timestamp) -> Timestamp {
    now.plus(Duration::from_millis(1))
}

/// The same instants in spans that do not touch each other.
fn joined(mut spans: Spans) -> Spans {
    spans.sort_unstable();
    let mut joined = Spans::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

struct Sealing<'a> {
    observations: Observations<'a>,
    config: &'a Config,
    coverage: &'a Coverage,
    exhibit: Exhibit,
    needed: Needed,
    /// The sessions and NASes whose markers were read.
    marked: BTreeSet<SessionKey>,
    nases: BTreeSet<NasId>,
}

impl<'a> Sealing<'a> {
    fn new(
        store: &'a Store,
        config: &'a Config,
        coverage: &'a Coverage,
        (realm, network): (Realm, Network),
        spans: Spans,
        cutoff: Cutoff,
        now: Timestamp,
    ) -> Self {
        let observations = store.observations(cutoff);
        let exhibit = Exhibit {
            realm,
            network,
            spans,
            horizon: cutoff.horizon(),
            now,
            settled_through: observations.settled_through(),
            written_through: observations.written_through(),
            rows: BTreeMap::new(),
            ends: BTreeMap::new(),
            resets: BTreeMap::new(),
            spoken: BTreeSet::new(),
            coverage: Coverage::new(config.retention.bucket),
        };
        let (marked, nases) = (BTreeSet::new(), BTreeSet::new());
        Self { observations, config, coverage, exhibit, needed: Needed::default(), marked, nases }
    }

    /// `had`: what else the subscriber had of whom this is, of which some may lie inside the prefix.
    fn seal(mut self, had: &[(Realm, Network)]) -> Result<Exhibit, ReadError> {
        let (realm, network) = (self.exhibit.realm.clone(), self.exhibit.network);
        if self.exhibit.spans.is_empty() || is_not_ours(self.config, network.address()) {
            return Ok(self.exhibit);
        }
        let mut places = self.around(&realm, network);
        let within = |(of, other): &&(Realm, Network)| *of == realm && network.as_net().contains(&other.as_net());
        places.extend(had.iter().filter(within).cloned());
        self.read_places(&places)?;
        let insides = self.insides_by_rule(&realm, network);
        let insides: BTreeSet<Inside> = insides.into_iter().chain(self.needed.joined.clone()).collect();
        let mut within = BTreeSet::new();
        for inside in insides.iter().filter(|inside| !is_not_ours(self.config, inside.network.address())) {
            within.extend(self.around(&inside.realm, inside.network));
        }
        self.read_places(&within)?;
        self.read_coverage(&insides);
        hide_others(&mut self.exhibit, &self.needed);
        Ok(self.exhibit)
    }

    /// Every prefix in use around the first address of a network.
    fn around(&self, realm: &Realm, network: Network) -> BTreeSet<(Realm, Network)> {
        let lens = self.observations.prefix_lens(Family::of(network.address()));
        let networks = lens.into_iter().filter_map(|len| Network::around(network.address(), len));
        networks.map(|network| (realm.clone(), network)).collect()
    }

    /// What lies inside of a NAT that computes what it translates to the ports of an address.
    fn insides_by_rule(&self, realm: &Realm, network: Network) -> Vec<Inside> {
        let outside = network.address();
        let Some(rule) = self.config.deterministic_nats.iter().find(|rule| rule.translates(realm, outside)) else {
            return Vec::new();
        };
        let first_ports = (rule.first_port..=rule.last_port).step_by(usize::from(rule.ports.max(1)));
        first_ports.filter_map(|port| rule.inside_of(outside, port)).collect()
    }

    /// Reads what is said of these places, and finds out who of them is shown. What has been read is not read again.
    fn read_places(&mut self, places: &BTreeSet<(Realm, Network)>) -> Result<(), ReadError> {
        for (realm, network) in places {
            if self.exhibit.rows.contains_key(&(realm.clone(), *network)) {
                continue;
            }
            let rows = self.read(realm, *network)?;
            if rows.is_empty() {
                continue;
            }
            let policy = Policy::for_address(self.config, network.address());
            self.read_marks(&rows, &policy)?;
            self.read_spoken(&rows, &policy)?;
            self.exhibit.rows.insert((realm.clone(), *network), rows);
            let spans = widened(&self.exhibit.spans, policy.margin);
            let (horizon, now) = (self.exhibit.horizon, self.exhibit.now);
            let Ok(timeline) = gather::whole(&mut Replay(&self.exhibit), &policy, realm, *network, horizon, now);
            self.needed.take(&timeline, &spans);
        }
        Ok(())
    }

    fn read(&mut self, realm: &Realm, network: Network) -> Result<Vec<Row>, ReadError> {
        let now = self.exhibit.now;
        let mut rows = Vec::new();
        for bucket in self.buckets(None) {
            let found = self.observations.of_network(realm, network, bucket)?;
            rows.extend(found.into_iter().filter(|(record, _)| record.at <= now));
        }
        Ok(rows)
    }

    /// Reads what was written of sessions and their NASes as a whole, where that is not settled yet.
    fn read_marks(&mut self, rows: &[Row], policy: &Policy) -> Result<(), ReadError> {
        let now = self.exhibit.now;
        let is_said = |mark: &Record| mark.at <= now && matches!(mark.kind, Kind::SessionEnd | Kind::Reset);
        let carry = policy.rules.carry_buckets;
        let first = self.exhibit.settled_through.map(|through| through.later(1).earlier(carry));
        let unsettled: Vec<Bucket> = self.buckets(first).collect();
        for key in sessions(rows) {
            if self.marked.insert(key.clone()) {
                for bucket in &unsettled {
                    let ends = self.observations.of_session(&key, *bucket)?;
                    ends.into_iter().filter(is_said).for_each(|end| self.exhibit.take_mark(end));
                }
            }
            if self.nases.insert(key.0.clone()) {
                for bucket in &unsettled {
                    let resets = self.observations.of_nas(&key.0, *bucket)?;
                    resets.into_iter().filter(is_said).for_each(|reset| self.exhibit.take_mark(reset));
                }
            }
        }
        Ok(())
    }

    /// Reads when the sessions of inferred starts spoke, of whatever address, from shortly before the start to its stop.
    fn read_spoken(&mut self, rows: &[Row], policy: &Policy) -> Result<(), ReadError> {
        for (start, _) in rows.iter().filter(|(record, _)| record.kind == Kind::InferredStart) {
            let own: Vec<&Record> = rows
                .iter()
                .map(|(record, _)| record)
                .filter(|record| record.nas == start.nas && record.session == start.session)
                .collect();
            let real = own.iter().filter(|record| record.at >= start.at).filter_map(|record| {
                let said = Said::of(record.kind).filter(|said| said.is_real())?;
                Some((record.at, said))
            });
            let Some((stop, Said::Stop)) = real.min() else { continue };
            if !self.exhibit.spans.iter().any(|(from, to)| start.at < *to && *from < stop) {
                continue;
            }
            let key = (start.nas.clone(), start.session);
            let names: BTreeSet<_> = own.iter().filter_map(|record| record.subscriber.as_ref()).collect();
            for name in names {
                let from = start.at.minus(INFERRED_START_SLACK);
                let spoken = self.observations.spoken(&policy.entity, name, &key, from, stop)?;
                self.exhibit.spoken.extend(spoken.into_iter().map(|at| (key.clone(), name.clone(), at)));
            }
        }
        Ok(())
    }

    /// Keeps who was heard when, of the sources that spoke here and those that would have known.
    fn read_coverage(&mut self, insides: &BTreeSet<Inside>) {
        let records = self.exhibit.rows.values().flatten().map(|(record, _)| record);
        let mut sources: BTreeSet<_> =
            records.chain(self.exhibit.marks()).map(|record| record.source.clone()).collect();
        let outside = (self.exhibit.realm.clone(), self.exhibit.network);
        let inside = insides.iter().map(|inside| (inside.realm.clone(), inside.network));
        for (realm, network) in inside.chain([outside]) {
            let question = Question { address: network.address(), at: self.exhibit.now, port: None, realm };
            sources.extend(Watch::over(self.config, self.coverage, &question).responsible());
        }
        let spans = widened(&self.exhibit.spans, self.config.retention.carry_interval);
        if let (Some((from, _)), Some((_, to))) = (spans.first(), spans.last()) {
            self.exhibit.coverage = self.coverage.excerpt(&sources, *from, *to);
        }
    }

    /// The buckets of the window, from one of them on.
    fn buckets(&self, first: Option<Bucket>) -> impl Iterator<Item = Bucket> + use<> {
        let width = self.config.retention.bucket;
        let oldest = width.bucket_of(self.exhibit.horizon);
        let first = first.map_or(oldest, |first| first.max(oldest));
        (first.0..=width.bucket_of(self.exhibit.now).0).map(Bucket)
    }
}

fn widened(spans: &[(Timestamp, Timestamp)], by: Duration) -> Spans {
    spans.iter().map(|(from, to)| (from.minus(by), to.plus(by))).collect()
}

fn sessions(rows: &[Row]) -> BTreeSet<SessionKey> {
    rows.iter().map(|(record, _)| (record.nas.clone(), record.session)).collect()
}
