//! `lapsed run`.

use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::daemon::{Daemon, DaemonError, Flags};

use super::{Ending, tell};

/// Runs the daemon until SIGTERM or SIGINT; SIGHUP has the files of TLS read again.
pub(super) fn run(file: &Path, flags: Flags) -> Ending {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => {
            tell(&error.to_string());
            return Ending::Usage;
        }
    };
    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    let talk = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    if let Err(error) = talk.try_init() {
        tell(&format!("lapsed: cannot talk: {error}"));
    }
    for remark in config.remarks() {
        tracing::warn!("{remark}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime.map_err(DaemonError::Thread).and_then(|runtime| runtime.block_on(serve(config, flags)));
    match ended {
        Ok(()) => Ending::Ok,
        Err(error) => {
            tell(&format!("lapsed: {error}"));
            Ending::Nobody
        }
    }
}

async fn serve(config: Config, flags: Flags) -> Result<(), DaemonError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(DaemonError::Thread)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(DaemonError::Thread)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DaemonError::Thread)?;
    let socket = config.listen.api_socket.clone();
    let daemon = Daemon::start(config, Arc::new(SystemClock), flags).await?;
    for address in daemon.radius_addresses() {
        tracing::info!(%address, "listening for RADIUS accounting");
    }
    if let Some(address) = daemon.tls_address() {
        tracing::info!(%address, "listening for TLS");
    }
    tracing::info!(socket = %socket.display(), "ready");
    let reload = daemon.reload();
    let stop = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => reload(),
            }
        }
        tracing::info!("stopping");
    };
    daemon.serve(stop).await
}
