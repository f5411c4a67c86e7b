//! Nobody held it: on whose evidence, and when that is not enough. Every row of the rule, over a real store.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "support/sample.rs"]
mod sample;

use std::path::Path;
use std::time::Duration;

use lapsed::config::{Config, Secret, SecretError, SecretFile};
use lapsed::domain::address::Realm;
use lapsed::domain::coverage::{Coverage, Trouble};
use lapsed::domain::identity::{Entity, SourceName};
use lapsed::domain::record::{Kind, Record, Subject};
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::{Caution, Verdict};
use lapsed::lookup::{Answer, Question, Reach, look_up};
use lapsed::store::{Batch, Opening, Store};

/// At the edge of a bucket; buckets are a minute, the window is an hour, a statement speaks for five minutes.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn ago(minutes: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(60 * minutes))
}

/// Two sources, of which one reports its open sessions; a network for each, one for both, and one for a token's.
const TABLES: &str = r#"
version = 1
[retention]
window = "1h"
bucket = "1m"
max-silence = "10m"
[[radius.client]]
network = "198.51.100.1"
name = "north"
secret-file = "a"
interims = true
[[radius.client]]
network = "198.51.100.2"
name = "south"
secret-file = "a"
[[radius.client]]
network = "198.51.100.3"
name = "inside"
secret-file = "a"
interims = true
realm = "cgn"
[[network]]
prefix = "192.0.2.0/25"
sources = ["north"]
[[network]]
prefix = "192.0.2.128/26"
sources = ["south"]
[[network]]
prefix = "192.0.2.192/27"
[[network]]
prefix = "192.0.2.224/27"
sources = ["north", "a-token"]
[[network]]
prefix = "10.0.0.0/8"
"#;

struct Desk {
    _dir: tempfile::TempDir,
    store: Store,
    config: Config,
    coverage: Coverage,
}

impl Desk {
    fn new() -> Self {
        let secret = |_: &Path| -> Result<SecretFile, SecretError> {
            Ok(SecretFile { secret: Secret::from_bytes(b"a made-up secret")?, exposed: false })
        };
        let config = Config::parse(TABLES, "lapsed.toml", Path::new(""), secret).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let opening = Opening::at(NOW, &config.retention);
        let store = Store::open(dir.path(), dir.path(), &config.retention, opening).unwrap();
        let coverage = Coverage::new(config.retention.bucket);
        Self { _dir: dir, store, config, coverage }
    }

    /// Where a source spoke every half minute, of everything from so many minutes ago to so many.
    fn heard(mut self, source: &str, from: u64, to: u64) -> Self {
        for half in 2 * to..=2 * from {
            self.coverage.hear(&SourceName(source.into()), NOW.minus(Duration::from_secs(30 * half)));
        }
        self
    }

    fn trouble(mut self, source: Option<&str>, minutes: u64) -> Self {
        let whose = source.map(|name| SourceName(name.into()));
        self.coverage.trouble(&whose, ago(minutes), ago(minutes), Trouble::KernelDrop);
        self
    }

    /// What a source said of 192.0.2.7.
    fn said(self, source: &str, kind: Kind, minutes: u64) -> Self {
        let start = sample::start(ago(minutes));
        let said = Record { kind, source: SourceName(source.into()), ..start };
        let mut batch = Batch::new();
        if kind == Kind::Stop {
            let end = Record { kind: Kind::SessionEnd, subject: Subject::Session, subscriber: None, ..said.clone() };
            batch.record(self.store.sealer().seal(&end, &Entity::default()).unwrap());
        }
        batch.record(self.store.sealer().seal(&said, &Entity::default()).unwrap());
        self.store.commit(batch).unwrap();
        self
    }

    fn ask_in(&self, realm: &str, address: &str, minutes: u64) -> Answer {
        let realm = Realm(realm.into());
        let question = Question { address: address.parse().unwrap(), at: ago(minutes), port: None, realm };
        let cutoff = self.config.retention.cutoff(NOW);
        look_up(&self.store, &self.config, &self.coverage, &question, Reach::Evidence, cutoff, NOW).unwrap()
    }

    fn verdict(&self, address: &str, minutes: u64) -> Verdict {
        self.ask_in("", address, minutes).verdict
    }
}

#[test]
fn an_address_never_spoken_of_was_nobodys_if_who_would_know_was_heard_throughout() {
    let desk = Desk::new().heard("north", 30, 0);
    assert_eq!(desk.verdict("192.0.2.7", 20), Verdict::Unassigned);
    let sources = desk.ask_in("", "192.0.2.7", 20).sources;
    assert_eq!(sources.into_iter().map(|source| source.0).collect::<Vec<_>>(), ["north"]);
    // The source was heard only since; not yet since; in another realm.
    assert_eq!(desk.verdict("192.0.2.7", 26), Verdict::NoCoverage);
    assert_eq!(desk.verdict("192.0.2.7", 25), Verdict::Unassigned);
    assert_eq!(desk.verdict("192.0.2.7", 0), Verdict::NoCoverage);
    assert_eq!(desk.ask_in("cgn", "192.0.2.7", 20).verdict, Verdict::NoCoverage);
    assert_eq!(Desk::new().verdict("192.0.2.7", 20), Verdict::NoCoverage);
}

#[test]
fn a_source_that_promises_no_interims_proves_nothing_by_being_heard() {
    let desk = Desk::new().heard("north", 30, 0).heard("south", 30, 0);
    assert_eq!(desk.verdict("192.0.2.130", 20), Verdict::NoCoverage);
    // Where no source is named, all are responsible; and a token promises nothing.
    assert_eq!(desk.verdict("192.0.2.200", 20), Verdict::NoCoverage);
    assert_eq!(desk.verdict("192.0.2.230", 20), Verdict::NoCoverage);
    let mut desk = desk;
    for client in &mut desk.config.radius.clients {
        client.source.interims = true;
    }
    assert_eq!(desk.verdict("192.0.2.130", 20), Verdict::Unassigned);
    assert_eq!(desk.verdict("192.0.2.200", 20), Verdict::Unassigned);
    assert_eq!(desk.verdict("192.0.2.230", 20), Verdict::NoCoverage);
    let inside = desk.heard("inside", 30, 0);
    assert_eq!(inside.ask_in("cgn", "10.0.0.1", 20).verdict, Verdict::Unassigned);
}

#[test]
fn silence_drops_and_absence_leave_it_open_for_a_carry_interval_and_no_longer() {
    let silent = Desk::new().heard("north", 40, 30).heard("north", 27, 0);
    for (minutes, verdict) in
        [(31, Verdict::Unassigned), (29, Verdict::NoCoverage), (23, Verdict::NoCoverage), (21, Verdict::Unassigned)]
    {
        assert_eq!(silent.verdict("192.0.2.7", minutes), verdict, "{minutes} minutes ago");
    }
    for whose in [None, Some("north")] {
        let troubled = Desk::new().heard("north", 50, 0).trouble(whose, 30);
        for (minutes, verdict) in
            [(31, Verdict::Unassigned), (30, Verdict::NoCoverage), (25, Verdict::NoCoverage), (24, Verdict::Unassigned)]
        {
            let answer = troubled.ask_in("", "192.0.2.7", minutes);
            assert_eq!(answer.verdict, verdict, "{minutes} minutes ago");
            assert_eq!(answer.cautions.contains(&Caution::Gap), verdict == Verdict::NoCoverage);
        }
    }
    let anothers = Desk::new().heard("north", 50, 0).trouble(Some("south"), 30);
    assert_eq!(anothers.verdict("192.0.2.7", 30), Verdict::Unassigned);
}

#[test]
fn an_explicit_end_is_evidence_if_its_source_was_heard_since() {
    let ended = || Desk::new().said("south", Kind::Start, 40).said("south", Kind::Stop, 30);
    let silent = ended().heard("south", 40, 30);
    let answer = silent.ask_in("", "192.0.2.7", 29);
    assert_eq!((answer.verdict, answer.cautions.contains(&Caution::SilentSource)), (Verdict::NoCoverage, true));
    let since = ended().heard("south", 40, 29);
    assert_eq!(since.verdict("192.0.2.7", 28), Verdict::Unassigned);
    // Heard since, and then not any more: that it ended then tells nothing of an hour later.
    assert_eq!(since.verdict("192.0.2.7", 24), Verdict::Unassigned);
    assert_eq!(since.verdict("192.0.2.7", 20), Verdict::NoCoverage);
    assert_eq!(since.verdict("192.0.2.7", 35), Verdict::Attributed);
}

#[test]
fn a_holder_who_fell_silent_is_named_as_such_and_is_no_evidence_alone() {
    let lapsed = || Desk::new().said("north", Kind::Start, 50);
    let answer = lapsed().heard("north", 51, 49).ask_in("", "192.0.2.7", 20);
    assert_eq!((answer.verdict, answer.cautions.contains(&Caution::LastHolderSilent)), (Verdict::NoCoverage, true));
    assert_eq!(answer.holder, None);
    // Its source was heard all the time, and would have spoken of the session.
    let answer = lapsed().heard("north", 51, 0).ask_in("", "192.0.2.7", 20);
    assert_eq!((answer.verdict, answer.cautions.contains(&Caution::LastHolderSilent)), (Verdict::Unassigned, true));
}

#[test]
fn a_holder_of_a_source_that_was_silent_around_the_instant_gets_a_caution() {
    let silent = |desk: Desk| {
        let answer = desk.ask_in("", "192.0.2.130", 42);
        assert_eq!(answer.verdict, Verdict::NoCoverage);
        desk.ask_in("", "192.0.2.7", 42).cautions.contains(&Caution::SilentSource)
    };
    // A start ten minutes before: it still holds, and its source says nothing of other sessions either.
    assert!(silent(Desk::new().said("south", Kind::Start, 50).heard("south", 51, 50)));
    assert!(!silent(Desk::new().said("south", Kind::Start, 50).heard("south", 51, 30)));
}

#[test]
fn what_is_not_ours_purged_or_to_come_is_said_first() {
    let desk = Desk::new().heard("north", 59, 0);
    assert_eq!(desk.verdict("203.0.113.7", 20), Verdict::NotOurs);
    assert_eq!(desk.verdict("203.0.113.7", 61), Verdict::Purged);
    assert_eq!(desk.verdict("192.0.2.7", 61), Verdict::Purged);
}
