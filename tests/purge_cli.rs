//! `lapse purge` against a real daemon: who may, what is said, what is refused.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use serde_json::Value;

use support::{Site, TWO_NAS, code, text};

#[test]
fn each_role_sees_what_it_may_of_the_purge_and_no_more() {
    let site = Site::new(TWO_NAS);
    let tokens: Vec<_> = ["operator", "auditor", "approver", "analyst"]
        .map(|role| (role, site.token(&format!("one-{role}"), role)))
        .into_iter()
        .collect();
    let _daemon = site.start();
    for (role, token) in &tokens {
        for (arguments, allowed) in [
            (["purge", "status"].as_slice(), ["operator", "auditor", "approver"].as_slice()),
            (&["purge", "report", "list"], &["operator", "auditor", "approver"]),
            (&["purge", "plan"], &["operator", "auditor"]),
        ] {
            let output = site.lapse(Some(token), arguments);
            let expected = if allowed.contains(role) { 0 } else { 4 };
            assert_eq!(code(&output), expected, "{role} {arguments:?}: {output:?}");
        }
        let output = site.lapse(Some(token), &["purge", "window", "24h", "--confirm", "24h"]);
        assert_eq!(code(&output) == 4, *role != "operator", "{role}: {output:?}");
    }
}

#[test]
fn the_status_and_the_plan_are_for_people_and_for_programs() {
    let site = Site::new(TWO_NAS);
    let token = site.token("op-1", "operator");
    let _daemon = site.start();
    let json = |arguments: &[&str]| -> Value {
        let output = site.lapse(Some(&token), arguments);
        assert_eq!(code(&output), 0, "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let status = json(&["purge", "status", "-o", "json"]);
    assert!(status["cutoff"].is_string() && status["lag-ms"].is_u64() && status["reports"].is_u64(), "{status}");
    let plan = json(&["purge", "plan", "-o", "json"]);
    assert!(plan["change"].is_null() && plan["window-ms"] == status["window-ms"], "{plan}");
    let sheet = site.lapse(Some(&token), &["purge", "status"]);
    assert!(text(&sheet.stdout).contains("  cutoff        "), "{sheet:?}");
    let sheet = site.lapse(Some(&token), &["purge", "plan"]);
    assert!(text(&sheet.stdout).starts_with("a purge now"), "{sheet:?}");
}

#[test]
fn a_window_is_changed_only_by_naming_it_twice_and_the_plan_comes_first() {
    let site = Site::new(TWO_NAS);
    let token = site.token("op-1", "operator");
    let _daemon = site.start();
    let output = site.lapse(Some(&token), &["purge", "window", "30m"]);
    assert_eq!(code(&output), 1, "{output:?}");
    assert!(text(&output.stdout).contains("LOSE what is readable now from"), "{output:?}");
    assert!(text(&output.stderr).contains("lapse purge window 30m --confirm 30m"), "{output:?}");

    for (arguments, said) in [
        (["purge", "window", "30m", "--confirm", "1800s"].as_slice(), "letter by letter"),
        (&["purge", "window", "24"], "has no unit"),
        (&["purge", "plan", "--window", "24h&from=1"], "unknown unit"),
        (&["purge", "plan", "--window", "1s"], "window"),
        (&["purge", "report", "show", "123456"], "no purge report"),
        (&["purge", "report", "show", "first"], "invalid value"),
        (&["purge", "report", "list", "--limit", "0"], "invalid value"),
        (&["purge"], "Usage"),
    ] {
        let output = site.lapse(Some(&token), arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {output:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {output:?}");
    }
}
