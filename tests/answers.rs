//! Answers as they are printed: every verdict in every form, byte for byte, and the pages that explain them.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::path::Path;

use lapsed::api::{AtText, BoundaryText, HeardText, InsideText, LOOKUP_VERSION, LedgerText, LineText, LookupAnswer};
use lapsed::cli::answers::{COLUMNS, Format, header, render};
use lapsed::cli::page::Look;
use lapsed::domain::process::Group;
use lapsed::domain::session::Evidence;
use lapsed::domain::verdict::{Caution, Verdict};
use lapsed::wire::radius::accounting::StatusType;

use support::radius::{Nas, request, signed};
use support::snapshot::assert_snapshot;
use support::{Site, TWO_NAS, ago, code, subpoena, talk_of, text};

const fn look(width: usize) -> Look {
    Look { width, local: |time| time.with_timezone(&chrono_tz::America::Denver).fixed_offset() }
}

/// An answer that says nothing but its verdict.
fn bare(verdict: Verdict) -> LookupAnswer {
    LookupAnswer {
        version: LOOKUP_VERSION,
        item: None,
        verdict,
        note: None,
        address: "192.0.2.7".to_owned(),
        port: None,
        realm: String::new(),
        entity: None,
        at: AtText { written: "2026-11-21T14:03:22-07:00".to_owned(), utc: "2026-11-21T21:03:22.000Z".to_owned() },
        subscriber: None,
        assigned: None,
        inside: None,
        session: None,
        nas: None,
        line: None,
        since: None,
        until: None,
        heard: HeardText::default(),
        sharing: 0,
        from: "store".to_owned(),
        cautions: Vec::new(),
        sources: Vec::new(),
        horizon: "2026-11-20T09:00:00.000Z".to_owned(),
        releases: vec![Group::Subscriber, Group::SessionTimes, Group::Addresses],
        ledger: LedgerText { index: 17, request: "00112233445566778899aabbccddeeff".to_owned(), salt: "ab".repeat(32) },
    }
}

fn end(time: &str, evidence: Evidence, distance: u64) -> Option<BoundaryText> {
    Some(BoundaryText { time: time.to_owned(), evidence, distance })
}

/// Everything that is known of a holder, under a process that releases all of it.
fn attributed() -> LookupAnswer {
    LookupAnswer {
        item: Some(3),
        entity: Some("Example Cable".to_owned()),
        subscriber: Some("alice@isp.example".to_owned()),
        assigned: Some("192.0.2.7".to_owned()),
        session: Some("5e55105e55105e55".to_owned()),
        nas: Some("bng-1".to_owned()),
        line: Some(LineText {
            mac: Some("02:00:5e:00:53:01".to_owned()),
            circuit_id: Some("olt-4/1/1/7".to_owned()),
            remote_id: Some("modem-0042".to_owned()),
            nas_port: Some("eth 1/0:100".to_owned()),
        }),
        since: end("2026-11-21T20:00:00.000Z", Evidence::Observed, 3802),
        until: end("2026-11-21T22:00:00.000Z", Evidence::Observed, 3398),
        heard: HeardText { before: Some(202), after: Some(398) },
        sharing: 1,
        sources: vec!["bng-north".to_owned(), "bng-south".to_owned()],
        releases: Group::ALL.to_vec(),
        ..bare(Verdict::Attributed)
    }
}

/// One answer behind a NAT, in doubt for every reason there is.
fn uncertain() -> LookupAnswer {
    LookupAnswer {
        port: Some(51515),
        realm: "cgn-1".to_owned(),
        subscriber: Some("bob@isp.example".to_owned()),
        assigned: Some("192.0.2.7".to_owned()),
        inside: Some(InsideText { address: "10.0.0.9".to_owned(), realm: "cgn-1-inside".to_owned() }),
        session: Some("b0b0b0b0b0b0b0b0".to_owned()),
        since: end("2026-11-20T09:00:00.000Z", Evidence::BeyondHorizon, 129_802),
        heard: HeardText { before: Some(14_000), after: None },
        sharing: 1,
        cautions: vec![
            Caution::NearBoundary,
            Caution::NearHorizon,
            Caution::InferredStart,
            Caution::InferredEnd,
            Caution::SourceClock,
            Caution::Late,
            Caution::UnclosedPredecessor,
            Caution::SilentSource,
            Caution::Gap,
            Caution::UnnamedHolder,
            Caution::LastHolderSilent,
            Caution::StatuteMissing,
        ],
        sources: vec!["cgn-1".to_owned()],
        ..bare(Verdict::Uncertain)
    }
}

/// What foreign text may try on whoever reads it.
fn hostile() -> LookupAnswer {
    LookupAnswer {
        subscriber: Some("=HYPERLINK(\"https://192.0.2.66/\",\"alice\")\u{1b}[2J\u{202e}moc.elpmaxe".to_owned()),
        entity: Some("@SUM(A1)".to_owned()),
        at: AtText { written: "+1\t,\"2026\r\n".to_owned(), utc: "2026-11-21T21:03:22.000Z".to_owned() },
        nas: Some("-bng\u{200b}1".to_owned()),
        line: Some(LineText {
            mac: None,
            circuit_id: Some("\tolt;4".to_owned()),
            remote_id: Some("\rmodem ".to_owned() + &"0".repeat(120)),
            nas_port: None,
        }),
        ..attributed()
    }
}

fn noted(verdict: Verdict, note: &str) -> LookupAnswer {
    LookupAnswer { note: Some(note.to_owned()), ..bare(verdict) }
}

/// An answer of every verdict, and one that is hostile.
fn answers() -> Vec<(&'static str, LookupAnswer)> {
    let purged = "We hold no readable record for this time. We cannot say whether one ever existed. This does not speak of material preserved under other process.";
    let ambiguous = "Several subscribers may have held it; name the port, or the exact time.";
    let refused = "dmca-512h is not answered: it releases nothing; refer it to counsel";
    vec![
        ("attributed", attributed()),
        ("uncertain", uncertain()),
        ("ambiguous", LookupAnswer { sharing: 32, ..noted(Verdict::Ambiguous, ambiguous) }),
        ("unassigned", LookupAnswer { sources: vec!["bng-north".to_owned()], ..bare(Verdict::Unassigned) }),
        ("no-coverage", bare(Verdict::NoCoverage)),
        ("not-ours", bare(Verdict::NotOurs)),
        ("purged", noted(Verdict::Purged, purged)),
        ("future", bare(Verdict::Future)),
        ("refused", LookupAnswer { releases: Vec::new(), ..noted(Verdict::Refused, refused) }),
        ("hostile", hostile()),
    ]
}

fn all(format: Format) -> String {
    let one = |(_, answer): &(_, LookupAnswer)| render(answer, format, look(80)).unwrap();
    header(format) + &answers().iter().map(one).collect::<String>()
}

#[test]
fn every_verdict_has_its_sheet() {
    for (name, answer) in answers() {
        let sheet = render(&answer, Format::Text, look(80)).unwrap();
        assert_snapshot(&format!("lookup/{name}.txt"), &sheet);
    }
}

#[test]
fn every_verdict_has_its_row_and_its_line() {
    assert_snapshot("lookup/all.csv", &all(Format::Csv));
    assert_snapshot("lookup/all.jsonl", &all(Format::Jsonl));
    assert_eq!(all(Format::Json), all(Format::Jsonl));
}

#[test]
fn a_sheet_is_as_wide_as_the_terminal_but_for_what_cannot_be_broken() {
    for (name, answer) in answers() {
        for width in [48, 80, 132] {
            let sheet = render(&answer, Format::Text, look(width)).unwrap();
            let wide: Vec<_> = sheet.lines().filter(|line| line.chars().count() > width).collect();
            assert!(wide.is_empty() || name == "hostile", "{name} at {width}: {wide:?}");
        }
    }
}

#[test]
fn nothing_foreign_moves_a_cursor_or_is_calculated() {
    for format in [Format::Text, Format::Csv] {
        let printed = all(format);
        let unseen = |c: char| (c.is_control() && c != '\n' && c != '\r') || matches!(c, '\u{200b}' | '\u{202e}');
        assert!(!printed.contains(unseen), "{printed:?}");
    }
    let mut reader = csv::ReaderBuilder::new().from_reader(std::io::Cursor::new(all(Format::Csv)));
    let mut rows = 0;
    for row in reader.records().map(Result::unwrap) {
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{row:?}");
        rows += 1;
    }
    assert_eq!(rows, answers().len());
}

#[test]
fn the_columns_are_documented_in_their_order() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/answers.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: Vec<&str> = rows.map(|(name, _)| name).collect();
    assert_eq!(documented, COLUMNS);
}

#[test]
fn the_real_command_prints_every_form() {
    let site = Site::new(&format!("{TWO_NAS}[[network]]\nprefix = \"192.0.2.0/24\"\n"));
    let token = site.token("desk-1", "analyst");
    let daemon = site.start();
    let start = request(1, StatusType::Start, "65A0-1", ago(600)).user_name("=alice@isp.example");
    Nas::at("127.0.0.1", daemon.radius).ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
    let at = ago(300).to_string();
    let ask = |format: &str| {
        let question = subpoena("192.0.2.7", &at).into_iter().map(|word| if word == "json" { format } else { word });
        let output = site.lapse(Some(&token), &question.collect::<Vec<_>>());
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        text(&output.stdout).to_owned()
    };
    for format in ["text", "table"] {
        let sheet = ask(format);
        assert!(
            sheet.starts_with("ATTRIBUTED: ") && sheet.contains("\n  subscriber    =alice@isp.example\n"),
            "{sheet}"
        );
        assert!(sheet.contains("An account is not a person.") && sheet.contains("withheld      line\n"), "{sheet}");
        assert!(sheet.lines().all(|line| line.chars().count() <= 80), "{sheet}");
    }
    for format in ["json", "jsonl"] {
        let answer: LookupAnswer = serde_json::from_str(&ask(format)).unwrap();
        assert_eq!(answer.subscriber.as_deref(), Some("=alice@isp.example"));
    }
    let table = ask("csv");
    assert!(table.starts_with("item,verdict,address,") && table.contains(",'=alice@isp.example,"), "{table}");
}

#[test]
fn the_template_for_requesters_is_a_list_that_is_understood() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/for-requesters.md")).unwrap();
    let template = page.split("```csv\n").nth(1).unwrap().split("```").next().unwrap();
    let site = Site::new(TWO_NAS);
    let token = site.token("desk-1", "analyst");
    let _daemon = site.start();
    site.write("items.csv", template);
    let file = site.path("items.csv").display().to_string();
    let output = site.lapse(Some(&token), &["triage", &file, "-o", "csv"]);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    assert_eq!(text(&output.stdout).lines().count(), template.lines().count());
}
