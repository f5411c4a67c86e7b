//! Legal processes on file, through the real programs: filed, answered in the order of their items, approved and closed.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::process::Output;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::radius::{Nas, request, signed};
use support::{Daemon, Site, TWO_NAS, ago, code, files_below, talk_of, text};

const ALICE: &str = "alice@isp.example";
const PAPERS: &str = r#"
type = "subpoena"
statute = "18 USC 2703(c)(2)"
authority = "Example District Court"
agency = "Example Police Department"
officer = "Det. R. Example"
officer-contact = "+1 303 555 0100"
case = "24-CR-1022"
issued = 2026-11-20
received = 2026-11-21T09:00:00-07:00
return-by = 2026-12-01
"#;

/// A daemon on which alice has had 192.0.2.7 for ten minutes.
fn desk() -> (Site, Daemon) {
    let site = Site::new(TWO_NAS);
    let daemon = site.start();
    let start = request(1, StatusType::Start, "65A0-1", ago(600)).user_name(ALICE).framed_ip([192, 0, 2, 7].into());
    Nas::at("127.0.0.1", daemon.radius).ask(&signed(start));
    (site, daemon)
}

fn item(address: &str, at: Timestamp) -> String {
    format!("[[item]]\naddress = \"{address}\"\nat = \"{at}\"\n")
}

fn filed(output: &Output) -> String {
    assert_eq!(code(output), 0, "{}", talk_of(output));
    let id = text(&output.stdout).trim_end().to_owned();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    id
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(output)))
}

#[test]
fn a_request_is_filed_answered_in_order_and_closed() {
    let (site, daemon) = desk();
    let analyst = site.token("desk-1", "analyst");
    let lapse = |arguments: &[&str]| site.lapse(Some(&analyst), arguments);
    site.write("request.toml", &format!("{PAPERS}{}{}", item("192.0.2.7", ago(300)), item("192.0.2.99", ago(300))));
    site.write(
        "items.csv",
        &format!("line,address,at\n1a,192.0.2.7,{}\n1b,192.0.2.7,2025-11-21T00:00:00Z\n", ago(200)),
    );
    let (papers, items) = (site.path("request.toml"), site.path("items.csv"));
    let (papers, items) = (papers.to_str().unwrap(), items.to_str().unwrap());
    let id = filed(&lapse(&["request", "open", "--file", papers, "--items", items]));

    let output = lapse(&["lookup", "--request", &id, "--all", "-o", "jsonl"]);
    let answers = lines(&output);
    let verdicts: Vec<(u64, &str)> =
        answers.iter().map(|line| (line["item"].as_u64().unwrap(), line["verdict"].as_str().unwrap())).collect();
    assert_eq!(verdicts, [(1, "attributed"), (2, "no-coverage"), (3, "attributed"), (4, "purged")]);
    assert_eq!(code(&output), 6, "the worst of 0, 6, 0 and 5");
    assert_eq!(answers[0]["subscriber"], ALICE);
    // The subpoena has its statute, so there is no caution about it.
    assert!(!answers[0]["cautions"].as_array().unwrap().iter().any(|caution| caution == "statute-missing"));

    let one = lapse(&["lookup", "--request", &id, "--item", "3", "-o", "json"]);
    assert_eq!((code(&one), lines(&one).len()), (0, 1));
    let sheet = json(&lapse(&["request", "show", &id, "-o", "json"]));
    assert_eq!(sheet["items"][0]["verdict"], "attributed");
    assert_eq!(sheet["line"]["answered"], 4);
    assert_eq!(sheet["items"][3]["written"]["line"], "1b");
    let list = json(&lapse(&["request", "list", "-o", "json"]));
    assert_eq!(list["requests"][0]["id"], id);

    // It is there after a restart, and closed for good.
    assert!(daemon.stop().0.success());
    let daemon = site.start();
    let added = site.path("more.csv");
    fs::write(&added, format!("address,at\n192.0.2.7,{}\n", ago(100))).unwrap();
    assert_eq!(code(&lapse(&["request", "add", &id, added.to_str().unwrap()])), 0);
    let fifth = lapse(&["lookup", "--request", &id, "--item", "5", "-o", "json"]);
    assert_eq!((code(&fifth), lines(&fifth)[0]["item"].clone()), (0, Value::from(5)));
    assert_eq!(code(&lapse(&["request", "close", &id])), 0);
    for refused in [vec!["lookup", "--request", &id, "--all"], vec!["request", "close", &id]] {
        let output = lapse(&refused);
        assert_eq!(code(&output), 2, "{}", talk_of(&output));
        assert!(talk_of(&output).contains("closed"));
    }
    assert!(daemon.stop().0.success());
    let entries = site.access_entries();
    let acts: Vec<&str> = entries.iter().filter_map(|entry| entry.split("\nact ").nth(1)?.lines().next()).collect();
    assert_eq!(acts, ["opened", "shown", "items-added", "closed"]);
    assert_eq!(entries.iter().filter(|entry| entry.contains("\nverdict ")).count(), 6);
    assert!(entries.iter().filter(|entry| entry.contains(" request\n")).all(|entry| entry.contains(&id)));
}

#[test]
fn nothing_of_the_papers_lies_in_a_file_in_clear() {
    let (site, daemon) = desk();
    let analyst = site.token("desk-1", "analyst");
    site.write("request.toml", &format!("{PAPERS}{}", item("192.0.2.7", ago(300))));
    let papers = site.path("request.toml");
    let id = filed(&site.lapse(Some(&analyst), &["request", "open", "--file", papers.to_str().unwrap()]));
    site.lapse(Some(&analyst), &["lookup", "--request", &id, "--all"]);
    assert!(daemon.stop().0.success());
    for file in files_below(&site.path("state")) {
        let bytes = fs::read(&file).unwrap();
        for hidden in ["24-CR-1022", "Example Police", "R. Example", "192.0.2.7", ALICE] {
            let found = bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes());
            assert!(!found, "{hidden} in {}", file.display());
        }
    }
}

#[test]
fn what_is_wrong_with_papers_is_named_and_nothing_is_filed() {
    let (site, _daemon) = desk();
    let analyst = site.token("desk-1", "analyst");
    let lapse = |arguments: &[&str]| site.lapse(Some(&analyst), arguments);
    let open = |papers: &str| {
        site.write("request.toml", papers);
        lapse(&["request", "open", "--file", site.path("request.toml").to_str().unwrap()])
    };
    for (papers, exit, said) in [
        (PAPERS.replace("officer = ", "oficer = "), 2, "oficer: there is no such field"),
        (PAPERS.replace("officer = ", "oficer = "), 2, "officer: it is missing"),
        (PAPERS.replace("\"subpoena\"", "\"marketing\""), 2, "unknown process type `marketing`"),
        (PAPERS.replace("\"subpoena\"", "\"pen-register\""), 4, "this store has the past only"),
        (
            format!(
                "{PAPERS}{}[[item]]\naddress = \"192.0.2.8\"\nat = \"2026-11-21 14:03\"\n",
                item("192.0.2.7", ago(9))
            ),
            2,
            "item 2, at",
        ),
        (PAPERS.replace("type = ", "type "), 2, "request.toml"),
    ] {
        let output = open(&papers);
        assert_eq!(code(&output), exit, "{}", talk_of(&output));
        assert!(talk_of(&output).contains(said), "{said}: {}", talk_of(&output));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(json(&lapse(&["request", "list", "-o", "json"]))["requests"], Value::Array(Vec::new()));
    assert_eq!(code(&lapse(&["request", "show", "nothing"])), 2);
    assert_eq!(code(&lapse(&["request", "show", &"0".repeat(32)])), 2);
    assert_eq!(code(&lapse(&["lookup", "--request", &"0".repeat(32), "--all"])), 2);
}

#[test]
fn what_needs_an_approver_waits_for_one_who_did_not_open_it() {
    let (site, _daemon) = desk();
    let [lead, other, analyst] = ["lead-1", "lead-2", "desk-1"]
        .map(|name| site.token(name, if name.starts_with("lead") { "approver" } else { "analyst" }));
    let papers = PAPERS.replace("\"subpoena\"", "\"provider-protection\"");
    let papers =
        format!("{papers}incident = \"INC-7\"\nreason = \"credential stuffing\"\n{}", item("192.0.2.7", ago(300)));
    site.write("request.toml", &papers);
    let papers = site.path("request.toml");
    let id = filed(&site.lapse(Some(&lead), &["request", "open", "--file", papers.to_str().unwrap()]));
    let ask = || site.lapse(Some(&lead), &["lookup", "--request", &id, "--all", "-o", "json"]);
    let output = ask();
    assert_eq!(code(&output), 2, "{}", talk_of(&output));
    assert!(talk_of(&output).contains("approver"), "{}", talk_of(&output));
    for (who, said) in [(&lead, "nobody approves what they opened"), (&analyst, "may not approve")] {
        let output = site.lapse(Some(who), &["request", "approve", &id]);
        assert_eq!(code(&output), 4);
        assert!(talk_of(&output).contains(said), "{}", talk_of(&output));
    }
    assert_eq!(code(&site.lapse(Some(&other), &["request", "approve", &id])), 0);
    assert_eq!(code(&ask()), 0);
}

#[test]
fn a_request_whose_kind_is_refused_by_now_is_shown_and_gets_nothing_more() {
    let (site, daemon) = desk();
    let analyst = site.token("desk-1", "analyst");
    site.write("request.toml", &format!("{}{}", PAPERS.replace("statute", "judge"), item("192.0.2.7", ago(300))));
    let papers = site.path("request.toml");
    let id = filed(&site.lapse(Some(&analyst), &["request", "open", "--file", papers.to_str().unwrap()]));
    let show = || json(&site.lapse(Some(&analyst), &["request", "show", &id, "-o", "json"]));
    assert_eq!(show()["missing"], serde_json::json!(["statute"]));
    assert!(daemon.stop().0.success());
    // A table that names no kind leaves out all of them.
    site.write("types.toml", "version = 1\n");
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    site.write("stricter.toml", &format!("{config}[disclosure]\nprocess-types = \"types.toml\"\n"));
    let _daemon = site.start_with("stricter.toml", None);
    let sheet = show();
    assert_eq!((&sheet["releases"], &sheet["missing"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(sheet["warnings"][0]["code"], "refused");
    assert_eq!(sheet["warnings"][0]["text"], "subpoena is not answered: our policy leaves it out");
    assert_eq!(sheet["items"][0]["captured"], true);
    let output = site.lapse(Some(&analyst), &["request", "set", &id, "statute=18 USC 2703(c)(2)"]);
    assert_eq!(code(&output), 4, "{}", talk_of(&output));
    assert!(show()["fields"].get("statute").is_none(), "what was refused is not on file");
    assert_eq!(code(&site.lapse(Some(&analyst), &["lookup", "--request", &id, "--all"])), 4);
}

#[test]
fn a_sweep_destroys_what_expires_while_the_daemon_is_dead() {
    let site = Site::new(&format!("{TWO_NAS}[disclosure]\ncapture-expiry = \"1s\"\n"));
    let daemon = site.start();
    let analyst = site.token("desk-1", "analyst");
    site.write("request.toml", &format!("{PAPERS}{}", item("192.0.2.7", ago(300))));
    let papers = site.path("request.toml");
    let id = filed(&site.lapse(Some(&analyst), &["request", "open", "--file", papers.to_str().unwrap()]));
    daemon.kill();
    let config = site.path("lapsed.toml");
    let sweep = || site.lapsed(&["sweep", "--config", config.to_str().unwrap()]).output().unwrap();
    // Each try is a process of its own.
    let swept = (0..2000).map(|_| sweep()).find(|output| talk_of(output).contains("requests, captures and holds"));
    let swept = swept.unwrap();
    assert_eq!(code(&swept), 0);
    assert!(talk_of(&swept).contains("the keys of 1 "), "{}", talk_of(&swept));
    // The papers are there, and nothing is captured any more.
    let _daemon = site.start();
    let sheet = json(&site.lapse(Some(&analyst), &["request", "show", &id, "-o", "json"]));
    assert_eq!(sheet["items"][0]["captured"], false);
}

/// Runs a command line of `lapse` on a terminal on which somebody types this.
fn on_a_terminal(site: &Site, token: &str, arguments: &str, typed: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_lapse"));
    let mut terminal = Command::new("script");
    let terminal = terminal.args(["-qec", &line, "/dev/null"]).env("LAPSE_TOKEN", token);
    let terminal = terminal.env("LAPSE_SOCKET", site.path("api.sock"));
    let mut running = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    String::from_utf8(running.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn on_a_terminal_what_was_understood_is_shown_and_confirmed() {
    let (site, _daemon) = desk();
    let analyst = site.token("desk-1", "analyst");
    let papers = PAPERS.replace("case = \"24-CR-1022\"\n", "");
    site.write("request.toml", &format!("{papers}{}", item("192[.]0[.]2[.]7", ago(300))));
    let open = format!("request open --file {}", site.path("request.toml").display());
    let list = || json(&site.lapse(Some(&analyst), &["request", "list", "-o", "json"]))["requests"].clone();
    let said = on_a_terminal(&site, &analyst, &open, "24-CR-1022\nn\n");
    assert!(said.contains("case:") && said.contains("`192[.]0[.]2[.]7` is 192.0.2.7"), "{said}");
    assert!(said.contains("File it so?") && said.contains("nothing was filed"), "{said}");
    assert_eq!(list(), Value::Array(Vec::new()));
    let said = on_a_terminal(&site, &analyst, &open, "24-CR-1022\ny\n");
    assert_eq!(list()[0]["case"], "24-CR-1022", "{said}");
}
