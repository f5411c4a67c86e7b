//! A full evening at the desk, through the real programs: a subpoena with twelve lines comes in, is triaged, corrected, filed,
//! answered, packaged and closed.
//!
//! It is the night in which clocks are put back: 2026-11-01, 01:45 in Denver for the second time.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use lapsed::domain::address::Network;
use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::client::RequestBuilder;
use serde_json::Value;

use support::by_hand::ByHand;
use support::radius::{request, signed};
use support::snapshot::assert_snapshot;
use support::{Site, code, talk_of, text};

/// 2026-11-01T08:45:00Z: the second 01:45 of the night in Denver.
const NOW: Timestamp = Timestamp::from_millis(1_793_522_700_000);
const MINUTE: Duration = Duration::from_secs(60);
const TABLES: &str = r#"
[retention]
window = "1h"
bucket = "1m"
purge-interval = "1s"
[[radius.client]]
network = "127.0.0.1"
name = "bng-north"
secret-file = "nas.secret"
[[network]]
prefix = "192.0.2.0/24"
[[network]]
prefix = "2001:db8::/32"
[[network]]
prefix = "198.51.100.0/24"
shared = true
"#;
const PAPERS: &str = r#"
type = "subpoena"
statute = "18 USC 2703(c)(2)"
authority = "Example District Court"
agency = "Example Police Department"
officer = "Det. R. Example"
officer-contact = "+1 303 555 0100"
case = "24-CR-1022"
issued = 2026-11-01
received = 2026-11-01T01:40:00-07:00
return-by = 2026-11-10
"#;
/// Line 11 has a local time that the night has twice.
const ITEMS: &str = "line,address,port,at,zone
1a,192.0.2.7,,2026-11-01T08:20:00Z,
1b,192.0.2.8,,2026-11-01T08:10:15Z,
1c,198.51.100.9,,2026-11-01T08:20:00Z,
1d,192.0.2.7,,2026-11-01T06:45:00Z,
1e,192.0.2.20,,2026-11-01T08:25:00Z,
1f,192.0.2.99,,2026-11-01T08:20:00Z,
1g,203.0.113.7,443,2026-11-01T08:20:00Z,
1h,192.0.2.7,,2026-11-01T10:00:00Z,
1i,192.0.2.7,,2025-11-01T08:20:00Z,
1j,2001:db8:17:4200::5,,2026-11-01T08:20:00Z,
1k,192.0.2.7,,2026-11-01 01:22:00,America/Denver
1l,192.0.2.30,,2026-11-01T08:12:03Z,
";

struct Evening {
    by_hand: ByHand,
    analyst: String,
}

impl Evening {
    fn begin() -> Self {
        let site = Site::new(TABLES);
        let analyst = site.token("desk-1", "analyst");
        let evening = Self { by_hand: ByHand::start_on(site, NOW), analyst };
        let nas = evening.by_hand.nas("127.0.0.1");
        let at = |hour: u64, minute: u64, second: u64| {
            Timestamp::from_millis(1_793_491_200_000).plus(Duration::from_secs(hour * 3600 + minute * 60 + second))
        };
        let prefix = Network::around("2001:db8:17:4200::".parse().unwrap(), 56).unwrap();
        let said: Vec<RequestBuilder> = vec![
            start("s1", at(7, 50, 0)).user_name("alice@isp.example").framed_ip([192, 0, 2, 7].into()),
            start("s2", at(8, 10, 0)).user_name("bob@isp.example").framed_ip([192, 0, 2, 8].into()),
            start("s3", at(8, 0, 0)).user_name("carol@isp.example").framed_ip([198, 51, 100, 9].into()),
            start("s4", at(8, 0, 0)).user_name("dan@isp.example").framed_ip([192, 0, 2, 20].into()),
            stop("s4", at(8, 15, 0)).user_name("dan@isp.example").framed_ip([192, 0, 2, 20].into()),
            start("s5", at(8, 5, 0)).user_name("erin@isp.example").delegated_ipv6_prefix(prefix),
            start("s6", at(7, 55, 0)).user_name("frank@isp.example").framed_ip([192, 0, 2, 30].into()),
            stop("s6", at(8, 12, 0)).user_name("frank@isp.example").framed_ip([192, 0, 2, 30].into()),
            start("s7", at(8, 12, 1)).user_name("grace@isp.example").framed_ip([192, 0, 2, 30].into()),
            // The source is heard again, long after.
            start("s8", at(8, 40, 0)).user_name("heidi@isp.example").framed_ip([192, 0, 2, 40].into()),
        ];
        said.into_iter().for_each(|builder| drop(nas.ask(&signed(builder))));
        evening
    }

    fn lapse(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
        let command = command.args(arguments).env("LAPSE_TOKEN", &self.analyst).env("TZ", "America/Denver");
        let command = command.env("LAPSE_SOCKET", self.by_hand.site.path("api.sock")).env_remove("COLUMNS");
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.by_hand.site.path(name).to_str().unwrap().to_owned()
    }

    fn open(&self, items: &str) -> Output {
        self.by_hand.site.write("request.toml", PAPERS);
        self.by_hand.site.write("items.csv", items);
        self.lapse(&["request", "open", "--file", &self.path("request.toml"), "--items", &self.path("items.csv")])
    }
}

fn start(session: &str, at: Timestamp) -> RequestBuilder {
    request(session.as_bytes()[1], StatusType::Start, session, at)
}

fn stop(session: &str, at: Timestamp) -> RequestBuilder {
    request(session.as_bytes()[1] + 100, StatusType::Stop, session, at)
}

/// Random numbers and hashes, as long as they are, in stars.
fn masked(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut masked = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = rest.find(|c: char| !is_hex(c)).unwrap_or(rest.len());
        match run {
            0 => masked.push(first),
            1..16 => masked.push_str(&rest[..run]),
            _ => masked.push_str(&"*".repeat(run)),
        }
        rest = &rest[run.max(first.len_utf8())..];
    }
    masked
}

#[test]
fn twelve_lines_are_triaged_corrected_filed_answered_and_closed() {
    let evening = Evening::begin();
    evening.by_hand.site.write("items.csv", ITEMS);

    // At first sight: what dies first, and what looks like a mistake.
    let triage = evening.lapse(&["triage", &evening.path("items.csv")]);
    assert_eq!(code(&triage), 2, "one line cannot be understood");
    assert_snapshot("evening/triage.txt", text(&triage.stdout));
    assert!(talk_of(&triage).contains("line 12"), "{}", talk_of(&triage));

    // What can be read in two ways is not filed, and neither is the rest.
    let refused = evening.open(ITEMS);
    assert_eq!(code(&refused), 2);
    let both = talk_of(&refused);
    assert!(both.contains("line 12, at") && both.contains("-06:00") && both.contains("-07:00"), "{both}");
    assert!(refused.stdout.is_empty());

    // The officer says which: the second.
    let opened = evening.open(&ITEMS.replace("01:22:00,America/Denver", "01:22:00,-07:00"));
    assert_eq!(code(&opened), 0, "{}", talk_of(&opened));
    assert_snapshot("evening/warnings.txt", talk_of(&opened));
    let id = text(&opened.stdout).trim_end().to_owned();

    let verdicts = [
        "attributed",
        "uncertain",
        "ambiguous",
        "purged",
        "unassigned",
        "no-coverage",
        "not-ours",
        "future",
        "purged",
        "attributed",
        "attributed",
        "uncertain",
    ];
    for (format, name) in
        [("text", "answers.txt"), ("json", "answers.json"), ("jsonl", "answers.jsonl"), ("csv", "answers.csv")]
    {
        let answers = evening.lapse(&["lookup", "--request", &id, "--all", "-o", format]);
        assert_eq!(code(&answers), 2, "the worst is a time that has not come: {}", talk_of(&answers));
        assert_snapshot(&format!("evening/{name}"), &masked(text(&answers.stdout)));
        if format == "jsonl" {
            let lines: Vec<Value> =
                text(&answers.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let items: Vec<u64> = lines.iter().map(|line| line["item"].as_u64().unwrap()).collect();
            assert_eq!(items, (1..=12).collect::<Vec<u64>>());
            let found: Vec<&str> = lines.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
            assert_eq!(found, verdicts);
            // Nobody is named but who held it.
            let named: Vec<&str> = lines.iter().filter_map(|line| line["subscriber"].as_str()).collect();
            assert_eq!(
                named,
                ["alice@isp.example", "bob@isp.example", "erin@isp.example", "alice@isp.example", "grace@isp.example"]
            );
        }
    }
    let sheet = evening.lapse(&["request", "show", &id]);
    assert_snapshot("evening/request.txt", &masked(text(&sheet.stdout)));

    // What goes out, and how whoever gets it checks it without us.
    let directory = evening.path("24-CR-1022");
    let packaged = evening.lapse(&["request", "package", &id, &directory]);
    assert_eq!(code(&packaged), 0, "{}", talk_of(&packaged));
    let check = "pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig";
    let verified = Command::new("openssl").args(check.split(' ')).current_dir(&directory).output().unwrap();
    assert!(verified.status.success() && text(&verified.stdout).contains("Verified Successfully"), "{verified:?}");

    // An hour later the records are gone, and what was filed in time is still answered.
    evening.by_hand.clock.advance(59 * MINUTE);
    let late = evening.lapse(&["lookup", "--request", &id, "--item", "1", "-o", "json"]);
    let late: Value = serde_json::from_slice(&late.stdout).unwrap();
    assert_eq!((late["from"].as_str(), late["subscriber"].as_str()), (Some("capture"), Some("alice@isp.example")));

    assert_eq!(code(&evening.lapse(&["request", "close", &id])), 0);
    assert_eq!(code(&evening.lapse(&["lookup", "--request", &id, "--all"])), 2);
}
