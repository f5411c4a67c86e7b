//! After a thousand answers, those who were named are where records and requests are sealed, and nowhere else: not in the ledger, not
//! in what the store notes, not in logs, reports or the daemon's talk; and where they are, nobody can read it.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fmt::Write as _;
use std::path::Path;

use lapsed::domain::time::Timestamp;
use rocksdb::{DB, IteratorMode, Options};
use serde_json::Value;

use support::traces::{Canary, bytes_below, name_in, start_all};
use support::{Site, TWO_NAS, ago, code, talk_of, text};

const CANARIES: u16 = 1000;
/// The families whose rows may be about people.
const ABOUT_PEOPLE: [&str; 4] = ["by_address", "by_subscriber", "held", "requests"];

/// Every key and value of the families that must not be about people.
fn rows_of_the_others(database: &Path) -> Vec<(String, Vec<u8>)> {
    let families = DB::list_cf(&Options::default(), database).unwrap();
    let db = DB::open_cf_for_read_only(&Options::default(), database, &families, false).unwrap();
    let others = families.iter().filter(|family| !ABOUT_PEOPLE.contains(&family.as_str()));
    let rows = others.flat_map(|family| {
        let rows = db.iterator_cf(db.cf_handle(family).unwrap(), IteratorMode::Start);
        rows.map(|row| row.unwrap())
            .flat_map(|(key, value)| [(family.clone(), key.to_vec()), (family.clone(), value.to_vec())])
    });
    rows.collect()
}

/// Is the address written in these bytes, as text or as its four bytes behind a length or a family? Four bytes alone occur by chance.
fn address_in(bytes: &[u8], canary: Canary) -> bool {
    let address = canary.address();
    bytes.windows(address.len()).any(|window| window == address.as_bytes())
}

#[test]
fn after_a_thousand_answers_nobody_is_found_outside_of_what_is_sealed() {
    let site = Site::new(TWO_NAS);
    let daemon = site.start_with("lapsed.toml", Some("trace"));
    let [analyst, auditor] = [("desk-1", "analyst"), ("audit-1", "auditor")].map(|(name, role)| site.token(name, role));
    let at: Timestamp = ago(600);
    start_all(daemon.radius, CANARIES, at);

    // One request with all of them, a hold on the first, and as many answers.
    let papers = "type = \"court-order\"\njudge = \"Hon. J. Example\"\norder-number = \"7\"\nauthority = \"Example District Court\"\n\
                  agency = \"Example Police Department\"\nofficer = \"Det. R. Example\"\nofficer-contact = \"+1 303 555 0100\"\n\
                  case = \"24-CR-HARROWGATE-1022\"\n";
    let mut items = "address,at\n".to_owned();
    for number in 0..CANARIES {
        writeln!(items, "{},{}", Canary(number).address(), ago(300)).unwrap();
    }
    site.write("request.toml", papers);
    site.write("items.csv", &items);
    let [papers, items] = ["request.toml", "items.csv"].map(|name| site.path(name).to_str().unwrap().to_owned());
    let opened = site.lapse(Some(&analyst), &["request", "open", "--file", &papers, "--items", &items]);
    assert_eq!(code(&opened), 0, "{}", talk_of(&opened));
    let id = text(&opened.stdout).trim_end();
    let answers = site.lapse(Some(&analyst), &["lookup", "--request", id, "--all", "-o", "jsonl"]);
    assert_eq!(code(&answers), 0, "{}", talk_of(&answers));
    let lines: Vec<Value> = text(&answers.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), usize::from(CANARIES));
    let is_named = |(number, line): (u16, &Value)| line.get("subscriber").unwrap() == &Canary(number).name();
    assert!((0..).zip(&lines).all(is_named));
    // This shows that the search finds what is there.
    assert!(name_in(&answers.stdout).is_some() && address_in(&answers.stdout, Canary(7)));

    // What an auditor is given.
    for question in [["status"].as_slice(), &["purge", "status"], &["purge", "report", "list"], &["policy", "show"]] {
        let output = site.lapse(Some(&auditor), question);
        assert_eq!(name_in(&output.stdout), None, "{question:?}");
        assert!(!address_in(&output.stdout, Canary(7)));
    }
    let (status, talk) = daemon.stop();
    assert!(status.success());
    assert_eq!(name_in(talk.as_bytes()), None, "the daemon's talk");
    for (file, bytes) in bytes_below(&site.path("state")) {
        assert_eq!(name_in(&bytes), None, "{file}");
        for number in (0..CANARIES).step_by(97) {
            assert!(!address_in(&bytes, Canary(number)), "{file}");
        }
        assert!(!bytes.windows(10).any(|window| window == b"HARROWGATE"), "{file}");
    }
    for (family, bytes) in rows_of_the_others(&site.path("state/db")) {
        assert_eq!(name_in(&bytes), None, "{family}");
        for number in (0..CANARIES).step_by(97) {
            assert!(!address_in(&bytes, Canary(number)), "{family}");
        }
    }
    // A thousand answers have a thousand entries.
    let entries = site.access_entries();
    assert_eq!(entries.iter().filter(|entry| entry.contains("\nverdict attributed\n")).count(), usize::from(CANARIES));
}
