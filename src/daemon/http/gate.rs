//! What every request passes before its handler sees it: is its origin locked out, who asks, have they asked too much, may their
//! role do this; and only then is a body read, of a length and in a time that have a limit.
//!
//! Who may is read in [`routes`]; what does not stand there is nothing at all. Handlers ask once more.
//!
//! The event stream is let through unread: it has limits of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::api::routes::{self, Route};
use crate::api::{self, Problem};
use crate::audit::Entry;
use crate::daemon::stopwatch::Stopwatch;
use crate::domain::actor::Role;
use crate::domain::lockout::{Locked, Lockout, Origin};
use crate::domain::rate::Rates;

use super::identity::{Asker, Peer};
use super::repeats::{self, NotTheSame, Remembered, Repeats};
use super::{App, Refusal, triage};

/// The longest body where neither a stream nor a list is expected.
const MOST_BODY: usize = 1 << 20;
/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(30);

/// What is remembered of those who came.
pub(in crate::daemon) struct Gate {
    /// Since the start; what is remembered is measured by it.
    running: Stopwatch,
    lockout: Mutex<Lockout>,
    rates: Mutex<Rates>,
    repeats: Mutex<Repeats>,
}

impl Gate {
    pub(in crate::daemon) fn new(requests_per_second: u32) -> Self {
        let (lockout, rates) = (Mutex::default(), Mutex::new(Rates::new(requests_per_second)));
        Self { running: Stopwatch::start(), lockout, rates, repeats: Mutex::default() }
    }

    /// What is remembered under a key of somebody; for the first, a place for it.
    pub(super) fn remembered(&self, name: &str, key: &str, of: [u8; 32]) -> Result<Remembered, NotTheSame> {
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner).find(name, key, of, self.running.elapsed())
    }

    fn left(&self, origin: Origin) -> Option<Duration> {
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner).left(origin, self.running.elapsed())
    }

    fn failed(&self, origin: Origin) -> Option<Locked> {
        self.lockout.lock().unwrap_or_else(PoisonError::into_inner).failed(origin, self.running.elapsed())
    }

    fn take(&self, name: &str) -> bool {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).take(name, self.running.elapsed())
    }
}

/// Why a request goes no further.
enum Stopped {
    Refused(Refusal),
    /// Asked again after this time, it may pass.
    Later(&'static str, Duration),
    /// Nothing is served there, or by these methods only.
    NotServed(String),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Stopped> for Response {
    fn from(stopped: Stopped) -> Self {
        let (detail, after) = match stopped {
            Stopped::Refused(refusal) => return refusal.into_response(),
            Stopped::NotServed(others) if others.is_empty() => return Refusal(Problem::no_such_path()).into_response(),
            Stopped::NotServed(others) => {
                let mut response = Refusal(Problem::no_such_method()).into_response();
                response.headers_mut().extend(HeaderValue::try_from(others).map(|others| (header::ALLOW, others)));
                return response;
            }
            Stopped::Later(detail, after) => (detail, after.as_secs().saturating_add(1)),
        };
        let detail = format!("{detail}; try again in {after} s");
        let mut response = Refusal(Problem::new(429, "too-many", "too much was asked", detail)).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after));
        response
    }
}

/// Lets a request through, or says why not.
pub(super) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match admit(&app, request).await {
        Ok((Admitted { asker, route }, request))
            if route.method == routes::Method::Post && route.path != api::EVENTS =>
        {
            as_problem(repeats::once(&app, &asker, route, request, next).await)
        }
        Ok((_, request)) => as_problem(next.run(request).await),
        Err(stopped) => stopped.into(),
    }
}

/// Who came through, and to where.
struct Admitted {
    asker: Asker,
    route: &'static Route,
}

/// What axum itself refuses, such as a path that is no UTF-8, says so in a word; every problem is a document.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == api::PROBLEM_JSON);
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let title = status.canonical_reason().unwrap_or("the request cannot be answered");
    Refusal(Problem::new(status.as_u16(), "bad-request", title, "the request is not well formed")).into_response()
}

/// The route of a request whose asker may go there.
fn route_of(parts: &Parts, asker: &Asker) -> Result<&'static Route, Stopped> {
    let path = parts.uri.path();
    let method = match parts.method {
        Method::GET | Method::HEAD => Some(routes::Method::Get),
        Method::POST => Some(routes::Method::Post),
        _ => None,
    };
    let Some(route) = method.and_then(|method| routes::find(method, path)) else {
        let others: Vec<&str> = routes::methods(path).into_iter().map(routes::Method::name).collect();
        return Err(Stopped::NotServed(others.join(", ")));
    };
    let role = asker.0.role;
    if route.may.is_some_and(|may| may(role)) {
        return Ok(route);
    }
    let who: Vec<&str> = route.roles().into_iter().map(Role::name).collect();
    let detail = format!("role {role} may not {}; {} may", route.deed, who.join(" and "));
    Err(Refusal(Problem::forbidden(detail)).into())
}

async fn admit(app: &Arc<App>, request: Request) -> Result<(Admitted, Request), Stopped> {
    let (mut parts, body) = request.into_parts();
    let origin = parts.extensions.get::<Peer>().map_or(Origin::User(None), Peer::origin);
    if let Some(left) = app.gate.left(origin) {
        return Err(Stopped::Later("too many tokens that do not count came from here", left));
    }
    let asker = match app.identify(&parts).await {
        Ok(asker) => asker,
        Err(refusal) => {
            // Who shows nothing has failed at nothing.
            if refusal.0.status == 401 && parts.headers.contains_key(header::AUTHORIZATION) {
                app.count_failure(origin).await;
            }
            return Err(refusal.into());
        }
    };
    if !app.gate.take(&asker.0.name) {
        return Err(Stopped::Later("more requests came than requests-per-second allows one principal", Duration::ZERO));
    }
    let route = route_of(&parts, &asker)?;
    let admitted = Admitted { asker: asker.clone(), route };
    parts.extensions.insert(asker);
    if route.path == api::EVENTS {
        return Ok((admitted, Request::from_parts(parts, body)));
    }
    let most = most(parts.uri.path());
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > u64::try_from(most).unwrap_or(u64::MAX)) {
        return Err(too_large(most).into());
    }
    let body = match timeout(BODY, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large(most).into()),
        Ok(Err(error)) => return Err(Refusal(Problem::bad_field("body", error)).into()),
        Err(_) => {
            let detail = format!("its body did not arrive within {} s", BODY.as_secs());
            return Err(Refusal(Problem::new(408, "too-slow", "the request took too long", detail)).into());
        }
    };
    Ok((admitted, Request::from_parts(parts, Body::from(body))))
}

impl App {
    /// Counts a token that does not count. The one too many gets an entry, which stands for all before it.
    async fn count_failure(&self, origin: Origin) {
        let Some(Locked { failures, lasts }) = self.gate.failed(origin) else { return };
        tracing::warn!(%origin, failures, lasts = lasts.as_secs(), "locked out");
        let origin = self.sealer.actor_pseudonym(&format!("origin {origin}"));
        let entry = Entry::LockedOut { at: self.time.believed(), origin, failures, lasts: lasts.as_secs() };
        // Whether it can be written or not, the lock holds.
        if self.has_room().await.is_err() || self.queue.append(entry.to_bytes(), None).await.is_err() {
            tracing::error!("the ledger has no entry of a lock-out");
        }
    }
}

/// The longest body for a path: lists of items are longer than questions.
fn most(path: &str) -> usize {
    let takes_items =
        path == api::TRIAGE || [api::REQUESTS, api::REQUESTS_PREVIEW].contains(&path) || path.ends_with("/items");
    if takes_items { triage::MAX_BODY } else { MOST_BODY }
}

fn too_large(most: usize) -> Refusal {
    let detail = format!("a body has at most {most} bytes here");
    Refusal(Problem::new(413, "too-large", "the request is too long", detail))
}
