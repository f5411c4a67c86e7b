//! Forgetting never changes an answer: a store that is settled and forgets agrees, at every moment of asking, with a reference
//! that has heard the same and forgets nothing.
//!
//! A history is a customer site: an IPv4 address, a delegated /56, a /64 and an address inside it, and up to four sessions
//! that hold some of them, or some ports. What a source says of it is lost, doubled, late and out of order; leases end,
//! stops name no address, NASes are reset and addresses declined. Time goes by in steps; in each, what has arrived by then is
//! committed, some buckets are settled or none, keys of what is past are destroyed, the pass is begun anew now and then, and
//! questions are asked. The number of histories is `LAPSED_SETTLED_HISTORIES`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod random;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use lapsed::config::{Config, RadiusClient, Secret, Source};
use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::coverage::Coverage;
use lapsed::domain::event::{Assigned, Event, EventKind, EventTime};
use lapsed::domain::identity::{Line, NasId, SessionId, SourceName, SubscriberId};
use lapsed::domain::record::{Kind, Record, Subject};
use lapsed::domain::retention::Retention;
use lapsed::domain::selection::Selection;
use lapsed::domain::session::{self, Read, Rules, Run, Said, Statement};
use lapsed::domain::time::{Bucket, BucketWidth, Timestamp};
use lapsed::domain::verdict::Verdict;
use lapsed::ingest::admit;
use lapsed::lookup::{Question, Reach, look_up};
use lapsed::settle::Settler;
use lapsed::store::{Batch, Opening, Place, Store};
use random::Random;

const BASE: u64 = 1_790_000_000;
const WIDTH: u32 = 10;
const WINDOW: u64 = 300;
const CARRY: u32 = 3;
/// The last instant of a history, in seconds after the base.
const END: u64 = 800;

/// Something a source says: when, and when that arrives.
#[derive(Clone, Debug)]
struct Told {
    arrives: u64,
    at: u64,
    session: u32,
    kind: EventKind,
    named: Vec<Assigned>,
    lease: Option<u64>,
}

struct Site {
    number: u32,
    networks: [Network; 4],
    told: Vec<Told>,
}

impl Site {
    fn random(number: u32) -> Self {
        let mut random = Random(u64::from(number) ^ 0x51_7e00);
        let networks = networks_of(number);
        let mut told = Vec::new();
        for session in 0..=below(&mut random, 4) {
            let ports = match random.below(4) {
                0 => Ports::new(1024, 2047).unwrap(),
                1 => Ports::new(2048, 4095).unwrap(),
                _ => Ports::ALL,
            };
            let holds: Vec<usize> = match random.below(5) {
                0 => vec![0, 1],
                1 => vec![1, 2],
                2 => vec![0, 1, 2, 3],
                _ => vec![usize::try_from(random.below(4)).unwrap()],
            };
            let leased = random.below(3) == 0;
            let mut at = 40 + random.below(300);
            for _ in 0..=random.below(14) {
                let kind = match random.below(40) {
                    0 => EventKind::NasReset,
                    1 => EventKind::Vacated,
                    2..=9 => EventKind::Start,
                    10..=31 => EventKind::Update,
                    _ => EventKind::Stop,
                };
                let bare = kind == EventKind::NasReset || (kind != EventKind::Vacated && random.below(9) == 0);
                let assigned = |index: &usize| Assigned { network: networks[*index], ports, outside: None };
                let named = if bare { Vec::new() } else { holds.iter().map(assigned).collect() };
                let lease = (leased && random.below(4) != 0).then(|| at + 15 + random.below(150));
                let delay = match random.below(20) {
                    0 => random.below(250),
                    1..=4 => random.below(45),
                    _ => random.below(3),
                };
                if at < END && random.below(12) != 0 {
                    let event = Told { arrives: at + delay, at, session, kind, named, lease };
                    if random.below(20) == 0 {
                        told.push(Told { arrives: at + delay + random.below(60), ..event.clone() });
                    }
                    told.push(event);
                }
                at += [1, 5, 12, 30, 33, 70, 95][usize::try_from(random.below(7)).unwrap()];
            }
        }
        Self { number, networks, told }
    }

    fn event(&self, told: &Told) -> Event {
        Event {
            kind: told.kind,
            time: EventTime { stamp: Some(instant(told.at)), delay: None },
            nas: NasId(format!("nas-{}-{}", self.number, told.session % 2)),
            session: Some(SessionId(told.session.to_be_bytes().to_vec())),
            session_time: None,
            assigned: told.named.clone(),
            // An absent name erases none.
            subscriber: (!told.at.is_multiple_of(3))
                .then(|| SubscriberId(format!("user{}-{}", self.number, told.session / 2))),
            line: Line::default(),
            terminate_cause: None,
            lease_end: told.lease.map(instant),
        }
    }

    /// An address of the site, with the networks around it, the longest first.
    fn address(&self, random: &mut Random) -> (IpAddr, Vec<Network>) {
        let [v4, inner, outer, single] = self.networks;
        match random.below(3) {
            0 => (v4.address(), vec![v4]),
            1 => (single.address(), vec![single, inner, outer]),
            _ => (format!("{}9", inner.address()).parse().unwrap(), vec![inner, outer]),
        }
    }
}

fn networks_of(number: u32) -> [Network; 4] {
    let [_, a, b, c] = number.to_be_bytes();
    let net = |text: String| Network::new(text.parse().unwrap());
    let site = format!("{:x}:{:x}", (u16::from(a) << 8) | u16::from(b), u16::from(c) << 8);
    [
        net(format!("10.{a}.{b}.{c}/32")),
        net(format!("2001:db8:{site}::/64")),
        net(format!("2001:db8:{site}::/56")),
        net(format!("2001:db8:{site}::7/128")),
    ]
}

fn below(random: &mut Random, bound: u64) -> u32 {
    u32::try_from(random.below(bound)).unwrap()
}

fn instant(at: u64) -> Timestamp {
    Timestamp::from_millis((BASE + at) * 1000)
}

fn config() -> Config {
    let seconds = Duration::from_secs;
    let retention = Retention {
        window: seconds(WINDOW),
        bucket: BucketWidth::from_secs(WIDTH).unwrap(),
        purge_interval: seconds(10),
        carry_interval: seconds(u64::from(CARRY * WIDTH)),
        max_silence: Some(seconds(60)),
    };
    let client = RadiusClient {
        network: "127.0.0.0/8".parse().unwrap(),
        source: Source::named("bng-1", &retention),
        secret: Secret::from_bytes(b"made-up").unwrap(),
        secret_file: "none".into(),
        secret_exposed: false,
        selection: Selection::default(),
    };
    let mut config = Config { retention, ..Config::default() };
    config.lookup.margin = Duration::ZERO;
    config.lookup.shared_margin = Duration::ZERO;
    config.radius.clients.push(client);
    config
}

/// Who holds one of the networks at an instant, by everything that was ever heard.
fn holders(heard: &[Record], around: &[Network], port: Option<u16>, at: Timestamp) -> BTreeSet<String> {
    around
        .iter()
        .map(|network| holders_of(heard, *network, port, at))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn holders_of(heard: &[Record], of: Network, port: Option<u16>, at: Timestamp) -> BTreeSet<String> {
    let (mut runs, mut keys, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    let mut own: Vec<(Statement, &Record)> = Vec::new();
    for record in heard.iter().filter(|record| record.at <= at && record.kind != Kind::Vacated) {
        let Subject::Assignment { network, ports, .. } = record.subject else { continue };
        if network != of {
            continue;
        }
        let session = (record.nas.clone(), record.session);
        let number = position(&mut sessions, session);
        let run = position(&mut keys, (number, ports));
        if run == runs.len() {
            runs.push(Run { session: u32::try_from(number).unwrap(), ports, silence: Some(6) });
        }
        let said = Said::of(record.kind).unwrap();
        own.push((
            Statement { at: record.at, said, run, lease_end: record.lease_end, meaning: None, hint: None },
            record,
        ));
    }
    let mut statements: Vec<Statement> = own.iter().map(|(statement, _)| *statement).collect();
    for record in heard.iter().filter(|record| record.at <= at) {
        for (run, of_run) in runs.iter().enumerate() {
            let (nas, session) = &sessions[usize::try_from(of_run.session).unwrap()];
            let said = match (&record.subject, record.kind) {
                (Subject::Session, _) if record.nas == *nas && record.session == *session => Said::SessionEnd,
                (Subject::Nas, _) if record.nas == *nas => Said::Reset,
                (Subject::Assignment { network, .. }, Kind::Vacated) if *network == of && record.nas == *nas => {
                    Said::Reset
                }
                _ => continue,
            };
            statements.push(Statement { at: record.at, said, run, lease_end: None, meaning: None, hint: None });
        }
    }
    let rules = Rules { width: BucketWidth::from_secs(WIDTH).unwrap(), carry_buckets: CARRY };
    let read = Read { from: instant(0), settled_through: None, hinted_through: None, through: at };
    let spans = session::spans(&session::settle_read(&runs, &statements, rules, read).settled);
    let holds = |run: usize| port.is_none_or(|port| runs[run].ports.contains(port));
    let open = spans.iter().filter(|held| held.covers(at) && holds(held.run));
    open.map(|held| {
        let mut of_run: Vec<&Record> =
            own.iter().filter(|(said, _)| said.run == held.run).map(|(_, record)| *record).collect();
        of_run.sort_by_key(|record| record.at);
        // What a session was called before it began anew does not count.
        of_run.retain(|record| record.at >= held.from.at);
        let named = of_run.iter().rev().find_map(|record| record.subscriber.clone());
        named.map_or_else(|| format!("{:?}", sessions[usize::try_from(runs[held.run].session).unwrap()]), |name| name.0)
    })
    .collect()
}

fn position<T: PartialEq>(all: &mut Vec<T>, one: T) -> usize {
    all.iter().position(|known| *known == one).unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    })
}

#[expect(clippy::disallowed_methods, reason = "the size of a test is no setting of the product")]
fn number_of_histories() -> u32 {
    std::env::var("LAPSED_SETTLED_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

struct World {
    config: Config,
    store: Arc<Store>,
    settler: Settler,
    sites: Vec<Site>,
    /// What was heard of each site.
    heard: Vec<Vec<Record>>,
    random: Random,
    asked: u64,
}

impl World {
    fn hear(&mut self, before: u64, now: u64) {
        let sealer = self.store.sealer();
        let source = &self.config.radius.clients[0].source;
        let cutoff = self.config.retention.cutoff(instant(now));
        let mut batch = Batch::new();
        for (site, heard) in self.sites.iter().zip(&mut self.heard) {
            for told in site.told.iter().filter(|told| before < told.arrives && told.arrives <= now) {
                let admission = admit(&site.event(told), source, &self.config, &sealer, instant(now), cutoff);
                for (record, entity) in admission.records {
                    batch.record(sealer.seal(&record, &entity).unwrap());
                    heard.push(record);
                }
            }
        }
        self.store.commit(batch).unwrap();
    }

    fn ask(&mut self, now: u64) {
        for _ in 0..self.sites.len() / 3 + 1 {
            let index = usize::try_from(self.random.below(self.sites.len() as u64)).unwrap();
            let site = &self.sites[index];
            let (address, around) = site.address(&mut self.random);
            let oldest = now.saturating_sub(WINDOW);
            let at = match self.random.below(4) {
                0 => now - self.random.below(60).min(now),
                // Where evidence is going.
                1 => (oldest + self.random.below(35)).min(now),
                _ => oldest + self.random.below(now - oldest + 1),
            };
            let port = [None, Some(80), Some(1500), Some(3000)][usize::try_from(self.random.below(4)).unwrap()];
            let question = Question { address, at: instant(at), port, realm: Realm::default() };
            let expected = holders(&self.heard[index], &around, port, instant(at));
            let mut coverage = Coverage::new(self.config.retention.bucket);
            coverage.hear(&SourceName("bng-1".into()), instant(now));
            for reach in [Reach::Verdict, Reach::Evidence, Reach::Everything] {
                let cutoff = self.config.retention.cutoff(instant(now));
                let answer =
                    look_up(&self.store, &self.config, &coverage, &question, reach, cutoff, instant(now)).unwrap();
                let context = || {
                    let of = |at: Timestamp| i64::try_from(at.millis() / 1000).unwrap() - i64::try_from(BASE).unwrap();
                    let settled = self.store.settled_through().map(|bucket| {
                        of(instant(0)) + i64::from(bucket.0) * i64::from(WIDTH) - i64::try_from(BASE).unwrap()
                    });
                    let told: Vec<String> = self.heard[index]
                        .iter()
                        .map(|r| {
                            format!(
                                "{} {:?} {} {:?} lease {:?} {:?}",
                                of(r.at),
                                r.kind,
                                r.session,
                                r.subject,
                                r.lease_end.map(of),
                                r.subscriber.as_ref().map(|s| s.0.clone())
                            )
                        })
                        .collect();
                    let mut observations = self.store.observations(cutoff);
                    let mut stored = Vec::new();
                    for bucket in (instant(oldest).millis() / 10_000)..=(instant(now).millis() / 10_000) {
                        for network in &around {
                            let realm = Realm::default();
                            let place = Place::Address { realm: &realm, network: *network };
                            for r in observations.in_bucket(&place, Bucket(u32::try_from(bucket).unwrap())).unwrap() {
                                stored.push(format!(
                                    "{network} {} {:?} {} {:?}",
                                    of(r.at),
                                    r.kind,
                                    r.session,
                                    r.subscriber.map(|s| s.0)
                                ));
                            }
                        }
                    }
                    eprintln!("STORED\n{}", stored.join("\n"));
                    format!(
                        "site {} {address} port {port:?} at {at} now {now} horizon {oldest} by {reach:?}, settled through {settled:?}: {expected:?} {answer:?}\n{}",
                        site.number,
                        told.join("\n")
                    )
                };
                let nobody = matches!(answer.verdict, Verdict::Unassigned | Verdict::NoCoverage);
                assert_eq!(nobody, expected.is_empty(), "{}", context());
                // Who was not named by then is named by what followed, where that was read.
                if expected.iter().any(|name| name.starts_with('(')) {
                    continue;
                }
                assert_eq!(answer.sharing, expected.len(), "{}", context());
                if expected.len() == 1 && answer.verdict != Verdict::Ambiguous {
                    let named = answer.holder.as_ref().and_then(|holder| holder.subscriber.as_ref());
                    assert_eq!(named.map(|name| &name.0), expected.first(), "{}", context());
                }
                self.asked += 1;
            }
        }
    }
}

#[test]
fn forgetting_never_changes_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let config = config();
    let store = Arc::new(
        Store::open(dir.path(), dir.path(), &config.retention, Opening::at(instant(0), &config.retention)).unwrap(),
    );
    let sites: Vec<Site> = (0..number_of_histories()).map(Site::random).collect();
    let heard = sites.iter().map(|_| Vec::new()).collect();
    let settler = Settler::new(Arc::clone(&store), &config);
    let mut world = World { config, store, settler, sites, heard, random: Random(7), asked: 0 };
    let mut before = 0;
    let mut lagging = 0_u64;
    while before < END + WINDOW {
        let now = before + 1 + world.random.below(19);
        world.store.make_keys(instant(now)).unwrap();
        world.hear(before, now);
        if world.random.below(12) == 0 {
            world.settler = Settler::new(Arc::clone(&world.store), &world.config);
        }
        // Now and then the pass lags behind for a while.
        lagging = if lagging == 0 && world.random.below(15) == 0 {
            1 + world.random.below(6)
        } else {
            lagging.saturating_sub(1)
        };
        if lagging == 0 {
            world.settler.catch_up(instant(now)).unwrap();
        }
        let cutoff = world.config.retention.cutoff(instant(now));
        world.store.hide(cutoff);
        world.store.destroy_keys(cutoff).unwrap();
        world.ask(now);
        before = now;
    }
    let work = world.settler.work();
    assert!(world.asked > 0 && work.buckets > 0, "{work:?}");
}
