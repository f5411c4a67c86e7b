//! Lines of the event stream: what each says, what is wrong with each that says nothing, and that no bytes whatever do harm.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use lapsed::domain::address::Ports;
use lapsed::domain::event::{Event, EventKind};
use lapsed::domain::identity::{Mac, NasId};
use lapsed::domain::time::Timestamp;
use lapsed::wire::events::{Field, Line, LineError, Lines, MAX_LINE, read};
use proptest::prelude::*;

fn parse(line: &str) -> Result<Event, LineError> {
    read(line.as_bytes(), &NasId("stream-1".to_owned()))
}

fn said(line: &str) -> String {
    parse(line).unwrap_err().to_string()
}

#[test]
fn an_event_with_every_field_is_read_whole() {
    let line = r#"{"kind":"start","time":"2026-11-21T10:00:00.250+01:00","address":"203.0.113.7","ports":[1024,2047],
        "subscriber":"alice@example.net","session":"65A0-1","nas":"bng-1","mac":"2:0:5e:10:0:1","circuit-id":"olt-1/1/7",
        "remote-id":"0x0004ff","lease-until":"2026-11-21T11:00:00Z"}"#;
    let event = parse(&line.replace('\n', " ")).unwrap();
    assert_eq!(event.kind, EventKind::Start);
    assert_eq!(event.time.stamp, Some(Timestamp::from_millis(1_795_251_600_250)));
    assert_eq!(event.lease_end, Some(Timestamp::from_millis(1_795_258_800_000)));
    let [assigned] = event.assigned[..] else { unreachable!() };
    assert_eq!((assigned.network.to_string().as_str(), Some(assigned.ports)), ("203.0.113.7", Ports::new(1024, 2047)));
    assert_eq!(event.subscriber.unwrap().as_str(), "alice@example.net");
    assert_eq!((event.session.unwrap().0.as_slice(), event.nas.0.as_str()), (b"65A0-1".as_slice(), "bng-1"));
    assert_eq!(event.line.mac, Some(Mac([2, 0, 0x5e, 0x10, 0, 1])));
    assert_eq!(
        (event.line.circuit_id.unwrap().0, event.line.remote_id.unwrap().0),
        ("olt-1/1/7".into(), "0x0004ff".into())
    );
}

#[test]
fn what_may_be_absent_may_and_the_source_stands_in_for_its_nas() {
    let event = parse(r#"{"subscriber":"alice","address":"2001:db8:1::/56","kind":"update"}"#).unwrap();
    assert_eq!((event.time.stamp, event.session, event.lease_end), (None, None, None));
    assert_eq!((event.nas.0.as_str(), event.assigned[0].ports), ("stream-1", Ports::ALL));
    assert_eq!(event.assigned[0].network.to_string(), "2001:db8:1::/56");
    for (line, kind) in [
        (r#"{"kind":"stop","subscriber":"alice","address":"::ffff:203.0.113.7"}"#, EventKind::Stop),
        (r#"{"kind":"logon","subscriber":"alice"}"#, EventKind::Logon),
        (r#"{"kind":"reset","nas":"bng-1"}"#, EventKind::NasReset),
        (r#"{"kind":"decline","address":"203.0.113.7"}"#, EventKind::Vacated),
    ] {
        assert_eq!(parse(line).unwrap().kind, kind, "{line}");
    }
}

#[test]
fn each_way_to_be_wrong_has_its_words_and_names_its_field() {
    let base = r#""kind":"start","subscriber":"alice","address":"203.0.113.7""#;
    let cases = [
        ("", "the line is empty"),
        (" \r", "the line is empty"),
        ("{", "the line ends in the middle of its JSON"),
        ("{\"kind\":\"start\"", "the line ends in the middle of its JSON"),
        ("kind=start", "the line is no JSON: see column 1"),
        ("{'kind':1}", "the line is no JSON: see column 2"),
        ("[]", "the line is no JSON object"),
        ("7", "the line is no JSON object"),
        ("{}", "kind: it is missing"),
        (r#"{"kind":"begin"}"#, "kind: expected start, update, stop, logon, reset or decline"),
        (r#"{"kind":1}"#, "kind: expected a text, found a number"),
        (r#"{"kind":null}"#, "kind: expected a text, found null"),
        (r#"{"kind":"start","address":"203.0.113.7"}"#, "subscriber: it is missing, and `start` needs it"),
        (r#"{"kind":"stop","subscriber":"alice"}"#, "address: it is missing, and `stop` needs it"),
        (r#"{"kind":"decline"}"#, "address: it is missing, and `decline` needs it"),
        (r#"{"kind":"reset"}"#, "nas: it is missing, and `reset` needs it"),
        (r#"{"kind":"logon","subscriber":"a","address":"203.0.113.7"}"#, "address: `logon` has none"),
        (r#"{"kind":"logon","subscriber":"a","ports":[1,2]}"#, "ports: there is no address that they are of"),
    ];
    for (line, words) in cases {
        assert_eq!(said(line), words, "{line}");
    }
    let more = [
        (r#""octets":7"#, "unknown field `octets`"),
        (r#""Kind":"start""#, "unknown field `Kind`"),
        (r#""\u202ec":1"#, r"unknown field `\u{202e}c`"),
        (r#""kind":"stop""#, "kind: it comes twice"),
        (r#""nas":true"#, "nas: expected a text, found true or false"),
        (r#""nas":["a"]"#, "nas: expected a text, found a list"),
        (r#""nas":{"a":[{}]}"#, "nas: expected a text, found an object"),
        (r#""nas":"""#, "nas: it is empty"),
        (r#""nas":"a\u0000b""#, "nas: it has a control character; write bytes that are no text as 0x and hex"),
        (r#""session":"a\nb""#, "session: it has a control character; write bytes that are no text as 0x and hex"),
        (r#""time":"yesterday""#, "time: expected an RFC 3339 time with Z or an offset, such as 2026-11-21T10:00:00Z"),
        (
            r#""time":"2026-11-21T10:00:00""#,
            "time: expected an RFC 3339 time with Z or an offset, such as 2026-11-21T10:00:00Z",
        ),
        (r#""time":1795251600"#, "time: expected a text, found a number"),
        (r#""ports":"1024-2047""#, "ports: expected a list of two numbers, found a text"),
        (r#""ports":[2047,1024]"#, "ports: expected two whole numbers from 0 to 65535, the lower first"),
        (r#""ports":[1]"#, "ports: expected two whole numbers from 0 to 65535, the lower first"),
        (r#""ports":[1,2,3]"#, "ports: expected two whole numbers from 0 to 65535, the lower first"),
        (r#""ports":[-1,65536]"#, "ports: expected two whole numbers from 0 to 65535, the lower first"),
        (r#""ports":[0,65536]"#, "ports: expected two whole numbers from 0 to 65535, the lower first"),
        (r#""mac":"02:00:5e""#, "mac: expected six octets in hex, such as 02:00:5e:10:00:01"),
    ];
    for (member, words) in more {
        assert_eq!(said(&format!("{{{base},{member}}}")), words, "{member}");
    }
    let long = "x".repeat(254);
    assert_eq!(said(&format!("{{{base},\"session\":\"{long}\"}}")), "session: it is longer than 253 bytes");
    assert_eq!(said(&format!("{{{base},\"{long}\":1}}")), format!("unknown field `{}`", "x".repeat(64)));
    assert_eq!(said(&format!("{{{base},\"nas\":\"a\tb\"}}")), "the line is no JSON: see column 70");
}

#[test]
fn only_what_can_be_assigned_is_an_address() {
    for (address, words) in [
        ("203.0.113.256", "address: expected an IPv4 or IPv6 address, or a prefix such as 2001:db8:1::/56"),
        ("203.0.113.7/33", "address: expected an IPv4 or IPv6 address, or a prefix such as 2001:db8:1::/56"),
        ("host.example", "address: expected an IPv4 or IPv6 address, or a prefix such as 2001:db8:1::/56"),
        ("203.0.113.7/24", "address: the prefix has bits below its length"),
        ("0.0.0.0", "address: nobody can hold this address"),
        ("0.0.0.0/0", "address: nobody can hold this address"),
        ("255.255.255.255", "address: nobody can hold this address"),
        ("224.0.0.1", "address: nobody can hold this address"),
        ("127.0.0.1", "address: nobody can hold this address"),
        ("::/0", "address: nobody can hold this address"),
        ("ff02::1", "address: nobody can hold this address"),
    ] {
        let line = format!(r#"{{"kind":"start","subscriber":"a","address":"{address}"}}"#);
        assert_eq!(said(&line), words, "{address}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_and_nesting_bombs_are_errors_of_one_line() {
    assert_eq!(read(b"{\"kind\":\"\xff\"}", &NasId(String::new())), Err(LineError::NotUtf8 { at: 10 }));
    for bomb in ["[".repeat(MAX_LINE), format!("{{\"nas\":{}", "[".repeat(60_000)), "{\"a\":".repeat(12_000)] {
        assert!(parse(&bomb).is_err());
    }
    let closed = format!("{{\"kind\":\"reset\",\"nas\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let error = parse(&closed).unwrap_err();
    assert_eq!(error, LineError::WrongType { field: Field::Nas, expected: "a text", found: "a list" });
    assert!(parse(&format!("{{\"ports\":[{}]}}", "1e999,".repeat(1000))).is_err());
}

#[test]
fn no_error_repeats_a_value() {
    let secret = "canary-7f3a";
    for field in Field::ALL {
        for value in [format!("\"{secret}\\u0007\""), format!("[\"{secret}\"]"), format!("\"{secret}")] {
            let line = format!("{{\"{field}\":{value}}}");
            let error = parse(&line).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(secret), "{line}: {error:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_lines_and_every_line_an_event_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        size in 1_usize..64,
    ) {
        let nas = NasId("stream-1".to_owned());
        let (mut lines, mut count) = (Lines::default(), 0);
        for mut piece in bytes.chunks(size) {
            while let Some(line) = lines.next(&mut piece) {
                count += 1;
                if let Line::Whole(line) = line {
                    let _ = read(line, &nas).map_err(|error| error.to_string());
                }
            }
        }
        prop_assert_eq!(count, bytes.iter().filter(|byte| **byte == b'\n').count());
    }

    #[test]
    fn almost_events_are_events_or_errors(
        line in r#"\{("(kind|time|address|ports|mac|nas|subscriber|x)":("(start|stop|é|\\u0000|203\.0\.113\.7|)"|[0-9]{1,22}|\[1,[0-9]{1,6}\]|null|\{\}|-1e9),?){0,6}\}?"#,
    ) {
        let _ = parse(&line).map_err(|error| error.to_string());
    }
}
