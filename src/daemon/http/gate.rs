//! What every request passes before its handler sees it: who asks is established first, and only then is a body read, of
//! a length and in a time that have a limit.
//!
//! The event stream is let through unread: it has limits of its own.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::api::{self, Problem};

use super::{App, Refusal};

/// The longest body where no stream is expected.
const MOST_BODY: usize = 1 << 20;
/// How long a body may take to arrive.
const BODY: Duration = Duration::from_secs(30);

/// Lets a request through, or says why not.
pub(super) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match admit(&app, request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn admit(app: &Arc<App>, request: Request) -> Result<Request, Refusal> {
    let (mut parts, body) = request.into_parts();
    let asker = app.identify(&parts).await?;
    parts.extensions.insert(asker);
    if parts.uri.path() == api::EVENTS {
        return Ok(Request::from_parts(parts, body));
    }
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > u64::try_from(MOST_BODY).unwrap_or(u64::MAX)) {
        return Err(too_large());
    }
    let body = match timeout(BODY, Limited::new(body, MOST_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(error)) => return Err(Problem::bad_field("body", error).into()),
        Err(_) => {
            let detail = format!("its body did not arrive within {} s", BODY.as_secs());
            return Err(Problem::new(408, "too-slow", "the request took too long", detail).into());
        }
    };
    Ok(Request::from_parts(parts, Body::from(body)))
}

fn too_large() -> Refusal {
    let detail = format!("a body has at most {MOST_BODY} bytes here");
    Refusal(Problem::new(413, "too-large", "the request is too long", detail))
}
