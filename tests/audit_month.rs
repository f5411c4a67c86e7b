//! A month of a store, minute by minute, on a clock that is moved by hand: every purge run is a real one on the real store. What its
//! ledgers are signed for is then laid out as an auditor has it, verified and made into a page by the real `lapse`.
//!
//! `LAPSED_MONTH_DAYS` says how many days; four of them are enough for everything out of the ordinary to happen. `LAPSED_MONTH_STEP` says how
//! many minutes there are between two runs.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::print_stderr,
    reason = "a test stops at what it did not expect, and says what it measured"
)]

#[path = "support/sample.rs"]
mod sample;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lapsed::audit::{Access, Entry, HoldAct};
use lapsed::domain::actor::Role;
use lapsed::domain::address::Network;
use lapsed::domain::erasure::ErasureClass;
use lapsed::domain::identity::{Entity, SessionTag, SubscriberId};
use lapsed::domain::process::Class;
use lapsed::domain::record::Record;
use lapsed::domain::retention::Retention;
use lapsed::domain::time::{BucketWidth, Timestamp};
use lapsed::domain::verdict::Verdict;
use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::keys::{Signer, make_if_missing};
use lapsed::ledger::tile::{Bundle, FULL, Tile, TileKind, paths_of};
use lapsed::purge::{
    ClockSource, ClockStanding, Closing, DoubtEnd, DoubtReason, Erasure, Exception, Kind as ReportKind,
    Line as ReportLine, Order, Purger, Setting, Terms, Told, Trigger, policy_digest,
};
use lapsed::store::{Batch, Log, Opening, Store};

/// 2026-11-01T00:00:00Z.
const BEGIN: u64 = 1_793_491_200;
const MINUTES: u64 = 24 * 60;

fn retention(hours: u64) -> Retention {
    Retention {
        window: Duration::from_secs(hours * 3600),
        bucket: BucketWidth::from_secs(600).unwrap(),
        purge_interval: Duration::from_secs(step() * 60),
        carry_interval: Duration::from_secs(3600),
        max_silence: None,
    }
}

fn minute(number: u64) -> Timestamp {
    Timestamp::from_millis((BEGIN + number * 60) * 1000)
}

fn days() -> u64 {
    number("LAPSED_MONTH_DAYS", 4)
}

fn step() -> u64 {
    number("LAPSED_MONTH_STEP", 10)
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |number| number.parse().unwrap())
}

/// A store, its purge, and what has happened.
struct Month {
    store: Arc<Store>,
    purger: Purger,
    hours: u64,
    holds: u64,
    runs: u64,
    accesses: u64,
}

impl Month {
    fn begin(dir: &Path) -> Self {
        let store = Arc::new(Store::open(dir, dir, &retention(48), Opening::at(minute(0), &retention(48))).unwrap());
        let purger = Purger::resume(Arc::clone(&store), minute(0)).unwrap();
        let mut month = Self { store, purger, hours: 48, holds: 0, runs: 0, accesses: 0 };
        month.run(minute(0));
        month.close(ReportKind::Start, minute(0));
        month
    }

    fn statement(&self, number: u64) {
        let at = minute(number).plus(Duration::from_secs(number % 60));
        let address = std::net::Ipv4Addr::from(0xc612_0000 | (number as u32 & 0xffff));
        let record = Record {
            subject: sample::whole(Network::single(address.into())),
            session: SessionTag(number.to_be_bytes()),
            subscriber: Some(SubscriberId(format!("subscriber-{number}@isp.example"))),
            ..sample::start(at)
        };
        let mut batch = Batch::new();
        batch.record(self.store.sealer().seal(&record, &Entity::default()).unwrap());
        self.store.commit(batch).unwrap();
    }

    fn access(&mut self, at: Timestamp, entry: impl FnOnce(Access) -> Entry) {
        let id = (self.accesses as u128).to_be_bytes();
        let class = [Class::Compelled, Class::Voluntary, Class::Customer][self.accesses as usize % 3];
        let access = Access {
            at,
            actor: [7; 8],
            role: Role::Analyst,
            request: id,
            class,
            process_types: [1; 32],
            papers: [2; 32],
        };
        let mut batch = Batch::new();
        batch.entry(Log::Access, self.store.next_entry(Log::Access), entry(access).to_bytes());
        self.store.commit(batch).unwrap();
        self.accesses += 1;
    }

    fn run(&mut self, now: Timestamp) {
        self.store.make_keys(now).unwrap();
        let order = Order { cutoff: retention(self.hours).cutoff(now), trigger: Trigger::Interval };
        let run = self.purger.run(order, &Terms::of(&retention(self.hours)), &|| now, &mut |_| {}).unwrap();
        assert!(!run.failed(), "{run:?}");
        self.runs += 1;
    }

    fn close(&mut self, kind: ReportKind, at: Timestamp) {
        let closing = Closing {
            kind,
            at,
            system: self.store.id(),
            software: ReportLine::of(env!("CARGO_PKG_VERSION")),
            policy: policy_digest(self.store.policy().as_bytes()),
            terms: Terms::of(&retention(self.hours)),
            clock: ClockStanding {
                source: ClockSource::System,
                synchronised: Told::Yes,
                offset_micros: None,
                steps: 0,
            },
            erasure: Erasure { class: ErasureClass::Unsure, stack: ReportLine::of("unknown"), same_device: Told::Yes },
            holds: self.holds,
            accesses: self.store.next_entry(Log::Access),
        };
        self.purger.close(&closing).unwrap();
    }

    /// A minute of the month: a statement, sometimes an access, a run when it is time, and every ten minutes a report.
    fn pass(&mut self, number: u64, late: u64) {
        let now = minute(number);
        if number.is_multiple_of(step()) {
            self.statement(number);
            self.purger.take(1);
        }
        let hour = number % MINUTES / 60;
        if number % 60 == 30 && (8..18).contains(&hour) {
            let verdict = [Verdict::Attributed, Verdict::Purged, Verdict::NoCoverage][number as usize / 60 % 3];
            self.access(now, |access| Entry::Lookup { access, verdict });
        }
        if number == MINUTES / 2 {
            let (reason, by) = (DoubtReason::JumpedForward, Duration::from_secs(300));
            self.purger.note(Exception::ClockDoubtBegun { at: now, reason, by });
            self.purger.note(Exception::ClockDoubtEnded { at: now, by: DoubtEnd::Kernel });
        }
        if number == MINUTES + 60 {
            self.holds = 1;
            self.access(now, |access| Entry::Hold { access, act: HoldAct::Placed, hold: [5; 16], records: 3 });
        }
        if number == 2 * MINUTES + 60 {
            self.holds = 0;
            self.access(now, |access| Entry::Hold { access, act: HoldAct::Released, hold: [5; 16], records: 3 });
        }
        if number == 3 * MINUTES {
            self.store.change_window(retention(24).window).unwrap();
            let (old, new) = (retention(48).window, retention(24).window);
            self.purger.note(Exception::PolicyChanged {
                at: now,
                setting: Setting::Window,
                old,
                new,
                who: Some([7; 8]),
            });
            self.hours = 24;
            self.run(now);
            self.close(ReportKind::Policy, now);
            return;
        }
        // Nobody purges for a while.
        let stopped = 3 * MINUTES + 120;
        if (stopped..stopped + late).contains(&number) || !number.is_multiple_of(step()) {
            return;
        }
        self.run(now);
        if self.purger.tally().has_exceptions() {
            self.close(ReportKind::Exception, now);
        } else if self.purger.tally().is_due(now, retention(48).bucket) {
            self.close(ReportKind::Bucket, now);
        }
    }

    /// What an auditor has: the ledgers as files, and the keys.
    fn lay_out(&self, dir: &Path) {
        for log in Log::ALL {
            let (name, origin) = (log.name(), format!("lapsed/{}", log.name()));
            make_if_missing(dir, name, &origin).unwrap();
            let signer = Signer::read(dir, name, &origin).unwrap();
            let (size, root) = self.store.tree(log);
            let to = dir.join("evidence").join(name);
            for path in paths_of(size) {
                let (first, width) = (path.index * u64::from(FULL), usize::from(path.width));
                let bytes = match path.kind {
                    TileKind::Entries => {
                        let entries = self.store.entries(log, first, width).unwrap();
                        Bundle { entries: entries.into_iter().map(|(_, entry)| entry).collect() }.encode().unwrap()
                    }
                    TileKind::Hashes { level } => {
                        let hashes = self.store.log_hashes(log).hashes(level * 8, first, width).unwrap();
                        Tile { hashes }.encode()
                    }
                };
                let file = to.join(path.to_string());
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, bytes).unwrap();
            }
            fs::write(to.join("checkpoint"), Checkpoint { origin, size, root }.sign(&signer)).unwrap();
        }
    }
}

/// `lapse audit` on what an auditor has.
fn audit(dir: &Path, what: &str, further: &[&str]) -> (Output, Duration) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
    command.current_dir(dir).args([
        "audit",
        what,
        "evidence",
        "--purge-vkey",
        "purge.vkey",
        "--access-vkey",
        "access.vkey",
    ]);
    let begun = Instant::now();
    let output = command.args(further).output().unwrap();
    (output, begun.elapsed())
}

/// Days in which nobody purges for so many minutes, as they verify and as they are shown.
fn month(late: u64) -> (String, String) {
    // In memory, if this machine has that: each run syncs many times.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let state = dir.path().join("state");
    let mut month = Month::begin(&state);
    (1..=days() * MINUTES).for_each(|number| month.pass(number, late));
    month.lay_out(dir.path());
    let (verified, took) = audit(dir.path(), "verify", &["-o", "json"]);
    let ending = Some(i32::from(late > 0));
    assert_eq!(verified.status.code(), ending, "{}", String::from_utf8_lossy(&verified.stdout));
    assert!(took < Duration::from_secs(10), "{took:?}");
    let (reported, made) = audit(dir.path(), "report", &["-o", "report.html"]);
    assert_eq!(reported.status.code(), ending, "{}", String::from_utf8_lossy(&reported.stderr));
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    let (purge, access) = (month.store.next_entry(Log::Purge), month.store.next_entry(Log::Access));
    let bundles: Vec<u64> = Log::ALL.iter().map(|log| bytes_of(&month, *log)).collect();
    eprintln!(
        "{} runs: {purge} reports of {} bytes, {access} accesses of {} bytes on average; verified in {took:?}, a page of {} bytes in {made:?}",
        month.runs,
        bundles[1] / purge,
        bundles[0] / access,
        page.len(),
    );
    assert!(bundles[1] / purge < 1024 && bundles[0] / access < 600);
    (String::from_utf8(verified.stdout).unwrap(), page)
}

/// Bytes of a log in the database: its entries, and the hashes that are kept.
fn bytes_of(month: &Month, log: Log) -> u64 {
    let entries = month.store.entries(log, 0, usize::MAX).unwrap();
    let hashes = [0, 8, 16].map(|level| month.store.log_hashes(log).hashes(level, 0, usize::MAX).unwrap().len() as u64);
    let values: u64 = entries.iter().map(|(_, entry)| entry.len() as u64).sum();
    values + 9 * entries.len() as u64 + 42 * hashes.iter().sum::<u64>()
}

#[test]
fn a_month_in_which_all_went_in_time_is_valid_and_shows_no_violation() {
    let (verified, page) = month(0);
    let verdict: serde_json::Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verdict["valid"], true);
    assert!(page.contains("NO VIOLATION FOUND") && !page.contains("BREACH"));
}

#[test]
fn a_month_in_which_nobody_purged_for_a_quarter_of_an_hour_shows_the_breach_and_nothing_else() {
    let (verified, page) = month(15);
    let verdict: serde_json::Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verdict["valid"], false);
    let failed = verdict["checks"].as_array().unwrap().iter().filter(|check| check["result"] == "fail");
    let failed: Vec<_> = failed.map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(failed, ["unlink-age", "key-age", "reported-breaches"]);
    assert!(page.contains("BREACH"));
}
