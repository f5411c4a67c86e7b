//! `GET /v1/status`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::api::{ClockState, DiskStatus, GapText, Problem, SourceStatus, StatusAnswer};
use crate::config::Source;
use crate::domain::coverage::{Coverage, Gap, Trouble};
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;
use crate::store::Log;

use super::identity::Asker;
use super::{App, Refusal};

pub(super) async fn status(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<StatusAnswer>, Refusal> {
    if !asker.role.may_read_status() {
        return Err(Problem::forbidden(format!("role {} may not read the status", asker.role)).into());
    }
    let clock = app.time.status();
    let retention = &app.config.retention;
    let access_entries = app.store.next_entry(Log::Access);
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
        emergencies: app.emergency_counts(app.time.believed()).await,
        sources: app.sources(),
        counters: app.counters.by_name(),
    }))
}

impl App {
    /// Every configured source and what is known of it.
    fn sources(&self) -> Vec<SourceStatus> {
        let (coverage, now) = (self.ears.coverage(), self.time.believed());
        self.config.sources().map(|source| self.source(source, &coverage, now)).collect()
    }

    fn source(&self, source: &Source, coverage: &Coverage, now: Timestamp) -> SourceStatus {
        let name = SourceName(source.name.clone());
        let figures = self.ears.figures(&name, now);
        let heard = coverage.newest(&name);
        SourceStatus {
            realm: source.realm.clone(),
            interims: source.interims,
            max_silence: source.max_silence.map(|silence| silence.as_secs()),
            heard: heard.map(|at| at.to_string()),
            heard_ago: heard.map(|at| now.since(at).as_secs()),
            arrived: figures.arrived.map(|at| at.to_string()),
            events: figures.lately,
            events_over: figures.over,
            clock_ahead: figures.ahead,
            lost: figures.lost,
            quarantined: figures.quarantined,
            gaps: coverage.gaps(&name).into_iter().map(text_of).collect(),
            name: name.0,
        }
    }
}

fn text_of(gap: Gap) -> GapText {
    let why = gap.troubles.iter().map(Trouble::name).map(str::to_owned).collect();
    GapText { from: gap.from.to_string(), until: gap.until.to_string(), why }
}
