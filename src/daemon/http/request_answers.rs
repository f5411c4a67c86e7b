//! `POST /v1/requests/{id}/answers`: the items of a request, answered in their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use sha2::{Digest as _, Sha256};

use crate::api::{Answers, AnswersRequest, LookupAnswer, Problem};
use crate::audit::{Entry, hex};
use crate::daemon::desk::DeskError;
use crate::daemon::time::Present;
use crate::desk::{Given, Item, Request};
use crate::domain::actor::Principal;
use crate::domain::process::Terms;
use crate::domain::verdict::Verdict;
use crate::lookup::{Answer, Question};
use crate::store::{CaseId, CaseRow};

use super::body::Body;
use super::captures::question;
use super::customers::NOT_OWN;
use super::identity::Asker;
use super::lookups::{Asked, note, render};
use super::on_file::{committed, desk_failed, ties};
use super::{App, Refusal, access, customers};

/// Where an answer comes from, unless it was captured or held.
const FROM_STORE: &str = "store";

pub(super) async fn answer(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    Path(id): Path<String>,
    body: Body<AnswersRequest>,
) -> Result<Json<Answers>, Refusal> {
    // Who may not ask is told so before anything of the question is judged.
    if !asker.role.may_look_up() {
        return Err(Problem::forbidden(format!("role {} may not look up; analyst and approver may", asker.role)).into());
    }
    let (id, filed) = app.filed(&id)?;
    let which = body.read()?;
    let mut request = filed.lock().await;
    if request.state.closed.is_some() {
        return Err(Problem::conflict("the request is closed, and nothing of it is answered any more").into());
    }
    let numbers = chosen(&request, which.items)?;
    let ruling = app.config.process_types.lookup(request.papers.process, &request.papers.given(request.is_approved()));
    let terms = access::terms(request.papers.process, ruling).map_err(|lacking| lacking.to_a_request())?;
    customers::is_known(&request.papers, &app.config)?;
    let mut answers = Vec::with_capacity(numbers.len());
    // Read once, and only if it is needed.
    let mut captured = None;
    let mut changed = request.clone();
    for number in numbers {
        let item = request.item(number).ok_or_else(|| no_item(number))?;
        let answer = app.answer_item(&asker, (id, &request), (number, item), &terms, &mut captured).await?;
        let bytes = serde_json::to_vec(&answer).map_err(|error| Problem::internal(error.to_string()))?;
        let digest = hex(&Sha256::digest(&bytes));
        let at = app.time.believed().millis();
        let given = Given { at, verdict: answer.verdict, ledger: answer.ledger.index, digest };
        changed.state.given.insert(number, given);
        changed.state.changed.remove(&number);
        answers.push((number, bytes, answer));
    }
    app.seal_answers(id, &mut changed, &answers).await?;
    *request = changed;
    Ok(Json(Answers { answers: answers.into_iter().map(|(_, _, answer)| answer).collect() }))
}

/// The items that are asked for, in their order.
fn chosen(request: &Request, items: Option<Vec<u32>>) -> Result<Vec<u32>, Problem> {
    let Some(mut items) = items else { return Ok(request.numbered().map(|(number, _)| number).collect()) };
    items.sort_unstable();
    items.dedup();
    match items.iter().find(|number| request.item(**number).is_none()) {
        Some(number) => Err(no_item(*number)),
        None => Ok(items),
    }
}

fn no_item(number: u32) -> Problem {
    Problem::not_found(format!("the request has no item {number}"))
}

impl App {
    /// One item's answer, with its entry in the ledger durable.
    async fn answer_item(
        self: &Arc<Self>,
        asker: &Principal,
        (id, request): (CaseId, &Request),
        (number, item): (u32, &Item),
        terms: &Result<&Terms, String>,
        captured: &mut Option<BTreeMap<u32, Answer>>,
    ) -> Result<LookupAnswer, Problem> {
        let question = question(item)?;
        let (answer, from) = match terms {
            Err(_) => (Answer::bare(Verdict::Refused, self.time.cutoff().horizon()), FROM_STORE),
            Ok(_) => self.answer_on_file(request, number, &question, captured).await?,
        };
        let whom = self.whom(&question, &answer);
        let answer = self.told(request, &question, answer);
        let ties = ties(id, request);
        let access = self.access(asker, &committed(&request.papers), &ties);
        let index = self.file(&Entry::Lookup { access, verdict: answer.verdict }, Vec::new()).await?;
        self.watch(asker, request.papers.field("case"), Some(&question), whom);
        // What passed the horizon meanwhile is hidden.
        let Present { cutoff, .. } = self.time.present()?;
        let late = from == FROM_STORE && answer.holder.is_some() && cutoff.hides(question.at);
        let answer = if late { Answer::bare(Verdict::Purged, cutoff.horizon()) } else { answer };
        // That passing the horizon makes the last difference: it may not tell own data from others'.
        let is_told = terms.is_err() || self.is_told(request, &question, &answer);
        let (answer, from) =
            if is_told { (answer, from) } else { (Answer::bare(Verdict::Refused, cutoff.horizon()), FROM_STORE) };
        let note = if is_told { note(terms.as_ref().err(), answer.verdict) } else { Some(NOT_OWN.to_owned()) };
        let entity = self.entity(&question, answer.verdict);
        let asked = Asked { written: &item.written.at, question: &question };
        let terms = terms.as_ref().ok().copied().filter(|_| is_told);
        let answer = render(asked, answer, terms, ties.text(index));
        Ok(LookupAnswer { item: Some(number), entity, note, from: from.to_owned(), ..answer })
    }

    /// What the store says; where it has forgotten, what was captured for this request, or a hold that was attached to it.
    async fn answer_on_file(
        self: &Arc<Self>,
        request: &Request,
        number: u32,
        question: &Question,
        captured: &mut Option<BTreeMap<u32, Answer>>,
    ) -> Result<(Answer, &'static str), Problem> {
        let Present { now, cutoff, .. } = self.time.present()?;
        if !cutoff.hides(question.at) {
            return Ok((self.answer(question.clone()).await?.0, FROM_STORE));
        }
        let captured = match captured {
            Some(captured) => captured,
            None => captured.insert(self.captured(request, now)?),
        };
        if let Some(answer) = captured.remove(&number) {
            return Ok((answer, "capture"));
        }
        match self.held(request, question)? {
            Some(held) => Ok((held, "hold")),
            None => Ok((Answer::bare(Verdict::Purged, self.time.cutoff().horizon()), FROM_STORE)),
        }
    }

    /// Seals the answers that are about to be given, with the state of the request.
    async fn seal_answers(
        &self,
        id: CaseId,
        request: &mut Request,
        answers: &[(u32, Vec<u8>, LookupAnswer)],
    ) -> Result<(), Problem> {
        let capture = self.capture_for(request, self.time.present()?.now)?;
        let given = answers.iter().map(|(number, bytes, _)| (CaseRow::ANSWER, *number, bytes.clone())).collect();
        let rows = || -> Result<_, DeskError> {
            let mut sealed = self.desk.seal(id, vec![request.state_row()?])?;
            sealed.extend(self.desk.seal(capture, given)?);
            Ok(sealed)
        };
        self.seal(rows().map_err(desk_failed)?).await
    }
}
