//! Bearer tokens end: by their date, and by a revocation that a running daemon notices; and each is on record.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::process::Output;
use std::time::Duration;

use lapsed::clock::{Clock as _, SystemClock};
use lapsed::config::Config;
use lapsed::domain::actor::Role;
use lapsed::tokens;

use support::{Site, TWO_NAS, code, lapsed, talk_of, text};

const DAY: Duration = Duration::from_secs(86_400);

fn token(site: &Site, arguments: &[&str]) -> Output {
    lapsed(&["token"]).args(arguments).arg("--config").arg(site.path("lapsed.toml")).output().unwrap()
}

/// The exit code of asking for the status, and what was said.
fn ask(site: &Site, token: &str) -> (i32, String) {
    let output = site.lapse(Some(token), &["status"]);
    (code(&output), talk_of(&output).to_owned())
}

#[test]
fn a_revoked_token_is_refused_at_its_next_use_and_all_of_it_is_on_record() {
    let site = Site::new(TWO_NAS);
    let [first, second, other] = ["ops", "ops", "ops-2"].map(|name| site.token(name, "operator"));
    let daemon = site.start();
    for token in [&first, &second, &other] {
        assert_eq!(ask(&site, token).0, 0);
    }
    let revoked = token(&site, &["revoke", "ops"]);
    assert_eq!((code(&revoked), text(&revoked.stdout)), (0, "2 tokens of ops revoked\n"));
    for token in [&first, &second] {
        let (exit, said) = ask(&site, token);
        assert!(exit == 4 && said.contains("the token was revoked at 20"), "{said}");
    }
    assert_eq!(ask(&site, &other).0, 0);
    assert_eq!(ask(&site, &site.token("ops", "operator")).0, 0);
    let again = token(&site, &["revoke", "nobody"]);
    assert!(code(&again) == 2 && talk_of(&again).contains("`nobody` has no token"), "{again:?}");
    assert!(daemon.stop().0.success());
    let entries = site.access_entries();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.lines().next().unwrap()).collect();
    let (minted, revoked) = ("lapsed-access-v1 token-minted", "lapsed-access-v1 token-revoked");
    assert_eq!(kinds, [minted, minted, minted, revoked, minted]);
    assert!(entries.iter().all(|entry| !entry.contains("ops")), "{entries:?}");
}

#[test]
fn an_expired_token_is_refused_and_the_answer_says_since_when() {
    let site = Site::new(TWO_NAS);
    let config = Config::read(&site.path("lapsed.toml")).unwrap();
    let long_ago = SystemClock.now().minus(3 * DAY);
    let expired = tokens::mint(&config, "ops", Role::Operator, long_ago, DAY).unwrap();
    let _daemon = site.start();
    let (exit, said) = ask(&site, &expired);
    assert!(exit == 4 && said.contains(&format!("the token expired at {}", long_ago.plus(DAY))), "{said}");
}

#[test]
fn tokens_of_an_earlier_version_count_and_the_list_shows_all_but_the_secret() {
    let site = Site::new(TWO_NAS);
    let minted = text(&token(&site, &["--name", "ops", "--role", "operator", "--expires", "90d"]).stdout).to_owned();
    fs::write(site.path("state/tokens"), {
        let kept = fs::read_to_string(site.path("state/tokens")).unwrap();
        format!("v1 old operator {}\n{kept}", blake3::hash(b"lapsed_of-before").to_hex())
    })
    .unwrap();
    assert_eq!(code(&token(&site, &["revoke", "ops"])), 0);
    let list = token(&site, &["list"]);
    let lines: Vec<&str> = text(&list.stdout).lines().collect();
    assert!(lines[0].starts_with("NAME  ROLE      MINTED"), "{lines:?}");
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["old", "operator", "-", "-", "-"]);
    let listed = token(&site, &["list", "-o", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((listed[0]["name"].as_str(), listed[1]["role"].as_str()), (Some("old"), Some("operator")));
    assert!(listed[0]["expires"].is_null() && listed[1]["expires"].is_string() && listed[1]["revoked"].is_string());
    let hash = blake3::hash(minted.trim().as_bytes()).to_hex().to_string();
    assert!(!listed.to_string().contains(&hash) && !listed.to_string().contains(minted.trim()));
    let daemon = site.start();
    assert_eq!(ask(&site, "lapsed_of-before").0, 0);
    assert!(daemon.stop().0.success());
}

#[test]
fn a_line_that_cannot_be_read_is_named_and_lets_nobody_in_by_token() {
    let site = Site::new(TWO_NAS);
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    assert_eq!(ask(&site, &operator).0, 0);
    let kept = fs::read_to_string(site.path("state/tokens")).unwrap();
    fs::write(site.path("state/tokens"), format!("{kept}revoke op")).unwrap();
    assert_eq!(ask(&site, &operator).0, 69);
    let list = token(&site, &["list"]);
    assert!(code(&list) == 1 && talk_of(&list).contains("tokens:2: not a token line"), "{list:?}");
    fs::write(site.path("state/tokens"), kept).unwrap();
    assert_eq!(ask(&site, &operator).0, 0);
    assert!(daemon.stop().1.contains("tokens:2: not a token line"));
}

#[test]
fn lifetimes_have_a_least_and_a_most() {
    let site = Site::new("");
    for expires in ["1s", "4000d", "90"] {
        let output = token(&site, &["mint", "--name", "ops", "--role", "operator", "--expires", expires]);
        assert_eq!(code(&output), 2, "{output:?}");
    }
    assert_eq!(code(&token(&site, &[])), 2);
}
