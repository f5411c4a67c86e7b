//! The running daemon: it owns the threads, the sockets and the order in which they start and stop.
//!
//! Start: keys that fell due are destroyed while the store opens; then the writer, the API, and last the listeners. Stop:
//! the listeners first, then the API, then the writer once its queue is empty.

mod counters;
mod http;
mod maintain;
mod purge_view;
mod radius;
mod writer;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::keys::{self, KeyError};
use crate::store::{CommitError, EngineError, Log, OpenError, Store};
use crate::tokens::Tokens;

use counters::Counters;
use http::{App, Peer};
use purge_view::PurgeView;
use radius::{Context, Listener};
use writer::{Queue, Writer};

/// How long open requests may take to finish when the daemon stops.
const GRACE: Duration = Duration::from_secs(5);

/// Why the daemon did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error("cannot read the store: {0}")]
    Engine(#[from] EngineError),
    /// The keys of the ledgers cannot be made.
    #[error(transparent)]
    Keys(#[from] KeyError),
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

/// A daemon that has started.
pub struct Daemon {
    listeners: Vec<Listener>,
    queue: Queue,
    writer: std::thread::JoinHandle<Result<(), CommitError>>,
    writer_ended: oneshot::Receiver<()>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Daemon {
    /// Opens the store, which makes what is missing, and starts to serve. Everything is ready when this returns.
    ///
    /// # Errors
    ///
    /// If the store is not ours, damaged or in use, or an address cannot be listened on.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, DaemonError> {
        let config = Arc::new(config);
        let started = clock.now();
        let store = Arc::new(Store::open(&config.state_dir, &config.keyring_dir, &config.retention, started)?);
        let ledger_keys = config.state_dir.join("ledger-keys");
        keys::make_if_missing(&ledger_keys, "access", "lapsed/access")?;
        keys::make_if_missing(&ledger_keys, "purge", "lapsed/purge")?;
        let counters = Arc::new(Counters::default());
        let Writer { queue, thread: writer, ended: writer_ended } = Writer::start(writer::Start {
            store: Arc::clone(&store),
            counters: Arc::clone(&counters),
            heard: store.heard()?,
            next_access: store.next_entry(Log::Access)?,
            next_purge: store.next_entry(Log::Purge)?,
            queue: config.ingest.queue,
            batch: config.ingest.batch,
        })
        .map_err(DaemonError::Thread)?;
        let context = Context {
            config: Arc::clone(&config),
            clock: Arc::clone(&clock),
            sealer: store.sealer(),
            queue: queue.clone(),
            counters: Arc::clone(&counters),
        };
        let purge = PurgeView::default();
        let app = App {
            config: Arc::clone(&config),
            clock: Arc::clone(&clock),
            sealer: store.sealer(),
            store: Arc::clone(&store),
            queue: queue.clone(),
            counters: Arc::clone(&counters),
            purge: purge.clone(),
            tokens: RwLock::new(Tokens::default()),
            recording_tokens: Mutex::new(()),
            started,
        };
        let (stop, stopping) = watch::channel(false);
        let tasks = vec![
            serve_api(Arc::new(app), stopping.clone()).await?,
            tokio::spawn(maintain::run(store, Arc::clone(&config), clock, counters, purge, stopping)),
        ];
        let mut listeners = Vec::new();
        for address in &config.radius.listen {
            let listener = Listener::start(*address, context.clone());
            listeners.push(listener.map_err(|source| DaemonError::Radius { address: *address, source })?);
        }
        Ok(Self { listeners, queue, writer, writer_ended, stop, tasks })
    }

    /// The RADIUS addresses it listens on, in the order of the configuration; ports that were 0 are filled in.
    pub fn radius_addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.address).collect()
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
        }
        let listeners = self.listeners;
        // Joining threads blocks. What they received is in the queue afterwards.
        let stopped = tokio::task::spawn_blocking(move || listeners.into_iter().for_each(Listener::stop));
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
        let ended = tokio::task::spawn_blocking(move || self.writer.join()).await;
        match ended {
            Ok(Ok(result)) => result.map_err(DaemonError::Writer),
            Ok(Err(_)) | Err(_) => Err(DaemonError::WriterPanicked),
        }
    }
}

async fn serve_api(app: Arc<App>, mut stopping: watch::Receiver<bool>) -> Result<JoinHandle<()>, DaemonError> {
    let listen = &app.config.listen;
    let path = listen.api_socket.clone();
    let listener = http::bind(&path, listen.api_socket_mode)
        .map_err(|source| DaemonError::Socket { path: path.clone(), source })?;
    // Tokens minted while the daemon was away get their entries now; a bad file costs tokens, not the daemon.
    if app.read_tokens().await.is_err() {
        tracing::error!("tokens do not work until their file is mended");
    }
    let service = http::router(app).into_make_service_with_connect_info::<Peer>();
    Ok(tokio::spawn(async move {
        let stopped = async move {
            // An error means that the daemon itself is gone.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the API ended");
        }
        // If the file is gone already, so much the better.
        let _ = std::fs::remove_file(path);
    }))
}
