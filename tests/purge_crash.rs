//! Gone, whenever the purge was cut short: a child purges a store and aborts, before each step and in the middle of any.
//!
//! The story of every round: records are acknowledged, some time passes, a child opens the store, purges and goes on taking
//! records, and ends itself by `abort`, which flushes nothing and drops nothing. Then the store is opened again, purged
//! again, and looked through: nothing expired in any byte or table, everything acknowledged where it was, and reports without
//! a gap that claim no more than was verified. All rounds have one store, so that a round finds what earlier ones left.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod purge_rig;
mod random;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lapsed::domain::address::Realm;
use lapsed::domain::time::{Bucket, Cutoff, Timestamp};
use lapsed::purge::{Check, LastRun, Outcome, Report, Verdict};
use lapsed::store::{Log, Place, ReadError, Store};
use purge_rig::{
    at, close, commit, network, open, raw_keys, record, resume, retention, run, run_watched, table_instants,
};
use random::Random;

/// What a child is told, in its environment: directory, seconds, first number, and how it is to end.
const TOLD: &str = "LAPSED_PURGE_CRASH_CHILD";
/// How many statements a round begins with.
const RECORDS: u32 = 300;
/// What is purged in a round, at least: rows of this many seconds.
const STRIDE: u64 = 17;

/// How a child ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Before the step of this number; the last ones are closing the period and what follows that.
    Before(u64),
    /// So many microseconds after it began to purge.
    After(u64),
}

/// What became of a child.
#[derive(Debug, Default)]
struct Fate {
    /// It came to its end, and how long its purge took then.
    took_micros: Option<u64>,
    /// Numbers of statements that it acknowledged.
    acknowledged: Vec<u32>,
    /// What it began, in words.
    steps: Vec<String>,
}

/// What a child makes of itself: not a test of its own, but the other ones' second half.
#[test]
#[expect(clippy::disallowed_methods, reason = "this is how a test tells its child what to do, and measures it")]
fn a_child_purges_and_aborts_when_it_is_told_to() {
    let Ok(told) = std::env::var(TOLD) else { return };
    let words: Vec<&str> = told.splitn(4, ' ').collect();
    let [now, first, end, dir] = words[..] else { unreachable!() };
    let (now, first): (u64, u32) = (now.parse().unwrap(), first.parse().unwrap());
    let (how, number) = end.split_once(':').unwrap();
    let number: u64 = number.parse().unwrap();

    let store = open(Path::new(dir), at(now));
    let mut purger = resume(&store, at(now));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let began = Instant::now();
        if how == "after" {
            scope.spawn(move || {
                // A moment that nobody chose is what this is about, so it is taken to the microsecond.
                while began.elapsed() < Duration::from_micros(number) {
                    thread::yield_now();
                }
                std::process::abort();
            });
        }
        // Ingest goes on during a purge.
        scope.spawn(|| {
            for number in (first..).take_while(|_| !stop.load(Ordering::Acquire)) {
                commit(&store, [record(at(now), number)]);
                say(&format!("kept {number}"));
            }
        });
        let mut step = 0;
        let mut abort_or_go_on = |what: &str| {
            say(what);
            if how == "before" && step == number {
                std::process::abort();
            }
            step += 1;
        };
        run_watched(&mut purger, at(now), &mut |step| abort_or_go_on(&format!("{step:?}")));
        abort_or_go_on("Close");
        close(&mut purger, &store, at(now));
        abort_or_go_on("Closed");
        stop.store(true, Ordering::Release);
        say(&format!("took {}", began.elapsed().as_micros()));
        if how == "after" {
            // It was to be cut short, and was faster. So it ends here, and closes nothing.
            std::process::abort();
        }
    });
}

/// A line on standard error, in one write: the test harness keeps to standard output.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// A store over all rounds, and what is known of it.
struct Trial {
    dir: tempfile::TempDir,
    /// Seconds since the beginning.
    now: u64,
    /// The number that the next statement gets.
    next: u32,
    /// What was acknowledged and is not expired.
    kept: BTreeMap<u32, Timestamp>,
    /// Reports whose period has a run that was cut short after it went on record and before it was verified whole.
    unverified: Vec<u64>,
}

impl Trial {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, now: 100, next: 0, kept: BTreeMap::new(), unverified: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// One round; what became of its child.
    fn round(&mut self, end: End) -> Fate {
        self.acknowledge();
        self.now += STRIDE;
        let fate = self.child(end);
        let now = at(self.now);
        self.kept.extend(fate.acknowledged.iter().map(|number| (*number, now)));
        // The next round's statements are others than what the child may have written and not acknowledged.
        self.next += 1_000_000;
        self.repair(end, &fate);
        fate
    }

    /// Statements of the last window: some in tables, some in the log.
    fn acknowledge(&mut self) {
        let store = open(&self.path(), at(self.now));
        for part in 0..2 {
            let numbers = self.next..self.next + RECORDS / 2;
            let time = |number: u32| at(self.now - u64::from(number % 95));
            commit(&store, numbers.clone().map(|number| record(time(number), number)));
            self.kept.extend(numbers.map(|number| (number, time(number))));
            self.next += RECORDS / 2;
            if part == 0 {
                store.flush_expired(at(self.now)).unwrap();
            }
        }
    }

    fn child(&self, end: End) -> Fate {
        let (how, number) = match end {
            End::Before(step) => ("before", step),
            End::After(micros) => ("after", micros),
        };
        let told = format!("{} {} {how}:{number} {}", self.now, self.next, self.dir.path().display());
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "a_child_purges_and_aborts_when_it_is_told_to", "--nocapture"]).env(TOLD, told);
        let output = child.stdin(Stdio::null()).stdout(Stdio::null()).output().unwrap();
        let mut fate = Fate::default();
        let talk = String::from_utf8(output.stderr).unwrap();
        for line in talk.lines() {
            match line.split_once(' ') {
                Some(("kept", number)) => fate.acknowledged.push(number.parse().unwrap()),
                Some(("took", micros)) => fate.took_micros = Some(micros.parse().unwrap()),
                Some(_) => panic!("a child says:\n{talk}"),
                None => fate.steps.push(line.to_owned()),
            }
        }
        assert!(fate.took_micros.is_some() || !output.status.success(), "a child that ends tells how long it took");
        fate
    }

    /// Opens the store again, purges, reports, and looks through everything.
    fn repair(&mut self, end: End, fate: &Fate) {
        let dir = self.path();
        let (now, cutoff) = (at(self.now), retention().cutoff(at(self.now)));
        let store = open(&dir, now);
        let mut purger = resume(&store, now);
        // On record, and cut short before all of it was verified: the report of this period must say so.
        if matches!(end, End::Before(_)) && fate.steps.last().is_some_and(|step| step == "Directory") {
            self.unverified.push(purger.tally().sequence());
        }
        let made = run(&mut purger, now);
        assert!(!made.failed(), "{fate:?} {made:?}");
        close(&mut purger, &store, now);

        self.find_nothing_expired(&store);
        assert_eq!(raw_keys(&dir, cutoff.horizon()), [], "plain bytes after {fate:?}");
        let decoded: Vec<_> = table_instants(&dir).into_iter().filter(|(_, at, _)| cutoff.hides(*at)).collect();
        assert_eq!(decoded, [], "decoded tables after {fate:?}");
        assert_eq!(store.doomed().unwrap().total(), 0);
        self.find_what_was_kept(&store);
        self.check_reports(&store);
    }

    /// Whoever asks for it, by whatever cutoff of their own.
    fn find_nothing_expired(&mut self, store: &Store) {
        let (expired, kept) = std::mem::take(&mut self.kept).into_iter().partition(|(_, at)| store.cutoff().hides(*at));
        self.kept = kept;
        let expired: BTreeMap<_, _> = expired;
        let mut view = store.observations(Cutoff::at(Timestamp::EPOCH));
        for (number, at) in expired {
            let place = Place::Address { realm: &Realm::default(), network: network(number) };
            let found = view.in_bucket(&place, retention().bucket.bucket_of(at));
            assert!(matches!(found.as_deref(), Ok([]) | Err(ReadError::Destroyed(_))), "{at:?} {found:?}");
        }
    }

    fn find_what_was_kept(&self, store: &Store) {
        let mut view = store.observations(store.cutoff());
        for (number, at) in &self.kept {
            let place = Place::Address { realm: &Realm::default(), network: network(*number) };
            let found = view.in_bucket(&place, retention().bucket.bucket_of(*at)).unwrap();
            assert_eq!(found, [record(*at, *number)], "it was acknowledged");
        }
    }

    /// The whole ledger: no gap, keys that add up, and no word of a verification that was not made.
    fn check_reports(&self, store: &Store) {
        let entries = store.entries(Log::Purge, 0, usize::MAX).unwrap();
        let reports: Vec<_> = entries.iter().map(|(index, bytes)| (*index, Report::parse(bytes).unwrap())).collect();
        let mut open: BTreeMap<Bucket, [u8; 32]> = BTreeMap::new();
        let mut to = None;
        for (number, (index, report)) in (0_u64..).zip(&reports) {
            assert_eq!((number, number), (*index, report.sequence));
            assert!(to.is_none_or(|to| to == report.from), "a gap before report {number}");
            to = Some(report.to);
            for (bucket, commitment) in &report.keys.opened {
                assert_eq!(open.insert(*bucket, *commitment), None, "{bucket:?} was opened twice");
            }
            for key in &report.keys.destroyed {
                assert!(open.remove(&key.bucket).is_some(), "{:?} was destroyed and was not open", key.bucket);
            }
            assert_eq!(u32::try_from(open.len()).unwrap(), report.keys.live, "report {number}");
            if report.verdict() == Verdict::Clean {
                let always = Check::ALL.iter().filter(|check| check.is_made_always());
                let verified = always.clone().all(|check| report.outcome(*check) == Outcome::Passed);
                assert!(verified && report.runs.last == LastRun::Verified && report.runs.failed == 0, "{report:?}");
            }
            if self.unverified.contains(&number) {
                assert_ne!(report.verdict(), Verdict::Clean, "{report:?}");
                assert_eq!(report.outcome(Check::FilesAreLive), Outcome::NotMade, "{report:?}");
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is no setting of the daemon")]
fn aborts() -> u64 {
    std::env::var("LAPSED_PURGE_ABORTS").map_or(20, |aborts| aborts.parse().unwrap())
}

/// Every step there is, in the order of a run in which all goes well.
const STEPS: [&str; 10] =
    ["Barrier", "Flush", "Count", "Keys", "Compact", "Verify", "Record", "Directory", "Close", "Closed"];

#[test]
fn a_purge_that_was_cut_short_anywhere_is_made_good_by_the_next() {
    let mut trial = Trial::new();
    // Before each step, until there is no further one.
    let mut steps = 0;
    let took = loop {
        let fate = trial.round(End::Before(steps));
        if let Some(took) = fate.took_micros {
            break took;
        }
        assert_eq!(fate.steps, STEPS[..=usize::try_from(steps).unwrap()]);
        steps += 1;
    };
    assert_eq!(steps, 10);
    // And wherever it happens to be.
    let mut random = Random(0x1a95_ed02);
    let mut cut_short: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..aborts() {
        let fate = trial.round(End::After(random.below(took.clamp(5_000, 500_000))));
        *cut_short.entry(fate.steps.last().cloned().unwrap_or_default()).or_default() += 1;
    }
    assert!(cut_short.len() > 1, "they were not all in the same step: {cut_short:?}");
}
