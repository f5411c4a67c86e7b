//! Whole packets as sources send them, octet by octet, with the event each states and the reply each gets.
//!
//! The authenticators were computed by another implementation of MD5 and HMAC (Python's), not by the code under test.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::net::IpAddr;
use std::time::Duration;

use lapsed::domain::address::Network;
use lapsed::domain::event::{Assigned, Event, EventKind, EventTime, Quarantine};
use lapsed::domain::identity::{CircuitId, Line, Mac, NasId, NasPort, RemoteId, SessionId, SubscriberId};
use lapsed::domain::selection::{Kept, Selection, SubscriberFrom};
use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::client::verify_reply;
use lapsed::wire::radius::request::{Request, RequestKind, Silent};

const SECRET: &[u8] = b"made-up secret";
/// The secret of the examples in RFC 5997, section 6.
const RFC_SECRET: &[u8] = b"xyzzy5461";
/// 2026-11-21T21:03:22Z, the Event-Timestamp of all packets here.
const STAMP: u32 = 1_795_295_002;

/// A dual-stack Start, forwarded by two proxies, with a Message-Authenticator.
const START: &str = "
04 07 00 dd | Accounting-Request, identifier 7, 221 octets
b2 e2 23 c8 ee 73 7a bd 4b f0 f8 17 e6 89 f0 bf | Request Authenticator
28 06 00 00 00 01 | Acct-Status-Type: Start
2c 0a 38 46 33 41 30 30 30 31 | Acct-Session-Id
01 13 61 6c 69 63 65 40 69 73 70 2e 65 78 61 6d 70 6c 65 | User-Name
04 06 c0 00 02 01 | NAS-IP-Address
20 07 62 6e 67 2d 31 | NAS-Identifier
05 06 00 00 04 d2 | NAS-Port
57 11 65 74 68 20 31 2f 31 2f 34 3a 31 30 30 2e 37 | NAS-Port-Id
1e 07 66 69 62 72 65 | Called-Station-Id: not read
1f 13 30 32 2d 30 30 2d 35 45 2d 31 30 2d 30 30 2d 30 31 | Calling-Station-Id
1a 1d 00 00 0d e9 | Vendor-Specific: 3561
01 0f 6f 6c 74 2d 33 20 65 74 68 20 30 2f 35 | Agent-Circuit-Id
02 08 00 06 53 00 42 17 | Agent-Remote-Id
21 04 31 32 | Proxy-State
08 06 c6 33 64 07 | Framed-IP-Address
61 0c 00 40 20 01 0d b8 00 07 00 00 | Framed-IPv6-Prefix, cut to what a /64 needs
7b 14 00 38 20 01 0d b8 aa 00 11 00 00 00 00 00 00 00 00 00 | Delegated-IPv6-Prefix
2a 06 00 00 00 63 | Acct-Input-Octets: not read
50 12 6a e2 cf f8 a7 e0 7d 59 30 74 13 90 52 15 66 08 | Message-Authenticator
37 06 6b 02 07 1a | Event-Timestamp
21 03 ff | Proxy-State
";

/// What acknowledges [`START`].
const START_REPLY: &str = "
05 07 00 1b | Accounting-Response, identifier 7, 27 octets
30 e5 7c fe 06 59 c5 fd 37 29 dd 5e 76 2a 85 b8 | Response Authenticator
21 04 31 32 | Proxy-State
21 03 ff | Proxy-State
";

/// An Interim-Update of a NAS that does not name itself, with several addresses, a negative delay and padding.
const INTERIM: &str = "
04 08 00 6b | Accounting-Request, identifier 8, 107 octets
00 ed 2f c3 e0 e6 64 1e 07 32 5c e3 40 e1 36 08 | Request Authenticator
28 06 00 00 00 03 | Acct-Status-Type: Interim-Update
2c 0a 38 46 33 41 30 30 30 31 | Acct-Session-Id
19 05 00 ff 10 | Class: binary
29 06 ff ff ff a7 | Acct-Delay-Time: -89 s, as FreeRADIUS forwards it
08 06 c6 33 64 07 | Framed-IP-Address
08 06 ff ff ff fe | Framed-IP-Address: an instruction
08 06 c6 33 64 08 | Framed-IP-Address
a8 12 20 01 0d b8 00 08 00 00 00 00 00 00 00 00 00 09 | Framed-IPv6-Address
61 0c 00 81 20 01 0d b8 00 07 00 00 | Framed-IPv6-Prefix: malformed
08 06 c6 33 64 07 | Framed-IP-Address, again
2e 06 00 00 0e 10 | Acct-Session-Time
00 00 00 00 00 | padding
";

/// What acknowledges [`INTERIM`].
const INTERIM_REPLY: &str = "
05 08 00 14 | Accounting-Response, identifier 8, 20 octets
e9 2c 99 ac f6 b6 b2 cb f8 67 6a bd fa f4 ef d5 | Response Authenticator
";

/// A Stop that names neither subscriber nor address.
const STOP: &str = "
04 ff 00 5c | Accounting-Request, identifier 255, 92 octets
78 86 cc c7 86 1a 1e c1 6f 92 1d 85 7b 1e 36 1b | Request Authenticator
28 06 00 00 00 02 | Acct-Status-Type: Stop
2c 0a 38 46 33 41 30 30 30 31 | Acct-Session-Id
01 02 | User-Name: empty
5f 12 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 | NAS-IPv6-Address
05 06 01 00 00 00 | NAS-Port
08 06 00 00 00 00 | Framed-IP-Address: 0.0.0.0
2e 06 00 01 51 80 | Acct-Session-Time
31 06 00 00 00 01 | Acct-Terminate-Cause: User-Request
37 06 6b 02 07 1a | Event-Timestamp
29 06 00 00 00 03 | Acct-Delay-Time
";

/// What acknowledges [`STOP`].
const STOP_REPLY: &str = "
05 ff 00 14 | Accounting-Response, identifier 255, 20 octets
32 39 c1 cb a0 ca e7 1e 60 02 f1 dd 71 09 fb 03 | Response Authenticator
";

/// An Accounting-On with a session id of zeros.
const ACCOUNTING_ON: &str = "
04 00 00 36 | Accounting-Request, identifier 0, 54 octets
64 d4 1b a6 a9 06 9b 07 21 a2 b4 bc 14 06 6c b1 | Request Authenticator
28 06 00 00 00 07 | Acct-Status-Type: Accounting-On
2c 0a 30 30 30 30 30 30 30 30 | Acct-Session-Id
04 06 c0 00 02 01 | NAS-IP-Address
31 06 00 00 00 07 | Acct-Terminate-Cause
29 06 00 00 00 00 | Acct-Delay-Time
";

/// What acknowledges [`ACCOUNTING_ON`].
const ACCOUNTING_ON_REPLY: &str = "
05 00 00 14 | Accounting-Response, identifier 0, 20 octets
92 19 fe 00 23 07 76 4c 7a 06 fd e0 e4 5c 44 43 | Response Authenticator
";

/// RFC 5997, section 6.1: a query to an authentication port.
const STATUS_6_1: &str = "
0c da 00 26 | Status-Server, identifier 218, 38 octets
8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23 | Request Authenticator
50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3 | Message-Authenticator
";

/// RFC 5997, section 6.2: a query to an accounting port.
const STATUS_6_2: &str = "
0c b3 00 26 | Status-Server, identifier 179, 38 octets
92 5f 6b 66 dd 5f ed 57 1f cb 1d b7 ad 38 82 60 | Request Authenticator
50 12 e8 d6 ea bd a9 10 87 5c d9 1f da de 26 36 78 58 | Message-Authenticator
";

/// RFC 5997, section 6.2: its reply. The first octet is printed as 02; the authenticator holds only for 05.
const STATUS_6_2_REPLY: &str = "
05 b3 00 14 | Accounting-Response, identifier 179, 20 octets
0f 6f 92 14 5f 10 7e 2f 50 4e 86 0a 48 60 66 9c | Response Authenticator
";

/// The octets of annotated hex: of each line what stands before the bar.
fn octets(text: &str) -> Vec<u8> {
    text.lines()
        .filter_map(|line| line.split_once('|'))
        .flat_map(|(hex, _)| hex.split_whitespace())
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// Where the packets come from: a dual-stack socket shows IPv4 peers as mapped addresses.
fn peer() -> IpAddr {
    "::ffff:203.0.113.9".parse().unwrap()
}

fn assigned(networks: &[&str]) -> Vec<Assigned> {
    let one = |text: &&str| Assigned::whole(Network::new(text.parse().unwrap()));
    networks.iter().map(one).collect()
}

fn session() -> Option<SessionId> {
    Some(SessionId(b"8F3A0001".to_vec()))
}

/// An event that says nothing but what every packet here says.
fn bare(kind: EventKind, nas: &str) -> Event {
    Event {
        kind,
        time: EventTime::default(),
        nas: NasId(nas.into()),
        session: None,
        session_time: None,
        assigned: Vec::new(),
        subscriber: None,
        line: Line::default(),
        terminate_cause: None,
        lease_end: None,
    }
}

/// The packet passes, states `event` with so many malformed attributes, and gets `reply`. With another secret it does
/// not pass, nor with any bit changed that is not padding.
fn assert_golden(packet: &str, reply: &str, selection: &Selection, event: &Event, flaws: u16) {
    let datagram = octets(packet);
    let request = Request::authenticate(&datagram, SECRET).unwrap();
    assert_eq!(request.kind(), RequestKind::Accounting);
    let (read, counted) = request.event(peer(), selection).unwrap();
    assert_eq!(&read, event);
    assert_eq!(counted.count(), flaws);
    assert_eq!(request.reply(SECRET), octets(reply));
    assert_eq!(verify_reply(&octets(reply), &request.authenticator(), SECRET), Ok(request.identifier()));

    assert_eq!(Request::authenticate(&datagram, b"another secret").unwrap_err(), Silent::BadAuthenticator);
    let padding =
        packet.lines().filter(|line| line.ends_with("| padding")).map(|line| octets(line).len()).sum::<usize>();
    for place in 0..datagram.len() {
        let mut changed = datagram.clone();
        *changed.get_mut(place).unwrap() ^= 1;
        let counts = place < datagram.len() - padding;
        assert_eq!(Request::authenticate(&changed, SECRET).is_err(), counts, "octet {place}");
    }
}

#[test]
fn a_dual_stack_start_names_all_it_assigned() {
    let event = Event {
        time: EventTime { stamp: Some(Timestamp::from_secs(STAMP)), delay: None },
        session: session(),
        assigned: assigned(&["198.51.100.7/32", "2001:db8:7::/64", "2001:db8:aa00:1100::/56"]),
        subscriber: Some(SubscriberId("alice@isp.example".into())),
        line: Line {
            mac: Some(Mac([0x02, 0, 0x5e, 0x10, 0, 0x01])),
            circuit_id: Some(CircuitId("olt-3 eth 0/5".into())),
            remote_id: Some(RemoteId("0x000653004217".into())),
            nas_port: Some(NasPort("eth 1/1/4:100.7".into())),
        },
        ..bare(EventKind::Start, "bng-1")
    };
    assert_golden(START, START_REPLY, &Selection::default(), &event, 0);
}

#[test]
fn a_start_says_no_more_of_the_line_than_is_kept() {
    let selection = Selection {
        subscriber: vec![SubscriberFrom::Class, SubscriberFrom::RemoteId],
        keep: Kept { mac: false, circuit_id: true, remote_id: false, nas_port: false },
    };
    let event = Event {
        time: EventTime { stamp: Some(Timestamp::from_secs(STAMP)), delay: None },
        session: session(),
        assigned: assigned(&["198.51.100.7/32", "2001:db8:7::/64", "2001:db8:aa00:1100::/56"]),
        subscriber: Some(SubscriberId("0x000653004217".into())),
        line: Line { circuit_id: Some(CircuitId("olt-3 eth 0/5".into())), ..Line::default() },
        ..bare(EventKind::Start, "bng-1")
    };
    assert_golden(START, START_REPLY, &selection, &event, 0);
}

#[test]
fn an_interim_is_read_around_its_flaws_and_padding() {
    let event = Event {
        // A negative delay is passed on as it came: what is sane is not decided on the wire.
        time: EventTime { stamp: None, delay: Some(Duration::from_secs(4_294_967_207)) },
        session: session(),
        session_time: Some(Duration::from_secs(3600)),
        assigned: assigned(&["198.51.100.7/32", "198.51.100.8/32", "2001:db8:8::9/128"]),
        subscriber: Some(SubscriberId("0x00ff10".into())),
        ..bare(EventKind::Update, "203.0.113.9")
    };
    let by_class =
        Selection { subscriber: vec![SubscriberFrom::UserName, SubscriberFrom::Class], ..Selection::default() };
    assert_golden(INTERIM, INTERIM_REPLY, &by_class, &event, 1);
}

#[test]
fn a_stop_may_name_neither_subscriber_nor_address() {
    let event = Event {
        time: EventTime { stamp: Some(Timestamp::from_secs(STAMP)), delay: Some(Duration::from_secs(3)) },
        session: session(),
        session_time: Some(Duration::from_secs(86_400)),
        line: Line { nas_port: Some(NasPort("16777216".into())), ..Line::default() },
        terminate_cause: Some(1),
        ..bare(EventKind::Stop, "2001:db8::1")
    };
    assert_golden(STOP, STOP_REPLY, &Selection::default(), &event, 0);
}

#[test]
fn an_accounting_on_is_a_reset_of_the_nas() {
    let event = Event {
        time: EventTime { stamp: None, delay: Some(Duration::ZERO) },
        ..bare(EventKind::NasReset, "192.0.2.1")
    };
    assert_golden(ACCOUNTING_ON, ACCOUNTING_ON_REPLY, &Selection::default(), &event, 0);
}

#[test]
fn the_status_requests_of_rfc_5997_pass_and_get_the_reply_that_verifies() {
    for packet in [STATUS_6_1, STATUS_6_2] {
        let datagram = octets(packet);
        let request = Request::authenticate(&datagram, RFC_SECRET).unwrap();
        assert_eq!(request.kind(), RequestKind::StatusServer);
        assert_eq!(request.event(peer(), &Selection::default()), Err(Quarantine::NoStatusType));
        assert_eq!(Request::authenticate(&datagram, SECRET).unwrap_err(), Silent::BadMessageAuthenticator);
    }
    let datagram = octets(STATUS_6_2);
    let request = Request::authenticate(&datagram, RFC_SECRET).unwrap();
    assert_eq!(request.reply(RFC_SECRET), octets(STATUS_6_2_REPLY));
    assert_eq!(verify_reply(&octets(STATUS_6_2_REPLY), &request.authenticator(), RFC_SECRET), Ok(179));
}
