//! What one subscriber had: over a real store, settled and not, and against what lookups say of the same addresses.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod random;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lapsed::config::{Config, Secret, SecretError, SecretFile};
use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::coverage::{Coverage, Trouble};
use lapsed::domain::event::{Assigned, Event, EventKind, EventTime};
use lapsed::domain::finding::Finding;
use lapsed::domain::identity::{Entity, Line, Mac, NasId, SessionId, SubscriberId};
use lapsed::domain::session::{Edge, Evidence};
use lapsed::domain::time::{Cutoff, Timestamp};
use lapsed::domain::verdict::{Caution, Verdict};
use lapsed::ingest::admit;
use lapsed::lookup::{Assignment, History, Question, Reach, SubscriberQuestion, look_up, look_up_subscriber};
use lapsed::settle::Settler;
use lapsed::store::{Batch, Opening, Store};
use random::Random;

/// At the edge of a bucket; buckets are a minute, the window is an hour, a statement speaks for five minutes.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

const TABLES: &str = r#"
version = 1
[retention]
window = "1h"
bucket = "1m"
max-silence = "10m"
[lookup]
margin = "0s"
[[radius.client]]
network = "198.51.100.1"
name = "north"
secret-file = "a"
"#;

fn ago(secs: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(secs))
}

struct Desk {
    store: Arc<Store>,
    config: Config,
    coverage: Coverage,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let secret = |_: &Path| -> Result<SecretFile, SecretError> {
            Ok(SecretFile { secret: Secret::from_bytes(b"a made-up secret")?, exposed: false })
        };
        let config = Config::parse(TABLES, "lapsed.toml", Path::new(""), secret).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let opening = Opening::at(NOW, &config.retention);
        let store = Arc::new(Store::open(dir.path(), dir.path(), &config.retention, opening).unwrap());
        let coverage = Coverage::new(config.retention.bucket);
        Self { store, config, coverage, _dir: dir }
    }

    fn hear(&self, event: &Event) -> &Self {
        let (sealer, cutoff) = (self.store.sealer(), self.config.retention.cutoff(NOW));
        let admission = admit(event, &self.config.source_named("north"), &self.config, &sealer, NOW, cutoff);
        assert!(admission.quarantined.is_empty(), "{admission:?}");
        let mut batch = Batch::new();
        for (record, entity) in &admission.records {
            batch.record(sealer.seal(record, entity).unwrap());
        }
        self.store.commit(batch).unwrap();
        self
    }

    fn settle(&self) {
        Settler::new(Arc::clone(&self.store), &self.config).catch_up(NOW).unwrap();
        assert!(self.store.settled_through().is_some());
    }

    /// What a subscriber had between so many seconds ago and so many.
    fn history(&self, subscriber: &str, from: u64, to: u64) -> History {
        self.by(&question(subscriber, from, to), self.config.retention.cutoff(NOW))
    }

    fn by(&self, question: &SubscriberQuestion, cutoff: Cutoff) -> History {
        look_up_subscriber(&self.store, &self.config, &self.coverage, question, cutoff, NOW).unwrap()
    }

    /// The verdict of a lookup, whom it names, and how many had the address. It reads everything, as a history does: a session may
    /// have its name from a statement far from the instant.
    fn holder(&self, address: &str, at: Timestamp) -> (Verdict, Option<SubscriberId>, usize) {
        let question = Question { address: address.parse().unwrap(), at, port: None, realm: Realm::default() };
        let cutoff = self.config.retention.cutoff(NOW);
        let answer = look_up(&self.store, &self.config, &self.coverage, &question, Reach::Everything, cutoff, NOW);
        let answer = answer.unwrap();
        (answer.verdict, answer.holder.and_then(|holder| holder.subscriber), answer.sharing)
    }
}

fn question(subscriber: &str, from: u64, to: u64) -> SubscriberQuestion {
    let entities = vec![Entity::default()];
    SubscriberQuestion { entities, subscriber: SubscriberId(subscriber.into()), from: ago(from), to: ago(to) }
}

/// Something said of a session, so many seconds ago.
fn said(kind: EventKind, secs: u64, session: &str, subscriber: &str, address: &str) -> Event {
    let assigned = address.parse().ok().map(|net| Assigned::whole(Network::single(net)));
    Event {
        kind,
        time: EventTime { stamp: Some(ago(secs)), delay: None },
        nas: NasId("bng-1".into()),
        session: Some(SessionId(session.into())),
        session_time: None,
        assigned: assigned.into_iter().collect(),
        subscriber: (!subscriber.is_empty()).then(|| SubscriberId(subscriber.into())),
        line: Line { mac: Some(Mac([2, 0, 0, 0, 0, 1])), ..Line::default() },
        terminate_cause: None,
        lease_end: None,
    }
}

fn edge(secs: u64, evidence: Evidence) -> Edge {
    Edge { at: ago(secs), evidence }
}

/// Address, beginning and end of what was assigned.
fn spans(history: &History) -> Vec<(String, Edge, Option<Edge>)> {
    history.assignments.iter().map(|had| (had.network.to_string(), had.since, had.until)).collect()
}

#[test]
fn the_spans_of_one_subscriber_across_two_addresses_are_found_with_another_in_between() {
    let desk = Desk::new();
    desk.hear(&said(EventKind::Start, 3000, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Stop, 2800, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Start, 2700, "s-2", "bob", "192.0.2.7"))
        .hear(&said(EventKind::Stop, 2600, "s-2", "bob", "192.0.2.7"))
        .hear(&said(EventKind::Start, 2500, "s-3", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Start, 2400, "s-4", "alice", "192.0.2.8"))
        .hear(&said(EventKind::Stop, 2300, "s-3", "", ""))
        .hear(&said(EventKind::Stop, 2200, "s-4", "alice", "192.0.2.8"));
    let observed = |secs| edge(secs, Evidence::Observed);
    for settled in [false, true] {
        if settled {
            desk.settle();
        }
        let history = desk.history("alice", 3500, 0);
        assert_eq!(
            spans(&history),
            [
                ("192.0.2.7".to_owned(), observed(3000), Some(observed(2800))),
                ("192.0.2.7".to_owned(), observed(2500), Some(observed(2300))),
                ("192.0.2.8".to_owned(), observed(2400), Some(observed(2200))),
            ]
        );
        let first: &Assignment = &history.assignments[0];
        assert_eq!((first.ports, first.others, first.nas.0.as_str()), (Ports::ALL, 0, "bng-1"));
        assert_eq!(first.line.mac, Some(Mac([2, 0, 0, 0, 0, 1])));
        assert_eq!((history.finding, history.logons.len()), (Finding::Found, 0));
        assert_eq!(spans(&desk.history("bob", 3500, 0)).len(), 1);
        assert_eq!(desk.history("carol", 3500, 0).finding, Finding::Nothing);
        // A name is compared as it is.
        assert_eq!(desk.history("Alice", 3500, 0).finding, Finding::Nothing);
    }
}

#[test]
fn what_lies_outside_the_span_is_cut_off_and_not_told() {
    let desk = Desk::new();
    desk.hear(&said(EventKind::Start, 3000, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Stop, 2600, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Start, 60, "s-2", "alice", "192.0.2.8"));
    let within = |from, to| spans(&desk.history("alice", from, to));
    let beyond = |secs| edge(secs, Evidence::BeyondSpan);
    let first = "192.0.2.7".to_owned();
    assert_eq!(within(2900, 2700), [(first.clone(), beyond(2900), Some(beyond(2700)))]);
    assert_eq!(within(2900, 1000), [(first, beyond(2900), Some(edge(2600, Evidence::Observed)))]);
    // Spans are half-open on both sides of the comparison.
    assert_eq!(within(3100, 3000), []);
    assert_eq!(within(2600, 2000), []);
    assert_eq!(within(100, 0), [("192.0.2.8".to_owned(), edge(60, Evidence::Observed), Some(beyond(0)))]);
    let open = SubscriberQuestion { to: NOW.plus(Duration::from_secs(60)), ..question("alice", 100, 0) };
    let history = desk.by(&open, desk.config.retention.cutoff(NOW));
    assert_eq!(spans(&history), [("192.0.2.8".to_owned(), edge(60, Evidence::Observed), None)]);
}

#[test]
fn a_logon_and_a_start_without_an_address_are_logons() {
    let desk = Desk::new();
    desk.hear(&said(EventKind::Logon, 600, "s-1", "alice", ""))
        .hear(&said(EventKind::Start, 500, "s-2", "alice", ""))
        .hear(&said(EventKind::Logon, 400, "s-3", "bob", ""))
        .hear(&said(EventKind::Logon, 300, "s-4", "0x0004ff", ""));
    for settled in [false, true] {
        if settled {
            desk.settle();
        }
        let history = desk.history("alice", 3500, 0);
        let at: Vec<_> = history.logons.iter().map(|logon| logon.at).collect();
        assert_eq!((history.finding, at), (Finding::Found, vec![ago(600), ago(500)]));
        assert_eq!((history.logons[0].nas.0.as_str(), history.logons[0].source.0.as_str()), ("bng-1", "north"));
        assert!(history.assignments.is_empty());
        assert_eq!(desk.history("alice", 599, 500).finding, Finding::Nothing);
        // An identity that is no text is asked for as answers name it.
        assert_eq!(desk.history("0x0004ff", 3500, 0).logons.len(), 1);
    }
}

#[test]
fn a_session_that_never_ended_ends_where_another_takes_its_address_over() {
    let desk = Desk::new();
    desk.hear(&said(EventKind::Start, 3000, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Start, 2900, "s-2", "bob", "192.0.2.7"))
        .hear(&said(EventKind::Stop, 2800, "s-2", "bob", "192.0.2.7"));
    for settled in [false, true] {
        if settled {
            desk.settle();
        }
        let history = desk.history("alice", 3500, 0);
        let taken_over = Some(edge(2900, Evidence::Inferred));
        assert_eq!(spans(&history), [("192.0.2.7".to_owned(), edge(3000, Evidence::Observed), taken_over)]);
        assert!(history.assignments[0].cautions.contains(&Caution::InferredEnd));
    }
}

#[test]
fn two_who_both_speak_of_one_address_are_counted_and_not_named() {
    let desk = Desk::new();
    desk.hear(&said(EventKind::Start, 600, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Start, 500, "s-2", "bob", "192.0.2.7"))
        .hear(&said(EventKind::Update, 450, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Update, 440, "s-2", "bob", "192.0.2.7"));
    let history = desk.history("alice", 460, 430);
    assert_eq!(desk.holder("192.0.2.7", ago(445)).0, Verdict::Ambiguous);
    assert_eq!(history.assignments.iter().map(|had| had.others).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_session_that_gets_another_name_is_each_ones_for_its_part() {
    let desk = Desk::new();
    desk.hear(&said(EventKind::Start, 600, "s-1", "", "192.0.2.7"))
        .hear(&said(EventKind::Update, 500, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Update, 400, "s-1", "bob", "192.0.2.7"))
        .hear(&said(EventKind::Stop, 300, "s-1", "bob", "192.0.2.7"));
    let (observed, inferred) = (|secs| edge(secs, Evidence::Observed), |secs| edge(secs, Evidence::Inferred));
    let address = || "192.0.2.7".to_owned();
    assert_eq!(spans(&desk.history("alice", 900, 0)), [(address(), observed(600), Some(inferred(400)))]);
    assert_eq!(spans(&desk.history("bob", 900, 0)), [(address(), inferred(400), Some(observed(300)))]);
}

#[test]
fn what_lies_before_the_horizon_is_purged_and_a_span_across_it_says_where_it_begins() {
    let desk = Desk::new();
    desk.hear(&said(EventKind::Start, 3500, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Logon, 3400, "s-9", "alice", ""))
        .hear(&said(EventKind::Update, 3200, "s-1", "alice", "192.0.2.7"))
        .hear(&said(EventKind::Stop, 3000, "s-1", "alice", "192.0.2.7"));
    assert_eq!(desk.history("alice", 7000, 3600).finding, Finding::Purged);
    assert_eq!(desk.history("alice", 7000, 3599).finding, Finding::Nothing);
    let to_come =
        SubscriberQuestion { from: NOW.plus(Duration::from_secs(1)), to: Timestamp::MAX, ..question("alice", 0, 0) };
    assert_eq!(desk.by(&to_come, desk.config.retention.cutoff(NOW)).finding, Finding::Future);

    // The window passes over the start: what is left tells that the session was open.
    let asked = question("alice", 7000, 0);
    let before = desk.by(&asked, desk.config.retention.cutoff(NOW));
    let horizon = ago(3300);
    let hidden = desk.by(&asked, Cutoff::at(horizon));
    let expected =
        [("192.0.2.7".to_owned(), edge(3300, Evidence::BeyondHorizon), Some(edge(3000, Evidence::Observed)))];
    assert_eq!((spans(&hidden).as_slice(), hidden.logons.len(), hidden.horizon), (expected.as_slice(), 0, horizon));
    assert!(hidden.cautions.contains(&Caution::NearHorizon));
    // And an answer that was found just before loses the same.
    let clipped = before.clone().hidden_by(&asked, Cutoff::at(horizon));
    assert_eq!((spans(&clipped), clipped.logons.len()), (spans(&hidden), 0));
    assert_eq!(before.clone().hidden_by(&asked, Cutoff::at(ago(3000))).finding, Finding::Nothing);
    assert_eq!(before.hidden_by(&asked, Cutoff::at(NOW)), History::bare(Finding::Purged, NOW));
}

#[test]
fn what_may_have_been_lost_in_the_span_is_a_caution() {
    let mut desk = Desk::new();
    desk.coverage.trouble(&None, ago(600), ago(600), Trouble::KernelDrop);
    assert!(desk.history("alice", 900, 300).cautions.contains(&Caution::Gap));
    assert!(!desk.history("alice", 500, 300).cautions.contains(&Caution::Gap));
}

const ADDRESSES: [&str; 3] = ["192.0.2.7", "192.0.2.8", "2001:db8::7"];
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Some of what can be said of six sessions of three subscribers on three addresses; not all of it names them.
fn anything(random: &mut Random) -> Event {
    let session = random.below(6);
    let subscriber = NAMES[usize::try_from(session % 3).unwrap()];
    let named = random.below(3) > 0;
    let kind = [EventKind::Start, EventKind::Update, EventKind::Update, EventKind::Stop]
        [usize::try_from(random.below(4)).unwrap()];
    let address = ADDRESSES[usize::try_from(random.below(3)).unwrap()];
    let name = if named { subscriber } else { "" };
    let event = said(kind, 5 + random.below(3550), &format!("s-{session}"), name, address);
    let lasted = Duration::from_secs(random.below(600));
    Event { session_time: (kind == EventKind::Stop && named).then_some(lasted), ..event }
}

/// Asks every lookup at this instant, and compares with whom the histories say had the address.
fn compare(desk: &Desk, histories: &[(SubscriberId, History)], at: Timestamp, story: u64) {
    for address in ADDRESSES {
        let (verdict, holder, sharing) = desk.holder(address, at);
        let had = |had: &&Assignment| {
            had.network.contains(address.parse().unwrap())
                && had.since.at <= at
                && had.until.is_none_or(|until| at < until.at)
        };
        let found: BTreeSet<&SubscriberId> = histories
            .iter()
            .filter(|(_, history)| history.assignments.iter().any(|assignment| had(&assignment)))
            .map(|(name, _)| name)
            .collect();
        let names: Vec<&str> = found.iter().map(|name| name.as_str()).collect();
        let said = format!("story {story}, {address} at {at}: {verdict}, sharing {sharing}, histories of {names:?}");
        match verdict {
            // Those of whom no name is known count there too.
            Verdict::Ambiguous => assert!(found.len() <= sharing, "{said}"),
            _ => assert_eq!(found, holder.iter().collect(), "{said}"),
        }
    }
}

#[test]
fn histories_and_lookups_agree_on_every_instant_settled_or_not() {
    for story in 0..12 {
        let mut random = Random(story);
        let desk = Desk::new();
        for _ in 0..10 + random.below(20) {
            desk.hear(&anything(&mut random));
        }
        for settled in [false, true] {
            if settled {
                desk.settle();
            }
            let histories: Vec<_> =
                NAMES.iter().map(|name| (SubscriberId((*name).into()), desk.history(name, 3600, 0))).collect();
            for secs in (1..3600).step_by(37) {
                compare(&desk, &histories, ago(secs), story);
            }
        }
    }
}
