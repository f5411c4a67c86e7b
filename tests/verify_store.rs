//! `lapsed verify-store` finds what should have gone, wherever it stands, and nothing else.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::identity::{Entity, Line, NasId, SessionTag, SourceName, SubscriberId};
use lapsed::domain::record::{Kind, Record, Subject, TimeQuality};
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{BucketWidth, Timestamp};
use lapsed::store::{Batch, Store};
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::radius::{Nas, request, signed};
use support::{Site, TWO_NAS, ago, code, lapsed, talk_of, text};

/// 2026-11-21T21:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_795_294_800_000);
const BUCKET: u64 = 60;
/// The window, the purge interval and five seconds: what is older is expired.
const LIMIT: u64 = 3600 + 10 + 5;

fn open(state: &Path, now: Timestamp) -> Store {
    let retention = Retention {
        window: Duration::from_secs(3600),
        bucket: BucketWidth::from_secs(60).unwrap(),
        purge_interval: Duration::from_secs(10),
        carry_interval: Duration::from_secs(300),
        max_silence: None,
    };
    Store::open(state, state, &retention, now).unwrap()
}

/// A statement about an instant so long before `NOW`.
fn record(age: u64) -> Record {
    Record {
        at: NOW.minus(Duration::from_secs(age)),
        kind: Kind::Start,
        subject: Subject::Assignment {
            realm: Realm::default(),
            network: Network::single("192.0.2.7".parse().unwrap()),
            ports: Ports::ALL,
        },
        source: SourceName("source-1".into()),
        nas: NasId("bng-1".into()),
        session: SessionTag([7; 8]),
        subscriber: Some(SubscriberId("alice".into())),
        line: Line::default(),
        quality: TimeQuality::Stamped,
        receive_delay: Duration::ZERO,
        lease_end: None,
        terminate_cause: None,
    }
}

/// A state directory in which statements of these ages were stored when the oldest of them was young.
///
/// They stand in the write-ahead log alone. Every further opening moves what is there into tables.
fn store_with(ages: &[u64]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let eldest = ages.iter().copied().max().unwrap_or_default();
    let store = open(&state, NOW.minus(Duration::from_secs(eldest)));
    let mut batch = Batch::new();
    for age in ages {
        // Few enough buckets lie between them for the keys made ahead.
        let sealed = store.sealer().seal(&record(*age), &Entity(String::new()));
        batch.record(sealed.unwrap());
    }
    store.commit(batch).unwrap();
    (dir, state)
}

/// Moves what stands in the log into tables, as a restart at the time of the oldest statement does.
fn flush(state: &Path, eldest: u64) {
    drop(open(state, NOW.minus(Duration::from_secs(eldest))));
}

struct Result {
    code: i32,
    json: Value,
}

impl Result {
    fn list(&self, of: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = self.json[of].as_array().unwrap();
        list.iter().map(|one| (text(&one["kind"]), text(&one["place"]))).collect()
    }

    fn findings(&self) -> Vec<(String, String)> {
        self.list("findings")
    }

    /// The kinds and places of what was found, in tables all under one name.
    fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<_> = self.findings().into_iter().map(|(kind, _)| kind).collect();
        kinds.dedup();
        kinds
    }
}

fn verify(dir: &Path, at: Timestamp) -> Result {
    let output = lapsed(&["verify-store", "-o", "json", "--at", &at.to_string()]).arg(dir).output().unwrap();
    let json = serde_json::from_slice(&output.stdout);
    Result { code: code(&output), json: json.unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(&output))) }
}

#[test]
fn t1() {
    let (d, state) = store_with(&[LIMIT + 100, LIMIT + 50]);
    println!("{} {:#}", verify(&state, NOW).code, verify(&state, NOW).json);
    flush(&state, LIMIT + 100);
    println!("{} {:#}", verify(&state, NOW).code, verify(&state, NOW).json);
    let kept = d.keep();
    println!("{}", kept.display());
}
