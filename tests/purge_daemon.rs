//! Gone means gone, with the real daemon: found, hidden at the millisecond, in no file soon after, and without its key
//! unreadable wherever it was copied to.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use lapsed::api::LookupAnswer;
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::config::Config;
use lapsed::domain::address::{Network, Realm};
use lapsed::domain::record::Record;
use lapsed::domain::time::{BucketWidth, Cutoff, Timestamp};
use lapsed::domain::verdict::Verdict;
use lapsed::store::{Opening, Place, ReadError, Store};
use serde_json::Value;

use support::api::Api;
use support::radius::Nas;
use support::traces::{Canary, bytes_below, instants_in_tables, keys_of, name_in, start_all};
use support::{Daemon, Site, ago, code, files_below, lapsed, talk_of, text};

const HOUR: u64 = 3600;

/// One NAS; the rest of `[retention]` is the test's.
fn tables(retention: &str) -> String {
    format!(
        "[retention]\n{retention}\n[[radius.client]]\nnetwork = \"127.0.0.1\"\nname = \"bng-north\"\n\
         secret-file = \"nas.secret\"\n"
    )
}

/// How many canaries, and how often is purged, in seconds: more of both in the long show.
#[expect(clippy::disallowed_methods, reason = "how long a test runs is no setting of the daemon")]
fn scale() -> (u16, u64) {
    match std::env::var("LAPSED_CANARIES") {
        Ok(canaries) => (canaries.parse().expect("LAPSED_CANARIES is a number below 4096"), 60),
        Err(_) => (100, 5),
    }
}

fn is_found(answer: &LookupAnswer, canary: Canary) -> bool {
    matches!(answer.verdict, Verdict::Attributed | Verdict::Uncertain) && answer.subscriber == Some(canary.name())
}

/// Nothing of anybody, and the words that are always the same.
fn is_purged(answer: &LookupAnswer) -> bool {
    answer.verdict == Verdict::Purged && answer.subscriber.is_none() && answer.session.is_none()
}

/// Asks until the last millisecond of the window has passed: up to it the canary is found, and after it purged. Whoever asks
/// across the edge may get either. Returns the last instant at which it was found, and the first at which it was not.
fn watch_the_edge(api: &mut Api, canary: Canary, at: Timestamp, window: Duration) -> (Timestamp, Timestamp) {
    let last = at.plus(window);
    let mut found = at;
    loop {
        let before = SystemClock.now();
        let answer = api.lookup(&canary.address(), at);
        let after = SystemClock.now();
        if after <= last {
            assert!(is_found(&answer, canary), "{after} is not after {last}: {:?}", answer.verdict);
            found = before;
        } else if before > last {
            assert!(is_purged(&answer), "{before} is after {last}: {:?}", answer.verdict);
            return (found, after);
        }
    }
}

/// Reads the daemon's talk until so little time is left.
fn wait_until_near(daemon: &mut Daemon, instant: Timestamp, left: Duration) {
    // There is one every bucket.
    while instant.since(SystemClock.now()) > left {
        daemon.until("purge report").unwrap();
    }
}

fn purge_status(site: &Site, operator: &str) -> Value {
    let output = site.lapse(Some(operator), &["purge", "status", "-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Neither names nor MACs in any file, nor a key of a row dated to the instant; and whoever checks from outside agrees.
fn assert_no_trace(site: &Site, at: Timestamp, width: BucketWidth) {
    let files = bytes_below(&site.path("state"));
    assert!(files.len() > 10);
    for (name, bytes) in files {
        assert_eq!((name_in(&bytes), keys_of(at, width, &bytes)), (None, 0), "{name}");
    }
    let verified = lapsed(&["verify-store"]).arg(site.path("state")).output().unwrap();
    assert_eq!(code(&verified), 0, "{}{}", text(&verified.stdout), talk_of(&verified));
}

#[test]
fn who_is_47_h_59_min_50_s_old_is_found_then_purged_at_the_millisecond_and_then_in_no_file() {
    let (canaries, interval) = scale();
    let width = BucketWidth::from_secs(600).unwrap();
    let window = Duration::from_secs(48 * HOUR);
    let site = Site::new(&tables(&format!("window = \"48h\"\npurge-interval = \"{interval}s\"")));
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("op-1", "operator"));
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    let mut api = Api::connect(&site.path("api.sock"), &analyst);

    // 1. Found at once; and the searches, too, find what is there.
    let at = ago(48 * HOUR - 10);
    start_all(daemon.radius, canaries, at);
    let some = (0..canaries).step_by(usize::from(canaries / 50).max(1)).map(Canary);
    for canary in some {
        let answer = api.lookup(&canary.address(), at);
        assert!(is_found(&answer, canary), "{:?}", answer.verdict);
    }
    // One who stays, so that the tables are not just empty afterwards.
    let (survivor, young) = (Canary(canaries), ago(HOUR));
    Nas::at("127.0.0.1", daemon.radius).ask(&survivor.start(7, young));
    let keys: usize = bytes_below(&site.path("state")).iter().map(|(_, bytes)| keys_of(at, width, bytes)).sum();
    assert!(keys >= usize::from(canaries), "{keys} keys are in the log");
    let later = at.plus(window).plus(Duration::from_secs(interval + 6)).to_string();
    let verified = lapsed(&["verify-store", "--at", &later]).arg(site.path("state")).output().unwrap();
    assert_eq!(code(&verified), 1, "by then it must be gone: {}", text(&verified.stdout));
    assert!(name_in(&[b"\0\x07 ", survivor.name().as_bytes()].concat()).is_some());

    // 2. Hidden at the millisecond, for every one of them, and for the same statement that comes again.
    let (found, purged) = watch_the_edge(&mut api, Canary(0), at, window);
    assert!(purged.since(found) < Duration::from_secs(2), "{found} to {purged}: seen from close by");
    for canary in (0..canaries).map(Canary) {
        assert!(is_purged(&api.lookup(&canary.address(), at)));
    }
    Nas::at("127.0.0.1", daemon.radius).ask(&Canary(1).start(1, at));
    assert_eq!(site.status(&operator).counters.get("expired-on-arrival"), Some(&1));
    assert!(is_purged(&api.lookup(&Canary(1).address(), at)));

    // 3. In no file any more, once a run has begun after that and ended, and in time.
    let began = |status: &Value| status["last-run"]["began"].as_str().is_some_and(|began| began > &*purged.to_string());
    wait_until_ended(&mut daemon, purged);
    let status = (0..100).map(|_| purge_status(&site, &operator)).find(began).unwrap();
    assert!(SystemClock.now().since(at) <= window + Duration::from_secs(interval + 15));
    assert_eq!(status["last-run"]["result"], "verified", "{status}");
    assert_eq!((&status["lag-ms"], &status["consecutive-failures"]), (&0.into(), &0.into()), "{status}");
    assert_no_trace(&site, at, width);
    // What is left of them says that they never ended, and is dated later.
    let instants = instants_in_tables(&site.path("state/db"), width);
    assert!(instants.first().is_some_and(|first| *first > at.millis()) && instants.contains(&young.millis()));
    assert!(is_found(&api.lookup(&survivor.address(), young), survivor), "what is live is lost to nobody");

    // 4. Nor after the end, when the logs are what a stopped daemon leaves.
    let (ended, talk) = daemon.stop();
    assert!(ended.success());
    assert_eq!(name_in(talk.as_bytes()), None);
    assert_no_trace(&site, at, width);
}

/// Waits until a run that began after an instant has looked through the directory, its last step.
fn wait_until_ended(daemon: &mut Daemon, instant: Timestamp) {
    let instant = instant.to_string();
    let instant = instant.trim_end_matches('Z');
    loop {
        daemon.until("step=Barrier").unwrap();
        let said = daemon.talk.lines().next_back().unwrap();
        if said > instant {
            return daemon.until("step=Directory").unwrap();
        }
    }
}

/// A copy of the database of a running daemon. A file that vanishes meanwhile makes it useless; then once more.
fn copy_of(database: &Path, to: &Path) {
    let copied = (0..50).any(|_| {
        let _ = fs::remove_dir_all(to);
        fs::create_dir_all(to.join("db")).unwrap();
        let before = files_below(database);
        let all = before.iter().all(|file| fs::copy(file, to.join("db").join(file.file_name().unwrap())).is_ok());
        all && files_below(database) == before
    });
    assert!(copied, "the database did not stand still");
}

/// Opens a copy with the keyring that lies beside it, at an instant when the statement was young, and reads every canary.
fn read_copy(copy: &Path, site: &Site, canaries: u16, at: Timestamp) -> Vec<Result<Vec<Record>, ReadError>> {
    let retention = Config::read(&site.path("lapsed.toml")).unwrap().retention;
    let opening = Opening { now: at, destroy: None, make_keys: false, new_keyring: false };
    let store = Store::open(copy, copy, &retention, opening).unwrap();
    let mut view = store.observations(Cutoff::of(at, retention.window));
    let realm = Realm::default();
    let read = |canary: Canary| {
        let network = Network::single(canary.address().parse().unwrap());
        view.in_bucket(&Place::Address { realm: &realm, network }, retention.bucket.bucket_of(at))
    };
    (0..canaries).map(Canary).map(read).collect()
}

#[test]
fn rows_that_were_copied_aside_do_not_open_once_their_key_is_destroyed() {
    const CANARIES: u16 = 50;
    let width = BucketWidth::from_secs(5).unwrap();
    // It does not end at a whole second.
    let window = Duration::from_millis(20_250);
    let site = Site::new(&tables("window = \"20s250ms\"\nbucket = \"5s\"\npurge-interval = \"1s\""));
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("op-1", "operator"));
    let mut daemon = site.start();
    let mut api = Api::connect(&site.path("api.sock"), &analyst);
    let at = ago(0);
    start_all(daemon.radius, CANARIES, at);

    // While the key lives, a copy of database and keyring has everything.
    let (with_key, without) = (site.path("with-key"), site.path("without"));
    copy_of(&site.path("state/db"), &with_key);
    copy_of(&site.path("state/db"), &without);
    fs::copy(site.path("state/keyring"), with_key.join("keyring")).unwrap();
    for (number, read) in (0..).zip(read_copy(&with_key, &site, CANARIES, at)) {
        let records = read.unwrap();
        let names: Vec<_> = records.iter().filter_map(|record| record.subscriber.as_ref()).collect();
        assert!(!names.is_empty() && names.iter().all(|name| name.as_str() == Canary(number).name()));
    }

    wait_until_near(&mut daemon, at.plus(window), Duration::from_secs(5));
    let (found, purged) = watch_the_edge(&mut api, Canary(0), at, window);
    assert!(purged.since(found) < Duration::from_secs(2), "{found} to {purged}");

    // Its bucket is past as a whole a bucket later at the most; then a run, then the key is gone.
    let past = width.start_of(width.bucket_of(at).later(1)).plus(window).to_string();
    let gone = |status: &Value| status["last-run"]["began"].as_str().is_some_and(|began| began > &*past);
    while !gone(&purge_status(&site, &operator)) {
        daemon.until("purge report").unwrap();
    }
    assert_no_trace(&site, at, width);
    fs::copy(site.path("state/keyring"), without.join("keyring")).unwrap();
    let keys: usize = bytes_below(&without).iter().map(|(_, bytes)| keys_of(at, width, bytes)).sum();
    assert!(keys >= usize::from(CANARIES), "the rows are in the copy: {keys}");
    for read in read_copy(&without, &site, CANARIES, at) {
        assert!(matches!(read, Err(ReadError::Destroyed(_) | ReadError::Unreadable(_))));
    }
    assert!(bytes_below(&without).iter().all(|(_, bytes)| name_in(bytes).is_none()));
    let (ended, _) = daemon.stop();
    assert!(ended.success());
}
