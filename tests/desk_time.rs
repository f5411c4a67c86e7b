//! What the desk keeps from the clock, and what the clock takes from the desk: captures, holds and their ends.
//!
//! The daemon is the real one, on clocks that are moved by hand.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::process::Output;
use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::by_hand::{ByHand, until};
use support::radius::{request, signed};
use support::{Site, TWO_NAS, code, files_below, talk_of, text};

/// 2027-01-15T08:00:00Z, at the edge of a bucket.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const ALICE: &str = "alice@isp.example";

/// A window of an hour, and alice who has had 192.0.2.7 for fifty minutes.
struct Desk {
    by_hand: ByHand,
    analyst: String,
    approver: String,
    second: String,
    operator: String,
}

impl Desk {
    fn new() -> Self {
        let site = Site::new(&TWO_NAS.replace("\"10s\"", "\"1s\""));
        let [analyst, approver, second, operator] =
            [("desk-1", "analyst"), ("lead-1", "approver"), ("lead-2", "approver"), ("ops-1", "operator")]
                .map(|(name, role)| site.token(name, role));
        let desk = Self { by_hand: ByHand::start_on(site, NOW), analyst, approver, second, operator };
        let start = request(1, StatusType::Start, "65A0-1", NOW.minus(50 * MINUTE)).user_name(ALICE);
        desk.by_hand.nas("127.0.0.1").ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
        desk
    }

    fn lapse(&self, token: &str, arguments: &[&str]) -> Output {
        self.by_hand.site.lapse(Some(token), arguments)
    }

    /// Files a process about alice's address 40 minutes ago, and returns its id.
    fn file(&self, kind: &str) -> String {
        let papers = format!(
            "type = \"{kind}\"\nstatute = \"18 USC 2703\"\nscope = \"all\"\nincident = \"INC-7\"\nreason = \"abuse\"\nauthority = \"Example District Court\"\nagency = \"Example \
             Police Department\"\nofficer = \"Det. R. Example\"\nofficer-contact = \"+1 303 555 0100\"\ncase = \"24-CR-1022\"\n\
             received = 2027-01-15T07:59:00Z\n[[item]]\naddress = \"192.0.2.7\"\nat = \"{}\"\n",
            NOW.minus(40 * MINUTE)
        );
        self.by_hand.site.write("request.toml", &papers);
        let path = self.by_hand.site.path("request.toml");
        self.id(self.lapse(&self.analyst, &["request", "open", "--file", path.to_str().unwrap()]))
    }

    fn id(&self, output: Output) -> String {
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        text(&output.stdout).trim_end().to_owned()
    }

    fn answer(&self, request: &str) -> Value {
        let output = self.lapse(&self.analyst, &["lookup", "--request", request, "--all", "-o", "json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(&output)))
    }

    fn show(&self, what: &str, id: &str) -> Value {
        let output = self.lapse(&self.approver, &[what, "show", id, "-o", "json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(&output)))
    }

    /// Lets time pass, a step at a time as clocks do, and has a purge run made.
    fn pass(&self, time: Duration) {
        self.by_hand.clock.advance(time);
        let output = self.lapse(&self.operator, &["purge", "run"]);
        assert_eq!(code(&output), 0, "{}{}", text(&output.stdout), talk_of(&output));
    }

    /// How many rows of all classes the last run unlinked.
    fn unlinked(&self) -> Option<u64> {
        let output = self.lapse(&self.operator, &["purge", "status", "-o", "json"]);
        let status: Value = serde_json::from_slice(&output.stdout).unwrap();
        status["last-run"]["unlinked"].as_u64()
    }

    fn has_traces(&self, needle: &[u8]) -> bool {
        // What vanishes meanwhile has no trace.
        let found = |file: &std::path::PathBuf| {
            fs::read(file).is_ok_and(|bytes| bytes.windows(needle.len()).any(|bytes| bytes == needle))
        };
        files_below(&self.by_hand.site.path("state")).iter().any(found)
    }
}

#[test]
fn a_process_that_came_in_time_is_answered_after_the_window_until_its_capture_expires() {
    let mut desk = Desk::new();
    let request = desk.file("subpoena");
    let sheet = desk.show("request", &request);
    assert_eq!(sheet["items"][0]["captured"], true);

    // The window passes, and the records go. What was captured answers, also after a restart.
    desk.pass(HOUR);
    let answer = desk.answer(&request);
    assert_eq!((answer["verdict"].as_str(), answer["from"].as_str()), (Some("attributed"), Some("capture")));
    assert_eq!(answer["subscriber"], ALICE);
    desk.by_hand.restart(|_| ());
    assert_eq!(desk.answer(&request)["subscriber"], ALICE);
    // Somebody who comes later has none.
    let late = desk.file("subpoena");
    assert_eq!(desk.answer(&late)["verdict"], "purged");

    // Fourteen days after it was filed it is gone, and says what every other says.
    desk.by_hand.restart(|clock| clock.advance(14 * DAY));
    assert_eq!(desk.show("request", &request)["captures-expire"], Value::Null);
    let answer = desk.answer(&request);
    assert_eq!((answer["verdict"].as_str(), answer["from"].as_str()), (Some("purged"), Some("store")));
    assert_eq!(answer["note"], desk.answer(&late)["note"]);
    assert_eq!(desk.show("request", &request)["items"][0]["captured"], false);
}

#[test]
fn what_comes_late_is_captured_too_and_an_answer_that_it_changes_is_listed() {
    let desk = Desk::new();
    let request = desk.file("subpoena");
    assert_eq!(desk.answer(&request)["subscriber"], ALICE);
    // Another had it from 45 minutes ago on; it is said only now.
    let start = request_of_bob();
    desk.by_hand.nas("127.0.0.1").ask(&start);
    until("the change is seen", || desk.show("request", &request)["line"]["changed"] == serde_json::json!([1]));
    desk.pass(HOUR);
    let answer = desk.answer(&request);
    assert_eq!((answer["from"].as_str(), answer["subscriber"].as_str()), (Some("capture"), Some("bob@isp.example")));
    // It was told: nothing is changed since.
    assert_eq!(desk.show("request", &request)["line"]["changed"], serde_json::json!([]));
}

fn request_of_bob() -> Vec<u8> {
    let start = request(2, StatusType::Start, "65A0-2", NOW.minus(45 * MINUTE)).user_name("bob@isp.example");
    signed(start.framed_ip([192, 0, 2, 7].into()))
}

#[test]
fn closing_a_request_destroys_what_was_captured_and_answered() {
    let desk = Desk::new();
    let request = desk.file("subpoena");
    desk.answer(&request);
    let capture = desk.by_hand.site.path("state/case-keys");
    let before = fs::read(&capture).unwrap();
    assert_eq!(code(&desk.lapse(&desk.analyst, &["request", "close", &request])), 0);
    assert_ne!(fs::read(&capture).unwrap(), before);
    assert_eq!(desk.show("request", &request)["items"][0]["captured"], false);
    // The capture and the answer are counted. The clock stands: no run but this one is made.
    desk.pass(Duration::ZERO);
    assert_eq!(desk.unlinked(), Some(2));
}

#[test]
fn a_hold_outlives_the_records_and_is_read_only_through_a_request_that_it_is_attached_to() {
    let mut desk = Desk::new();
    let preservation = desk.file("preservation");
    let (from, to) = (NOW.minus(45 * MINUTE).to_string(), NOW.minus(30 * MINUTE).to_string());
    let place = ["hold", "place", "--request", &preservation, "--address", "192.0.2.7", "--from", &from, "--to", &to];
    let hold = desk.id(desk.lapse(&desk.analyst, &place));
    let sheet = desk.show("hold", &hold);
    assert_eq!((sheet["records"].as_u64(), sheet["state"].as_str()), (Some(1), Some("awaits-approval")));
    let shown = desk.lapse(&desk.analyst, &["hold", "show", &hold]);
    assert!(!text(&shown.stdout).contains("alice") && !text(&shown.stdout).contains("192.0.2.7"));
    assert_eq!(code(&desk.lapse(&desk.analyst, &["hold", "approve", &hold])), 4);
    assert_eq!(code(&desk.lapse(&desk.approver, &["hold", "approve", &hold])), 0);

    // The originals go on time. Nobody learns from an answer that anything is preserved.
    desk.pass(HOUR);
    let subpoena = desk.file("subpoena");
    let answer = desk.answer(&subpoena);
    assert_eq!((answer["verdict"].as_str(), answer["from"].as_str()), (Some("purged"), Some("store")));
    assert_eq!(code(&desk.lapse(&desk.analyst, &["hold", "attach", &hold, "--request", &subpoena])), 4);
    assert_eq!(code(&desk.lapse(&desk.approver, &["hold", "attach", &hold, "--request", &subpoena])), 0);
    let answer = desk.answer(&subpoena);
    assert_eq!((answer["verdict"].as_str(), answer["from"].as_str()), (Some("attributed"), Some("hold")));
    assert_eq!(answer["subscriber"], ALICE);

    // Ninety days, once ninety more, and it is gone with its key.
    assert_eq!(code(&desk.lapse(&desk.approver, &["hold", "renew", &hold])), 0);
    let again = desk.lapse(&desk.approver, &["hold", "renew", &hold]);
    assert!(code(&again) == 2 && talk_of(&again).contains("1 of 1 times"), "{}", talk_of(&again));
    desk.by_hand.restart(|clock| clock.advance(179 * DAY));
    assert_eq!(desk.show("hold", &hold)["records"], 1);
    let id = (0..32).step_by(2).map(|at| u8::from_str_radix(&hold[at..at + 2], 16).unwrap()).collect::<Vec<u8>>();
    assert!(desk.has_traces(&id));
    desk.by_hand.restart(|clock| clock.advance(DAY));
    assert_eq!(code(&desk.lapse(&desk.approver, &["hold", "show", &hold])), 2);
    // Not even its random id is in a file.
    desk.pass(MINUTE);
    let rows_gone = || !desk.has_traces(&id);
    until("the hold's rows are gone from every file", rows_gone);
    assert_eq!(desk.answer(&subpoena)["verdict"], "purged");
}

#[test]
fn a_hold_that_nobody_approves_is_destroyed_within_a_day() {
    let mut desk = Desk::new();
    let preservation = desk.file("preservation");
    let hold =
        desk.id(desk.lapse(&desk.analyst, &["hold", "place", "--request", &preservation, "--subscriber", ALICE]));
    assert!(desk.show("hold", &hold)["records"].as_u64() > Some(0));
    desk.by_hand.restart(|clock| clock.advance(DAY));
    assert_eq!(code(&desk.lapse(&desk.approver, &["hold", "approve", &hold])), 2);
    let report = desk.lapse(&desk.operator, &["purge", "report", "list", "-o", "json"]);
    assert_eq!(code(&report), 0);
}

#[test]
fn what_is_to_come_is_not_preserved_and_what_has_gone_is_clipped() {
    let desk = Desk::new();
    let preservation = desk.file("preservation");
    let subpoena = desk.file("subpoena");
    let place = |request: &str, from: Timestamp, to: Timestamp| {
        let (from, to) = (from.to_string(), to.to_string());
        desk.lapse(
            &desk.second,
            &["hold", "place", "--request", request, "--address", "192.0.2.7", "--from", &from, "--to", &to],
        )
    };
    let refused = place(&preservation, NOW.minus(HOUR), NOW.plus(HOUR));
    assert!(code(&refused) == 2 && talk_of(&refused).contains("has not come yet"), "{}", talk_of(&refused));
    let refused = place(&preservation, NOW.minus(3 * HOUR), NOW.minus(2 * HOUR));
    assert!(code(&refused) == 2 && talk_of(&refused).contains("the horizon is"), "{}", talk_of(&refused));
    let refused = place(&subpoena, NOW.minus(HOUR), NOW);
    assert!(code(&refused) == 4 && talk_of(&refused).contains("places no hold"), "{}", talk_of(&refused));
    let hold = desk.id(place(&preservation, NOW.minus(3 * HOUR), NOW.minus(HOUR / 2)));
    let from: Timestamp =
        lapsed::domain::rfc3339::parse(desk.show("hold", &hold)["spans"][0]["from"].as_str().unwrap()).unwrap();
    assert_eq!(from, NOW.minus(HOUR));
    // Who placed it, does not approve it.
    assert_eq!(code(&desk.lapse(&desk.second, &["hold", "approve", &hold])), 4);
}

#[test]
fn an_outsider_finds_a_key_that_is_kept_beyond_its_expiry() {
    let mut desk = Desk::new();
    desk.file("subpoena");
    desk.by_hand.stop();
    let verify = |at: Timestamp| {
        let state = desk.by_hand.site.path("state");
        let at = at.to_string();
        desk.by_hand
            .site
            .lapsed(&["verify-store", state.to_str().unwrap(), "--at", &at, "-o", "json"])
            .output()
            .unwrap()
    };
    assert_eq!(code(&verify(NOW)), 0);
    // Alice's records, and then the capture, should have gone by then.
    let late = verify(NOW.plus(14 * DAY + MINUTE));
    assert_eq!(code(&late), 1, "{}", talk_of(&late));
    assert!(text(&late.stdout).contains("overdue-case"), "{}", text(&late.stdout));
}

#[test]
fn what_waited_too_long_for_its_approval_is_not_brought_back() {
    let mut desk = Desk::new();
    let request = desk.file("provider-protection");
    assert_eq!(desk.show("request", &request)["items"][0]["captured"], true);
    desk.by_hand.restart(|clock| clock.advance(DAY));
    assert_eq!(code(&desk.lapse(&desk.approver, &["request", "approve", &request])), 0);
    assert_eq!(desk.show("request", &request)["line"]["state"], "open");
    let answer = desk.answer(&request);
    assert_eq!((answer["verdict"].as_str(), answer["from"].as_str()), (Some("purged"), Some("store")));
}

#[test]
fn what_is_asked_and_answered_after_a_capture_has_ended_is_sealed_anew() {
    let mut desk = Desk::new();
    let request = desk.file("subpoena");
    desk.by_hand.restart(|clock| clock.advance(14 * DAY));
    let now = NOW.plus(14 * DAY);
    let start = support::radius::request(3, StatusType::Start, "65A0-3", now.minus(10 * MINUTE)).user_name(ALICE);
    desk.by_hand.nas("127.0.0.1").ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
    desk.by_hand.site.write("more.csv", &format!("address,at\n192.0.2.7,{}\n", now.minus(5 * MINUTE)));
    let path = |name: &str| desk.by_hand.site.path(name).to_str().unwrap().to_owned();
    let added = desk.lapse(&desk.analyst, &["request", "add", &request, &path("more.csv")]);
    assert_eq!(code(&added), 0, "{}", talk_of(&added));
    let sheet = desk.show("request", &request);
    assert_eq!(
        (&sheet["items"][0]["captured"], &sheet["items"][1]["captured"]),
        (&Value::Bool(false), &Value::Bool(true))
    );
    desk.pass(HOUR);
    let output = desk.lapse(&desk.analyst, &["lookup", "--request", &request, "--all", "-o", "jsonl"]);
    let verdicts: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["verdict"].clone())
        .collect();
    assert_eq!(verdicts, ["purged", "attributed"]);
    // What says that nothing is left can be packaged, too.
    let packaged = desk.lapse(&desk.analyst, &["request", "package", &request, &path("package")]);
    assert_eq!(code(&packaged), 0, "{}", talk_of(&packaged));
}
