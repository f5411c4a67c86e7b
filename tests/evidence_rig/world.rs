//! A store of which there are only its reports and accesses: time goes on, runs are made, and things happen to it.

use std::collections::BTreeSet;
use std::time::Duration;

use lapsed::audit::{Access, Entry};
use lapsed::domain::actor::Role;
use lapsed::domain::clock_guard::Reason as ClockReason;
use lapsed::domain::erasure::ErasureClass;
use lapsed::domain::process::Class as ProcessClass;
use lapsed::domain::time::{Bucket, BucketWidth, Cutoff, Timestamp};
use lapsed::domain::verdict::Verdict;
use lapsed::purge::{
    Check, ClassRun, ClockSource, ClockStanding, Closing, DoubtEnd, DoubtReason, Erasure, Exception, Extents, Failure,
    KeyDestroyed, Kind, Line, ReadBack, Reason, Report, Run, Setting, Step, Tally, Terms, Told, Trigger, policy_digest,
};

use super::Ledgers;
use crate::random::Random;

/// 2026-11-21T20:40:00Z: the beginning of a bucket of ten minutes.
const BEGIN: Timestamp = Timestamp::from_millis(1_795_293_600_000);
const MINUTE: Duration = Duration::from_secs(60);

/// Something out of the ordinary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The thread is held up for some minutes.
    LateRun,
    /// A run fails once.
    FailedRun,
    /// The clock jumps forward by hours, and comes back.
    DoubtForward,
    /// The clock goes back by hours, and somebody accepts that.
    DoubtBack,
    /// Another window.
    WindowChanged,
    /// A stop, some hours of nothing, and a start.
    Restart,
    /// The same without a stop; other terms in the configuration.
    Crash,
    /// What `lapsed sweep` destroyed meanwhile.
    Swept,
    /// A key is damaged.
    KeyDamaged,
    /// The keyring is gone.
    KeyringLost,
}

impl Event {
    pub(crate) const ALL: [Self; 10] = [
        Self::LateRun,
        Self::FailedRun,
        Self::DoubtForward,
        Self::DoubtBack,
        Self::WindowChanged,
        Self::Restart,
        Self::Crash,
        Self::Swept,
        Self::KeyDamaged,
        Self::KeyringLost,
    ];
}

/// The store, in which each bucket has a report.
pub(crate) struct World {
    random: Random,
    now: Timestamp,
    terms: Terms,
    tally: Tally,
    /// The slots that have a key, as the table of the keyring has them.
    live: BTreeSet<u32>,
    damaged: BTreeSet<u32>,
    /// The latest bucket that got a key.
    newest: u32,
    /// Statements, holds and jumps of the clock.
    holds: u64,
    steps: u64,
    ledgers: Ledgers,
    /// Up to where the last run that was verified left nothing.
    gone: Timestamp,
    /// For how long rows, and keys, may now lie beyond their bounds: nobody ran, or the clock was in doubt.
    excused: (Duration, Duration),
    /// Was anything kept too long?
    broken: bool,
    /// Did the last run fail?
    failed: bool,
    /// Does the last report say so?
    told: bool,
}

impl World {
    /// A store that has just been made. A window of two hours and few runs keep it quick.
    pub(crate) fn new(seed: u64) -> Self {
        let terms =
            Terms { window: MINUTE * 120, bucket: BucketWidth::from_secs(600).unwrap(), purge_interval: MINUTE * 5 };
        Self::with_terms(seed, terms)
    }

    /// The same under other terms.
    pub(crate) fn with_terms(seed: u64, terms: Terms) -> Self {
        let mut random = Random(seed);
        let now = BEGIN.plus(Duration::from_millis(random.below(86_400_000)));
        let newest = terms.bucket.bucket_of(now).0 - 1;
        let ledgers = Ledgers { purge: Vec::new(), access: Vec::new() };
        let (live, damaged) = (BTreeSet::new(), BTreeSet::new());
        let mut world = Self {
            random,
            now,
            terms,
            tally: Tally::begin(now),
            live,
            damaged,
            newest,
            holds: 0,
            steps: 0,
            ledgers,
            gone: now.minus(terms.window),
            excused: (Duration::ZERO, Duration::ZERO),
            broken: false,
            failed: false,
            told: false,
        };
        world.run(Trigger::Start);
        world.report(Kind::Start);
        world
    }

    /// The ledgers as they are now.
    pub(crate) fn ledgers(&self) -> Ledgers {
        self.ledgers.clone()
    }

    /// What an auditor is to find: `Some(false)` if anything was kept too long, `None` if the last run failed.
    pub(crate) fn truth(&self) -> Option<bool> {
        if self.broken { Some(false) } else { (!self.failed).then_some(true) }
    }

    /// Goes on for an interval, and reports what is due.
    pub(crate) fn go_on(&mut self) {
        let late = Duration::from_millis(self.random.below(900));
        self.pass(self.terms.purge_interval + late);
        self.run(Trigger::Interval);
        self.report_if_due();
    }

    /// Goes on until the purge ledger has so many entries; each interval something happens with a chance of one in `rare`, if that is not 0.
    pub(crate) fn go_on_until(&mut self, entries: usize, rare: u64) {
        while self.ledgers.purge.len() < entries {
            if rare > 0 && self.random.below(rare) == 0 {
                let event = usize::try_from(self.random.below(10)).unwrap();
                self.meet(Event::ALL[event]);
            } else {
                self.go_on();
            }
        }
    }

    /// What failed is tried again at once.
    pub(crate) fn make_good(&mut self) {
        self.pass(Duration::from_secs(2));
        self.run(Trigger::Interval);
        self.report_if_due();
    }

    /// Stops, as a daemon does that is told to.
    pub(crate) fn stop(&mut self) {
        self.run(Trigger::Stop);
        self.report(Kind::Stop);
    }

    /// Lets something happen.
    pub(crate) fn meet(&mut self, event: Event) {
        let minutes = |random: &mut Random, most| MINUTE * u32::try_from(1 + random.below(most)).unwrap();
        let hours = minutes(&mut self.random, 300);
        match event {
            Event::LateRun => {
                let late = self.terms.purge_interval + minutes(&mut self.random, 25);
                self.pass(late);
                self.run(Trigger::Interval);
                self.report_if_due();
            }
            Event::FailedRun => {
                self.pass(self.terms.purge_interval);
                let failure = Failure { step: Step::Compact, reason: Reason::Io };
                self.run_with(Trigger::Interval, vec![failure]);
                self.report_if_due();
                if self.random.below(2) == 0 {
                    self.make_good();
                }
            }
            Event::DoubtForward => self.doubt_forward(hours),
            Event::DoubtBack => self.doubt_back(hours),
            Event::WindowChanged => self.change_window(),
            Event::Restart => {
                self.stop();
                self.start_after(hours);
            }
            Event::Crash => {
                let (old, new) = (self.terms.purge_interval, minutes(&mut self.random, 6));
                self.terms.purge_interval = new;
                if old != new {
                    let (at, setting) = (self.now.plus(hours), Setting::PurgeInterval);
                    self.tally.note(Exception::PolicyChanged { at, setting, old, new, who: None });
                }
                self.start_after(hours);
            }
            Event::Swept => {
                self.stop();
                self.tally.note(Exception::Swept { at: self.now.plus(hours), keys: 3 });
                self.start_after(hours);
            }
            Event::KeyDamaged => self.damaged.extend(self.live.pop_last()),
            Event::KeyringLost => {
                self.stop();
                self.damaged.append(&mut self.live);
                self.tally.note(Exception::KeyringLost { at: self.now.plus(hours) });
                self.start_after(hours);
            }
        }
    }

    fn start_after(&mut self, pause: Duration) {
        self.now = self.now.plus(pause);
        // Rows lie until somebody runs; keys have sweeps.
        self.excused = (Duration::MAX, Duration::ZERO);
        self.run(Trigger::Start);
        self.report(Kind::Start);
        self.excused = (Duration::ZERO, Duration::ZERO);
    }

    fn doubt_forward(&mut self, by: Duration) {
        // Longer, and keys would go by the time since boot.
        let lasted = MINUTE * u32::try_from(self.random.below(55)).unwrap();
        self.excused = (MINUTE * 360, MINUTE * 60);
        self.steps += 1;
        let at = self.now.plus(by);
        self.tally.note(Exception::ClockDoubtBegun { at, reason: DoubtReason::JumpedForward, by });
        self.now = self.now.plus(lasted);
        self.tally.note(Exception::ClockDoubtEnded { at: self.now, by: DoubtEnd::Agreed });
        self.run(Trigger::Interval);
        self.report(Kind::Exception);
        self.excused = (Duration::ZERO, Duration::ZERO);
    }

    fn doubt_back(&mut self, by: Duration) {
        self.steps += 1;
        let at = self.now.minus(by);
        self.tally.note(Exception::ClockDoubtBegun { at, reason: DoubtReason::WentBack, by });
        let (actor, role, reason) = ([7; 8], Role::Operator, ClockReason::WentBack);
        let step = -i64::try_from(by.as_secs()).unwrap();
        self.ledgers.access.push(Entry::ClockAccepted { at: self.now, actor, role, reason, step });
        self.tally.note(Exception::ClockDoubtAccepted { at, who: actor });
        self.now = at;
        self.run(Trigger::Interval);
        self.report(Kind::Exception);
    }

    fn change_window(&mut self) {
        let old = self.terms.window;
        let new = MINUTE * u32::try_from(60 + 10 * self.random.below(12)).unwrap();
        self.terms.window = new;
        let changed = Exception::PolicyChanged { at: self.now, setting: Setting::Window, old, new, who: Some([9; 8]) };
        self.tally.note(changed);
        // What a shorter one makes due was in its time until now.
        self.excused = (old.saturating_sub(new), old.saturating_sub(new));
        self.run(Trigger::Asked);
        self.report(Kind::Policy);
        self.excused = (Duration::ZERO, Duration::ZERO);
    }

    /// Time passes, and accesses are made.
    fn pass(&mut self, by: Duration) {
        self.now = self.now.plus(by);
        self.holds = self.random.below(5);
        for _ in 0..self.random.below(3) {
            // Those that are answered side by side need not be on record in the order in which they came.
            let at = self.now.minus(Duration::from_millis(self.random.below(400)));
            let access = self.access(at);
            self.ledgers.access.push(access);
        }
    }

    fn access(&mut self, at: Timestamp) -> Entry {
        let byte = u8::try_from(self.random.below(256)).unwrap();
        let access = Access {
            at,
            actor: [byte; 8],
            role: Role::Analyst,
            request: [byte; 16],
            class: ProcessClass::Compelled,
            process_types: [3; 32],
            papers: [byte; 32],
        };
        match byte {
            0..20 => Entry::TokenMinted { at, actor: access.actor, role: Role::Approver },
            20..30 => Entry::LockedOut { at, origin: [byte; 8], failures: 10, lasts: 60 },
            30.. => Entry::Lookup { access, verdict: Verdict::Attributed },
        }
    }

    fn run(&mut self, trigger: Trigger) {
        self.run_with(trigger, Vec::new());
    }

    fn run_with(&mut self, trigger: Trigger, failures: Vec<Failure>) {
        let cutoff = Cutoff::of(self.now, self.terms.window);
        let mut run = Run::begin(self.now, trigger, cutoff);
        self.turn_keys(&mut run);
        self.failed = !failures.is_empty();
        let count = self.random.below(2000);
        // A run that fails unlinks nothing, and the next one what it left.
        let due = cutoff.horizon().since(self.gone);
        let gone = if self.failed || due.is_zero() { 0 } else { count };
        let oldest = (gone > 0).then(|| self.gone.plus(Duration::from_millis(self.random.below(2))));
        let class = ClassRun { scanned: gone, filtered: gone, remaining: 0, oldest };
        self.broken |= oldest.is_some_and(|oldest| self.is_late(oldest, self.excused.0));
        if !self.failed {
            self.gone = self.gone.max(cutoff.horizon());
        }
        (run.classes.assignments, run.listings) = (class, class);
        run.files_removed = 1;
        run.manifest_rolled = true;
        run.wal_oldest = Some(self.now);
        let made = |check: &&Check| check.is_made_always() || !run.destroyed.is_empty();
        run.checks = Check::ALL.iter().filter(made).map(|check| (*check, true)).collect();
        run.failures = failures;
        self.tally.take(count);
        self.tally.add(&run, &self.terms);
    }

    /// Keys are made for this bucket and the next, and destroyed once their bucket is past.
    fn turn_keys(&mut self, run: &mut Run) {
        let (width, horizon) = (self.terms.bucket, run.cutoff.horizon());
        let due = |bucket: &u32| width.start_of(Bucket(*bucket).later(1)) <= horizon;
        let next = width.bucket_of(self.now).0 + 1;
        for bucket in self.newest + 1..=next {
            run.opened.push((Bucket(bucket), [u8::try_from(self.random.below(256)).unwrap(); 32]));
            self.live.insert(bucket);
        }
        self.newest = self.newest.max(next);
        let mut first: Option<u32> = None;
        for of in [&mut self.live, &mut self.damaged] {
            let past: Vec<u32> = of.iter().copied().filter(due).collect();
            for bucket in past {
                of.remove(&bucket);
                let (read_back, extents) = (ReadBack::Device, Extents::Same);
                first = Some(first.map_or(bucket, |first| first.min(bucket)));
                run.destroyed.push(KeyDestroyed { bucket: Bucket(bucket), at: self.now, read_back, extents });
            }
        }
        // The last instant that the oldest of them was for.
        let oldest = first.map(|bucket| width.start_of(Bucket(bucket).later(1)));
        self.broken |= oldest.is_some_and(|oldest| self.is_late(oldest, self.excused.1));
        run.live_keys = u32::try_from(self.live.len()).unwrap();
        run.unreadable = self.damaged.iter().copied().map(Bucket).collect();
    }

    /// Is it older now than a row may be?
    fn is_late(&self, row: Timestamp, excused: Duration) -> bool {
        let bound = self.terms.window + self.terms.purge_interval + Duration::from_secs(5);
        self.now.since(row) > bound.saturating_add(excused)
    }

    fn report_if_due(&mut self) {
        if self.tally.has_exceptions() || (self.told && !self.failed) {
            self.report(Kind::Exception);
        } else if self.tally.is_due(self.now, self.terms.bucket) {
            self.report(Kind::Bucket);
        }
    }

    fn report(&mut self, kind: Kind) {
        let closing = Closing {
            kind,
            at: self.now,
            system: [0x5e; 16],
            software: Line::of("0.1.0"),
            policy: policy_digest(format!("window {}\n", self.terms.window.as_secs()).as_bytes()),
            terms: self.terms,
            clock: ClockStanding {
                source: ClockSource::System,
                synchronised: Told::Yes,
                offset_micros: None,
                steps: std::mem::take(&mut self.steps),
            },
            erasure: Erasure {
                class: ErasureClass::Unsure,
                stack: Line::of("ext4 on vda1 on vda (virtio)"),
                same_device: Told::Yes,
            },
            holds: self.holds,
            accesses: u64::try_from(self.ledgers.access.len()).unwrap(),
        };
        // What no run was verified to have unlinked may still be there.
        self.broken |= self.is_late(self.gone, self.excused.0);
        self.told = self.failed;
        let closed = self.tally.close(&closing);
        self.ledgers.purge.extend(closed.reports);
        self.tally = closed.next;
    }

    /// The last report.
    pub(crate) fn last(&self) -> &Report {
        self.ledgers.purge.last().unwrap()
    }
}
