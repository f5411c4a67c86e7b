//! The pass over the store: long leases, long outages, and a pass that is cut short.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod random;
mod settle_rig;

use std::time::Duration;

use lapsed::domain::event::{Event, EventKind};
use lapsed::domain::session::Evidence;
use lapsed::domain::verdict::{Caution, Verdict};
use lapsed::lookup::Answer;
use lapsed::settle::Settler;
use lapsed::store::{Fault, Opening, Store};
use random::Random;
use settle_rig::{Rig, at, says};

const HOUR: u64 = 3600;
const TWO_DAYS: Duration = Duration::from_secs(48 * HOUR);

/// Nothing is said after the grant; what carries it on is made out of what carried it before.
#[test]
fn a_lease_of_ten_days_is_answered_at_every_instant_of_the_window() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), TWO_DAYS);
    let end = 240 * HOUR + 1234;
    let grant = says(EventKind::Start, 100, "lease", "customer-7", "198.51.100.7");
    rig.hear(&[Event { lease_end: Some(at(end)), ..grant }], 101);
    for now in (1..300).map(|hour| hour * HOUR) {
        rig.pass(now);
        let ages = [0, 1, HOUR, 5 * HOUR, 23 * HOUR, 47 * HOUR, 48 * HOUR];
        for asked in ages.into_iter().filter_map(|age| now.checked_sub(age)) {
            let answer = rig.ask("198.51.100.7", asked, now);
            if asked < 100 || end <= asked {
                assert_ne!(answer.verdict, Verdict::Attributed, "at {asked} now {now}: {answer:?}");
                continue;
            }
            assert_eq!(answer.verdict, Verdict::Attributed, "at {asked} now {now}: {answer:?}");
            assert_eq!(answer.holder.unwrap().subscriber.unwrap().0, "customer-7");
            let since = answer.since.unwrap();
            let forgotten = now > 48 * HOUR + 100;
            assert_eq!(since.evidence, if forgotten { Evidence::BeyondHorizon } else { Evidence::Observed });
            assert_eq!(since.at, at(if forgotten { now - 48 * HOUR } else { 100 }));
            let until = answer.until.map(|until| until.at);
            assert_eq!(until, (now > end).then(|| at(end)), "at {asked} now {now}");
        }
        let answer = rig.ask("198.51.100.7", now.saturating_sub(48 * HOUR + 1), now);
        assert!(now < 48 * HOUR + 1 || answer.verdict == Verdict::Purged);
    }
}

/// Forty customers over two days: sessions of some hours that report every ten minutes, some by an update only.
fn two_days() -> Vec<(u64, Event)> {
    let mut random = Random(9);
    let mut told = Vec::new();
    for customer in 0..40_u64 {
        let (mut now, mut session) = (random.below(6 * HOUR), 0);
        while now < 44 * HOUR {
            session += 1;
            let (id, who) = (format!("{customer}-{session}"), format!("customer-{customer}"));
            let address = format!("198.51.100.{}", customer % 25);
            let mut say = |kind, when| told.push((when, says(kind, when, &id, &who, &address)));
            say(EventKind::Start, now);
            let until = now + 600 + random.below(9 * HOUR);
            let mut next = now + 600;
            while next < until {
                say(EventKind::Update, next);
                next += 600;
            }
            if random.below(5) != 0 {
                say(EventKind::Stop, until);
            }
            now = until + random.below(7 * HOUR);
        }
    }
    told.sort_by_key(|(when, _)| *when);
    told
}

#[test]
fn nine_hours_down_and_up_again_answers_as_if_never_down() {
    let (never, down) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut never = Rig::new(never.path(), TWO_DAYS);
    let mut down = Rig::new(down.path(), TWO_DAYS);
    let told = two_days();
    let (falls, rises) = (20 * HOUR, 29 * HOUR);
    let mut before = 0;
    for now in (1..264).map(|step| step * 600) {
        let arrived = |from: u64| -> Vec<Event> {
            told.iter().filter(|(when, _)| from <= *when && *when < now).map(|(_, event)| event.clone()).collect()
        };
        never.hear(&arrived(before), now);
        never.pass(now);
        if now <= falls || rises < now {
            if rises < now && now <= rises + 600 {
                // It starts anew, settles at once what was never told, and only then hears what the sources have kept.
                down.settler = Settler::new(std::sync::Arc::clone(&down.store), &down.config);
                down.pass(now);
                down.hear(&arrived(falls), now);
            } else {
                down.hear(&arrived(before), now);
            }
            down.pass(now);
        }
        before = now;
    }
    let now = before;
    for asked in (0..now).step_by(1777).filter(|asked| now - asked < 48 * HOUR) {
        for host in 0..25 {
            let address = format!("198.51.100.{host}");
            let (a, b) = (never.ask(&address, asked, now), down.ask(&address, asked, now));
            let facts = |answer: &Answer| {
                let who = answer.holder.as_ref().and_then(|holder| holder.subscriber.clone());
                (answer.verdict, who, answer.since, answer.until, answer.sharing)
            };
            assert_eq!(facts(&a), facts(&b), "{address} at {asked}");
        }
    }
    assert!(down.settler.work().late > 0, "nothing came late: {:?}", down.settler.work());
}

/// The pass fails at its n-th write, for every n and in both ways; the store is opened again and the pass begun anew.
#[test]
fn a_pass_cut_short_anywhere_comes_to_the_same() {
    let hours = 22;
    let told: Vec<Event> =
        two_days().into_iter().filter(|(when, _)| *when < hours * HOUR).map(|(_, event)| event).collect();
    let whole = {
        let dir = tempfile::tempdir().unwrap();
        let mut rig = Rig::new(dir.path(), TWO_DAYS);
        rig.store.make_keys(at(hours * HOUR)).unwrap();
        rig.hear(&told, hours * HOUR);
        rig.settler.catch_up(at(hours * HOUR)).unwrap();
        rig.dump(0, hours * HOUR)
    };
    assert!(whole.iter().any(|line| line.contains("Carry")) && whole.iter().any(|line| line.contains("Lapsed")));
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), TWO_DAYS);
    rig.store.make_keys(at(hours * HOUR)).unwrap();
    rig.hear(&told, hours * HOUR);
    let mut cuts = 0_u32;
    loop {
        let fault = if cuts.is_multiple_of(2) { Fault::NotPersisted } else { Fault::PersistedButFailed };
        rig.store.fail_commit(cuts % 7, fault);
        let outcome = rig.settler.catch_up(at(hours * HOUR));
        if outcome.is_ok() {
            break;
        }
        cuts += 1;
        let config = rig.config.clone();
        drop(rig);
        let opening = Opening::at(at(hours * HOUR), &config.retention);
        let store = std::sync::Arc::new(Store::open(dir.path(), dir.path(), &config.retention, opening).unwrap());
        let settler = Settler::new(std::sync::Arc::clone(&store), &config);
        rig = Rig { config, store, settler };
    }
    assert!(cuts > 20, "only {cuts} cuts");
    assert_eq!(rig.dump(0, hours * HOUR), whole);
}

/// The same session ends in two buckets; the update of the second speaks after the end in the first, and opens nothing.
#[test]
fn an_end_of_a_session_counts_beside_a_later_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), TWO_DAYS);
    let says = |kind, seconds, session: &str| says(kind, seconds, session, &format!("of-{session}"), "198.51.100.7");
    let ended = Event { assigned: Vec::new(), ..says(EventKind::Stop, 3100, "short") };
    let straggler = [says(EventKind::Update, 3700, "short"), says(EventKind::Stop, 3710, "short")];
    rig.store.make_keys(at(3800)).unwrap();
    rig.hear(&[says(EventKind::Start, 100, "long"), ended], 3800);
    rig.hear(&straggler, 3800);
    rig.pass(20 * HOUR);
    let answer = rig.ask("198.51.100.7", 3705, 20 * HOUR);
    assert_eq!(answer.holder.unwrap().subscriber.unwrap().0, "of-long");
    let answer = rig.ask("198.51.100.7", 4000, 20 * HOUR);
    assert_eq!(answer.holder.unwrap().subscriber.unwrap().0, "of-long");
}

/// The session tells its name at the very instant at which it is carried on.
#[test]
fn a_name_told_at_the_instant_of_a_carry_is_carried_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), TWO_DAYS);
    let carry = rig.config.retention.carry_buckets();
    let carried = u64::from(carry) * 600;
    let named = says(EventKind::Update, carried, "lease", "customer-7", "198.51.100.7");
    let unnamed = Event { subscriber: None, ..says(EventKind::Start, 100, "lease", "", "198.51.100.7") };
    rig.store.make_keys(at(carried)).unwrap();
    rig.hear(&[unnamed, named], carried);
    rig.pass(carried + 10 * HOUR);
    let now = carried + 48 * HOUR + 1;
    rig.pass(now);
    let answer = rig.ask("198.51.100.7", carried + 1, now);
    assert_eq!(answer.holder.unwrap().subscriber.unwrap().0, "customer-7");
}

/// What made it mean nothing is forgotten when it is repeated.
#[test]
fn a_straggler_repeated_at_the_horizon_still_means_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), TWO_DAYS);
    let says = |kind, seconds| says(kind, seconds, "lease", "customer-7", "198.51.100.7");
    rig.hear(&[says(EventKind::Start, 100), says(EventKind::Stop, 200), says(EventKind::Update, 300)], 301);
    rig.pass(20 * HOUR);
    let now = 48 * HOUR + 250;
    rig.pass(now);
    rig.hear(&[says(EventKind::Update, 300)], now);
    for passes in 0..2 {
        let answer = rig.ask("198.51.100.7", 400, now);
        assert!(answer.holder.is_none(), "{passes}: {answer:?}");
        rig.pass(now);
    }
}

/// The statement that told the first name is forgotten; the one that told the second is not.
#[test]
fn who_held_it_before_a_session_was_renamed_is_not_called_by_the_new_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), TWO_DAYS);
    rig.store.make_keys(at(1000)).unwrap();
    let says = |kind, seconds, who| says(kind, seconds, "lease", who, "198.51.100.7");
    rig.hear(&[says(EventKind::Start, 100, "first"), says(EventKind::Update, 700, "second")], 1000);
    for now in [1000, 20 * HOUR, 48 * HOUR + 101, 48 * HOUR + 650] {
        rig.pass(now);
        let named = |seconds| rig.ask("198.51.100.7", seconds, now).holder.unwrap().subscriber.unwrap().0;
        assert_eq!(named(660), "first", "now {now}");
        assert_eq!(named(700), "second", "now {now}");
    }
}

/// An update told no name, and the one before it was filled in; then it turns out that there was another in between.
#[test]
fn a_name_that_was_filled_in_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path(), TWO_DAYS);
    rig.store.make_keys(at(1000)).unwrap();
    let says = |kind, seconds, who| says(kind, seconds, "lease", who, "198.51.100.7");
    let unnamed = Event { subscriber: None, ..says(EventKind::Update, 800, "") };
    rig.hear(&[says(EventKind::Start, 100, "first"), unnamed], 1000);
    rig.pass(10 * HOUR);
    let named = |rig: &Rig, now| rig.ask("198.51.100.7", 810, now).holder.unwrap().subscriber.unwrap().0;
    assert_eq!(named(&rig, 10 * HOUR), "first");
    assert!(!rig.ask("198.51.100.7", 810, 10 * HOUR).cautions.contains(&Caution::Late));
    rig.hear(&[says(EventKind::Start, 750, "second")], 10 * HOUR);
    assert_eq!(named(&rig, 10 * HOUR), "second");
    assert!(rig.ask("198.51.100.7", 810, 10 * HOUR).cautions.contains(&Caution::Late));
    for now in [10 * HOUR, 48 * HOUR + 760] {
        rig.pass(now);
        assert_eq!(named(&rig, now), "second", "now {now}");
    }
}
