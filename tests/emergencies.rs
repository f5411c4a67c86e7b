//! Emergencies through the real client and a daemon on clocks that are moved by hand: captured first, confirmed, approved by a
//! second person, and overdue until their legal process is named.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::process::Output;
use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::{Value, json};

use support::by_hand::ByHand;
use support::radius::{request, signed};
use support::{Site, TWO_NAS, code, talk_of, text};

/// 2027-01-15T08:00:00Z, at the edge of a bucket.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const PROOF: &str = "call-back-proof=+1 303 555 0100, number of our own, Sgt. Example";
const HARM: &str = "nature-of-harm=a child is missing";
/// Three hours later.
const DUE: &str = "follow-up-due=2027-01-15T11:00:00Z";

struct Desk {
    by_hand: ByHand,
    analyst: String,
    lead: String,
    second: String,
    operator: String,
}

impl Desk {
    /// A window of an hour, and alice who has had 192.0.2.7 for fifty minutes.
    fn new() -> Self {
        let site = Site::new(TWO_NAS);
        let [analyst, lead, second, operator] =
            [("desk-1", "analyst"), ("lead-1", "approver"), ("lead-2", "approver"), ("ops-1", "operator")]
                .map(|(name, role)| site.token(name, role));
        let by_hand = ByHand::start_on(site, NOW);
        let start = request(1, StatusType::Start, "65A0-1", NOW.minus(50 * HOUR / 60)).user_name("alice@isp.example");
        by_hand.nas("127.0.0.1").ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
        Self { by_hand, analyst, lead, second, operator }
    }

    fn lapse(&self, token: &str, arguments: &[&str]) -> Output {
        self.by_hand.site.lapse(Some(token), arguments)
    }

    /// It must end so, and say this.
    fn says(&self, token: &str, arguments: &[&str], exit: i32, said: &str) {
        let output = self.lapse(token, arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", talk_of(&output));
        assert!(talk_of(&output).contains(said), "{said}: {}", talk_of(&output));
    }

    /// Files papers about alice's address 40 minutes ago.
    fn file(&self, who: &str, command: &str, lines: &str) -> String {
        let papers = format!(
            "{lines}\nauthority = \"Example Police Department\"\nofficer = \"Det. R. Example\"\nofficer-contact = \"+1 303 555 \
             0100\"\ncase = \"24-CR-1022\"\n[[item]]\naddress = \"192.0.2.7\"\nat = \"{}\"\n",
            NOW.minus(40 * HOUR / 60)
        );
        self.by_hand.site.write("request.toml", &papers);
        let path = self.by_hand.site.path("request.toml");
        let output = self.lapse(who, &[command, "open", "--file", path.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        text(&output.stdout).trim_end().to_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.lapse(&self.lead, &[arguments, &["-o", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(&output)))
    }

    fn counts(&self) -> (u64, u64) {
        let counts = self.json(&["status"])["emergencies"].clone();
        assert_eq!(self.json(&["request", "list"])["emergencies"], counts);
        (counts["awaiting-approval"].as_u64().unwrap(), counts["overdue"].as_u64().unwrap())
    }
}

#[test]
fn it_is_captured_first_and_answered_when_all_is_there_and_a_second_person_has_seen_it() {
    let mut desk = Desk::new();
    let id = desk.file(&desk.lead, "emergency", "agency = \"Example Police\"");
    assert_eq!(desk.json(&["request", "show", &id])["items"][0]["captured"], true);
    let ask = ["lookup", "--request", &id, "--all", "-o", "json"];
    desk.says(&desk.analyst, &ask, 2, "call-back-proof, nature-of-harm, second-person, follow-up-due");
    assert_eq!(desk.counts(), (1, 0));
    // Three of four do not do, and what is on file stays.
    desk.says(&desk.analyst, &["emergency", "confirm", &id, "--set", PROOF, "--set", HARM], 0, "follow-up-due");
    for (set, said) in [
        (PROOF, "call-back-proof: it is on file"),
        ("agency=Another", "agency: it is on file"),
        ("second-person=me", "there is no such field"),
        ("follow-up-due=2027-01-14", "does not lie in the future"),
        ("follow-up-due=soon", "follow-up-due"),
    ] {
        desk.says(&desk.analyst, &["emergency", "confirm", &id, "--set", set], 2, said);
    }
    desk.says(&desk.operator, &["emergency", "confirm", &id, "--set", DUE], 4, "analyst and approver may");
    // An approval speaks of what was there.
    desk.says(&desk.second, &["request", "approve", &id], 0, "");
    desk.says(&desk.analyst, &["emergency", "confirm", &id, "--set", DUE], 0, "second-person");
    desk.says(&desk.analyst, &ask, 2, "second-person");
    desk.says(&desk.lead, &["request", "approve", &id], 4, "nobody approves what they opened");
    desk.says(&desk.analyst, &["request", "approve", &id], 4, "may not approve");
    // The window passes, and the capture answers, also after a restart.
    desk.by_hand.restart(|clock| clock.advance(HOUR));
    desk.says(&desk.second, &["request", "approve", &id], 0, "");
    assert_eq!(desk.counts(), (0, 0));
    let answer: Value = serde_json::from_slice(&desk.lapse(&desk.analyst, &ask).stdout).unwrap();
    assert_eq!((answer["subscriber"].as_str(), answer["from"].as_str()), (Some("alice@isp.example"), Some("capture")));
    let sheet = desk.json(&["request", "show", &id]);
    let added: Vec<(&str, &str)> = sheet["added"]
        .as_array()
        .unwrap()
        .iter()
        .map(|added| (added["field"].as_str().unwrap(), added["by"].as_str().unwrap()))
        .collect();
    assert_eq!(added, [("call-back-proof", "desk-1"), ("nature-of-harm", "desk-1"), ("follow-up-due", "desk-1")]);

    desk.by_hand.stop();
    let entries = desk.by_hand.site.access_entries();
    let acts: Vec<&str> = entries.iter().filter_map(|entry| entry.split("\nact ").nth(1)?.lines().next()).collect();
    // Who opened it was refused by what is on file; who is no approver, by the gate, which knows no request.
    let done = ["opened", "shown", "fields-added", "approved", "fields-added", "approval-refused"];
    assert_eq!(acts, [done.as_slice(), &["approved", "shown"]].concat());
    assert!(!entries.iter().any(|entry| entry.contains("missing") || entry.contains("303 555")));
}

#[test]
fn it_is_overdue_until_a_process_of_the_same_agency_is_named() {
    let desk = Desk::new();
    let agency = "agency = \"Example Police\"";
    let due = "follow-up-due = 2027-01-15T11:00:00Z";
    let first = desk.file(&desk.analyst, "emergency", &format!("{agency}\n{due}"));
    let later = desk.file(&desk.analyst, "emergency", &format!("{agency}\nfollow-up-due = 2027-01-16"));
    let silent = desk.file(&desk.analyst, "emergency", agency);
    let order = |list: &Value| -> Vec<(String, bool)> {
        let lines = list["emergencies"].as_array().unwrap().iter();
        lines.map(|line| (line["id"].as_str().unwrap().to_owned(), line["overdue"].as_bool().unwrap())).collect()
    };
    assert_eq!(desk.json(&["emergency", "list", "--overdue"]), json!({"emergencies": []}));
    desk.by_hand.clock.advance(3 * HOUR);
    let listed = order(&desk.json(&["emergency", "list"]));
    assert_eq!(listed, [(first.clone(), true), (later.clone(), false), (silent, false)]);
    assert_eq!(order(&desk.json(&["emergency", "list", "--overdue"])), [(first.clone(), true)]);
    assert_eq!(desk.counts(), (3, 1));
    desk.says(&desk.operator, &["emergency", "list"], 4, "analyst and approver may");
    assert_eq!(desk.json(&["emergency", "list"])["emergencies"][1]["follow-up-due"], "2027-01-17T00:00:00.000Z");

    let statute = "type = \"subpoena\"\nstatute = \"18 USC 2703(c)(2)\"";
    let other = desk.file(&desk.analyst, "request", &format!("{statute}\nagency = \"Another Police\""));
    let bare = desk.file(&desk.analyst, "request", &format!("type = \"subpoena\"\n{agency}"));
    let preservation =
        desk.file(&desk.analyst, "request", &format!("type = \"preservation\"\nscope = \"all\"\n{agency}"));
    for (process, said) in [
        (&other, "not of the agency"),
        (&bare, "it lacks what its kind needs on file: statute"),
        (&preservation, "a process that compels an answer"),
        (&later, "a process that compels an answer"),
        (&first, "no request follows itself"),
    ] {
        desk.says(&desk.analyst, &["emergency", "follow-up", &first, "--request", process], 2, said);
    }
    // What was missing is added to any request.
    desk.says(&desk.analyst, &["request", "set", &bare, "statute=18 USC 2703(c)(2)"], 0, "");
    desk.says(&desk.analyst, &["emergency", "follow-up", &first, "--request", &bare], 0, "");
    desk.says(&desk.analyst, &["emergency", "follow-up", &first, "--request", &bare], 2, "followed it already");
    desk.says(&desk.analyst, &["emergency", "follow-up", &bare, "--request", &other], 2, "it is no emergency");
    assert_eq!(desk.counts(), (3, 0));
    assert_eq!(desk.json(&["request", "show", &first])["follow-up"], Value::from(bare));

    // Closing what was never answered ends it; what was answered goes on to wait.
    desk.says(&desk.analyst, &["request", "close", &later], 0, "");
    assert_eq!(desk.json(&["emergency", "list"])["emergencies"].as_array().unwrap().len(), 1);
}
