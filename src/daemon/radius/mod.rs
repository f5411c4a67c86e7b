//! Listens for RADIUS accounting: a thread that receives and seals, and one that acknowledges.
//!
//! The rule of what to do with a datagram is `ingest::radius`; here it is done. When the writer's queue is full the
//! receiving thread waits, the kernel's buffer fills, and what it then drops is counted; sources send again.

mod recent;
mod socket;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use crate::config::Config;
use crate::domain::coverage::Trouble;
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;
use crate::ingest::radius::{Accounting, Asked, Incoming};
use crate::store::{Sealed, Sealer};

use super::counters::Counters;
use super::coverage::{Arrival, Ears};
use super::room::Room;
use super::time::{InDoubt, Present, Time};
use super::writer::{Queue, Work};
use recent::{Recent, Seen};
use socket::{Datagram, Local, Receiver};

/// What a listener needs of the daemon.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) config: Arc<Config>,
    pub(super) time: Arc<Time>,
    pub(super) sealer: Sealer,
    pub(super) queue: Queue,
    pub(super) counters: Arc<Counters>,
    pub(super) room: Arc<Room>,
    pub(super) ears: Arc<Ears>,
}

/// A running listener.
pub(super) struct Listener {
    /// The address it is bound to.
    pub(super) address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Listener {
    /// Binds an address and starts to listen.
    pub(super) fn start(address: SocketAddr, context: Context) -> io::Result<Self> {
        let socket = Arc::new(socket::bind(address, context.config.radius.receive_buffer)?);
        let address = socket.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let recent = Arc::new(Mutex::new(Recent::default()));
        let (acks, due) = mpsc::channel();
        let acker =
            Acker { socket: Arc::clone(&socket), recent: Arc::clone(&recent), counters: Arc::clone(&context.counters) };
        let listening = Listening { context, socket, recent, acks, stop: Arc::clone(&stop) };
        let threads = vec![
            thread::Builder::new().name("radius-ack".into()).spawn(move || acker.run(&due))?,
            thread::Builder::new().name("radius".into()).spawn(move || listening.run())?,
        ];
        Ok(Self { address, stop, threads })
    }

    /// Stops receiving and waits until what was received is handed over.
    pub(super) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!(address = %self.address, "a RADIUS thread panicked");
            }
        }
    }
}

/// A reply that may leave.
struct Ack {
    peer: SocketAddr,
    local: Option<Local>,
    sameness: (u8, [u8; 16]),
    reply: Arc<[u8]>,
}

struct Acker {
    socket: Arc<UdpSocket>,
    recent: Arc<Mutex<Recent>>,
    counters: Arc<Counters>,
}

impl Acker {
    fn run(&self, due: &mpsc::Receiver<Vec<Ack>>) {
        while let Ok(acks) = due.recv() {
            for ack in &acks {
                lock(&self.recent).answered(ack.peer, ack.sameness, &ack.reply);
                match socket::reply(&self.socket, ack.peer, ack.local, &ack.reply) {
                    Ok(()) => self.counters.acknowledged.bump(),
                    // The source sends again, and gets the remembered reply.
                    Err(error) => tracing::warn!(%error, "a reply could not be sent"),
                }
            }
        }
    }
}

struct Listening {
    context: Context,
    socket: Arc<UdpSocket>,
    recent: Arc<Mutex<Recent>>,
    acks: mpsc::Sender<Vec<Ack>>,
    stop: Arc<AtomicBool>,
}

/// What one receive brought.
#[derive(Default)]
struct Round {
    sealed: Vec<Sealed>,
    heard: Vec<(SourceName, Timestamp)>,
    /// Due once the records above are durable.
    once_durable: Vec<Ack>,
    /// Due at once: nothing has to be stored for them.
    at_once: Vec<Ack>,
}

impl Listening {
    fn run(&self) {
        let mut receiver = Receiver::new();
        while !self.stop.load(Ordering::Acquire) {
            let mut round = Round::default();
            // Asked once a batch, and only when there is one: waiting for it takes time.
            let mut received = None;
            let take = |datagram: Datagram<'_>| {
                let present = *received.get_or_insert_with(|| self.context.time.present());
                self.take(&datagram, present, &mut round);
            };
            match receiver.receive(&self.socket, take) {
                Ok(0) => {}
                Ok(dropped) => {
                    self.context.counters.dropped_by_kernel.add(dropped);
                    // From whom is what nobody knows.
                    self.context.ears.lost(None, self.context.time.believed(), Trouble::KernelDrop);
                }
                Err(error) => {
                    tracing::error!(%error, "cannot receive; this listener ends");
                    return;
                }
            }
            if !round.at_once.is_empty() && self.acks.send(round.at_once).is_err() {
                return;
            }
            if !round.sealed.is_empty() && !self.hand_over(round.sealed, round.heard, round.once_durable) {
                return;
            }
        }
    }

    /// Gives sealed records to the writer; their acknowledgements leave once they are durable. `false`: no writer.
    fn hand_over(&self, sealed: Vec<Sealed>, heard: Vec<(SourceName, Timestamp)>, acks: Vec<Ack>) -> bool {
        let due = self.acks.clone();
        let count = u64::try_from(acks.len()).unwrap_or(u64::MAX);
        let once_durable = Box::new(move || {
            // The acker ends only after the listener; nobody is left to be told.
            let _ = due.send(acks);
        });
        let queued = self.context.queue.send_blocking(Work::Records { sealed, heard, once_durable });
        if queued.is_err() {
            self.context.counters.refused.add(count);
            self.context.ears.lost(None, self.context.time.believed(), Trouble::Refused);
        }
        queued.is_ok()
    }

    fn take(&self, datagram: &Datagram<'_>, present: Result<Present, InDoubt>, round: &mut Round) {
        let Context { config, time, counters, queue, sealer, room, ears } = &self.context;
        counters.received.bump();
        let incoming = match Incoming::authenticate(datagram.bytes, datagram.peer.ip(), config) {
            Ok(incoming) => incoming,
            Err(reason) => return counters.unheard(reason),
        };
        let Ok(Present { now: received, expired, cutoff }) = present else {
            // Not acknowledged, so the source keeps it; but what it says of the time is heard.
            counters.clock_in_doubt.bump();
            ears.lost(Some(&incoming.source()), time.believed(), Trouble::ClockInDoubt);
            if let Some((source, stamp)) = incoming.stamp() {
                time.hear(&source, stamp);
            }
            return;
        };
        let sameness = incoming.sameness();
        let ack = |reply: Arc<[u8]>| Ack { peer: datagram.peer, local: datagram.local, sameness, reply };
        match lock(&self.recent).see(datagram.peer, sameness, received) {
            Seen::New => {}
            Seen::Pending => return counters.retransmitted.bump(),
            Seen::Answered(reply) => {
                counters.retransmitted.bump();
                return round.at_once.push(ack(reply));
            }
        }
        if room.is_short() {
            // Not acknowledged, so the source keeps it until there is room.
            counters.disk_full.bump();
            ears.lost(Some(&incoming.source()), received, Trouble::DiskFull);
            return lock(&self.recent).forget(datagram.peer, sameness.0);
        }
        let asked = incoming.asked(config, sealer, received, expired, cutoff);
        if !queue.accepting() || asked.is_err() {
            counters.refused.bump();
            ears.lost(Some(&incoming.source()), received, Trouble::Refused);
            lock(&self.recent).forget(datagram.peer, sameness.0);
            return;
        }
        let reply: Arc<[u8]> = Arc::from(incoming.reply());
        match asked {
            Ok(Asked::Accounting(accounting)) => {
                let source = incoming.source();
                accounting.quarantined.iter().for_each(|reason| ears.quarantined(&source, *reason));
                if let Some((_, at)) = accounting.heard {
                    ears.arrived(&Arrival { source: &source, at, stamp: accounting.stamp, received });
                }
                self.keep(accounting, ack(reply), round);
            }
            Ok(Asked::Alive) => {
                counters.status_server.bump();
                round.at_once.push(ack(reply));
            }
            Err(_) => {}
        }
    }

    fn keep(&self, accounting: Accounting, ack: Ack, round: &mut Round) {
        let counters = &self.context.counters;
        accounting.quarantined.into_iter().for_each(|reason| counters.quarantined(reason));
        counters.malformed_attributes.add(accounting.flaws);
        if accounting.expired_on_arrival {
            counters.expired_on_arrival.bump();
        }
        if accounting.sealed.is_empty() {
            return round.at_once.push(ack);
        }
        round.sealed.extend(accounting.sealed);
        round.heard.extend(accounting.heard);
        round.once_durable.push(ack);
    }
}

fn lock(recent: &Mutex<Recent>) -> MutexGuard<'_, Recent> {
    recent.lock().unwrap_or_else(PoisonError::into_inner)
}
