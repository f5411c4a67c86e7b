//! Port blocks as NATs report them, sent by Debian's `radclient` to the real daemon and asked for with `lapse lookup`.

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fmt::Write as _;
use std::time::Duration;

use lapsed::api::LookupAnswer;
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::Verdict;

use support::radius::{SECRET, radclient};
use support::{Daemon, Site, ago, code, subpoena, talk_of, text};

/// Two NATs with the same inside addresses, and the server that says who has those of the second.
const NATS: &str = r#"
[retention]
window = "1h"
bucket = "1m"
purge-interval = "10s"
[lookup]
margin = "1s"
shared-margin = "1s"
[[radius.client]]
network = "127.0.0.1"
name = "nat-1"
secret-file = "nas.secret"
realm = "cgn-1"
[[radius.client]]
network = "127.0.0.2"
name = "nat-2"
secret-file = "nas.secret"
realm = "cgn-2"
[[radius.client]]
network = "127.0.0.3"
name = "bng-2"
secret-file = "nas.secret"
realm = "cgn-2"
[nat]
[[nat.deterministic]]
outside = "198.51.100.0/30"
inside = "10.0.0.0/26"
inside-realm = "cgn-2"
ports = 4000
"#;

struct Rig {
    site: Site,
    token: String,
    daemon: Daemon,
    began: Timestamp,
}

impl Rig {
    fn new() -> Self {
        let site = Site::new(NATS);
        let token = site.token("desk-1", "analyst");
        let daemon = site.start();
        Self { site, token, daemon, began: ago(1800) }
    }

    fn at(&self, secs: u64) -> Timestamp {
        self.began.plus(Duration::from_secs(secs))
    }

    /// Sends what was said so many seconds after the beginning.
    fn said(&self, secs: u64, attributes: &[&str]) {
        let stamp = format!("Event-Timestamp = {}", self.at(secs).millis() / 1000);
        self.send(&[attributes, &[&stamp]].concat());
    }

    fn send(&self, lines: &[&str]) {
        let output = radclient(self.daemon.radius, "acct", SECRET, lines);
        assert_eq!(code(&output), 0, "{output:?}");
    }

    fn lookup(&self, address: &str, secs: u64, more: &[&str]) -> (i32, LookupAnswer) {
        let at = self.at(secs).to_string();
        let output = self.site.lapse(Some(&self.token), &[subpoena(address, &at).as_slice(), more].concat());
        let answer = serde_json::from_slice(&output.stdout);
        (code(&output), answer.unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(&output))))
    }

    /// Whom a lookup by port names, where it is attributed.
    fn holder(&self, address: &str, port: u16, secs: u64) -> Option<String> {
        let (exit, answer) = self.lookup(address, secs, &["--port", &port.to_string()]);
        assert_eq!(exit == 0, answer.verdict == Verdict::Attributed, "{answer:?}");
        if exit == 0 { answer.subscriber } else { None }
    }

    fn counter(&self, name: &str) -> Option<u64> {
        let operator = self.site.token("ops", "operator");
        self.site.status(&operator).counters.get(name).copied()
    }
}

const START: &str = "Acct-Status-Type = Start";
const UPDATE: &str = "Acct-Status-Type = Interim-Update";

#[test]
fn of_64_subscribers_behind_one_address_the_port_names_one_and_no_port_names_none() {
    let rig = Rig::new();
    let mut packets = String::new();
    for n in 0..64 {
        let (first, stamp) = (1024 + n * 1000, rig.at(0).millis() / 1000);
        let _ = write!(
            packets,
            "{START}\nAcct-Session-Id = \"s{n}\"\nUser-Name = \"user-{n}\"\nFramed-IP-Address = 10.0.0.{n}\n\
             Alc-Nat-Port-Range = \"192.0.2.1 {first}-{} router base\"\nEvent-Timestamp = {stamp}\n\n",
            first + 999
        );
    }
    rig.send(&[&packets]);
    for n in [0, 1, 31, 63] {
        assert_eq!(rig.holder("192.0.2.1", 1024 + n * 1000 + 999, 600), Some(format!("user-{n}")));
    }
    let (exit, answer) = rig.lookup("192.0.2.1", 600, &[]);
    assert_eq!((exit, answer.verdict, answer.sharing), (3, Verdict::Ambiguous, 64));
    assert_eq!((answer.subscriber, answer.session, answer.inside), (None, None, None));
    assert_eq!(rig.lookup("192.0.2.1", 600, &["--port", "80"]).1.verdict, Verdict::NoCoverage);
    // The inside address is found in its realm, and only there.
    let (exit, answer) = rig.lookup("10.0.0.31", 600, &["--realm", "cgn-1"]);
    assert_eq!((exit, answer.subscriber.as_deref(), answer.realm.as_str()), (0, Some("user-31"), "cgn-1"));
    assert_eq!(rig.lookup("10.0.0.31", 600, &[]).0, 6);
    assert_eq!(rig.lookup("10.0.0.31", 600, &["--realm", "cgn-2"]).0, 6);
}

#[test]
fn blocks_come_and_go_while_their_sessions_go_on_whoever_made_the_nat() {
    let rig = Rig::new();
    let alice = ["Acct-Session-Id = \"a\"", "User-Name = \"alice\""];
    let bob = ["Acct-Session-Id = \"b\"", "User-Name = \"bob\""];
    let nokia = "Alc-Nat-Port-Range = \"192.0.2.1 1024-2023,5000-5999 router base\"";
    let nokia_first = "Alc-Nat-Port-Range = \"192.0.2.1 1024-2023 router base\"";
    let (free, map) = ("Alc-Acct-Triggered-Reason = 19", "Alc-Acct-Triggered-Reason = 20");
    rig.said(0, &[[START].as_slice(), &alice, &[nokia]].concat());
    rig.said(100, &[[UPDATE].as_slice(), &alice, &[nokia_first, free]].concat());
    rig.said(200, &[[UPDATE].as_slice(), &bob, &[nokia_first, map]].concat());
    let names = |port: u16| [50, 150, 250].map(|secs| rig.holder("192.0.2.1", port, secs));
    let [alice_said, bob_said] = ["alice", "bob"].map(|name| Some(name.to_owned()));
    assert_eq!(names(1500), [alice_said.clone(), None, bob_said.clone()]);
    assert_eq!(names(5500), [alice_said.clone(), alice_said.clone(), alice_said.clone()], "freed for itself alone");

    let huawei = |update: u32| {
        let mut lines = vec!["Huawei-NAT-Public-Address = 192.0.2.2".to_owned()];
        lines.push("Huawei-NAT-Start-Port = 4096".to_owned());
        lines.push("Huawei-NAT-End-Port = 8191".to_owned());
        lines.push(format!("Huawei-NAT-Port-Range-Update = {update}"));
        lines.join("\n")
    };
    rig.said(0, &[[UPDATE].as_slice(), &alice, &[&huawei(0)]].concat());
    rig.said(100, &[[UPDATE].as_slice(), &alice, &[&huawei(1)]].concat());
    rig.said(200, &[[UPDATE].as_slice(), &bob, &[&huawei(0)]].concat());
    let names = [50, 150, 250].map(|secs| rig.holder("192.0.2.2", 8191, secs));
    assert_eq!(names, [alice_said.clone(), None, bob_said.clone()]);

    let rfc = |event: &str| {
        let range = "IP-Port-Range-Range-Start = 36864\nIP-Port-Range-Range-End = 40959";
        format!("IP-Port-Range-Ext-IPv4-Addr = 192.0.2.3\n{range}\nIP-Port-Range-Alloc = {event}")
    };
    rig.said(0, &[[UPDATE].as_slice(), &alice, &[&rfc("Allocation")]].concat());
    rig.said(100, &[[UPDATE].as_slice(), &alice, &[&rfc("Deallocation")]].concat());
    rig.said(200, &[[UPDATE].as_slice(), &bob, &[&rfc("Allocation")]].concat());
    let names = [50, 150, 250].map(|secs| rig.holder("192.0.2.3", 40000, secs));
    assert_eq!(names, [alice_said, None, bob_said]);
    assert_eq!(rig.counter("malformed-attributes"), Some(0));
}

#[test]
fn a_nat_that_knows_addresses_only_leads_to_the_subscriber_of_its_realm() {
    let rig = Rig::new();
    let [from_nat, from_bng] = ["127.0.0.2", "127.0.0.3"].map(|from| format!("Packet-Src-IP-Address = {from}"));
    // The same inside address belongs to somebody else behind the other NAT.
    let other = ["Acct-Session-Id = \"x\"", "User-Name = \"mallory\"", "Framed-IP-Address = 10.0.0.9"];
    rig.said(0, &[[START].as_slice(), &other].concat());
    let alice = ["Acct-Session-Id = \"a\"", "User-Name = \"alice\"", "Framed-IP-Address = 10.0.0.9"];
    rig.said(0, &[[START, from_bng.as_str()].as_slice(), &alice].concat());
    let nat = [
        "Acct-Session-Id = \"lsn-1\"",
        "User-Name = \"LSN44@10.0.0.9\"",
        "Framed-IP-Address = 10.0.0.9",
        "Alc-Nat-Port-Range = \"192.0.2.1 1024-2023 router base\"",
    ];
    rig.said(60, &[[START, from_nat.as_str()].as_slice(), &nat].concat());

    let (exit, answer) = rig.lookup("192.0.2.1", 600, &["--port", "1500"]);
    assert_eq!((exit, answer.subscriber.as_deref()), (0, Some("alice")), "{answer:?}");
    let inside = answer.inside.unwrap_or_else(|| unreachable!("the answer names both"));
    assert_eq!((inside.address.as_str(), inside.realm.as_str()), ("10.0.0.9", "cgn-2"));
    assert_eq!(answer.sources, ["bng-2", "nat-2"]);
    let at = rig.at(600).to_string();
    let arguments = [&subpoena("192.0.2.1", &at)[..10], &["--port", "1500"]].concat();
    let sheet = rig.site.lapse(Some(&rig.token), &arguments);
    assert!(text(&sheet.stdout).contains("inside        10.0.0.9 (realm cgn-2)"), "{}", text(&sheet.stdout));
    // The NAT's own session did not take the inside address from its holder.
    let (exit, answer) = rig.lookup("10.0.0.9", 600, &["--realm", "cgn-2"]);
    assert_eq!((exit, answer.subscriber.as_deref(), answer.until), (0, Some("alice"), None));

    // By the rule, the tenth block of the outside address is that of 10.0.0.9.
    let (exit, answer) = rig.lookup("198.51.100.0", 600, &["--port", "37024"]);
    assert_eq!((exit, answer.subscriber.as_deref()), (0, Some("alice")), "{answer:?}");
    let (exit, answer) = rig.lookup("198.51.100.0", 600, &[]);
    assert_eq!((exit, answer.verdict, answer.sharing), (3, Verdict::Ambiguous, 16));
}
