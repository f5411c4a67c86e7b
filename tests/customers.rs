//! Customers, and those who consent, are told of their own data; of all else nothing, in the same words.

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

/// 2027-01-15T08:00:00Z, at the edge of a bucket.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const ALICE: &str = "alice@isp.example";
const BOB: &str = "bob@isp.example";

/// A window of an hour; alice has had 192.0.2.7 for fifty minutes, and bob 192.0.2.8.
fn desk(networks: &str) -> (ByHand, String) {
    let site = Site::new(&format!("{TWO_NAS}{networks}"));
    let analyst = site.token("desk-1", "analyst");
    let by_hand = ByHand::start_on(site, NOW);
    for (number, name) in [(7, ALICE), (8, BOB)] {
        let start = request(number, StatusType::Start, name, NOW.minus(50 * MINUTE)).user_name(name);
        by_hand.nas("127.0.0.1").ask(&signed(start.framed_ip([192, 0, 2, number].into())));
    }
    (by_hand, analyst)
}

fn file(by_hand: &ByHand, analyst: &str, lines: &str, items: &[(&str, Timestamp)]) -> String {
    let items: String =
        items.iter().map(|(address, at)| format!("[[item]]\naddress = \"{address}\"\nat = \"{at}\"\n")).collect();
    let papers = format!(
        "{lines}\nauthority = \"the customer\"\nagency = \"the customer\"\nofficer = \"the customer\"\nofficer-contact = \"by \
         post\"\ncase = \"C-7\"\n{items}"
    );
    by_hand.site.write("request.toml", &papers);
    let path = by_hand.site.path("request.toml");
    let output = by_hand.site.lapse(Some(analyst), &["request", "open", "--file", path.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    text(&output.stdout).trim_end().to_owned()
}

fn answers(by_hand: &ByHand, analyst: &str, id: &str) -> (i32, Vec<Value>) {
    let output = by_hand.site.lapse(Some(analyst), &["lookup", "--request", id, "--all", "-o", "jsonl"]);
    let lines = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap());
    (code(&output), lines.collect())
}

/// Of an answer, what does not repeat the question or number the entry.
fn substance(mut answer: Value) -> Value {
    let fields = answer.as_object_mut().unwrap();
    for asked in ["item", "address", "at", "ledger"] {
        fields.remove(asked);
    }
    answer
}

#[test]
fn what_is_not_the_customers_gets_one_answer_whoever_held_it() {
    for (kind, proof, class) in [
        ("customer", "authentication = \"in person\"", "class customer"),
        ("consent", "proof-of-consent = \"signed\"\nproof-of-identity = \"passport\"", "class voluntary"),
    ] {
        let (mut by_hand, analyst) = desk("[[network]]\nprefix = \"192.0.2.0/24\"\n");
        let then = NOW.minus(40 * MINUTE);
        let items = [
            ("192.0.2.7", then),
            ("192.0.2.8", then),
            ("192.0.2.9", then),
            ("198.51.100.1", then),
            ("192.0.2.7", NOW.minus(600 * MINUTE)),
            ("192.0.2.7", NOW.plus(MINUTE)),
            ("192.0.2.8", NOW.minus(55 * MINUTE)),
        ];
        let papers = format!("type = \"{kind}\"\n{proof}\ncustomer = \"{ALICE}\"");
        let id = file(&by_hand, &analyst, &papers, &items);
        let (exit, told) = answers(&by_hand, &analyst, &id);
        assert_eq!((exit, told.len()), (4, items.len()));
        assert_eq!((told[0]["verdict"].as_str(), told[0]["subscriber"].as_str()), (Some("attributed"), Some(ALICE)));
        let refused: Vec<Value> = told[1..].iter().cloned().map(substance).collect();
        assert_eq!(refused[0]["verdict"], "refused");
        assert_eq!(refused[0]["note"], "not the customer's own data");
        assert!(refused.iter().all(|answer| *answer == refused[0]), "{refused:?}");
        assert_eq!(refused[0]["releases"], serde_json::json!([]));

        // After the window the capture answers for the customer's own, and for nobody else's.
        by_hand.restart(|clock| clock.advance(60 * MINUTE));
        let (_, later) = answers(&by_hand, &analyst, &id);
        assert_eq!((later[0]["from"].as_str(), later[0]["subscriber"].as_str()), (Some("capture"), Some(ALICE)));
        let refused: Vec<Value> = later[1..].iter().cloned().map(substance).collect();
        assert!(refused.iter().all(|answer| *answer == refused[0] && answer["from"] == "store"), "{refused:?}");
        by_hand.stop();
        let entries = by_hand.site.access_entries();
        let lookups: Vec<&String> = entries.iter().filter(|entry| entry.contains("\nverdict ")).collect();
        assert!(lookups.iter().all(|entry| entry.contains(class)));
        assert_eq!(lookups.iter().filter(|entry| entry.contains("\nverdict refused\n")).count(), 12);
    }
}

#[test]
fn nothing_is_answered_before_it_is_known_whose_data_it_is() {
    let (mut by_hand, analyst) = desk("");
    let then = NOW.minus(40 * MINUTE);
    let papers = "type = \"customer\"\nauthentication = \"in person\"";
    let id = file(&by_hand, &analyst, papers, &[("192.0.2.7", then), ("192.0.2.8", then)]);
    let lapse = |arguments: &[&str]| by_hand.site.lapse(Some(&analyst), arguments);
    let output = lapse(&["lookup", "--request", &id, "--all"]);
    assert!(code(&output) == 2 && talk_of(&output).contains("customer"), "{}", talk_of(&output));
    assert_eq!(code(&lapse(&["request", "set", &id, &format!("customer={BOB}")])), 0);
    // What is named is captured at once, and nothing of others is.
    by_hand.restart(|clock| clock.advance(60 * MINUTE));
    let (exit, told) = answers(&by_hand, &analyst, &id);
    let verdicts: Vec<&str> = told.iter().map(|answer| answer["verdict"].as_str().unwrap()).collect();
    assert_eq!((exit, verdicts), (4, vec!["refused", "attributed"]));
    assert_eq!(told[1]["subscriber"], BOB);
}

#[test]
fn one_name_with_two_entities_is_two_customers() {
    let networks = "[[network]]\nprefix = \"192.0.2.0/29\"\nentity = \"North\"\n[[network]]\nprefix = \"192.0.2.8/29\"\nentity = \"South\"\n";
    let (by_hand, analyst) = desk(networks);
    let then = [("192.0.2.7", NOW.minus(40 * MINUTE))];
    let papers = format!("type = \"customer\"\nauthentication = \"in person\"\ncustomer = \"{ALICE}\"");
    let id = file(&by_hand, &analyst, &papers, &then);
    let output = by_hand.site.lapse(Some(&analyst), &["lookup", "--request", &id, "--all"]);
    assert!(
        code(&output) == 2 && talk_of(&output).contains("customer-entity: name one of North, South"),
        "{}",
        talk_of(&output)
    );
    for (entity, verdict) in [("South", "refused"), ("North", "attributed")] {
        let id = file(&by_hand, &analyst, &format!("{papers}\ncustomer-entity = \"{entity}\""), &then);
        assert_eq!(answers(&by_hand, &analyst, &id).1[0]["verdict"], verdict);
    }
}
