//! `POST /v1/subscribers`: what one subscriber had. A right of its own, and otherwise the rules of a lookup.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::api::{
    AssignmentText, AtText, EndText, LedgerText, LogonText, PortsText, Problem, SUBSCRIBER_VERSION, SpanAsked,
    SubscriberAnswer, SubscriberRequest,
};
use crate::audit::Entry;
use crate::config::Config;
use crate::daemon::time::Present;
use crate::domain::finding::Finding;
use crate::domain::identity::{Entity, SubscriberId};
use crate::domain::process::{Group, Terms};
use crate::domain::rfc3339;
use crate::domain::session::Edge;
use crate::domain::time::Timestamp;
use crate::lookup::{self, Assignment, History, Logon, SubscriberQuestion};

use super::body::Body;
use super::identity::Asker;
use super::lookups::{PURGED, inside_text, line_text};
use super::{App, Refusal, access};

const NOTHING: &str =
    "Nothing that is readable names this subscriber in this span. That is no proof that there was nothing.";
/// Longest name of a subscriber, in bytes: an attribute of RADIUS in hex is shorter.
const MAX_SUBSCRIBER: usize = 1000;

pub(super) async fn subscriber(
    State(app): State<Arc<App>>,
    Asker(asker): Asker,
    body: Body<SubscriberRequest>,
) -> Result<Json<SubscriberAnswer>, Refusal> {
    // Who may not ask is told so before anything of the question is judged.
    if !asker.role.may_look_up_subscribers() {
        let detail = format!("role {} may not look up what a subscriber had; approver may", asker.role);
        return Err(Problem::forbidden(detail).into());
    }
    // And nothing of it is judged by a clock that is not believed.
    app.time.present()?;
    let request = body.read()?;
    let (question, entity) = understand(&request, &app.config)?;
    let papers = access::papers(&request.process, &request.case, &request.authority)?;
    let ruling = app.config.process_types.subscriber(papers.process, &access::ON_FILE);
    let terms = access::terms(papers.process, ruling).map_err(|lacking| lacking.to_a_question())?;
    let history = match &terms {
        Err(_) => History::bare(Finding::Refused, app.time.cutoff().horizon()),
        Ok(terms) => {
            let mut history = app.history(question.clone()).await?;
            let read = matches!(history.finding, Finding::Found | Finding::Nothing);
            history.cautions.extend(access::caution(terms).filter(|_| read));
            history
        }
    };
    let (finding, logons, assignments) = (history.finding, history.logons.len(), history.assignments.len());
    let entry = |access| Entry::Subscriber { access, finding, logons, assignments };
    let ledger = app.record(&asker, &papers, entry).await?;
    let whom = question.entities.first().map(|entity| (entity.clone(), question.subscriber.clone()));
    app.watch(&asker, &papers.case, None, whom);
    // What passed the horizon while the entry became durable is hidden.
    let present = app.time.present()?;
    let history = history.hidden_by(&question, present.cutoff);
    let note = terms.as_ref().err().cloned().or_else(|| match history.finding {
        Finding::Purged => Some(PURGED.to_owned()),
        Finding::Nothing => Some(NOTHING.to_owned()),
        Finding::Found | Finding::Future | Finding::Refused => None,
    });
    let answer = render(&request, &question, history, terms.ok(), present.now, ledger);
    Ok(Json(SubscriberAnswer { note, entity, ..answer }))
}

/// Reads the question; says which field is wrong. Beside it, whose subscriber is meant, where that is configured.
fn understand(request: &SubscriberRequest, config: &Config) -> Result<(SubscriberQuestion, Option<String>), Problem> {
    let name = checked(&request.subscriber)?;
    let from = rfc3339::parse(&request.from).map_err(|error| Problem::bad_field("from", error))?;
    let to = rfc3339::parse(&request.to).map_err(|error| Problem::bad_field("to", error))?;
    if to <= from {
        return Err(Problem::bad_field("to", "it is not after `from`"));
    }
    let meant = entities(request.entity.as_deref(), config);
    let (entities, entity) = meant.map_err(|detail| Problem::bad_field("entity", detail))?;
    let subscriber = SubscriberId(name.to_owned());
    Ok((SubscriberQuestion { entities, subscriber, from, to }, entity))
}

/// A subscriber's name that can be one. What is wrong with it is said without it: it would stand in whatever keeps the message.
pub(super) fn checked(name: &str) -> Result<&str, Problem> {
    match name.len() {
        0 => Err(Problem::bad_field("subscriber", "it is empty")),
        1..=MAX_SUBSCRIBER => Ok(name),
        _ => Err(Problem::bad_field("subscriber", format!("it is longer than {MAX_SUBSCRIBER} bytes"))),
    }
}

/// Whose subscriber is meant. Two entities may give one name to two people, so where there are several, one must be named.
///
/// A logon names no address, and belongs to no entity where its source is named by no network. Where there is one entity
/// only, that can be nobody else's; where there are several, those are asked for by the empty name.
///
/// # Errors
///
/// What is wrong with the name that was given; which field it stood in, the caller knows.
pub(super) fn entities(named: Option<&str>, config: &Config) -> Result<(Vec<Entity>, Option<String>), String> {
    let known: BTreeSet<&str> = config.networks.iter().map(|network| network.entity.as_str()).collect();
    let known: Vec<&str> = known.into_iter().filter(|entity| !entity.is_empty()).collect();
    let several = || known.join(", ");
    match (named, known.as_slice()) {
        (None | Some(""), []) => Ok((vec![Entity::default()], None)),
        (None, [only]) => Ok((vec![Entity((*only).to_owned()), Entity::default()], Some((*only).to_owned()))),
        (Some(named), [only]) if named == *only => {
            Ok((vec![Entity(named.to_owned()), Entity::default()], Some(named.to_owned())))
        }
        (None, _) => Err(format!("name one of {}", several())),
        (Some(""), _) => Ok((vec![Entity::default()], None)),
        (Some(named), _) if known.contains(&named) => Ok((vec![Entity(named.to_owned())], Some(named.to_owned()))),
        (Some(_), []) => Err("no network names an entity; leave it out".to_owned()),
        (Some(_), _) => Err(format!("no network names it; there are {}", several())),
    }
}

impl App {
    async fn history(self: &Arc<Self>, question: SubscriberQuestion) -> Result<History, Problem> {
        let app = Arc::clone(self);
        let Present { now, cutoff, .. } = self.time.present()?;
        let looked_up = tokio::task::spawn_blocking(move || {
            let coverage = app.ears.coverage();
            lookup::look_up_subscriber(&app.store, &app.config, &coverage, &question, cutoff, now)
        });
        let history = looked_up.await.map_err(|_| Problem::internal("the look-up was cut short"))?;
        history.map_err(|error| {
            tracing::error!(%error, "a look-up of a subscriber failed");
            Problem::internal(format!("the store could not be read, and nothing is answered around damage: {error}"))
        })
    }
}

/// The answer with what the terms release and no more. Who, what and when they release whenever they have this right.
fn render(
    request: &SubscriberRequest,
    question: &SubscriberQuestion,
    history: History,
    terms: Option<&Terms>,
    now: Timestamp,
    ledger: LedgerText,
) -> SubscriberAnswer {
    let releases: Vec<Group> = terms.map(|terms| terms.releases.iter().copied().collect()).unwrap_or_default();
    let line = releases.contains(&Group::Line);
    let at = |written: &str, at: Timestamp| AtText { written: written.to_owned(), utc: at.to_string() };
    SubscriberAnswer {
        version: SUBSCRIBER_VERSION,
        finding: history.finding,
        note: None,
        subscriber: request.subscriber.clone(),
        entity: None,
        span: SpanAsked {
            from: at(&request.from, question.from),
            to: at(&request.to, question.to),
            beyond_horizon: question.from < history.horizon,
            beyond_now: question.to > now,
        },
        logons: history.logons.into_iter().map(|had| logon(had, line)).collect(),
        assignments: history.assignments.into_iter().map(|had| assignment(had, line)).collect(),
        cautions: history.cautions.into_iter().collect(),
        horizon: history.horizon.to_string(),
        releases,
        ledger,
    }
}

fn logon(logon: Logon, line: bool) -> LogonText {
    LogonText {
        at: logon.at.to_string(),
        session: logon.session.to_string(),
        nas: line.then_some(logon.nas.0),
        line: line.then(|| line_text(logon.line)),
        source: logon.source.0,
        cautions: logon.cautions.into_iter().collect(),
    }
}

fn assignment(had: Assignment, line: bool) -> AssignmentText {
    let end = |edge: Edge| EndText { time: edge.at.to_string(), evidence: edge.evidence };
    let ports = PortsText { first: had.ports.first(), last: had.ports.last() };
    AssignmentText {
        assigned: had.network.to_string(),
        ports: (!had.ports.is_all()).then_some(ports),
        realm: had.realm.0,
        inside: had.inside.as_ref().map(inside_text),
        since: end(had.since),
        until: had.until.map(end),
        session: had.session.to_string(),
        nas: line.then_some(had.nas.0),
        line: line.then(|| line_text(had.line)),
        others: had.others,
        cautions: had.cautions.into_iter().collect(),
        sources: had.sources.into_iter().map(|source| source.0).collect(),
    }
}
