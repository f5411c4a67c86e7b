//! What reports say of what happened while nobody ran: a policy that was changed, and a keyring that was lost.

#[expect(dead_code, reason = "every test uses its part of it")]
mod purge_rig;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use lapsed::domain::time::Bucket;
use lapsed::purge::{Exception, Setting, Terms};
use lapsed::store::KeyringFound;

use purge_rig::{at, close, open, resume, retention, run};

#[test]
fn terms_that_a_start_finds_changed_are_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    let old = Terms::of(&retention());
    let new = Terms { window: Duration::from_secs(50), purge_interval: Duration::from_secs(9), ..old };
    purger.note_terms(at(100), &new).unwrap();
    assert_eq!(purger.tally().exceptions(), [], "there is no report yet to differ from");
    run(&mut purger, at(100));
    close(&mut purger, &store, at(100));

    purger.note_terms(at(101), &old).unwrap();
    assert_eq!(purger.tally().exceptions(), []);
    let changed = |setting, old, new| Exception::PolicyChanged { at: at(101), setting, old, new, who: None };
    let told = [
        changed(Setting::Window, old.window, new.window),
        changed(Setting::PurgeInterval, old.purge_interval, new.purge_interval),
    ];
    purger.note_terms(at(101), &new).unwrap();
    assert_eq!(purger.tally().exceptions(), told);
    // A start that came to no report.
    purger.keep().unwrap();
    let mut purger = resume(&store, at(102));
    purger.note_terms(at(102), &new).unwrap();
    assert_eq!(purger.tally().exceptions(), told);
    assert_eq!(close(&mut purger, &store, at(103)).remove(0).exceptions, told);
}

#[test]
fn what_a_lost_keyring_had_opened_is_never_said_to_be_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), at(100));
    let mut purger = resume(&store, at(100));
    run(&mut purger, at(100));
    let before = close(&mut purger, &store, at(100)).remove(0);
    assert!(!before.keys.opened.is_empty());
    drop((purger, store));

    fs::remove_file(dir.path().join("keyring")).unwrap();
    let mut store = open(dir.path(), at(102));
    assert!(matches!(store.keyring_history().found, KeyringFound::Lost(_)));
    let mut purger = resume(&store, at(102));
    let mut opened = BTreeSet::new();
    for seconds in [102, 104, 115, 150, 205, 330, 900, 1900] {
        let lost = run(&mut purger, at(seconds));
        let report = close(&mut purger, &store, at(seconds)).remove(0);
        opened.extend(report.keys.opened.iter().map(|(bucket, _)| *bucket));
        let destroyed: BTreeSet<Bucket> = report.keys.destroyed.iter().map(|key| key.bucket).collect();
        assert!(destroyed.is_subset(&opened), "at {seconds}: {destroyed:?} of {opened:?}");
        let first = store.bucket_of(lost.cutoff.horizon());
        assert!(lost.unreadable.iter().all(|bucket| *bucket >= first), "at {seconds}: {:?}", lost.unreadable);
        drop((purger, store));
        store = open(dir.path(), at(seconds + 1));
        purger = resume(&store, at(seconds + 1));
    }
    assert!(!opened.is_empty());
}
