//! Marks say of a source exactly what the full list of its instants would say, at the fineness of a bucket.
#![expect(clippy::indexing_slicing, reason = "a helper that fails fails its test")]

use std::time::Duration;

use lapsed::domain::coverage::{Coverage, Hole, Trouble};
use lapsed::domain::identity::SourceName;
use lapsed::domain::time::{BucketWidth, Timestamp};
use proptest::prelude::*;

const WIDTH: u64 = 10;
const END: u64 = 300;

fn instant(at: u64) -> Timestamp {
    Timestamp::from_millis(at * 1000)
}

fn heard(instants: &[u64], troubles: &[(u64, u64, bool)]) -> Coverage {
    let Some(width) = BucketWidth::from_secs(10) else { unreachable!("10 s is a width") };
    let mut coverage = Coverage::new(width);
    for at in instants {
        coverage.hear(&north(), instant(*at));
    }
    for (from, length, everybody) in troubles {
        let whose = (!everybody).then(north);
        coverage.trouble(&whose, instant(*from), instant(from + length), Trouble::Backlog);
    }
    coverage
}

fn north() -> SourceName {
    SourceName("north".into())
}

/// The rule, from all instants.
fn naive(instants: &[u64], troubles: &[(u64, u64, bool)], from: u64, to: u64) -> bool {
    let mut instants = instants.to_vec();
    instants.sort_unstable();
    let Some(before) = instants.iter().rposition(|at| *at <= from) else { return false };
    let Some(since) = instants.iter().position(|at| *at > to) else { return false };
    let silent = instants[before..=since].windows(2).any(|pair| pair[1] - pair[0] > WIDTH);
    let bucket = |at: u64| at / WIDTH;
    let troubled = troubles
        .iter()
        .any(|(began, length, _)| bucket(*began) <= bucket(to) && bucket(from) <= bucket(began + length));
    !silent && !troubled
}

fn instants() -> impl Strategy<Value = Vec<u64>> {
    let gap = prop_oneof![8 => 0_u64..=WIDTH, 1 => Just(WIDTH + 1), 1 => 0_u64..40];
    prop::collection::vec(gap, 0..60).prop_map(|gaps| {
        let walk = gaps.iter().scan(0, |at, gap| {
            *at += gap;
            Some(*at)
        });
        walk.take_while(|at| *at < END).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn marks_know_what_all_instants_know(
        instants in instants().prop_shuffle(),
        troubles in prop::collection::vec((0..END, 0_u64..25, any::<bool>()), 0..2),
        from in 0..END,
        length in 0_u64..80,
    ) {
        let to = from + length;
        let coverage = heard(&instants, &troubles);
        let throughout = coverage.throughout(&north(), instant(from), instant(to));
        prop_assert_eq!(throughout.is_ok(), naive(&instants, &troubles, from, to), "{:?}: {:?}", instants, throughout);
        prop_assert_eq!(coverage.newest(&north()), instants.iter().max().map(|at| instant(*at)));
    }

    #[test]
    fn what_is_kept_and_recalled_says_the_same(instants in instants(), from in 0..END, length in 0_u64..80) {
        let coverage = heard(&instants, &[(from, 5, true)]);
        let mut recalled = heard(&[], &[]);
        for bucket in 0..=u32::try_from(END / WIDTH + 1).unwrap_or(0) {
            for whose in [None, Some(north())] {
                let bucket = lapsed::domain::time::Bucket(bucket);
                let mark = coverage.mark_of(&whose, bucket);
                if mark != lapsed::domain::coverage::Mark::default() {
                    recalled.recall(&whose, bucket, mark);
                }
            }
        }
        let (from, to) = (instant(from), instant(from + length));
        prop_assert_eq!(coverage.throughout(&north(), from, to), recalled.throughout(&north(), from, to));
        prop_assert_eq!(coverage.gaps(&north()), recalled.gaps(&north()));
    }
}

#[test]
fn the_reason_is_named() {
    let every_five: Vec<u64> = (0..=20).map(|n| n * 5).collect();
    let ask = |coverage: &Coverage, from, to| coverage.throughout(&north(), instant(from), instant(to));
    let whole = heard(&every_five, &[]);
    assert_eq!(ask(&whole, 0, 99), Ok(()));
    assert_eq!(ask(&whole, 0, 100), Err(Hole::NotSince));
    assert_eq!(ask(&heard(&[5, 15], &[]), 4, 10), Err(Hole::NotBefore));
    assert_eq!(ask(&heard(&[5, 16], &[]), 5, 10), Err(Hole::Silent));
    assert!(matches!(ask(&heard(&every_five, &[(42, 0, true)]), 0, 99), Err(Hole::Troubled(_))));
    assert_eq!(ask(&heard(&every_five, &[(42, 0, true)]), 50, 99), Ok(()));
}

#[test]
fn marks_go_with_their_buckets_and_when_a_source_was_last_heard_stays() {
    let mut coverage = heard(&[5, 15, 25], &[(5, 1, true)]);
    assert_eq!(coverage.gaps(&north()).len(), 1);
    coverage.forget_before(coverage.bucket_of(instant(20)));
    assert!(!coverage.reaches_before(coverage.bucket_of(instant(20))));
    assert!(!coverage.heard_within(&north(), instant(0), instant(19)));
    assert!(coverage.heard_within(&north(), instant(0), instant(25)));
    assert_eq!((coverage.gaps(&north()), coverage.newest(&north())), (vec![], Some(instant(25))));
    coverage.forget_before(coverage.bucket_of(instant(90)));
    assert_eq!(coverage.newest(&north()), Some(instant(25)));
    assert_eq!(instant(25).since(instant(5)), Duration::from_secs(20));
}
