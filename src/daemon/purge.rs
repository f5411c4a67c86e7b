//! The purge's thread: it keeps the keyring in step with time, makes a run every interval, and writes the reports.
//!
//! It is a thread of its own because a run blocks, on the disk and for as long as it takes. In doubt about the clock it makes
//! no key and no run; it destroys only what the time since the machine started proves to be past.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::config::Config;
use crate::domain::clock_guard::{ClockEvent, ClockEventKind};
use crate::purge::{
    Act, ClockSource, ClockStanding, Closing, Exception, Kind, Order, Purger, Report, Run, SLACK, Setting, Terms,
    Trigger, policy_digest,
};
use crate::store::{CaseClass, CommitError, KeyringFound, Log, Store, WindowError};

use super::counters::Counters;
use super::ledgers::Ledgers;
use super::purge_terms;
use super::purge_view::PurgeView;
use super::room::Room;
use super::time::{Present, Time};
use super::upkeep;

/// How long the thread waits at most before it looks at the clock again.
const LONGEST_NAP: Duration = Duration::from_secs(1);

/// Something that is asked of the purge.
pub(super) enum Ask {
    /// A run now.
    Run(oneshot::Sender<Option<Box<Run>>>),
    /// Another window, by a principal's pseudonym.
    ChangeWindow { window: Duration, who: [u8; 8], done: oneshot::Sender<Result<(), WindowError>> },
    /// A last run and a last report.
    Stop,
}

/// The thread, and the way to it.
pub(super) struct Purge {
    pub(super) asks: Sender<Ask>,
    pub(super) thread: JoinHandle<Result<(), CommitError>>,
    /// Resolves when the thread has ended.
    pub(super) ended: oneshot::Receiver<()>,
}

/// What it works with.
pub(super) struct Purging {
    pub(super) store: Arc<Store>,
    pub(super) config: Arc<Config>,
    pub(super) time: Arc<Time>,
    pub(super) counters: Arc<Counters>,
    pub(super) room: Arc<Room>,
    pub(super) ledgers: Arc<Ledgers>,
    pub(super) purger: Purger,
    pub(super) view: PurgeView,
    /// Time since boot at which the last run began.
    pub(super) ran: Option<Duration>,
    /// How many runs failed since the last one that did not.
    pub(super) failures: u32,
    /// Was what the last report says to have failed made good since?
    pub(super) made_good: bool,
    /// Do notes of sweeps wait for their report?
    pub(super) swept: bool,
    /// How often the clock jumped since the last report.
    pub(super) steps: u64,
    /// Records committed by the last run.
    pub(super) taken: u64,
}

impl Purging {
    /// What is done before anything is served: the first run, and a report that says what happened since the last one.
    pub(super) fn begin(&mut self) -> Result<(), CommitError> {
        let (at, terms) = (self.time.believed(), self.terms());
        if let Err(error) = self.purger.note_terms(at, &terms) {
            tracing::error!(%error, "whether the policy was changed is not known");
        }
        if let KeyringFound::Lost(_) = self.store.keyring_history().found {
            self.purger.note(Exception::KeyringLost { at });
            // The next start finds a keyring, and nothing of the one that was lost.
            self.purger.keep()?;
        }
        if self.ledgers.restored() {
            self.purger.note(Exception::Restored { at });
            // Before anything is signed in the new generation, it is durable that there is one.
            self.purger.keep()?;
        }
        match self.store.sweep_notes() {
            Ok(notes) => {
                self.swept = !notes.is_empty();
                for note in notes {
                    let keys = u32::try_from(note.keys.len()).unwrap_or(u32::MAX);
                    let swept = Exception::Swept { at: note.at, keys };
                    // A start in doubt may have noted it, and have kept it, without coming to a report.
                    if !self.purger.tally().has(&swept) {
                        self.purger.note(swept);
                    }
                    self.purger.recall(Act { at: note.at, destruction: note.into() });
                }
            }
            Err(error) => tracing::error!(%error, "the notes of sweeps cannot be read"),
        }
        let Ok(present) = self.time.present() else { return Ok(()) };
        self.run(present, Trigger::Start)?;
        self.report(Kind::Start)?;
        self.room.look();
        Ok(())
    }

    /// Starts the thread.
    pub(super) fn start(mut self) -> std::io::Result<Purge> {
        let (asks, asked) = channel();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("purge".into()).spawn(move || {
            let result = self.work(&asked);
            // Nobody may be left to hear it.
            let _ = end.send(());
            result
        })?;
        Ok(Purge { asks, thread, ended })
    }

    fn work(&mut self, asked: &Receiver<Ask>) -> Result<(), CommitError> {
        let shortest = self.config.retention.purge_interval.min(self.config.retention.bucket.duration());
        let nap = (shortest / 20).clamp(Duration::from_millis(50), LONGEST_NAP);
        loop {
            match asked.recv_timeout(nap) {
                Err(RecvTimeoutError::Timeout) => self.tick()?,
                Ok(Ask::Run(done)) => self.run_asked(done)?,
                Ok(Ask::ChangeWindow { window, who, done }) => self.change_window(window, who, done)?,
                Ok(Ask::Stop) | Err(RecvTimeoutError::Disconnected) => return self.end(),
            }
            // After a run, which has made room and for which the ballast may have gone.
            self.room.look();
        }
    }

    /// What is due, if anything.
    fn tick(&mut self) -> Result<(), CommitError> {
        let Ok(present) = self.time.present() else {
            if let Some(destruction) = upkeep::destroy_overdue(&self.store, &self.time, &self.counters) {
                self.purger.recall(Act { at: self.time.believed(), destruction });
            }
            return self.keep_clock();
        };
        upkeep::make_keys(&self.store, present.now, &self.counters);
        let boot = self.time.since_boot();
        if self.ran.is_none_or(|ran| boot.saturating_sub(ran) >= self.pause()) {
            self.run(present, Trigger::Interval)?;
        }
        self.note_clock();
        let terms = self.terms();
        if self.purger.tally().has_exceptions() || self.made_good {
            self.report(Kind::Exception)?;
        } else if self.purger.tally().is_due(present.now, terms.bucket) {
            self.report(Kind::Bucket)?;
        }
        Ok(())
    }

    /// From the begin of the last run to that of the next. What failed once is tried again within the time that a run may take, so
    /// that what goes by itself breaks no promise; what goes on failing waits for its turn.
    fn pause(&self) -> Duration {
        let interval = self.config.retention.purge_interval;
        if self.failures == 1 { interval.min(SLACK / 2) } else { interval }
    }

    fn run_asked(&mut self, done: oneshot::Sender<Option<Box<Run>>>) -> Result<(), CommitError> {
        let run = match self.time.present() {
            Ok(present) => Some(Box::new(self.run(present, Trigger::Asked)?)),
            Err(_) => None,
        };
        // Who asked may have gone.
        let _ = done.send(run);
        Ok(())
    }

    fn run(&mut self, present: Present, trigger: Trigger) -> Result<Run, CommitError> {
        self.ran = Some(self.time.since_boot());
        let time = Arc::clone(&self.time);
        let order = Order { cutoff: present.cutoff, trigger };
        let terms = self.terms();
        let taken = self.counters.records.value();
        self.purger.take(taken.saturating_sub(std::mem::replace(&mut self.taken, taken)));
        let (now, mut watch) = (|| time.believed(), |step| tracing::debug!(?step, "purge"));
        let run = if self.room.give_way() {
            self.purger.run(order, &terms, &now, &mut watch)?
        } else {
            self.purger.run_without_space(order, &terms, &now, &mut watch)
        };
        self.counters.purged(&run);
        self.made_good |= !run.failed() && self.failures > 0;
        self.failures = if run.failed() { self.failures.saturating_add(1) } else { 0 };
        if run.failed() {
            tracing::error!(failures = ?run.failures, checks = ?run.checks, "a purge run failed; it is tried again");
        }
        // The run has read the bucket that the cutoff cuts through; to read it once more would cost a fifth of a run.
        let oldest = match self.purger.oldest_kept().filter(|_| !run.failed()) {
            Some(oldest) => Ok(Some(oldest)),
            None => self.store.oldest(),
        };
        let (keys, pause, failures) = (self.store.key_records(), self.pause(), self.failures);
        self.view.show(|seen| {
            seen.oldest = oldest.ok().flatten();
            seen.cutoff = Some(self.store.cutoff());
            seen.keys = keys.iter().map(|key| (key.bucket, purge_terms::key_state(key.state))).collect();
            seen.live_keys = run.live_keys;
            seen.consecutive_failures = failures;
            seen.next_run = Some(run.began.plus(pause));
            seen.erasure = Some(purge_terms::erasure(self.store.erasure()));
            seen.last_run = Some(run.clone());
        });
        Ok(run)
    }

    /// Another window: in force at once, with what it makes due destroyed, and a report of it.
    fn change_window(
        &mut self,
        window: Duration,
        who: [u8; 8],
        done: oneshot::Sender<Result<(), WindowError>>,
    ) -> Result<(), CommitError> {
        let old = self.store.window();
        // `POLICY` is written anew. If there is no room for it, the change is refused by that.
        self.room.give_way();
        let hidden = self.time.cutoff().or_later(self.store.cutoff());
        let changed = self.store.change_window(window);
        // What is in force counts, also where it is not what was asked for.
        let window = self.store.window();
        if changed.is_ok() || window != old {
            self.time.set_window(window, hidden);
            let at = self.time.believed();
            self.purger.note(Exception::PolicyChanged {
                at,
                setting: Setting::Window,
                old,
                new: window,
                who: Some(who),
            });
            // A crash before this leaves the new window in force, and nobody's name to it; one after it, what the next report says.
            self.purger.keep()?;
            if let Ok(present) = self.time.present() {
                self.run(present, Trigger::Asked)?;
                self.report(Kind::Policy)?;
            }
        }
        // Who asked may have gone.
        let _ = done.send(changed);
        Ok(())
    }

    /// A last run, and the report of the last period. In doubt, neither: the next start goes on from here.
    fn end(&mut self) -> Result<(), CommitError> {
        let Ok(present) = self.time.present() else { return self.keep_clock() };
        self.run(present, Trigger::Stop)?;
        self.report(Kind::Stop)
    }

    fn report(&mut self, kind: Kind) -> Result<(), CommitError> {
        self.note_clock();
        if !self.room.give_way() {
            // The period goes on until there is room for its report.
            return Ok(());
        }
        let closing = Closing {
            kind,
            at: self.time.believed(),
            system: self.store.id(),
            software: purge_terms::software(),
            policy: policy_digest(self.store.policy().as_bytes()),
            terms: self.terms(),
            clock: ClockStanding {
                source: ClockSource::System,
                synchronised: purge_terms::synchronised(self.time.synchronised()),
                // The kernel's own estimate is not asked for.
                offset_micros: None,
                steps: std::mem::take(&mut self.steps),
            },
            erasure: purge_terms::erasure(self.store.erasure()),
            holds: self.store.cases().iter().filter(|case| case.class == CaseClass::Hold).fold(0, |count, _| count + 1),
            accesses: self.store.next_entry(Log::Access),
        };
        let reports = self.purger.close(&closing)?;
        self.made_good = false;
        if std::mem::take(&mut self.swept) {
            // Not before their report is durable: a crash here has them reported twice, and never not at all.
            if let Err(error) = self.store.forget_sweep_notes() {
                tracing::error!(%error, "the notes of sweeps cannot be removed");
            }
        }
        reports.iter().for_each(say);
        self.ledgers.refresh();
        Ok(())
    }

    /// In doubt no report is made, perhaps for days. What happens to the clock is kept for the next one, also across a restart.
    fn keep_clock(&mut self) -> Result<(), CommitError> {
        if self.note_clock() { self.purger.keep() } else { Ok(()) }
    }

    /// Notes what happened to the clock; says whether anything did.
    fn note_clock(&mut self) -> bool {
        let mut noted = false;
        for event in self.time.take_events() {
            let stepped =
                matches!(event, ClockEvent { kind: ClockEventKind::Began(..) | ClockEventKind::Moved(..), .. });
            self.steps = self.steps.saturating_add(u64::from(stepped));
            if let Some(exception) = purge_terms::exception(event) {
                self.purger.note(exception);
                noted = true;
            }
        }
        noted
    }

    fn terms(&self) -> Terms {
        Terms { window: self.store.window(), ..Terms::of(&self.config.retention) }
    }
}

fn say(report: &Report) {
    tracing::info!(sequence = report.sequence, result = %report.verdict().name(), "purge report");
}
