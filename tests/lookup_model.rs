//! A lookup in a store agrees with the naive reference, over many thousand random histories in one store.
//!
//! A history is a customer site: an IPv4 address, a delegated /56, a /64 and an address inside it, and up to four sessions
//! that hold some of them. What a source says of it is lost, doubled, late and out of order; session ids are used again;
//! stops come before starts, or name no address. The number of histories is `LAPSED_HISTORIES`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod reference;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use lapsed::config::{Config, RadiusClient, Secret, Source};
use lapsed::domain::address::{Network, Realm};
use lapsed::domain::coverage::Coverage;
use lapsed::domain::event::{Assigned, Event, EventKind, EventTime};
use lapsed::domain::identity::{Line, NasId, SessionId, SourceName, SubscriberId};
use lapsed::domain::retention::Retention;
use lapsed::domain::selection::Selection;
use lapsed::domain::time::{BucketWidth, Timestamp};
use lapsed::domain::verdict::Verdict;
use lapsed::ingest::admit;
use lapsed::lookup::{Answer, Question, Reach, look_up};
use lapsed::store::{Batch, Opening, Store};
use reference::{Rules, Word};

/// A multiple of the bucket's width, so that the reference may count from 0.
const BASE: u64 = 1_790_000_000;
const WIDTH: u64 = 10;
const WINDOW: u64 = 300;
const RULES: Rules = Rules { width: WIDTH, carry: 3, silence: Some(6) };
/// Horizons at which is asked, in seconds after the base: nearly everything is there; the first part is gone.
const HORIZONS: [u64; 2] = [3, 53];

/// A small generator with a fixed seed: the same histories in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// Something a source said in a history, in seconds after the base.
#[derive(Clone, Debug)]
struct Said {
    at: u64,
    session: u32,
    kind: EventKind,
    /// Which of the site's networks it names.
    named: Vec<usize>,
    session_time: Option<u64>,
}

struct History {
    number: u32,
    said: Vec<Said>,
}

impl History {
    fn random(number: u32) -> Self {
        let mut random = Random(u64::from(number));
        let mut said = Vec::new();
        for session in 0..=u32::try_from(random.below(4)).unwrap() {
            let holds: Vec<usize> = match random.below(5) {
                0 => vec![0],
                1 => vec![0, 1],
                2 => vec![1, 2],
                3 => vec![0, 1, 2, 3],
                _ => vec![random.pick(&[0, 1, 2, 3])],
            };
            let mut at = random.below(200);
            for _ in 0..=random.below(7) {
                let kind = random.pick(&[
                    EventKind::Start,
                    EventKind::Start,
                    EventKind::Update,
                    EventKind::Update,
                    EventKind::Update,
                    EventKind::Stop,
                    EventKind::Stop,
                ]);
                let kind = if random.chance(2) { EventKind::NasReset } else { kind };
                let named = if random.chance(12) || kind == EventKind::NasReset { Vec::new() } else { holds.clone() };
                let session_time = (kind == EventKind::Stop && random.chance(40)).then(|| random.below(80));
                if at < 290 {
                    said.push(Said { at, session, kind, named, session_time });
                }
                at += random.pick(&[1, 5, 12, 30, 33, 70]);
            }
        }
        Self { number, said }
    }

    fn networks(&self) -> [Network; 4] {
        let [_, a, b, c] = self.number.to_be_bytes();
        let net = |text: String| Network::new(text.parse().unwrap());
        let site = format!("{:x}:{:x}", (u16::from(a) << 8) | u16::from(b), u16::from(c) << 8);
        [
            net(format!("10.{a}.{b}.{c}/32")),
            net(format!("2001:db8:{site}::/64")),
            net(format!("2001:db8:{site}::/56")),
            net(format!("2001:db8:{site}::7/128")),
        ]
    }

    /// The addresses asked about, each with the networks around it, the longest first.
    fn addresses(&self) -> Vec<(IpAddr, Vec<usize>)> {
        let networks = self.networks();
        let inside = |host: &str| format!("{}{host}", networks[1].address()).parse().unwrap();
        vec![(networks[0].address(), vec![0]), (networks[3].address(), vec![3, 1, 2]), (inside("9"), vec![1, 2])]
    }

    /// Two sessions of a site often belong to one customer.
    fn subscriber(&self, session: u32) -> String {
        format!("user{}-{}@example.net", self.number, session / (1 + self.number % 2))
    }

    fn event(&self, said: &Said) -> Event {
        let networks = self.networks();
        Event {
            kind: said.kind,
            time: EventTime { stamp: Some(instant(said.at)), delay: None },
            nas: NasId(format!("nas-{}", self.number)),
            session: Some(SessionId(said.session.to_be_bytes().to_vec())),
            session_time: said.session_time.map(Duration::from_secs),
            assigned: said.named.iter().map(|index| Assigned::whole(networks[*index])).collect(),
            subscriber: Some(SubscriberId(self.subscriber(said.session))),
            line: Line::default(),
            terminate_cause: None,
            lease_end: None,
        }
    }

    /// What the store can know of one network at a horizon, in the reference's words.
    fn words(&self, network: usize, horizon: u64) -> Vec<reference::Said> {
        let visible = || self.said.iter().filter(|said| said.at >= horizon);
        let known: BTreeSet<u32> =
            visible().filter(|said| said.named.contains(&network)).map(|said| said.session).collect();
        let mut words = BTreeSet::new();
        for said in visible() {
            let own = known.contains(&said.session);
            let named = said.named.contains(&network);
            match said.kind {
                EventKind::Start if named => words.insert((said.at, said.session, Word::Start)),
                EventKind::Update if named => words.insert((said.at, said.session, Word::Update)),
                EventKind::Stop => {
                    if named {
                        words.insert((said.at, said.session, Word::Stop));
                    }
                    own && words.insert((said.at, said.session, Word::End))
                }
                EventKind::NasReset => {
                    words.extend(known.iter().map(|session| (said.at, *session, Word::Reset)));
                    false
                }
                EventKind::Start | EventKind::Update | EventKind::Logon | EventKind::Vacated => false,
            };
        }
        words.into_iter().collect()
    }

    /// The subscribers that a stop alone says held a network: no statement of its session contradicts it.
    fn hinted(&self, network: usize, horizon: u64, at: u64) -> BTreeSet<String> {
        let stored = |said: &&Said| said.at >= horizon && (!said.named.is_empty() || said.kind == EventKind::Start);
        let stops = self.said.iter().filter(|said| said.kind == EventKind::Stop && said.named.contains(&network));
        let mut hinted = BTreeSet::new();
        for stop in stops.filter(|said| said.at >= horizon) {
            let Some(began) = stop.session_time.filter(|time| *time > 0).and_then(|time| stop.at.checked_sub(time))
            else {
                continue;
            };
            let own = |said: &&Said| said.session == stop.session && said.at + 5 >= began;
            let next = self.said.iter().filter(stored).filter(own).filter(|said| said.named.contains(&network));
            let Some(next) = next.min_by_key(|said| said.at) else { continue };
            let ends = next.kind == EventKind::Stop && next.at >= began;
            let spoke = self.said.iter().filter(stored).filter(own).any(|said| said.at < next.at);
            if ends && !spoke && began >= horizon && began <= at && at < next.at {
                hinted.insert(self.subscriber(stop.session));
            }
        }
        hinted
    }

    /// The subscribers that hold an address at an instant, and whether that rests on a stop alone.
    fn holders(&self, around: &[usize], horizon: u64, at: u64) -> (BTreeSet<String>, bool) {
        for network in around {
            let words = self.words(*network, horizon);
            let settled = RULES.settle(&words, horizon, at + RULES.carry * WIDTH);
            let open = RULES.resolve(&settled, at);
            if !open.is_empty() {
                return (open.into_iter().map(|session| self.subscriber(session)).collect(), false);
            }
        }
        let hinted = around.iter().map(|network| self.hinted(*network, horizon, at)).find(|found| !found.is_empty());
        (hinted.unwrap_or_default(), true)
    }
}

fn instant(at: u64) -> Timestamp {
    Timestamp::from_millis((BASE + at) * 1000)
}

fn config() -> Config {
    let seconds = Duration::from_secs;
    let retention = Retention {
        window: seconds(WINDOW),
        bucket: BucketWidth::from_secs(u32::try_from(WIDTH).unwrap()).unwrap(),
        purge_interval: seconds(10),
        carry_interval: seconds(RULES.carry * WIDTH),
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
    config.radius.clients.push(client);
    config
}

/// Stores what the sources said: some of it twice, all of it in a wild order.
fn fill(store: &Store, config: &Config, histories: &[History]) {
    let mut random = Random(1);
    let (sealer, source) = (store.sealer(), &config.radius.clients[0].source);
    let mut said: Vec<(&History, &Said)> =
        histories.iter().flat_map(|history| history.said.iter().map(move |said| (history, said))).collect();
    for index in (1..said.len()).rev() {
        said.swap(index, usize::try_from(random.below(index as u64 + 1)).unwrap());
    }
    for chunk in said.chunks(1000) {
        let mut batch = Batch::new();
        for (history, said) in chunk {
            for _ in 0..if random.chance(5) { 2 } else { 1 } {
                let admission = {
                    let now = instant(WINDOW);
                    admit(&history.event(said), source, config, &sealer, now, config.retention.cutoff(now))
                };
                assert!(!admission.expired_on_arrival);
                for (record, entity) in &admission.records {
                    batch.record(sealer.seal(record, entity).unwrap());
                }
            }
        }
        store.commit(batch).unwrap();
    }
}

/// Asks about a history at a few instants and compares; returns how often.
fn check(store: &Store, config: &Config, history: &History) -> u64 {
    let mut random = Random(u64::from(history.number) ^ 0x5eed);
    let mut coverage = Coverage::new(config.retention.bucket);
    coverage.hear(&SourceName("bng-1".into()), instant(WINDOW));
    let mut asked = 0;
    for horizon in HORIZONS {
        for (address, around) in history.addresses() {
            let at = match random.below(3) {
                0 => random.below(290),
                // Near something that was said.
                _ => history
                    .said
                    .get(usize::try_from(random.below(9)).unwrap())
                    .map_or(100, |said| said.at + random.below(4)),
            }
            .max(horizon);
            let question = Question { address, at: instant(at), port: None, realm: Realm::default() };
            let now = instant(WINDOW + horizon);
            let ask =
                |reach| look_up(store, config, &coverage, &question, reach, config.retention.cutoff(now), now).unwrap();
            let (verdict, answer, everything) = (ask(Reach::Verdict), ask(Reach::Evidence), ask(Reach::Everything));
            let context =
                || format!("history {} {address} at {at} horizon {horizon}: {:?}", history.number, history.said);
            // Reading more can turn up the end of a session that fell silent: then nobody is known to have held it on evidence.
            let nobody = |verdict| if verdict == Verdict::NoCoverage { Verdict::Unassigned } else { verdict };
            let facts = |answer: &Answer| {
                (nobody(answer.verdict), answer.holder.clone(), answer.since, answer.until, answer.sharing)
            };
            assert_eq!(facts(&answer), facts(&everything), "reading less changed the answer: {}", context());
            let who = |answer: &Answer| (nobody(answer.verdict), answer.holder.clone(), answer.sharing);
            assert_eq!(
                who(&verdict),
                who(&everything),
                "reading no more than needed changed the verdict: {}",
                context()
            );
            let (holders, hinted) = history.holders(&around, horizon, at);
            let expected: &[Verdict] = match (holders.len(), hinted) {
                (0, _) => &[Verdict::Unassigned, Verdict::NoCoverage],
                (1, false) => &[Verdict::Attributed],
                (1, true) => &[Verdict::Uncertain],
                (_, _) => &[Verdict::Ambiguous],
            };
            assert!(expected.contains(&answer.verdict), "{:?}, not {expected:?} {holders:?}: {}", answer, context());
            assert_eq!(answer.sharing, holders.len(), "{}", context());
            if holders.len() == 1 {
                let named = answer.holder.as_ref().and_then(|holder| holder.subscriber.clone());
                assert_eq!(named.map(|name| name.0), holders.first().cloned(), "{}", context());
            }
            asked += 1;
        }
    }
    asked
}

#[expect(clippy::disallowed_methods, reason = "the size of a test is no setting of the product")]
fn number_of_histories() -> u32 {
    std::env::var("LAPSED_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(5_000)
}

#[test]
fn a_lookup_agrees_with_the_reference() {
    let dir = tempfile::tempdir().unwrap();
    let config = config();
    let opening = Opening::at(instant(WINDOW), &config.retention);
    let store = Store::open(dir.path(), dir.path(), &config.retention, opening).unwrap();
    let histories: Vec<History> = (0..number_of_histories()).map(History::random).collect();
    fill(&store, &config, &histories);
    let asked: u64 = std::thread::scope(|scope| {
        let (store, config) = (&store, &config);
        let halves = histories.chunks(histories.len().div_ceil(2));
        let threads: Vec<_> = halves
            .map(|half| scope.spawn(move || half.iter().map(|history| check(store, config, history)).sum::<u64>()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(asked, 6 * histories.len() as u64);
}
