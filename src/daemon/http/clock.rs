//! `GET /v1/clock` and `POST /v1/clock/accept`: answered in doubt too.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::api::{AcceptAnswer, AcceptRequest, ClockStatus, Problem};
use crate::audit::Entry;
use crate::domain::clock_guard::NotAccepted;

use super::body::Body;
use super::identity::Asker;
use super::{App, Refusal};

pub(super) async fn status(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<ClockStatus>, Refusal> {
    if !asker.role.may_read_clock() {
        return Err(Problem::forbidden(format!("role {} may not look at the clock", asker.role)).into());
    }
    Ok(Json(app.time.status()))
}

pub(super) async fn accept(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<AcceptRequest>,
) -> Result<Json<AcceptAnswer>, Refusal> {
    let role = asker.role;
    if !role.may_accept_clock() {
        let detail = format!("role {role} may not accept a clock; operator may, and approver where both are needed");
        return Err(Problem::forbidden(detail).into());
    }
    let AcceptRequest { doubt } = body.read()?;
    let refused = |error: NotAccepted| Problem::conflict(error.to_string());
    let names = app.pseudonyms(&asker);
    let (reason, step) = app.time.check_accept(doubt, role, &names).map_err(refused)?;
    let actor = app.sealer.actor_pseudonym(&asker.name);
    let entry = Entry::ClockAccepted { at: app.time.believed(), actor, role, reason, step: step.secs() };
    app.has_room().await?;
    // On record before it counts. A crash here leaves the entry of an acceptance that did not count, and the doubt.
    let index = app
        .queue
        .append(entry.to_bytes(), None)
        .await
        .map_err(|_| Problem::unavailable("the acceptance could not be recorded, so it does not count"))?;
    app.time.accept(doubt, role, &names).map_err(refused)?;
    Ok(Json(AcceptAnswer { clock: app.time.status(), index }))
}
