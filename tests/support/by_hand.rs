//! The real daemon on clocks that are moved by hand.

use std::net::SocketAddr;
use std::sync::Arc;

use lapsed::clock::ManualClock;
use lapsed::config::Config;
use lapsed::daemon::{Daemon, Flags};
use lapsed::domain::time::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Site;
use super::radius::Nas;

/// A daemon on clocks that are moved by hand.
pub(crate) struct ByHand {
    pub(crate) site: Site,
    pub(crate) clock: Arc<ManualClock>,
    runtime: Runtime,
    running: Option<Running>,
}

struct Running {
    radius: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl ByHand {
    /// Starts it on a site, at this instant.
    pub(crate) fn start_on(site: Site, now: Timestamp) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut by_hand = Self { site, clock: Arc::new(ManualClock::at(now)), runtime, running: None };
        by_hand.start();
        by_hand
    }

    pub(crate) fn start(&mut self) {
        let config = Config::read(&self.site.path("lapsed.toml")).unwrap();
        let daemon = self.runtime.block_on(Daemon::start(config, self.clock.clone(), Flags::default())).unwrap();
        let radius = daemon.radius_addresses()[0];
        let (stop, stopped) = oneshot::channel();
        let ended = self.runtime.spawn(async move {
            let stopped = async { stopped.await.unwrap() };
            daemon.serve(stopped).await.unwrap();
        });
        self.running = Some(Running { radius, stop, ended });
    }

    pub(crate) fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.stop.send(()).unwrap();
        self.runtime.block_on(running.ended).unwrap();
    }

    /// Stops the daemon, lets something happen to the clocks, and starts it again.
    pub(crate) fn restart(&mut self, meanwhile: impl FnOnce(&ManualClock)) {
        self.stop();
        meanwhile(&self.clock);
        self.start();
    }

    /// The NAS at a loopback address.
    pub(crate) fn nas(&self, address: &str) -> Nas {
        Nas::at(address, self.running.as_ref().unwrap().radius)
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.stop();
        }
    }
}

/// Asks again until it is so. Every asking is a process or a request of its own, so that this does not spin.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    assert!((0..5_000).any(|_| so()), "never: {what}");
}
