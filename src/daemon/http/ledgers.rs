//! The ledgers for auditors: the keys that sign them, checkpoints, tiles and entries, and receipts of single entries.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::api::{LedgerKeys, Problem, ReceiptAnswer};
use crate::audit::Entry;
use crate::daemon::ledgers::LedgerError;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::inclusion_proof;
use crate::ledger::note::Note;
use crate::ledger::receipt::Receipt;
use crate::ledger::tile::{Bundle, FULL, LEVELS, Tile, TileKind, TilePath};
use crate::store::{EngineError, Log};

use super::identity::Asker;
use super::{App, Refusal};

/// `GET /v1/ledgers/keys`.
pub(super) async fn keys(State(app): State<Arc<App>>, _: Asker) -> Json<LedgerKeys> {
    Json(LedgerKeys { purge: app.ledgers.vkey(Log::Purge), access: app.ledgers.vkey(Log::Access) })
}

/// `GET /v1/ledgers/{log}/checkpoint`.
pub(super) async fn checkpoint(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(log): Path<String>,
) -> Result<String, Refusal> {
    let log = readable(&asker, &log)?;
    Ok(off_thread(app, move |app| app.ledgers.checkpoint(log).map_err(|error| failed(&error))).await?)
}

/// `GET /v1/ledgers/{log}/tile/{tile}`: a tile of hashes or a bundle of entries, named as C2SP tlog-tiles does.
pub(super) async fn tile(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path((log, tile)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let log = readable(&asker, &log)?;
    let tile: TilePath = format!("tile/{tile}").parse().map_err(|error| Problem::not_found(format!("{error}")))?;
    let bytes = off_thread(app, move |app| app.tile(log, tile)).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// `GET /v1/ledgers/access/receipts/{index}`: of one's own access, or of any for those who may read the ledger.
pub(super) async fn receipt(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(index): Path<String>,
) -> Result<Json<ReceiptAnswer>, Refusal> {
    if !asker.role.may_have_receipts() {
        let detail = format!("role {} may not have receipts; analyst, approver and auditor may", asker.role);
        return Err(Problem::forbidden(detail).into());
    }
    let index = index.parse().map_err(|_| Problem::bad_field("index", "a number is expected"))?;
    // With receipts of any index, whoever may have one could read all of the ledger.
    let own = (!asker.role.may_read_ledgers()).then(|| app.pseudonyms(&asker));
    let receipt = off_thread(app, move |app| app.receipt(index, own.as_deref())).await?;
    Ok(Json(ReceiptAnswer { receipt }))
}

/// The ledger of this name, if the role may read it.
fn readable(asker: &crate::domain::actor::Principal, name: &str) -> Result<Log, Problem> {
    if !asker.role.may_read_ledgers() {
        return Err(Problem::forbidden(format!("role {} may not read the ledgers; auditor may", asker.role)));
    }
    let log = Log::ALL.into_iter().find(|log| log.name() == name);
    log.ok_or_else(|| Problem::not_found(format!("there is no ledger `{name}`: access or purge")))
}

async fn off_thread<T: Send + 'static>(
    app: Arc<App>,
    read: impl FnOnce(&App) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(move || read(&app)).await;
    read.map_err(|_| Problem::internal("the reading was cut short"))?
}

fn failed(error: &LedgerError) -> Problem {
    tracing::error!(%error, "a ledger cannot be shown");
    Problem::unavailable(error.to_string())
}

fn unread(error: &EngineError) -> Problem {
    Problem::internal(format!("the ledger cannot be read: {error}"))
}

/// Who did what an entry speaks of. Nobody, if it is one of a place from which false tokens came, or cannot be read.
fn actor_of(entry: &[u8]) -> Option<[u8; 8]> {
    match Entry::parse(entry).ok()? {
        Entry::Lookup { access, .. }
        | Entry::Subscriber { access, .. }
        | Entry::Request { access, .. }
        | Entry::Hold { access, .. } => Some(access.actor),
        Entry::ClockAccepted { actor, .. } | Entry::TokenMinted { actor, .. } | Entry::TokenRevoked { actor, .. } => {
            Some(actor)
        }
        Entry::LockedOut { .. } => None,
    }
}

impl App {
    fn tile(&self, log: Log, path: TilePath) -> Result<Vec<u8>, Problem> {
        let missing = || Problem::not_found(format!("the {} ledger does not reach to {path} yet", log.name()));
        let width = usize::from(path.width);
        let first = path.index.checked_mul(u64::from(FULL)).ok_or_else(missing)?;
        match path.kind {
            TileKind::Entries => {
                let entries = self.store.entries(log, first, width).map_err(|error| unread(&error))?;
                let entries: Vec<Vec<u8>> = entries.into_iter().map(|(_, entry)| entry).collect();
                if entries.len() != width {
                    return Err(missing());
                }
                Bundle { entries }.encode().map_err(|error| Problem::internal(error.to_string()))
            }
            TileKind::Hashes { level } => {
                let level = level.checked_mul(LEVELS).ok_or_else(missing)?;
                let hashes = self.store.log_hashes(log).hashes(level, first, width).map_err(|error| unread(&error))?;
                if hashes.len() == width { Ok(Tile { hashes }.encode()) } else { Err(missing()) }
            }
        }
    }

    /// The receipt of an entry; if `own` is given, of one whose actor goes by one of these pseudonyms. Any other is not there.
    fn receipt(&self, index: u64, own: Option<&[[u8; 8]]>) -> Result<String, Problem> {
        let entry = self.store.entries(Log::Access, index, 1).map_err(|error| unread(&error))?;
        let missing = || Problem::not_found(format!("the access ledger has no entry {index}"));
        let (_, entry) = entry.into_iter().find(|(found, _)| *found == index).ok_or_else(missing)?;
        if own.is_some_and(|own| actor_of(&entry).is_none_or(|actor| !own.contains(&actor))) {
            return Err(missing());
        }
        let checkpoint = self.ledgers.checkpoint(Log::Access).map_err(|error| failed(&error))?;
        let note = Note::parse(checkpoint.as_bytes()).map_err(|error| Problem::internal(error.to_string()))?;
        let of = Checkpoint::parse(&note.text).map_err(|error| Problem::internal(error.to_string()))?;
        // The entry is durable a moment before the tree counts it.
        if index >= of.size {
            return Err(missing());
        }
        let proof = inclusion_proof(&self.store.log_hashes(Log::Access), index, of.size);
        let proof = proof.map_err(|error| Problem::internal(error.to_string()))?;
        Ok(Receipt { extra: Some(entry), index, proof, checkpoint }.to_text())
    }
}
