//! A full disk: keys go on time, nothing is taken in, nothing that was acknowledged is lost, and it ends by itself.
//!
//! The real daemon on a small file system in memory. Where a machine lets nobody mount one, the test says why and ends.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at what it did not expect, and says what it could not do"
)]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::Verdict;
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::client::RequestBuilder;
use serde_json::Value;

use support::radius::{Nas, SECRET, acknowledged, request, signed};
use support::{Daemon, PATIENCE, Site, ago, code, files_below, lapsed, talk_of, text};

const MIB: usize = 1 << 20;
/// Seconds.
const WINDOW: u64 = 40;
const BUCKET: u64 = 10;
const TABLES: &str = r#"
[retention]
window = "40s"
bucket = "10s"
purge-interval = "1s"
[lookup]
margin = "0s"
[[radius.client]]
network = "127.0.0.1"
name = "bng-north"
secret-file = "nas.secret"
"#;

/// A disk of 128 MiB with a ballast of 8. RocksDB takes 9 MiB ahead for its log and its list of files.
fn site() -> Option<Site> {
    match Site::on_small_disk(TABLES, 128, 8) {
        Ok(site) => Some(site),
        Err(reason) => {
            eprintln!("NOT TESTED: this machine lets nobody mount a small file system: {reason}");
            None
        }
    }
}

/// An assignment that was acknowledged.
struct Told {
    address: Ipv4Addr,
    at: Timestamp,
}

/// One subscriber a number.
fn statement(number: u8, at: Timestamp) -> Vec<u8> {
    let builder = request(number, StatusType::Start, &format!("session-{number}"), at);
    signed(builder.user_name(&format!("subscriber-{number}@isp.example")).framed_ip(address(number)))
}

const fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, number)
}

/// Tells it, and waits for the acknowledgement.
fn tell(nas: &Nas, number: u8, at: Timestamp) -> Told {
    nas.ask(&statement(number, at));
    Told { address: address(number), at }
}

/// Waits for something, for as long as anything may take. Each look is a process that is run, which takes its time.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = SystemClock.now();
    while !is_so() {
        assert!(SystemClock.now().since(begun) < PATIENCE, "not within {PATIENCE:?}: {what}");
    }
}

fn is_full(site: &Site, operator: &str) -> bool {
    site.status(operator).disk.full
}

fn purge_status(site: &Site, operator: &str) -> Value {
    let output = site.lapse(Some(operator), &["purge", "status", "-o", "json"]);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Bytes of the disk that the ballast holds.
fn ballast(site: &Site) -> u64 {
    fs::metadata(site.disk().path("ballast")).map_or(0, |found| found.blocks() * 512)
}

/// The state of a bucket's key, read from the keyring's table as docs/format.md has it.
fn state_of_key(site: &Site, bucket: u64) -> u8 {
    let bytes = fs::read(site.disk().path("keyring")).unwrap();
    let number = |at: usize| u64::from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()));
    let entry = usize::try_from(4096 + 64 * (bucket % number(48))).unwrap();
    assert_eq!(number(entry + 4), bucket, "the slot serves this bucket");
    bytes[entry]
}

const LIVE: u8 = 1;
const DESTROYED: u8 = 2;

fn bucket_of(at: Timestamp) -> u64 {
    at.millis() / 1000 / BUCKET
}

/// From when on nothing of the bucket of this instant is inside the window.
fn due(at: Timestamp) -> Timestamp {
    Timestamp::from_millis((bucket_of(at) + 1) * BUCKET * 1000).plus(Duration::from_secs(WINDOW))
}

/// Fills the disk to the last page, at a moment when the daemon is between two runs: what fills a disk in the middle of one
/// ends the daemon, which is another test.
fn fill_between_runs(site: &Site, operator: &str, daemon: &Daemon) {
    let last_run = || purge_status(site, operator)["last-run"]["began"].clone();
    let before = last_run();
    until("another run", || last_run() != before);
    // A run is known before its report is written and the ballast is back.
    until("the ballast", || {
        daemon.pause();
        let is_back = ballast(site) >= 8 << 20;
        if !is_back {
            daemon.resume();
        }
        is_back
    });
    site.disk().fill();
    daemon.resume();
}

/// Those who are still inside the window are found.
fn assert_known(site: &Site, analyst: &str, told: &[Told]) {
    let mut asked = 0;
    for Told { address, at } in told {
        let (_, answer) = site.lookup(analyst, &address.to_string(), *at);
        if answer.verdict == Verdict::Purged {
            assert!(SystemClock.now() > at.plus(Duration::from_secs(WINDOW)), "{address} at {at}");
        } else {
            assert_eq!(answer.verdict, Verdict::Attributed, "{address} at {at}");
            asked += 1;
        }
    }
    assert!(asked > 0, "none was inside the window any more: nothing is shown");
}

/// Speaks on and on until the disk counts as full. Those who were acknowledged count.
fn speak_until_full(site: &Site, operator: &str, nas: &Nas, told: &mut Vec<Told>) {
    let (mut sent, mut number, mut replies) = (Vec::new(), 100, Vec::new());
    until("a full disk", || {
        if number < 200 {
            let at = ago(0);
            let datagram = statement(number, at);
            nas.send(&datagram);
            sent.push((datagram, Told { address: address(number), at }));
            number += 1;
        }
        replies.extend(nas.arrived());
        is_full(site, operator)
    });
    replies.extend(nas.arrived());
    for (datagram, one) in sent {
        if replies.iter().any(|reply| reply[1] == datagram[1] && acknowledged(reply, &datagram).is_some()) {
            told.push(one);
        }
    }
}

#[test]
fn on_a_full_disk_nothing_is_taken_in_keys_go_on_time_and_it_ends_by_itself() {
    let Some(site) = site() else { return };
    let (operator, analyst) = (site.token("op-1", "operator"), site.token("desk-1", "analyst"));
    let daemon = site.start();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    assert!(ballast(&site) >= 8 << 20);
    let old = tell(&nas, 1, ago(WINDOW - 8));
    assert_eq!(state_of_key(&site, bucket_of(old.at)), LIVE);
    let mut told: Vec<Told> = (2..20).map(|number| tell(&nas, number, ago(0))).collect();

    // The disk fills while events come in.
    site.disk().fill_but(12 * MIB);
    speak_until_full(&site, &operator, &nas, &mut told);
    fill_between_runs(&site, &operator, &daemon);

    // Nothing is taken in, and nobody is told otherwise. What was taken in is there.
    nas.arrived();
    nas.send(&statement(201, ago(0)));
    let probe = RequestBuilder::status_server(202, [7; 16]).message_authenticator();
    nas.send(&probe.sign(SECRET.as_bytes()).unwrap());
    let refused = || site.status(&operator).counters["disk-full"];
    let before = refused();
    until("two refusals", || before >= 2 || refused() >= 2);
    assert_eq!(nas.arrived(), Vec::<Vec<u8>>::new());
    let status = site.status(&operator);
    assert!(status.disk.full && !status.accepting);
    let sheet = site.lapse(Some(&operator), &["status"]);
    assert!(text(&sheet.stdout).contains("NOT taking events") && text(&sheet.stdout).contains("FULL"), "{sheet:?}");
    assert_eq!(readiness(&site), 503);
    assert_known(&site, &analyst, &told);

    // The key goes when it is due, and the rows with it, on a disk that is full.
    until("the key's end", || state_of_key(&site, bucket_of(old.at)) == DESTROYED);
    let late = SystemClock.now().since(due(old.at));
    assert!(late < Duration::from_secs(1 + 5), "{late:?} after it was due");
    let verified = || purge_status(&site, &operator)["last-run"]["result"] == "verified";
    until("a run that held", verified);
    assert!(is_full(&site, &operator));

    // When there is room again, it needs nobody.
    site.disk().empty();
    until("room", || !is_full(&site, &operator));
    assert!(ballast(&site) >= 8 << 20);
    assert_eq!(readiness(&site), 200);
    told.push(tell(&nas, 203, ago(0)));
    assert_known(&site, &analyst, &told[told.len() - 1..]);
    let (status, talk) = daemon.stop();
    assert!(status.success(), "{talk}");
    assert!(talk.contains("no event is acknowledged") && talk.contains("there is room on the disk again"), "{talk}");
    // The ballast was room enough for every run.
    assert!(!talk.contains("a purge run failed"), "{talk}");
}

/// The HTTP status of `/readyz`.
fn readiness(site: &Site) -> u16 {
    use std::io::{Read as _, Write as _};
    let mut stream = std::os::unix::net::UnixStream::connect(site.path("api.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: lapsed\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn killed_on_a_full_disk_it_destroys_starts_purges_and_answers_on_the_full_disk() {
    let Some(site) = site() else { return };
    let (operator, analyst) = (site.token("op-1", "operator"), site.token("desk-1", "analyst"));
    let daemon = site.start();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let old = tell(&nas, 1, ago(WINDOW - 8));
    let mut told: Vec<Told> = (2..20).map(|number| tell(&nas, number, ago(0))).collect();
    site.disk().fill_but(12 * MIB);
    speak_until_full(&site, &operator, &nas, &mut told);
    fill_between_runs(&site, &operator, &daemon);
    daemon.kill();
    site.disk().fill();
    assert_eq!(state_of_key(&site, bucket_of(old.at)), LIVE);
    wait_for(due(old.at));

    // It starts, at the cost of the ballast, with the disk still full.
    let daemon = site.start();
    assert_eq!(state_of_key(&site, bucket_of(old.at)), DESTROYED);
    assert!(is_full(&site, &operator));
    assert_eq!(purge_status(&site, &operator)["last-run"]["result"], "verified");
    assert_known(&site, &analyst, &told);
    let nas = Nas::at("127.0.0.1", daemon.radius);
    nas.send(&statement(201, ago(0)));
    until("a refusal", || site.status(&operator).counters["disk-full"] >= 1);
    assert_eq!(nas.arrived(), Vec::<Vec<u8>>::new());

    // And with room it needs nobody either.
    site.disk().empty();
    until("room", || !is_full(&site, &operator));
    told.push(tell(&nas, 202, ago(0)));
    assert_known(&site, &analyst, &told[told.len() - 1..]);
    let (status, talk) = daemon.stop();
    assert!(status.success(), "{talk}");
}

#[test]
fn a_neighbour_that_takes_every_free_page_keeps_no_key_alive_and_loses_nothing() {
    let Some(site) = site() else { return };
    let analyst = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("debug"));
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let old = tell(&nas, 1, ago(WINDOW - 4));
    let told: Vec<Told> = (2..20).map(|number| tell(&nas, number, ago(0))).collect();

    // It also takes what the ballast gives up, in the middle of runs and of openings: writes fail, the daemon may end, and is
    // started again as systemd would.
    let enough = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !enough.load(Ordering::Acquire) {
                site.disk().fill();
            }
        });
        let _enough = Enough(&enough);
        until("the key's end", || {
            if !daemon.is_running() {
                daemon = site.spawn("lapsed.toml", Some("debug"));
            }
            state_of_key(&site, bucket_of(old.at)) == DESTROYED
        });
    });
    let late = SystemClock.now().since(due(old.at));
    daemon.signal("KILL");
    let (_, talk) = daemon.ended();
    // An interval, five seconds and a bucket: the promise, also for one that ends and starts again.
    assert!(late < Duration::from_secs(1 + 5 + BUCKET), "{late:?} after it was due:\n{talk}");

    site.disk().empty();
    let daemon = site.start();
    assert_known(&site, &analyst, &told);
    let (status, talk) = daemon.stop();
    assert!(status.success(), "{talk}");
}

/// Ends the neighbour, also when the test fails.
struct Enough<'a>(&'a AtomicBool);

impl Drop for Enough<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Many bulky statements of one bucket, the even ones at its first second, the odd ones at its last. All are acknowledged.
fn tell_many(nas: &Nas, bucket: u64) {
    let bulk = "x".repeat(200);
    let at = |secs: u64| Timestamp::from_millis((bucket * BUCKET + secs) * 1000);
    for round in 0..200_u32 {
        let one = |number: u8| {
            let session = format!("bulk-{round}-{number}");
            let second = if number.is_multiple_of(2) { 0 } else { BUCKET - 1 };
            let builder = request(number, StatusType::Start, &session, at(second));
            let [.., high, low] = (round * 100 + u32::from(number)).to_be_bytes();
            let builder = builder.user_name(&format!("{session}-{bulk}")).framed_ip(Ipv4Addr::new(198, 18, high, low));
            signed(builder.circuit_id(bulk.as_bytes()).remote_id(bulk.as_bytes()))
        };
        (0..100).for_each(|number| nas.send(&one(number)));
        (0..100).for_each(|_| drop(nas.receive()));
    }
}

#[test]
fn a_run_without_room_to_rewrite_says_so_and_a_later_one_finishes_it() {
    for _ in 0..5 {
        let Some(site) = site() else { return };
        let mut daemon = site.start();
        if rewriting_lacks_room(&site, &daemon).is_some() {
            let (status, talk) = daemon.stop();
            return assert!(status.success(), "{talk}");
        }
        // Its disk was taken in the middle of a run that had looked for room, which ends it and is another test. All begins anew.
        until("its end", || !daemon.is_running());
        let (_, talk) = daemon.ended();
        assert!(talk.contains("No space left on device"), "{talk}");
    }
    unreachable!("the daemon ended five times in the middle of a run");
}

/// What the daemon says of its last run; `None` if it says nothing any more.
fn last_run(site: &Site, operator: &str) -> Option<Value> {
    let output = site.lapse(Some(operator), &["purge", "status", "-o", "json"]);
    let mut status: Value = serde_json::from_slice(&output.stdout).ok().filter(|_| code(&output) == 0)?;
    Some(status["last-run"].take())
}

/// Waits for something that only a daemon can say; `None` if there is none any more.
fn while_up(what: &str, is_so: impl Fn() -> Option<bool>) -> Option<()> {
    let begun = SystemClock.now();
    while !is_so()? {
        assert!(SystemClock.now().since(begun) < PATIENCE, "not within {PATIENCE:?}: {what}");
    }
    Some(())
}

/// The whole story, or `None` if the daemon ended in the middle of it.
fn rewriting_lacks_room(site: &Site, daemon: &Daemon) -> Option<()> {
    let operator = site.token("op-1", "operator");
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let bucket = bucket_of(ago(BUCKET));
    tell_many(&nas, bucket);
    let is_large = |file: &PathBuf| {
        let is_table = file.extension().is_some_and(|extension| extension == "sst");
        is_table && fs::metadata(file).is_ok_and(|found| found.len() > 12 << 20)
    };
    until("a large table", || {
        assert!(!is_full(site, &operator));
        files_below(&site.disk().path("db")).iter().any(is_large)
    });

    // Room for what a run writes down, and none to write the younger half of that table anew. What RocksDB has taken ahead comes
    // back with the next runs, and is taken from it too.
    for _ in 0..3 {
        let before = last_run(site, &operator)?;
        daemon.pause();
        // It may have been given up already.
        let _ = fs::remove_file(site.disk().path("ballast"));
        site.disk().fill_but(3 * MIB / 2);
        daemon.resume();
        while_up("another run", || Some(last_run(site, &operator)?["began"] != before["began"]))?;
    }
    // What settling carries on may be in memory: then there is not even room to write that out.
    let said = |run: &Value| {
        let failures = run["failures"].to_string();
        ["flush: no-space", "compact: no-space"].iter().any(|failure| failures.contains(failure))
    };
    while_up("a run without room", || Some(said(&last_run(site, &operator)?)))?;
    assert!(site.status(&operator).disk.full);

    site.disk().empty();
    until("a run that held", || purge_status(site, &operator)["last-run"]["result"] == "verified");
    until("room", || !is_full(site, &operator));
    until("the key's end", || state_of_key(site, bucket) == DESTROYED);
    Some(())
}

/// Runs a harmless command until it is so late.
fn wait_for(instant: Timestamp) {
    until("an instant", || {
        assert!(lapsed(&["--version"]).output().unwrap().status.success());
        SystemClock.now() > instant
    });
}

#[test]
fn without_a_ballast_a_full_disk_keeps_the_database_shut_and_no_key_alive() {
    let Some(site) = site() else { return };
    let analyst = site.token("desk-1", "analyst");
    let daemon = site.start();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let old = tell(&nas, 1, ago(WINDOW - 4));
    let told: Vec<Told> = (2..20).map(|number| tell(&nas, number, ago(0))).collect();
    daemon.kill();
    fs::remove_file(site.disk().path("ballast")).unwrap();
    site.disk().fill();
    wait_for(due(old.at));

    let (status, talk) = site.spawn("lapsed.toml", None).ended();
    assert!(!status.success() && talk.contains("No space left on device"), "{talk}");
    assert_eq!(state_of_key(&site, bucket_of(old.at)), DESTROYED);

    site.disk().empty();
    let daemon = site.start();
    assert_known(&site, &analyst, &told);
    let (status, talk) = daemon.stop();
    assert!(status.success(), "{talk}");
}

#[test]
fn a_sweep_needs_no_space_for_keys_and_says_that_it_had_none_for_its_note() {
    let Some(site) = site() else { return };
    let daemon = site.start();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let old = tell(&nas, 1, ago(WINDOW - 4));
    daemon.kill();
    site.disk().fill();
    wait_for(due(old.at));
    let output = site.lapsed(&["sweep", "--config"]).arg(site.path("lapsed.toml")).output().unwrap();
    assert_eq!(state_of_key(&site, bucket_of(old.at)), DESTROYED);
    assert_eq!(code(&output), 1, "{}", talk_of(&output));
    assert!(talk_of(&output).contains("the keys are destroyed"), "{}", talk_of(&output));
}
