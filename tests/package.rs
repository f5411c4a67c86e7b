//! Response packages, through the real programs, checked with tools that are not ours: `openssl`, `sha256sum`, and a parser of mark-up.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use serde_json::Value;

use support::by_hand::{ByHand, until};
use support::radius::{Nas, request, signed};
use support::{Daemon, Site, TWO_NAS, ago, code, talk_of, text};

/// A subscriber whose name is written to mislead whoever reads it.
const HOSTILE: &str = "=<script>alert('1')</script>\u{202e}&\"";
/// What a package consists of.
const FILES: [&str; 10] = [
    "SHA256SUMS",
    "VERIFY.txt",
    "answers.csv",
    "answers.html",
    "answers.json",
    "declaration.txt",
    "fees.csv",
    "manifest.json",
    "manifest.sig",
    "public-key.pem",
];
const TABLES: &str = r#"
[disclosure]
zone = "America/Denver"
[fees]
request = "25.00 USD"
item = "0.35 USD"
[[fee]]
type = "civil-order"
request = "40.00 USD"
[[entity]]
name = "north"
brand = "Example <North>"
custodian = "Custodian of Records, 1 Example Street"
[[network]]
prefix = "192.0.2.0/24"
entity = "north"
"#;

struct Desk {
    site: Site,
    daemon: Daemon,
    analyst: String,
    approver: String,
}

impl Desk {
    /// A daemon on which somebody has had 192.0.2.7 for ten minutes.
    fn new() -> Self {
        let site = Site::new(&format!("{TWO_NAS}{TABLES}"));
        let [analyst, approver] =
            [("desk-1", "analyst"), ("lead-1", "approver")].map(|(name, role)| site.token(name, role));
        let daemon = site.start();
        let start =
            request(1, StatusType::Start, "65A0-1", ago(600)).user_name(HOSTILE).framed_ip([192, 0, 2, 7].into());
        Nas::at("127.0.0.1", daemon.radius).ask(&signed(start));
        Self { site, daemon, analyst, approver }
    }

    fn lapse(&self, arguments: &[&str]) -> Output {
        self.site.lapse(Some(&self.analyst), arguments)
    }

    /// Files a subpoena about these addresses and instants, and returns its id.
    fn file(&self, items: &[(&str, Timestamp)]) -> String {
        let papers = "type = \"subpoena\"\nstatute = \"18 USC 2703(c)(2)\"\nauthority = \"Example </td> Court\"\nagency = \"Example Police\"\n\
                      officer = \"Det. R. Example\"\nofficer-contact = \"+1 303 555 0100\"\ncase = \"24-CR-1022 <b>\"\n";
        let items = items.iter().map(|(address, at)| format!("[[item]]\naddress = \"{address}\"\nat = \"{at}\"\n"));
        self.site.write("request.toml", &format!("{papers}{}", items.collect::<String>()));
        let path = self.site.path("request.toml");
        let output = self.lapse(&["request", "open", "--file", path.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        text(&output.stdout).trim_end().to_owned()
    }

    fn package(&self, request: &str, dir: &str) -> Output {
        self.lapse(&["request", "package", request, self.site.path(dir).to_str().unwrap()])
    }

    /// Files three items, has them answered, and writes the package into `out`.
    fn packaged(&self) -> (String, Output) {
        let old = Timestamp::from_millis(1_700_000_000_000);
        let id = self.file(&[("192.0.2.7", ago(300)), ("192.0.2.7", old), ("198.51.100.9", ago(300))]);
        let given = self.lapse(&["lookup", "--request", &id, "--all", "-o", "jsonl"]);
        let output = self.package(&id, "out");
        assert_eq!(code(&output), 0, "{}", talk_of(&output));
        (id, given)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.site.path(name)).unwrap()
    }
}

fn run(dir: &Path, program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).current_dir(dir).output().unwrap()
}

/// The first command of VERIFY.txt.
fn signature_holds(dir: &Path) -> bool {
    let line = fs::read_to_string(dir.join("VERIFY.txt")).unwrap();
    let line = line.lines().find(|line| line.contains("pkeyutl")).unwrap().trim().to_owned();
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    run(dir, "openssl", &words).status.success()
}

fn names_in(dir: &Path) -> BTreeSet<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn strangers_tools_verify_a_package_and_see_every_changed_byte() {
    let desk = Desk::new();
    let (id, given) = desk.packaged();
    let dir = desk.site.path("out");
    assert_eq!(names_in(&dir), FILES.map(str::to_owned).into());
    assert!(signature_holds(&dir));
    let sums = run(&dir, "sha256sum", &["--strict", "-c", "SHA256SUMS"]);
    assert!(sums.status.success(), "{}", talk_of(&sums));

    let manifest: Value = serde_json::from_str(&desk.read("out/manifest.json")).unwrap();
    assert_eq!((manifest["request"].as_str(), manifest["case"].as_str()), (Some(id.as_str()), Some("24-CR-1022 <b>")));
    let listed: BTreeSet<String> =
        manifest["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect();
    let unlisted: Vec<String> = names_in(&dir).difference(&listed).cloned().collect();
    assert_eq!(unlisted, ["manifest.json", "manifest.sig"]);
    for file in manifest["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let printed = run(&dir, "sha256sum", &[name]);
        assert!(text(&printed.stdout).starts_with(file["sha256"].as_str().unwrap()), "{name}");
        assert_eq!(fs::metadata(dir.join(name)).unwrap().len(), file["bytes"].as_u64().unwrap());
    }
    let ledger: Vec<u64> = manifest["ledger"].as_array().unwrap().iter().map(|index| index.as_u64().unwrap()).collect();
    let answers: Vec<Value> = text(&given.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let indexes: Vec<u64> = answers.iter().map(|answer| answer["ledger"]["index"].as_u64().unwrap()).collect();
    assert_eq!(ledger, indexes);
    let policy: Value = serde_json::from_slice(&desk.lapse(&["policy", "show", "-o", "json"]).stdout).unwrap();
    assert_eq!(manifest["policy"], policy["digest"]);
    assert_eq!(manifest["process-types"], policy["policy"]["process-types-digest"]);
    // What was given stands there byte for byte.
    let lines: Vec<&str> = text(&given.stdout).lines().collect();
    assert_eq!(desk.read("out/answers.json"), format!("[{}]\n", lines.join(",\n")));

    // Any byte of any file, and the signature does not hold or the list does not.
    for name in FILES.iter().filter(|name| **name != "VERIFY.txt") {
        let path = dir.join(name);
        let kept = fs::read(&path).unwrap();
        let mut changed = kept.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(&path, &changed).unwrap();
        let signed = signature_holds(&dir);
        let summed = run(&dir, "sha256sum", &["--strict", "-c", "SHA256SUMS"]).status.success();
        let digest = run(&dir, "sha256sum", &["SHA256SUMS"]);
        let listed = desk.read("out/manifest.json").contains(text(&digest.stdout).split(' ').next().unwrap());
        assert!(!(signed && summed && listed), "{name}");
        fs::write(&path, kept).unwrap();
    }
    assert!(signature_holds(&dir));
}

#[test]
fn two_packages_of_the_same_answers_differ_in_when_they_were_made_alone() {
    let desk = Desk::new();
    let (id, _) = desk.packaged();
    assert_eq!(code(&desk.package(&id, "again")), 0);
    for name in FILES.iter().filter(|name| !matches!(**name, "manifest.json" | "manifest.sig")) {
        assert_eq!(desk.read(&format!("out/{name}")), desk.read(&format!("again/{name}")), "{name}");
    }
    let [mut first, mut second] =
        ["out", "again"].map(|dir| serde_json::from_str::<Value>(&desk.read(&format!("{dir}/manifest.json"))).unwrap());
    assert_ne!(first["created"].take(), second["created"].take());
    assert_eq!(first, second);
    // The key is made once.
    let Desk { site, daemon, analyst, .. } = desk;
    assert!(daemon.stop().0.success());
    let _daemon = site.start();
    let third = site.path("third");
    let output = site.lapse(Some(&analyst), &["request", "package", &id, third.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    assert_eq!(fs::read(third.join("public-key.pem")).unwrap(), fs::read(site.path("out/public-key.pem")).unwrap());
}

#[test]
fn hostile_texts_stay_texts_in_every_file() {
    let desk = Desk::new();
    let (id, _) = desk.packaged();
    let page = desk.read("out/answers.html");
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    assert!(page.contains("@page") && page.contains("An account is not a person."));
    assert!(page.contains("=&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\\u{202e}&amp;&quot;"), "{page}");
    for wrong in ["<script", "</td> Court", "<b>", "<North>", "\u{202e}", "javascript:", "href=", "src="] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    assert!(page.contains("(America/Denver)") && page.contains("(UTC)"), "{page}");
    // Well-formed for the strictest of parsers, which calls no element that was not meant.
    let seen =
        "import sys, xml.etree.ElementTree as t\nprint(' '.join(sorted({e.tag for e in t.parse(sys.argv[1]).iter()})))";
    let tags = run(&desk.site.path("out"), "python3", &["-c", seen, "answers.html"]);
    assert!(tags.status.success(), "{}", talk_of(&tags));
    assert_eq!(text(&tags.stdout).trim(), "bdi body h1 h2 head html meta p section style table td th title tr");

    let csv = desk.lapse(&["lookup", "--request", &id, "--all", "-o", "csv"]);
    let header = |csv: &str| csv.lines().next().unwrap().to_owned();
    assert_eq!(header(&desk.read("out/answers.csv")), header(text(&csv.stdout)));
    assert!(desk.read("out/answers.csv").contains("'=<script>"));
    let declaration = desk.read("out/declaration.txt");
    for said in ["DRAFT, NOT SIGNED", "902(11)", "902(13)", "Example <North>", "1 Example Street", "Name:       ___"] {
        assert!(declaration.contains(said), "{said}");
    }
    assert!(!declaration.to_lowercase().contains("certified by"));
    let digest = run(&desk.site.path("out"), "sha256sum", &["answers.json"]);
    assert!(declaration.contains(text(&digest.stdout).split(' ').next().unwrap()));
    let fees =
        "what,count,each,total\r\nrequest,1,25.00 USD,25.00 USD\r\nitem,3,0.35 USD,1.05 USD\r\ntotal,,,26.05 USD\r\n";
    assert_eq!(desk.read("out/fees.csv"), fees);
    let sheet: Value = serde_json::from_slice(&desk.lapse(&["request", "show", &id, "-o", "json"]).stdout).unwrap();
    assert_eq!(sheet["fees"][1]["total"], "1.05 USD");
    assert!(sheet["packaged"].is_string());
}

#[test]
fn nothing_is_packaged_that_is_not_answered_and_nothing_is_written_over() {
    let desk = Desk::new();
    let id = desk.file(&[("192.0.2.7", ago(300)), ("192.0.2.7", ago(200)), ("192.0.2.7", ago(100))]);
    assert_eq!(code(&desk.lapse(&["lookup", "--request", &id, "--item", "2", "-o", "json"])), 0);
    let refused = desk.package(&id, "out");
    assert_eq!(code(&refused), 2);
    assert!(talk_of(&refused).contains("not answered yet: item 1, 3"), "{}", talk_of(&refused));
    assert!(!desk.site.path("out").exists());
    assert_eq!(code(&desk.lapse(&["lookup", "--request", &id, "--all", "-o", "json"])), 0);

    fs::create_dir(desk.site.path("taken")).unwrap();
    desk.site.write("taken/mine", "mine");
    let refused = desk.package(&id, "taken");
    assert!(code(&refused) == 2 && talk_of(&refused).contains("not empty"), "{}", talk_of(&refused));
    assert_eq!(names_in(&desk.site.path("taken")), ["mine".to_owned()].into());
    fs::create_dir(desk.site.path("empty")).unwrap();
    assert_eq!(code(&desk.package(&id, "empty")), 0);
    assert_eq!(names_in(&desk.site.path("empty")), FILES.map(str::to_owned).into());
    assert!(!desk.site.path("empty.unfinished").exists());

    let auditor = desk.site.token("audit-1", "auditor");
    let out = desk.site.path("out");
    let arguments = ["request", "package", &id, out.to_str().unwrap()];
    assert_eq!(code(&desk.site.lapse(Some(&auditor), &arguments)), 4);
    assert_eq!(code(&desk.lapse(&["request", "close", &id])), 0);
    let closed = desk.site.lapse(Some(&desk.approver), &arguments);
    assert!(code(&closed) == 2 && talk_of(&closed).contains("closed"), "{}", talk_of(&closed));
    let Desk { site, daemon, .. } = desk;
    assert!(daemon.stop().0.success());
    // One entry for the one package: what was refused leaves none.
    let packaged = site.access_entries().iter().filter(|entry| entry.contains("\nact packaged\n")).count();
    assert_eq!(packaged, 1);
}

#[test]
fn an_answer_that_is_another_one_today_or_is_destroyed_is_not_packaged() {
    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    let minute = Duration::from_secs(60);
    let site = Site::new(&TWO_NAS.replace("\"10s\"", "\"1s\""));
    let analyst = site.token("desk-1", "analyst");
    let mut by_hand = ByHand::start_on(site, NOW);
    let heard = |by_hand: &ByHand, number: u8, name: &str, before: u32| {
        let session = format!("65A0-{number}");
        let start = request(number, StatusType::Start, &session, NOW.minus(minute * before)).user_name(name);
        by_hand.nas("127.0.0.1").ask(&signed(start.framed_ip([192, 0, 2, 7].into())));
    };
    heard(&by_hand, 1, "alice@isp.example", 50);
    let papers = "type = \"subpoena\"\nstatute = \"x\"\nauthority = \"x\"\nagency = \"x\"\nofficer = \"x\"\nofficer-contact = \"x\"\ncase = \"x\"\n";
    let item = format!("[[item]]\naddress = \"192.0.2.7\"\nat = \"{}\"\n", NOW.minus(minute * 40));
    by_hand.site.write("request.toml", &format!("{papers}{item}"));
    let path = by_hand.site.path("request.toml");
    let opened = by_hand.site.lapse(Some(&analyst), &["request", "open", "--file", path.to_str().unwrap()]);
    let id = text(&opened.stdout).trim_end().to_owned();
    let answer = |by_hand: &ByHand| by_hand.site.lapse(Some(&analyst), &["lookup", "--request", &id, "--all"]);
    let package = |by_hand: &ByHand, dir: &str| {
        by_hand.site.lapse(Some(&analyst), &["request", "package", &id, by_hand.site.path(dir).to_str().unwrap()])
    };
    answer(&by_hand);
    assert_eq!(code(&package(&by_hand, "first")), 0);
    // Another had it from 45 minutes ago on; it is said only now.
    heard(&by_hand, 2, "bob@isp.example", 45);
    until("the change is seen", || {
        let sheet = by_hand.site.lapse(Some(&analyst), &["request", "show", &id, "-o", "json"]);
        serde_json::from_slice::<Value>(&sheet.stdout).unwrap()["line"]["changed"] == serde_json::json!([1])
    });
    let refused = package(&by_hand, "second");
    assert!(code(&refused) == 2 && talk_of(&refused).contains("answer again item 1"), "{}", talk_of(&refused));
    answer(&by_hand);
    assert_eq!(code(&package(&by_hand, "second")), 0);
    assert!(fs::read_to_string(by_hand.site.path("second/answers.html")).unwrap().contains("bob@isp.example"));
    by_hand.restart(|clock| clock.advance(Duration::from_secs(15 * 86_400)));
    let refused = package(&by_hand, "third");
    assert!(code(&refused) == 2 && talk_of(&refused).contains("destroyed"), "{}", talk_of(&refused));
}
