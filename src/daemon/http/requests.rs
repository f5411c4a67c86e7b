//! `/v1/requests`: the papers of a legal process on file, their items, who approved them, and their end.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};

use crate::api::{
    AddedText, Done, ItemReading, ItemSheet, ItemsPaper, Problem, RequestLine, RequestList, RequestOpened,
    RequestPaper, RequestPreview, RequestSheet, RequestState, Warning,
};
use crate::audit::{Entry, Papers as Committed, RequestAct};
use crate::daemon::desk::{DeskError, Filed};
use crate::desk::remarks::{Context, Remark, remarks};
use crate::desk::{self, Addition, Approval, Item, Papers, Request, State as Progress};
use crate::domain::actor::Principal;
use crate::domain::process::{Group, Need, Terms};
use crate::domain::time::Timestamp;
use crate::package::Bill;
use crate::store::{CaseClass, CaseId, CasesError, SealedRow};
use crate::written::instant::ZONES_VERSION;

use super::access::Ties;
use super::identity::Asker;
use super::{App, Refusal};

/// A body, or why it is none.
type Body<T> = Result<Json<T>, JsonRejection>;

/// Papers as they are understood.
struct Understood {
    papers: Papers,
    items: Vec<Item>,
    warnings: Vec<Warning>,
}

pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<RequestPaper>,
) -> Result<Json<RequestPreview>, Refusal> {
    may_file(&asker)?;
    let now = app.time.present()?.now;
    let Understood { items, warnings, .. } = app.understand(body, now)?;
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
    let Understood { papers, items, warnings } = app.understand(body, now)?;
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
    let Json(paper) = body.map_err(|error| Problem::bad_field("body", error.body_text()))?;
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

pub(super) fn may_file(asker: &Principal) -> Result<(), Problem> {
    if asker.role.may_file_requests() {
        return Ok(());
    }
    Err(Problem::forbidden(format!("role {} has nothing to do with requests; analyst and approver have", asker.role)))
}

/// Every name that somebody goes by.
pub(super) fn names(asker: &Principal) -> Vec<String> {
    asker.names().map(str::to_owned).collect()
}

/// The name that somebody acted under.
pub(super) fn acted(names: &[String]) -> String {
    names.first().cloned().unwrap_or_default()
}

pub(super) fn still_open(request: &Request) -> Result<(), Problem> {
    match request.state.closed {
        None => Ok(()),
        Some(_) => Err(Problem::conflict("the request is closed")),
    }
}

fn understood(paper: &ItemsPaper) -> Result<Vec<Item>, Problem> {
    let taken = desk::items(paper);
    taken.map_err(|faults| {
        Problem::of_faults("bad-items", "the items cannot be understood, and none was taken", &faults)
    })
}

impl App {
    /// What looks like a mistake in the items from number `first` on.
    fn remarks(&self, papers: &Papers, items: &[Item], first: u32, now: Timestamp) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let read: Vec<_> = (1_usize..).zip(items).filter_map(|(number, item)| item.read_again(number)).collect();
        let context = Context {
            config: &self.config,
            now,
            window: self.store.window(),
            issued: papers.issued.map(Timestamp::from_millis),
            received: Some(papers.received()),
        };
        for (item, remarks) in read.iter().zip(remarks(&read, &context)) {
            let number = u32::try_from(item.file_line).unwrap_or(u32::MAX);
            warnings.extend(remarks.iter().filter(|_| number >= first).map(|remark| warning(number, remark)));
        }
        warnings
    }
}

/// That papers lack something.
fn lacking(missing: &BTreeSet<Need>) -> Vec<Warning> {
    let of_need = |need: &Need| Warning {
        item: None,
        code: "missing".into(),
        text: format!("`{}` is not on file: nothing is answered without it", need.name()),
    };
    missing.iter().map(of_need).collect()
}

fn warning(item: u32, remark: &Remark) -> Warning {
    let text = match remark {
        Remark::Repeated { first } => format!("item {first} asks for the same address, port and time"),
        other => other.to_string(),
    };
    Warning { item: Some(item), code: remark.code().into(), text }
}

pub(super) fn desk_failed(error: DeskError) -> Problem {
    match error {
        DeskError::Cases(CasesError::Full) => Problem::unavailable(error.to_string()),
        DeskError::Cases(_) | DeskError::Format(_) => {
            tracing::error!(%error, "the desk failed");
            Problem::internal(error.to_string())
        }
    }
}

impl App {
    /// Reads papers and items; says everything that is wrong with them.
    fn understand(&self, body: Body<RequestPaper>, now: Timestamp) -> Result<Understood, Problem> {
        let Json(paper) = body.map_err(|error| Problem::bad_field("body", error.body_text()))?;
        let read = Papers::read(paper.process.as_deref(), &paper.fields, now);
        let (papers, mut warnings) =
            read.map_err(|faults| Problem::of_faults("bad-field", "the papers cannot be filed", &faults))?;
        let terms = self.terms_on_file(&papers)?;
        let items = understood(&ItemsPaper { items: paper.items, items_csv: paper.items_csv })?;
        // That somebody approves is taken for granted.
        warnings.extend(lacking(&terms.missing(&papers.given(true))));
        warnings.extend(self.remarks(&papers, &items, 1, now));
        Ok(Understood { papers, items, warnings })
    }

    /// The request of this id, if it is on file.
    pub(super) fn filed(&self, id: &str) -> Result<(CaseId, Filed), Problem> {
        let now = self.time.present()?.now;
        let id: CaseId = id.parse().map_err(|error| Problem::bad_field("id", error))?;
        let filed = self.desk.find(id, now);
        filed.map(|filed| (id, filed)).ok_or_else(|| Problem::not_found(format!("no request {id} is on file")))
    }

    /// The terms of what can be put on file: what releases nothing and preserves nothing is refused with its reason.
    pub(super) fn terms_on_file(&self, papers: &Papers) -> Result<&Terms, Problem> {
        let table = &self.config.process_types;
        match (table.rows.get(&papers.process), table.refusal(papers.process)) {
            (Some(terms), Some(_)) if terms.hold.is_some() && terms.refused.is_none() => Ok(terms),
            (Some(terms), None) => Ok(terms),
            (_, reason) => {
                let reason = reason.unwrap_or_else(|| "our policy leaves it out".to_owned());
                Err(Problem::refused(format!("{} is not answered: {reason}", papers.process)))
            }
        }
    }

    /// Ends what was begun and came to nothing.
    pub(super) fn give_up(&self, ids: &[CaseId]) {
        if let Err(error) = self.store.end_cases(ids) {
            tracing::error!(%error, "a request that could not be filed leaves keys, which expire");
        }
    }

    /// Destroys what is captured, at once and not with the next purge.
    pub(super) fn end_now(&self, capture: CaseId) -> Result<(), Problem> {
        let ended = self.store.end_cases(&[capture]).map_err(|error| desk_failed(error.into()))?;
        for (_, error) in ended.failed {
            tracing::error!(%error, "the key of a capture could not be destroyed; it is tried again");
        }
        Ok(())
    }

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

    /// Seals the state of a request, and makes it durable with its entry.
    pub(super) async fn change(
        &self,
        asker: &Principal,
        id: CaseId,
        request: &Request,
        act: RequestAct,
    ) -> Result<u64, Problem> {
        let sealed = request.state_row().map_err(DeskError::from).and_then(|row| self.desk.seal(id, vec![row]));
        self.note(asker, id, request, (act, 0), sealed.map_err(desk_failed)?).await
    }

    /// An entry of what is done to a request, with what is sealed by that.
    pub(super) async fn note(
        &self,
        asker: &Principal,
        id: CaseId,
        request: &Request,
        (act, captured): (RequestAct, u32),
        sealed: Vec<SealedRow>,
    ) -> Result<u64, Problem> {
        let access = self.access(asker, &committed(&request.papers), &ties(id, request));
        let entry = Entry::Request { access, act, items: request.items.len(), captured };
        self.file(&entry, sealed).await
    }

    pub(super) fn line(&self, id: CaseId, request: &Request) -> RequestLine {
        let Request { papers, items, state } = request;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let needs = self.config.process_types.rows.get(&papers.process).map(|terms| &terms.needs);
        let waits = needs.is_some_and(Papers::needs_approval) && !request.is_approved();
        let progress = match (state.closed, waits) {
            (Some(_), _) => RequestState::Closed,
            (None, true) => RequestState::AwaitsApproval,
            (None, false) => RequestState::Open,
        };
        let maybe = |name: &str| Some(papers.field(name).to_owned()).filter(|text| !text.is_empty());
        RequestLine {
            id: id.to_string(),
            state: progress,
            process: papers.process.to_string(),
            case: papers.field("case").to_owned(),
            agency: papers.field("agency").to_owned(),
            received: papers.received().to_string(),
            return_by: maybe("return-by"),
            items: count(items.len()),
            answered: count(state.given.len()),
            changed: state.changed.iter().copied().collect(),
        }
    }

    fn sheet(&self, id: CaseId, request: &Request) -> Result<RequestSheet, Problem> {
        let Request { papers, state, .. } = request;
        let Prospect { releases, missing, warnings } = self.prospect(request);
        let instant = |millis: u64| Timestamp::from_millis(millis).to_string();
        let now = self.time.believed();
        let captured = self.captured(request, now)?;
        let expiry = |id: CaseId| self.store.case(id).map(|case| case.expires.to_string());
        let items = request.numbered().map(|(number, item)| {
            let given = state.given.get(&number);
            ItemSheet {
                item: number,
                written: item.written.clone(),
                address: item.network.clone(),
                port: item.port,
                at: item.at().to_string(),
                captured: captured.contains_key(&number),
                verdict: given.map(|given| given.verdict),
                answered: given.map(|given| instant(given.at)),
                changed: state.changed.contains(&number),
            }
        });
        Ok(RequestSheet {
            line: self.line(id, request),
            fields: papers.fields.clone(),
            added: state.added.iter().map(added).collect(),
            follow_up: state.follow_up.as_ref().map(|follow_up| follow_up.request.clone()),
            opened: instant(state.opened),
            opened_by: acted(&state.opened_by),
            approved_by: state.approvals.iter().map(|approval| acted(&approval.by)).collect(),
            packaged: state.packaged.map(instant),
            closed: state.closed.map(instant),
            expires: expiry(id).unwrap_or_default(),
            captures_expire: self.desk.capture_of(request, now).and_then(expiry),
            releases,
            missing,
            fees: Bill::of(&self.config.fees, papers.process, request.items.len()).lines,
            holds: state.holds.iter().cloned().collect(),
            items: items.collect(),
            warnings,
        })
    }

    /// Whatever the table says by now, the request is shown.
    fn prospect(&self, Request { papers, items, .. }: &Request) -> Prospect {
        let mut prospect = match self.terms_on_file(papers) {
            Ok(terms) => {
                let missing = terms.missing(&papers.given(true));
                let releases = terms.releases.iter().copied().collect();
                Prospect { releases, missing: Need::names(&missing), warnings: lacking(&missing) }
            }
            Err(Problem { detail: text, .. }) => Prospect {
                releases: Vec::new(),
                missing: Vec::new(),
                warnings: vec![Warning { item: None, code: "refused".into(), text }],
            },
        };
        prospect.warnings.extend(self.remarks(papers, items, 1, self.time.believed()));
        prospect
    }
}

/// What can come of a request by the table as it is now.
struct Prospect {
    releases: Vec<Group>,
    missing: Vec<String>,
    warnings: Vec<Warning>,
}

fn added(added: &Addition) -> AddedText {
    let at = Timestamp::from_millis(added.at).to_string();
    AddedText { field: added.field.clone(), by: acted(&added.by), at }
}

/// What entries of the ledger commit to.
pub(super) fn committed(papers: &Papers) -> Committed {
    let field = |name: &str| papers.field(name).to_owned();
    Committed { process: papers.process, case: field("case"), authority: field("authority") }
}

/// The same in every entry of a request: an auditor can count what belongs together.
pub(super) fn ties(id: CaseId, request: &Request) -> Ties {
    Ties { request: id.0, salt: crate::audit::Salt(request.state.salt) }
}
