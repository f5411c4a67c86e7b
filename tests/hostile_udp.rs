//! Datagrams that nobody should answer, retransmissions, and the good requests between them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use lapsed::domain::verdict::Verdict;
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::attribute::AttributeType;
use lapsed::wire::radius::client::RequestBuilder;

use support::radius::{Nas, SECRET, acknowledged, request, signed};
use support::{Daemon, Site, TWO_NAS, ago, code, talk_of, text};

/// A start of session `n`, which has the address 192.0.2.n.
fn start(identifier: u8, n: u8) -> RequestBuilder {
    request(identifier, StatusType::Start, &format!("session-{n}"), ago(600))
        .user_name(&format!("subscriber-{n}"))
        .framed_ip([192, 0, 2, n].into())
}

/// Lets a good request follow what was sent before: its answer must be the first to come.
fn assert_silent_before(nas: &Nas, n: u8) {
    nas.ask(&signed(start(n, n)));
}

/// What was counted of datagrams that are not answered, without what was counted never.
fn silent(site: &Site, operator: &str) -> BTreeMap<String, u64> {
    let of_silence = |name: &String| name == "unknown-client" || name.starts_with("silent/");
    site.status(operator).counters.into_iter().filter(|(name, count)| of_silence(name) && *count > 0).collect()
}

fn site() -> (Site, Daemon, String) {
    let site = Site::new(TWO_NAS);
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    (site, daemon, operator)
}

/// Every way not to be answered, with the name it is counted under.
fn unwelcome() -> Vec<(&'static str, Vec<u8>)> {
    let good = signed(start(1, 1));
    let with = |place: usize, byte: u8| {
        let mut changed = good.clone();
        changed[place] = byte;
        changed
    };
    let length = u16::try_from(good.len()).unwrap();
    let with_length = |length: u16| [&good[..2], &length.to_be_bytes(), &good[4..]].concat();
    let status = RequestBuilder::status_server(1, [7; 16]);
    let bare_status = [&[12, 1, 0, 20], [7; 16].as_slice()].concat();
    vec![
        ("bad-authenticator", start(1, 1).sign(b"another secret").unwrap()),
        ("bad-authenticator", with(good.len() - 1, 0xff)),
        ("bad-authenticator", with(1, 2)),
        ("bad-length", Vec::new()),
        ("bad-length", good[..1].to_vec()),
        ("bad-length", good[..19].to_vec()),
        ("bad-length", good[..good.len() - 1].to_vec()),
        ("bad-length", with_length(length + 1)),
        ("bad-length", with_length(19)),
        ("bad-length", with_length(0)),
        ("bad-length", with_length(u16::MAX)),
        ("bad-length", vec![0xff; 64]),
        ("bad-attribute", with(21, 1)),
        ("bad-attribute", with(21, 0xff)),
        ("bad-attribute", [with_length(length + 1), vec![25]].concat()),
        ("unexpected-code", with(0, 1)),
        ("unexpected-code", with(0, 5)),
        ("bad-message-authenticator", signed(start(1, 1).attribute(AttributeType::MESSAGE_AUTHENTICATOR, &[0; 16]))),
        ("bad-message-authenticator", status.sign(b"another secret").unwrap()),
        ("missing-message-authenticator", bare_status),
    ]
}

#[test]
fn every_unwelcome_datagram_meets_silence_and_is_counted_under_its_reason() {
    let (site, daemon, operator) = site();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let mut expected = BTreeMap::new();
    for (n, (reason, datagram)) in (10..).zip(unwelcome()) {
        nas.send(&datagram);
        assert_silent_before(&nas, n);
        *expected.entry(format!("silent/{reason}")).or_default() += 1;
        assert_eq!(silent(&site, &operator), expected, "datagram {n}");
    }
    assert!(nas.arrived().is_empty());
    let counters = site.status(&operator).counters;
    let sent: u64 = expected.values().sum();
    assert_eq!((counters["received"], counters["acknowledged"], counters["records"]), (2 * sent, sent, sent));
}

#[test]
fn a_stranger_is_counted_and_hears_nothing_whatever_it_sends() {
    let (site, daemon, operator) = site();
    let stranger = Nas::at("127.0.0.3", daemon.radius);
    let nas = Nas::at("127.0.0.1", daemon.radius);
    stranger.send(&signed(start(1, 1)));
    stranger.send(&RequestBuilder::status_server(2, [7; 16]).sign(SECRET.as_bytes()).unwrap());
    stranger.send(b"anybody there?");
    assert_silent_before(&nas, 2);
    assert!(stranger.arrived().is_empty());
    assert_eq!(silent(&site, &operator), BTreeMap::from([("unknown-client".to_owned(), 3)]));
}

#[test]
fn octets_after_the_length_are_padding_and_a_valid_message_authenticator_is_welcome() {
    let (site, daemon, operator) = site();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    nas.ask(&[signed(start(1, 1)), vec![0; 30]].concat());
    nas.ask(&[signed(start(2, 2)), b"neither zeros nor attributes".to_vec()].concat());
    nas.ask(&signed(start(3, 3).message_authenticator()));
    // More than the longest packet: the rest of the datagram was padding too.
    nas.ask(&[signed(start(4, 4)), vec![0; 5000]].concat());
    assert_eq!(silent(&site, &operator), BTreeMap::new());
    assert_eq!(site.status(&operator).counters["records"], 4);
}

#[test]
fn a_retransmission_gets_the_same_reply_and_is_stored_once() {
    let (site, daemon, operator) = site();
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let datagram = signed(start(7, 7).attribute(AttributeType::PROXY_STATE, b"\x01\x02"));
    let reply = nas.ask(&datagram);
    assert_eq!(nas.ask(&datagram), reply);
    assert_eq!(nas.ask(&datagram), reply);
    let counters = site.status(&operator).counters;
    assert_eq!((counters["retransmitted"], counters["acknowledged"], counters["records"]), (2, 3, 1));
}

#[test]
fn the_same_event_under_another_identifier_is_one_session_all_the_same() {
    let (site, daemon, operator) = site();
    let analyst = site.token("desk-1", "analyst");
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let at = ago(600);
    let event = |identifier| {
        let start = request(identifier, StatusType::Start, "session-9", at);
        signed(start.user_name("subscriber-9").framed_ip([192, 0, 2, 9].into()))
    };
    let first = nas.ask(&event(1));
    // A spool sends an event again with a new identifier, and so with a new authenticator.
    let second = nas.ask(&event(2));
    assert_ne!(first, second);
    assert_eq!(acknowledged(&second, &event(1)), None);
    assert_eq!(site.status(&operator).counters["records"], 2);
    let (exit, answer) = site.lookup(&analyst, "192.0.2.9", at.plus(Duration::from_secs(300)));
    assert_eq!((exit, answer.verdict, answer.sharing), (0, Verdict::Attributed, 1), "{answer:?}");
    assert_eq!(answer.since.unwrap().time, at.to_string());
}

#[test]
fn what_is_of_no_use_is_acknowledged_and_counted_so_that_no_spool_stalls_on_it() {
    let ours = "[[network]]\nprefix = \"192.0.2.0/24\"\nsources = [\"bng-north\"]\n";
    let site = Site::new(&format!("{TWO_NAS}{ours}"));
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    let (north, south) = (Nas::at("127.0.0.1", daemon.radius), Nas::at("127.0.0.2", daemon.radius));
    let elsewhere = request(1, StatusType::Start, "a", ago(600)).framed_ip([203, 0, 113, 1].into());
    north.ask(&signed(elsewhere));
    south.ask(&signed(start(2, 2)));
    north.ask(&signed(request(3, StatusType::InterimUpdate, "a", ago(600))));
    north.ask(&signed(RequestBuilder::accounting(4).session(b"a")));
    north.ask(&signed(RequestBuilder::accounting(5).attribute(AttributeType::ACCT_STATUS_TYPE, &[0, 0, 0, 9])));
    north.ask(&signed(RequestBuilder::accounting(6).status(StatusType::Start).framed_ip([192, 0, 2, 1].into())));
    north.ask(&signed(request(7, StatusType::Start, "a", ago(3700)).framed_ip([192, 0, 2, 1].into())));
    let counters = site.status(&operator).counters;
    for reason in ["not-ours", "foreign-source", "no-address", "no-status-type", "other-status-type", "no-session"] {
        assert_eq!(counters[&format!("quarantined/{reason}")], 1, "{reason}");
    }
    assert_eq!((counters["expired-on-arrival"], counters["acknowledged"], counters["records"]), (1, 7, 0));
}

#[test]
fn text_from_the_network_cannot_steer_a_terminal() {
    let (site, daemon, _) = site();
    let analyst = site.token("desk-1", "analyst");
    let nas = Nas::at("127.0.0.1", daemon.radius);
    let forged = "eve\u{9b}31m\u{202e}\u{7f}é";
    let start = request(1, StatusType::Start, "\x1b]0;owned\x07", ago(600)).user_name(forged);
    nas.ask(&signed(
        start.framed_ip([192, 0, 2, 66].into()).circuit_id(b"\x1b[2J").nas_identifier("nas\r\nfake: line"),
    ));
    let at = ago(300).to_string();
    let arguments = support::subpoena("192.0.2.66", &at);
    let output = site.lapse(Some(&analyst), &arguments[..arguments.len() - 2]);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    let steers = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
    let printed = text(&output.stdout);
    assert_eq!(printed.chars().find(steers), None, "{printed:?}");
    assert!(!printed.lines().any(|line| line.trim_start().starts_with("fake:")), "{printed}");
}
