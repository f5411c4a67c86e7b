//! `lapse purge` against a real daemon: who may, what is said, what is refused.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::process::Output;
use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::radius::{Nas, request, signed};
use support::{Daemon, Site, TWO_NAS, ago, code, lapsed, talk_of, text};

#[test]
fn each_role_sees_what_it_may_of_the_purge_and_no_more() {
    let site = Site::new(TWO_NAS);
    let tokens: Vec<_> = ["operator", "auditor", "approver", "analyst"]
        .map(|role| (role, site.token(&format!("one-{role}"), role)))
        .into_iter()
        .collect();
    let _daemon = site.start();
    for (role, token) in &tokens {
        for (arguments, allowed) in [
            (["purge", "status"].as_slice(), ["operator", "auditor", "approver"].as_slice()),
            (&["purge", "report", "list"], &["operator", "auditor", "approver"]),
            (&["purge", "plan"], &["operator", "auditor"]),
        ] {
            let output = site.lapse(Some(token), arguments);
            let expected = if allowed.contains(role) { 0 } else { 4 };
            assert_eq!(code(&output), expected, "{role} {arguments:?}: {output:?}");
        }
        let output = site.lapse(Some(token), &["purge", "window", "24h", "--confirm", "24h"]);
        assert_eq!(code(&output) == 4, *role != "operator", "{role}: {output:?}");
    }
}

#[test]
fn the_status_and_the_plan_are_for_people_and_for_programs() {
    let site = Site::new(TWO_NAS);
    let token = site.token("op-1", "operator");
    let _daemon = site.start();
    let json = |arguments: &[&str]| -> Value {
        let output = site.lapse(Some(&token), arguments);
        assert_eq!(code(&output), 0, "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let status = json(&["purge", "status", "-o", "json"]);
    assert!(status["cutoff"].is_string() && status["lag-ms"].is_u64() && status["reports"].is_u64(), "{status}");
    let plan = json(&["purge", "plan", "-o", "json"]);
    assert!(plan["change"].is_null() && plan["window-ms"] == status["window-ms"], "{plan}");
    let sheet = site.lapse(Some(&token), &["purge", "status"]);
    assert!(text(&sheet.stdout).contains("  cutoff        "), "{sheet:?}");
    let sheet = site.lapse(Some(&token), &["purge", "plan"]);
    assert!(text(&sheet.stdout).starts_with("a purge now"), "{sheet:?}");
}

#[test]
fn a_window_is_changed_only_by_naming_it_twice_and_the_plan_comes_first() {
    let site = Site::new(TWO_NAS);
    let token = site.token("op-1", "operator");
    let _daemon = site.start();
    let output = site.lapse(Some(&token), &["purge", "window", "30m"]);
    assert_eq!(code(&output), 1, "{output:?}");
    assert!(text(&output.stdout).contains("LOSE what is readable now from"), "{output:?}");
    assert!(text(&output.stderr).contains("lapse purge window 30m --confirm 30m"), "{output:?}");

    for (arguments, said) in [
        (["purge", "window", "30m", "--confirm", "1800s"].as_slice(), "letter by letter"),
        (&["purge", "window", "24"], "has no unit"),
        (&["purge", "plan", "--window", "24h&from=1"], "unknown unit"),
        (&["purge", "plan", "--window", "1s"], "window"),
        (&["purge", "report", "show", "123456"], "no purge report"),
        (&["purge", "report", "show", "first"], "invalid value"),
        (&["purge", "report", "list", "--limit", "0"], "invalid value"),
        (&["purge"], "Usage"),
    ] {
        let output = site.lapse(Some(&token), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {output:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {output:?}");
    }
}

/// A session's start, acknowledged.
fn start(nas: &Nas, identifier: u8, name: &str, address: [u8; 4], at: Timestamp) {
    let session = format!("{identifier:04}");
    nas.ask(&signed(request(identifier, StatusType::Start, &session, at).user_name(name).framed_ip(address.into())));
}

/// Two statements, one of 50 minutes ago and one of 10; and what becomes of them.
struct Changing {
    site: Site,
    analyst: String,
    operator: String,
    old: Timestamp,
    young: Timestamp,
}

impl Changing {
    fn new() -> Self {
        let site = Site::new(TWO_NAS);
        let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("op-1", "operator"));
        Self { site, analyst, operator, old: ago(50 * 60), young: ago(10 * 60) }
    }

    /// The exit codes of `lapse lookup` for the old one and the young one, two minutes after their starts.
    fn found(&self) -> (i32, i32) {
        let later = |at: Timestamp| at.plus(Duration::from_secs(120));
        let (old, answer) = self.site.lookup(&self.analyst, "192.0.2.7", later(self.old));
        assert_eq!(answer.subscriber.is_some(), old == 0, "{answer:?}");
        (old, self.site.lookup(&self.analyst, "192.0.2.8", later(self.young)).0)
    }

    fn window(&self, arguments: &[&str]) -> Output {
        self.site.lapse(Some(&self.operator), &[&["purge", "window"], arguments].concat())
    }

    /// The old statement comes once more: acknowledged, and not kept.
    fn old_one_again(&self, daemon: &Daemon, identifier: u8) {
        let expired = || self.site.status(&self.operator).counters.get("expired-on-arrival").copied();
        let before = expired();
        start(&Nas::at("127.0.0.1", daemon.radius), identifier, "alice", [192, 0, 2, 7], self.old);
        assert_eq!(expired(), before.map(|before| before + 1));
        assert_eq!(self.found(), (5, 0));
    }
}

#[test]
fn a_shorter_window_hides_and_unlinks_at_once_and_neither_a_restart_nor_a_longer_one_brings_anything_back() {
    let place = Changing::new();
    let (site, operator) = (&place.site, &place.operator);
    let daemon = site.start();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    start(&nas, 1, "alice", [192, 0, 2, 7], place.old);
    start(&nas, 2, "bob", [192, 0, 2, 8], place.young);
    assert_eq!(place.found(), (0, 0));
    for (arguments, exit) in [(["30m"].as_slice(), 1), (&["30m", "--confirm", "20m"], 2)] {
        assert_eq!(code(&place.window(arguments)), exit);
        assert_eq!(place.found(), (0, 0), "nothing is changed yet");
    }

    let changed = place.window(&["30m", "--confirm", "30m"]);
    assert_eq!(code(&changed), 0, "{changed:?}");
    assert!(text(&changed.stdout).starts_with("the window is 30m now; it was 1h\n"), "{changed:?}");
    assert_eq!(place.found(), (5, 0));
    // Already unlinked: whoever checks from outside goes by the new window.
    let policy = fs::read_to_string(site.path("state/POLICY")).unwrap();
    assert!(policy.contains("window-seconds = 1800\n"), "{policy}");
    let verified = lapsed(&["verify-store"]).arg(site.path("state")).output().unwrap();
    assert_eq!(code(&verified), 0, "{verified:?}");
    let report = site.lapse(Some(operator), &["purge", "report", "show", "last", "-o", "text"]);
    let report = text(&report.stdout);
    assert!(report.contains("\nkind policy\n") && report.contains("\nterms-ms window 1800000 "), "{report}");
    let change = report.lines().find(|line| line.starts_with("exception policy-changed ")).unwrap();
    let words: Vec<_> = change.split(' ').skip(3).collect();
    assert_eq!(words[..3], ["window", "3600000", "1800000"], "{change}");
    assert!(words[3].len() == 16 && words[3].bytes().all(|digit| digit.is_ascii_hexdigit()), "{change}");
    place.old_one_again(&daemon, 3);

    // The configuration still says an hour.
    daemon.stop();
    let daemon = site.start();
    assert!(daemon.talk.contains("the store's is in force window=1800 configured=3600"), "{}", daemon.talk);
    assert_eq!((place.found(), site.status(operator).window), ((5, 0), 1800));
    place.old_one_again(&daemon, 4);

    let plan = place.window(&["1h"]);
    assert!(text(&plan.stdout).contains("lose nothing"), "{plan:?}");
    assert_eq!(code(&place.window(&["1h", "--confirm", "1h"])), 0);
    assert_eq!(place.found(), (5, 0));
    place.old_one_again(&daemon, 5);
    daemon.stop();
    let daemon = site.start();
    assert_eq!((place.found(), site.status(operator).window), ((5, 0), 3600));
    place.old_one_again(&daemon, 6);
}

#[test]
fn a_window_that_the_keyring_has_no_room_for_is_refused_before_anything_is_planned() {
    let place = Changing::new();
    let _daemon = place.site.start();
    for arguments in [["60h"].as_slice(), &["60h", "--confirm", "60h"]] {
        let refused = place.window(arguments);
        assert_eq!(code(&refused), 2, "{refused:?}");
        assert!(talk_of(&refused).contains("does not fit into the keyring"), "{refused:?}");
    }
    assert_eq!(place.site.status(&place.operator).window, 3600);
}

#[test]
fn an_operator_has_a_purge_made_now_and_reads_the_last_report() {
    let site = Site::new(TWO_NAS);
    let tokens = ["operator", "auditor", "approver", "analyst"].map(|role| site.token(&format!("one-{role}"), role));
    let [operator, others @ ..] = &tokens;
    let _daemon = site.start();
    for token in others {
        let refused = site.lapse(Some(token), &["purge", "run"]);
        assert_eq!((code(&refused), refused.stdout.is_empty()), (4, true), "{refused:?}");
    }
    let sheet = site.lapse(Some(operator), &["purge", "run"]);
    assert_eq!(code(&sheet), 0, "{sheet:?}");
    assert!(text(&sheet.stdout).starts_with("the purge was verified: nothing older than the cutoff is left\n"));
    let json = site.lapse(Some(operator), &["purge", "run", "-o", "json"]);
    let run: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        (&run["run"]["trigger"], &run["run"]["result"], &run["remaining"]),
        (&"asked".into(), &"verified".into(), &0.into())
    );
    let status = site.lapse(Some(operator), &["purge", "status", "-o", "json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["last-run"]["began"], run["run"]["began"]);

    let list = site.lapse(Some(operator), &["purge", "report", "list", "-o", "json"]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let last = list["reports"].as_array().unwrap().last().unwrap()["sequence"].to_string();
    let show = |which: &str| site.lapse(Some(operator), &["purge", "report", "show", which, "-o", "text"]).stdout;
    assert!(!show(&last).is_empty());
    assert_eq!(show("last"), show(&last));
    let words = site.lapse(Some(operator), &["purge", "report", "show", "last"]);
    assert!(code(&words) == 0 && !words.stdout.is_empty() && words.stdout != show("last"));
}
