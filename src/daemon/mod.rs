//! The running daemon: it owns the threads, the sockets and the order in which they start and stop.
//!
//! Start: the clock is judged first; then keys that fell due are destroyed while the store opens; then the writer, the API,
//! and last the listeners. Stop: the listeners first, then the API, then the writer once its queue is empty.
//!
//! Room on the disk is looked at before the first run: a start on a full disk purges first and serves what needs no room.
//!
//! A daemon that starts in doubt about its clock starts all the same: it hears what sources say of the time, shows its
//! status, and lets people accept the clock. It answers, acknowledges and destroys nothing until the doubt has ended.

mod counters;
mod coverage;
mod desk;
mod http;
mod keyring;
mod ledgers;
mod purge;
mod purge_terms;
mod purge_view;
mod radius;
mod readers;
mod room;
mod settling;
mod source_stats;
mod spool;
mod stopwatch;
mod tail;
mod time;
mod upkeep;
mod watching;
mod ways_in;
mod writer;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::erasure::ErasureClass;
use crate::ledger::keys::{self, KeyError, Signer};
use crate::purge::{Exception, Purger, ResumeError};
use crate::store::{
    CasesError, CommitError, EngineError, Erasure, KeyringFound, Log, OpenError, Store, TrustedClockError,
};
use crate::tokens::Tokens;

use counters::Counters;
use coverage::Ears;
use desk::Desk;
pub use http::TlsError;
use http::{App, Gate, Keys};
use ledgers::{LedgerError, Ledgers};
use purge::{Ask, Purge, Purging};
use purge_view::PurgeView;
use radius::Context;
use readers::Readers;
use room::Room;
use settling::Settling;
use time::Time;
use watching::Watching;
use ways_in::WaysIn;
use writer::{Queue, Writer};

/// How often both ledgers are signed for: a checkpoint is never older than a minute.
const SIGN_EVERY: Duration = Duration::from_secs(30);

/// How long open requests may take to finish when the daemon stops.
const GRACE: Duration = Duration::from_secs(5);

/// Why the daemon did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What was trusted of the clock cannot be read.
    #[error(transparent)]
    Clock(#[from] TrustedClockError),
    /// The store cannot be read.
    #[error("cannot read the store: {0}")]
    Engine(#[from] EngineError),
    /// The keyring lies on something worse than the configuration demands.
    #[error("require-erasure-class is \"{required}\", and the keyring lies on \"{}\": {found}; move keyring-dir, or remove the line", found.class)]
    Erasure {
        /// The class that the configuration demands.
        required: ErasureClass,
        /// What was found.
        found: Erasure,
    },
    /// What is on file cannot be read.
    #[error("cannot read the requests on file: {0}")]
    Cases(#[from] CasesError),
    /// The purge cannot go on where it was.
    #[error("cannot go on purging: {0}")]
    Resume(#[from] ResumeError),
    /// The key of packages cannot be made or read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The ledgers cannot be signed for.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A RADIUS address cannot be listened on.
    #[error("cannot listen for RADIUS on {address}: {source}")]
    Radius {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The API's socket cannot be bound.
    #[error("cannot listen on the API socket {path}: {source}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files of TLS cannot be used.
    #[error("cannot serve TLS: {0}")]
    Tls(#[from] TlsError),
    /// The API's TCP socket cannot be bound.
    #[error("cannot listen for TLS on {address}: {source}")]
    TlsListen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The machine gives no random bytes.
    #[error("no random bytes: {0}")]
    Random(getrandom::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// A write or a sync failed: what is on disk is unknown until the store is opened again.
    #[error("the store failed, and nothing is acknowledged any more: {0}; start again to recover")]
    Writer(CommitError),
    /// The writer's thread is gone without a word.
    #[error("the writer panicked; start again to recover")]
    WriterPanicked,
}

/// What is said of a start that is out of the ordinary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// A new keyring may take the place of one that is missing or damaged, wherever it should be
    /// ([`crate::store::Opening::new_keyring`]).
    pub new_keyring: bool,
    /// The store was put back from a copy: the ledgers go on in a new generation, and say so.
    pub after_restore: bool,
}

/// A daemon that has started.
pub struct Daemon {
    ways_in: WaysIn,
    queue: Queue,
    writer: std::thread::JoinHandle<Result<(), CommitError>>,
    writer_ended: oneshot::Receiver<()>,
    settling: Settling,
    purge: Purge,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    tls: Option<Tls>,
}

/// TLS, where it is served.
struct Tls {
    address: SocketAddr,
    keys: Arc<Keys>,
}

impl Daemon {
    /// Opens the store, which makes what is missing, and starts to serve. Everything is ready when this returns.
    ///
    /// # Errors
    ///
    /// If the store is not ours, damaged or in use, or an address cannot be listened on.
    ///
    pub async fn start(mut config: Config, clock: Arc<dyn Clock>, flags: Flags) -> Result<Self, DaemonError> {
        // Before a key is destroyed or made, it must be known whether the clock that says so is to be believed.
        let time = Arc::new(Time::start(&config, clock)?);
        let started = time.believed();
        let store = keyring::open_store(&config, &time, flags.new_keyring)?;
        config.follow_window(store.window());
        time.set_window(store.window(), store.cutoff());
        time.set_carry_interval(config.retention.carry_interval);
        let (config, store) = (Arc::new(config), Arc::new(store));
        let ledgers = Ledgers::open(&store, &config.ledger_keys_dir, &config.keyring_dir, flags.after_restore);
        if ledgers.is_err() {
            keep_loss(&store, &time)?;
        }
        let ledgers = Arc::new(ledgers?);
        let package_key = package_key(&config.ledger_keys_dir)?;
        let room = Arc::new(Room::find(Arc::clone(&store), config.store.ballast));
        let (counters, view) = (Arc::new(Counters::default()), PurgeView::default());
        let ears = Arc::new(Ears::open(&store, &config, time.cutoff())?);
        let Writer { queue, thread: writer, ended: writer_ended } =
            start_writer(&store, &config, &counters, &room, &ears)?;
        let purge = start_purge(&store, &config, &time, &counters, &room, &ledgers, &view).await?;
        let context = Context {
            config: Arc::clone(&config),
            time: Arc::clone(&time),
            sealer: store.sealer(),
            queue: queue.clone(),
            counters: Arc::clone(&counters),
            room: Arc::clone(&room),
            ears: Arc::clone(&ears),
        };
        let settling = Settling::start(&store, &context).map_err(DaemonError::Thread)?;
        let (stop, stopping) = watch::channel(false);
        let app = Arc::new(App {
            config: Arc::clone(&config),
            time: Arc::clone(&time),
            sealer: store.sealer(),
            store: Arc::clone(&store),
            queue: queue.clone(),
            counters: Arc::clone(&counters),
            room: Arc::clone(&room),
            ears: Arc::clone(&ears),
            desk: Arc::new(Desk::open(Arc::clone(&store))?),
            readers: Readers::start().map_err(DaemonError::Thread)?,
            watching: Watching::start(started).map_err(DaemonError::Random)?,
            ledgers: Arc::clone(&ledgers),
            package_key,
            purge: view,
            tokens: RwLock::new(Tokens::default()),
            recording_tokens: Mutex::new(()),
            gate: Gate::new(config.api.requests_per_second),
            started,
            ask_purge: purge.asks.clone(),
            streams: Semaphore::new(http::MOST_STREAMS),
            stopping: stopping.clone(),
        });
        if let Ok(present) = time.present() {
            // Nothing is answered before it is known that nobody listened until now.
            ears.is_present(present);
        }
        let listening = coverage::listen(ears, Arc::clone(&time), room, queue.clone(), stopping.clone());
        let mut tasks = vec![
            serve_api(Arc::clone(&app), stopping.clone()).await?,
            tokio::spawn(http::keep_fresh(Arc::clone(&app), stopping.clone())),
            tokio::spawn(time::watch(time, stopping.clone())),
            tokio::spawn(keep_signing(ledgers, stopping.clone())),
            tokio::spawn(listening),
        ];
        let tls = serve_tls(app, stopping, &mut tasks).await?;
        let ways_in = WaysIn::start(&context, &store)?;
        Ok(Self { ways_in, queue, writer, writer_ended, settling, purge, stop, tasks, tls })
    }

    /// The RADIUS addresses it listens on, in the order of the configuration; ports that were 0 are filled in.
    pub fn radius_addresses(&self) -> Vec<SocketAddr> {
        self.ways_in.radius_addresses()
    }

    /// The address that the API is served on over TLS; a port that was 0 is filled in.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|tls| tls.address)
    }

    /// What reads the files of TLS again; those that cannot be used are named in the log and change nothing.
    pub fn reload(&self) -> impl Fn() + use<> {
        let keys = self.tls.as_ref().map(|tls| Arc::clone(&tls.keys));
        move || keys.iter().for_each(|keys| keys.read_again())
    }

    /// Serves until `stop` resolves or the store fails, then stops in order.
    ///
    /// # Errors
    ///
    /// If the store failed.
    pub async fn serve(mut self, stop: impl Future<Output = ()>) -> Result<(), DaemonError> {
        tokio::select! {
            () = stop => {}
            _ = &mut self.writer_ended => {}
            _ = &mut self.purge.ended => {}
        }
        let (ways_in, settling) = (self.ways_in, self.settling);
        // Joining threads blocks. What they received is in the queue afterwards.
        let stopped = tokio::task::spawn_blocking(move || {
            ways_in.stop();
            settling.stop();
        });
        if let Err(error) = stopped.await {
            tracing::error!(%error, "a listener did not end well");
        }
        // Sending fails only if every task has ended already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            // A client that does not finish its request must not keep the daemon alive.
            match timeout(GRACE, task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a task did not end well"),
                Err(_) => tracing::warn!("a task did not end in time"),
            }
        }
        self.queue.stop().await;
        let written = join(self.writer).await?;
        // Last: what was written until now is in its report. If it has ended by itself, nobody listens.
        let _ = self.purge.asks.send(Ask::Stop);
        let purged = join(self.purge.thread).await?;
        written.and(purged).map_err(DaemonError::Writer)
    }
}

/// Waits for a thread that works on the store.
async fn join(
    thread: std::thread::JoinHandle<Result<(), CommitError>>,
) -> Result<Result<(), CommitError>, DaemonError> {
    match tokio::task::spawn_blocking(move || thread.join()).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) | Err(_) => Err(DaemonError::WriterPanicked),
    }
}

/// Purges what fell due while nobody was there, then starts the thread that goes on with it. Nothing is served before.
async fn start_purge(
    store: &Arc<Store>,
    config: &Arc<Config>,
    time: &Arc<Time>,
    counters: &Arc<Counters>,
    room: &Arc<Room>,
    ledgers: &Arc<Ledgers>,
    view: &PurgeView,
) -> Result<Purge, DaemonError> {
    let purger = Purger::resume(Arc::clone(store), time.believed())?;
    let mut purging = Purging {
        store: Arc::clone(store),
        config: Arc::clone(config),
        time: Arc::clone(time),
        counters: Arc::clone(counters),
        room: Arc::clone(room),
        ledgers: Arc::clone(ledgers),
        purger,
        view: view.clone(),
        ran: None,
        failures: 0,
        made_good: false,
        swept: false,
        steps: 0,
        taken: 0,
    };
    let begun = tokio::task::spawn_blocking(move || purging.begin().map(|()| purging)).await;
    let purging = begun.map_err(|_| DaemonError::WriterPanicked)?.map_err(DaemonError::Writer)?;
    purging.start().map_err(DaemonError::Thread)
}

/// Starts the one thread that writes.
fn start_writer(
    store: &Arc<Store>,
    config: &Config,
    counters: &Arc<Counters>,
    room: &Arc<Room>,
    ears: &Arc<Ears>,
) -> Result<Writer, DaemonError> {
    Writer::start(writer::Start {
        store: Arc::clone(store),
        counters: Arc::clone(counters),
        room: Arc::clone(room),
        ears: Arc::clone(ears),
        heard: store.heard()?,
        next_access: store.next_entry(Log::Access),
        queue: config.ingest.queue,
        batch: config.ingest.batch,
    })
    .map_err(DaemonError::Thread)
}

/// Has a later start report that the keyring was lost: by then it is a new one, and whole.
fn keep_loss(store: &Arc<Store>, time: &Time) -> Result<(), DaemonError> {
    if let KeyringFound::Lost(_) = store.keyring_history().found {
        let mut purger = Purger::resume(Arc::clone(store), time.believed())?;
        purger.note(Exception::KeyringLost { at: time.believed() });
        purger.keep().map_err(DaemonError::Writer)?;
    }
    Ok(())
}

/// The key that signs packages, and nothing else. It is made if it is missing.
fn package_key(dir: &Path) -> Result<Signer, KeyError> {
    keys::make_if_missing(dir, "package", "lapsed/package")?;
    Signer::read(dir, "package", "lapsed/package")
}

/// Has both ledgers signed for at least every minute, whether anybody asks or not.
async fn keep_signing(ledgers: Arc<Ledgers>, mut stopping: watch::Receiver<bool>) {
    let mut beat = tokio::time::interval(SIGN_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let ledgers = Arc::clone(&ledgers);
        if tokio::task::spawn_blocking(move || ledgers.refresh()).await.is_err() {
            tracing::error!("the signing was cut short");
        }
    }
}

/// Serves the API over TLS too, if it is configured.
async fn serve_tls(
    app: Arc<App>,
    stopping: watch::Receiver<bool>,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<Option<Tls>, DaemonError> {
    let Some(tls) = app.config.api.tls.as_ref() else { return Ok(None) };
    let keys = Arc::new(Keys::read(tls)?);
    let failed = |source| DaemonError::TlsListen { address: tls.listen, source };
    let listener = TcpListener::bind(tls.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tasks.push(tokio::spawn(http::remote(listener, Arc::clone(&keys), http::router(app), stopping)));
    Ok(Some(Tls { address, keys }))
}

async fn serve_api(app: Arc<App>, stopping: watch::Receiver<bool>) -> Result<JoinHandle<()>, DaemonError> {
    let listen = &app.config.listen;
    let path = listen.api_socket.clone();
    let listener = http::bind(&path, listen.api_socket_mode)
        .map_err(|source| DaemonError::Socket { path: path.clone(), source })?;
    // Tokens minted while the daemon was away get their entries now; a bad file costs tokens, not the daemon.
    if app.read_tokens().await.is_err() {
        tracing::error!("tokens do not work until their file is mended");
    }
    let router = http::router(app);
    Ok(tokio::spawn(async move {
        http::local(listener, router, stopping).await;
        // If the file is gone already, so much the better.
        let _ = std::fs::remove_file(path);
    }))
}
