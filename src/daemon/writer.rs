//! The one thread that writes.
//!
//! It commits whatever is queued at once, up to a batch, and then says so to those who wait. There is no waiting for a
//! batch to fill: a source that stores and forwards sends its next event only after the last was acknowledged, so its
//! rate is one over the latency of an acknowledgement. While one commit syncs, the next batch queues up by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;
use crate::store::{Batch, CommitError, Log, Number, Sealed, SealedRow, Store};

use super::counters::Counters;
use super::coverage::Ears;
use super::room::Room;

/// How many records one piece of work should carry at most; the queue is bounded in pieces of this size.
pub(super) const WORK_RECORDS: usize = 64;

/// How many commits there are between two glances at the disk.
const GLANCE_EVERY: u64 = 16;

/// Something to be made durable.
pub(super) enum Work {
    /// Records, and what to do once they are durable.
    Records { sealed: Vec<Sealed>, heard: Vec<(SourceName, Timestamp)>, once_durable: Box<dyn FnOnce() + Send> },
    /// Records of a lease file up to a place in it, which becomes durable with them.
    Followed { sealed: Vec<Sealed>, heard: Vec<(SourceName, Timestamp)>, followed: Followed },
    /// An entry of the access ledger; its index is the answer.
    Entry { bytes: Vec<u8>, number: Option<(Number, u64)>, sealed: Vec<SealedRow>, once_durable: oneshot::Sender<u64> },
    /// Rows of cases, without an entry.
    Sealed { sealed: Vec<SealedRow>, once_durable: oneshot::Sender<u64> },
    /// What is noted of who was heard when.
    Marks,
    /// No more work follows.
    Stop,
}

/// How far a lease file was read.
pub(super) struct Followed {
    /// The file's name in the configuration.
    pub(super) name: String,
    pub(super) place: Vec<u8>,
    pub(super) once_durable: Box<dyn FnOnce() + Send>,
}

/// The writer has stopped, after a failure or at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store takes no more writes")]
pub(super) struct Stopped;

/// What all who send work share.
#[derive(Clone)]
pub(super) struct Queue {
    work: mpsc::Sender<Work>,
    accepting: Arc<AtomicBool>,
}

impl Queue {
    /// Queues work from a thread of its own, waiting while the queue is full.
    pub(super) fn send_blocking(&self, work: Work) -> Result<(), Stopped> {
        self.work.blocking_send(work).map_err(|_| Stopped)
    }

    /// Queues work, waiting while the queue is full.
    pub(super) async fn send(&self, work: Work) -> Result<(), Stopped> {
        self.work.send(work).await.map_err(|_| Stopped)
    }

    /// Appends an entry to the access ledger and returns its index once it is durable.
    pub(super) async fn append(&self, bytes: Vec<u8>, number: Option<(Number, u64)>) -> Result<u64, Stopped> {
        let (once_durable, index) = oneshot::channel();
        let sealed = Vec::new();
        self.work.send(Work::Entry { bytes, number, sealed, once_durable }).await.map_err(|_| Stopped)?;
        index.await.map_err(|_| Stopped)
    }

    /// Appends an entry to the access ledger together with sealed rows, and returns its index once all is durable.
    pub(super) async fn file(&self, bytes: Vec<u8>, sealed: Vec<SealedRow>) -> Result<u64, Stopped> {
        let (once_durable, index) = oneshot::channel();
        self.work.send(Work::Entry { bytes, number: None, sealed, once_durable }).await.map_err(|_| Stopped)?;
        index.await.map_err(|_| Stopped)
    }

    /// Makes sealed rows durable.
    pub(super) async fn seal(&self, sealed: Vec<SealedRow>) -> Result<(), Stopped> {
        let (once_durable, done) = oneshot::channel();
        self.work.send(Work::Sealed { sealed, once_durable }).await.map_err(|_| Stopped)?;
        done.await.map(drop).map_err(|_| Stopped)
    }

    /// Lets the writer end once all work before this is durable.
    pub(super) async fn stop(&self) {
        // If the writer is gone already, it has stopped.
        let _ = self.work.send(Work::Stop).await;
    }

    /// Does the store take work?
    pub(super) fn accepting(&self) -> bool {
        self.accepting.load(Ordering::Acquire)
    }

    /// Has what is noted of who was heard when written down.
    pub(super) async fn write_marks(&self) {
        // If the writer is gone, so is the daemon in a moment.
        let _ = self.work.send(Work::Marks).await;
    }
}

/// The writer's thread and its queue.
pub(super) struct Writer {
    pub(super) queue: Queue,
    pub(super) thread: JoinHandle<Result<(), CommitError>>,
    /// Resolves when the thread has ended.
    pub(super) ended: oneshot::Receiver<()>,
}

/// How the writer begins.
pub(super) struct Start {
    pub(super) store: Arc<Store>,
    pub(super) counters: Arc<Counters>,
    pub(super) room: Arc<Room>,
    pub(super) ears: Arc<Ears>,
    pub(super) heard: BTreeMap<SourceName, Timestamp>,
    /// Index of the next entry of the access ledger.
    pub(super) next_access: u64,
    /// Events that may wait.
    pub(super) queue: usize,
    /// Events in one commit.
    pub(super) batch: usize,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(start: Start) -> std::io::Result<Self> {
        let (work, incoming) = mpsc::channel((start.queue / WORK_RECORDS).max(1));
        let accepting = Arc::new(AtomicBool::new(true));
        let queue = Queue { work, accepting: Arc::clone(&accepting) };
        let (end, ended) = oneshot::channel();
        let mut writing = Writing {
            store: start.store,
            counters: start.counters,
            room: start.room,
            ears: start.ears,
            heard: start.heard,
            next_access: start.next_access,
            batch: start.batch,
        };
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            let result = writing.run(incoming);
            accepting.store(false, Ordering::Release);
            // Nobody may be left to hear it.
            let _ = end.send(());
            result
        })?;
        Ok(Self { queue, thread, ended })
    }
}

struct Writing {
    store: Arc<Store>,
    counters: Arc<Counters>,
    room: Arc<Room>,
    ears: Arc<Ears>,
    /// The newest event time of every source.
    heard: BTreeMap<SourceName, Timestamp>,
    next_access: u64,
    batch: usize,
}

/// Those who wait for one commit.
#[derive(Default)]
struct Waiting {
    records: Vec<Box<dyn FnOnce() + Send>>,
    entries: Vec<(oneshot::Sender<u64>, u64)>,
    heard: Vec<(SourceName, Timestamp)>,
}

impl Writing {
    /// Commits until there is no more work or a commit fails. After a failure nobody knows what is on disk: those who
    /// wait are dropped unanswered, and the daemon ends; opening the store again finds out.
    fn run(&mut self, mut incoming: mpsc::Receiver<Work>) -> Result<(), CommitError> {
        let mut stop = false;
        while !stop {
            let Some(first) = incoming.blocking_recv() else { break };
            let (mut batch, mut waiting) = (Batch::new(), Waiting::default());
            let mut next = Some(first);
            while let Some(work) = next {
                stop |= self.take(work, &mut batch, &mut waiting);
                next = if stop || batch.records() >= self.batch { None } else { incoming.try_recv().ok() };
            }
            let records = u64::try_from(batch.records()).unwrap_or(u64::MAX);
            // A crash before this returns leaves nothing acknowledged and nothing answered; one after it, both durable.
            let hidden = self.store.commit(batch)?;
            self.counters.commits.bump();
            if self.counters.commits.value().is_multiple_of(GLANCE_EVERY) {
                self.room.glance();
            }
            self.counters.records.add(records.saturating_sub(hidden));
            self.counters.hidden_in_flight.add(hidden);
            // Not before the records can be read: who was heard of later must not hide one who is on the way.
            self.ears.heard(&waiting.heard);
            waiting.records.into_iter().for_each(|once_durable| once_durable());
            for (once_durable, index) in waiting.entries {
                // The asker may have gone; the entry stands.
                let _ = once_durable.send(index);
            }
        }
        self.write_marks()
    }

    /// What the last commits were heard to say. Without it, the next start knows less, and says so.
    fn write_marks(&self) -> Result<(), CommitError> {
        if self.room.is_short() {
            return Ok(());
        }
        let mut batch = Batch::new();
        self.ears.write(&mut batch);
        self.store.commit(batch).map(drop)
    }

    /// Adds work to the batch; says whether it was the last.
    fn take(&mut self, work: Work, batch: &mut Batch, waiting: &mut Waiting) -> bool {
        match work {
            Work::Stop => return true,
            Work::Marks => self.ears.write(batch),
            Work::Records { sealed, heard, once_durable } => {
                sealed.into_iter().for_each(|sealed| batch.record(sealed));
                self.hear(&heard, batch);
                waiting.heard.extend(heard);
                waiting.records.push(once_durable);
            }
            Work::Followed { sealed, heard, followed } => {
                sealed.into_iter().for_each(|sealed| batch.record(sealed));
                self.hear(&heard, batch);
                waiting.heard.extend(heard);
                batch.followed(&followed.name, followed.place);
                waiting.records.push(followed.once_durable);
            }
            Work::Sealed { sealed, once_durable } => {
                sealed.into_iter().for_each(|row| batch.sealed(row));
                waiting.entries.push((once_durable, self.next_access));
            }
            Work::Entry { bytes, number, sealed, once_durable } => {
                sealed.into_iter().for_each(|row| batch.sealed(row));
                let index = self.next_access;
                self.next_access = index.saturating_add(1);
                batch.entry(Log::Access, index, bytes);
                if let Some((number, value)) = number {
                    batch.number(number, value);
                }
                waiting.entries.push((once_durable, index));
            }
        }
        false
    }

    /// Keeps the newest event time of every source; a late event does not turn it back.
    fn hear(&mut self, heard: &[(SourceName, Timestamp)], batch: &mut Batch) {
        for (source, at) in heard {
            if self.heard.get(source).is_none_or(|newest| newest < at) {
                batch.heard(source, *at);
                self.heard.insert(source.clone(), *at);
            }
        }
    }
}
