//! `/v1/emergencies`, and `POST /v1/requests/{id}/follow-up`: emergencies, and the legal processes that must follow them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::api::{Done, EmergencyCounts, EmergencyLine, EmergencyList, FollowUpRequest, Problem};
use crate::audit::RequestAct;
use crate::desk::{FollowUp, Papers, Request};
use crate::domain::process::{Class, Need, ProcessType};
use crate::domain::time::Timestamp;
use crate::store::CaseId;

use super::body::Body;
use super::identity::Asker;
use super::on_file::{acted, may_file, names};
use super::{App, Refusal};

pub(super) async fn list(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<EmergencyList>, Refusal> {
    may_file(&asker)?;
    let now = app.time.present()?.now;
    let mut lines = Vec::new();
    for (id, filed) in app.desk.emergencies(now) {
        let request = filed.lock().await;
        if request.owes_follow_up() {
            let due = request.follow_up_due();
            lines.push(((due.is_none(), due, request.opened()), app.emergency_line(id, &request, now)));
        }
    }
    // What is due first stands first, and so what is overdue.
    lines.sort_by_key(|(order, _)| *order);
    Ok(Json(EmergencyList { emergencies: lines.into_iter().map(|(_, line)| line).collect() }))
}

pub(super) async fn follow_up(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
    body: Body<FollowUpRequest>,
) -> Result<Json<Done>, Refusal> {
    may_file(&asker)?;
    let (id, filed) = app.filed(&id)?;
    let asked = body.read()?;
    let (followed_by, process) = app.filed(&asked.request)?;
    if followed_by == id {
        return Err(Problem::conflict("no request follows itself").into());
    }
    // Never both locks at once.
    let process = process.lock().await.papers.clone();
    let mut request = filed.lock().await;
    if request.papers.process != ProcessType::Emergency {
        return Err(Problem::conflict("it is no emergency, and nothing has to follow it").into());
    }
    if let Some(named) = &request.state.follow_up {
        return Err(Problem::conflict(format!("request {} followed it already", named.request)).into());
    }
    app.may_follow(&request.papers, &process)?;
    let at = app.time.present()?.now.millis();
    let mut changed = request.clone();
    changed.state.follow_up = Some(FollowUp { request: followed_by.to_string(), by: names(&asker), at });
    let ledger = app.change(&asker, id, &changed, RequestAct::FollowedUp).await?;
    *request = changed;
    Ok(Json(Done { id: id.to_string(), ledger }))
}

impl App {
    /// Is this the kind of process that an emergency waits for, by the agency that asked, with all that it needs?
    fn may_follow(&self, emergency: &Papers, process: &Papers) -> Result<(), Problem> {
        let (table, kind) = (&self.config.process_types, process.process);
        if table.class(kind) != Class::Compelled || table.refusal(kind).is_some() {
            let detail = format!("{kind} does not follow an emergency: a process that compels an answer must");
            return Err(Problem::conflict(detail));
        }
        let agency = |papers: &Papers| papers.field("agency").trim().to_lowercase();
        if agency(emergency) != agency(process) {
            return Err(Problem::conflict("it is not of the agency that asked in the emergency"));
        }
        let lacks = self.terms_on_file(process)?.missing(&process.given(true));
        if lacks.is_empty() {
            return Ok(());
        }
        Err(Problem::conflict(format!("it lacks what its kind needs on file: {}", Need::names(&lacks).join(", "))))
    }

    /// How many emergencies wait for somebody.
    pub(super) async fn emergency_counts(&self, now: Timestamp) -> EmergencyCounts {
        let mut counts = EmergencyCounts::default();
        for (_, filed) in self.desk.emergencies(now) {
            let request = filed.lock().await;
            let plus = |count: u32, is_one: bool| count.saturating_add(is_one.into());
            counts.awaiting_approval = plus(counts.awaiting_approval, request.is_unapproved_emergency());
            counts.overdue = plus(counts.overdue, request.is_overdue(now));
        }
        counts
    }

    /// Who opened the emergencies that are overdue, and since when each of them is.
    pub(super) async fn overdue(&self, now: Timestamp) -> Vec<([u8; 8], Timestamp)> {
        let mut overdue = Vec::new();
        for (_, filed) in self.desk.emergencies(now) {
            let request = filed.lock().await;
            let due = request.follow_up_due().filter(|due| *due <= now);
            overdue.extend(due.map(|due| (self.sealer.actor_pseudonym(&acted(&request.state.opened_by)), due)));
        }
        overdue
    }

    fn emergency_line(&self, id: CaseId, request: &Request, now: Timestamp) -> EmergencyLine {
        let line = self.line(id, request);
        let terms = self.config.process_types.rows.get(&request.papers.process);
        let given = request.papers.given(request.is_approved());
        let lacks = terms.map(|terms| terms.missing(&given)).unwrap_or_default();
        EmergencyLine {
            id: line.id,
            state: line.state,
            opened: request.opened().to_string(),
            case: line.case,
            agency: line.agency,
            missing: Need::names(&lacks),
            items: line.items,
            answered: line.answered,
            follow_up_due: request.follow_up_due().map(|due| due.to_string()),
            overdue: request.is_overdue(now),
        }
    }
}
