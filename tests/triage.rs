//! What dies first: by an injected clock byte for byte, and by the real commands and the real daemon.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use lapsed::api::{TriageAnswer, TriageState};
use lapsed::cli::page::Look;
use lapsed::cli::render_triage;
use lapsed::config::{Config, SecretError, SecretFile};
use lapsed::desk::remarks::Context;
use lapsed::desk::triage;
use lapsed::domain::rfc3339;
use lapsed::domain::time::Cutoff;
use serde_json::Value;

use support::snapshot::assert_snapshot;
use support::{Daemon, Site, TWO_NAS, ago, code, talk_of, text};

/// Three o'clock in the morning in Denver.
const NOW: &str = "2026-11-21T10:00:00Z";

const NETWORKS: &str = "
[[network]]
prefix = \"203.0.113.0/24\"
[[network]]
prefix = \"198.51.100.0/24\"
shared = true
[[network]]
prefix = \"2001:db8::/32\"
";

/// A list with something of everything, and four rows that are no items.
const LIST: &str = "\
line,address,port,protocol,at,zone,uncertainty,realm
a-1,203[.]0[.]113[.]7,40000,tcp,2026-11-21 02:30:00 AM,America/Denver,,
a-2,203.0.113.8,,,2026-11-19T13:12:00Z,,5m,
a-3,198.51.100.9,,,11/20/2026 11:00:00 PM MST,,,
a-4,192.0.2.7,40000,,2026-11-20T10:00:00Z,,,
a-5,203.0.113.7,40000,tcp,2026-11-21T09:30:00Z,,,
b-1,203.0.113.7,443,,2025-11-20T10:00:00Z,,,
b-2,203.0.113.7,,,2026-11-18T03:00:00Z,,,
b-3,203.0.113.7,,,2026-11-21T12:00:00Z,,,
b-4,2001:db8:17::/64,,,1795168800,,,
b-5,10.0.0.9,,,2026-11-20T10:00:00Z,,,cgn-1
c-1,203.0.113.07,,,2026-11-20T10:00:00Z,,,
c-2,203.0.113.7,,,2026-11-01 01:30:00,America/Denver,,
c-3,203.0.113.7,,,2026-03-08 02:30:00,America/Denver,,
c-4,203.0.113.7,0,,11/12/2026 10:00 UTC,,,
";

/// The triage of a list at [`NOW`], with a window of 48 h.
fn triaged(list: &str) -> TriageAnswer {
    let no_secrets = |_: &Path| -> Result<SecretFile, SecretError> { unreachable!("there is no secret") };
    let config = Config::parse(&format!("version = 1\n{NETWORKS}"), "test", Path::new(""), no_secrets).unwrap();
    let (now, window) = (rfc3339::parse(NOW).unwrap(), Duration::from_secs(172_800));
    let context = Context { config: &config, now, window, issued: None, received: None };
    triage::answer(list, &context, Cutoff::of(now, window))
}

const fn look(width: usize) -> Look {
    Look { width, local: |time| time.with_timezone(&chrono_tz::America::Denver).fixed_offset() }
}

#[test]
fn a_triage_is_printed_byte_for_byte_in_every_form() {
    let answer = triaged(LIST);
    assert_snapshot("triage.txt", &render_triage::text(&answer, look(80)));
    assert_snapshot("triage.csv", &render_triage::csv(&answer, look(80)));
    let json = serde_json::to_string_pretty(&answer).unwrap() + "\n";
    assert_snapshot("triage.json", &json);
}

#[test]
fn no_line_is_wider_than_the_terminal_but_for_what_cannot_be_broken() {
    let answer = triaged(LIST);
    for width in [48, 60, 80, 132] {
        let page = render_triage::text(&answer, look(width));
        let wide: Vec<_> = page.lines().filter(|line| line.chars().count() > width).collect();
        let is_whole = |line: &&str| answer.items.iter().any(|item| line.ends_with(&item.at.written));
        assert!(wide.iter().all(is_whole) && (width < 80 || wide.is_empty()), "{width}: {wide:?}");
    }
}

#[test]
fn what_dies_first_comes_first_and_what_is_nobody_s_last() {
    let answer = triaged(LIST);
    let order: Vec<_> = answer.items.iter().map(|item| item.line.as_deref().unwrap()).collect();
    assert_eq!(order, ["a-2", "b-4", "a-3", "a-1", "a-5", "b-2", "b-1", "b-3", "a-4", "b-5"]);
    let said = |line: &str| answer.items.iter().find(|item| item.line.as_deref() == Some(line)).unwrap().said.clone();
    assert_eq!(said("a-2"), "dies in 3 h 12 min");
    assert_eq!(said("a-3"), "dies in 44 h; shared network: needs a port");
    assert_eq!(said("b-2"), "gone 31 h ago");
    assert_eq!(said("b-3"), "future: comes in 2 h");
    assert_eq!(said("a-4"), "not ours");
}

#[test]
fn an_item_at_the_horizon_is_alive_and_a_millisecond_later_it_is_gone() {
    let state = |at: &str| triaged(&format!("address,at\n203.0.113.7,{at}\n")).items[0].state;
    assert_eq!(state("2026-11-19T10:00:00Z"), TriageState::Alive);
    assert_eq!(state("2026-11-19T09:59:59.999Z"), TriageState::Gone);
    assert_eq!(state("2026-11-21T10:00:00Z"), TriageState::Alive);
    assert_eq!(state("2026-11-21T10:00:00.001Z"), TriageState::Future);
}

/// A daemon with a window of an hour and these networks, and an analyst's token.
fn desk() -> (Site, Daemon, String) {
    let site = Site::new(&format!("{TWO_NAS}{NETWORKS}"));
    let token = site.token("desk-1", "analyst");
    let daemon = site.start();
    (site, daemon, token)
}

/// `lapse triage` with a list on standard input.
fn piped(site: &Site, token: &str, arguments: &[&str], list: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
    command.arg("triage").arg("-").args(arguments).env("LAPSE_TOKEN", token).env("LAPSE_SOCKET", site.path("api.sock"));
    command.env("TZ", "America/Denver").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(list).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_file_and_a_pipe_are_triaged_by_the_daemon_s_clock() {
    let (site, _daemon, token) = desk();
    let list = format!("address,at\n203.0.113.7,{}\n203.0.113.7,{}\n", ago(7200), ago(600));
    site.write("items.csv", &list);
    let file = site.path("items.csv").display().to_string();
    let output = site.lapse(Some(&token), &["triage", &file, "-o", "json"]);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["version"], &answer["window-ms"]), (&1.into(), &3_600_000.into()));
    assert_eq!((&answer["items"][0]["file-line"], &answer["items"][0]["state"]), (&3.into(), &"alive".into()));
    assert_eq!((&answer["items"][1]["file-line"], &answer["items"][1]["state"]), (&2.into(), &"gone".into()));
    let left = answer["items"][0]["seconds"].as_u64().unwrap();
    assert!((2_900..=3_000).contains(&left), "{left}");

    let output = piped(&site, &token, &[], list.as_bytes());
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    let page = text(&output.stdout);
    assert!(page.starts_with("TRIAGE: 1 of 2 can still be answered\n"), "{page}");
    assert!(page.contains("line 3: dies in 4") && page.contains("line 2: gone 1 h ago"), "{page}");
    assert!(
        page.contains("IANA time zone database 202")
            && (page.contains(" -07:00 local") || page.contains(" -06:00 local")),
        "{page}"
    );
    assert!(page.lines().all(|line| line.len() <= 80), "{page}");
}

#[test]
fn a_row_that_is_not_understood_is_named_and_the_others_are_shown() {
    let (site, _daemon, token) = desk();
    let good = ago(600);
    let list = format!(
        "address,at\n203.0.113.07,{good}\n203.0.113.7,{good}\n203.0.113.7,2026-11-01 01:30:00 America/Denver\n"
    );
    for form in ["text", "json", "csv"] {
        let output = piped(&site, &token, &["-o", form], list.as_bytes());
        assert_eq!(code(&output), 2);
        assert!(text(&output.stdout).contains("203.0.113.7"), "{output:?}");
        let said = talk_of(&output);
        assert!(said.contains("lapse: -: line 2, address: `07` in `203.0.113.07` begins with a zero"), "{said}");
        assert!(
            said.contains("line 4, at: it can be read in 2 ways") && said.contains("\n  2026-11-01T01:30:00-06:00"),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_list_says_so() {
    let (site, _daemon, token) = desk();
    for (list, said) in [
        (b"".as_slice(), "the list is empty"),
        (b"address\n203.0.113.7\n", "line 1, at: the header lacks this column"),
        (b"\xff\xfea\0", "the list is UTF-16"),
        (b"address,at\n\xff,\n", "line 2: it is no UTF-8"),
    ] {
        let output = piped(&site, &token, &[], list);
        assert_eq!(code(&output), 2);
        assert!(talk_of(&output).contains(said), "{output:?}");
    }
    let output = site.lapse(Some(&token), &["triage", "/nowhere/items.csv"]);
    assert_eq!(code(&output), 2);
    assert!(talk_of(&output).contains("cannot read /nowhere/items.csv"), "{output:?}");
    let output = piped(&site, &token, &["--received", "yesterday"], b"address,at\n");
    assert_eq!(code(&output), 2);
    assert!(talk_of(&output).contains("received: "), "{output:?}");
}

#[test]
fn analysts_and_approvers_may_triage_others_not_and_nothing_goes_on_record() {
    let (site, _daemon, token) = desk();
    let operator = site.token("ops", "operator");
    let approver = site.token("chief", "approver");
    let list = format!("address,at\n203.0.113.7,{}\n", ago(600));
    // Each token gets its entry when the daemon first meets it.
    for known in [&token, &approver, &operator] {
        site.lapse(Some(known), &["status"]);
    }
    let before = site.status(&operator).access_entries;
    for role in [&token, &approver] {
        assert_eq!(code(&piped(&site, role, &[], list.as_bytes())), 0);
    }
    for (role, list) in [(&operator, list.as_str()), (&operator, "nonsense")] {
        let output = piped(&site, role, &[], list.as_bytes());
        assert_eq!(code(&output), 4);
        assert!(talk_of(&output).contains("role operator may not triage"), "{output:?}");
    }
    assert_eq!(site.status(&operator).access_entries, before);
}

#[test]
fn a_long_list_is_taken_whole() {
    let (site, _daemon, token) = desk();
    let row = format!("203.0.113.7,{},{}\n", ago(600), "\"  \"");
    let list = format!("address,at,line\n{}", row.repeat(10_000));
    let output = piped(&site, &token, &["-o", "csv"], list.as_bytes());
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    assert_eq!(text(&output.stdout).lines().count(), 10_001);
    let output = piped(&site, &token, &["-o", "csv"], format!("{list}{row}").as_bytes());
    assert_eq!(code(&output), 2);
    assert!(talk_of(&output).contains("there are more than 10000 items"), "{output:?}");
}
