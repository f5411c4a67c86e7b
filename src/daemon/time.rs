//! What time it is, for the whole of the daemon: the wall clock while it is trusted, and nothing else.
//!
//! The rule is `domain::clock_guard`; here the clocks are read, what changes is said, and what was trusted is written
//! down. Every question reads the clocks anew, so that no jump goes unseen between two of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::api::{ClockState, ClockStatus};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::actor::Role;
use crate::domain::clock_guard::{
    Accepted, Change, ClockEvent, ClockEventKind, ClockGuard, NotAccepted, Reading, Reason, Rules, Step, Synchronised,
};
use crate::domain::identity::SourceName;
use crate::domain::time::{Cutoff, Timestamp, millis_of};
use crate::store::{Remembered, TrustedClock, TrustedClockError};

/// How often the clocks are looked at when nobody asks.
const LOOK: Duration = Duration::from_secs(1);
/// Events that wait to be reported. A clock that moves more often than that is reported as far as this goes.
const MOST_EVENTS: usize = 1000;

/// The wall clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock is in doubt ({0}): nothing is acknowledged, answered or destroyed until it is right; `lapse clock status` says more"
)]
pub(super) struct InDoubt(pub(super) Reason);

/// An instant that is believed, and what it hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) now: Timestamp,
    /// What has expired by this instant: what is before the window, and what a shorter window has hidden for good.
    pub(super) expired: Cutoff,
    /// The same, and never earlier than one that was given out before, whatever the clock did in between.
    pub(super) cutoff: Cutoff,
}

/// The daemon's time. All parts of the daemon share one.
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    /// The window in force, in milliseconds.
    window: AtomicU64,
    /// What was hidden when the window was put in force, in milliseconds: no window brings it back.
    hidden: AtomicU64,
    max_step: Duration,
    /// How old the record on disk may grow while the clock is trusted.
    remember_every: Duration,
    watching: Mutex<Watching>,
    record: Mutex<Record>,
    in_doubt: watch::Sender<bool>,
}

struct Watching {
    guard: ClockGuard,
    events: Vec<ClockEvent>,
    /// Who accepted the clock in which doubt, under each of their pseudonyms.
    accepted_by: Vec<(u64, [u8; 8])>,
}

struct Record {
    file: TrustedClock,
    /// CLOCK_BOOTTIME of what is on disk, if this process wrote it.
    written: Option<Duration>,
}

impl Time {
    /// Reads what was trusted last and looks at the clocks for the first time. Nothing is written yet.
    pub(super) fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, TrustedClockError> {
        let (file, remembered) = TrustedClock::open(&config.keyring_dir)?;
        let trust = match remembered {
            Remembered::Trust(trust) => Some(trust),
            Remembered::Nothing | Remembered::Damaged => None,
        };
        let rules = Rules { max_step: config.clock.max_step, carry_interval: config.retention.carry_interval };
        let (in_doubt, _) = watch::channel(false);
        let time = Self {
            clock,
            window: AtomicU64::new(millis_of(config.retention.window)),
            hidden: AtomicU64::new(0),
            max_step: config.clock.max_step,
            remember_every: config.retention.purge_interval / 2,
            watching: Mutex::new(Watching {
                guard: ClockGuard::new(rules, trust),
                events: Vec::new(),
                accepted_by: Vec::new(),
            }),
            record: Mutex::new(Record { file, written: None }),
            in_doubt,
        };
        let (mut watching, reading) = time.look();
        if remembered == Remembered::Damaged {
            tracing::error!("what was remembered of the trusted clock is damaged: the wall clock is believed as it is");
            watching.push(reading.wall, ClockEventKind::Forgotten, None);
        }
        drop(watching);
        Ok(time)
    }

    /// The current instant, and what it hides.
    pub(super) fn present(&self) -> Result<Present, InDoubt> {
        let (watching, reading) = self.look();
        match watching.guard.doubt() {
            Some(doubt) => Err(InDoubt(doubt.reason)),
            None => {
                let expired = Cutoff::of(reading.wall, self.window()).or_later(self.hidden());
                Ok(Present { now: reading.wall, expired, cutoff: self.published(&watching.guard) })
            }
        }
    }

    /// The current instant.
    pub(super) fn now(&self) -> Result<Timestamp, InDoubt> {
        self.present().map(|present| present.now)
    }

    /// The window in force.
    pub(super) fn window(&self) -> Duration {
        Duration::from_millis(self.window.load(Ordering::Acquire))
    }

    /// Puts another window in force. What `hidden` hides stays hidden, also by a longer one.
    pub(super) fn set_window(&self, window: Duration, hidden: Cutoff) {
        // Hidden first: between the two nothing is shown that should not be.
        self.hidden.fetch_max(hidden.horizon().millis(), Ordering::AcqRel);
        self.window.store(millis_of(window), Ordering::Release);
    }

    /// Who else accepts a clock that is far ahead depends on the carry-interval, which follows the window in force.
    pub(super) fn set_carry_interval(&self, carry_interval: Duration) {
        self.look().0.guard.set_carry_interval(carry_interval);
    }

    fn hidden(&self) -> Cutoff {
        Cutoff::at(Timestamp::from_millis(self.hidden.load(Ordering::Acquire)))
    }

    fn published(&self, guard: &ClockGuard) -> Cutoff {
        guard.cutoff(self.window()).or_later(self.hidden())
    }

    /// Time since the machine started: for how long something took, never for when it was.
    pub(super) fn since_boot(&self) -> Duration {
        self.clock.reading().since_boot
    }

    /// Does the kernel say that the clock is kept right?
    pub(super) fn synchronised(&self) -> Synchronised {
        self.clock.synchronised()
    }

    /// The published cutoff, in doubt too: it then stays where it was.
    pub(super) fn cutoff(&self) -> Cutoff {
        self.published(&self.look().0.guard)
    }

    /// In doubt: what is to be destroyed anyway, because the time since the machine started alone proves it past.
    pub(super) fn overdue_cutoff(&self) -> Option<Cutoff> {
        let (watching, reading) = self.look();
        watching.guard.overdue_cutoff(&reading, self.window())
    }

    /// The best that is known of the current instant, for a ledger: in doubt, the last trusted instant and the time since.
    pub(super) fn believed(&self) -> Timestamp {
        let (watching, reading) = self.look();
        believed(&watching.guard, &reading)
    }

    /// A source that authenticated sent a statement with this stamp.
    pub(super) fn hear(&self, source: &SourceName, stamp: Timestamp) {
        let (mut watching, reading) = self.look();
        let change = watching.guard.hear(source, stamp, reading);
        self.note(&mut watching, &reading, change);
    }

    /// Would an acceptance of doubt `number` count, by this role and a person who goes by these pseudonyms? Then why the
    /// clock is in doubt and how far it is off.
    pub(super) fn check_accept(&self, number: u64, role: Role, by: &[[u8; 8]]) -> Result<(Reason, Step), NotAccepted> {
        let (watching, _) = self.look();
        let doubt = watching.guard.check_accept(number, role)?;
        watching.check_person(number, by)?;
        Ok((doubt.reason, doubt.step))
    }

    /// Someone accepts the clock of doubt `number`. The entry that says so must be durable already.
    /// The first of the pseudonyms is the one they act under.
    pub(super) fn accept(&self, number: u64, role: Role, by: &[[u8; 8]]) -> Result<Accepted, NotAccepted> {
        let (mut watching, reading) = self.look();
        watching.guard.check_accept(number, role)?;
        watching.check_person(number, by)?;
        let at = believed(&watching.guard, &reading);
        let (accepted, change) = watching.guard.accept(reading, number, role)?;
        tracing::warn!(%role, "the clock was accepted");
        watching.push(at, ClockEventKind::Accepted(role), by.first().copied());
        watching.accepted_by.retain(|(doubt, _)| *doubt == number);
        watching.accepted_by.extend(by.iter().map(|name| (number, *name)));
        self.note(&mut watching, &reading, change);
        Ok(accepted)
    }

    /// What is known of the clock.
    pub(super) fn status(&self) -> ClockStatus {
        let (watching, reading) = self.look();
        let guard = &watching.guard;
        let doubt = guard.doubt();
        let (sources_heard, sources_agreeing) = doubt.map_or((0, 0), |doubt| doubt.sources());
        let offset = doubt.map_or_else(|| guard.offset(&reading), |doubt| Some(doubt.step));
        let began = |reading: &Reading| guard.estimate(reading).unwrap_or(reading.wall);
        ClockStatus {
            state: if doubt.is_some() { ClockState::InDoubt } else { ClockState::Trusted },
            now: reading.wall.to_string(),
            expected: guard.estimate(&reading).map(|expected| expected.to_string()),
            offset: offset.map(Step::secs),
            synchronised: self.clock.synchronised(),
            max_step: self.max_step.as_secs(),
            reason: doubt.map(|doubt| doubt.reason),
            since: doubt.map(|doubt| began(&doubt.began).to_string()),
            age: doubt.map(|doubt| doubt.age(&reading).as_secs()),
            doubt: doubt.map(|doubt| doubt.number),
            needs: doubt.map(|doubt| doubt.needs()).unwrap_or_default(),
            sources_heard,
            sources_agreeing,
        }
    }

    /// What happened to the clock since this was last called, oldest first. Whoever calls it reports it.
    pub(super) fn take_events(&self) -> Vec<ClockEvent> {
        std::mem::take(&mut self.look().0.events)
    }

    /// Changes to `true` when a doubt begins and to `false` when it ends.
    pub(super) fn in_doubt(&self) -> watch::Receiver<bool> {
        self.in_doubt.subscribe()
    }

    /// Writes down what is trusted; in doubt, nothing. A failure is said, and costs no more than that a restart knows an
    /// older instant.
    pub(super) fn remember(&self) {
        // Locked first, so that nobody writes an older reading over a newer one.
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(trust) = self.look().0.guard.to_remember().copied() else { return };
        match record.file.write(&trust) {
            Ok(()) => record.written = Some(trust.last.since_boot),
            Err(error) => tracing::error!(%error, "the trusted clock could not be written down; trying again"),
        }
    }

    /// Is it time to write down what is trusted?
    fn is_stale(&self) -> bool {
        let written = self.record.lock().unwrap_or_else(PoisonError::into_inner).written;
        let reading = self.clock.reading();
        written.is_none_or(|written| reading.since_boot.saturating_sub(written) >= self.remember_every)
    }

    /// Reads the clocks and lets the guard judge them.
    fn look(&self) -> (MutexGuard<'_, Watching>, Reading) {
        // Read under the lock, so that the guard sees readings in their order.
        let mut watching = self.watching.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = self.clock.reading();
        let changes = watching.guard.observe(reading);
        self.note(&mut watching, &reading, changes);
        if watching.guard.doubt().is_some() {
            // Asked after the reading, for a jump takes the kernel's word away.
            let change = watching.guard.kernel_says(reading, self.clock.synchronised());
            self.note(&mut watching, &reading, change);
        }
        (watching, reading)
    }

    /// Says what changed, and keeps it for the report.
    fn note(&self, watching: &mut Watching, reading: &Reading, changes: impl IntoIterator<Item = Change>) {
        let at = believed(&watching.guard, reading);
        for change in changes {
            match change {
                Change::Began(reason, step) | Change::Moved(reason, step) => tracing::error!(
                    %reason, offset = step.secs(), wall = %reading.wall, expected = %at,
                    "THE CLOCK IS IN DOUBT: nothing is acknowledged, answered or destroyed until it is right; see `lapse clock status`"
                ),
                Change::Long => tracing::error!("the clock has been in doubt for more than an hour"),
                Change::Breach => tracing::error!("the clock has been in doubt for more than six hours"),
                Change::Ended(end) => tracing::warn!(by = %end, now = %reading.wall, "the clock is trusted again"),
            }
            watching.push(at, change.into(), None);
        }
        let in_doubt = watching.guard.doubt().is_some();
        self.in_doubt.send_if_modified(|known| std::mem::replace(known, in_doubt) != in_doubt);
    }
}

impl Watching {
    /// Two roles must be two people.
    fn check_person(&self, number: u64, by: &[[u8; 8]]) -> Result<(), NotAccepted> {
        let has_accepted = |name: &[u8; 8]| self.accepted_by.contains(&(number, *name));
        if by.iter().any(has_accepted) { Err(NotAccepted::SamePerson) } else { Ok(()) }
    }

    fn push(&mut self, at: Timestamp, kind: ClockEventKind, by: Option<[u8; 8]>) {
        if self.events.len() < MOST_EVENTS {
            self.events.push(ClockEvent { at, kind, by });
        }
    }
}

fn believed(guard: &ClockGuard, reading: &Reading) -> Timestamp {
    match guard.doubt() {
        Some(_) => guard.estimate(reading).unwrap_or(reading.wall),
        None => reading.wall,
    }
}

/// Looks at the clocks when nobody else does, and writes down what is trusted, until told to stop.
pub(super) async fn watch(time: Arc<Time>, mut stopping: watch::Receiver<bool>) {
    let mut in_doubt = time.in_doubt();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let ended = tokio::select! {
            _ = looks.tick() => false,
            // What ends a doubt is worth writing down at once.
            changed = in_doubt.changed() => changed.is_ok(),
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        // Looks, which is the point; what it finds is said there.
        let _ = time.now();
        if ended || time.is_stale() {
            remember(&time).await;
        }
    }
    remember(&time).await;
}

async fn remember(time: &Arc<Time>) {
    let time = Arc::clone(time);
    if let Err(error) = tokio::task::spawn_blocking(move || time.remember()).await {
        tracing::error!(%error, "writing down the trusted clock was cut short");
    }
}
