//! `/v1/purge`: how the purge is doing, what it would do, what it reported. Names no record.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use crate::api::{
    BucketText, ChangeText, ErasureText, OldestText, PlanAnswer, Problem, PurgeReports, PurgeStatus, ReportLine,
    RunAnswer, RunText, SpanText, WindowAnswer, WindowRequest,
};
use crate::config::duration;
use crate::daemon::purge::Ask;
use crate::domain::actor::{Principal, Role};
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, Cutoff, Timestamp, millis_of};
use crate::purge::{Change, Class, Erasure, Plan, Report, Run};
use crate::store::{Log, WindowError};

use super::body::Body;
use super::identity::Asker;
use super::{App, Refusal, query};

/// How many reports are listed where nobody says how many.
const SOME: u64 = 50;
/// How many are listed at most.
const MOST: u64 = 1000;

fn may(role: Role, may: bool, what: &str) -> Result<(), Problem> {
    if may { Ok(()) } else { Err(Problem::forbidden(format!("role {role} may not {what}"))) }
}

pub(super) async fn status(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<PurgeStatus>, Refusal> {
    may(asker.role, asker.role.may_read_purges(), "look at the purge; operator, auditor and approver may")?;
    let (now, seen) = (app.time.believed(), app.purge.seen());
    let cutoff = app.standing();
    let oldest = seen.oldest.map(|at| OldestText { time: at.to_string(), age_ms: millis_of(now.since(at)) });
    let unreadable = seen.last_run.as_ref().map_or(0, |run| run.unreadable.len());
    Ok(Json(PurgeStatus {
        now: now.to_string(),
        window_ms: millis_of(app.store.window()),
        cutoff: cutoff.horizon().to_string(),
        oldest,
        lag_ms: seen.oldest.map_or(0, |at| millis_of(cutoff.horizon().since(at))),
        last_run: seen.last_run.as_ref().map(run_text),
        next_run: seen.next_run.map(|at| at.to_string()),
        consecutive_failures: seen.consecutive_failures,
        live_keys: seen.live_keys,
        unreadable_keys: u32::try_from(unreadable).unwrap_or(u32::MAX),
        erasure: seen.erasure.as_ref().map(erasure_text),
        reports: app.store.next_entry(Log::Purge),
    }))
}

pub(super) async fn plan(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    RawQuery(query): RawQuery,
) -> Result<Json<PlanAnswer>, Refusal> {
    may(asker.role, asker.role.may_plan_purges(), "plan a purge; operator and auditor may")?;
    let [window] = query::values(query.as_deref(), ["window"])?;
    let window = window.map(|text| app.window(text)).transpose()?;
    let (now, seen) = (app.time.believed(), app.purge.seen());
    let retention = Retention { window: app.store.window(), ..app.config.retention };
    let standing = app.standing();
    let plan = match window {
        None => Plan::at(&retention, standing, &seen.keys, seen.oldest),
        Some(window) => {
            let changed = Retention { window, ..retention };
            Plan::of_change(&changed, retention.window, standing, now, &seen.keys, seen.oldest)
        }
    };
    Ok(Json(plan_answer(&plan, &retention, now)))
}

pub(super) async fn reports(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    RawQuery(query): RawQuery,
) -> Result<Json<PurgeReports>, Refusal> {
    may(asker.role, asker.role.may_read_purges(), "read purge reports; operator, auditor and approver may")?;
    let [from, limit] = query::values(query.as_deref(), ["from", "limit"])?;
    let limit = query::number("limit", limit)?.unwrap_or(SOME).min(MOST);
    let next = app.store.next_entry(Log::Purge);
    // Where nobody says from where, the newest are meant.
    let from = query::number("from", from)?.unwrap_or(next.saturating_sub(limit));
    let entries = app.report_entries(from, limit)?;
    let lines = entries.iter().map(|(index, bytes)| read(*index, bytes).map(|report| report_line(&report)));
    Ok(Json(PurgeReports { reports: lines.collect::<Result<_, _>>()?, next }))
}

pub(super) async fn report(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(sequence): Path<String>,
) -> Result<Response, Refusal> {
    may(asker.role, asker.role.may_read_purges(), "read purge reports; operator, auditor and approver may")?;
    let none = || Problem::not_found("there is no purge report with this number; GET /v1/purge/reports lists them");
    let sequence: u64 = sequence.parse().map_err(|_| none())?;
    let found = app.report_entries(sequence, 1)?.into_iter().next().filter(|(index, _)| *index == sequence);
    let (_, bytes) = found.ok_or_else(none)?;
    // As it stands in the ledger, also if this version cannot read it: the text is the evidence.
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], bytes).into_response())
}

/// Makes a run now, and waits for it. In doubt about the clock none is made.
pub(super) async fn run(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<RunAnswer>, Refusal> {
    may(asker.role, asker.role.may_run_purges(), "have a purge made; operator may")?;
    app.time.now()?;
    let gone = || Problem::unavailable("the purge has stopped");
    let (done, made) = oneshot::channel();
    app.ask_purge.send(Ask::Run(done)).map_err(|_| gone())?;
    let Some(run) = made.await.map_err(|_| gone())? else {
        // The doubt began after it was asked for, and may have ended since.
        app.time.now()?;
        return Err(Problem::unavailable("the clock was in doubt for a moment, and no run was made; ask again").into());
    };
    Ok(Json(RunAnswer {
        cutoff: run.cutoff.horizon().to_string(),
        run: run_text(&run),
        remaining: run.remaining(),
        files_removed: run.files_removed,
    }))
}

pub(super) async fn window(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<WindowRequest>,
) -> Result<Json<WindowAnswer>, Refusal> {
    may(asker.role, asker.role.may_change_the_window(), "change the window; operator may")?;
    let request = body.read()?;
    let window = app.window(&request.window)?;
    // What a change destroys is destroyed by the clock.
    app.time.now()?;
    if request.confirm != request.window {
        let detail = "it must repeat the new window letter by letter; GET /v1/purge/plan?window= shows what is lost";
        return Err(Problem::bad_field("confirm", detail).into());
    }
    Ok(Json(app.change_window(&asker, window).await?))
}

impl App {
    /// The cutoff that is in force: it never moves back.
    fn standing(&self) -> Cutoff {
        self.time.cutoff().max(self.store.cutoff())
    }

    /// A window that the configuration could have.
    fn window(&self, text: &str) -> Result<Duration, Problem> {
        let window = duration::parse(text).map_err(|error| Problem::bad_field("window", error))?;
        if let Some(problem) = self.config.window_problem(window) {
            return Err(Problem::bad_field("window", problem));
        }
        let longest = self.store.longest_window();
        if window > longest {
            return Err(Problem::bad_field("window", WindowError::TooLong { asked: window, longest }));
        }
        Ok(window)
    }

    /// Makes this the window, destroys what is due by it, and reports the change.
    async fn change_window(&self, asker: &Principal, window: Duration) -> Result<WindowAnswer, Problem> {
        let gone = || Problem::unavailable("the purge has stopped");
        let old = self.store.window();
        let (done, changed) = oneshot::channel();
        let who = self.sealer.actor_pseudonym(&asker.name);
        self.ask_purge.send(Ask::ChangeWindow { window, who, done }).map_err(|_| gone())?;
        changed.await.map_err(|_| gone())?.map_err(|error| match error {
            WindowError::TooLong { .. } => Problem::bad_field("window", error),
            WindowError::Failed(_) => Problem::internal(error.to_string()),
        })?;
        let cutoff = self.standing().horizon().to_string();
        Ok(WindowAnswer { old_ms: millis_of(old), new_ms: millis_of(window), cutoff })
    }

    fn report_entries(&self, from: u64, limit: u64) -> Result<Vec<(u64, Vec<u8>)>, Problem> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.store.entries(Log::Purge, from, limit).map_err(|error| Problem::internal(error.to_string()))
    }
}

fn read(index: u64, bytes: &[u8]) -> Result<Report, Problem> {
    let unreadable = |error: &dyn std::fmt::Display| Problem::internal(format!("purge report {index}: {error}"));
    let report = Report::parse(bytes).map_err(|error| unreadable(&error))?;
    if report.sequence == index { Ok(report) } else { Err(unreadable(&"it has another number")) }
}

fn report_line(report: &Report) -> ReportLine {
    let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
    let unlinked = Class::ALL.iter().map(|class| report.classes.of(*class).filtered);
    ReportLine {
        sequence: report.sequence,
        kind: report.kind.to_string(),
        from: report.from.to_string(),
        to: report.to.to_string(),
        runs: report.runs.count,
        unlinked: unlinked.fold(0, u64::saturating_add),
        keys_opened: count(report.keys.opened.len()),
        keys_destroyed: count(report.keys.destroyed.len()),
        exceptions: count(report.exceptions.len()).saturating_add(report.left_out),
        result: report.verdict().to_string(),
    }
}

fn run_text(run: &Run) -> RunText {
    let unlinked = Class::ALL.iter().map(|class| run.classes.of(*class).filtered);
    RunText {
        began: run.began.to_string(),
        ended: run.ended.to_string(),
        trigger: run.trigger.to_string(),
        result: if run.failed() { "failed" } else { "verified" }.to_owned(),
        failures: run.failures.iter().map(|failure| format!("{}: {}", failure.step, failure.reason)).collect(),
        unlinked: unlinked.fold(0, u64::saturating_add),
        keys_destroyed: u64::try_from(run.destroyed.len()).unwrap_or(u64::MAX),
    }
}

fn erasure_text(erasure: &Erasure) -> ErasureText {
    ErasureText {
        class: erasure.class.to_string(),
        stack: erasure.stack.to_string(),
        same_device: erasure.same_device.to_string(),
    }
}

fn plan_answer(plan: &Plan, retention: &Retention, now: Timestamp) -> PlanAnswer {
    let bucket = |bucket: &Bucket| {
        let from = retention.bucket.start_of(*bucket).to_string();
        BucketText { bucket: bucket.0, from }
    };
    let span = |(from, until): (Timestamp, Timestamp)| SpanText { from: from.to_string(), until: until.to_string() };
    let change = |Change { old, new, lost }: Change| ChangeText {
        old_ms: millis_of(old),
        new_ms: millis_of(new),
        lost: lost.map(span),
    };
    PlanAnswer {
        now: now.to_string(),
        window_ms: millis_of(plan.window),
        cutoff: plan.cutoff.horizon().to_string(),
        destroy: plan.destroy.iter().map(bucket).collect(),
        cut: plan.cut.as_ref().map(bucket),
        compact: plan.compact.map(span),
        change: plan.change.map(change),
        text: plan.to_string(),
    }
}
