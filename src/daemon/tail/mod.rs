//! Follows the lease files of DHCP servers: a thread for each.
//!
//! Nothing is acknowledged to a file. What stands for it is the place up to which it was read, written in the same batch as
//! the records of the rows before: a crash leaves both or neither. In doubt about the clock, and on a full disk, the rows
//! wait where they are, and the generations they are in are held open.

mod follower;
mod generation;
mod mapping;
mod names;
mod place;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config::LeaseFile;
use crate::domain::event::Event;
use crate::domain::identity::{NasId, SessionId, SourceName};
use crate::domain::time::Timestamp;
use crate::ingest::admit;
use crate::sources::{Accounts, Naming};
use crate::store::{SealError, Sealed, Sealer};

use super::coverage::Arrival;
use super::radius::Context;
use super::time::Present;
use super::writer::{Followed, Work};
use follower::{Follower, Lost, Taken};
use mapping::Mapping;
use place::Place;

/// How often the file is looked at when it did not grow.
const LOOK: Duration = Duration::from_secs(1);

/// What the hashes of files' beginnings are keyed with, besides the store's own key.
const HEADS: &str = "the beginning of a lease file";

/// A file that is followed.
pub(super) struct Tail {
    name: String,
    /// Dropped to stop.
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Tail {
    /// Follows a file from the place whose bytes these are, or from the beginning.
    pub(super) fn start(file: &LeaseFile, place: Option<&[u8]>, context: Context) -> io::Result<Self> {
        let (stop, stopping) = mpsc::channel();
        let place = place.and_then(Place::from_bytes);
        let following = Following::new(file.clone(), context, stopping);
        let thread = thread::Builder::new().name("leases".into()).spawn(move || following.run(place))?;
        Ok(Self { name: file.name.clone(), stop, thread })
    }

    /// Stops and waits until what was read is handed over.
    pub(super) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!(leases = self.name, "the thread of a lease file panicked");
        }
    }
}

struct Following {
    file: LeaseFile,
    /// Both servers of a pair are one source.
    source: SourceName,
    context: Context,
    naming: Naming,
    mapping: Option<Mapping>,
    stopping: Receiver<()>,
    /// What could not be read the last time, so that it is said once.
    complaint: Option<io::ErrorKind>,
    caught_up: bool,
}

/// What became of one round.
enum Round {
    /// Something was taken: there may be more.
    Taken,
    /// There is nothing, or it has to wait.
    Idle,
    /// There is no writer any more.
    End,
}

impl Following {
    fn new(file: LeaseFile, context: Context, stopping: Receiver<()>) -> Self {
        let naming = Naming {
            nas: NasId(file.source.name.clone()),
            subscriber: file.subscriber.clone(),
            keep: file.keep,
            accounts: Arc::new(Accounts::default()),
        };
        let mapping = file.mapping.as_deref().map(Mapping::new);
        let source = SourceName(file.source.name.clone());
        Self { file, source, context, naming, mapping, stopping, complaint: None, caught_up: false }
    }

    fn run(mut self, place: Option<Place>) {
        tracing::info!(leases = self.file.name, file = %self.file.path.display(), "following leases");
        let sealer = self.context.sealer.clone();
        let hash = move |head: &[u8]| head_tag(&sealer, head);
        let mut follower = None;
        let mut waiting = None;
        while !self.is_stopped() {
            let round = match &mut follower {
                Some(follower) => self.round(follower, &mut waiting),
                None => self.open(place, &hash).map(|opened| {
                    follower = opened;
                    if follower.is_some() { Round::Taken } else { Round::Idle }
                }),
            };
            match round {
                Ok(Round::Taken) => self.complaint = None,
                Ok(Round::Idle) => {
                    if self.has_to_stop_waiting() {
                        return;
                    }
                }
                Ok(Round::End) => return,
                Err(error) => {
                    self.complain(&error);
                    if self.has_to_stop_waiting() {
                        return;
                    }
                }
            }
        }
    }

    fn open<H: Fn(&[u8]) -> [u8; 8] + Clone>(
        &mut self,
        place: Option<Place>,
        hash: &H,
    ) -> io::Result<Option<Follower<H>>> {
        self.refresh();
        let Ok(Present { now, .. }) = self.context.time.present() else { return Ok(None) };
        let (follower, lost) = Follower::start(&self.file, place, hash.clone(), &self.naming, now)?;
        lost.into_iter().for_each(|lost| self.lost(lost));
        Ok(Some(follower))
    }

    fn round<H: Fn(&[u8]) -> [u8; 8]>(
        &mut self,
        follower: &mut Follower<H>,
        waiting: &mut Option<Taken>,
    ) -> io::Result<Round> {
        // Also while rows have to wait: a generation that is held open is not lost.
        if let Some(lost) = follower.watch(self.context.time.believed())? {
            self.lost(lost);
        }
        let context = &self.context;
        if context.room.is_short() || !context.queue.accepting() {
            return Ok(Round::Idle);
        }
        let Ok(present) = context.time.present() else { return Ok(Round::Idle) };
        self.refresh();
        let taken = match waiting.take() {
            Some(taken) => Some(taken),
            None => follower.take(present.now, &self.naming)?,
        };
        let Some(taken) = taken else {
            if !std::mem::replace(&mut self.caught_up, true) {
                tracing::info!(leases = self.file.name, "leases are read to their end");
            }
            return Ok(Round::Idle);
        };
        match self.seal(&taken.events, present) {
            Ok((sealed, heard)) => Ok(self.hand_over(&taken, sealed, heard)),
            Err(error) => {
                tracing::error!(leases = self.file.name, %error, "a lease cannot be sealed; trying again");
                *waiting = Some(taken);
                Ok(Round::Idle)
            }
        }
    }

    /// Seals what is kept, and says of which instants all of it is.
    fn seal(&self, events: &[Event], present: Present) -> Result<(Vec<Sealed>, Vec<Timestamp>), SealError> {
        let Context { config, sealer, counters, ears, .. } = &self.context;
        let mut sealed = Vec::new();
        let Present { now, expired, cutoff } = present;
        let mut admissions = Vec::new();
        for event in events {
            let admission = admit(event, &self.file.source, config, sealer, now, expired);
            for (record, entity) in &admission.records {
                // Hidden by the clock as it was: a record of it would be destroyed at once.
                if cutoff.hides(record.at) {
                    counters.hidden_in_flight.bump();
                    continue;
                }
                match sealer.seal(record, entity) {
                    Ok(row) => sealed.push(row),
                    // It will not be otherwise tomorrow, and must not keep what comes behind it.
                    Err(SealError::Unreadable(_) | SealError::TooLarge | SealError::NoSubscriber) => {
                        counters.refused.bump()
                    }
                    Err(error @ (SealError::NoKey(_) | SealError::Cipher)) => return Err(error),
                }
            }
            admissions.push((event.time.stamp, admission));
        }
        let heard = admissions.iter().map(|(_, admission)| admission.at).collect();
        for (stamp, admission) in admissions {
            ears.arrived(&Arrival { source: &self.source, at: admission.at, stamp, received: now });
            for reason in admission.quarantined {
                counters.quarantined(reason);
                ears.quarantined(&self.source, reason);
            }
            counters.expired_on_arrival.add(u64::from(admission.expired_on_arrival));
        }
        Ok((sealed, heard))
    }

    fn hand_over(&self, taken: &Taken, sealed: Vec<Sealed>, heard: Vec<Timestamp>) -> Round {
        let counters = &self.context.counters;
        counters.lease_rows.add(taken.rows);
        taken.flaws.iter().for_each(|flaw| counters.flawed(*flaw));
        let name = self.file.name.clone();
        let (leases, offset, inode) = (name.clone(), taken.place.offset, taken.place.file.inode);
        let once_durable = Box::new(move || tracing::debug!(leases, inode, offset, "leases are durable"));
        let followed = Followed { name, place: taken.place.to_bytes(), once_durable };
        let heard = heard.into_iter().map(|at| (self.source.clone(), at)).collect();
        let queued = self.context.queue.send_blocking(Work::Followed { sealed, heard, followed });
        if queued.is_ok() { Round::Taken } else { Round::End }
    }

    /// Rows are gone. What was not heard then must not count as silence.
    fn lost(&self, Lost { from, until }: Lost) {
        self.context.counters.lease_gaps.bump();
        self.context.ears.gap(&self.source, from, until);
        tracing::warn!(
            leases = self.file.name, source = self.source.0, %from, %until,
            "rows of a lease file were gone before they were read"
        );
    }

    fn refresh(&mut self) {
        if let Some(accounts) = self.mapping.as_mut().and_then(Mapping::changed) {
            self.naming.accounts = accounts;
        }
    }

    fn complain(&mut self, error: &io::Error) {
        if self.complaint.replace(error.kind()) != Some(error.kind()) {
            tracing::error!(leases = self.file.name, file = %self.file.path.display(), %error, "cannot read leases; trying again");
        }
    }

    fn is_stopped(&self) -> bool {
        matches!(self.stopping.try_recv(), Err(TryRecvError::Disconnected))
    }

    /// Waits until it is time to look again; `true` if it is time to stop.
    fn has_to_stop_waiting(&self) -> bool {
        matches!(self.stopping.recv_timeout(LOOK), Err(RecvTimeoutError::Disconnected))
    }
}

/// The rule of session tags serves: the same bytes give the same hash as long as the store lives, and it tells nobody else anything.
fn head_tag(sealer: &Sealer, head: &[u8]) -> [u8; 8] {
    sealer.session_tag(&NasId(HEADS.to_owned()), &SessionId(head.to_vec())).0
}
