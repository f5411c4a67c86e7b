//! The API, on the Unix socket and over TLS.

mod access;
mod anomalies;
mod body;
mod captures;
mod certificates;
mod clock;
mod customers;
mod emergencies;
mod events;
mod gate;
mod holds;
mod identity;
mod kept;
mod ledgers;
mod lookups;
mod on_file;
mod packages;
mod policy;
mod purge;
mod query;
mod repeats;
mod request_answers;
mod request_fields;
mod request_sheet;
mod request_understanding;
mod requests;
mod serve;
mod status;
mod stream;
mod subscribers;
mod tls;
mod triage;

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, RwLock};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};

use crate::api::{self, routes};
use crate::config::Config;
use crate::domain::time::Timestamp;
use crate::ledger::keys::Signer;
use crate::store::{SealedRow, Sealer, Store};
use crate::tokens::Tokens;

use super::counters::Counters;
use super::coverage::Ears;
use super::desk::Desk;
use super::ledgers::Ledgers;
use super::purge::Ask;
use super::purge_view::PurgeView;
use super::readers::Readers;
use super::room::Room;
use super::time::{InDoubt, Time};
use super::watching::Watching;
use super::writer::Queue;
pub(super) use captures::keep_fresh;
pub(super) use events::MOST_STREAMS;
pub(super) use gate::Gate;
pub(super) use serve::{local, remote};
pub(super) use tls::Keys;
pub use tls::TlsError;

/// What every handler needs.
pub(super) struct App {
    pub(super) config: Arc<Config>,
    pub(super) time: Arc<Time>,
    pub(super) store: Arc<Store>,
    pub(super) sealer: Sealer,
    pub(super) queue: Queue,
    pub(super) counters: Arc<Counters>,
    pub(super) room: Arc<Room>,
    pub(super) ears: Arc<Ears>,
    pub(super) desk: Arc<Desk>,
    pub(super) readers: Readers,
    pub(super) watching: Watching,
    /// The ledgers as auditors see them.
    pub(super) ledgers: Arc<Ledgers>,
    /// Signs packages.
    pub(super) package_key: Signer,
    pub(super) purge: PurgeView,
    pub(super) tokens: RwLock<Tokens>,
    /// Held while tokens are read again and their entries are written, so that each gets one.
    pub(super) recording_tokens: tokio::sync::Mutex<()>,
    pub(super) gate: Gate,
    pub(super) started: Timestamp,
    /// Streams of events that are open at once.
    pub(super) streams: Semaphore,
    /// Turns to `true` when the daemon stops.
    pub(super) stopping: watch::Receiver<bool>,
    /// The way to the purge's thread.
    pub(super) ask_purge: std::sync::mpsc::Sender<Ask>,
}

/// A problem as a response.
pub(super) struct Refusal(pub(super) api::Problem);

impl From<api::Problem> for Refusal {
    fn from(problem: api::Problem) -> Self {
        Self(problem)
    }
}

impl From<InDoubt> for api::Problem {
    fn from(doubt: InDoubt) -> Self {
        Self::clock_in_doubt(doubt.to_string())
    }
}

impl From<InDoubt> for Refusal {
    fn from(doubt: InDoubt) -> Self {
        Self(doubt.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, api::PROBLEM_JSON)], Json(self.0)).into_response()
    }
}

/// Every path and what answers at it. A path that is not in [`api::routes`] is not let through by the gate.
fn handlers() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    let long = || DefaultBodyLimit::max(triage::MAX_BODY);
    vec![
        (api::LOOKUPS, post(lookups::lookup)),
        (api::REQUESTS, get(requests::list).post(requests::open).layer(long())),
        (api::REQUESTS_PREVIEW, post(requests::preview).layer(long())),
        (routes::REQUEST, get(requests::show)),
        (routes::REQUEST_ITEMS, post(requests::add).layer(long())),
        (routes::REQUEST_ANSWERS, post(request_answers::answer)),
        (routes::REQUEST_PACKAGE, post(packages::package)),
        (routes::REQUEST_CERTIFICATE, post(certificates::certify)),
        (routes::REQUEST_FIELDS, post(request_fields::add)),
        (routes::REQUEST_FOLLOW_UP, post(emergencies::follow_up)),
        (routes::REQUEST_APPROVE, post(requests::approve)),
        (routes::REQUEST_CLOSE, post(requests::close)),
        (api::EMERGENCIES, get(emergencies::list)),
        (api::ANOMALIES, get(anomalies::anomalies)),
        (api::HOLDS, get(holds::list).post(holds::place)),
        (routes::HOLD, get(holds::show)),
        (routes::HOLD_APPROVE, post(holds::approve)),
        (routes::HOLD_ATTACH, post(holds::attach)),
        (routes::HOLD_RENEW, post(holds::renew)),
        (routes::HOLD_RELEASE, post(holds::release)),
        (api::SUBSCRIBERS, post(subscribers::subscriber)),
        (api::TRIAGE, post(triage::triage).layer(long())),
        (api::EVENTS, post(events::take)),
        (api::STATUS, get(status::status)),
        (api::POLICY, get(policy::policy)),
        (api::CLOCK, get(clock::status)),
        (api::CLOCK_ACCEPT, post(clock::accept)),
        (api::LEDGER_KEYS, get(ledgers::keys)),
        (routes::LEDGER_CHECKPOINT, get(ledgers::checkpoint)),
        (routes::LEDGER_TILE, get(ledgers::tile)),
        (routes::RECEIPT, get(ledgers::receipt)),
        (api::PURGE_STATUS, get(purge::status)),
        (api::PURGE_PLAN, get(purge::plan)),
        (api::PURGE_REPORTS, get(purge::reports)),
        (routes::PURGE_REPORT, get(purge::report)),
        (api::PURGE_RUN, post(purge::run)),
        (api::PURGE_WINDOW, post(purge::window)),
    ]
}

/// The routes. Those that say of nobody who it is stand behind the gate's layer.
pub(super) fn router(app: Arc<App>) -> Router {
    let known = handlers().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    known
        .route_layer(from_fn_with_state(Arc::clone(&app), gate::gate))
        .route(api::LIVEZ, get(|| async { "alive\n" }))
        .route(api::READYZ, get(ready))
        .method_not_allowed_fallback(|| async { Refusal(api::Problem::no_such_method()) })
        .fallback(|| async { Refusal(api::Problem::no_such_path()) })
        .with_state(app)
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    if let Err(doubt) = app.time.now() {
        Refusal::from(doubt).into_response()
    } else if app.room.is_short() {
        Refusal(api::Problem::disk_full("no event is acknowledged until there is room again")).into_response()
    } else if app.queue.accepting() {
        "ready\n".into_response()
    } else {
        Refusal(api::Problem::unavailable("the store takes no events")).into_response()
    }
}

impl App {
    /// Makes sure that an entry of the ledger can be written: a commit that fails for want of space would end the daemon.
    async fn has_room(&self) -> Result<(), api::Problem> {
        self.has_room_for(&[]).await
    }

    /// The same for an entry with sealed rows beside it.
    async fn has_room_for(&self, sealed: &[SealedRow]) -> Result<(), api::Problem> {
        let beside = sealed.iter().map(SealedRow::bytes).sum();
        if self.room.has_entry(beside) {
            return Ok(());
        }
        let room = Arc::clone(&self.room);
        match tokio::task::spawn_blocking(move || room.make_entry(beside)).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => {
                Err(api::Problem::disk_full("the ledger has no room for an entry, so nothing is done"))
            }
        }
    }
}

/// Binds the socket, in the place of one that a dead daemon left behind.
pub(super) fn bind(path: &Path, mode: u32) -> io::Result<UnixListener> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    // A file that is no socket refuses connections like a dead socket, and must not be removed: binding will say.
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AddrInUse, "another daemon answers on it")),
        Err(error) if is_socket && error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)?,
        // Nothing is there; what else is wrong, binding will say.
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_served_is_what_the_table_names() {
        let mut served: BTreeSet<&str> = handlers().into_iter().map(|(path, _)| path).collect();
        served.extend([api::LIVEZ, api::READYZ]);
        let named: BTreeSet<&str> = routes::ROUTES.iter().map(|route| route.path).collect();
        assert_eq!(served, named);
    }
}
