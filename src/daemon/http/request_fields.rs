//! `POST /v1/requests/{id}/fields`: what the papers lacked is added. What is on file stays as it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::api::{FieldsAdded, FieldsPaper, Problem};
use crate::audit::RequestAct;
use crate::daemon::desk::DeskError;
use crate::domain::process::Need;

use super::body::Body;
use super::identity::Asker;
use super::on_file::{desk_failed, may_file, names, still_open};
use super::{App, Refusal};

pub(super) async fn add(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
    body: Body<FieldsPaper>,
) -> Result<Json<FieldsAdded>, Refusal> {
    may_file(&asker)?;
    let (id, filed) = app.filed(&id)?;
    let paper = body.read()?;
    let mut request = filed.lock().await;
    still_open(&request)?;
    let terms = app.terms_on_file(&request.papers)?;
    let present = app.time.present()?;
    let papers = request.papers.with(&paper.set, present.now);
    let papers =
        papers.map_err(|faults| Problem::of_faults("bad-field", "nothing was added to the papers", &faults))?;
    let mut changed = request.clone();
    changed.take_added(papers, paper.set.keys(), &names(&asker), present.now);
    let mut captures = Vec::new();
    if changed.papers.process.is_own_data_only() {
        // Whose data is captured may be known only now.
        captures = app.capture(&mut changed, 1, present).await?;
    }
    let captured = u32::try_from(captures.len()).unwrap_or(u32::MAX);
    let rows = || -> Result<_, DeskError> { app.desk.seal(id, vec![changed.papers_row()?, changed.state_row()?]) };
    let mut sealed = rows().map_err(desk_failed)?;
    sealed.extend(captures);
    let ledger = app.note(&asker, id, &changed, (RequestAct::FieldsAdded, captured), sealed).await?;
    *request = changed;
    let missing = terms.missing(&request.papers.given(request.is_approved()));
    Ok(Json(FieldsAdded { id: id.to_string(), ledger, missing: Need::names(&missing) }))
}
