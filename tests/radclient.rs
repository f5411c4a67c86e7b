//! Accounting by Debian's `radclient`, as FreeRADIUS encodes it: acknowledged, and found again by a lookup.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::process::Output;

use lapsed::domain::session::Evidence;
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::{Caution, Verdict};

use support::radius::{SECRET, radclient};
use support::{Daemon, Site, TWO_NAS, ago, code, text};

/// Sends one accounting request to the daemon and says whether it was answered.
fn account(daemon: &Daemon, attributes: &[&str]) -> bool {
    answered(&radclient(daemon.radius, "acct", SECRET, attributes))
}

fn answered(output: &Output) -> bool {
    let answered = text(&output.stdout).contains("Received Accounting-Response");
    assert_eq!(answered, code(output) == 0, "{output:?}");
    answered
}

fn stamp(at: Timestamp) -> String {
    format!("Event-Timestamp = {}", at.millis() / 1000)
}

/// The attributes of one statement about 192.0.2.7.
fn statement<'a>(status: &'a str, session: &'a str, user: &'a str, stamp: &'a str) -> Vec<&'a str> {
    vec![status, session, user, stamp, "Framed-IP-Address = 192.0.2.7", "NAS-Identifier = \"bng-north.example\""]
}

#[test]
fn a_session_from_start_to_stop_is_acknowledged_and_found_with_both_its_ends() {
    let site = Site::new(TWO_NAS);
    let token = site.token("desk-1", "analyst");
    let daemon = site.start();
    let began = ago(1800);
    let at = |secs| began.plus(std::time::Duration::from_secs(secs));
    let (session, user) = ("Acct-Session-Id = \"65A0-1\"", "User-Name = \"alice@isp.example\"");
    for (status, secs) in [("Start", 0), ("Interim-Update", 300), ("Stop", 600)] {
        let (status, stamp) = (format!("Acct-Status-Type = {status}"), stamp(at(secs)));
        assert!(account(&daemon, &statement(&status, session, user, &stamp)), "{status}");
    }
    // The next holder of the address, on another NAS.
    let next = [
        "Packet-Src-IP-Address = 127.0.0.2",
        "Acct-Status-Type = Start",
        "Acct-Session-Id = \"B7-1\"",
        "User-Name = \"bob@isp.example\"",
        "Framed-IP-Address = 192.0.2.7",
        "Calling-Station-Id = \"02-00-5E-10-00-01\"",
        "ADSL-Agent-Circuit-Id = \"olt-7/3/41\"",
        &stamp(at(900)),
    ];
    assert!(account(&daemon, &next));

    let (exit, answer) = site.lookup(&token, "192.0.2.7", at(301));
    assert_eq!((exit, answer.verdict), (0, Verdict::Attributed), "{answer:?}");
    assert_eq!(answer.subscriber.as_deref(), Some("alice@isp.example"));
    assert_eq!(answer.sources, ["bng-north"]);
    let (since, until) = (answer.since.unwrap(), answer.until.unwrap());
    assert_eq!((since.time, since.evidence, since.distance), (at(0).to_string(), Evidence::Observed, 301));
    assert_eq!((until.time, until.evidence, until.distance), (at(600).to_string(), Evidence::Observed, 299));
    assert_eq!((answer.heard.before, answer.heard.after), (Some(1), Some(299)));

    let (exit, answer) = site.lookup(&token, "192.0.2.7", at(590));
    assert_eq!((exit, answer.verdict), (3, Verdict::Uncertain));
    assert_eq!(
        (answer.subscriber.as_deref(), answer.cautions.first()),
        (Some("alice@isp.example"), Some(&Caution::NearBoundary))
    );

    // That nobody holds it any more is evidence only once its source has spoken of a later instant.
    assert_eq!(site.lookup(&token, "192.0.2.7", at(750)).1.verdict, Verdict::NoCoverage);
    let other = ["Acct-Status-Type = Start", "Acct-Session-Id = \"65A0-2\"", "Framed-IP-Address = 192.0.2.70"];
    assert!(account(&daemon, &[other.as_slice(), &[stamp(at(1000)).as_str()]].concat()));
    let (exit, answer) = site.lookup(&token, "192.0.2.7", at(750));
    assert_eq!((exit, answer.verdict, answer.subscriber), (1, Verdict::Unassigned, None));

    let (exit, answer) = site.lookup(&token, "192.0.2.7", at(1000));
    assert_eq!((exit, answer.verdict), (0, Verdict::Attributed), "{answer:?}");
    assert_eq!(answer.subscriber.as_deref(), Some("bob@isp.example"));
    assert_eq!(answer.sources, ["bng-south"]);
    assert_eq!((answer.since.unwrap().time, answer.until), (at(900).to_string(), None));
    // A subpoena does not reach the line, though it is known.
    assert_eq!((answer.nas, answer.line), (None, None));

    let (exit, answer) = site.lookup(&token, "192.0.2.8", at(301));
    assert_eq!((exit, answer.verdict, answer.subscriber), (6, Verdict::NoCoverage, None));

    assert!(daemon.stop().0.success());
    assert!(site.records_of("alice@isp.example").iter().all(|record| record.nas.0 == "bng-north.example"));
    let bob = site.records_of("bob@isp.example").remove(0);
    let (mac, circuit_id) = (bob.line.mac.unwrap().to_string(), bob.line.circuit_id.unwrap());
    assert_eq!((mac.as_str(), circuit_id.as_str()), ("02:00:5e:10:00:01", "olt-7/3/41"));
    assert_eq!(bob.nas.0, "127.0.0.2");
}

#[test]
fn every_address_and_prefix_of_one_packet_is_found_by_an_address_inside_it() {
    let site = Site::new(TWO_NAS);
    let token = site.token("desk-1", "analyst");
    let daemon = site.start();
    let dual_stack = [
        "Acct-Status-Type = Start",
        "Acct-Session-Id = \"65A0-6\"",
        "User-Name = \"carol@isp.example\"",
        "Framed-IP-Address = 198.51.100.6",
        "Framed-IPv6-Prefix = 2001:db8:1:2::/64",
        "Delegated-IPv6-Prefix = 2001:db8:ff00::/56",
        "Framed-IPv6-Address = 2001:db8:aaaa::5",
        &stamp(ago(600)),
    ];
    assert!(account(&daemon, &dual_stack));
    for (address, assigned) in [
        ("198.51.100.6", "198.51.100.6"),
        ("2001:db8:1:2:a:b:c:d", "2001:db8:1:2::/64"),
        ("2001:db8:ff00:ff::1", "2001:db8:ff00::/56"),
        ("2001:db8:aaaa::5", "2001:db8:aaaa::5"),
    ] {
        let (exit, answer) = site.lookup(&token, address, ago(300));
        assert_eq!((exit, answer.subscriber.as_deref()), (0, Some("carol@isp.example")), "{address}: {answer:?}");
        assert_eq!(answer.assigned.as_deref(), Some(assigned));
    }
    for outside in ["2001:db8:1:3::1", "2001:db8:ff00:100::1", "2001:db8:aaaa::6", "198.51.100.7"] {
        assert_eq!(site.lookup(&token, outside, ago(300)).0, 6, "{outside}");
    }
}

#[test]
fn a_stranger_and_a_wrong_secret_get_no_answer_and_are_counted() {
    let site = Site::new(TWO_NAS);
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("ops", "operator"));
    let daemon = site.start();
    let stamp = stamp(ago(600));
    let packet = statement("Acct-Status-Type = Start", "Acct-Session-Id = \"x\"", "User-Name = \"mallory\"", &stamp);
    let from_elsewhere = [["Packet-Src-IP-Address = 127.0.0.3"].as_slice(), &packet].concat();
    assert!(!account(&daemon, &from_elsewhere));
    assert!(!answered(&radclient(daemon.radius, "acct", "another secret", &packet)));
    let counters = site.status(&operator).counters;
    assert_eq!((counters["unknown-client"], counters["silent/bad-authenticator"]), (1, 1));
    assert_eq!((counters["received"], counters["acknowledged"], counters["records"]), (2, 0, 0));
    assert_eq!(site.lookup(&analyst, "192.0.2.7", ago(300)).0, 6);
}

#[test]
fn a_status_server_request_is_answered_while_the_store_takes_events() {
    let site = Site::new(TWO_NAS);
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    assert!(answered(&radclient(daemon.radius, "status", SECRET, &["Message-Authenticator = 0x00"])));
    assert!(!answered(&radclient(daemon.radius, "status", "another secret", &["Message-Authenticator = 0x00"])));
    let status = site.status(&operator);
    assert!(status.accepting);
    assert_eq!(status.counters["status-server"], 1);
    assert_eq!(status.counters["silent/bad-message-authenticator"], 1);
}

#[test]
fn a_reply_carries_every_proxy_state_in_its_order_and_nothing_else() {
    let site = Site::new(TWO_NAS);
    let daemon = site.start();
    let stamp = stamp(ago(600));
    let packet = statement("Acct-Status-Type = Start", "Acct-Session-Id = \"x\"", "User-Name = \"alice\"", &stamp);
    let proxied = [packet.as_slice(), &["Proxy-State = 0x0102", "Proxy-State = 0xff"]].concat();
    let output = radclient(daemon.radius, "acct", SECRET, &proxied);
    assert!(answered(&output));
    let reply = text(&output.stdout).split("Received ").nth(1).unwrap();
    let states: Vec<_> = reply.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(states, ["Proxy-State = 0x0102", "Proxy-State = 0xff"]);
}

#[test]
fn an_event_without_a_time_of_its_own_is_dated_to_its_arrival() {
    let site = Site::new(&format!("{TWO_NAS}[lookup]\nmargin = \"0s\"\n"));
    let token = site.token("desk-1", "analyst");
    let daemon = site.start();
    let packet = [
        "Acct-Status-Type = Start",
        "Acct-Session-Id = \"x\"",
        "User-Name = \"dave\"",
        "Framed-IP-Address = 192.0.2.9",
    ];
    // Whatever the daemon did before must not make the event older than its arrival.
    let before = now();
    assert!(account(&daemon, &packet));
    let after = now();
    let (exit, answer) = site.lookup(&token, "192.0.2.9", after);
    assert_eq!((exit, answer.subscriber.as_deref()), (0, Some("dave")), "{answer:?}");
    let since = answer.since.unwrap().time;
    assert!((before.to_string()..=after.to_string()).contains(&since), "{before} {since} {after}");
}

fn now() -> Timestamp {
    use lapsed::clock::{Clock as _, SystemClock};
    SystemClock.now()
}
