//! Collects who was heard when, for lookups and for those who look after the sources; the rule is `domain::coverage`.
//!
//! Events are noted once their records are durable, troubles at once. What is noted goes to disk every few seconds, through the
//! writer, in few rows however much was heard. A crash loses the seconds since: but with them is lost that the daemon was there,
//! so that they are a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Config;
use crate::domain::coverage::{Coverage, Trouble, Whose};
use crate::domain::event::Quarantine;
use crate::domain::identity::SourceName;
use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::ingest::events;
use crate::store::{Batch, EngineError, Number, Store};

use super::room::Room;
use super::source_stats::{Figures, SourceStats};
use super::time::{Present, Time};
use super::writer::Queue;

/// How often what is noted is written down.
const WRITE_EVERY: Duration = Duration::from_secs(10);
/// After so long without a sign of life from ourselves, we were not there: a machine that slept does not know it.
const LONGEST_ABSENCE: Duration = Duration::from_secs(60);
/// What arrives later than this after its instant was waiting somewhere. Retransmissions, and clocks that are a little
/// behind, stay below it.
pub(super) const UNDELAYED: Duration = Duration::from_secs(30);

/// An event as it arrived.
pub(super) struct Arrival<'a> {
    pub(super) source: &'a SourceName,
    /// The instant it speaks of.
    pub(super) at: Timestamp,
    /// The source's own stamp, believed or not.
    pub(super) stamp: Option<Timestamp>,
    pub(super) received: Timestamp,
}

/// Who was heard when. All parts of the daemon share one.
pub(super) struct Ears {
    noted: Mutex<Noted>,
    stats: SourceStats,
}

struct Noted {
    /// Shared with lookups that are under way.
    coverage: Arc<Coverage>,
    /// Marks that are not on disk as they are in memory.
    unwritten: BTreeSet<(Bucket, Whose)>,
    /// Buckets of which a backlog of each source is noted, first and last: the next late event mostly lies in them.
    backlogs: BTreeMap<SourceName, (Bucket, Bucket)>,
    /// When we were last there, as far as we know.
    present: Option<Timestamp>,
    /// Were we stopped since?
    was_away: bool,
    /// What the marks' buckets hide.
    cutoff: Cutoff,
}

impl Ears {
    /// Reads what was noted and is not hidden.
    pub(super) fn open(store: &Store, config: &Config, cutoff: Cutoff) -> Result<Self, EngineError> {
        let mut coverage = Coverage::new(config.retention.bucket);
        let first = coverage.bucket_of(cutoff.horizon());
        for (source, at) in store.heard()? {
            coverage.hear_newest(&source, at);
        }
        for (bucket, whose, mark) in store.marks()?.into_iter().filter(|(bucket, _, _)| *bucket >= first) {
            coverage.recall(&whose, bucket, mark);
        }
        let present = store.number(Number::Present)?.map(Timestamp::from_millis);
        let noted = Noted {
            coverage: Arc::new(coverage),
            unwritten: BTreeSet::new(),
            backlogs: BTreeMap::new(),
            present,
            was_away: true,
            cutoff,
        };
        Ok(Self { noted: Mutex::new(noted), stats: SourceStats::default() })
    }

    /// Who was heard when, as of now.
    pub(super) fn coverage(&self) -> Arc<Coverage> {
        Arc::clone(&self.noted().coverage)
    }

    /// What the sources do, in figures.
    pub(super) fn figures(&self, source: &SourceName, now: Timestamp) -> Figures {
        self.stats.of(source, now)
    }

    /// An event arrived. If it is late, what else was said since its instant may be on its way yet.
    pub(super) fn arrived(&self, arrival: &Arrival<'_>) {
        self.stats.arrived(arrival);
        let mut noted = self.noted();
        noted.is_present(arrival.received);
        if arrival.received.since(arrival.at) > UNDELAYED {
            noted.backlog(arrival.source, arrival.at, arrival.received);
        }
    }

    /// A line of a source was taken, whether it is kept or not.
    pub(super) fn took(&self, source: &SourceName, line: &events::Taken, received: Timestamp) {
        if let events::Outcome::Quarantined(reason) = line.outcome {
            self.quarantined(source, reason);
        }
        if let Some((_, at)) = line.heard {
            self.arrived(&Arrival { source, at, stamp: line.stamp, received });
        }
    }

    /// Events are durable.
    pub(super) fn heard(&self, events: &[(SourceName, Timestamp)]) {
        let mut noted = self.noted();
        // Many events of one source at one instant are the rule.
        let distinct = events.chunk_by(|a, b| a == b).filter_map(<[_]>::first);
        distinct.for_each(|(source, at)| noted.hear(source, *at));
    }

    /// Something of a source, or of any, that arrived at this instant was not kept.
    pub(super) fn lost(&self, source: Option<&SourceName>, at: Timestamp, trouble: Trouble) {
        if let Some(source) = source {
            self.stats.lost(source);
        }
        self.noted().trouble(source, at, at, trouble);
    }

    /// A part of what a source wrote of `[from, until]` cannot be read any more.
    pub(super) fn gap(&self, source: &SourceName, from: Timestamp, until: Timestamp) {
        self.noted().trouble(Some(source), from, until, Trouble::Unread);
    }

    /// Something that a source said was taken and not kept.
    pub(super) fn quarantined(&self, source: &SourceName, reason: Quarantine) {
        self.stats.quarantined(source, reason);
    }

    /// Puts what changed into a batch. A crash before the batch is durable is a gap since the last one that was.
    pub(super) fn write(&self, batch: &mut Batch) {
        let mut noted = self.noted();
        for (bucket, whose) in std::mem::take(&mut noted.unwritten) {
            let mark = noted.coverage.mark_of(&whose, bucket);
            batch.mark(bucket, whose, mark);
        }
        // Until we have been there once, the last sign of life is that of the daemon before.
        if let Some(present) = noted.present.filter(|_| !noted.was_away) {
            batch.number(Number::Present, present.millis());
        }
    }

    /// We are there, the clock is trusted, and there is room. What `cutoff` hides is forgotten.
    pub(super) fn is_present(&self, Present { now, cutoff, .. }: Present) {
        let mut noted = self.noted();
        noted.forget(cutoff);
        noted.is_present(now);
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn hear(&mut self, source: &SourceName, at: Timestamp) {
        if self.cutoff.hides(at) {
            return;
        }
        if let Some(bucket) = Arc::make_mut(&mut self.coverage).hear(source, at) {
            self.unwritten.insert((bucket, Some(source.clone())));
        }
    }

    fn trouble(&mut self, source: Option<&SourceName>, from: Timestamp, until: Timestamp, trouble: Trouble) {
        let from = from.max(self.cutoff.horizon());
        let whose = source.cloned();
        let changed = Arc::make_mut(&mut self.coverage).trouble(&whose, from, until, trouble);
        self.unwritten.extend(changed.into_iter().map(|bucket| (bucket, whose.clone())));
    }

    /// A source that drains a day sends many events, and each is late by nearly as many buckets.
    fn backlog(&mut self, source: &SourceName, at: Timestamp, received: Timestamp) {
        let (first, last) = (self.coverage.bucket_of(at), self.coverage.bucket_of(received));
        let noted = self.backlogs.get(source).copied();
        if noted.is_some_and(|(from, to)| from <= first && last <= to) {
            return;
        }
        self.trouble(Some(source), at, received, Trouble::Backlog);
        // Two stretches that touch are one; of two that do not, the later one is remembered.
        let touching = noted.filter(|(from, to)| *from <= last && first <= *to);
        let stretch = touching.map_or((first, last), |(from, to)| (from.min(first), to.max(last)));
        self.backlogs.insert(source.clone(), stretch);
    }

    fn is_present(&mut self, now: Timestamp) {
        let was_away = std::mem::take(&mut self.was_away);
        let away = |last: &Timestamp| *last < now && (was_away || now.since(*last) > LONGEST_ABSENCE);
        if let Some(last) = self.present.filter(away) {
            self.trouble(None, last, now, Trouble::Away);
        }
        self.present = Some(self.present.map_or(now, |last| last.max(now)));
    }

    fn forget(&mut self, cutoff: Cutoff) {
        self.cutoff = self.cutoff.or_later(cutoff);
        let first = self.coverage.bucket_of(self.cutoff.horizon());
        if self.coverage.reaches_before(first) {
            Arc::make_mut(&mut self.coverage).forget_before(first);
            self.unwritten.retain(|(bucket, _)| *bucket >= first);
        }
    }
}

/// Says every few seconds that we are there, while the clock is trusted and there is room, and has it written down.
pub(super) async fn listen(
    ears: Arc<Ears>,
    time: Arc<Time>,
    room: Arc<Room>,
    queue: Queue,
    mut stopping: watch::Receiver<bool>,
) {
    let mut writes = interval(WRITE_EVERY);
    writes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = false;
    while !stop {
        stop = tokio::select! {
            _ = writes.tick() => false,
            _ = stopping.wait_for(|stop| *stop) => true,
        };
        if let Ok(present) = time.present()
            && queue.accepting()
            && !room.is_short()
        {
            ears.is_present(present);
            queue.write_marks().await;
        }
    }
}
