//! `/v1/holds`: what is preserved for a process that may follow. Nobody reads a hold but through a request that it is attached to.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use crate::api::{AttachRequest, Done, HeldSpan, HoldList, HoldRequest, HoldSheet, HoldState, Problem};
use crate::audit::{Entry, HoldAct};
use crate::daemon::desk::{DeskError, Held};
use crate::daemon::time::Present;
use crate::desk::{Approval, Hold, Request};
use crate::domain::actor::Principal;
use crate::domain::address::Realm;
use crate::domain::identity::SubscriberId;
use crate::domain::process;
use crate::domain::time::Timestamp;
use crate::lookup::{Answer, Exhibit, Extent, Question, SubscriberQuestion};
use crate::store::{CaseClass, CaseId, CaseRow, SealedRow};
use crate::written::{address, instant};

use super::body::Body;
use super::captures::question;
use super::identity::Asker;
use super::on_file::{acted, committed, desk_failed, may_file, names, still_open, ties};
use super::{App, Refusal, subscribers};

pub(super) async fn place(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<HoldRequest>,
) -> Result<Json<HoldSheet>, Refusal> {
    may_file(&asker)?;
    let asked = body.read()?;
    let (request_id, filed) = app.filed(&asked.request)?;
    let request = filed.lock().await;
    still_open(&request)?;
    let terms = app.hold_terms(&request)?;
    let present = app.time.present()?;
    let selection = selection(&app, &asked, &request, present)?;
    let exhibits = app.seal_exhibits(selection, present).await?;
    let mut hold = Hold::placed(request_id.to_string(), names(&asker), present.now, terms);
    hold.records = exhibits.iter().map(Exhibit::records).sum();
    let spans = exhibits.iter().flat_map(|exhibit| exhibit.spans().to_vec());
    hold.spans = spans.map(|(from, to)| (from.millis(), to.millis())).collect();
    hold.spans.sort_unstable();
    hold.spans.dedup();
    let expires = present.now.plus(app.config.disclosure.unapproved_expiry).min(hold.expires());
    let id = app.store.begin_case(CaseClass::Hold, expires).map_err(|error| desk_failed(error.into()))?;
    let placed = app.place_hold(&asker, (id, &hold), (request_id, &request), &exhibits).await;
    if placed.is_err() {
        app.give_up(&[id]);
    }
    placed?;
    app.desk.take_hold(id, hold.clone());
    Ok(Json(app.hold_sheet(id, &hold)))
}

pub(super) async fn list(State(app): State<Arc<App>>, Asker(asker): Asker) -> Result<Json<HoldList>, Refusal> {
    may_file(&asker)?;
    let now = app.time.present()?.now;
    let mut holds = Vec::new();
    for (id, held) in app.desk.holds(now) {
        let hold = held.lock().await;
        holds.push((hold.placed, app.hold_sheet(id, &hold)));
    }
    holds.sort_by_key(|(placed, _)| *placed);
    Ok(Json(HoldList { holds: holds.into_iter().map(|(_, sheet)| sheet).collect() }))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<HoldSheet>, Refusal> {
    may_file(&asker)?;
    let (id, held) = app.held_case(&id)?;
    let hold = held.lock().await;
    Ok(Json(app.hold_sheet(id, &hold)))
}

pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<Done>, Refusal> {
    may_approve(&asker)?;
    let (id, held) = app.held_case(&id)?;
    let mut hold = held.lock().await;
    if asker.is_one_of(&hold.placed_by) {
        app.change_hold(&asker, id, &hold, HoldAct::ApprovalRefused).await?;
        return Err(Problem::forbidden("nobody approves what they placed: another approver must").into());
    }
    if hold.approved.is_some() {
        return Err(Problem::conflict("the hold is approved already").into());
    }
    let changed = Hold { approved: Some(app.approval(&asker)?), ..hold.clone() };
    let ledger = app.change_hold(&asker, id, &changed, HoldAct::Approved).await?;
    *hold = changed;
    // A crash before this leaves an approved hold that ends with its first day; the next start makes that good.
    app.keep(id, hold.expires())?;
    Ok(Json(Done { id: id.to_string(), ledger }))
}

pub(super) async fn attach(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
    body: Body<AttachRequest>,
) -> Result<Json<Done>, Refusal> {
    may_approve(&asker)?;
    let (id, held) = app.held_case(&id)?;
    let asked = body.read()?;
    let (request_id, filed) = app.filed(&asked.request)?;
    let mut hold = held.lock().await;
    let mut request = filed.lock().await;
    still_open(&request)?;
    if hold.approved.is_none() {
        return Err(Problem::conflict("nobody has approved the hold yet").into());
    }
    if asker.is_one_of(&request.state.opened_by) {
        return Err(Problem::forbidden("nobody confirms the matter of a request that they opened").into());
    }
    let mut changed = hold.clone();
    changed.attached.insert(request_id.to_string(), app.approval(&asker)?);
    let mut of_request = request.clone();
    of_request.state.holds.insert(id.to_string());
    let row = of_request.state_row().map_err(DeskError::from);
    let mut sealed = row.and_then(|row| app.desk.seal(request_id, vec![row])).map_err(desk_failed)?;
    sealed.extend(app.hold_row(id, &changed)?);
    let ledger = app.note_hold(&asker, (id, &changed), (request_id, &request), HoldAct::Attached, sealed).await?;
    (*hold, *request) = (changed, of_request);
    Ok(Json(Done { id: id.to_string(), ledger }))
}

pub(super) async fn renew(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<Done>, Refusal> {
    may_approve(&asker)?;
    let (id, held) = app.held_case(&id)?;
    let mut hold = held.lock().await;
    if hold.approved.is_none() {
        return Err(Problem::conflict("nobody has approved the hold yet").into());
    }
    if hold.renewed >= hold.renewals {
        let detail =
            format!("it was renewed {} of {} times: its kind of process allows no more", hold.renewed, hold.renewals);
        return Err(Problem::conflict(detail).into());
    }
    let changed = Hold { renewed: hold.renewed.saturating_add(1), ..hold.clone() };
    let ledger = app.change_hold(&asker, id, &changed, HoldAct::Renewed).await?;
    *hold = changed;
    app.keep(id, hold.expires())?;
    Ok(Json(Done { id: id.to_string(), ledger }))
}

pub(super) async fn release(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
) -> Result<Json<Done>, Refusal> {
    may_approve(&asker)?;
    let (id, held) = app.held_case(&id)?;
    let hold = held.lock().await;
    let ledger = app.change_hold(&asker, id, &hold, HoldAct::Released).await?;
    app.end_now(id)?;
    Ok(Json(Done { id: id.to_string(), ledger }))
}

fn may_approve(asker: &Principal) -> Result<(), Problem> {
    if asker.role.may_approve() {
        return Ok(());
    }
    Err(Problem::forbidden(format!("role {} may not decide about holds; approver may", asker.role)))
}

/// What is to be preserved.
enum Selection {
    Addresses(Vec<Extent>),
    Subscriber(SubscriberQuestion),
}

/// Reads what is to be preserved. What is yet to come is refused, and what has gone already is left out.
fn selection(app: &App, asked: &HoldRequest, request: &Request, present: Present) -> Result<Selection, Problem> {
    let horizon = present.cutoff.horizon();
    let time = |field: &str, text: &Option<String>, default: Timestamp| match text {
        None => Ok(default),
        Some(text) => instant::read(text, None).map(|read| read.at).map_err(|error| Problem::bad_field(field, error)),
    };
    let (from, to) = (time("from", &asked.from, horizon)?, time("to", &asked.to, present.now)?);
    if to > present.now {
        let detail = format!("{to} has not come yet: a hold preserves what is there, and nothing that comes later");
        return Err(Problem::bad_field("to", detail));
    }
    if to < from {
        return Err(Problem::bad_field("to", "it lies before `from`"));
    }
    if to < horizon {
        let detail = format!("nothing of that age is readable: the horizon is {horizon}");
        return Err(Problem::conflict(detail));
    }
    // To the end of the last millisecond that is named.
    let to = to.plus(std::time::Duration::from_millis(1));
    let realm = Realm(asked.realm.clone().unwrap_or_default());
    match (&asked.address, &asked.subscriber) {
        (Some(_), Some(_)) => Err(Problem::bad_field("subscriber", "name an address or a subscriber, not both")),
        (Some(text), None) => {
            let read = address::read(text).map_err(|error| Problem::bad_field("address", error))?;
            let address = read.network.address().to_canonical();
            Ok(Selection::Addresses(vec![Extent { address, realm, from, to }]))
        }
        (None, Some(name)) => {
            let meant = subscribers::entities(asked.entity.as_deref(), &app.config);
            let (entities, _) = meant.map_err(|detail| Problem::bad_field("entity", detail))?;
            let subscriber = SubscriberId(subscribers::checked(name)?.to_owned());
            Ok(Selection::Subscriber(SubscriberQuestion { entities, subscriber, from, to }))
        }
        (None, None) => {
            let extents = request.items.iter().map(|item| {
                let Question { address, at, realm, .. } = question(item)?;
                Ok(Extent { address, realm, from: at, to: at.plus(std::time::Duration::from_millis(1)) })
            });
            let extents = extents.collect::<Result<Vec<_>, Problem>>()?;
            if extents.is_empty() {
                return Err(Problem::bad_field("address", "the request has no items: name an address or a subscriber"));
            }
            Ok(Selection::Addresses(extents))
        }
    }
}

impl App {
    /// How long the kind of process lets something be preserved.
    fn hold_terms(&self, request: &Request) -> Result<process::Hold, Problem> {
        let kind = request.papers.process;
        let terms = self.config.process_types.rows.get(&kind).and_then(|terms| terms.hold);
        terms.ok_or_else(|| Problem::refused(format!("{kind} places no hold; `lapse policy show` says which kinds do")))
    }

    async fn seal_exhibits(
        self: &Arc<Self>,
        selection: Selection,
        Present { now, cutoff, .. }: Present,
    ) -> Result<Vec<Exhibit>, Problem> {
        let app = Arc::clone(self);
        let sealed = self.readers.read(move || {
            let (store, config, coverage) = (&app.store, &app.config, app.ears.coverage());
            match selection {
                Selection::Addresses(extents) => extents
                    .iter()
                    .map(|extent| Exhibit::of_address(store, config, &coverage, extent, cutoff, now))
                    .collect(),
                Selection::Subscriber(question) => {
                    Exhibit::of_subscriber(store, config, &coverage, &question, cutoff, now)
                }
            }
        });
        let sealed = sealed.await.map_err(|_| Problem::internal("the reading was cut short"))?;
        sealed.map_err(|error| {
            tracing::error!(%error, "a hold could not be placed");
            Problem::internal(format!("the store could not be read, and nothing is preserved around damage: {error}"))
        })
    }

    async fn place_hold(
        &self,
        asker: &Principal,
        (id, hold): (CaseId, &Hold),
        of: (CaseId, &Request),
        exhibits: &[Exhibit],
    ) -> Result<u64, Problem> {
        let rows = (0_u32..).zip(exhibits).map(|(number, exhibit)| {
            let bytes = exhibit.to_bytes().map_err(|error| Problem::internal(error.to_string()))?;
            Ok((Hold::EXHIBIT, number, bytes))
        });
        let rows = rows.collect::<Result<Vec<_>, Problem>>()?;
        let mut sealed = self.desk.seal(id, rows).map_err(desk_failed)?;
        sealed.extend(self.hold_row(id, hold)?);
        self.note_hold(asker, (id, hold), of, HoldAct::Placed, sealed).await
    }

    fn approval(&self, asker: &Principal) -> Result<Approval, Problem> {
        Ok(Approval { by: names(asker), at: self.time.present()?.now.millis() })
    }

    fn keep(&self, id: CaseId, expires: Timestamp) -> Result<(), Problem> {
        self.store.keep_case_until(id, expires).map_err(|error| desk_failed(error.into()))
    }

    fn hold_row(&self, id: CaseId, hold: &Hold) -> Result<Vec<SealedRow>, Problem> {
        let row = hold.row().map_err(DeskError::from);
        row.and_then(|row| self.desk.seal(id, vec![row])).map_err(desk_failed)
    }

    /// Makes what became of a hold durable, with its entry under the request that it was placed for.
    async fn change_hold(&self, asker: &Principal, id: CaseId, hold: &Hold, act: HoldAct) -> Result<u64, Problem> {
        let sealed = self.hold_row(id, hold)?;
        // The papers of that request may have gone: then those of one that it is attached to stand for it.
        let requests = std::iter::once(&hold.request).chain(hold.attached.keys());
        let found = requests.filter_map(|request| self.filed(request).ok()).next();
        let Some((request_id, filed)) = found else {
            return Err(Problem::conflict("no request of this hold is on file any more: it ends with its time"));
        };
        let request = filed.lock().await.clone();
        self.note_hold(asker, (id, hold), (request_id, &request), act, sealed).await
    }

    async fn note_hold(
        &self,
        asker: &Principal,
        (id, hold): (CaseId, &Hold),
        (request_id, request): (CaseId, &Request),
        act: HoldAct,
        sealed: Vec<SealedRow>,
    ) -> Result<u64, Problem> {
        let access = self.access(asker, &committed(&request.papers), &ties(request_id, request));
        let entry = Entry::Hold { access, act, hold: id.0, records: hold.records };
        self.file(&entry, sealed).await
    }

    /// The hold of this id, if there is one.
    fn held_case(&self, id: &str) -> Result<(CaseId, Held), Problem> {
        let now = self.time.present()?.now;
        let id: CaseId = id.parse().map_err(|error| Problem::bad_field("id", error))?;
        let held = self.desk.hold(id, now);
        held.map(|held| (id, held)).ok_or_else(|| Problem::not_found(format!("there is no hold {id}")))
    }

    /// What a hold that is attached to the request says; `None` if none covers the question.
    pub(super) fn held(&self, request: &Request, question: &Question) -> Result<Option<Answer>, Problem> {
        let now = self.time.present()?.now;
        let attached = request.state.holds.iter().filter_map(|id| id.parse::<CaseId>().ok());
        for id in attached.filter(|id| self.desk.hold(*id, now).is_some()) {
            if let Some(answer) = self.answer_from(id, question)? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// What one hold says, whoever asks: it is the caller's business whether it may be read.
    pub(super) fn answer_from(&self, id: CaseId, question: &Question) -> Result<Option<Answer>, Problem> {
        let exhibits = self.exhibits(id)?;
        Ok(exhibits.iter().find_map(|exhibit| exhibit.answer(&self.config, question)))
    }

    /// What one hold preserves, whoever asks; nothing if it has ended.
    pub(super) fn exhibits(&self, id: CaseId) -> Result<Vec<Exhibit>, Problem> {
        let rows = self.desk.rows_of(id).map_err(desk_failed)?;
        let of_kind = |(row, _): &(CaseRow, Vec<u8>)| row.kind == Hold::EXHIBIT;
        let read = |(_, bytes): (CaseRow, Vec<u8>)| {
            Exhibit::from_bytes(&bytes).map_err(|error| Problem::internal(error.to_string()))
        };
        rows.into_iter().flatten().filter(of_kind).map(read).collect()
    }

    fn hold_sheet(&self, id: CaseId, hold: &Hold) -> HoldSheet {
        let instant = |millis: u64| Timestamp::from_millis(millis).to_string();
        HoldSheet {
            id: id.to_string(),
            state: if hold.approved.is_some() { HoldState::Approved } else { HoldState::AwaitsApproval },
            request: hold.request.clone(),
            attached: hold.attached.keys().cloned().collect(),
            records: hold.records,
            spans: hold.spans.iter().map(|(from, to)| HeldSpan { from: instant(*from), to: instant(*to) }).collect(),
            placed: instant(hold.placed),
            placed_by: acted(&hold.placed_by),
            approved_by: hold.approved.as_ref().map(|approval| acted(&approval.by)),
            expires: self.store.case(id).map(|case| case.expires.to_string()).unwrap_or_default(),
            renewed: hold.renewed,
            renewals: hold.renewals,
        }
    }
}
