//! What each kind of process releases, through the real programs: the built-in table, and one that is stricter.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::process::{Command, Output};

use lapsed::api::PolicyAnswer;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use support::radius::{Nas, request, signed};
use support::{Daemon, Site, TWO_NAS, ago, code, lapsed, talk_of, text};

const BUILT_IN: &str = include_str!("../config/process-types.toml");
const ALICE: &str = "alice@isp.example";

/// A daemon on which alice has had 192.0.2.7 for ten minutes, with a line that is known; `table` is its table, if not built in.
fn desk(table: Option<&str>) -> (Site, Daemon) {
    let named = table.map_or("", |_| "[disclosure]\nprocess-types = \"types.toml\"\n");
    let site = Site::new(&format!("{TWO_NAS}{named}"));
    if let Some(table) = table {
        site.write("types.toml", table);
    }
    let daemon = site.start();
    let start =
        request(1, StatusType::Start, "65A0-1", ago(600)).user_name(ALICE).calling_station_id("02-00-5E-10-00-01");
    Nas::at("127.0.0.1", daemon.radius).ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
    (site, daemon)
}

fn ask(site: &Site, token: &str, process: &str, output: &str) -> Output {
    let at = ago(300).to_string();
    let question = ["lookup", "192.0.2.7", "--at", &at, "--process", process, "-o", output];
    site.lapse(Some(token), &[question.as_slice(), &["--case", "24-CR-1022", "--authority", "Example Court"]].concat())
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(output)))
}

#[test]
fn a_question_that_comes_alone_is_answered_refused_or_told_what_is_missing() {
    let (site, _daemon) = desk(None);
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("ops", "operator"));
    let entries = || site.status(&operator).access_entries;
    assert_eq!(code(&ask(&site, &analyst, "subpoena", "json")), 0);
    for (process, exit, said, recorded) in [
        ("subpoena", 0, "statute-missing", 1),
        ("court-order", 2, "court-order needs on file what a single question cannot give: judge, order-number", 0),
        ("warrant", 2, "judge, order-number", 0),
        ("nsl", 2, "certification", 0),
        ("fisa", 2, "order-number, scope", 0),
        ("defence-subpoena", 2, "legal-review, court", 0),
        ("consent", 2, "proof-of-consent, proof-of-identity", 0),
        ("provider-protection", 2, "approver, incident, reason", 0),
        ("emergency", 2, "call-back-proof, nature-of-harm, second-person, follow-up-due", 0),
        ("cybertip", 2, "report-id", 0),
        ("civil-order", 2, "service-date, objection-date", 0),
        ("customer", 2, "authentication, customer", 0),
        ("preservation", 4, "it releases nothing; it places a hold", 1),
        ("civil-preservation", 4, "it releases nothing; it places a hold", 1),
        ("eu-preservation", 4, "it releases nothing; it places a hold", 1),
        ("pen-register", 4, "this store has the past only", 1),
        ("title-iii", 4, "this store has the past only", 1),
        ("dmca-512h", 4, "it releases nothing; refer it to counsel", 1),
    ] {
        let known = entries();
        let output = ask(&site, &analyst, process, "json");
        assert_eq!((code(&output), entries() - known), (exit, recorded), "{process}: {output:?}");
        let words = if exit == 2 { talk_of(&output) } else { text(&output.stdout) };
        assert!(words.contains(said), "{process}: {words}");
        assert!(exit == 0 || !text(&output.stdout).contains("alice"), "{process}");
        // Who may not ask hears that and nothing of the process.
        let output = ask(&site, &operator, process, "json");
        assert_eq!(code(&output), 4);
        assert!(talk_of(&output).contains("role operator may not look up"), "{output:?}");
    }
}

#[test]
fn what_the_process_does_not_release_is_in_no_format() {
    let (site, _daemon) = desk(None);
    let token = site.token("desk-1", "analyst");
    let answer = json(&ask(&site, &token, "subpoena", "json"));
    assert_eq!(answer["releases"], serde_json::json!(["subscriber", "session-times", "addresses"]));
    assert!(["nas", "line"].iter().all(|field| answer.get(field).is_none()), "{answer}");
    assert!(["subscriber", "session", "since", "heard", "assigned"].iter().all(|field| answer.get(field).is_some()));
    let sheet = ask(&site, &token, "subpoena", "table");
    assert!(!text(&sheet.stdout).contains("02:00:5e") && text(&sheet.stdout).contains(ALICE), "{sheet:?}");

    let basic = "releases = [\"subscriber\", \"session-times\", \"addresses\"]\nreverse = true\n";
    let strict = BUILT_IN.replacen(basic, "releases = [\"subscriber\"]\n", 1);
    let (site, _daemon) = desk(Some(&strict));
    let token = site.token("desk-1", "analyst");
    let answer = json(&ask(&site, &token, "subpoena", "json"));
    assert_eq!((answer["subscriber"].as_str(), answer["verdict"].as_str()), (Some(ALICE), Some("attributed")));
    for field in ["session", "nas", "line", "since", "until", "heard", "assigned", "inside"] {
        assert!(answer.get(field).is_none(), "{field} in {answer}");
    }
    let sheet = ask(&site, &token, "subpoena", "table");
    let sheet = text(&sheet.stdout);
    for name in ["session", "since", "until", "heard", "NAS", "MAC"] {
        assert!(!sheet.contains(&format!("\n  {name} ")), "{name} in {sheet}");
    }
    // The right to ask for all that a subscriber had is gone with what it would have to release.
    let approver = site.token("desk-2", "approver");
    let (from, to) = (ago(3000).to_string(), ago(0).to_string());
    let question = ["subscriber", ALICE, "--from", &from, "--to", &to, "--process", "subpoena", "-o", "json"];
    let output = site.lapse(Some(&approver), &[question.as_slice(), &["--case", "1", "--authority", "Court"]].concat());
    assert_eq!(code(&output), 4, "{output:?}");
    assert!(text(&output.stdout).contains("and not a subscriber's addresses"), "{output:?}");
}

#[test]
fn a_type_that_is_left_out_is_refused() {
    let (site, _daemon) = desk(Some("version = 1\n"));
    let output = ask(&site, &site.token("desk-1", "analyst"), "subpoena", "json");
    assert_eq!(code(&output), 4);
    assert_eq!(json(&output)["note"], "subpoena is not answered: our policy leaves it out");
}

#[test]
fn a_table_below_the_minimum_is_refused_with_its_file_and_line_beside_the_other_faults() {
    let site = Site::new("[lookup]\nmargin = 5\n[disclosure]\nprocess-types = \"types.toml\"\n");
    site.write("types.toml", &BUILT_IN.replacen("needs = [\"statute\"]", "needs = []", 1));
    let file = site.path("lapsed.toml");
    let checked = || lapsed(&["check-config"]).arg(&file).output().unwrap();
    let output = checked();
    let line = BUILT_IN.lines().position(|line| line == "needs = [\"statute\"]").unwrap() + 1;
    let said = talk_of(&output);
    assert_eq!(code(&output), 2);
    assert!(said.contains("error: `subpoena` must need `statute`"), "{said}");
    assert!(said.contains(&format!("types.toml:{line}:9")) && said.contains("`margin` must be"), "{said}");
    assert!(said.contains("2 faults in ") && said.contains("lapsed.toml and "), "{said}");
    let (status, talk) = site.spawn("lapsed.toml", None).ended();
    assert_eq!((status.code(), talk.contains("must need `statute`")), (Some(2), true), "{talk}");

    fs::remove_file(site.path("types.toml")).unwrap();
    let output = checked();
    assert!(talk_of(&output).contains("types.toml: entity not found"), "{output:?}");
}

#[test]
fn the_policy_is_for_every_role_and_says_what_is_in_force() {
    let (site, _daemon) = desk(None);
    let table = Sha256::digest(BUILT_IN).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for role in ["source", "analyst", "approver", "auditor", "operator"] {
        let token = site.token(&format!("the-{role}"), role);
        let output = site.lapse(Some(&token), &["policy", "show", "-o", "json"]);
        assert_eq!(code(&output), 0, "{output:?}");
        let answer: PolicyAnswer = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer.policy.process_types_digest, table);
        assert_eq!((answer.policy.retention.window_ms, answer.policy.process_types.len()), (3_600_000, 18));
        // Whoever has the JSON can compute the digest from it.
        let said = text(&output.stdout);
        let policy = said.split_once("\"policy\":").unwrap().1.trim_end().strip_suffix('}').unwrap();
        let digest = Sha256::digest(policy).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(answer.digest, digest);

        let sheet = site.lapse(Some(&token), &["policy", "show"]);
        let words = text(&sheet.stdout);
        for part in [answer.digest.as_str(), &table, "1h: no one is answered", "bng-south", "18 USC 2703(c)(2)"] {
            assert!(words.contains(part), "{part} in {words}");
        }
    }
    assert_eq!(code(&site.lapse(None, &["policy", "show"])), 4);
}

#[test]
fn every_access_entry_names_the_table_by_the_digest_that_sha256sum_prints() {
    let strict = format!("{BUILT_IN}# Ours since today.\n");
    let (site, daemon) = desk(Some(&strict));
    assert_eq!(code(&ask(&site, &site.token("desk-1", "analyst"), "subpoena", "json")), 0);
    assert!(daemon.stop().0.success());
    let printed = Command::new("sha256sum").arg(site.path("types.toml")).output().unwrap();
    let digest = text(&printed.stdout).split_whitespace().next().unwrap().to_owned();
    let entries = site.access_entries();
    let lookup = entries.iter().find(|entry| entry.starts_with("lapsed-access-v1 lookup\n")).unwrap();
    assert!(lookup.contains(&format!("\nclass compelled\nprocess-types {digest}\nverdict attributed\n")), "{lookup}");
}
