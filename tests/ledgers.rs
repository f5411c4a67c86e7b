//! The ledgers as an auditor gets them: fetched, held against what was fetched before, and never older than what was handed out.
//!
//! The real daemon and the real `lapse`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lapsed::audit::Entry;
use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::merkle::{Frontier, Hash};
use lapsed::ledger::note::VerifierKey;
use lapsed::ledger::tile::{Bundle, TileKind, paths_of};
use lapsed::purge::{Exception, Kind, Report};
use lapsed::store::Log;

use support::{Daemon, Site, TWO_NAS, ago, code, files_below, lapsed as program, talk_of, text};

/// A site with a desk and an auditor.
struct Watched {
    site: Site,
    analyst: String,
    auditor: String,
}

/// A ledger as it lies in a directory, verified here and not by the program.
struct Fetched {
    checkpoint: Checkpoint,
    entries: Vec<Vec<u8>>,
}

impl Watched {
    fn new() -> Self {
        let site = Site::new(TWO_NAS);
        let (analyst, auditor) = (site.token("desk-1", "analyst"), site.token("audit-1", "auditor"));
        Self { site, analyst, auditor }
    }

    fn ask(&self, times: u8) -> u64 {
        let answers = (0..times).map(|number| self.site.lookup(&self.analyst, &format!("192.0.2.{number}"), ago(3600)));
        answers.map(|(_, answer)| answer.ledger.index).max().unwrap()
    }

    fn lapse(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.site.lapse(Some(&self.auditor), arguments);
        (code(&output), text(&output.stdout).to_owned(), talk_of(&output).to_owned())
    }

    fn fetch(&self) -> (i32, String, String) {
        self.lapse(&["audit", "fetch", self.dir().to_str().unwrap()])
    }

    fn dir(&self) -> PathBuf {
        self.site.path("fetched")
    }

    fn keys(&self) -> serde_json::Value {
        let (ended, text, talk) = self.lapse(&["audit", "keys", "-o", "json"]);
        assert_eq!(ended, 0, "{talk}");
        serde_json::from_str(&text).unwrap()
    }

    fn key(&self, log: Log) -> VerifierKey {
        VerifierKey::parse(self.keys()[log.name()].as_str().unwrap()).unwrap()
    }

    /// What was fetched; every file must be one that belongs there.
    fn fetched(&self, log: Log, key: &VerifierKey) -> Fetched {
        let dir = self.dir().join(log.name());
        let checkpoint = Checkpoint::open(&fs::read(dir.join("checkpoint")).unwrap(), key).unwrap();
        let paths: Vec<_> = paths_of(checkpoint.size).collect();
        let named = |path: &Path| path.strip_prefix(&dir).unwrap().to_str().unwrap().to_owned();
        let found: BTreeSet<_> = files_below(&dir).iter().map(|path| named(path)).collect();
        let expected: BTreeSet<_> = paths.iter().map(ToString::to_string).chain(["checkpoint".to_owned()]).collect();
        assert_eq!(found, expected);
        let bundles = paths.iter().filter(|path| path.kind == TileKind::Entries);
        let entries =
            bundles.flat_map(|path| Bundle::decode(&fs::read(dir.join(path.to_string())).unwrap()).unwrap().entries);
        let entries: Vec<Vec<u8>> = entries.collect();
        let mut tree = Frontier::empty();
        entries.iter().for_each(|entry| drop(tree.append(Hash::of_leaf(entry))));
        assert_eq!((tree.size(), tree.root()), (checkpoint.size, checkpoint.root));
        Fetched { checkpoint, entries }
    }

    fn restart_after(&self, daemon: Daemon, meanwhile: impl FnOnce()) -> Daemon {
        let (status, talk) = daemon.stop();
        assert!(status.success(), "{talk}");
        meanwhile();
        self.site.start()
    }
}

#[test]
fn an_auditor_fetches_both_ledgers_whole_and_later_what_is_new() {
    let watched = Watched::new();
    let daemon = watched.site.start();
    watched.ask(3);
    let (ended, text, talk) = watched.fetch();
    assert_eq!(ended, 0, "{talk}");
    assert!(text.starts_with("purge: ") && text.contains(" entries\naccess: "), "{text}");
    let (access, purge) = (watched.key(Log::Access), watched.key(Log::Purge));
    let first = watched.fetched(Log::Access, &access);
    // Two tokens minted, three lookups.
    assert_eq!(
        first.entries.iter().filter(|entry| matches!(Entry::parse(entry).unwrap(), Entry::Lookup { .. })).count(),
        3
    );
    assert!(watched.fetched(Log::Purge, &purge).checkpoint.size >= 1);

    // More than a tile; the partial one is gone. The keys outlive a restart.
    let daemon = watched.restart_after(daemon, || ());
    for _ in 0..2 {
        watched.ask(255);
    }
    assert_eq!(watched.fetch().0, 0);
    let second = watched.fetched(Log::Access, &access);
    assert_eq!(second.checkpoint.size, first.checkpoint.size + 510);
    assert_eq!(second.entries[..first.entries.len()], first.entries);
    let reports = watched.fetched(Log::Purge, &purge).entries;
    let reports: Vec<_> = reports.iter().map(|entry| Report::parse(entry).unwrap()).collect();
    assert!(reports.len() >= 3 && reports.iter().zip(0..).all(|(report, sequence)| report.sequence == sequence));
    let stop = reports.iter().find(|report| report.kind == Kind::Stop).unwrap();
    assert_eq!(stop.standing.accesses, first.checkpoint.size, "each report says how many accesses were on record");
    // Nothing is new: nothing changes.
    let before = fs::read(watched.dir().join("access/checkpoint")).unwrap();
    assert_eq!(watched.fetch().0, 0);
    assert_eq!(fs::read(watched.dir().join("access/checkpoint")).unwrap(), before);

    // Only auditors may, and others are told so.
    let output = watched.site.lapse(Some(&watched.analyst), &["audit", "fetch", "nowhere"]);
    assert_eq!(code(&output), 4, "{}", talk_of(&output));
    let (status, talk) = daemon.stop();
    assert!(status.success(), "{talk}");
}

#[test]
fn a_receipt_proves_an_access_without_the_ledger() {
    let watched = Watched::new();
    let daemon = watched.site.start();
    watched.ask(4);
    let (_, answer) = watched.site.lookup(&watched.analyst, "192.0.2.9", ago(3600));
    let (answer, index) = (&answer.ledger, answer.ledger.index);
    let file = watched.site.path("receipt");
    let asked = ["audit", "receipt", &index.to_string(), file.to_str().unwrap()];
    let output = watched.site.lapse(Some(&watched.analyst), &asked);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    // It comes with an answer, too.
    let (beside, at) = (watched.site.path("beside"), ago(3600).to_string());
    let mut lookup = support::subpoena("192.0.2.9", &at);
    lookup.extend(["--receipt", beside.to_str().unwrap()]);
    let output = watched.site.lapse(Some(&watched.analyst), &lookup);
    assert!(!output.stdout.is_empty() && code(&output) != 2, "{}", talk_of(&output));
    assert!(fs::read_to_string(&beside).unwrap().contains(&format!("\nindex {}\n", index + 1)));
    let key = watched.key(Log::Access).to_string();
    daemon.stop();

    // Neither daemon nor token.
    let prove = |key: &str| watched.site.lapse(None, &["audit", "prove", file.to_str().unwrap(), "--access-vkey", key]);
    let output = prove(&key);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    let proven = text(&output.stdout);
    assert!(proven.starts_with(&format!("proven: entry {index} of ")), "{proven}");
    assert!(proven.contains("\nlapsed-access-v1 lookup\n") && !proven.contains("192.0.2."), "{proven}");
    // The papers that it commits to, with the salt that went out with the answer, and no others.
    let papers = |case: &str| {
        let mut asked = vec!["audit", "prove", file.to_str().unwrap(), "--access-vkey", &key, "--salt", &answer.salt];
        asked.extend(["--process", "subpoena", "--case", case, "--authority", "Example District Court"]);
        watched.site.lapse(None, &asked)
    };
    let output = papers("24-CR-1022");
    assert!(text(&output.stdout).contains(", and of these papers\n"), "{}", talk_of(&output));
    assert_eq!(code(&papers("24-CR-1023")), 1);
    // The key may be a file.
    let key_file = watched.site.path("state/ledger-keys/access.vkey");
    assert_eq!(code(&prove(key_file.to_str().unwrap())), 0);
    let purge_key = fs::read_to_string(watched.site.path("state/ledger-keys/purge.vkey")).unwrap();
    assert_eq!(code(&prove(purge_key.trim_end())), 1);
    assert_eq!(code(&prove("no key")), 2);
    let receipt = fs::read_to_string(&file).unwrap();
    fs::write(&file, receipt.replacen(&format!("index {index}"), "index 0", 1)).unwrap();
    let output = prove(&key);
    assert_eq!(code(&output), 1, "{}", talk_of(&output));
}

/// By asking for one index after the other, an analyst could read what every other one had done.
#[test]
fn only_auditors_have_receipts_of_what_others_did() {
    let watched = Watched::new();
    let other = watched.site.token("desk-2", "approver");
    let daemon = watched.site.start();
    let index = watched.ask(1);
    let receipt = |token: &str, index: u64| {
        let file = watched.site.path("receipt");
        let asked = ["audit", "receipt", &index.to_string(), file.to_str().unwrap()];
        let output = watched.site.lapse(Some(token), &asked);
        (code(&output), talk_of(&output).to_owned())
    };
    assert_eq!(receipt(&watched.analyst, index).0, 0);
    assert_eq!(receipt(&watched.auditor, index).0, 0);
    // The same words as of an entry that is not there.
    let (refused, missing) = (receipt(&other, index), receipt(&other, 1_000_000));
    assert_eq!((refused.0, missing.0), (2, 2), "{}", refused.1);
    assert_eq!(refused.1.replace(&index.to_string(), "N"), missing.1.replace("1000000", "N"));
    let theirs = (0..=index).filter(|index| receipt(&other, *index).0 == 0).count();
    assert_eq!(theirs, 1, "that their token was minted");
    daemon.stop();
}

#[test]
fn keys_are_made_before_the_first_start_or_given_and_are_those_that_sign() {
    let watched = Watched::new();
    let config = fs::read_to_string(watched.site.path("lapsed.toml")).unwrap();
    watched.site.write("lapsed.toml", &config.replacen("version = 1", "version = 1\nledger-keys-dir = \"given\"", 1));
    let init = || watched.site.lapsed(&["init", "--config"]).arg(watched.site.path("lapsed.toml")).output().unwrap();
    let made = init();
    assert_eq!(code(&made), 0, "{}", talk_of(&made));
    assert_eq!(init().stdout, made.stdout, "they are made once");
    let daemon = watched.site.start();
    let keys = watched.keys();
    for log in Log::ALL {
        let line = text(&made.stdout).lines().find(|line| line.starts_with(log.name())).unwrap();
        assert_eq!(line.split_whitespace().nth(1), keys[log.name()].as_str());
    }
    assert!(watched.site.path("given/access.key").is_file() && !watched.site.path("state/ledger-keys").exists());
    daemon.stop();
}

/// Copies a directory.
fn copy(from: &Path, to: &Path) {
    for path in files_below(from) {
        let copied = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(copied.parent().unwrap()).unwrap();
        fs::copy(path, copied).unwrap();
    }
}

#[test]
fn a_store_that_was_put_back_from_a_copy_does_not_start_until_that_is_said_to_all() {
    let watched = Watched::new();
    let (database, copied) = (watched.site.path("state/db"), watched.site.path("copy"));
    let daemon = watched.site.start();
    watched.ask(2);
    let daemon = watched.restart_after(daemon, || copy(&database, &copied));
    watched.ask(2);
    assert_eq!(watched.fetch().0, 0);
    let old = watched.key(Log::Access);
    daemon.stop();
    fs::remove_dir_all(&database).unwrap();
    copy(&copied, &database);

    let (status, talk) = watched.site.spawn("lapsed.toml", None).ended();
    assert!(!status.success(), "{talk}");
    assert!(talk.contains("a checkpoint of") && talk.contains("--after-restore"), "{talk}");

    let daemon = watched.site.start_as(&["run", "--after-restore"]);
    let new = watched.key(Log::Access);
    assert_ne!(new, old);
    assert_eq!(new.name(), "lapsed/access/2");
    // The auditor's directory is of another history, and says so; what was kept stays as it was.
    let kept = fs::read(watched.dir().join("access/checkpoint")).unwrap();
    let (ended, _, talk) = watched.fetch();
    assert_eq!(ended, 1, "{talk}");
    assert!(talk.contains("not the ledger that was fetched before"), "{talk}");
    assert_eq!(fs::read(watched.dir().join("access/checkpoint")).unwrap(), kept);
    // A new directory has the exception on record, under the new key.
    fs::remove_dir_all(watched.dir()).unwrap();
    assert_eq!(watched.fetch().0, 0);
    let reports = watched.fetched(Log::Purge, &watched.key(Log::Purge)).entries;
    let restored = |entry: &Vec<u8>| {
        let report = Report::parse(entry).unwrap();
        report.exceptions.iter().any(|exception| matches!(exception, Exception::Restored { .. }))
    };
    assert_eq!(reports.iter().filter(|entry| restored(entry)).count(), 1);
    // From here on it is a ledger like any other.
    let daemon = watched.restart_after(daemon, || ());
    assert_eq!(watched.key(Log::Access), new);
    daemon.stop();
    let output = program(&["verify-store"]).arg(watched.site.path("state")).output().unwrap();
    assert!(!text(&output.stdout).contains(".checkpoint"), "{}", text(&output.stdout));
}
