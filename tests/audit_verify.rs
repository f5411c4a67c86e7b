//! What `lapse audit verify` makes of ledgers: no honest one is refused, and what was done to one is found by the right rule.
//!
//! `LAPSED_HISTORIES` sets how many honest ledgers, and how many changes, are tried.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "other tests use the rest")]
mod evidence_rig;
mod evidence_tampering;
mod random;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use lapsed::evidence::{Check, Evidence, Outcome, Verdict, verify};
use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::merkle::Hash;

use tempfile::TempDir;

use evidence_rig::{Event, Files, Signers, World, write};
use evidence_tampering::{Expected, Honest, Tampering};
use random::Random;

#[expect(clippy::disallowed_methods, reason = "how much a test does is no setting of the daemon")]
fn histories() -> u64 {
    std::env::var("LAPSED_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(1000)
}

/// A ledger of random length, most of them short, in which more or less happens.
fn some_world(seed: u64) -> World {
    let mut random = Random(seed);
    let longest = if random.below(8) == 0 { 600 } else { 50 };
    let entries = usize::try_from(1 + random.below(longest)).unwrap();
    let rare = [0, 50, 12, 4][usize::try_from(random.below(4)).unwrap()];
    let mut world = World::new(seed);
    world.go_on_until(entries, rare);
    if random.below(2) == 0 {
        world.stop();
    } else if random.below(5) == 0 {
        world.meet(Event::FailedRun);
    }
    world
}

/// A directory in memory, if this machine has that: the files are many, and of no worth.
fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn verified(files: &Files, signers: &Signers, known: &[Vec<u8>]) -> Evidence {
    let dir = directory();
    write(dir.path(), files);
    verify(dir.path(), &signers.keys(), known).unwrap()
}

fn check<'a>(evidence: &'a Evidence, name: &str) -> &'a Check {
    evidence.checks.iter().find(|check| check.name == name).unwrap()
}

#[test]
fn no_honest_ledger_is_refused() {
    let signers = Signers::fresh();
    let mut truths = Vec::new();
    for seed in 0..histories() {
        let world = some_world(seed);
        truths.push(world.truth());
        let ledgers = world.ledgers();
        let files = ledgers.files(&signers);
        let known = ["purge/checkpoint", "access/checkpoint"].map(|name| files[name].clone());
        let evidence = verified(&files, &signers, &known[..usize::try_from(seed % 3).unwrap()]);
        let wrong: Vec<_> =
            evidence.checks.iter().filter(|check| check.counts && check.result != Outcome::Pass).collect();
        // An honest host may have been late, and says so: that is no false alarm.
        assert!(wrong.iter().all(|check| CONFESSED.contains(&check.name)), "seed {seed}: {wrong:#?}");
        assert_eq!(evidence.valid(), world.truth(), "seed {seed}: {wrong:#?}");
        assert_eq!((evidence.purge.entries, evidence.access.entries), (ledgers.purge, ledgers.access));
    }
    for truth in [Some(true), Some(false), None] {
        assert!(truths.iter().filter(|of| **of == truth).count() > truths.len() / 100, "hardly any is {truth:?}");
    }
}

/// The checks of what was kept too long, or not made good.
const CONFESSED: [&str; 3] = ["unlink-age", "key-age", "failures"];

/// Ledgers that have something of everything, and a last report that counts all accesses.
fn long_ledgers<'a>(seed: u64, signers: &'a Signers, random: &mut Random) -> Honest<'a> {
    let mut world = World::new(seed);
    world.go_on_until(usize::try_from(20 + random.below(300)).unwrap(), 30);
    (0..12).for_each(|_| world.go_on());
    world.stop();
    let ledgers = world.ledgers();
    Honest { files: ledgers.files(signers), ledgers, signers }
}

#[test]
fn every_change_is_found_by_the_right_rule() {
    let signers = Signers::fresh();
    let mut random = Random(7);
    let mut honest = long_ledgers(0, &signers, &mut random);
    for case in 0..histories() {
        if case % 25 == 24 {
            honest = long_ledgers(case, &signers, &mut random);
        }
        let kind = Tampering::ALL[usize::try_from(case).unwrap() % Tampering::ALL.len()];
        let (files, known, expected) = kind.apply(&honest, &mut random).unwrap();
        let evidence = verified(&files, &signers, &known);
        let Expected { valid, check: name, result, detail } = &expected;
        let found = check(&evidence, name);
        let late = CONFESSED.iter().any(|name| self::check(&evidence, name).result == Outcome::Fail);
        let valid = if late { Some(false) } else { *valid };
        assert_eq!(evidence.valid(), valid, "case {case}: {kind:?}: {expected:?}: {:#?}", evidence.checks);
        assert_eq!(found.result, *result, "case {case}: {kind:?}: {expected:?}: {found:?}");
        assert!(found.detail.contains(detail.as_str()), "case {case}: {kind:?}: {expected:?}: {found:?}");
    }
}

#[test]
fn what_is_not_there_is_not_known() {
    let signers = Signers::fresh();
    let evidence = verified(&Files::new(), &signers, &[]);
    assert_eq!(evidence.valid(), None);
    for check in evidence.checks.iter().filter(|check| check.counts && check.name != "directory") {
        assert_eq!(check.result, Outcome::Unknown, "{check:?}");
    }
    assert!(verify(Path::new("/nowhere/at/all"), &signers.keys(), &[]).is_err());
}

#[test]
fn a_link_is_not_followed_and_a_size_that_is_made_up_costs_nothing() {
    let signers = Signers::fresh();
    let files = World::new(2).ledgers().files(&signers);
    let dir = directory();
    write(dir.path(), &files);
    let checkpoint = dir.path().join("purge/checkpoint");
    let elsewhere = dir.path().join("elsewhere");
    fs::rename(&checkpoint, &elsewhere).unwrap();
    symlink(&elsewhere, &checkpoint).unwrap();
    let evidence = verify(dir.path(), &signers.keys(), &[]).unwrap();
    assert_eq!(check(&evidence, "purge-files").result, Outcome::Fail);
    assert!(check(&evidence, "purge-files").detail.contains("checkpoint does not belong"));
    assert_eq!(check(&evidence, "purge-signature").result, Outcome::Unknown);
    assert_eq!(check(&evidence, "directory").detail, "elsewhere does not belong there");

    fs::remove_file(&checkpoint).unwrap();
    fs::remove_file(&elsewhere).unwrap();
    let root = Hash::of_nothing();
    let huge = Checkpoint { origin: "lapsed/purge".to_owned(), size: u64::MAX, root }.sign(&signers.purge);
    fs::write(&checkpoint, huge).unwrap();
    let evidence = verify(dir.path(), &signers.keys(), &[]).unwrap();
    assert_eq!(check(&evidence, "purge-signature").result, Outcome::Pass);
    assert_eq!(check(&evidence, "purge-entries").result, Outcome::Unknown);
    assert!(check(&evidence, "purge-files").detail.contains("tile/entries/000.p/1 does not belong"));
}

#[test]
fn a_checkpoint_that_was_kept_of_something_else_is_of_no_use_and_says_so() {
    let signers = Signers::fresh();
    let files = World::new(3).ledgers().files(&signers);
    let foreign = World::new(3).ledgers().files(&Signers::fresh())["purge/checkpoint"].clone();
    let evidence = verified(&files, &signers, &[foreign]);
    assert_eq!(evidence.valid(), None);
    assert!(check(&evidence, "history-fixed").detail.starts_with("checkpoint 1 of those kept"));
}

#[test]
fn what_reports_say_against_themselves_is_told_and_only_what_was_kept_too_long_counts() {
    let signers = Signers::fresh();
    let mut world = World::new(1);
    world.go_on_until(5, 0);
    world.meet(Event::FailedRun);
    assert_eq!(world.last().verdict().name(), "failed");
    world.meet(Event::Restart);
    world.meet(Event::KeyringLost);
    let evidence = verified(&world.ledgers().files(&signers), &signers, &[]);
    assert_eq!(evidence.valid(), Some(false), "a key was destroyed too late: {:#?}", evidence.checks);
    assert_eq!(check(&evidence, "key-age").result, Outcome::Fail);
    let told = |name: &str| (check(&evidence, name).counts, check(&evidence, name).detail.clone());
    assert!(!told("reported-breaches").0);
    let breaches = told("reported-breaches").1;
    assert!(breaches.contains("entry 5: its result is failed") && breaches.contains("entry 7: a"), "{breaches}");
    assert!(told("exceptions").1.contains("entry 9: keyring-lost"), "{:?}", told("exceptions"));
    assert!(told("heartbeats").1.contains("entry 7: no daemon for"), "{:?}", told("heartbeats"));
    assert!(told("keys").1.ends_with("the count begins anew with entry 9"), "{:?}", told("keys"));
    assert!(told("history-fixed").1.starts_with("no checkpoint was kept"));
    assert_eq!(check(&evidence, "history-fixed").result, Outcome::Unknown);
}

#[test]
fn a_verdict_has_the_shape_that_scripts_read() {
    let signers = Signers::fresh();
    let evidence = verified(&World::new(1).ledgers().files(&signers), &signers, &[]);
    let json = serde_json::to_value(Verdict::from(&evidence)).unwrap();
    assert_eq!(json["valid"], true);
    let first = &json["checks"][0];
    let names: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(names, ["detail", "name", "result"]);
    assert_eq!((&first["name"], &first["result"]), (&"directory".into(), &"pass".into()));
}
