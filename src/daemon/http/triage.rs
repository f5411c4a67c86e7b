//! `POST /v1/triage`: which items of a list can still be answered, and for how long.
//!
//! It reads no record and writes nothing down, of what is asked or otherwise: the clock and the configuration say it
//! all. So there is no process to it, and no entry in the access ledger either, for no data is accessed. It knows the
//! list of a request, which names people's addresses: hence only those who may look them up may ask.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::api::{Problem, TriageAnswer, TriageRequest};
use crate::daemon::time::Present;
use crate::desk::remarks::Context;
use crate::desk::triage;
use crate::domain::time::Timestamp;
use crate::written::{instant, items};

use super::body::Body;
use super::identity::Asker;
use super::{App, Refusal};

/// The longest body: a list of which every byte is escaped takes more, and no list is like that.
pub(super) const MAX_BODY: usize = items::MAX_BYTES * 2;

pub(super) async fn triage(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<TriageRequest>,
) -> Result<Json<TriageAnswer>, Refusal> {
    if !asker.role.may_look_up() {
        return Err(Problem::forbidden(format!("role {} may not triage; analyst and approver may", asker.role)).into());
    }
    // By a clock that is not believed, nobody can say what dies when.
    let Present { now, cutoff, .. } = app.time.present()?;
    let request = body.read()?;
    let issued = date("issued", request.issued.as_deref())?;
    let received = date("received", request.received.as_deref())?;
    let window = app.time.window();
    // A list of ten thousand items takes tens of milliseconds: a thread of its own keeps others from waiting for it.
    let answered = tokio::task::spawn_blocking(move || {
        let context = Context { config: &app.config, now, window, issued, received };
        triage::answer(&request.list, &context, cutoff)
    });
    answered.await.map(Json).map_err(|_| Problem::internal("the triage was cut short").into())
}

fn date(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| instant::read(text, None).map_err(|error| Problem::bad_field(field, error));
    Ok(text.map(read).transpose()?.map(|instant| instant.at))
}
