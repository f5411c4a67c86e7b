//! `lapse subscriber` as people and scripts meet it: who may ask, under what, what comes back and what is left of it.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::process::Output;
use std::time::Duration;

use lapsed::api::SubscriberAnswer;
use lapsed::domain::finding::Finding;
use lapsed::domain::rfc3339;
use lapsed::domain::session::Evidence;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::radius::{Nas, request, signed};
use support::{Daemon, Site, TWO_NAS, ago, code, talk_of, text};

const ALICE: &str = "alice@isp.example";

/// A daemon to which alice logged on without an address, and got one later that bob has had since; an approver's token.
fn desk(networks: &str) -> (Site, Daemon, String) {
    let site = Site::new(&format!("{TWO_NAS}{networks}"));
    let approver = site.token("desk-2", "approver");
    let daemon = site.start();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let address = [192, 0, 2, 7].into();
    nas.ask(&signed(request(1, StatusType::Start, "65A0-1", ago(900)).user_name(ALICE)));
    nas.ask(&signed(request(2, StatusType::InterimUpdate, "65A0-1", ago(800)).user_name(ALICE).framed_ip(address)));
    nas.ask(&signed(request(3, StatusType::Stop, "65A0-1", ago(700)).user_name(ALICE)));
    nas.ask(&signed(request(4, StatusType::Start, "65A0-2", ago(600)).user_name("bob@isp.example").framed_ip(address)));
    (site, daemon, approver)
}

fn ask(site: &Site, token: &str, subscriber: &str, span: (u64, u64), process: &str, more: &[&str]) -> Output {
    let (from, to) = (ago(span.0).to_string(), ago(span.1).to_string());
    let question = ["subscriber", subscriber, "--from", &from, "--to", &to, "--process", process];
    let papers = ["--case", "24-CR-1022", "--authority", "Example District Court"];
    site.lapse(Some(token), &[question.as_slice(), &papers, more].concat())
}

fn answer(output: &Output) -> SubscriberAnswer {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(output)))
}

/// It was so many seconds ago when it was said, and that was a few seconds ago.
fn assert_near(told: &str, seconds: u64) {
    let near = rfc3339::parse(told).is_ok_and(|at| ago(seconds).distance(at) < Duration::from_secs(60));
    assert!(near, "{told} is not {seconds} s ago");
}

#[test]
fn an_approver_is_told_the_logons_and_assignments_of_one_subscriber() {
    let (site, _daemon, approver) = desk("[[network]]\nprefix = \"192.0.2.0/24\"\n");
    let output = ask(&site, &approver, ALICE, (3000, 0), "subpoena", &["-o", "json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let found = answer(&output);
    assert_eq!((found.finding, found.logons.len(), found.assignments.len()), (Finding::Found, 1, 1));
    assert_eq!(found.logons[0].source, "bng-north");
    assert_near(&found.logons[0].at, 900);
    let had = &found.assignments[0];
    assert_eq!((had.assigned.as_str(), had.ports, had.others), ("192.0.2.7", None, 0));
    assert_eq!(had.since.evidence, Evidence::Inferred);
    assert_near(&had.since.time, 800);
    let until = had.until.clone().unwrap();
    assert_eq!(until.evidence, Evidence::Observed);
    assert_near(&until.time, 700);
    assert!(!text(&output.stdout).contains("bob"));
    assert!(!found.span.beyond_horizon && !found.span.beyond_now);

    let output = ask(&site, &approver, ALICE, (3000, 0), "subpoena", &["-o", "jsonl"]);
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let what: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["answer", "logon", "assignment"]);
    assert!(lines[0]["ledger"]["salt"].is_string());

    let output = ask(&site, &approver, ALICE, (3000, 0), "subpoena", &[]);
    let sheet = text(&output.stdout);
    let facts =
        ["FOUND: 1 logons, 1 assignments", "192.0.2.7", "(observed)", "statute-missing", "An account is not a person."];
    assert!(facts.iter().all(|fact| sheet.contains(fact)), "{sheet}");
}

#[test]
fn only_an_approver_may_ask_and_everyone_else_is_told_before_the_question_is_judged() {
    let (site, _daemon, approver) = desk("");
    for role in ["analyst", "auditor", "operator", "source"] {
        let token = site.token(&format!("the-{role}"), role);
        for process in ["warrant", "gossip"] {
            let output = ask(&site, &token, ALICE, (3000, 0), process, &[]);
            assert_eq!((code(&output), output.stdout.len()), (4, 0), "{output:?}");
            assert!(talk_of(&output).contains(&format!("role {role} may not look up what a subscriber had")));
        }
    }
    assert_eq!(code(&ask(&site, &approver, ALICE, (3000, 0), "gossip", &[])), 2);
    assert_eq!(code(&ask(&site, "lapsed_made-up", ALICE, (3000, 0), "subpoena", &[])), 4);
}

#[test]
fn every_finding_has_its_exit_code_and_leaves_one_entry() {
    let (site, _daemon, approver) = desk("");
    let operator = site.token("ops", "operator");
    let entries = || site.status(&operator).access_entries;
    // A token's own entry is made when it is first met.
    assert_eq!(code(&ask(&site, &approver, ALICE, (3000, 0), "subpoena", &[])), 0);
    let mut known = entries();
    for (subscriber, span, process, exit, finding) in [
        (ALICE, (3000, 0), "subpoena", 0, Finding::Found),
        ("carol@isp.example", (3000, 0), "subpoena", 1, Finding::Nothing),
        (ALICE, (8000, 3700), "subpoena", 5, Finding::Purged),
        (ALICE, (3000, 0), "civil-order", 4, Finding::Refused),
        (ALICE, (3000, 0), "nsl", 4, Finding::Refused),
    ] {
        let output = ask(&site, &approver, subscriber, span, process, &["-o", "json"]);
        let found = answer(&output);
        assert_eq!((code(&output), found.finding), (exit, finding), "{output:?}");
        assert_eq!(found.note.is_some(), finding != Finding::Found);
        assert_eq!(found.ledger.index, known);
        known += 1;
        assert_eq!(entries(), known);
        if finding != Finding::Found {
            assert!(found.logons.is_empty() && found.assignments.is_empty());
        }
    }
    let ahead = ago(0).plus(Duration::from_secs(3600)).to_string();
    let question = ["subscriber", ALICE, "--from", &ahead, "--to", "2099-01-01T00:00:00Z", "--process", "subpoena"];
    let output = site.lapse(Some(&approver), &[question.as_slice(), &["--case", "1", "--authority", "Court"]].concat());
    assert_eq!(code(&output), 2);
    assert!(text(&output.stdout).contains("FUTURE"), "{output:?}");
}

#[test]
fn a_span_that_begins_before_the_horizon_says_so() {
    let (site, _daemon, approver) = desk("");
    let output = ask(&site, &approver, ALICE, (9000, 0), "subpoena", &["-o", "json"]);
    let found = answer(&output);
    assert_eq!((code(&output), found.span.beyond_horizon, found.assignments.len()), (0, true, 1));
    let sheet = ask(&site, &approver, ALICE, (9000, 0), "subpoena", &[]);
    assert!(text(&sheet.stdout).contains("beyond-horizon"), "{sheet:?}");
}

#[test]
fn what_cannot_be_understood_is_usage_and_names_the_field_but_not_the_subscriber() {
    let (site, _daemon, approver) = desk("");
    for (field, subscriber, span) in [("subscriber:", "", (3000, 0)), ("to:", ALICE, (0, 3000)), ("to:", ALICE, (5, 5))]
    {
        let output = ask(&site, &approver, subscriber, span, "subpoena", &[]);
        assert_eq!(code(&output), 2, "{output:?}");
        let said = talk_of(&output);
        assert!(said.contains(field) && !said.contains(ALICE), "{said}");
    }
    let output = ask(&site, &approver, ALICE, (3000, 0), "subpoena", &["--entity", "north"]);
    assert_eq!(code(&output), 2);
    assert!(talk_of(&output).contains("entity:"), "{output:?}");
    // What is asked for comes back, and cannot turn the line around.
    let output = ask(&site, &approver, "a\u{202e}b", (3000, 0), "subpoena", &[]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("a\\u{202e}b"), "{output:?}");
}

#[test]
fn where_there_are_several_entities_one_must_be_named() {
    let (site, _daemon, approver) = desk(
        "[[network]]\nprefix = \"192.0.2.0/24\"\nentity = \"north\"\nsources = [\"bng-north\"]\n[[network]]\nprefix = \"198.51.100.0/24\"\nentity = \"south\"\n",
    );
    let by = |more: &[&str]| ask(&site, &approver, ALICE, (3000, 0), "subpoena", &[&["-o", "json"], more].concat());
    let unnamed = by(&[]);
    assert_eq!(code(&unnamed), 2);
    assert!(talk_of(&unnamed).contains("name one of north, south"), "{unnamed:?}");
    let north = by(&["--entity", "north"]);
    let found = answer(&north);
    assert_eq!((code(&north), found.entity.as_deref()), (0, Some("north")));
    assert_eq!((found.logons.len(), found.assignments.len()), (1, 1));
    assert_eq!(code(&by(&["--entity", "south"])), 1);
    assert_eq!(code(&by(&["--entity", "west"])), 2);
}

#[test]
fn one_entity_needs_no_name_and_has_the_logons_that_belong_to_none() {
    let (site, _daemon, approver) = desk("[[network]]\nprefix = \"192.0.2.0/24\"\nentity = \"north\"\n");
    for more in [["-o", "json"].as_slice(), &["-o", "json", "--entity", "north"]] {
        let found = answer(&ask(&site, &approver, ALICE, (3000, 0), "subpoena", more));
        assert_eq!((found.entity.as_deref(), found.logons.len(), found.assignments.len()), (Some("north"), 1, 1));
    }
}
