//! The one-pass settling agrees with the naive reference at every instant of random histories.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod reference;

use std::collections::BTreeSet;

use lapsed::domain::address::Ports;
use lapsed::domain::session::{self, Read, Run, Said, Statement};
use lapsed::domain::time::{BucketWidth, Timestamp};
use proptest::prelude::*;
use reference::{Rules, Word};

const WIDTH: u64 = 10;
const CARRY: u64 = 3;
const END: u64 = 420;
/// Where the log begins: not at 0, since the reference puts what was open then an instant before, in the same bucket.
const BEGIN: u64 = 1;

fn words() -> impl Strategy<Value = Word> {
    prop_oneof![4 => Just(Word::Start), 10 => Just(Word::Update), 4 => Just(Word::Stop), 1 => Just(Word::Reset), 1 => Just(Word::End)]
}

/// Up to four sessions on one address; instants may coincide, and most gaps are near the carry interval.
fn histories() -> impl Strategy<Value = Vec<reference::Said>> {
    let gap = prop_oneof![Just(0), Just(1), Just(5), Just(12), Just(30), Just(33), Just(70), 0_u64..100];
    let session = (BEGIN..200, prop::collection::vec((gap, words()), 1..8));
    prop::collection::vec(session, 1..5).prop_map(|sessions| {
        let mut said = BTreeSet::new();
        for (number, (mut at, words)) in (0_u32..).zip(sessions) {
            for (gap, word) in words {
                at += gap;
                said.insert((at, number, word));
            }
        }
        said.into_iter().collect()
    })
}

/// A stop at the instant of an own start or update, and the like, have no order that a source could tell us.
fn told_apart(history: &[reference::Said]) -> bool {
    let instants: BTreeSet<(u64, u32)> = history.iter().map(|said| (said.0, said.1)).collect();
    instants.len() == history.len()
}

fn open_by_one_pass(history: &[reference::Said], silence: Option<u64>, horizon: u64, at: u64) -> BTreeSet<u32> {
    let runs: Vec<Run> = (0..5)
        .map(|session| Run { session, ports: Ports::ALL, silence: silence.map(|s| u32::try_from(s).unwrap()) })
        .collect();
    let instant = |at: u64| Timestamp::from_millis(at * 1000);
    let statements: Vec<Statement> = history
        .iter()
        .filter(|said| said.0 <= END)
        .map(|(at, session, word)| Statement {
            at: instant(*at),
            run: usize::try_from(*session).unwrap(),
            said: match word {
                Word::Reset => Said::Reset,
                Word::Start => Said::Start,
                Word::Update => Said::Update,
                Word::Stop => Said::Stop,
                Word::End => Said::SessionEnd,
                other => unreachable!("{other:?} is no word of a source"),
            },
            lease_end: None,
            meaning: None,
            hint: None,
        })
        .collect();
    let rules = session::Rules {
        width: BucketWidth::from_secs(u32::try_from(WIDTH).unwrap()).unwrap(),
        carry_buckets: u32::try_from(CARRY).unwrap(),
    };
    let read = Read { from: instant(horizon), settled_through: None, hinted_through: None, through: instant(END) };
    let spans = session::spans(&session::settle_read(&runs, &statements, rules, read).settled);
    spans.iter().filter(|held| held.covers(instant(at))).map(|held| runs[held.run].session).collect()
}

fn agree(history: &[reference::Said], silence: Option<u64>) -> Result<(), TestCaseError> {
    let rules = Rules { width: WIDTH, carry: CARRY, silence };
    let settled = rules.settle(history, BEGIN, END + CARRY * WIDTH);
    for at in BEGIN..END {
        let expected = rules.resolve(&settled, at);
        let got = open_by_one_pass(history, silence, BEGIN, at);
        prop_assert_eq!(got, expected, "at {} of {:?}, settled as {:?}", at, history, settled);
    }
    Ok(())
}

#[test]
fn a_reset_at_the_first_instant_of_the_log_ends_what_was_open_before_it() {
    let history = [(BEGIN, 0, Word::Reset), (BEGIN + 1, 0, Word::Update)];
    agree(&history, None).unwrap();
    assert!(open_by_one_pass(&history, None, BEGIN, BEGIN).is_empty());
    assert_eq!(open_by_one_pass(&history, None, BEGIN, BEGIN + 1), BTreeSet::from([0]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_pass_agrees_with_the_reference(history in histories().prop_filter("told apart", |h| told_apart(h)), silence in prop::option::of(Just(6_u64))) {
        agree(&history, silence)?;
    }
}
