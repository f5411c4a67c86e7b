//! Who was behind an outside address and port: port blocks, blocks that name an inside address only, and computed translations.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::net::IpAddr;
use std::time::Duration;

use lapsed::config::{Config, Network as ConfiguredNetwork, Source};
use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::coverage::Coverage;
use lapsed::domain::event::{Assigned, BlockChange, Event, EventKind, EventTime, Outside};
use lapsed::domain::identity::{Line, NasId, SessionId, SourceName, SubscriberId};
use lapsed::domain::nat::{Deterministic, Inside};
use lapsed::domain::record::Kind;
use lapsed::domain::session::Evidence;
use lapsed::domain::time::{Cutoff, Timestamp};
use lapsed::domain::verdict::{Caution, Verdict};
use lapsed::ingest::{Admission, admit};
use lapsed::lookup::{Answer, Question, Reach, look_up};
use lapsed::store::{Batch, Opening, Store};

const BASE: u64 = 1_790_000_000;
const OUTSIDE: &str = "192.0.2.1";

/// Seconds after the base.
fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis((BASE + secs) * 1000)
}

fn now() -> Timestamp {
    at(4000)
}

/// A store, and what has been said to it.
struct Log {
    store: Store,
    config: Config,
    _dir: tempfile::TempDir,
}

impl Log {
    fn new() -> Self {
        let mut config = Config::default();
        // A boundary in sight is another test's business.
        config.lookup.margin = Duration::ZERO;
        config.lookup.shared_margin = Duration::ZERO;
        let dir = tempfile::tempdir().unwrap();
        let opening = Opening::at(now(), &config.retention);
        let store = Store::open(dir.path(), dir.path(), &config.retention, opening).unwrap();
        Self { store, config, _dir: dir }
    }

    /// A source whose inside addresses are in this realm.
    fn source(&self, realm: &str) -> Source {
        Source { realm: realm.into(), ..Source::named("src", &self.config.retention) }
    }

    fn hear(&self, realm: &str, event: &Event) -> Admission {
        let (sealer, cutoff) = (self.store.sealer(), Cutoff::of(now(), self.config.retention.window));
        let admission = admit(event, &self.source(realm), &self.config, &sealer, now(), cutoff);
        let mut batch = Batch::new();
        for (record, entity) in &admission.records {
            batch.record(sealer.seal(record, entity).unwrap());
        }
        self.store.commit(batch).unwrap();
        admission
    }

    fn ask(&self, address: &str, port: impl Into<Option<u16>>, realm: &str, secs: u64) -> Answer {
        let address: IpAddr = address.parse().unwrap();
        let question = Question { address, at: at(secs), port: port.into(), realm: Realm(realm.into()) };
        let mut coverage = Coverage::new(self.config.retention.bucket);
        for at in [question.at, now()] {
            coverage.hear(&SourceName("src".into()), at);
        }
        let cutoff = Cutoff::of(now(), self.config.retention.window);
        let all = |reach| look_up(&self.store, &self.config, &coverage, &question, reach, cutoff, now()).unwrap();
        let answer = all(Reach::Evidence);
        for reach in [Reach::Verdict, Reach::Everything] {
            let other = all(reach);
            assert_eq!((other.verdict, name(&other), &other.inside), (answer.verdict, name(&answer), &answer.inside));
        }
        answer
    }
}

/// The subscriber that an answer names.
fn name(answer: &Answer) -> Option<&str> {
    answer.holder.as_ref()?.subscriber.as_ref().map(SubscriberId::as_str)
}

fn outcome(answer: &Answer) -> (Verdict, Option<&str>) {
    (answer.verdict, name(answer))
}

/// Something said of a session, by the subscriber's name if there is one.
fn said(kind: EventKind, secs: u64, session: &str, subscriber: Option<&str>, assigned: Vec<Assigned>) -> Event {
    Event {
        kind,
        time: EventTime { stamp: Some(at(secs)), delay: None },
        nas: NasId("nas-1".into()),
        session: Some(SessionId(session.into())),
        session_time: None,
        assigned,
        subscriber: subscriber.map(|name| SubscriberId(name.into())),
        line: Line::default(),
        terminate_cause: None,
        lease_end: None,
    }
}

fn whole(address: &str) -> Assigned {
    Assigned::whole(Network::single(address.parse().unwrap()))
}

/// A block of the outside address, with the inside one where it is all that is known.
fn block(first: u16, last: u16, change: BlockChange, inside: Option<&str>) -> Assigned {
    let inside = inside.map(|address| Network::single(address.parse().unwrap()));
    Assigned { ports: Ports::new(first, last).unwrap(), outside: Some(Outside { change, inside }), ..whole(OUTSIDE) }
}

/// Blocks of 1000 ports from 1024 up.
fn nth_block(n: u16, change: BlockChange, inside: Option<&str>) -> Assigned {
    block(1024 + n * 1000, 1024 + n * 1000 + 999, change, inside)
}

fn inside(realm: &str, address: &str) -> Option<Inside> {
    Some(Inside { realm: Realm(realm.into()), network: Network::single(address.parse().unwrap()) })
}

use BlockChange::{Allocated, Freed, Listed};
use EventKind::{Start, Stop, Update};

#[test]
fn of_64_subscribers_behind_one_address_the_port_tells_the_right_one() {
    let log = Log::new();
    for n in 0..64_u16 {
        let (session, user) = (format!("s{n}"), format!("user-{n}"));
        let assigned = vec![whole(&format!("10.0.0.{n}")), nth_block(n, Listed, None)];
        log.hear("cgn-1", &said(Start, 100 + u64::from(n), &session, Some(&user), assigned));
    }
    for n in 0..64_u16 {
        for port in [1024 + n * 1000, 1024 + n * 1000 + 999] {
            let answer = log.ask(OUTSIDE, port, "", 1000);
            assert_eq!(outcome(&answer), (Verdict::Attributed, Some(format!("user-{n}").as_str())), "{port}");
            assert_eq!((answer.sharing, answer.inside), (1, None));
        }
    }
    let without = log.ask(OUTSIDE, None, "", 1000);
    assert_eq!((without.verdict, without.sharing, without.holder), (Verdict::Ambiguous, 64, None));
    assert_eq!(log.ask(OUTSIDE, 1023, "", 1000).verdict, Verdict::NoCoverage, "in no block that was ever reported");
    // The inside addresses are in their own realm, and the outside one in the public one alone.
    assert_eq!(outcome(&log.ask("10.0.0.7", None, "cgn-1", 1000)), (Verdict::Attributed, Some("user-7")));
    assert_eq!(log.ask("10.0.0.7", None, "", 1000).verdict, Verdict::NoCoverage);
    assert_eq!(log.ask(OUTSIDE, 1024, "cgn-1", 1000).verdict, Verdict::NoCoverage);
}

#[test]
fn one_subscriber_behind_an_address_is_ambiguous_too_without_a_port() {
    let mut log = Log::new();
    log.hear("", &said(Start, 100, "s1", Some("alice"), vec![nth_block(0, Listed, None)]));
    let answer = log.ask(OUTSIDE, None, "", 1000);
    assert_eq!((answer.verdict, answer.sharing, answer.holder), (Verdict::Ambiguous, 1, None));

    log.hear("", &said(Start, 100, "s2", Some("bob"), vec![whole("192.0.2.2")]));
    assert_eq!(outcome(&log.ask("192.0.2.2", None, "", 1000)), (Verdict::Attributed, Some("bob")));
    log.config.networks.push(ConfiguredNetwork {
        prefix: "192.0.2.0/24".parse().unwrap(),
        entity: String::new(),
        sources: vec![],
        shared: true,
    });
    assert_eq!(outcome(&log.ask("192.0.2.2", None, "", 1000)), (Verdict::Ambiguous, None), "the network is shared");
    assert_eq!(outcome(&log.ask("192.0.2.2", 5000, "", 1000)), (Verdict::Attributed, Some("bob")));
}

#[test]
fn a_freed_block_ends_for_itself_alone_and_serves_the_next() {
    let log = Log::new();
    log.hear("", &said(Start, 100, "a", Some("alice"), vec![nth_block(0, Listed, None)]));
    log.hear("", &said(Update, 200, "a", Some("alice"), vec![nth_block(1, Allocated, None)]));
    let mut freed = said(Update, 300, "a", Some("alice"), vec![nth_block(0, Freed, None)]);
    freed.session_time = Some(Duration::from_secs(200));
    let admission = log.hear("", &freed);
    let kinds: Vec<Kind> = admission.records.iter().map(|(record, _)| record.kind).collect();
    assert_eq!(kinds, [Kind::Stop], "no end of the session, and no hint at its start");

    assert_eq!(outcome(&log.ask(OUTSIDE, 1024, "", 250)), (Verdict::Attributed, Some("alice")));
    assert_eq!(log.ask(OUTSIDE, 1024, "", 350).verdict, Verdict::Unassigned);
    let other = log.ask(OUTSIDE, 2024, "", 350);
    assert_eq!(outcome(&other), (Verdict::Attributed, Some("alice")));
    assert_eq!(other.since.map(|edge| (edge.at, edge.evidence)), Some((at(200), Evidence::Observed)));

    log.hear("", &said(Update, 400, "b", Some("bob"), vec![nth_block(0, Allocated, None)]));
    assert_eq!(outcome(&log.ask(OUTSIDE, 1024, "", 500)), (Verdict::Attributed, Some("bob")));
    // Bob gives it back, and gets it again at once.
    log.hear("", &said(Update, 600, "b", Some("bob"), vec![nth_block(0, Freed, None)]));
    log.hear("", &said(Update, 660, "b", Some("bob"), vec![nth_block(0, Allocated, None)]));
    assert_eq!(log.ask(OUTSIDE, 1024, "", 630).verdict, Verdict::Unassigned);
    assert_eq!(outcome(&log.ask(OUTSIDE, 1024, "", 700)), (Verdict::Attributed, Some("bob")));
    // A stop that names nothing ends all blocks of its session.
    log.hear("", &said(Stop, 800, "b", None, vec![]));
    assert_eq!(log.ask(OUTSIDE, 1024, "", 900).verdict, Verdict::Unassigned);
    assert_eq!(outcome(&log.ask(OUTSIDE, 2024, "", 900)), (Verdict::Attributed, Some("alice")));
}

#[test]
fn a_block_that_an_update_does_not_list_goes_on() {
    let log = Log::new();
    let both = vec![nth_block(0, Listed, None), nth_block(1, Listed, None)];
    log.hear("", &said(Start, 100, "a", Some("alice"), both));
    log.hear("", &said(Update, 400, "a", Some("alice"), vec![nth_block(1, Listed, None)]));
    for port in [1024, 2024] {
        let answer = log.ask(OUTSIDE, port, "", 600);
        assert_eq!(outcome(&answer), (Verdict::Attributed, Some("alice")), "{port}");
        assert_eq!(answer.until, None);
    }
    // A new holder of some of the ports takes the whole block, and leaves the other alone.
    log.hear("", &said(Start, 700, "b", Some("bob"), vec![block(1500, 1600, Listed, None)]));
    assert_eq!(outcome(&log.ask(OUTSIDE, 1550, "", 800)), (Verdict::Attributed, Some("bob")));
    assert_eq!(outcome(&log.ask(OUTSIDE, 2024, "", 800)), (Verdict::Attributed, Some("alice")));
}

#[test]
fn one_inside_address_in_two_realms_is_two_addresses() {
    let log = Log::new();
    for (realm, user, n) in [("cgn-1", "alice", 0), ("cgn-2", "bob", 1)] {
        log.hear(realm, &said(Start, 100, user, Some(user), vec![whole("10.0.0.9")]));
        // Blocks that name nobody: the NAT has sessions of its own.
        let unnamed = vec![nth_block(n, Listed, Some("10.0.0.9"))];
        log.hear(realm, &said(Start, 200, &format!("nat-{n}"), None, unnamed));
    }
    assert_eq!(outcome(&log.ask("10.0.0.9", None, "cgn-1", 1000)), (Verdict::Attributed, Some("alice")));
    assert_eq!(outcome(&log.ask("10.0.0.9", None, "cgn-2", 1000)), (Verdict::Attributed, Some("bob")));
    let answer = log.ask(OUTSIDE, 1024, "", 1000);
    assert_eq!(outcome(&answer), (Verdict::Attributed, Some("alice")));
    assert_eq!(answer.inside, inside("cgn-1", "10.0.0.9"));
    let answer = log.ask(OUTSIDE, 2024, "", 1000);
    assert_eq!(
        (outcome(&answer), answer.inside.clone()),
        ((Verdict::Attributed, Some("bob")), inside("cgn-2", "10.0.0.9"))
    );
    let without = log.ask(OUTSIDE, None, "", 1000);
    assert_eq!((without.verdict, without.sharing, without.inside), (Verdict::Ambiguous, 2, None));
}

#[test]
fn a_block_is_whose_the_inside_address_was_at_the_same_instant() {
    let log = Log::new();
    log.hear("in", &said(Start, 300, "nat", None, vec![nth_block(0, Listed, Some("10.0.0.9"))]));
    let unknown = log.ask(OUTSIDE, 1024, "", 350);
    assert_eq!(outcome(&unknown), (Verdict::Uncertain, None), "the block is held, by nobody who is known");
    assert!(unknown.cautions.contains(&Caution::UnnamedHolder));
    assert_eq!(unknown.inside, inside("in", "10.0.0.9"));

    log.hear("in", &said(Start, 100, "a", Some("alice"), vec![whole("10.0.0.9")]));
    log.hear("in", &said(Stop, 600, "a", Some("alice"), vec![whole("10.0.0.9")]));
    log.hear("in", &said(Start, 700, "b", Some("bob"), vec![whole("10.0.0.9")]));
    let answer = log.ask(OUTSIDE, 1024, "", 500);
    assert_eq!(outcome(&answer), (Verdict::Attributed, Some("alice")));
    // What both steps share: the block began later, the inside session ended earlier.
    let edges = [answer.since, answer.until].map(|edge| edge.map(|edge| edge.at));
    assert_eq!(edges, [Some(at(300)), Some(at(600))]);
    assert_eq!((answer.heard.before, answer.heard.after), (Some(Duration::from_secs(400)), None));
    assert_eq!(outcome(&log.ask(OUTSIDE, 1024, "", 650)), (Verdict::Uncertain, None));
    assert_eq!(outcome(&log.ask(OUTSIDE, 1024, "", 800)), (Verdict::Attributed, Some("bob")));
}

#[test]
fn the_worse_of_the_two_steps_counts() {
    let mut log = Log::new();
    log.hear("in", &said(Start, 100, "a", Some("alice"), vec![whole("10.0.0.9")]));
    log.hear("in", &said(Start, 300, "nat", None, vec![nth_block(0, Listed, Some("10.0.0.9"))]));
    log.config.lookup.margin = Duration::from_secs(60);
    // The block is near its beginning, the inside is not.
    let answer = log.ask(OUTSIDE, 1024, "", 330);
    assert_eq!(outcome(&answer), (Verdict::Uncertain, Some("alice")));
    assert!(answer.cautions.contains(&Caution::NearBoundary));
    assert_eq!(outcome(&log.ask(OUTSIDE, 1024, "", 500)), (Verdict::Attributed, Some("alice")));
    // The inside is near its end, the block is not.
    log.hear("in", &said(Stop, 900, "a", Some("alice"), vec![whole("10.0.0.9")]));
    let answer = log.ask(OUTSIDE, 1024, "", 880);
    assert_eq!(outcome(&answer), (Verdict::Uncertain, Some("alice")));
    // Two who hold the inside address at once: nobody is named, and neither is the address.
    for (session, user) in [("c", "carol"), ("d", "dave")] {
        log.hear("in", &said(Start, 1000, session, Some(user), vec![whole("10.0.0.9")]));
    }
    let answer = log.ask(OUTSIDE, 1024, "", 1500);
    assert_eq!((answer.verdict, answer.sharing), (Verdict::Ambiguous, 2));
    assert_eq!((answer.holder, answer.inside), (None, None));
}

#[test]
fn a_computed_translation_leads_to_the_holder_of_the_inside_address() {
    let mut log = Log::new();
    log.config.deterministic_nats.push(Deterministic {
        outside_realm: Realm::default(),
        outside: "192.0.2.0/30".parse().unwrap(),
        inside_realm: Realm("cgn-1".into()),
        inside: "10.0.0.0/28".parse().unwrap(),
        first_port: 1024,
        last_port: 61_023,
        ports: 6000,
    });
    log.hear("cgn-1", &said(Start, 100, "a", Some("alice"), vec![whole("10.0.0.9")]));
    log.hear("cgn-1", &said(Start, 100, "b", Some("bob"), vec![whole("10.0.0.10")]));
    log.hear("cgn-1", &said(Stop, 900, "b", Some("bob"), vec![whole("10.0.0.10")]));
    // The tenth block of the first address, and the first of the second.
    let answer = log.ask("192.0.2.0", 1024 + 9 * 6000, "", 500);
    assert_eq!(
        (outcome(&answer), answer.inside.clone()),
        ((Verdict::Attributed, Some("alice")), inside("cgn-1", "10.0.0.9"))
    );
    assert_eq!(outcome(&log.ask("192.0.2.1", 1024, "", 500)), (Verdict::Attributed, Some("bob")));
    assert_eq!(log.ask("192.0.2.1", 1024, "", 1000).verdict, Verdict::Unassigned);
    assert_eq!(log.ask("192.0.2.0", 1024, "", 500).verdict, Verdict::NoCoverage);

    let without = log.ask("192.0.2.0", None, "", 500);
    assert_eq!((without.verdict, without.sharing), (Verdict::Ambiguous, 10));
    assert_eq!(log.ask("192.0.2.1", None, "", 500).sharing, 6, "the last six inside addresses");
    assert_eq!(log.ask("192.0.2.2", None, "", 500).verdict, Verdict::NoCoverage, "nobody is behind that one");
    // Ports that the rule gives to nobody; what is reported of the overflow pool counts.
    assert_eq!(log.ask("192.0.2.1", 500, "", 500).verdict, Verdict::NoCoverage);
    log.hear("cgn-1", &said(Start, 100, "c", Some("carol"), vec![block(62_000, 62_999, Allocated, None)]));
    assert_eq!(outcome(&log.ask(OUTSIDE, 62_500, "", 500)), (Verdict::Attributed, Some("carol")));
    // The rule is of the public realm, and no more is said of what the horizon hides.
    assert_eq!(log.ask("192.0.2.0", None, "cgn-1", 500).verdict, Verdict::NoCoverage);
    let cutoff = Cutoff::of(now(), Duration::from_secs(3000));
    let question = Question { address: OUTSIDE.parse().unwrap(), at: at(500), port: None, realm: Realm::default() };
    let unheard = Coverage::new(log.config.retention.bucket);
    let hidden = look_up(&log.store, &log.config, &unheard, &question, Reach::Verdict, cutoff, now()).unwrap();
    assert_eq!(hidden.verdict, Verdict::Purged);
}
