//! Runs add up to reports: without a gap, with every exception, and across restarts.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod purge_entries;

use std::time::Duration;

use lapsed::domain::time::{Bucket, Timestamp};
use lapsed::purge::{
    Check, ClassRun, Closing, Counted, Exception, Explanation, Extents, Failure, KeyDestroyed, Kind, LastRun, Line,
    MAX_ENTRY_BYTES, Outcome, ReadBack, Reason, Report, Run, Runs, Setting, Standing, Step, Tally, TallyError, Trigger,
    Verdict,
};
use proptest::prelude::*;

use purge_entries::{BEGIN, at, clean, config, exceptions, terms};

fn closing(kind: Kind, at: Timestamp) -> Closing {
    let Report { system, software, policy, terms, clock, erasure, .. } = clean();
    Closing { kind, at, system, software, policy, terms, clock, erasure, holds: 3, accesses: 17 }
}

/// A run at `seconds` after the beginning that unlinked `count` assignments and found all well.
fn run(seconds: u64, count: u64) -> Run {
    let began = at(seconds * 1000);
    let cutoff = lapsed::domain::time::Cutoff::of(began, terms().window);
    let mut run = Run::begin(began, Trigger::Interval, cutoff);
    run.ended = began.plus(Duration::from_millis(500));
    let oldest = (count > 0).then(|| cutoff.horizon().minus(Duration::from_secs(60)));
    run.classes.assignments = ClassRun { scanned: count, filtered: count, remaining: 0, oldest };
    run.live_keys = 294;
    run.manifest_rolled = true;
    run.checks = Check::ALL.iter().filter(|check| check.is_made_always()).map(|check| (*check, true)).collect();
    run
}

/// A tally after these runs, as it is after a restart of the daemon.
fn tally_of(runs: &[Run]) -> Tally {
    let mut tally = Tally::begin(at(0));
    for run in runs {
        tally.add(run, &terms());
        tally = Tally::parse(&tally.to_bytes().unwrap()).unwrap();
    }
    tally
}

#[test]
fn runs_add_up_and_maxima_are_of_one_run() {
    let mut slow = run(120, 7);
    slow.ended = slow.began.plus(Duration::from_millis(2500));
    slow.files_removed = 2;
    let mut tally = tally_of(&[run(60, 5), slow, run(180, 0)]);
    tally.take(9);
    let tally = Tally::parse(&tally.to_bytes().unwrap()).unwrap();
    assert!(!tally.is_due(at(599_999), terms().bucket) && tally.is_due(at(600_000), terms().bucket));
    let closed = tally.close(&closing(Kind::Bucket, at(600_000)));
    let [report] = &closed.reports[..] else { panic!("one report: {closed:?}") };
    let class = report.classes.assignments;
    assert_eq!((class.scanned, class.filtered, class.remaining), (12, 12, 0));
    assert_eq!(class.max_age, Some(Duration::from_millis(48 * 3_600_000 + 62_500)));
    assert_eq!(report.cutoff, Some(run(180, 0).cutoff.horizon()));
    assert_eq!(report.standing, Standing { taken: 9, holds: 3, accesses: 17 });
    assert_eq!(closed.next.close(&closing(Kind::Bucket, at(700_000))).reports[0].standing.taken, 0);
    assert_eq!(report.runs, Runs { count: 3, late: 0, failed: 0, last: LastRun::Verified });
    assert_eq!((report.unlinking.files_removed, report.unlinking.manifests_rolled), (2, 3));
    assert_eq!((report.sequence, report.from, report.to), (0, at(0), at(600_000)));
    assert_eq!((report.verdict(), &report.exceptions[..]), (Verdict::Clean, &[][..]));
    assert_eq!(Report::parse(&report.to_bytes()).as_ref(), Ok(report));
}

#[test]
fn periods_and_numbers_have_no_gap_even_if_the_clock_goes_back() {
    let mut tally = tally_of(&[run(60, 5)]);
    let mut last = None;
    for (place, end) in [600_000, 600_000, 30_000, 1_200_000].into_iter().enumerate() {
        let closed = tally.close(&closing(Kind::Exception, at(end)));
        let report = closed.reports[0].clone();
        assert_eq!(report.sequence, u64::try_from(place).unwrap());
        assert!(report.to >= report.from && last.is_none_or(|last| report.from == last));
        last = Some(report.to);
        tally = closed.next;
        assert_eq!(tally.cutoff(), Some(run(60, 5).cutoff.horizon()));
    }
    assert_eq!((tally.sequence(), tally.from()), (4, at(1_200_000)));
}

#[test]
fn a_run_that_comes_too_late_says_how_much_also_after_a_restart() {
    let mut tally = tally_of(&[run(60, 5), run(125, 5)]);
    assert!(!tally.has_exceptions());
    tally = tally.close(&closing(Kind::Stop, at(130_000))).next;
    let late = run(125 + 7265, 5);
    tally.add(&late, &terms());
    let report = &tally.close(&closing(Kind::Start, at(7_400_000))).reports[0];
    assert_eq!(report.exceptions, [Exception::LateRun { at: late.began, late: Duration::from_secs(7200) }]);
    assert_eq!((report.runs.late, report.verdict()), (1, Verdict::Exceptions));
}

#[test]
fn a_period_without_a_run_is_clean_only_if_none_was_due() {
    let tally = tally_of(&[run(60, 5)]).close(&closing(Kind::Exception, at(61_000))).next;
    let verdict = |end| tally.close(&closing(Kind::Stop, at(end))).reports[0].verdict();
    assert_eq!(verdict(120_000), Verdict::Clean);
    assert_eq!(verdict(126_001), Verdict::Exceptions);
}

#[test]
fn a_failed_run_that_was_made_up_for_is_an_exception_and_the_last_one_a_failure() {
    let mut failed = run(60, 5);
    failed.checks.clear();
    failed.failures.push(Failure { step: Step::Compact, reason: Reason::NoSpace });
    failed.classes.assignments = ClassRun { filtered: 2, ..failed.classes.assignments };
    let noted = Exception::FailedRun { at: failed.began, failure: failed.failures[0] };

    let report = &tally_of(&[failed.clone(), run(120, 5)]).close(&closing(Kind::Bucket, at(600_000))).reports[0];
    assert_eq!((report.verdict(), &report.exceptions[..]), (Verdict::Exceptions, &[noted][..]));
    let class = report.classes.assignments;
    assert_eq!((class.scanned, class.filtered), (7, 7), "what was left is counted once, by the run that dropped it");
    assert_eq!(report.outcome(Check::RangeEmpty), Outcome::Passed);

    failed.classes.assignments.remaining = 5;
    let closed = tally_of(&[run(60, 5), failed]).close(&closing(Kind::Bucket, at(600_000)));
    let report = &closed.reports[0];
    assert_eq!((report.verdict(), report.runs.failed), (Verdict::Failed, 1));
    // No report is clean, and none says that more is destroyed, until a run was verified.
    let verified = Some(run(60, 5).cutoff.horizon());
    let next = &closed.next.close(&closing(Kind::Bucket, at(610_000))).reports[0];
    assert_eq!((next.verdict(), next.runs.count, next.classes.assignments.remaining), (Verdict::Failed, 0, 5));
    assert_eq!((report.cutoff, next.cutoff), (verified, verified));
    let mut next = closed.next;
    next.add(&run(620, 5), &terms());
    let report = &next.close(&closing(Kind::Bucket, at(630_000))).reports[0];
    assert_ne!(report.verdict(), Verdict::Failed);
    assert_eq!((report.cutoff, report.classes.assignments.remaining), (Some(run(620, 5).cutoff.horizon()), 0));
}

#[test]
fn a_check_that_failed_or_was_left_out_makes_a_failure_whatever_comes_after() {
    let mut broken = run(60, 5);
    broken.checks[0].1 = false;
    let report = &tally_of(&[broken.clone(), run(120, 5)]).close(&closing(Kind::Bucket, at(600_000))).reports[0];
    assert_eq!((report.outcome(Check::RangeEmpty), report.verdict()), (Outcome::Failed, Verdict::Failed));
    let failure = Failure { step: Step::Verify, reason: Reason::CheckFailed };
    assert_eq!(report.exceptions, [Exception::FailedRun { at: broken.began, failure }]);

    let mut lazy = run(60, 5);
    lazy.checks.truncate(3);
    let report = &tally_of(&[lazy, run(120, 5)]).close(&closing(Kind::Bucket, at(600_000))).reports[0];
    assert_eq!((report.outcome(Check::NothingElse), report.verdict()), (Outcome::NotMade, Verdict::Failed));
}

#[test]
fn counts_that_differ_are_explained_if_they_can_be() {
    let mut repeated = run(60, 5);
    repeated.classes.assignments.filtered = 9;
    let report = &tally_of(&[repeated.clone()]).close(&closing(Kind::Bucket, at(120_000))).reports[0];
    let (at_begin, counted) = (repeated.began, Counted::Assignments);
    let explanation = Explanation::RepeatedCompaction;
    let expected = Exception::CountsDiffer { at: at_begin, counted, scanned: 5, filtered: 9, explanation };
    assert_eq!((&report.exceptions[..], report.verdict()), (&[expected][..], Verdict::Exceptions));

    // One run that dropped too much does not make up for one that dropped too little.
    let mut too_few = run(120, 5);
    too_few.classes.assignments.filtered = 4;
    let report = &tally_of(&[repeated, too_few]).close(&closing(Kind::Bucket, at(180_000))).reports[0];
    assert_eq!(report.verdict(), Verdict::Failed);
}

#[test]
fn of_each_kind_of_exception_the_first_are_listed_and_none_crowds_out_another() {
    let mut tally = tally_of(&[]);
    for seconds in 0..100 {
        tally.note(Exception::Swept { at: at(seconds), keys: 1 });
    }
    tally.note(Exception::KeyringLost { at: at(100) });
    let report = &tally.close(&closing(Kind::Exception, at(200))).reports[0];
    assert_eq!((report.exceptions.len(), report.left_out), (17, 84));
    assert_eq!(report.exceptions.last(), Some(&Exception::KeyringLost { at: at(100) }));
}

#[test]
fn a_key_is_noted_as_unreadable_once() {
    let unreadable = |seconds| Run { unreadable: vec![Bucket(7)], ..run(seconds, 0) };
    let tally = tally_of(&[unreadable(60), unreadable(120)]);
    let closed = tally.close(&closing(Kind::Bucket, at(180_000)));
    let report = &closed.reports[0];
    assert_eq!(report.exceptions, [Exception::KeyUnreadable { at: at(60_000), bucket: Bucket(7) }]);
    let mut next = closed.next;
    next.add(&unreadable(180), &terms());
    let report = &next.close(&closing(Kind::Bucket, at(240_000))).reports[0];
    assert_eq!((report.exceptions.len(), report.keys.unreadable), (0, 1));
    assert_eq!(report.verdict(), Verdict::Exceptions);
}

/// Keys opened and destroyed in one period, as after a long absence of the daemon.
fn many_keys(count: u32) -> Run {
    let first = u32::try_from(BEGIN / 600_000).unwrap() - 5000;
    let opened = (0..count).map(|place| (Bucket(first + 4096 + place), [1; 32])).collect();
    let destroyed = (0..count).map(|place| KeyDestroyed {
        bucket: Bucket(first + place),
        at: at(60_000),
        read_back: ReadBack::CacheDropped,
        extents: Extents::Same,
    });
    let mut run = Run { opened, destroyed: destroyed.collect(), ..run(60, 5) };
    run.checks.extend([(Check::ReadBack, true), (Check::ExtentsUnchanged, true)]);
    run
}

#[test]
fn more_keys_than_an_entry_holds_fill_further_reports_and_the_live_ones_always_add_up() {
    let run = many_keys(450);
    let closed = tally_of(std::slice::from_ref(&run)).close(&closing(Kind::Start, at(61_000)));
    let (mut opened, mut destroyed) = (Vec::new(), Vec::new());
    for (place, report) in closed.reports.iter().enumerate() {
        assert_eq!(report.sequence, u64::try_from(place).unwrap());
        assert_eq!((report.from, report.to), (if place == 0 { at(0) } else { at(61_000) }, at(61_000)));
        opened.extend(report.keys.opened.clone());
        destroyed.extend(report.keys.destroyed.clone());
        // As many as before this period, 294, more what was opened so far, less what was destroyed.
        assert_eq!(usize::try_from(report.keys.live).unwrap() + destroyed.len(), 294 + opened.len());
        assert_ne!(report.verdict(), Verdict::Failed);
        assert_eq!(Report::parse(&report.to_bytes()).as_ref(), Ok(report));
    }
    assert_eq!((opened, destroyed), (run.opened, run.destroyed));
    assert_eq!(closed.reports[1].runs.count, 0);
    assert_eq!(closed.next.sequence(), u64::try_from(closed.reports.len()).unwrap());
}

#[test]
fn an_entry_has_room_for_all_that_a_tally_can_put_into_it() {
    let mut run = many_keys(4102);
    for class in [&mut run.classes.assignments, &mut run.listings] {
        *class = ClassRun { scanned: u64::MAX, filtered: u64::MAX, remaining: u64::MAX, oldest: Some(at(0)) };
    }
    let mut tally = tally_of(&[run]);
    let (longest, at, who) = (Duration::from_millis(u64::MAX), at(0), Some([0xff; 8]));
    for _ in 0..20 {
        for (exception, _) in exceptions() {
            tally.note(exception);
        }
        let explanation = Explanation::RepeatedCompaction;
        let (counted, most) = (Counted::Assignments, u64::MAX);
        tally.note(Exception::CountsDiffer { at, counted, scanned: most, filtered: most, explanation });
        tally.note(Exception::PolicyChanged { at, setting: Setting::PurgeInterval, old: longest, new: longest, who });
    }
    let mut closing = closing(Kind::Start, at);
    closing.erasure.stack = Line::of(&"x".repeat(1000));
    closing.software = Line::of(&"y".repeat(1000));
    for report in tally.close(&closing).reports {
        let bytes = report.to_bytes();
        assert!(bytes.len() <= MAX_ENTRY_BYTES * 9 / 10, "{} bytes", bytes.len());
        assert_eq!(Report::parse(&bytes), Ok(report));
    }
}

#[test]
fn what_is_no_tally_says_why() {
    let mut full = many_keys(2);
    full.unreadable = vec![Bucket(3)];
    let mut tally = tally_of(&[full]);
    for (exception, _) in exceptions() {
        tally.note(exception);
    }
    let good = tally.to_bytes().unwrap();
    assert_eq!(Tally::parse(&good), Ok(tally));
    assert_eq!(Tally::parse(b""), Err(TallyError::Version(None)));
    assert_eq!(Tally::parse(&[3]), Err(TallyError::Version(Some(3))));
    assert_eq!(Tally::parse(&[&good[..], &[0]].concat()), Err(TallyError::TrailingBytes(1)));
    for len in 1..good.len() {
        assert_eq!(Tally::parse(&good[..len]), Err(TallyError::Encoding), "{len} bytes");
    }
    let told = String::from_utf8_lossy(&good).into_owned();
    assert!(told.contains("late-run") && told.contains("restored"));
    let place = good.windows(8).position(|bytes| bytes == b"restored").unwrap();
    let mut gossip = good.clone();
    gossip[place..place + 8].copy_from_slice(b"gossip  ");
    assert!(matches!(Tally::parse(&gossip), Err(TallyError::Exception(_))));
    // A corrupt length asks for no memory.
    let mut endless = good;
    endless[50..58].fill(0xff);
    assert!(Tally::parse(&endless).is_err());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_tally_of_any_bytes_is_an_error_or_a_tally(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        if let Ok(tally) = Tally::parse(&bytes) {
            prop_assert!(tally.to_bytes().is_ok());
        }
    }
}
