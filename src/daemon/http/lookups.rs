//! `POST /v1/lookups`: nothing is answered without papers, and not before the access is on record.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;

use crate::api::{
    AtText, BoundaryText, HeardText, InsideText, LOOKUP_VERSION, LedgerText, LineText, LookupAnswer, LookupRequest,
    Problem,
};
use crate::audit::{Entry, Papers};
use crate::daemon::stopwatch::Stopwatch;
use crate::daemon::time::Present;
use crate::domain::address::Realm;
use crate::domain::identity::Line;
use crate::domain::nat::Inside;
use crate::domain::process::{Group, Terms};
use crate::domain::rfc3339;
use crate::domain::session::Edge;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;
use crate::lookup::{self, Answer, Question, Reach};

use super::body::Body;
use super::identity::Asker;
use super::{App, Refusal, access};

/// What every `purged` says, always in the same words: another wording would betray a sealed hold.
pub(super) const PURGED: &str = "We hold no readable record for this time. We cannot say whether one ever existed. This does not speak of material preserved under other process.";
const AMBIGUOUS: &str = "Several subscribers may have held it; name the port, or the exact time.";
/// Of what the answer's time was made (W3C Server Timing): `read`, the store and the judgement; `record`, the ledger's entry.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

pub(super) async fn lookup(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<LookupRequest>,
) -> Result<([(HeaderName, String); 1], Json<LookupAnswer>), Refusal> {
    // Who may not ask is told so before anything of the question is judged.
    if !asker.role.may_look_up() {
        return Err(Problem::forbidden(format!("role {} may not look up; analyst and approver may", asker.role)).into());
    }
    // And nothing of it is judged by a clock that is not believed.
    app.time.present()?;
    let request = body.read()?;
    let (question, papers) = understand(&request)?;
    let ruling = app.config.process_types.lookup(papers.process, &access::ON_FILE);
    let terms = access::terms(papers.process, ruling).map_err(|lacking| lacking.to_a_question())?;
    let (answer, read) = match &terms {
        Err(_) => (Answer::bare(Verdict::Refused, app.time.cutoff().horizon()), Duration::ZERO),
        Ok(terms) => {
            let (mut answer, read) = app.answer(question.clone()).await?;
            answer.cautions.extend(access::caution(terms).filter(|_| is_of_records(answer.verdict)));
            (answer, read)
        }
    };
    let whom = app.whom(&question, &answer);
    let recording = Stopwatch::start();
    let ledger = app.record(&asker, &papers, |access| Entry::Lookup { access, verdict: answer.verdict }).await?;
    let timing = timing(read, recording.elapsed());
    app.watch(&asker, &papers.case, Some(&question), whom);
    // The entry took a moment to become durable. What passed the horizon meanwhile is hidden, and a clock that jumped
    // meanwhile says nothing about the horizon.
    let Present { cutoff, .. } = app.time.present()?;
    let purged = || Answer::bare(Verdict::Purged, cutoff.horizon());
    let answer = if answer.holder.is_some() && cutoff.hides(question.at) { purged() } else { answer };
    let note = note(terms.as_ref().err(), answer.verdict);
    let entity = app.entity(&question, answer.verdict);
    let asked = Asked { written: &request.at, question: &question };
    let answer = render(asked, answer, terms.ok(), ledger);
    Ok(([(SERVER_TIMING, timing)], Json(LookupAnswer { entity, note, ..answer })))
}

/// The sentence that goes with an outcome, if it needs one: why it is refused, or what the verdict means.
pub(super) fn note(refusal: Option<&String>, verdict: Verdict) -> Option<String> {
    refusal.cloned().or_else(|| match verdict {
        Verdict::Purged => Some(PURGED.to_owned()),
        Verdict::Ambiguous => Some(AMBIGUOUS.to_owned()),
        _ => None,
    })
}

/// A question, with its time as the paper has it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) written: &'a str,
    pub(super) question: &'a Question,
}

/// Does the outcome rest on records, or on there being none?
pub(super) const fn is_of_records(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Purged | Verdict::Future | Verdict::Refused | Verdict::NotOurs)
}

fn timing(read: Duration, record: Duration) -> String {
    let [read, record] = [read, record].map(|took| took.as_secs_f64() * 1000.0);
    format!("read;dur={read:.3}, record;dur={record:.3}")
}

/// Reads the question and the papers; says which field is wrong.
fn understand(request: &LookupRequest) -> Result<(Question, Papers), Problem> {
    let address: IpAddr = request
        .address
        .parse()
        .map_err(|_| Problem::bad_field("address", format!("`{}` is no IPv4 or IPv6 address", request.address)))?;
    let at = rfc3339::parse(&request.at).map_err(|error| Problem::bad_field("at", error))?;
    let realm = Realm(request.realm.clone().unwrap_or_default());
    let question = Question { address: address.to_canonical(), at, port: request.port, realm };
    Ok((question, access::papers(&request.process, &request.case, &request.authority)?))
}

impl App {
    /// The answer, and what reading and judging took.
    pub(super) async fn answer(self: &Arc<Self>, question: Question) -> Result<(Answer, Duration), Problem> {
        let app = Arc::clone(self);
        let Present { now, cutoff, .. } = self.time.present()?;
        let looked_up = self.readers.read(move || {
            let reading = Stopwatch::start();
            let coverage = app.ears.coverage();
            let answer = lookup::look_up(&app.store, &app.config, &coverage, &question, Reach::Evidence, cutoff, now);
            (answer, reading.elapsed())
        });
        let (answer, read) = looked_up.await.map_err(|_| Problem::internal("the lookup was cut short"))?;
        answer.map(|answer| (answer, read)).map_err(|error| {
            tracing::error!(%error, "a lookup failed");
            Problem::internal(format!("the store could not be read, and nothing is answered around damage: {error}"))
        })
    }

    /// Whose subscribers have the address, where that is configured. What is not looked up says nothing of the address.
    pub(super) fn entity(&self, question: &Question, verdict: Verdict) -> Option<String> {
        if matches!(verdict, Verdict::Purged | Verdict::Future | Verdict::Refused) {
            return None;
        }
        let network = self.config.network_of(question.address)?;
        (!network.entity.is_empty()).then(|| network.entity.clone())
    }
}

/// The answer with what the terms release and no more; without terms, nothing is.
pub(super) fn render(
    Asked { written, question }: Asked<'_>,
    answer: Answer,
    terms: Option<&Terms>,
    ledger: LedgerText,
) -> LookupAnswer {
    let releases: Vec<Group> = terms.map(|terms| terms.releases.iter().copied().collect()).unwrap_or_default();
    let of = |group: Group| releases.contains(&group).then_some(());
    let boundary = |edge: Edge| BoundaryText {
        time: edge.at.to_string(),
        evidence: edge.evidence,
        distance: edge.at.distance(question.at).as_secs(),
    };
    let holder = answer.holder.as_ref();
    let (subscriber, times) = (of(Group::Subscriber).and(holder), of(Group::SessionTimes));
    let (assigned, line) = (of(Group::Addresses).and(holder), of(Group::Line).and(holder));
    let heard = times.map(|()| HeardText {
        before: answer.heard.before.map(|distance| distance.as_secs()),
        after: answer.heard.after.map(|distance| distance.as_secs()),
    });
    LookupAnswer {
        version: LOOKUP_VERSION,
        item: None,
        verdict: answer.verdict,
        note: None,
        address: question.address.to_string(),
        port: question.port,
        realm: question.realm.to_string(),
        entity: None,
        at: AtText { written: written.to_owned(), utc: Timestamp::to_string(&question.at) },
        subscriber: subscriber.and_then(|holder| holder.subscriber.as_ref()).map(|name| name.as_str().to_owned()),
        assigned: assigned.map(|holder| holder.network.to_string()),
        inside: of(Group::Addresses).and(answer.inside).map(|inside| inside_text(&inside)),
        session: times.and(holder).map(|holder| holder.session.to_string()),
        nas: line.map(|holder| holder.nas.0.clone()),
        line: line.map(|holder| line_text(holder.line.clone())),
        since: times.and(answer.since).map(boundary),
        until: times.and(answer.until).map(boundary),
        heard: heard.unwrap_or_default(),
        sharing: answer.sharing,
        from: "store".to_owned(),
        cautions: answer.cautions.into_iter().collect(),
        sources: answer.sources.into_iter().map(|source| source.0).collect(),
        horizon: answer.horizon.to_string(),
        releases,
        ledger,
    }
}

pub(super) fn line_text(line: Line) -> LineText {
    LineText {
        mac: line.mac.map(|mac| mac.to_string()),
        circuit_id: line.circuit_id.map(|id| id.0),
        remote_id: line.remote_id.map(|id| id.0),
        nas_port: line.nas_port.map(|port| port.0),
    }
}

pub(super) fn inside_text(inside: &Inside) -> InsideText {
    InsideText { address: inside.network.to_string(), realm: inside.realm.to_string() }
}
