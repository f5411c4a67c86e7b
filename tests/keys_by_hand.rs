//! What an operator does to the keys with the real binary: sweeping, winding up, a keyring that is lost or lies badly.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use lapsed::config::Config;
use lapsed::domain::rfc3339;
use lapsed::domain::time::Timestamp;
use lapsed::store::{Opening, Store};

use support::{Site, TWO_NAS, ago, code, lapsed, talk_of, text};

const HOUR: u64 = 3600;

/// Runs a command of `lapsed` on the site's configuration, with this typed at it.
fn run(site: &Site, arguments: &[&str], typed: &str) -> Output {
    let mut command = lapsed(arguments);
    command.arg("--config").arg(site.path("lapsed.toml"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who refuses before reading closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child.wait_with_output().unwrap()
}

/// Opens the site's store as a daemon would have at this instant, and closes it.
fn store_at(site: &Site, now: Timestamp) -> Vec<u32> {
    let config = Config::read(&site.path("lapsed.toml")).unwrap();
    let opening = Opening { destroy: None, ..Opening::at(now, &config.retention) };
    let store = Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening).unwrap();
    store.sweep_notes().unwrap().iter().flat_map(|note| &note.keys).map(|key| key.bucket.0).collect()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_sweep_destroys_what_fell_due_since_the_daemon_died_and_the_daemon_starts_after_it() {
    let site = Site::new(TWO_NAS);
    // The daemon died 30 minutes ago, with keys for the hour before: those of its first 30 minutes are due, give or take the
    // bucket that the clock is in.
    store_at(&site, ago(HOUR / 2));
    let swept = run(&site, &["sweep"], "");
    assert_eq!(code(&swept), 0, "{}", talk_of(&swept));
    let said = text(&swept.stdout);
    let count: usize = said.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(said.starts_with("destroyed ") && (29..=31).contains(&count), "{said}");

    let again = run(&site, &["sweep"], "");
    assert_eq!((code(&again), text(&again.stdout)), (0, "no key was due\n"));
    assert_eq!(store_at(&site, ago(0)).len(), count, "the next report can say it");

    let daemon = site.start();
    let meanwhile = run(&site, &["sweep"], "");
    assert_eq!(code(&meanwhile), 0);
    assert!(text(&meanwhile.stdout).contains("the daemon destroys keys itself"), "{}", text(&meanwhile.stdout));
    daemon.stop();
}

#[test]
fn a_daemon_that_was_killed_and_stays_dead_is_swept_on_time_and_the_next_start_reports_it() {
    let site = Site::new(&TWO_NAS.replace("\"1h\"", "\"4s\"").replace("\"1m\"", "\"1s\"").replace("10s", "1s"));
    let operator = site.token("op-1", "operator");
    site.start().kill();
    // A window of four buckets of a second: the bucket in which it died.
    let died = ago(0).millis() / 1000;
    let mut swept = Vec::new();
    while swept.last().is_none_or(|last| *last < died) {
        let now = ago(0).millis() / 1000;
        assert!(now < died + 60, "{swept:?}");
        let output = run(&site, &["sweep"], "");
        assert_eq!(code(&output), 0, "{output:?}");
        let said = text(&output.stdout);
        let Some((_, buckets)) = said.split_once("of buckets ") else { continue };
        let (first, rest) = buckets.split_once(" to ").unwrap();
        let (first, last): (u64, u64) = (first.parse().unwrap(), rest.split(';').next().unwrap().parse().unwrap());
        // Five seconds after the first instant of a bucket all of it is past; not before, and the sweep was on time.
        assert!(last + 5 <= ago(0).millis() / 1000, "{said}");
        swept.extend(first..=last);
    }

    let daemon = site.start();
    let reports = site.lapse(Some(&operator), &["purge", "report", "list", "-o", "json"]);
    let reports: serde_json::Value = serde_json::from_slice(&reports.stdout).unwrap();
    let started = reports["reports"].as_array().unwrap().iter().rfind(|report| report["kind"] == "start").unwrap();
    let number = started["sequence"].to_string();
    let report = site.lapse(Some(&operator), &["purge", "report", "show", &number, "-o", "text"]);
    let report = text(&report.stdout);
    assert!(report.contains("\nexception swept "), "{report}");
    for bucket in swept.iter().rev().take(4) {
        let mark = format!("key-destroyed {bucket} ");
        let line = report.lines().find(|line| line.starts_with(&mark)).unwrap();
        let words: Vec<_> = line.split(' ').collect();
        assert!(["device", "cache-dropped"].contains(&words[3]), "{line}");
        // By the sweep, and not when the daemon came back.
        let at = rfc3339::parse(words[2]).unwrap();
        assert!(at.millis() / 1000 <= bucket + 8, "{line}");
    }
    assert!(!report.contains("\nresult failed\n"), "{report}");
    daemon.stop();
}

#[test]
fn the_units_let_the_kernel_be_asked_about_its_clock() {
    for unit in ["lapsed.service", "lapsed-sweep.service"] {
        let unit = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(unit)).unwrap();
        let lines: Vec<_> = unit.lines().collect();
        assert!(!lines.iter().any(|line| line.starts_with("ProtectClock=") || line.starts_with("ProcSubset=")));
        let place = |line: &str| lines.iter().position(|found| *found == line).unwrap();
        assert!(place("SystemCallFilter=~@privileged @resources") < place("SystemCallFilter=adjtimex clock_adjtime"));
    }
}

#[test]
fn a_sweep_without_a_keyring_is_a_failure_and_makes_none() {
    let site = Site::new(TWO_NAS);
    let swept = run(&site, &["sweep"], "");
    assert_eq!(code(&swept), 1);
    assert!(talk_of(&swept).contains("there is no keyring"), "{}", talk_of(&swept));
    assert!(!site.path("state").exists());
}

#[test]
fn a_store_is_wound_up_by_name_only_and_not_under_a_daemon() {
    let site = Site::new(TWO_NAS);
    let nothing = run(&site, &["decommission", "--confirm", "state"], "");
    assert_eq!(code(&nothing), 1);
    assert!(talk_of(&nothing).contains("holds no store of lapsed"), "{}", talk_of(&nothing));

    let daemon = site.start();
    site.token("desk-1", "analyst");
    let running = run(&site, &["decommission", "--confirm", "state"], "");
    assert_eq!(code(&running), 1);
    assert!(talk_of(&running).contains("stop the daemon first"), "{}", talk_of(&running));
    daemon.stop();

    let before = fs::read(site.path("state/keyring")).unwrap();
    for (arguments, typed) in [
        (vec!["decommission"], "yes\n"),
        (vec!["decommission"], ""),
        (vec!["decommission", "--confirm", "State"], "state\n"),
    ] {
        let refused = run(&site, &arguments, typed);
        assert_eq!(code(&refused), 2, "{}", talk_of(&refused));
        assert!(talk_of(&refused).contains("nothing was done"), "{}", talk_of(&refused));
    }
    assert!(fs::read(site.path("state/keyring")).unwrap() == before);

    site.write("state/notes.txt", "mine");
    // What stands in the file after the keys are destroyed, seen through a second name of it.
    fs::hard_link(site.path("state/keyring"), site.path("keyring-after")).unwrap();
    let done = run(&site, &["decommission"], "state\n");
    assert_eq!(code(&done), 0, "{}", talk_of(&done));
    assert!(talk_of(&done).contains("type the name of the state directory (state):"), "{}", talk_of(&done));
    let said = text(&done.stdout);
    assert!(said.contains("live keys and the keys of the store's lifetime are gone"), "{said}");
    assert!(said.contains("notes.txt (not made by lapsed)") && said.contains("Not done:"), "{said}");
    assert_eq!(names(&site.path("state")), ["notes.txt"]);
    let after = fs::read(site.path("keyring-after")).unwrap();
    assert!(
        !after.chunks(64).any(|bytes| bytes.iter().any(|byte| *byte != 0) && before.chunks(64).any(|old| old == bytes))
    );
}

#[test]
fn signing_keys_elsewhere_end_with_the_store_or_are_named() {
    let site = Site::new(TWO_NAS);
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    site.write("lapsed.toml", &config.replacen("[store]", "ledger-keys-dir = \"signing\"\n[store]", 1));
    site.start().stop();
    site.write("signing/access-2.key", "of a later generation");
    site.write("signing/notes.key", "mine");
    // What cannot be removed as a file: it stands for a file system that is only read.
    fs::remove_file(site.path("signing/purge.key")).unwrap();
    fs::create_dir(site.path("signing/purge.key")).unwrap();
    let done = run(&site, &["decommission", "--confirm", "state"], "");
    assert_eq!(code(&done), 0, "{}", talk_of(&done));
    assert_eq!(names(&site.path("signing")), ["notes.key", "purge.key"]);
    let said = text(&done.stdout);
    let line = |start: &str, name: &str| said.lines().any(|line| line.starts_with(start) && line.contains(name));
    for removed in ["access.key", "access-2.key", "package.key", "purge.vkey"] {
        assert!(line("removed  ", &format!("signing/{removed}")), "{said}");
    }
    assert!(line("left     ", "signing/purge.key") && said.contains("must never sign again"), "{said}");
    assert!(!said.contains("notes.key"), "{said}");
}

#[test]
fn a_directory_with_another_database_is_not_wound_up() {
    let site = Site::new(TWO_NAS);
    fs::create_dir_all(site.path("state/db")).unwrap();
    site.write("state/db/accounts", "somebody's");
    let refused = run(&site, &["decommission", "--confirm", "state"], "");
    assert_eq!(code(&refused), 1);
    assert_eq!(
        (names(&site.path("state")), names(&site.path("state/db"))),
        (vec!["db".into()], vec!["accounts".into()])
    );
}

#[test]
fn a_keyring_that_may_be_on_another_device_is_asked_for_until_a_new_one_is_wanted() {
    let site = Site::new(TWO_NAS);
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    site.write("lapsed.toml", &config.replace("[store]", "keyring-dir = \"keys\"\n[store]"));
    site.start().stop();
    fs::remove_file(site.path("keys/keyring")).unwrap();

    let refused = run(&site, &["run"], "");
    assert_eq!(code(&refused), 1);
    assert!(talk_of(&refused).contains("start with `lapsed run --new-keyring`"), "{}", talk_of(&refused));
    assert!(!site.path("keys/keyring").exists());

    let (ended, talk) = site.start_as(&["run", "--new-keyring"]).stop();
    assert!(ended.success());
    assert!(talk.contains("the keyring was missing: there is a new one"), "{talk}");
    assert!(talk.contains("buckets with a damaged or lost key"), "{talk}");
}

#[test]
fn a_keyring_in_memory_is_refused_where_a_disk_is_demanded() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let site = Site::new(&TWO_NAS.replace("[retention]", "[retention]\nrequire-erasure-class = \"C?\""));
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    let keyring_dir = format!("keyring-dir = {:?}\n[store]", memory.path());
    site.write("lapsed.toml", &config.replace("[store]", &keyring_dir));
    let refused = run(&site, &["run"], "");
    assert_eq!(code(&refused), 1);
    let talk = talk_of(&refused);
    assert!(talk.contains("require-erasure-class is \"C?\", and the keyring lies on \"memory\""), "{talk}");

    site.write("lapsed.toml", &config.replace("\"C?\"", "\"memory\"").replace("[store]", &keyring_dir));
    let (_, talk) = site.start().stop();
    assert!(talk.contains("tmpfs") && talk.contains("beside the database: "), "{talk}");
}

#[test]
fn another_window_in_the_configuration_is_said_and_not_followed() {
    let site = Site::new(TWO_NAS);
    site.start().stop();
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    site.write("lapsed.toml", &config.replace("window = \"1h\"", "window = \"30m\""));
    let (ended, talk) = site.start().stop();
    assert!(ended.success());
    assert!(talk.contains("the store's is in force window=3600 configured=1800"), "{talk}");
    let policy = fs::read_to_string(site.path("state/POLICY")).unwrap();
    assert!(policy.contains(&format!("window-seconds = {HOUR}\n")), "{policy}");
}
