//! The ledgers after a crash: whole, with every access that was answered, and no report of what was not verified.
//!
//! Commits that fail in either way, on the real store; and kill -9 of the real daemon in the middle of lookups, after which the real `lapse`
//! fetches and verifies. `LAPSED_CRASH_ROUNDS` says how often.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test stops at what it did not expect")]

mod random;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lapsed::audit::{Entry, hex};
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{BucketWidth, Timestamp};
use lapsed::ledger::merkle::{Frontier, Hash, root_at};
use lapsed::ledger::tile::{Bundle, TileKind, TilePath};
use lapsed::store::{Batch, CommitError, Fault, Log, Opening, Store};

use random::Random;
use support::{Site, TWO_NAS, ago, code, files_below, talk_of, text};

fn rounds(otherwise: u64) -> u64 {
    std::env::var("LAPSED_CRASH_ROUNDS").map_or(otherwise, |rounds| rounds.parse().unwrap())
}

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn open(dir: &Path) -> Store {
    let retention = Retention {
        window: Duration::from_secs(100),
        bucket: BucketWidth::from_secs(10).unwrap(),
        purge_interval: Duration::from_secs(5),
        carry_interval: Duration::from_secs(10),
        max_silence: None,
    };
    Store::open(dir, dir, &retention, Opening::at(NOW, &retention)).unwrap()
}

/// The entries of a log, which must be those of its tree, at every size that it has had.
fn entries(store: &Store, log: Log) -> Vec<Vec<u8>> {
    let found = store.entries(log, 0, usize::MAX).unwrap();
    assert!(found.iter().map(|(index, _)| *index).eq(0..found.len() as u64));
    let mut tree = Frontier::empty();
    for (index, entry) in &found {
        tree.append(Hash::of_leaf(entry));
        if index % 50 == 0 {
            assert_eq!(root_at(&store.log_hashes(log), tree.size()).unwrap(), tree.root());
        }
    }
    assert_eq!(store.tree(log), (tree.size(), tree.root()));
    found.into_iter().map(|(_, entry)| entry).collect()
}

#[test]
fn after_a_commit_that_failed_both_ledgers_are_whole_and_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(6);
    // What must be there, whatever happened.
    let mut kept: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
    for round in 0..rounds(30) {
        let store = open(dir.path());
        for (log, kept) in Log::ALL.into_iter().zip(&mut kept) {
            let found = entries(&store, log);
            assert_eq!(&found[..kept.len()], &kept[..], "nothing that was committed is lost");
            *kept = found;
        }
        let fault = if round % 2 == 0 { Fault::NotPersisted } else { Fault::PersistedButFailed };
        store.fail_commit(u32::try_from(random.below(8)).unwrap(), fault);
        loop {
            let mut batch = Batch::new();
            let mut added: [Vec<Vec<u8>>; 2] = [Vec::new(), Vec::new()];
            for (log, added) in Log::ALL.into_iter().zip(&mut added) {
                for number in 0..random.below(40) {
                    let entry = format!("entry {number} of round {round}\n").into_bytes();
                    batch.entry(log, store.next_entry(log) + added.len() as u64, entry.clone());
                    added.push(entry);
                }
            }
            if added.iter().all(Vec::is_empty) {
                continue;
            }
            match store.commit(batch) {
                Ok(_) => kept.iter_mut().zip(added).for_each(|(kept, added)| kept.extend(added)),
                Err(CommitError::Failed(_)) => break,
                Err(error) => unreachable!("{error}"),
            }
        }
        // Nobody signs for what may not be there.
        for (log, kept) in Log::ALL.into_iter().zip(&kept) {
            assert_eq!(store.tree(log).0, kept.len() as u64);
        }
    }
}

#[test]
fn an_entry_that_is_not_the_next_one_is_not_taken_and_neither_is_what_comes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for wrong in [1, 7] {
        let mut batch = Batch::new();
        batch.entry(Log::Access, wrong, b"entry\n".to_vec());
        batch.entry(Log::Purge, 0, b"entry\n".to_vec());
        assert_eq!(store.commit(batch), Err(CommitError::OutOfOrder));
    }
    assert_eq!((entries(&store, Log::Access).len(), entries(&store, Log::Purge).len()), (0, 0));
    // It is a fault of the caller, and not of the disk: the store goes on.
    let mut batch = Batch::new();
    batch.entry(Log::Access, 0, b"entry\n".to_vec());
    store.commit(batch).unwrap();
    assert_eq!(entries(&store, Log::Access).len(), 1);
}

#[test]
fn a_daemon_that_is_killed_between_lookups_has_an_entry_for_each_that_was_answered() {
    let site = Site::new(TWO_NAS);
    let (analyst, auditor) = (site.token("desk-1", "analyst"), site.token("audit-1", "auditor"));
    let mut answered: Vec<(u64, String)> = Vec::new();
    let mut known = None;
    for round in 0..rounds(6) {
        let daemon = site.start();
        let dead = AtomicBool::new(false);
        let asked = thread::scope(|scope| {
            let asker = |place: u64| {
                let (site, analyst, dead) = (&site, &analyst, &dead);
                scope.spawn(move || {
                    let mut answered = Vec::new();
                    while !dead.load(Ordering::Acquire) {
                        let (address, at) = (format!("192.0.2.{place}"), ago(3600).to_string());
                        let output = site.lapse(Some(analyst), &support::subpoena(&address, &at));
                        let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else { continue };
                        let ledger = &answer["ledger"];
                        answered
                            .push((ledger["index"].as_u64().unwrap(), ledger["request"].as_str().unwrap().to_owned()));
                    }
                    answered
                })
            };
            let askers: Vec<_> = (1..=4).map(asker).collect();
            // As soon as some were answered, in the middle of the others.
            while site.status(&auditor).access_entries < answered.len() as u64 + 6 + 5 * round {}
            daemon.kill();
            dead.store(true, Ordering::Release);
            askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(!asked.is_empty());
        answered.extend(asked);

        let daemon = site.start();
        let dir = site.path("evidence");
        let fetched = site.lapse(Some(&auditor), &["audit", "fetch", dir.to_str().unwrap()]);
        assert_eq!(code(&fetched), 0, "{}", talk_of(&fetched));
        let key = |name: &str| fs::read_to_string(site.path(&format!("state/ledger-keys/{name}.vkey"))).unwrap();
        let (purge, access) = (key("purge"), key("access"));
        let mut verify = vec!["audit", "verify", dir.to_str().unwrap(), "--purge-vkey", purge.trim(), "--access-vkey"];
        verify.extend([access.trim()]);
        let kept = site.path("kept.checkpoint");
        if known.is_some() {
            verify.extend(["--known", kept.to_str().unwrap()]);
        }
        let verified = site.lapse(None, &verify);
        assert_eq!(code(&verified), 0, "{}", text(&verified.stdout));
        fs::copy(dir.join("access/checkpoint"), &kept).unwrap();
        known = Some(());
        let entries = fetched_entries(&dir.join("access"));
        for (index, request) in &answered {
            let Entry::Lookup { access, .. } = Entry::parse(&entries[usize::try_from(*index).unwrap()]).unwrap() else {
                unreachable!("entry {index} is no lookup")
            };
            assert_eq!(&hex(&access.request), request, "entry {index}");
        }
        let (status, talk) = daemon.stop();
        assert!(status.success(), "{talk}");
    }
}

/// The entries in the bundles of a directory.
fn fetched_entries(dir: &Path) -> Vec<Vec<u8>> {
    let name = |path: &Path| path.strip_prefix(dir).unwrap().to_str().unwrap().parse::<TilePath>().ok();
    let mut bundles: Vec<_> = files_below(dir).into_iter().filter_map(|path| Some((name(&path)?, path))).collect();
    bundles.retain(|(name, _)| name.kind == TileKind::Entries);
    bundles.sort_by_key(|(name, _)| name.index);
    bundles.iter().flat_map(|(_, path)| Bundle::decode(&fs::read(path).unwrap()).unwrap().entries).collect()
}
