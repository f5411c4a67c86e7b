//! Nobody is found in the state directory or in the daemon's talk: not those who were stored, not those whose packets
//! were turned away, not the papers of those who asked.
//!
//! Two ways of looking. Raw bytes of every file, which shows what the store writes around its values: logs, MANIFEST,
//! boundary keys. And every decoded key and value, since compression hides text from a search.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::client::RequestBuilder;
use rocksdb::{DB, DBCompressionType, IteratorMode, Options};

use support::radius::{Nas, SECRET, request};
use support::{Site, TWO_NAS, ago, code, files_below, subpoena};

const CASE: &str = "24-CR-HARROWGATE-1022";
const AUTHORITY: &str = "Harrowgate Example District Court";

/// Someone whose traces are looked for.
struct Person {
    name: &'static str,
    number: u8,
}

/// One person for every fate that a packet can have.
const STORED: Person = Person { name: "quillon.harrowgate", number: 1 };
const ENDED: Person = Person { name: "ottoline.pemberley", number: 2 };
const WRONG_SECRET: Person = Person { name: "barnaby.thistlewood", number: 3 };
const STRANGER: Person = Person { name: "seraphina.blackmoor", number: 4 };
const NOT_OURS: Person = Person { name: "montague.fairweather", number: 105 };
const EXPIRED: Person = Person { name: "cordelia.ashdown", number: 6 };
const EVERYBODY: [&Person; 6] = [&STORED, &ENDED, &WRONG_SECRET, &STRANGER, &NOT_OURS, &EXPIRED];

impl Person {
    fn user_name(&self) -> String {
        format!("{}@isp.example", self.name)
    }

    const fn mac(&self) -> [u8; 6] {
        [0x02, 0x5e, 0xc0, 0xff, 0xee, self.number]
    }

    fn mac_with(&self, separator: &str) -> String {
        self.mac().map(|octet| format!("{octet:02x}")).join(separator)
    }

    fn circuit_id(&self) -> String {
        format!("olt-{}/3/41", self.name)
    }

    fn session(&self) -> String {
        format!("65A0-{}-0001", self.name)
    }

    const fn v4(&self) -> Ipv4Addr {
        Ipv4Addr::new(198, 51, 100, 70 + self.number)
    }

    const fn v6(&self) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, 0x7a11, 0xb330 + self.number as u16, 0xcafe, 0xf00d, 0xbeef, 1)
    }

    /// What this person's NAS says; every attribute that could name the person is in it.
    fn statement(&self, status: StatusType, at: Timestamp) -> RequestBuilder {
        request(self.number, status, &self.session(), at)
            .user_name(&self.user_name())
            .calling_station_id(&self.mac_with("-"))
            .circuit_id(self.circuit_id().as_bytes())
            .remote_id(self.circuit_id().as_bytes())
            .nas_port_id(&self.circuit_id())
            .framed_ip(self.v4())
            .framed_ipv6(self.v6())
    }

    /// All that would betray this person. Four bytes of an address occur by chance in random ones; eight do not.
    fn traces(&self) -> Vec<Vec<u8>> {
        let texts = [
            self.name.to_owned(),
            self.user_name(),
            self.circuit_id(),
            self.session(),
            self.mac_with(":"),
            self.mac_with("-"),
            self.mac_with(""),
            self.v4().to_string(),
            self.v6().to_string(),
        ];
        let mut traces: Vec<Vec<u8>> =
            texts.iter().flat_map(|text| [text.as_bytes().to_vec(), hex(text.as_bytes())]).collect();
        traces.push(self.mac().to_vec());
        traces.push(self.v6().octets()[..8].to_vec());
        traces.push(hex(&self.v6().octets()[..8]));
        traces
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes()
}

/// Does it occur, in whatever case its letters are?
fn occurs(trace: &[u8], bytes: &[u8]) -> bool {
    bytes.windows(trace.len()).any(|window| window.eq_ignore_ascii_case(trace))
}

fn assert_nobody(bytes: &[u8], traces: &[Vec<u8>], place: &str) {
    for trace in traces {
        assert!(!occurs(trace, bytes), "{} is in {place}", String::from_utf8_lossy(trace));
    }
}

/// Searches every file below a directory; those that vanish meanwhile are gone, which is as good.
fn assert_nobody_below(dir: &Path, traces: &[Vec<u8>]) {
    let files = files_below(dir);
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        assert_nobody(file.to_str().unwrap().as_bytes(), traces, "the name of a file");
        assert_nobody(&fs::read(&file).unwrap_or_default(), traces, &file.display().to_string());
    }
}

/// Every key and value of a copy of the database, with the name of its family.
fn rows_of_a_copy(db: &Path, copy: &Path) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    fs::create_dir(copy).unwrap();
    for file in files_below(db) {
        fs::copy(&file, copy.join(file.file_name().unwrap())).unwrap();
    }
    let options = Options::default();
    let families = DB::list_cf(&options, copy).unwrap();
    let mut uncompressed = Options::default();
    uncompressed.set_compression_type(DBCompressionType::None);
    let with_options = families.iter().map(|family| (family, uncompressed.clone()));
    let db = DB::open_cf_with_opts(&options, copy, with_options).unwrap();
    let mut rows = Vec::new();
    for family in families {
        for row in db.iterator_cf(db.cf_handle(&family).unwrap(), IteratorMode::Start) {
            let (key, value) = row.unwrap();
            rows.push((family.clone(), key.to_vec(), value.to_vec()));
        }
    }
    rows
}

/// Lets everybody's packets come in, each to its own fate.
fn speak(daemon: std::net::SocketAddr) {
    let north = Nas::at("127.0.0.1", daemon);
    let secret = SECRET.as_bytes();
    let sign = |builder: RequestBuilder, secret: &[u8]| builder.sign(secret).unwrap();
    Nas::at("127.0.0.3", daemon).send(&sign(STRANGER.statement(StatusType::Start, ago(600)), secret));
    north.send(&sign(WRONG_SECRET.statement(StatusType::Start, ago(600)), b"another secret"));
    for statement in [
        STORED.statement(StatusType::Start, ago(600)),
        ENDED.statement(StatusType::Start, ago(900)),
        ENDED.statement(StatusType::Stop, ago(800)).session_time(std::time::Duration::from_secs(100)),
        NOT_OURS.statement(StatusType::Start, ago(600)),
        EXPIRED.statement(StatusType::Start, ago(4000)),
    ] {
        north.ask(&sign(statement, secret));
    }
}

fn papers<'a>(address: &'a str, at: &'a str) -> Vec<&'a str> {
    let replaced = |word| match word {
        "24-CR-1022" => CASE,
        "Example District Court" => AUTHORITY,
        other => other,
    };
    subpoena(address, at).into_iter().map(replaced).collect()
}

/// The arguments of a look-up of one subscriber.
fn history<'a>(person: &'a str, from: &'a str, to: &'a str) -> Vec<&'a str> {
    let papers = ["--process", "subpoena", "--case", CASE, "--authority", AUTHORITY, "-o", "json"];
    [["subscriber", person, "--from", from, "--to", to].as_slice(), &papers].concat()
}

#[test]
fn nobody_is_found_in_any_file_or_in_the_talk_of_a_daemon_that_says_all_it_can() {
    let ours = "[[network]]\nprefix = \"198.51.100.0/25\"\n[[network]]\nprefix = \"2001:db8:7a11:b330::/60\"\n";
    let site = Site::new(&format!("{TWO_NAS}{ours}"));
    let token = site.token("desk-1", "analyst");
    let daemon = site.start_with("lapsed.toml", Some("trace"));
    speak(daemon.radius);
    let mut traces: Vec<Vec<u8>> = EVERYBODY.iter().flat_map(|person| person.traces()).collect();
    traces.extend([CASE, AUTHORITY, &token, SECRET].map(|text| text.as_bytes().to_vec()));

    // The answers have it all, so it is there to be found.
    let at = ago(300).to_string();
    for address in [STORED.v4().to_string(), STORED.v6().to_string()] {
        let output = site.lapse(Some(&token), &papers(&address, &at));
        assert_eq!(code(&output), 0);
        assert!(occurs(STORED.user_name().as_bytes(), &output.stdout), "{output:?}");
        // What a subpoena does not reach is in none.
        for trace in [STORED.mac_with(":"), STORED.circuit_id()] {
            assert!(!occurs(trace.as_bytes(), &output.stdout), "{trace}");
        }
    }
    let (from, person) = (ago(3000).to_string(), STORED.user_name());
    let approver = site.token("desk-2", "approver");
    let output = site.lapse(Some(&approver), &history(&person, &from, &at));
    assert_eq!(code(&output), 0);
    for trace in [STORED.v4().to_string(), STORED.v6().to_string()] {
        assert!(occurs(trace.as_bytes(), &output.stdout), "{trace}");
    }
    // What goes wrong must not be talked about either.
    assert_eq!(code(&site.lapse(Some(&approver), &history(&person, "yesterday", &at))), 2);
    assert_eq!(code(&site.lapse(Some(&token), &papers(&STORED.v4().to_string(), "yesterday"))), 2);
    assert_eq!(code(&site.lapse(Some(&token), &papers(&STORED.user_name(), &at))), 2);

    let state = site.path("state");
    assert_nobody_below(&state, &traces);
    let (status, talk) = daemon.stop();
    assert!(status.success());
    assert!(talk.contains("ready socket="), "{talk}");
    assert_nobody(talk.as_bytes(), &traces, "the talk");
    assert_nobody_below(&state, &traces);

    let copy = site.path("copy");
    let rows = rows_of_a_copy(&state.join("db"), &copy);
    for (family, key, value) in &rows {
        assert_nobody(key, &traces, &format!("a key of {family}"));
        assert_nobody(value, &traces, &format!("a value of {family}"));
    }
    // The copy has its log in SST files now, and these uncompressed.
    assert_nobody_below(&copy, &traces);
    assert_the_search_can_find(&rows, &state, &copy);
    // The line was there to be found.
    let line = site.records_of(&person).remove(0).line;
    let found = (line.mac.unwrap().to_string(), line.circuit_id.unwrap().0);
    assert_eq!(found, (STORED.mac_with(":"), STORED.circuit_id()));
}

/// A search that finds nothing proves nothing unless it can find what is there: a source's name, which is nobody's, and
/// the words of the ledger.
fn assert_the_search_can_find(rows: &[(String, Vec<u8>, Vec<u8>)], state: &Path, copy: &Path) {
    let count = |name: &str| rows.iter().filter(|(family, ..)| family == name).count();
    // Two addresses of one start; two of a start and a stop, with a beginning inferred for each, and the session's end.
    let said = 2 + 2 * 3 + 1;
    // Settling may have come as far as to carry the open session on, on its two addresses.
    assert!([said, said + 2].contains(&count("by_address")), "{}", count("by_address"));
    let entries: Vec<_> = rows.iter().filter(|(family, ..)| family == "ledger").collect();
    let with = |mark: &[u8]| entries.iter().filter(|(.., value)| occurs(mark, value)).count();
    // The tokens and the lookups that were answered; the reports of the start and of the stop.
    assert_eq!((with(b"lapsed-access-v1 "), with(b"lapsed-access-v1 lookup")), (5, 2));
    assert_eq!(with(b"lapsed-access-v1 subscriber"), 1);
    // And of the end of a period, if one ended meanwhile.
    let reports = with(b"lapsed-purge-v1");
    assert!((2..=3).contains(&reports), "{reports}");
    // Each with its hash.
    assert_eq!(entries.len(), 2 * (5 + reports));
    for dir in [state, copy] {
        let raw: Vec<u8> = files_below(dir).iter().flat_map(|file| fs::read(file).unwrap()).collect();
        assert!(occurs(b"bng-north", &raw) && occurs(b"LAPSED-ACCESS-V1 LOOKUP", &raw), "{}", dir.display());
    }
}
