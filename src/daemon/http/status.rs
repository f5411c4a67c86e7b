//! `GET /v1/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::api::{ClockState, DiskStatus, Problem, SourceStatus, StatusAnswer};
use crate::domain::identity::SourceName;
use crate::store::Log;

use super::identity::Asker;
use super::{App, Refusal};

pub(super) async fn status(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<StatusAnswer>, Refusal> {
    if !asker.role.may_read_status() {
        return Err(Problem::forbidden(format!("role {} may not read the status", asker.role)).into());
    }
    let clock = app.time.status();
    let retention = &app.config.retention;
    let heard = app.queue.heard();
    let source = |name: &String| SourceStatus {
        name: name.clone(),
        heard: heard.get(&SourceName(name.clone())).map(ToString::to_string),
    };
    let access_entries = app.store.next_entry(Log::Access).map_err(|error| Problem::internal(error.to_string()))?;
    let found = app.room.found();
    let disk = DiskStatus {
        full: app.room.is_short(),
        free: found.map(|found| found.free),
        ballast: found.map(|found| found.held),
    };
    Ok(Json(StatusAnswer {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: clock.now.clone(),
        horizon: app.time.cutoff().horizon().to_string(),
        window: app.store.window().as_secs(),
        bucket: u64::from(retention.bucket.secs()),
        started: app.started.to_string(),
        accepting: app.queue.accepting() && clock.state == ClockState::Trusted && !disk.full,
        disk,
        clock,
        access_entries,
        sources: app.config.sources().map(|one| source(&one.name)).collect(),
        counters: app.counters.by_name(),
    }))
}
