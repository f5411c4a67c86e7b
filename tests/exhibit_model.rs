//! An exhibit answers as the store did: the store settles, lags behind and forgets, exhibits of random spans are sealed in it,
//! turned into bytes and back, and asked; every answer is compared with the lookup of that moment, in all its fields.
//!
//! The histories are those of `settle_model`, and more: lines are told now and then, stops say how long their session was, some
//! ports are blocks on the outside of a NAT that reports them, and another NAT computes them. Later, when the store knows
//! nothing any more, the same exhibits are asked again. The number of histories is `LAPSED_SEALED_HISTORIES`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod random;
#[path = "settle_answers/reference.rs"]
mod reference;
mod settle_world;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lapsed::config::{self, Config};
use lapsed::domain::address::{Network, Realm};
use lapsed::domain::coverage::{Coverage, Trouble};
use lapsed::domain::event::{BlockChange, Event, EventKind, Outside};
use lapsed::domain::identity::{CircuitId, Entity, Mac, SourceName, SubscriberId};
use lapsed::domain::nat::Deterministic;
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::Verdict;
use lapsed::lookup::{Answer, Exhibit, Extent, Question, Reach, SubscriberQuestion, look_up, look_up_subscriber};
use settle_world::{Site, Told, WINDOW, World, instant};

/// Histories that share a store.
const TOGETHER: u32 = 500;
/// The margin of an address that one subscriber has, in seconds.
const MARGIN: u64 = 4;

/// What was asked of an exhibit, to be asked again.
struct Asked {
    bytes: Vec<u8>,
    question: Question,
    answer: Answer,
}

fn config(interims: bool) -> Config {
    let mut config = settle_world::config();
    config.lookup.margin = Duration::from_secs(MARGIN);
    config.lookup.shared_margin = Duration::from_secs(9);
    config.radius.clients[0].source.interims = interims;
    let network = |prefix: &str, shared: bool, sources: &[&str]| config::Network {
        prefix: prefix.parse().unwrap(),
        entity: String::new(),
        sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        shared,
    };
    config.networks = vec![
        network("10.0.0.0/8", false, &["bng-1"]),
        network("2001:db8::/32", false, &[]),
        network("172.16.0.0/12", true, &["bng-1"]),
        network("192.168.0.0/24", true, &[]),
    ];
    config.deterministic_nats = vec![Deterministic {
        outside_realm: Realm::default(),
        outside: "192.168.0.0/24".parse().unwrap(),
        inside_realm: Realm::default(),
        inside: "10.0.0.0/21".parse().unwrap(),
        first_port: 1024,
        last_port: u16::MAX,
        ports: 8000,
    }];
    config
}

/// The address of a site on the outside of a NAT that reports its blocks.
fn outside_of(site: &Site) -> Network {
    let [_, _, b, c] = site.number.to_be_bytes();
    Network::single(Ipv4Addr::new(172, 16, b, c).into())
}

/// Lines now and then; at every other site, how long a session was; at some, logons, or ports that are blocks of a NAT.
fn adds(site: &Site, told: &Told, event: &mut Event) {
    if told.at.is_multiple_of(2) {
        event.line.circuit_id = Some(CircuitId(line_of(&format!("user{}-{}-0", site.number, told.session / 2))));
    }
    if told.at.is_multiple_of(5) {
        event.line.mac = Some(Mac([2, 0, 0, 0, 0, told.session.to_be_bytes()[3]]));
    }
    if site.number.is_multiple_of(2) && told.kind == EventKind::Stop {
        event.session_time = Some(Duration::from_secs(told.at % 97));
    }
    // At every fourth site most of what is not a stop names no address: a logon refutes what a stop hints at.
    if site.number.is_multiple_of(4) && told.kind != EventKind::Stop && told.session != 0 {
        event.kind = if event.kind == EventKind::Update { EventKind::Start } else { event.kind };
        event.assigned.clear();
        event.subscriber = Some(SubscriberId(format!("user{}-{}-0", site.number, told.session / 2)));
    }
    if site.number % 4 != 2 {
        return;
    }
    let inside = site.networks[0];
    for assigned in event.assigned.iter_mut().filter(|assigned| assigned.network == inside && !assigned.ports.is_all())
    {
        let change = if told.at.is_multiple_of(7) { BlockChange::Allocated } else { BlockChange::Listed };
        assigned.network = outside_of(site);
        assigned.outside = Some(Outside { change, inside: Some(inside) });
        event.subscriber = None;
    }
}

/// The line of a customer.
fn line_of(name: &str) -> String {
    name.replace("user", "line")
}

fn below(world: &mut World, bound: u64) -> u64 {
    world.random.below(bound)
}

/// A source that is heard more or less, and loses something now and then; and another that has nothing to do with it.
fn heard(world: &mut World, now: u64) -> Coverage {
    let mut coverage = Coverage::new(world.config.retention.bucket);
    let source = SourceName("bng-1".into());
    let silence = [3, 9, 9, 40][usize::try_from(below(world, 4)).unwrap()];
    let mut at = now.saturating_sub(WINDOW + 40);
    while at <= now {
        coverage.hear(&source, instant(at));
        coverage.hear(&SourceName("bng-2".into()), instant(at));
        at += 1 + below(world, silence);
    }
    if below(world, 3) == 0 {
        let from = now.saturating_sub(below(world, WINDOW));
        let whose = Some(source).filter(|_| below(world, 2) == 0);
        coverage.trouble(&whose, instant(from), instant(from + 15), Trouble::Away);
    }
    coverage
}

fn ask(world: &World, coverage: &Coverage, question: &Question, now: u64) -> Answer {
    let cutoff = world.cutoff(now);
    look_up(&world.store, &world.config, coverage, question, Reach::Evidence, cutoff, instant(now)).unwrap()
}

/// An address of a site, or one behind which it is, and the networks around it.
fn address(world: &mut World, index: usize) -> (IpAddr, Vec<Network>) {
    let site = &world.sites[index];
    match world.random.below(6) {
        0 if site.number % 4 == 2 => (outside_of(site).address(), vec![outside_of(site)]),
        1 => {
            let place = u8::try_from((site.number / 8) % 256).unwrap();
            let outside = IpAddr::from(Ipv4Addr::new(192, 168, 0, place));
            (outside, vec![Network::single(outside)])
        }
        _ => site.address(&mut world.random),
    }
}

/// Seals an exhibit of random spans, and asks it what the store is asked.
fn seal(world: &mut World, now: u64, asked: &mut Vec<Asked>) {
    let index = usize::try_from(below(world, world.sites.len() as u64)).unwrap();
    let (address, around) = address(world, index);
    let coverage = heard(world, now);
    let oldest = now.saturating_sub(WINDOW);
    let from = (oldest + below(world, WINDOW + 20)).saturating_sub(10);
    let longest = [2, 40, 400][usize::try_from(below(world, 3)).unwrap()];
    let to = from + 1 + below(world, longest);
    let extent = Extent { address, realm: Realm::default(), from: instant(from), to: instant(to) };
    let cutoff = world.cutoff(now);
    let take = || Exhibit::of_address(&world.store, &world.config, &coverage, &extent, cutoff, instant(now)).unwrap();
    let sealed = take();
    let bytes = sealed.to_bytes().unwrap();
    assert_eq!(take().to_bytes().unwrap(), bytes, "the same was sealed twice");
    let exhibit = Exhibit::from_bytes(&bytes).unwrap();
    assert_eq!(exhibit, sealed);
    for _ in 0..8 {
        let at = instant((from + below(world, to - from + 10)).saturating_sub(5))
            .plus(Duration::from_millis(below(world, 3) * 499));
        let port = [None, Some(80), Some(1500), Some(3000), Some(40_000)][usize::try_from(below(world, 5)).unwrap()];
        let question = Question { address, at, port, realm: Realm::default() };
        let expected = ask(world, &coverage, &question, now);
        let within = extent.from.max(cutoff.horizon()) <= at && at < extent.to && at <= instant(now);
        let answer = exhibit.answer(&world.config, &question);
        assert_eq!(answer.is_some(), within, "{question:?} {extent:?}");
        if let Some(answer) = answer {
            assert_eq!(answer, expected, "site {}: {question:?} now {now}", world.sites[index].number);
            assert_eq!(Answer::from_bytes(&answer.to_bytes().unwrap()).unwrap(), answer);
            world.answers += 1;
            if asked.len() < 400 {
                asked.push(Asked { bytes: bytes.clone(), question, answer });
            }
        }
    }
    // Elsewhere there are names that only what is destroyed would explain, and starts that were never told.
    if [1, 5].contains(&(world.sites[index].number % 6)) && below(world, 4) == 0 && address_is_own(address) {
        has_no_strangers(world, index, &around, &bytes, (from.max(oldest), to.min(now + 1)));
    }
}

fn address_is_own(address: IpAddr) -> bool {
    !matches!(address, IpAddr::V4(address) if address.octets()[0] != 10)
}

/// Is nobody named in an exhibit, nor their line, who had none of the networks within the margin of the span?
fn has_no_strangers(world: &World, index: usize, around: &[Network], bytes: &[u8], (from, to): (u64, u64)) {
    let heard = &world.heard[index];
    let holds = |at: u64| {
        around
            .iter()
            .flat_map(move |network| reference::holders(heard, &[*network], None, instant(at)))
            .collect::<Vec<_>>()
    };
    let holders: BTreeSet<String> = (from.saturating_sub(MARGIN)..to + MARGIN).flat_map(holds).collect();
    if from >= to || holders.iter().any(|name| name.starts_with('(')) {
        return;
    }
    let names: BTreeSet<&String> = heard.iter().filter_map(|record| Some(&record.subscriber.as_ref()?.0)).collect();
    let is_there = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for stranger in names.into_iter().filter(|name| !holders.contains(*name)) {
        let found = is_there(stranger) || is_there(&line_of(stranger));
        assert!(!found, "{stranger} in {from}..{to} of {around:?}, held by {holders:?}");
    }
}

/// Seals all that a subscriber had, and asks about it.
fn seal_subscriber(world: &mut World, now: u64) {
    let index = usize::try_from(below(world, world.sites.len() as u64)).unwrap();
    let named = world.heard[index].iter().rev().find_map(|record| record.subscriber.clone());
    let Some(subscriber) = named else { return };
    let coverage = heard(world, now);
    let oldest = now.saturating_sub(WINDOW);
    let from = oldest + below(world, 200);
    let to = from + 1 + below(world, 200);
    let entities = vec![Entity::default()];
    let question = SubscriberQuestion { entities, subscriber, from: instant(from), to: instant(to) };
    let cutoff = world.cutoff(now);
    let (store, config) = (&world.store, &world.config);
    let exhibits = Exhibit::of_subscriber(store, config, &coverage, &question, cutoff, instant(now)).unwrap();
    let history = look_up_subscriber(store, config, &coverage, &question, cutoff, instant(now)).unwrap();
    for assignment in &history.assignments {
        let of = |exhibit: &&Exhibit| exhibit.network() == assignment.network && *exhibit.realm() == assignment.realm;
        let spans = exhibits.iter().find(of).unwrap().spans();
        assert!(spans.iter().any(|(from, to)| (*from..*to).contains(&assignment.since.at)), "{assignment:?}");
    }
    for exhibit in exhibits {
        let exhibit = Exhibit::from_bytes(&exhibit.to_bytes().unwrap()).unwrap();
        assert!(exhibit.spans().windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", exhibit.spans());
        for (from, to) in exhibit.spans().to_vec() {
            let at: Timestamp = from.plus(Duration::from_millis(below(world, to.millis() - from.millis())));
            let port = [None, Some(1500)][usize::try_from(below(world, 2)).unwrap()];
            let address = exhibit.network().address();
            let question = Question { address, at, port, realm: Realm::default() };
            let expected = ask(world, &coverage, &question, now);
            assert_eq!(exhibit.answer(&world.config, &question), Some(expected), "{question:?} now {now}");
            world.answers += 1;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the size of a test is no setting of the product")]
fn number_of_histories() -> u32 {
    std::env::var("LAPSED_SEALED_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(4 * TOGETHER)
}

fn history(start: u32) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let interims = (start / TOGETHER).is_multiple_of(2);
    let mut world = World::new(dir.path(), config(interims), start..start + TOGETHER, adds);
    let mut asked = Vec::new();
    world.go(|world, now| {
        for _ in 0..world.sites.len() / 50 {
            seal(world, now, &mut asked);
        }
        seal_subscriber(world, now);
    });
    let end = 2 * WINDOW + settle_world::END;
    let cutoff = world.cutoff(end);
    world.store.hide(cutoff);
    world.store.destroy_keys(cutoff).unwrap();
    let nothing = Coverage::new(world.config.retention.bucket);
    for Asked { bytes, question, answer } in &asked {
        assert_eq!(ask(&world, &nothing, question, end).verdict, Verdict::Purged);
        let again = Exhibit::from_bytes(bytes).unwrap().answer(&world.config, question);
        assert_eq!(again.as_ref(), Some(answer));
    }
    world.answers
}

#[test]
fn an_exhibit_answers_as_the_store_did() {
    let starts: Vec<u32> = (0..number_of_histories()).step_by(usize::try_from(TOGETHER).unwrap()).collect();
    let answers: u64 = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| starts.iter().copied().skip(half).step_by(2).collect::<Vec<_>>());
        let threads = halves.map(|half| scope.spawn(move || half.into_iter().map(history).sum::<u64>()));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(answers > 3_000 * starts.len() as u64, "{answers} answers");
}
