//! No-records certificates, through the real client and a daemon on clocks that are moved by hand: what they say, who may have one, and
//! that nobody else learns from them what is preserved.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::process::Output;
use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::by_hand::ByHand;
use support::radius::{request, signed};
use support::{Site, TWO_NAS, code, talk_of, text};

/// 2027-01-15T08:00:00Z, at the edge of a bucket.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// What all that is asked about is dated to.
const ASKED: Timestamp = Timestamp::from_millis(1_800_000_000_000 - 40 * 60_000);

struct Desk {
    by_hand: ByHand,
    analyst: String,
    approver: String,
    second: String,
    operator: String,
}

impl Desk {
    /// A window of an hour, and alice who has had 192.0.2.7 for fifty minutes.
    fn new() -> Self {
        let networks = "[[network]]\nprefix = \"192.0.2.0/24\"\n";
        let site = Site::new(&format!("{}{networks}", TWO_NAS.replace("\"10s\"", "\"1s\"")));
        let [analyst, approver, second, operator] =
            [("desk-1", "analyst"), ("lead-1", "approver"), ("lead-2", "approver"), ("ops-1", "operator")]
                .map(|(name, role)| site.token(name, role));
        let desk = Self { by_hand: ByHand::start_on(site, NOW), analyst, approver, second, operator };
        let start = request(1, StatusType::Start, "65A0-1", NOW.minus(50 * MINUTE)).user_name("alice@isp.example");
        desk.by_hand.nas("127.0.0.1").ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
        desk
    }

    fn lapse(&self, token: &str, arguments: &[&str]) -> Output {
        self.by_hand.site.lapse(Some(token), arguments)
    }

    /// Files a process about these addresses forty minutes ago, and returns its id.
    fn file(&self, token: &str, kind: &str, addresses: &[&str]) -> String {
        let items = addresses.iter().map(|address| format!("[[item]]\naddress = \"{address}\"\nat = \"{ASKED}\"\n"));
        let papers = format!(
            "type = \"{kind}\"\nstatute = \"18 USC 2703\"\nscope = \"all\"\nauthority = \"Example District Court\"\nagency = \"Example \
             Police Department\"\nofficer = \"Det. R. Example\"\nofficer-contact = \"+1 303 555 0100\"\ncase = \"24-CR-1022\"\n\
             received = 2027-01-15T09:30:00Z\n{}",
            items.collect::<String>()
        );
        self.by_hand.site.write("request.toml", &papers);
        let path = self.by_hand.site.path("request.toml");
        id(&self.lapse(token, &["request", "open", "--file", path.to_str().unwrap()]))
    }

    /// Has every item answered, and returns what is said of them.
    fn answer(&self, request: &str) -> Vec<Value> {
        let output = self.lapse(&self.analyst, &["lookup", "--request", request, "--all", "-o", "jsonl"]);
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn certify(&self, token: &str, request: &str) -> Output {
        self.lapse(token, &["request", "certificate", request, "-o", "json"])
    }

    /// Lets two hours pass, and has a purge run made.
    fn pass(&self) {
        self.by_hand.clock.advance(HOUR);
        self.by_hand.clock.advance(HOUR);
        let output = self.lapse(&self.operator, &["purge", "run"]);
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
    }
}

fn id(output: &Output) -> String {
    assert_eq!(code(output), 0, "{}", talk_of(output));
    text(&output.stdout).trim_end().to_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(output)))
}

#[test]
fn it_says_what_is_known_of_every_item_and_cites_the_report_that_covers_it() {
    let mut desk = Desk::new();
    desk.pass();
    // A stop and a start close the period in which the run was.
    desk.by_hand.restart(|_| ());
    let request = desk.file(&desk.analyst, "subpoena", &["192.0.2.7", "198.51.100.9"]);
    assert_eq!(code(&desk.certify(&desk.approver, &request)), 2, "nothing is answered yet");
    let verdicts: Vec<String> =
        desk.answer(&request).iter().map(|answer| answer["verdict"].as_str().unwrap().to_owned()).collect();
    assert_eq!(verdicts[0], "purged");

    let certificate = json(&desk.certify(&desk.approver, &request));
    let policy =
        json(&desk.lapse(&desk.analyst, &["policy", "show", "-o", "json"]))["digest"].as_str().unwrap().to_owned();
    assert_eq!(certificate["policy"], *policy);
    let item = &certificate["items"][0];
    let report = item["report"].as_u64().unwrap();
    let expected = format!(
        "We hold no readable record for {ASKED}. We cannot say whether one ever existed. Records of this age are destroyed in the ordinary \
         course under policy {policy}. This process was received at 2027-01-15T09:30:00.000Z, when {ASKED} was 2 hours old. Purge report \
         {report}, our own statement, which is not signed, covers {ASKED}; it does not prove physical erasure, and it does not speak of \
         material preserved under other process."
    );
    assert_eq!(item["statement"], expected);
    // The report says what is said of it.
    let shown = desk.lapse(&desk.operator, &["purge", "report", "show", &report.to_string(), "-o", "text"]);
    assert_eq!(code(&shown), 0);
    let cutoff = lapsed::purge::Report::parse(&shown.stdout).unwrap().cutoff;
    assert!(cutoff > Some(ASKED), "{}", text(&shown.stdout));
    let sheet = desk.lapse(&desk.approver, &["request", "certificate", &request]);
    assert_eq!(code(&sheet), 0);
    for said in ["NO-RECORDS CERTIFICATE", "192.0.2.7", "purged", "signature", "24-CR-1022"] {
        assert!(text(&sheet.stdout).contains(said), "{said} in {}", text(&sheet.stdout));
    }
}

#[test]
fn an_address_that_is_not_ours_is_certified_by_the_networks() {
    let desk = Desk::new();
    let request = desk.file(&desk.analyst, "subpoena", &["198.51.100.9", "192.0.2.7"]);
    assert_eq!(desk.answer(&request)[0]["verdict"], "not-ours");
    // It rests on the configuration alone; what was found about the other item is no matter of a certificate.
    let certificate = json(&desk.certify(&desk.approver, &request));
    let items = certificate["items"].as_array().unwrap();
    // printf '192.0.2.0/24\n' | sha256sum
    let digest = {
        use sha2::Digest as _;
        lapsed::audit::hex(&sha2::Sha256::digest(b"192.0.2.0/24\n"))
    };
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["statement"], format!("not in our configured networks, digest {digest}"));
    // Found is not to be certified.
    let found = desk.file(&desk.analyst, "subpoena", &["192.0.2.7"]);
    desk.answer(&found);
    assert!(talk_of(&desk.certify(&desk.approver, &found)).contains("nothing to certify"));
}

#[test]
fn what_is_preserved_is_for_counsel_and_only_the_approver_learns_it() {
    let desk = Desk::new();
    let preservation = desk.file(&desk.analyst, "preservation", &["192.0.2.7"]);
    let hold = id(&desk.lapse(&desk.analyst, &["hold", "place", "--request", &preservation]));
    assert_eq!(code(&desk.lapse(&desk.approver, &["hold", "approve", &hold])), 0);
    // What filing captured goes, and the hold alone is left.
    assert_eq!(code(&desk.lapse(&desk.analyst, &["request", "close", &preservation])), 0);
    desk.pass();
    let held = desk.file(&desk.analyst, "subpoena", &["192.0.2.7"]);
    let free = desk.file(&desk.analyst, "subpoena", &["192.0.2.8"]);
    let own = desk.file(&desk.approver, "subpoena", &["192.0.2.8"]);
    // Analysts are told the same, but for what they asked and where that is on record.
    let plain = |answer: &Value| {
        let mut answer = answer.clone();
        for name in ["address", "ledger"] {
            answer[name].take();
        }
        answer.to_string()
    };
    let (of_held, of_free) = (desk.answer(&held), desk.answer(&free));
    desk.answer(&own);
    assert_eq!(of_held[0]["verdict"], "purged");
    assert_eq!(plain(&of_held[0]), plain(&of_free[0]));
    let [refused, other] = [&held, &free].map(|request| desk.certify(&desk.analyst, request));
    assert_eq!((code(&refused), talk_of(&refused)), (4, talk_of(&other)));
    assert!(!talk_of(&refused).contains("counsel"));
    // Even of a request that is not there.
    assert_eq!(talk_of(&desk.certify(&desk.analyst, &"0".repeat(32))), talk_of(&other));

    let referred = desk.certify(&desk.approver, &held);
    assert_eq!(code(&referred), 4);
    assert!(talk_of(&referred).contains("refer to counsel") && referred.stdout.is_empty(), "{}", talk_of(&referred));
    assert_eq!(json(&desk.certify(&desk.approver, &free))["items"][0]["verdict"], "purged");
    // Nobody certifies what they opened.
    assert!(talk_of(&desk.certify(&desk.approver, &own)).contains("nobody certifies what they opened"));
    assert_eq!(code(&desk.certify(&desk.second, &own)), 0);

    // The ledger has the same words for the one that was referred.
    let Desk { mut by_hand, .. } = desk;
    by_hand.stop();
    let entries = by_hand.site.access_entries();
    let mut acts: Vec<Vec<&str>> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.contains("\nact certificate\n")) {
        let varies = ["time ", "request ", "papers ", "actor "];
        acts.push(entry.lines().filter(|line| !varies.iter().any(|name| line.starts_with(name))).collect());
    }
    assert_eq!(acts.len(), 3);
    assert!(acts.iter().all(|act| *act == acts[0]), "{acts:?}");
}

#[test]
fn what_another_request_captured_is_for_counsel_until_it_is_closed() {
    let desk = Desk::new();
    let early = desk.file(&desk.analyst, "subpoena", &["192.0.2.7"]);
    desk.pass();
    let late = desk.file(&desk.analyst, "subpoena", &["192.0.2.7"]);
    assert_eq!(desk.answer(&late)[0]["verdict"], "purged");
    assert_eq!(code(&desk.certify(&desk.approver, &late)), 4);
    assert_eq!(code(&desk.lapse(&desk.analyst, &["request", "close", &early])), 0);
    assert_eq!(code(&desk.certify(&desk.approver, &late)), 0);
}
