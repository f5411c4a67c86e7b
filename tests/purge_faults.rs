//! A filter that drops nothing, and compactions that nobody asked for, through the whole path to the report.

#[expect(dead_code, reason = "every test uses its part of it")]
mod purge_rig;

use lapsed::domain::time::Bucket;
use lapsed::purge::{Check, Exception, Outcome, ReadBack, Report, Run, Step, Verdict};
use lapsed::store::Log;
use purge_rig::{at, close, commit, open, raw_keys, record, resume, run, run_watched};

/// What a run says of its rows: counted, dropped, left.
fn rows(run: &Run) -> [(u64, u64, u64); 3] {
    [&run.classes.assignments, &run.classes.logons, &run.listings].map(|of| (of.scanned, of.filtered, of.remaining))
}

fn held(run: &Run, check: Check) -> Option<bool> {
    run.checks.iter().find(|(of, _)| *of == check).map(|(_, held)| *held)
}

#[test]
fn a_filter_that_drops_nothing_makes_a_failed_report_and_the_next_run_repairs_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    commit(&store, (0..100).map(|number| record(at(u64::from(number)), number)));

    store.blind_filter(true);
    let blind = run(&mut purger, at(155));
    assert!(blind.failed());
    assert_eq!(rows(&blind), [(55, 0, 55), (0, 0, 0), (55, 0, 55)]);
    assert_eq!(held(&blind, Check::RangeEmpty), Some(false));
    assert_eq!(held(&blind, Check::NoFileBelowCutoff), Some(false));
    let failed = close(&mut purger, &store, at(155));
    assert_eq!(failed.iter().map(Report::verdict).collect::<Vec<_>>(), [Verdict::Failed]);
    assert_eq!(failed.first().unwrap().classes.assignments.remaining, 55);
    assert_eq!(failed.first().unwrap().outcome(Check::RangeEmpty), Outcome::Failed);

    store.blind_filter(false);
    let repaired = run(&mut purger, at(157));
    assert!(!repaired.failed(), "{repaired:?}");
    assert_eq!(rows(&repaired), [(57, 57, 0), (0, 0, 0), (57, 57, 0)], "what was left, and two seconds more");
    let late = close(&mut purger, &store, at(157)).remove(0);
    assert!(late.exceptions.is_empty() && late.checks.iter().all(|outcome| *outcome != Outcome::Failed), "{late:?}");
    assert_eq!(late.verdict(), Verdict::Exceptions, "it is all gone, and some of it later than it should");
    run(&mut purger, at(160));
    assert_eq!(close(&mut purger, &store, at(160)).remove(0).verdict(), Verdict::Clean);
    assert_eq!(raw_keys(dir.path(), at(57)), []);
    // What the ledger has is what was said.
    let entries = store.entries(Log::Purge, 0, 10).unwrap();
    let verdicts: Vec<_> = entries.iter().map(|(_, entry)| Report::parse(entry).unwrap().verdict()).collect();
    assert_eq!(verdicts, [Verdict::Failed, Verdict::Exceptions, Verdict::Clean]);
}

#[test]
fn a_filter_that_sees_again_within_a_period_does_not_make_its_report_clean() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    commit(&store, (0..100).map(|number| record(at(u64::from(number)), number)));
    store.blind_filter(true);
    assert!(run(&mut purger, at(155)).failed());
    store.blind_filter(false);
    assert!(!run(&mut purger, at(155)).failed());
    assert_eq!(close(&mut purger, &store, at(155)).first().unwrap().verdict(), Verdict::Failed);
}

#[test]
fn a_compaction_of_the_databases_own_before_the_count_takes_nothing_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    commit(&store, (0..100).map(|number| record(at(u64::from(number)), number)));
    let mut between = Vec::new();
    // The cutoff is published, the rows are in tables, and every table is rewritten.
    let run = run_watched(&mut purger, at(155), &mut |step| {
        if step == Step::Count {
            assert_eq!(store.cutoff().horizon(), at(55));
            store.unlink(Bucket(u32::MAX)).unwrap();
            between.push(store.dropped().total());
        }
    });
    assert_eq!(between, [0]);
    assert_eq!(rows(&run), [(55, 55, 0), (0, 0, 0), (55, 55, 0)]);
    assert!(!run.failed(), "{run:?}");
    let reports = close(&mut purger, &store, at(155));
    let differ = |exception: &Exception| matches!(exception, Exception::CountsDiffer { .. });
    assert!(!reports.iter().flat_map(|report| &report.exceptions).any(differ), "{reports:?}");
}

#[test]
fn a_key_that_opening_destroyed_is_reported_with_how_it_was_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    commit(&store, (0..100).map(|number| record(at(u64::from(number)), number)));
    run(&mut purger, at(101));
    close(&mut purger, &store, at(101));
    drop((purger, store));

    // Off for half a window: opening destroys what fell due.
    let store = open(dir.path(), at(155));
    let opened = &store.keyring_history().destroyed;
    assert!(!opened.keys.is_empty());
    let mut purger = resume(&store, at(155));
    let run = run(&mut purger, at(155));
    assert!(!run.failed(), "{run:?}");
    assert_eq!(held(&run, Check::ReadBack), Some(true));
    assert_eq!(run.destroyed.len(), opened.keys.len());
    assert!(run.destroyed.iter().all(|key| key.read_back != ReadBack::Unread), "{run:?}");
    let report = close(&mut purger, &store, at(155)).remove(0);
    assert_eq!(report.verdict(), Verdict::Exceptions, "the run was late, and nothing else: {report:?}");
}
