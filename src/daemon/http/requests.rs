//! `/v1/requests`: the papers of a legal process on file, their items, who approved them, and their end.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::api::{
    Done, ItemReading, ItemsPaper, Problem, RequestList, RequestOpened, RequestPaper, RequestPreview, RequestSheet,
};
use crate::audit::RequestAct;
use crate::daemon::desk::DeskError;
use crate::desk::{Approval, Request, State as Progress};
use crate::domain::actor::Principal;
use crate::store::{CaseClass, CaseId};
use crate::written::instant::ZONES_VERSION;

use super::access::Ties;
use super::body::Body;
use super::identity::Asker;
use super::on_file::{desk_failed, may_file, names, still_open};
use super::request_understanding::{Understood, lacking, understood};
use super::{App, Refusal};

pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<RequestPaper>,
) -> Result<Json<RequestPreview>, Refusal> {
    may_file(&asker)?;
    let now = app.time.present()?.now;
    let Understood { items, warnings, .. } = app.understand(body.read()?, now)?;
    let items = (1_u32..).zip(items).map(|(number, item)| ItemReading {
        item: number,
        at: item.at().to_string(),
        address: item.network,
        port: item.port,
        written: item.written,
    });
    Ok(Json(RequestPreview { items: items.collect(), warnings, zones: ZONES_VERSION.to_owned() }))
}

pub(super) async fn open(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<RequestPaper>,
) -> Result<Json<RequestOpened>, Refusal> {
    may_file(&asker)?;
    let now = app.time.present()?.now;
    let Understood { papers, items, warnings } = app.understand(body.read()?, now)?;
    let Ties { salt, .. } = Ties::random()?;
    let id = app.store.begin_case(CaseClass::Request, now.plus(app.config.disclosure.keep_open));
    let id = id.map_err(|error| desk_failed(error.into()))?;
    let mut request = Request { papers, items, state: Progress::opened(now, names(&asker), salt.0) };
    // Everything of it is sealed in one write, or it is not on file.
    let filed = app.file_request(&asker, id, &mut request).await;
    if filed.is_err() {
        let capture = app.desk.capture_of(&request, now);
        app.give_up(&[id].into_iter().chain(capture).collect::<Vec<_>>());
    }
    let captured = filed?;
    let count = u32::try_from(request.items.len()).unwrap_or(u32::MAX);
    app.desk.take(id, request);
    Ok(Json(RequestOpened { id: id.to_string(), items: count, captured, warnings }))
}

pub(super) async fn list(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<RequestList>, Refusal> {
    may_file(&asker)?;
    let now = app.time.present()?.now;
    let mut lines = Vec::new();
    for (id, filed) in app.desk.all(now) {
        let request = filed.lock().await;
        lines.push((request.state.opened, app.line(id, &request)));
    }
    lines.sort_by_key(|(opened, _)| *opened);
    let emergencies = app.emergency_counts(now).await;
    Ok(Json(RequestList { requests: lines.into_iter().map(|(_, line)| line).collect(), emergencies }))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<RequestSheet>, Refusal> {
    may_file(&asker)?;
    let (id, filed) = app.filed(&id)?;
    let request = filed.lock().await;
    app.note(&asker, id, &request, (RequestAct::Shown, 0), Vec::new()).await?;
    Ok(Json(app.sheet(id, &request)?))
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
    body: Body<ItemsPaper>,
) -> Result<Json<RequestOpened>, Refusal> {
    may_file(&asker)?;
    let (id, filed) = app.filed(&id)?;
    let paper = body.read()?;
    let mut request = filed.lock().await;
    still_open(&request)?;
    let items = understood(&paper)?;
    let first = u32::try_from(request.items.len()).unwrap_or(u32::MAX).saturating_add(1);
    let terms = app.terms_on_file(&request.papers)?;
    let mut changed = request.clone();
    changed.items.extend(items);
    let present = app.time.present()?;
    let captures = app.capture(&mut changed, first, present).await?;
    let captured = u32::try_from(captures.len()).unwrap_or(u32::MAX);
    let rows = || -> Result<_, DeskError> {
        let mut rows = changed.item_rows(first)?;
        rows.push(changed.state_row()?);
        app.desk.seal(id, rows)
    };
    let mut sealed = rows().map_err(desk_failed)?;
    sealed.extend(captures);
    app.note(&asker, id, &changed, (RequestAct::ItemsAdded, captured), sealed).await?;
    *request = changed;
    let mut warnings = lacking(&terms.missing(&request.papers.given(true)));
    warnings.extend(app.remarks(&request.papers, &request.items, first, present.now));
    let count = u32::try_from(request.items.len()).unwrap_or(u32::MAX);
    Ok(Json(RequestOpened { id: id.to_string(), items: count, captured, warnings }))
}

pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<Done>, Refusal> {
    if !asker.role.may_approve() {
        return Err(Problem::forbidden(format!("role {} may not approve; approver may", asker.role)).into());
    }
    let (id, filed) = app.filed(&id)?;
    let mut request = filed.lock().await;
    still_open(&request)?;
    if asker.is_one_of(&request.state.opened_by) {
        app.change(&asker, id, &request, RequestAct::ApprovalRefused).await?;
        return Err(Problem::forbidden("nobody approves what they opened: another approver must").into());
    }
    if request.approvals().any(|approval| asker.is_one_of(&approval.by)) {
        return Err(Problem::conflict("you have approved it already").into());
    }
    let now = app.time.present()?.now;
    let mut changed = request.clone();
    changed.state.approvals.push(Approval { by: names(&asker), at: now.millis() });
    let ledger = app.change(&asker, id, &changed, RequestAct::Approved).await?;
    *request = changed;
    // What waited a day for this is kept as long as any other. What waited longer is gone, and stays so.
    if let Some(capture) = app.desk.capture_of(&request, now) {
        let expires = request.opened().plus(app.config.disclosure.capture_expiry);
        if app.store.case(capture).is_some_and(|case| case.expires < expires) {
            app.store.keep_case_until(capture, expires).map_err(|error| desk_failed(error.into()))?;
        }
    }
    Ok(Json(Done { id: id.to_string(), ledger }))
}

pub(super) async fn close(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<Done>, Refusal> {
    may_file(&asker)?;
    let (id, filed) = app.filed(&id)?;
    let mut request = filed.lock().await;
    still_open(&request)?;
    let now = app.time.present()?.now;
    let mut changed = request.clone();
    changed.state.closed = Some(now.millis());
    let ledger = app.change(&asker, id, &changed, RequestAct::Closed).await?;
    *request = changed;
    // A crash before this leaves a closed request with what was captured for it; that expires.
    let expires = now.plus(app.config.disclosure.keep_closed);
    let shorter = app.store.case(id).is_some_and(|case| case.expires > expires);
    let kept = if shorter { app.store.keep_case_until(id, expires) } else { Ok(()) };
    kept.map_err(|error| desk_failed(error.into()))?;
    if let Some(capture) = app.desk.capture_of(&request, now) {
        app.end_now(capture)?;
    }
    Ok(Json(Done { id: id.to_string(), ledger }))
}

impl App {
    /// Seals the whole request, and makes it durable with its entry.
    async fn file_request(
        self: &Arc<Self>,
        asker: &Principal,
        id: CaseId,
        request: &mut Request,
    ) -> Result<u32, Problem> {
        let captures = self.capture(request, 1, self.time.present()?).await?;
        let captured = u32::try_from(captures.len()).unwrap_or(u32::MAX);
        let rows = || {
            let mut rows = request.item_rows(1)?;
            rows.extend([request.papers_row()?, request.state_row()?]);
            self.desk.seal(id, rows)
        };
        let mut sealed = rows().map_err(desk_failed)?;
        sealed.extend(captures);
        self.note(asker, id, request, (RequestAct::Opened, captured), sealed).await?;
        Ok(captured)
    }
}
