//! Events from files: `lapse send`, and spools that the daemon empties.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use lapsed::domain::verdict::Verdict;

use support::stream::{address, start, subscriber};
use support::{Daemon, Site, TWO_NAS, ago, code, talk_of, text};

const SPOOL: &str = "[[network]]\nprefix = \"2001:db8::/32\"\n[[spool]]\npath = \"spool\"\nname = \"hooks\"\n";
const TAKEN: &str = "a file was taken from the spool";

/// A place for a daemon with a spool, and an analyst's token.
fn site() -> (Site, String) {
    let site = Site::new(&format!("{TWO_NAS}{SPOOL}"));
    fs::create_dir(site.path("spool")).unwrap();
    let analyst = site.token("desk-1", "analyst");
    (site, analyst)
}

fn talkative(site: &Site) -> Daemon {
    site.start_with("lapsed.toml", Some("lapsed=debug"))
}

fn is_found(site: &Site, analyst: &str, number: u32) -> bool {
    let (_, answer) = site.lookup(analyst, &address(number), ago(300));
    answer.verdict == Verdict::Attributed && answer.subscriber == Some(subscriber(number))
}

fn event(number: u32) -> String {
    start(number, ago(600)) + "\n"
}

/// Leaves a file as a hook does.
fn leave(site: &Site, name: &str, lines: &str) {
    site.write(&format!("spool/{name}.tmp"), lines);
    fs::rename(site.path(&format!("spool/{name}.tmp")), site.path(&format!("spool/{name}"))).unwrap();
}

fn left(site: &Site) -> Vec<String> {
    let names = fs::read_dir(site.path("spool")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).filter(|name| name != ".lock").collect();
    names.sort();
    names
}

#[test]
fn a_spool_is_emptied_of_whole_files_and_what_is_no_event_is_dropped_without_a_word_of_it() {
    let (site, analyst) = site();
    let operator = site.token("ops", "operator");
    let mut daemon = talkative(&site);
    site.write("spool/3.tmp", &event(3));
    // A program may be in the middle of this, and the daemon after it.
    leave(&site, "1", &(event(1) + event(2).trim_end()));
    daemon.until(TAKEN).unwrap();
    assert!(is_found(&site, &analyst, 1) && is_found(&site, &analyst, 2));
    assert_eq!(left(&site), ["3.tmp"]);
    let canary = "{\"kind\":\"start\",\"canary-9c1e\":\"canary-9c1e\"}\n{\"kind\":\"canary-9c1e\"}\n";
    leave(&site, "4", &(event(4) + canary + &event(5)));
    daemon.until("were dropped").unwrap();
    assert!(daemon.talk.contains("dropped=2 line=2 reason=\"unknown field\""), "{}", daemon.talk);
    assert!(is_found(&site, &analyst, 4) && is_found(&site, &analyst, 5));
    let counters = site.status(&operator).counters;
    assert_eq!((counters["lines"], counters["malformed-lines"], counters["spool-files"]), (6, 2, 2));
    let (status, talk) = daemon.stop();
    assert!(status.success() && !talk.contains("canary"), "{talk}");
}

#[test]
fn files_go_only_after_their_records_are_durable_and_kill_9_loses_none() {
    const FILES: u32 = 300;
    let (site, analyst) = site();
    (1..=FILES).for_each(|number| leave(&site, &number.to_string(), &event(number)));
    for taken in [1, 20, 50] {
        let mut daemon = talkative(&site);
        // Some may have been taken before the daemon was ready.
        while daemon.talk.matches(TAKEN).count() < taken && !left(&site).is_empty() {
            daemon.until(TAKEN).unwrap();
        }
        daemon.kill();
    }
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    while !left(&site).is_empty() {
        daemon.until(TAKEN).unwrap();
    }
    let mut api = support::api::Api::connect(&site.path("api.sock"), &analyst);
    for number in 1..=FILES {
        let answer = api.lookup(&address(number), ago(300));
        assert_eq!((answer.verdict, answer.sharing), (Verdict::Attributed, 1), "{number}: {answer:?}");
    }
}

#[test]
fn files_older_than_the_window_go_unread_and_an_event_without_a_time_happened_when_its_file_was_written() {
    let (site, analyst) = site();
    let operator = site.token("ops", "operator");
    let touch = |name: &str, secs: u64| {
        let then = SystemTime::UNIX_EPOCH + Duration::from_millis(ago(secs).millis());
        File::options().write(true).open(site.path(name)).unwrap().set_modified(then).unwrap();
    };
    for name in ["old", "half.tmp"] {
        site.write(&format!("spool/{name}"), &event(1));
        touch(&format!("spool/{name}"), 3700);
    }
    let line = event(2);
    let (time, rest) = (line.find("\"time\"").unwrap(), line.find("\"address\"").unwrap());
    site.write("spool/young", &(line[..time].to_owned() + &line[rest..]));
    touch("spool/young", 900);
    let mut daemon = talkative(&site);
    // The first look into the spool may have been before the daemon was ready.
    while !left(&site).is_empty() {
        daemon.until("spool").unwrap();
    }
    let counters = site.status(&operator).counters;
    assert_eq!((counters["spool-files-expired"], counters["spool-files"], counters["lines"]), (2, 1, 1));
    assert!(!is_found(&site, &analyst, 1) && is_found(&site, &analyst, 2));
    let (_, answer) = site.lookup(&analyst, &address(2), ago(300));
    assert!(answer.since.unwrap().distance.abs_diff(600) < 60);
}

#[test]
fn whoever_holds_the_lock_may_append() {
    let (site, analyst) = site();
    let lock = File::create(site.path("spool/.lock")).unwrap();
    lock.lock().unwrap();
    let mut events = OpenOptions::new().create(true).append(true).open(site.path("spool/events")).unwrap();
    events.write_all(event(1).as_bytes()).unwrap();
    let mut daemon = talkative(&site);
    for number in [2, 3] {
        // What an earlier daemon took needs no lock: when it is gone, the spool has been looked into.
        site.write(&format!("spool/.taken-{number}"), &event(number));
        daemon.until(TAKEN).unwrap();
    }
    assert_eq!(left(&site), ["events"]);
    events.write_all(event(4).as_bytes()).unwrap();
    drop((events, lock));
    daemon.until(TAKEN).unwrap();
    assert_eq!(left(&site), Vec::<String>::new());
    assert!((1..=4).all(|number| is_found(&site, &analyst, number)));
}

/// `lapse send` with pipes.
fn sender(site: &Site, token: &str, arguments: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
    command.arg("send").args(arguments).env("LAPSE_TOKEN", token).env("LAPSE_SOCKET", site.path("api.sock"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdout)
}

fn answers(stdout: &mut BufReader<ChildStdout>, lines: std::ops::RangeInclusive<u64>) {
    for number in lines {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{{\"line\":{number},\"ok\":true}}\n"));
    }
}

#[test]
fn send_prints_the_answers_as_they_are_and_its_exit_code_says_what_became_of_them() {
    let (site, analyst) = site();
    let source = site.token("stream-1", "source");
    let file = site.path("events.ndjson").display().to_string();
    let send = |token: &str, file: &str| site.lapse(Some(token), &["send", file]);
    site.write("events.ndjson", &(event(1) + &event(2)));
    let output = send(&source, &file);
    assert_eq!((code(&output), output.stdout.is_empty()), (69, true), "no daemon: {}", talk_of(&output));
    assert!(talk_of(&output).contains("cannot reach the daemon"), "{output:?}");
    let daemon = site.start();
    assert_eq!(code(&send(&source, &site.path("nothing").display().to_string())), 2);
    let output = send(&analyst, &file);
    assert_eq!((code(&output), output.stdout.is_empty()), (4, true));
    assert!(talk_of(&output).contains("role analyst may not send events"), "{output:?}");
    let output = send(&source, &file);
    assert_eq!((code(&output), talk_of(&output)), (0, ""));
    assert_eq!(text(&output.stdout), "{\"line\":1,\"ok\":true}\n{\"line\":2,\"ok\":true}\n");
    site.write("events.ndjson", &(event(3) + &"x".repeat(1 << 20) + "\n{}\n" + event(4).trim_end()));
    let output = send(&source, &file);
    assert_eq!(code(&output), 1, "{output:?}");
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!((lines.len(), lines[0], lines[3]), (4, "{\"line\":1,\"ok\":true}", "{\"line\":4,\"ok\":true}"));
    assert_eq!(lines[1], "{\"line\":2,\"ok\":false,\"error\":\"the line is longer than 65536 bytes\"}");
    assert_eq!(lines[2], "{\"line\":3,\"ok\":false,\"error\":\"kind: it is missing\"}");
    assert!(talk_of(&output).contains("2 of 4 lines were refused"), "{output:?}");
    assert!((1..=4).all(|number| is_found(&site, &analyst, number)));
    let (mut child, _) = sender(&site, &source, &["-"]);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0), "nothing to send is no fault");
    assert!(daemon.stop().0.success());
}

#[test]
fn send_goes_on_where_it_was_when_the_daemon_was_killed() {
    let (site, analyst) = site();
    let source = site.token("stream-1", "source");
    let daemon = site.start();
    let (mut child, mut stdout) = sender(&site, &source, &["-"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut write = |numbers: std::ops::RangeInclusive<u32>| {
        let lines: String = numbers.map(event).collect();
        stdin.write_all(lines.as_bytes()).unwrap();
    };
    write(1..=100);
    answers(&mut stdout, 1..=100);
    daemon.kill();
    write(101..=200);
    let daemon = site.start();
    answers(&mut stdout, 101..=200);
    write(201..=201);
    answers(&mut stdout, 201..=201);
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!([1, 100, 101, 200, 201].into_iter().all(|number| is_found(&site, &analyst, number)));
    assert!(daemon.stop().0.success());
}

#[test]
fn send_follows_a_file_that_grows_and_the_one_that_takes_its_place() {
    let (site, _) = site();
    let source = site.token("stream-1", "source");
    let _daemon = site.start();
    let path = site.path("leases.ndjson");
    let half = event(2);
    site.write("leases.ndjson", &(event(1) + &half[..50]));
    let (mut child, mut stdout) = sender(&site, &source, &["--follow", path.to_str().unwrap()]);
    answers(&mut stdout, 1..=1);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&half.as_bytes()[50..]).unwrap();
    answers(&mut stdout, 2..=2);
    fs::rename(&path, site.path("leases.ndjson.1")).unwrap();
    file.write_all(event(3).as_bytes()).unwrap();
    site.write("leases.ndjson", &event(4));
    answers(&mut stdout, 3..=4);
    child.kill().unwrap();
    child.wait().unwrap();
}
