//! The thread that settles, in the background: what it has not done yet costs lookups time, and never truth.
//!
//! It rests while the clock is in doubt, for what is due is a matter of time, and while the disk is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::settle::{Settler, Work};
use crate::store::{SettlingError, Store};

use super::counters::Counters;
use super::radius::Context;
use super::room::Room;
use super::time::Time;

/// How long the thread rests before it looks whether there is something to settle.
const NAP: Duration = Duration::from_secs(1);

/// The thread, and the way to end it.
pub(super) struct Settling {
    thread: JoinHandle<()>,
    stop: Sender<()>,
    /// Cuts the pass short.
    interrupt: Arc<AtomicBool>,
}

/// What it works with.
struct Start {
    time: Arc<Time>,
    counters: Arc<Counters>,
    room: Arc<Room>,
}

impl Settling {
    /// Starts the thread.
    pub(super) fn start(store: &Arc<Store>, context: &Context) -> std::io::Result<Self> {
        let Context { time, counters, room, .. } = context.clone();
        let start = Start { time, counters, room };
        let (stop, stopped) = channel();
        let looked_at = Arc::clone(&context.room);
        let has_room = move || {
            looked_at.glance();
            !looked_at.is_short()
        };
        let settler = Settler::new(Arc::clone(store), &context.config).writing_while(has_room);
        let interrupt = settler.interrupt();
        let thread = std::thread::Builder::new().name("settle".into()).spawn(move || start.work(settler, &stopped))?;
        Ok(Self { thread, stop, interrupt })
    }

    /// Ends the thread. What it leaves half done, the next start does again.
    pub(super) fn stop(self) {
        self.interrupt.store(true, Ordering::Relaxed);
        // If it has ended by itself, nobody listens.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the settling thread panicked");
        }
    }
}

impl Start {
    fn work(self, mut settler: Settler, stopped: &Receiver<()>) {
        let mut more = false;
        let mut done = Work::default();
        loop {
            match stopped.recv_timeout(if more { Duration::ZERO } else { NAP }) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let Ok(now) = self.time.now() else {
                more = false;
                continue;
            };
            if self.room.is_short() {
                more = false;
                continue;
            }
            more = match settler.step(now) {
                Ok(more) => more,
                // The writer meets the same, and ends the daemon.
                Err(SettlingError::Commit(error)) => {
                    tracing::error!(%error, "settling cannot write");
                    return;
                }
                Err(SettlingError::Interrupted) => return,
                // It is said elsewhere that the disk is full.
                Err(SettlingError::NoRoom) => false,
                Err(error) => {
                    tracing::error!(%error, "settling cannot go on; trying again");
                    false
                }
            };
            self.count(&mut done, settler.work());
        }
    }

    fn count(&self, done: &mut Work, work: Work) {
        let counters = &self.counters;
        counters.buckets_settled.add(work.buckets.saturating_sub(done.buckets));
        counters.records_derived.add(work.derived.saturating_sub(done.derived));
        counters.records_rekinded.add(work.rewritten.saturating_sub(done.rewritten));
        counters.settled_anew.add(work.late.saturating_sub(done.late));
        *done = work;
    }
}
