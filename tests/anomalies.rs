//! What auditors see of how others use their rights: counts by pseudonym and hour, and nobody who was asked about.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::by_hand::ByHand;
use support::radius::{request, signed};
use support::{Site, TWO_NAS, code, talk_of, text};

/// 2027-01-15T08:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const WATCH: &str =
    "[watch]\nsweep = 5\nmany-items = 12\nsame-subscriber = 2\npurged-probes = 3\nfailed-approvals = 2\n";

struct Desk {
    by_hand: ByHand,
    analyst: String,
    other: String,
    auditor: String,
}

impl Desk {
    fn new() -> Self {
        let site = Site::new(&format!("{TWO_NAS}{WATCH}"));
        let [analyst, other, auditor] = [("desk-1", "analyst"), ("desk-2", "analyst"), ("eyes-1", "auditor")]
            .map(|(name, role)| site.token(name, role));
        let by_hand = ByHand::start_on(site, NOW);
        let start = request(1, StatusType::Start, "65A0-1", NOW.minus(50 * MINUTE)).user_name("alice@isp.example");
        by_hand.nas("127.0.0.1").ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
        Self { by_hand, analyst, other, auditor }
    }

    fn look_up(&self, token: &str, address: &str, case: &str, ago: u32) {
        let at = NOW.minus(ago * MINUTE).to_string();
        let papers = ["--process", "subpoena", "--case", case, "--authority", "Example District Court"];
        let output =
            self.by_hand.site.lapse(Some(token), &[["lookup", address, "--at", &at].as_slice(), &papers].concat());
        assert!(code(&output) < 7, "{}", talk_of(&output));
    }

    fn open(&self, kind: &str, lines: &str) -> String {
        let papers = format!(
            "type = \"{kind}\"\nauthority = \"Example\"\nagency = \"Example\"\nofficer = \"Det. R. Example\"\nofficer-contact = \
             \"+1 303 555 0100\"\ncase = \"24-CR-1022\"\n{lines}\n"
        );
        self.by_hand.site.write("request.toml", &papers);
        let path = self.by_hand.site.path("request.toml");
        let output = self.by_hand.site.lapse(Some(&self.other), &["request", "open", "--file", path.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        text(&output.stdout).trim_end().to_owned()
    }

    fn anomalies(&self) -> Value {
        let output = self.by_hand.site.lapse(Some(&self.auditor), &["audit", "anomalies", "-o", "json"]);
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        for hidden in ["192.0.2", "alice", "24-CR", "desk-1", "Example", "subpoena", "emergency\""] {
            assert!(!text(&output.stdout).contains(hidden), "{hidden} in {}", text(&output.stdout));
        }
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn found(answer: &Value) -> Vec<(String, u64)> {
    let one = |one: &Value| (one["kind"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap());
    let mut found: Vec<_> = answer["anomalies"].as_array().unwrap().iter().map(one).collect();
    found.sort();
    found
}

fn expected(kinds: &[(&str, u64)]) -> Vec<(String, u64)> {
    kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

#[test]
fn what_stands_out_is_counted_by_pseudonym_and_hour_and_only_auditors_see_it() {
    let mut desk = Desk::new();
    assert_eq!(found(&desk.anomalies()), []);
    // Four neighbours and one subscriber in one case are work as usual.
    for last in 6..10 {
        desk.look_up(&desk.analyst, &format!("192.0.2.{last}"), "24-CR-1", 40);
    }
    assert_eq!(found(&desk.anomalies()), []);
    desk.look_up(&desk.analyst, "192.0.2.10", "24-CR-1", 40);
    desk.look_up(&desk.analyst, "192.0.2.7", "24-CR-2", 40);
    for address in ["10.0.0.1", "10.1.0.1", "10.2.0.1"] {
        desk.look_up(&desk.other, address, "24-CR-3", 600);
    }
    let answer = desk.anomalies();
    assert_eq!(found(&answer), expected(&[("purged-probes", 3), ("same-subscriber", 2), ("sweep", 5)]));
    assert_eq!(answer["hours"]["sweep"], 1);
    assert_eq!(answer["thresholds"]["purged-probes"], 3);
    let actors: std::collections::BTreeSet<&str> =
        answer["anomalies"].as_array().unwrap().iter().map(|one| one["actor"].as_str().unwrap()).collect();
    assert_eq!(actors.len(), 2);
    assert_eq!(answer["anomalies"][0]["hour"], "2027-01-15T08:00:00.000Z");
    assert_eq!(answer["days"][0]["day"], "2027-01-15");

    for last in 20..26 {
        desk.look_up(&desk.analyst, &format!("10.{last}.0.1"), "24-CR-1", 40);
    }
    assert!(found(&desk.anomalies()).contains(&("many-items".to_owned(), 12)));
    let refused = desk.by_hand.site.lapse(Some(&desk.analyst), &["audit", "anomalies"]);
    assert!(code(&refused) == 4 && talk_of(&refused).contains("auditor"), "{}", talk_of(&refused));

    // A restart forgets the tags, and what they showed. What the ledger shows stays.
    desk.by_hand.restart(|_| ());
    let answer = desk.anomalies();
    assert_eq!(found(&answer), expected(&[("many-items", 12), ("purged-probes", 3)]));
    assert_eq!(answer["seen-since"], "2027-01-15T08:00:00.000Z");
    desk.by_hand.restart(|clock| clock.advance(Duration::from_secs(8 * 86_400)));
    assert_eq!(found(&desk.anomalies()), []);
}

#[test]
fn refused_approvals_and_emergencies_without_their_process_stand_out() {
    let mut desk = Desk::new();
    // Nobody approves what they opened.
    let lead = desk.by_hand.site.token("lead-1", "approver");
    desk.other = lead.clone();
    let id = desk.open("emergency", "follow-up-due = 2027-01-15T09:30:00Z");
    for _ in 0..2 {
        assert_eq!(code(&desk.by_hand.site.lapse(Some(&lead), &["request", "approve", &id])), 4);
    }
    assert_eq!(found(&desk.anomalies()), expected(&[("failed-approvals", 2)]));
    desk.by_hand.clock.advance(2 * 60 * MINUTE);
    let answer = desk.anomalies();
    assert_eq!(found(&answer), expected(&[("emergency-overdue", 1), ("failed-approvals", 2)]));
    let hours: Vec<&str> =
        answer["anomalies"].as_array().unwrap().iter().map(|one| one["hour"].as_str().unwrap()).collect();
    assert_eq!(hours, ["2027-01-15T09:00:00.000Z", "2027-01-15T08:00:00.000Z"]);
}

#[test]
fn the_items_of_a_request_are_seen_as_questions_that_come_alone_are() {
    let desk = Desk::new();
    let items: String = (1..7)
        .map(|last| format!("[[item]]\naddress = \"192.0.2.{last}\"\nat = \"{}\"\n", NOW.minus(40 * MINUTE)))
        .collect();
    let id = desk.open("subpoena", &format!("statute = \"18 USC 2703(c)(2)\"\n{items}"));
    desk.by_hand.site.lapse(Some(&desk.other), &["lookup", "--request", &id, "--all"]);
    assert_eq!(found(&desk.anomalies()), expected(&[("sweep", 6)]));
}
