//! The command lines as people and scripts meet them: words, exit codes, JSON, and the life of the daemon.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::process::Command;

use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::radius::{Nas, request, signed};
use support::{Daemon, Site, TWO_NAS, ago, code, lapsed, subpoena, talk_of, text};

/// A daemon on which 192.0.2.7 has been held for ten minutes, and an analyst's token.
fn desk() -> (Site, Daemon, String) {
    let site = Site::new(&format!("{TWO_NAS}[[network]]\nprefix = \"192.0.2.0/24\"\n"));
    let token = site.token("desk-1", "analyst");
    let daemon = site.start();
    let start = request(1, StatusType::Start, "65A0-1", ago(600)).user_name("alice@isp.example");
    Nas::at("127.0.0.1", daemon.radius).ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
    (site, daemon, token)
}

/// Every name in a JSON value, with those it lies in.
fn names(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{path}{name}");
        names(inner, &format!("{path}."), into);
        into.insert(path);
    }
}

#[test]
fn help_shows_examples_and_what_the_exit_codes_mean() {
    let help = |mut command: Command| {
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0);
        text(&output.stdout).to_owned()
    };
    let lapse = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
        command.args(arguments);
        command
    };
    for (help, example) in [
        (help(lapsed(&["--help"])), "lapsed run --config"),
        (help(lapse(&["--help"])), "69 daemon unreachable"),
        (help(lapse(&["lookup", "--help"])), "lapse lookup 203.0.113.7 --at"),
        (help(lapse(&["triage", "--help"])), "lapse triage items.csv"),
        (help(lapse(&["subscriber", "--help"])), "1 nothing found, 2 usage"),
    ] {
        assert!(help.contains("Example") && help.contains(example), "{help}");
    }
    assert!(help(lapse(&["--version"])).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_flag_a_missing_paper_and_no_command_at_all_are_usage() {
    let site = Site::new(TWO_NAS);
    for arguments in [
        ["lookup", "192.0.2.7", "--when", "now"].as_slice(),
        &["lookup", "192.0.2.7", "--at", "2026-11-21T21:03:22Z", "--process", "subpoena", "--case", "24-CR-1022"],
        &["lookup", "192.0.2.7", "--port", "65536"],
        &["status", "-o", "xml"],
        &["triage"],
        &["gossip"],
        &[],
    ] {
        let output = site.lapse(None, arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
    }
    assert_eq!(code(&lapsed(&["run", "--colour"]).output().unwrap()), 2);
}

#[test]
fn a_daemon_that_is_not_there_is_69_and_the_message_names_the_socket() {
    let site = Site::new(TWO_NAS);
    let output = site.lapse(None, &["status"]);
    assert_eq!(code(&output), 69);
    let socket = site.path("api.sock").display().to_string();
    let said = talk_of(&output);
    assert!(
        said.contains("cannot reach the daemon on") && said.contains(&socket) && said.contains("--socket"),
        "{said}"
    );
}

#[test]
fn without_token_and_principal_nothing_is_answered_and_the_message_says_what_to_do() {
    let (site, _daemon, _) = desk();
    let at = ago(300).to_string();
    for arguments in [subpoena("192.0.2.7", &at), vec!["status"]] {
        let output = site.lapse(None, &arguments);
        assert_eq!(code(&output), 4);
        let said = talk_of(&output);
        assert!(output.stdout.is_empty());
        assert!(["LAPSE_TOKEN", "lapsed token", "[[principal]]"].iter().all(|way| said.contains(way)), "{said}");
    }
    let output = site.lapse(Some("lapsed_made-up"), &subpoena("192.0.2.7", &at));
    assert_eq!(code(&output), 4);
    assert!(talk_of(&output).contains("the token is not known"), "{output:?}");
}

#[test]
fn a_role_that_may_not_look_up_is_told_so_before_the_question_is_judged() {
    let (site, _daemon, _) = desk();
    for role in ["operator", "auditor", "source"] {
        let token = site.token(&format!("the-{role}"), role);
        for (address, at) in [("192.0.2.7", ago(300).to_string()), ("nowhere", "never".to_owned())] {
            let output = site.lapse(Some(&token), &subpoena(address, &at));
            assert_eq!(code(&output), 4, "{output:?}");
            assert!(talk_of(&output).contains(&format!("role {role} may not look up")), "{output:?}");
        }
        let status = if role == "source" { 4 } else { 0 };
        assert_eq!(code(&site.lapse(Some(&token), &["status"])), status, "{role}");
    }
}

#[test]
fn what_cannot_be_understood_is_usage_and_the_message_names_the_field() {
    let (site, _daemon, token) = desk();
    let at = ago(300).to_string();
    for (field, address, at, process, case) in [
        ("address:", "192.0.2.256", at.as_str(), "subpoena", "24-CR-1022"),
        ("address:", "192.0.2.0/24", &at, "subpoena", "24-CR-1022"),
        ("at:", "192.0.2.7", "2026-11-21 21:03:22Z", "subpoena", "24-CR-1022"),
        ("at:", "192.0.2.7", "2026-11-21T21:03:22", "subpoena", "24-CR-1022"),
        ("process:", "192.0.2.7", &at, "marketing", "24-CR-1022"),
        ("case:", "192.0.2.7", &at, "subpoena", " "),
    ] {
        let question = ["lookup", address, "--at", at, "--process", process, "--case", case, "--authority", "Court"];
        let output = site.lapse(Some(&token), &question);
        assert_eq!(code(&output), 2, "{output:?}");
        assert!(talk_of(&output).contains(field), "{output:?}");
    }
}

#[test]
fn every_verdict_has_its_exit_code_and_its_words() {
    let (site, _daemon, token) = desk();
    let ask = |address: &str, at: String, process: &str| {
        let question = subpoena(address, &at).into_iter().map(|word| if word == "subpoena" { process } else { word });
        let output = site.lapse(Some(&token), &question.collect::<Vec<_>>());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        (code(&output), answer["verdict"].as_str().unwrap().to_owned(), answer["note"].as_str().map(str::to_owned))
    };
    let then = || ago(300).to_string();
    assert_eq!(ask("192.0.2.7", then(), "subpoena"), (0, "attributed".to_owned(), None));
    assert_eq!(ask("192.0.2.7", ago(590).to_string(), "subpoena"), (3, "uncertain".to_owned(), None));
    assert_eq!(ask("192.0.2.8", then(), "subpoena"), (6, "no-coverage".to_owned(), None));
    assert_eq!(ask("203.0.113.7", then(), "subpoena"), (1, "not-ours".to_owned(), None));
    let ahead = ago(0).plus(std::time::Duration::from_secs(3600)).to_string();
    assert_eq!(ask("192.0.2.7", ahead, "subpoena"), (2, "future".to_owned(), None));
    let (exit, verdict, note) = ask("192.0.2.7", then(), "dmca-512h");
    assert_eq!((exit, verdict.as_str()), (4, "refused"));
    assert_eq!(note.as_deref(), Some("dmca-512h is not answered: it releases nothing; refer it to counsel"));
    // Always in the same words, whether the address is ours or not.
    for address in ["192.0.2.7", "203.0.113.7"] {
        let (exit, verdict, note) = ask(address, ago(3601).to_string(), "subpoena");
        assert_eq!((exit, verdict.as_str()), (5, "purged"));
        let words = "We hold no readable record for this time. We cannot say whether one ever existed. This does not speak of material preserved under other process.";
        assert_eq!(note.as_deref(), Some(words));
    }
}

#[test]
fn json_has_every_field_that_is_known_and_released_and_no_other() {
    let (site, _daemon, token) = desk();
    let at = ago(300).to_string();
    let output = site.lapse(Some(&token), &subpoena("192.0.2.7", &at));
    assert_eq!(text(&output.stdout).lines().count(), 1);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut found = BTreeSet::new();
    names(&answer, "", &mut found);
    let contract = "version verdict note address port realm entity at at.written at.utc subscriber assigned session since \
         since.time since.evidence since.distance \
         heard heard.before heard.after sharing from cautions sources horizon releases ledger ledger.index ledger.request ledger.salt";
    assert_eq!(found, contract.split_whitespace().map(str::to_owned).collect());
    assert_eq!((&answer["version"], &answer["from"], &answer["sharing"]), (&1.into(), &"store".into(), &1.into()));
    assert_eq!((&answer["at"]["written"], &answer["until"]), (&at.as_str().into(), &Value::Null));
    assert_eq!(answer["since"]["evidence"], "observed");
}

#[test]
fn every_lookup_leaves_one_access_entry_more_and_a_question_that_is_no_question_none() {
    let (site, _daemon, token) = desk();
    let operator = site.token("ops", "operator");
    let entries = || site.status(&operator).access_entries;
    let mut known = entries();
    for (address, at) in
        [("192.0.2.7", ago(300)), ("192.0.2.8", ago(300)), ("192.0.2.7", ago(7200)), ("192.0.2.7", ago(590))]
    {
        assert_eq!(site.lookup(&token, address, at).1.ledger.index, known);
        known += 1;
        assert_eq!(entries(), known);
    }
    assert_eq!(code(&site.lapse(Some(&token), &subpoena("192.0.2.7", "yesterday"))), 2);
    assert_eq!(code(&site.lapse(Some(&operator), &subpoena("192.0.2.7", "yesterday"))), 4);
    assert_eq!(entries(), known);
    // A new token is an access to be: it gets its entry when the daemon first meets it.
    site.lookup(&site.token("desk-2", "approver"), "192.0.2.7", ago(300));
    assert_eq!(entries(), known + 2);
}

#[test]
fn tokens_work_at_once_whether_minted_before_or_while_the_daemon_runs() {
    let site = Site::new(TWO_NAS);
    let before = site.token("ops", "operator");
    let daemon = site.start();
    let while_running = site.token("ops-2", "operator");
    for token in [&before, &while_running, &before] {
        assert_eq!(code(&site.lapse(Some(token), &["status"])), 0);
    }
    let config = site.path("lapsed.toml").display().to_string();
    let other = lapsed(&["token", "--config", &config, "--name", "ops", "--role", "analyst"]).output().unwrap();
    assert_eq!(code(&other), 2);
    assert!(talk_of(&other).contains("one principal has one role"), "{other:?}");
    assert!(daemon.stop().0.success());
}

#[test]
fn whoever_owns_the_process_gets_in_as_the_principal_of_that_uid() {
    let uid = nix::unistd::geteuid();
    let site = Site::new(&format!("{TWO_NAS}[[principal]]\nname = \"desk-1\"\nuid = {uid}\nrole = \"analyst\"\n"));
    let _daemon = site.start();
    let at = ago(300).to_string();
    assert_eq!(code(&site.lapse(None, &subpoena("192.0.2.7", &at))), 6);
    // A token says more than a uid: who sends a wrong one is nobody.
    assert_eq!(code(&site.lapse(Some("lapsed_made-up"), &subpoena("192.0.2.7", &at))), 4);
}

#[test]
fn a_broken_configuration_is_shown_with_line_and_caret_and_nothing_is_made() {
    let site = Site::new("[retention]\nwindoww = \"48h\"\nbucket = \"10\"\n");
    let (status, talk) = site.spawn("lapsed.toml", None).ended();
    assert_eq!(status.code(), Some(2));
    assert!(talk.contains("unknown key `windoww`, did you mean `window`?"), "{talk}");
    assert!(talk.contains("lapsed.toml:12:1") && talk.contains("^^^^^^^") && talk.contains("2 faults in"), "{talk}");
    assert!(!site.path("state").exists());
}

#[test]
fn sigterm_ends_the_daemon_with_0_and_takes_the_socket_away() {
    let site = Site::new(TWO_NAS);
    let daemon = site.start();
    assert!(fs::metadata(site.path("api.sock")).unwrap().file_type().is_socket());
    let (status, talk) = daemon.stop();
    assert_eq!(status.code(), Some(0), "{talk}");
    assert!(!site.path("api.sock").exists());
    assert!(!talk.contains("ERROR"), "{talk}");
}

#[test]
fn a_second_daemon_on_the_same_state_or_the_same_socket_refuses_and_harms_nothing() {
    let site = Site::new(TWO_NAS);
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    site.write("same-state.toml", &config.replace("api.sock", "other.sock"));
    site.write("same-socket.toml", &config.replace("\"state\"", "\"other-state\""));
    for (config, reason) in [
        ("lapsed.toml", "is in use by another process: stop it first"),
        ("same-state.toml", "is in use by another process: stop it first"),
        ("same-socket.toml", "another daemon answers on it"),
    ] {
        let (status, talk) = site.spawn(config, None).ended();
        assert_eq!(status.code(), Some(1));
        assert!(talk.contains(reason), "{config}: {talk}");
    }
    assert!(site.status(&operator).accepting);
    assert!(daemon.stop().0.success());
}

#[test]
fn a_socket_that_a_dead_daemon_left_is_replaced_and_a_file_that_is_none_is_left_alone() {
    let site = Site::new(TWO_NAS);
    let operator = site.token("ops", "operator");
    site.start().kill();
    assert!(fs::metadata(site.path("api.sock")).unwrap().file_type().is_socket());
    let daemon = site.start();
    assert!(site.status(&operator).accepting);
    assert!(daemon.stop().0.success());
    drop(UnixListener::bind(site.path("api.sock")).unwrap());
    assert!(site.start().stop().0.success());

    site.write("api.sock", "somebody's notes");
    let (status, talk) = site.spawn("lapsed.toml", None).ended();
    assert_eq!(status.code(), Some(1));
    assert!(talk.contains("cannot listen on the API socket"), "{talk}");
    assert_eq!(fs::read_to_string(site.path("api.sock")).unwrap(), "somebody's notes");
}
