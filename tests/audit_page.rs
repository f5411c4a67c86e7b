//! The page for auditors: right about what was reported, harmless, complete in itself, and fit for a printer.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
#![expect(clippy::indexing_slicing, reason = "the evidence is made up and its length is known")]

mod audit_evidence;
#[expect(dead_code, reason = "other tests use the rest")]
mod evidence_rig;
#[expect(dead_code, reason = "other tests use the rest")]
mod purge_entries;
mod random;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use audit_evidence::{bucket, check, evidence, made, month};
use evidence_rig::{Event, Ledgers, World};
use lapsed::domain::time::BucketWidth;
use lapsed::evidence::{Evidence, Outcome, page};
use lapsed::purge::{Exception, LastRun, Line, Report, Terms};
use purge_entries::exceptions;

fn text(evidence: &Evidence) -> String {
    page(evidence, made())
}

/// The title of the verdict, and the reason.
fn verdict(evidence: &Evidence) -> (String, String) {
    let data = data(&text(evidence));
    let word = |name: &str| data[name].as_str().unwrap().to_owned();
    let page = text(evidence);
    let title = page.split("<p class=\"title\">").nth(1).unwrap().split("</p>").next().unwrap();
    assert_eq!(title.to_lowercase().replace(' ', "-"), word("verdict"));
    (title.to_owned(), word("reason"))
}

fn data(page: &str) -> serde_json::Value {
    let rest = page.split("<script type=\"application/json\" id=\"data\">").nth(1).unwrap();
    serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap()
}

fn days(count: u64) -> Vec<Report> {
    (0..count * 144).map(bucket).collect()
}

/// A day of a store, and its page once this was done to a report of it.
fn spoilt(place: usize, spoil: impl FnOnce(&mut Report)) -> Evidence {
    let mut world = World::with_terms(3, TERMS);
    world.go_on_until(40, 0);
    let mut ledgers = world.ledgers();
    spoil(&mut ledgers.purge[place]);
    ledgers.verified()
}

const TERMS: Terms = Terms {
    window: Duration::from_secs(172_800),
    bucket: BucketWidth::from_secs(600).unwrap(),
    purge_interval: Duration::from_secs(60),
};

#[test]
fn all_well_is_no_violation_found() {
    let (title, reason) = verdict(&evidence(days(1)));
    assert_eq!(title, "NO VIOLATION FOUND");
    assert!(reason.contains("2 checks") && reason.contains("144 reports"), "{reason}");
    assert_eq!(verdict(&month()).0, "NO VIOLATION FOUND", "{}", verdict(&month()).1);
}

#[test]
fn a_failed_check_is_a_breach_and_one_that_is_only_told_is_none() {
    let mut evidence = evidence(days(1));
    evidence.checks.push(check("purge-periods", Outcome::Fail, "entry 17 begins 600 s after entry 16 ends"));
    let (title, reason) = verdict(&evidence);
    assert_eq!(title, "BREACH");
    assert!(reason.contains("purge-periods") && reason.contains("entry 17 begins"), "{reason}");
    evidence.checks.last_mut().unwrap().counts = false;
    assert_eq!(verdict(&evidence).0, "NO VIOLATION FOUND");
}

#[test]
fn what_is_unknown_is_not_proven() {
    let mut unknown = evidence(days(1));
    unknown.checks.push(check("access-signature", Outcome::Unknown, "there is no checkpoint"));
    let (title, reason) = verdict(&unknown);
    assert_eq!((title.as_str(), reason.contains("access-signature")), ("NOT PROVEN", true), "{reason}");
    let (title, reason) = verdict(&Ledgers { purge: Vec::new(), access: Vec::new() }.verified());
    assert_eq!(
        (title.as_str(), reason.as_str()),
        ("NOT PROVEN", "The check purge-sequence cannot tell: there is no report.")
    );
    unknown.checks.clear();
    assert_eq!(verdict(&unknown).0, "NOT PROVEN");
}

#[test]
fn late_within_the_bound_is_no_breach_and_beyond_it_is_one_with_its_number() {
    let with_age = |past: u64| {
        spoilt(30, |report| {
            report.classes.assignments.max_age = Some(TERMS.window + Duration::from_millis(past));
            report.runs.late = 1;
        })
    };
    assert_eq!(verdict(&with_age(65_000)).0, "NO VIOLATION FOUND");
    let (title, reason) = verdict(&with_age(65_001));
    assert_eq!(title, "BREACH");
    let told =
        "The check unlink-age failed: entry 30: assignments had an age of 172865.001 s, and the bound is 172865 s.";
    assert_eq!(reason, told);
    assert!(text(&with_age(65_001)).contains("OVER its bound of 48 h 1 min 5 s"));
}

#[test]
fn what_failed_and_was_made_good_in_time_is_no_breach_and_is_told() {
    let remained = |place| {
        spoilt(place, |report| {
            report.classes.logons.remaining = 3;
            report.runs.last = LastRun::Failed;
        })
    };
    let (title, reason) = verdict(&remained(9));
    assert_eq!(title, "NO VIOLATION FOUND");
    assert!(reason.ends_with("Of 40 reports, 1 says that something failed, and it was made good in time."), "{reason}");
    let (title, reason) = verdict(&remained(39));
    assert_eq!(title, "NOT PROVEN");
    assert!(reason.contains("entry 39 says that something failed"), "{reason}");
}

#[test]
fn a_doubt_that_lasts_is_a_breach() {
    let (title, reason) = verdict(&spoilt(9, |report| {
        let lasted = Duration::from_secs(6 * 3600 + 1);
        report.exceptions.push(Exception::ClockDoubtLasted { at: report.from, lasted });
    }));
    assert_eq!(title, "BREACH");
    assert!(reason.starts_with("The check failures failed: entry 9: the clock was in doubt"), "{reason}");
}

#[test]
fn thirty_days_are_small_and_quickly_told() {
    let evidence = month();
    #[expect(clippy::disallowed_methods, reason = "measures how long it takes")]
    let begin = Instant::now();
    let page = text(&evidence);
    let took = begin.elapsed();
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn the_data_are_the_figures() {
    let evidence = month();
    let data = data(&text(&evidence));
    let rows = data["reports"]["rows"].as_array().unwrap();
    let columns = data["reports"]["columns"].as_array().unwrap();
    assert_eq!(rows.len(), 4320);
    let cell = |row: usize, name: &str| {
        let column = columns.iter().position(|column| column == name).unwrap();
        assert_eq!(rows[row].as_array().unwrap().len(), columns.len());
        rows[row][column].clone()
    };
    for (number, report) in evidence.purge.entries.iter().enumerate() {
        assert_eq!(cell(number, "number"), report.sequence);
        assert_eq!(cell(number, "to"), report.to.millis());
        assert_eq!(cell(number, "taken"), report.standing.taken);
        assert_eq!(cell(number, "verdict"), report.verdict().name());
        let age = report.classes.assignments.max_age.unwrap().max(report.listings.max_age.unwrap());
        assert_eq!(cell(number, "oldest_unlinked"), u64::try_from(age.as_millis()).unwrap());
        assert_eq!(cell(number, "unlink_bound"), u64::try_from(report.unlink_bound().as_millis()).unwrap());
    }
    let count = |name: &str| data[name].as_array().unwrap().iter().map(|of| of["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((count("lookups"), count("subscribers")), (3750, 250));
    assert_eq!((&data["requests"]["opened"], &data["holds"]["placed"]), (&250.into(), &250.into()));
    assert!(text(&evidence).contains("<dd class=\"value\">4,000</dd>"));
}

#[test]
fn nobody_is_named() {
    let mut reports = days(1);
    reports[3].exceptions = exceptions().into_iter().map(|(exception, _)| exception).collect();
    let mut world = World::with_terms(3, TERMS);
    world.go_on_until(20, 0);
    world.meet(Event::WindowChanged);
    world.meet(Event::DoubtBack);
    for evidence in [evidence(reports), month(), world.ledgers().verified()] {
        let page = text(&evidence);
        for hidden in [
            "0707070707070707",
            "0909090909090909",
            "abababababababab",
            "cdcdcdcdcdcdcdcd",
            "0202020202020202",
            "desk-1",
            "24-CR",
            "Example Court",
        ] {
            assert!(!page.contains(hidden), "{hidden}");
        }
    }
}

#[test]
fn no_text_of_an_entry_or_a_check_is_mark_up() {
    let mut reports = days(1);
    reports[5].erasure.stack = Line::of("</script><b>&\" on vda1");
    reports[5].software = Line::of("0.1<!--");
    let mut evidence = evidence(reports);
    evidence.checks.push(check("purge-grammar", Outcome::Fail, "</script><b>&\"' in entry 5 \u{202e}"));
    let page = text(&evidence);
    assert!(page.contains("&lt;/script&gt;&lt;b&gt;&amp;&quot; on vda1"));
    assert!(page.contains("0.1&lt;!--"));
    assert!(!page.contains("<b>") && !page.contains("<!--") && page.matches("</script>").count() == 1);
    let reason = data(&page)["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("</script><b>&\"' in entry 5 \u{202e}"), "{reason}");
    well_formed(&page);
}

#[test]
fn every_page_is_well_formed() {
    let mut failing = days(3);
    failing[5].runs.late = 3;
    failing.remove(200);
    let nothing = Evidence { checks: Vec::new(), ..evidence(Vec::new()) };
    for evidence in [month(), evidence(failing), evidence(vec![bucket(0)]), nothing] {
        well_formed(&text(&evidence));
    }
}

/// What reads XML reads the page.
fn well_formed(page: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("page.html");
    fs::write(&file, page).unwrap();
    let program = "import sys, xml.etree.ElementTree as tree\nids = [e.get('id') for e in tree.parse(sys.argv[1]).iter() if e.get('id')]\nassert len(ids) == len(set(ids)), ids";
    let output = Command::new("python3").args(["-c", program]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where pages stay for people to look at them.
fn kept(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit-page");
    fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

/// Opens a page in a browser of its own that reaches nothing, and does with it what the arguments say.
fn browse(file: &Path, arguments: &[String]) -> Output {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What a browser says of a page on its console, and what it asks for beside the page.
fn complaints(file: &Path) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("net.json");
    let output = browse(file, &["--dump-dom".to_owned(), format!("--log-net-log={}", log.display())]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned);
    let asked = fs::read_to_string(log).unwrap();
    let quoted = asked.split('"').filter(|text| text.contains("elsewhere.example")).map(str::to_owned);
    console.chain(quoted).collect()
}

#[test]
fn a_browser_has_nothing_to_complain_of_and_runs_nothing() {
    let file = kept("month.html");
    fs::write(&file, text(&month())).unwrap();
    assert_eq!(complaints(&file), Vec::<String>::new());
    let dom = String::from_utf8(browse(&file, &["--dump-dom".to_owned()]).stdout).unwrap();
    assert!(dom.contains("NO VIOLATION FOUND") && dom.trim_end().ends_with("</html>"));
    // A page that did run something or ask for something would be found out, and is stopped by the policy.
    let foreign =
        "<script>document.title = 'ran'</script><img src=\"https://elsewhere.example/x.png\" alt=\"\"/></main>";
    let spoilt = kept("spoilt.html");
    fs::write(&spoilt, text(&month()).replace("</main>", foreign)).unwrap();
    let found = complaints(&spoilt);
    assert!(found.iter().filter(|line| line.contains("CONSOLE")).count() >= 2, "{found:?}");
    let dom = String::from_utf8(browse(&spoilt, &["--dump-dom".to_owned()]).stdout).unwrap();
    assert!(!dom.contains("<title>ran"));
}

#[test]
fn the_page_asks_for_nothing_and_names_no_address_to_load() {
    let page = text(&month());
    for loading in [" src=", " href=", "url(http", "@import", "<link", "<iframe", "<form", " onload="] {
        assert!(!page.contains(loading), "{loading}");
    }
}

#[test]
fn it_prints() {
    let (file, printed) = (kept("printed.html"), kept("month.pdf"));
    fs::write(&file, text(&month())).unwrap();
    browse(&file, &[format!("--print-to-pdf={}", printed.display()), "--no-pdf-header-footer".to_owned()]);
    let info = Command::new("pdfinfo").arg(&printed).output().unwrap();
    let info = String::from_utf8(info.stdout).unwrap();
    let pages: u32 = info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().parse().unwrap();
    assert!((4..=12).contains(&pages), "{pages} pages");
    assert!(info.contains("A4"), "{info}");
    let words =
        Command::new("pdftotext").args(["-layout".as_ref(), printed.as_os_str(), "-".as_ref()]).output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let sheets: Vec<_> = words.split('\u{c}').collect();
    assert!(sheets[0].contains("NO VIOLATION FOUND"), "{}", sheets[0]);
    let last = sheets[usize::try_from(pages).unwrap() - 1];
    assert!(last.contains("Verify this without us") && last.contains("https://c2sp.org/signed-note"), "{last}");
}
