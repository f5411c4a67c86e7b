//! `POST /v1/events` with the real daemon: every line answered in order once it is durable, whatever stands in it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]

mod random;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use lapsed::domain::verdict::Verdict;

use random::Random;
use support::stream::{Stream, address, exchange, start, subscriber};
use support::{Daemon, Site, TWO_NAS, ago};

const NETWORKS: &str = "[[network]]\nprefix = \"2001:db8::/32\"\n[[network]]\nprefix = \"192.0.2.0/24\"\n[[network]]\n\
                        prefix = \"203.0.113.0/24\"\nsources = [\"bng-north\"]\n[[stream]]\nname = \"slow-1\"\nmax-delay = \"5m\"\n";

/// A daemon, and the tokens of a source and an analyst.
fn site() -> (Site, Daemon, String, String) {
    let site = Site::new(&format!("{TWO_NAS}{NETWORKS}"));
    let (source, analyst) = (site.token("stream-1", "source"), site.token("desk-1", "analyst"));
    let daemon = site.start();
    (site, daemon, source, analyst)
}

fn kept(line: u64) -> String {
    format!("{{\"line\":{line},\"ok\":true}}\n")
}

#[test]
fn events_are_answered_in_order_and_found() {
    let (site, daemon, source, analyst) = site();
    let at = ago(600);
    let body: String = (1..=1000).map(|number| start(number, at) + "\n").collect();
    let answers = exchange(&site.path("api.sock"), &source, body.as_bytes());
    assert_eq!(answers, (1..=1000).map(kept).collect::<Vec<_>>());
    for number in [1, 64, 65, 1000] {
        let (exit, answer) = site.lookup(&analyst, &address(number), at.plus(Duration::from_secs(200)));
        assert_eq!((exit, answer.verdict, answer.subscriber), (0, Verdict::Attributed, Some(subscriber(number))));
        assert_eq!(answer.sources, ["stream-1"]);
    }
    // A stream that names no NAS speaks as itself.
    assert!(daemon.stop().0.success());
    assert_eq!(site.records_of(&subscriber(64)).remove(0).nas.0, "stream-1");
}

#[test]
fn every_line_has_its_own_answer_and_a_bad_one_disturbs_no_other() {
    let (site, _daemon, source, analyst) = site();
    let at = ago(600);
    let huge = "x".repeat(10 << 20);
    let old = ago(7200);
    let lines = [
        (start(1, at), "\"ok\":true}"),
        ("{\"kind\":".to_owned(), "the line ends in the middle of its JSON"),
        (String::new(), "the line is empty"),
        (huge, "the line is longer than 65536 bytes"),
        (start(2, at).replace("start", "begin"), "kind: expected"),
        (start(2, at).replace("s-2", "s\\u00002"), "session: it has a control character"),
        (start(2, at).replace("}", ",\"octets\":7}"), "unknown field `octets`"),
        (start(2, at).replace("}", ",\"kind\":\"stop\"}"), "kind: it comes twice"),
        ("[".repeat(60_000), "JSON"),
        (start(2, at).replace(&address(2), "198.51.100.7"), "not-ours: the address lies in no configured network"),
        (start(2, at).replace(&address(2), "203.0.113.7"), "foreign-source: "),
        (start(2, old), "\"ok\":true,\"note\":\"expired-on-arrival\"}"),
        (r#"{"kind":"logon","subscriber":"alice"}"#.to_owned(), "\"ok\":true}"),
        (r#"{"kind":"decline","address":"192.0.2.9"}"#.to_owned(), "\"ok\":true}"),
        (r#"{"kind":"reset","nas":"dhcp-1"}"#.to_owned(), "\"ok\":true}"),
        (start(3, at), "\"ok\":true}"),
    ];
    let body: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    // The last line has no line feed, and is one all the same.
    let answers = exchange(&site.path("api.sock"), &source, body.trim_end().as_bytes());
    assert_eq!(answers.len(), lines.len());
    for ((number, answer), (_, part)) in (1..).zip(&answers).zip(&lines) {
        let ok = part.starts_with("\"ok\":true");
        assert!(
            answer.starts_with(&format!("{{\"line\":{number},\"ok\":{ok}")) && answer.contains(part),
            "{answer}{part}"
        );
    }
    let bad = exchange(&site.path("api.sock"), &source, b"\xff\xfe\n{\"kind\":\"logon\",\"subscriber\":\"\xc3\"}\n");
    assert!(bad.len() == 2 && bad.iter().all(|answer| answer.contains("no UTF-8")), "{bad:?}");
    assert_eq!(site.lookup(&analyst, &address(3), at.plus(Duration::from_secs(200))).0, 0);
    assert_ne!(site.lookup(&analyst, &address(2), at.plus(Duration::from_secs(200))).0, 0);
}

#[test]
fn only_a_source_may_send_and_max_delay_is_its_own() {
    let (site, _daemon, _, analyst) = site();
    for token in [analyst, site.token("ops", "operator"), site.token("judge", "approver"), site.token("aud", "auditor")]
    {
        let mut stream = Stream::open(&site.path("api.sock"), &token, "");
        let mut answers = stream.answers();
        assert!(answers.begin().starts_with("HTTP/1.1 403 "), "{}", answers.head);
        stream.end();
    }
    let mut nobody = Stream::open(&site.path("api.sock"), "made-up", "");
    nobody.end();
    assert!(nobody.answers().begin().starts_with("HTTP/1.1 401 "));
    let slow = site.token("slow-1", "source");
    let answers = exchange(&site.path("api.sock"), &slow, (start(1, ago(400)) + "\n" + &start(2, ago(200))).as_bytes());
    assert!(answers[0].contains("too-late: ") && answers[1] == kept(2), "{answers:?}");
}

#[test]
fn a_hundred_thousand_duplicates_are_one_record_in_bounded_memory_and_need_not_be_read_meanwhile() {
    let (site, daemon, source, analyst) = site();
    let count: u64 = count("LAPSED_STREAM_LINES", 100_000);
    let at = ago(600);
    // What the daemon has for itself, and for one connection.
    let huge = "x".repeat(10 << 20);
    exchange(&site.path("api.sock"), &source, huge.as_bytes());
    let before = daemon.most_memory();
    let lot = (start(7, at) + "\n").repeat(1000);
    let mut stream = Stream::open(&site.path("api.sock"), &source, "");
    for _ in 0..count / 1000 {
        // Nothing is read before all is sent.
        assert!(stream.send(lot.as_bytes()));
    }
    stream.end();
    let mut answers = stream.answers();
    answers.begin();
    for number in 1..=count {
        assert_eq!(answers.line(), Some(kept(number)));
    }
    assert_eq!((answers.line(), answers.is_whole()), (None, true));
    let grown = daemon.most_memory() - before;
    assert!(grown < 96 << 10, "{grown} KiB for {count} lines");
    let (exit, answer) = site.lookup(&analyst, &address(7), at.plus(Duration::from_secs(200)));
    assert_eq!((exit, answer.sharing), (0, 1), "{answer:?}");
}

#[test]
fn a_client_that_goes_away_leaves_what_was_whole_and_no_half_a_line() {
    let (site, _daemon, source, analyst) = site();
    let at = ago(600);
    let mut stream = Stream::open(&site.path("api.sock"), &source, "?first=41");
    let mut answers = stream.answers();
    assert!(stream.send((start(1, at) + "\n" + &start(2, at)[..40]).as_bytes()));
    answers.begin();
    assert_eq!(answers.line(), Some(kept(41)));
    assert!(stream.send(&start(2, at).as_bytes()[40..]));
    stream.cut();
    assert_eq!(answers.ack(), None);
    assert_eq!(site.lookup(&analyst, &address(1), at.plus(Duration::from_secs(200))).0, 0);
    assert_ne!(site.lookup(&analyst, &address(2), at.plus(Duration::from_secs(200))).0, 0);
}

#[test]
fn a_daemon_that_stops_says_so_and_ends_the_stream() {
    let (site, daemon, source, _) = site();
    let mut stream = Stream::open(&site.path("api.sock"), &source, "");
    let mut answers = stream.answers();
    assert!(stream.send((start(1, ago(600)) + "\n").as_bytes()));
    answers.begin();
    assert_eq!(answers.line(), Some(kept(1)));
    assert!(daemon.stop().0.success());
    let last = answers.line().expect("a last line");
    assert!(
        last.starts_with("{\"problem\":{\"type\":\"/problems/unavailable\"") && last.contains("stopping"),
        "{last}"
    );
}

#[expect(clippy::disallowed_methods, reason = "how much a test sends is no setting of the daemon")]
fn count(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |count| count.parse().expect("a number"))
}

/// Sends numbered events and kills the daemon when so many are acknowledged; returns how many were.
fn send_and_kill(site: &Site, token: &str, from: u32, until: u64) -> u32 {
    let daemon = site.start();
    let at = ago(600);
    let mut stream = Stream::open(&site.path("api.sock"), token, &format!("?first={}", from + 1));
    let mut answers = stream.answers();
    let sender = thread::spawn(move || {
        let lots = (from + 1..).step_by(100).map(|first| {
            (first..first + 100).fold(String::new(), |mut lot, number| {
                let _ = writeln!(lot, "{}", start(number, at));
                lot
            })
        });
        lots.map(|lot| stream.send(lot.as_bytes())).take_while(|sent| *sent).take(2000).count()
    });
    answers.begin();
    let mut acknowledged = from;
    let mut hear = |answers: &mut support::stream::Answers| {
        let ack = answers.ack();
        if let Some(ack) = &ack {
            acknowledged += 1;
            assert!(ack.ok && ack.line == u64::from(acknowledged), "{ack:?}");
        }
        ack.is_some()
    };
    for _ in 0..until {
        assert!(hear(&mut answers));
    }
    daemon.kill();
    while hear(&mut answers) {}
    sender.join().unwrap();
    acknowledged
}

#[test]
fn what_was_acknowledged_survives_kill_9_and_the_rest_can_be_sent_again() {
    let site = Site::new(&format!("{TWO_NAS}{NETWORKS}"));
    let (source, analyst) = (site.token("stream-1", "source"), site.token("desk-1", "analyst"));
    let (mut random, mut acknowledged) = (Random(0x5eed_0001), 0);
    for _ in 0..count("LAPSED_STREAM_ROUNDS", 4) {
        // The next round begins with what this one did not see acknowledged, some of which is stored.
        acknowledged = send_and_kill(&site, &source, acknowledged, 1 + random.below(3000));
    }
    let _daemon = site.start();
    let mut api = support::api::Api::connect(&site.path("api.sock"), &analyst);
    for number in 1..=acknowledged {
        let answer = api.lookup(&address(number), ago(300));
        assert_eq!(
            (answer.verdict, answer.sharing),
            (Verdict::Attributed, 1),
            "{number} of {acknowledged}: {answer:?}"
        );
        assert_eq!(answer.subscriber, Some(subscriber(number)));
    }
}
