//! From an event to the records that are kept of it. Pure but for the keyed hash that names a session.
//!
//! An event is taken apart by address: each is its own record, so that it is found and destroyed by itself. What is not
//! kept is counted under a reason, and the event is acknowledged all the same.

pub mod events;
mod instant;
pub mod radius;

pub use instant::{MAX_SANE_DELAY, MAX_SKEW, instant_of};

use std::time::Duration;

use crate::config::{Config, Resets, Source};
use crate::domain::address::{Network, Realm};
use crate::domain::event::{Assigned, BlockChange, Event, EventKind, Outside, Quarantine};
use crate::domain::identity::{Entity, Line, SessionTag, SourceName};
use crate::domain::nat::Inside;
use crate::domain::record::{Kind, Record, Subject, TimeQuality};
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::Sealer;

/// What becomes of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// What is kept, each with the entity whose subscriber name it carries.
    pub records: Vec<(Record, Entity)>,
    /// Why something, or all of it, is not.
    pub quarantined: Vec<Quarantine>,
    /// It lay before the cutoff when it arrived: acknowledged, counted, never stored.
    pub expired_on_arrival: bool,
    /// The instant it speaks of.
    pub at: Timestamp,
}

/// Decides what is kept of an event that `source` delivered at `received`. What `expired` hides is past for good.
pub fn admit(
    event: &Event,
    source: &Source,
    config: &Config,
    sealer: &Sealer,
    received: Timestamp,
    expired: Cutoff,
) -> Admission {
    let (at, quality) = instant_of(event.time, received);
    let mut admission = Admission { at, ..Admission::default() };
    if expired.hides(at) {
        admission.expired_on_arrival = true;
        return admission;
    }
    if at < received.minus(source.max_delay) {
        admission.quarantined.push(Quarantine::TooLate);
        return admission;
    }
    let session = match &event.session {
        Some(session) => sealer.session_tag(&event.nas, session),
        None => sealer.line_tag(&event.nas, event.subscriber.as_ref(), event.line.mac),
    };
    let maker = Maker { event, source, config, session, at, quality, received, expired };
    maker.fill(&mut admission);
    admission
}

/// Makes the records of one event.
struct Maker<'a> {
    event: &'a Event,
    source: &'a Source,
    config: &'a Config,
    session: SessionTag,
    at: Timestamp,
    quality: TimeQuality,
    received: Timestamp,
    expired: Cutoff,
}

impl Maker<'_> {
    fn fill(&self, admission: &mut Admission) {
        match self.event.kind {
            EventKind::Start => self.assignments(Kind::Start, admission),
            EventKind::Update => self.assignments(Kind::Update, admission),
            EventKind::Stop => {
                self.assignments(Kind::Stop, admission);
                // A stop often names no address: its marker ends the session on every address it holds.
                admission.records.push((self.bare(Kind::SessionEnd, Subject::Session), Entity::default()));
            }
            EventKind::Logon => self.logon(admission),
            EventKind::Vacated => self.assignments(Kind::Vacated, admission),
            EventKind::NasReset if self.source.resets == Resets::Ignore => {}
            EventKind::NasReset => {
                admission.records.push((self.bare(Kind::Reset, Subject::Nas), Entity::default()));
            }
        }
    }

    fn assignments(&self, kind: Kind, admission: &mut Admission) {
        for assigned in &self.event.assigned {
            match self.entity_of(assigned.network) {
                Err(reason) => admission.quarantined.push(reason),
                Ok(entity) => {
                    if let Some(began) = self.inferred_start(kind) {
                        let record = self.assignment(Kind::InferredStart, *assigned, began);
                        admission.records.push((record, entity.clone()));
                    }
                    let kind = kind_of_block(kind, assigned.outside);
                    admission.records.push((self.assignment(kind, *assigned, self.at), entity));
                }
            }
        }
        if !self.event.assigned.is_empty() {
            return;
        }
        match (kind, &self.event.subscriber) {
            (Kind::Start, Some(_)) => self.logon(admission),
            (Kind::Stop, _) => {}
            _ => admission.quarantined.push(Quarantine::NoAddress),
        }
    }

    fn logon(&self, admission: &mut Admission) {
        if self.event.subscriber.is_none() {
            admission.quarantined.push(Quarantine::NoSubscriber);
            return;
        }
        let entity = self.default_entity();
        admission.records.push((self.full(Kind::Logon, Subject::Subscriber, self.at), entity));
    }

    /// Whose subscribers the network is assigned to, if all of it is ours and this source may speak of it.
    fn entity_of(&self, network: Network) -> Result<Entity, Quarantine> {
        if self.config.networks.is_empty() {
            return Ok(Entity::default());
        }
        let of = self.config.network_around(network).ok_or(Quarantine::NotOurs)?;
        if of.sources.is_empty() || of.sources.contains(&self.source.name) {
            Ok(Entity(of.entity.clone()))
        } else {
            Err(Quarantine::ForeignSource)
        }
    }

    /// A logon names no address. It belongs to the entity of the networks that name its source, if they agree.
    fn default_entity(&self) -> Entity {
        let mut named = self.config.networks.iter().filter(|network| network.sources.contains(&self.source.name));
        let first = named.next().map(|network| network.entity.clone()).unwrap_or_default();
        if named.all(|network| network.entity == first) { Entity(first) } else { Entity::default() }
    }

    /// A stop's session length proves when the session began, not when it got this address. It is kept as a candidate,
    /// if it lies inside the window: no record carries a time that may not be kept.
    fn inferred_start(&self, kind: Kind) -> Option<Timestamp> {
        let length = self.event.session_time.filter(|length| kind == Kind::Stop && *length > Duration::ZERO)?;
        let began = self.at.minus(length);
        (!self.expired.hides(began)).then_some(began)
    }

    fn assignment(&self, kind: Kind, assigned: Assigned, at: Timestamp) -> Record {
        let realm = if assigned.outside.is_some() { &self.source.outside_realm } else { &self.source.realm };
        let subject =
            Subject::Assignment { realm: Realm(realm.clone()), network: assigned.network, ports: assigned.ports };
        let inside = assigned.outside.and_then(|outside| outside.inside);
        let inside = inside.map(|network| Inside { realm: Realm(self.source.realm.clone()), network });
        // What has run out already when it is said holds nothing; a stop's lease has ended with it.
        let lease_end = self.event.lease_end.filter(|end| matches!(kind, Kind::Start | Kind::Update) && *end > at);
        Record { lease_end, inside, ..self.full(kind, subject, at) }
    }

    fn full(&self, kind: Kind, subject: Subject, at: Timestamp) -> Record {
        Record {
            at,
            subscriber: self.event.subscriber.clone(),
            line: self.event.line.clone(),
            receive_delay: self.received.since(at),
            ..self.bare(kind, subject)
        }
    }

    /// A marker: it says when and of what, and names nobody.
    fn bare(&self, kind: Kind, subject: Subject) -> Record {
        Record {
            at: self.at,
            kind,
            subject,
            source: SourceName(self.source.name.clone()),
            nas: self.event.nas.clone(),
            session: self.session,
            subscriber: None,
            line: Line::default(),
            quality: self.quality,
            receive_delay: self.received.since(self.at),
            lease_end: None,
            terminate_cause: self.event.terminate_cause,
            inside: None,
            named_earlier: false,
        }
    }
}

/// A block of ports that is freed has ended, and one that is allocated has begun, while its session goes on. An update
/// would not do for the latter: after the session's own stop of the block it would mean nothing.
const fn kind_of_block(kind: Kind, outside: Option<Outside>) -> Kind {
    match (kind, outside) {
        (_, Some(Outside { change: BlockChange::Freed, .. })) => Kind::Stop,
        (Kind::Update, Some(Outside { change: BlockChange::Allocated, .. })) => Kind::Start,
        _ => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::domain::event::EventTime;

    #[test]
    fn a_prefix_is_ours_only_if_all_of_it_lies_in_one_configured_network() {
        let network = |prefix: &str, entity: &str| config::Network {
            prefix: prefix.parse().unwrap(),
            entity: entity.to_owned(),
            sources: Vec::new(),
            shared: false,
        };
        let config = Config {
            networks: vec![network("2001:db8:100::/40", "north"), network("2001:db8:100::/56", "south")],
            ..Config::default()
        };
        let (source, at) = (Source::named("bng-1", &config.retention), Timestamp::from_millis(1));
        let event = Event {
            kind: EventKind::Start,
            time: EventTime::default(),
            nas: crate::domain::identity::NasId("bng-1".to_owned()),
            session: None,
            subscriber: None,
            assigned: Vec::new(),
            line: Line::default(),
            lease_end: None,
            session_time: None,
            terminate_cause: None,
        };
        let maker = Maker {
            event: &event,
            source: &source,
            config: &config,
            session: SessionTag([0; 8]),
            at,
            quality: TimeQuality::Received,
            received: at,
            expired: Cutoff::of(at, Duration::ZERO),
        };
        let entity_of = |prefix: &str| maker.entity_of(Network::new(prefix.parse().unwrap()));
        assert_eq!(entity_of("2001:db8:100::/64"), Ok(Entity("south".to_owned())));
        assert_eq!(entity_of("2001:db8:100::/56"), Ok(Entity("south".to_owned())));
        // It begins in the smaller network, and is not all in it.
        assert_eq!(entity_of("2001:db8:100::/48"), Ok(Entity("north".to_owned())));
        assert_eq!(entity_of("2001:db8:100::/32"), Err(Quarantine::NotOurs));
        assert_eq!(entity_of("2001:db8:200::/64"), Err(Quarantine::NotOurs));
    }
}
