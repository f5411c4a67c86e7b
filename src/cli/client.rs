//! One request to the daemon, sent once more if the connection breaks and a repetition does no harm.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::Problem;
use crate::api::openapi::IDEMPOTENCY_KEY;
use crate::api::routes::{self, Method, Repetition};
use crate::audit::hex;

use super::connect::ConnectError;
use super::{Connection, Ending, tell, token};

/// How often it is asked again when the daemon says that too much is asked, and the longest that is waited each time.
const PATIENCE: u32 = 60;
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The longest answer that is read: a package of the most items that a request has.
const MAX_ANSWER: usize = 128 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum ClientError {
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the connection to the daemon broke: {0}")]
    Broken(String),
    #[error("the daemon's answer cannot be understood: {0}")]
    Answer(String),
    #[error("{}: {}", problem.title, problem.detail)]
    Problem {
        problem: Problem,
        /// When to come again, if the daemon says so.
        retry_after: Option<Duration>,
    },
}

impl ClientError {
    fn ending(&self) -> Ending {
        match self {
            Self::Connect(error) => error.ending(),
            Self::Broken(_) => Ending::Unreachable,
            Self::Start(_) | Self::Answer(_) => Ending::Fault,
            Self::Problem { problem, .. } => Ending::of_problem(problem),
        }
    }
}

/// Posts a body, or gets if there is none, and reads the answer. Says on stderr why there is none.
pub(super) fn ask<T: DeserializeOwned>(
    connection: &Connection,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<T, Ending> {
    let answer = answer(connection, path, body)?;
    serde_json::from_slice(&answer).map_err(|error| complain(&ClientError::Answer(error.to_string())))
}

/// Gets bytes that are no JSON.
pub(super) fn fetch(connection: &Connection, path: &str) -> Result<Bytes, Ending> {
    answer(connection, path, None::<&()>)
}

/// The same, and comes again when the daemon says that too much is asked, as late as it says. For what takes many requests.
pub(super) fn fetch_patiently(connection: &Connection, path: &str) -> Result<Bytes, Ending> {
    for _ in 0..PATIENCE {
        match attempt(connection, path, None) {
            Err(ClientError::Problem { retry_after: Some(wait), .. }) => std::thread::sleep(wait.min(LONGEST_WAIT)),
            other => return other.map_err(|error| complain(&error)),
        }
    }
    fetch(connection, path)
}

fn complain(error: &ClientError) -> Ending {
    tell(&format!("lapse: {}", super::escape::escape(&error.to_string())));
    error.ending()
}

fn answer(connection: &Connection, path: &str, body: Option<&impl Serialize>) -> Result<Bytes, Ending> {
    let body = body.map(serde_json::to_vec).transpose().map_err(|error| {
        tell(&format!("lapse: cannot write the request: {error}"));
        Ending::Fault
    })?;
    attempt(connection, path, body).map_err(|error| complain(&error))
}

fn attempt(connection: &Connection, path: &str, body: Option<Vec<u8>>) -> Result<Bytes, ClientError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ClientError::Start)?;
    runtime.block_on(async {
        let key = if body.is_some() { repeatable(path) } else { None };
        let first = exchange(connection, path, body.clone(), key.as_deref()).await;
        match (first, &key) {
            // Nobody knows whether it arrived. Under the same key it counts once.
            (Err(ClientError::Broken(_)), Some(_)) => exchange(connection, path, body, key.as_deref()).await,
            (first, _) => first,
        }
    })
}

/// A key that nobody else has, where the daemon tells a repetition by it; without random bytes, none.
fn repeatable(path: &str) -> Option<String> {
    let route = routes::find(Method::Post, path)?;
    let mut key = [0; 16];
    let is_random = route.repetition != Repetition::Another && getrandom::fill(&mut key).is_ok();
    is_random.then(|| hex(&key))
}

/// An answer that is too long would be so again; any other end in its middle is a connection that broke.
fn unread(error: Box<dyn std::error::Error + Send + Sync>) -> ClientError {
    if error.is::<LengthLimitError>() {
        ClientError::Answer(error.to_string())
    } else {
        ClientError::Broken(error.to_string())
    }
}

async fn exchange(
    connection: &Connection,
    path: &str,
    body: Option<Vec<u8>>,
    key: Option<&str>,
) -> Result<Bytes, ClientError> {
    let stream = connection.open().await?;
    let broken = |error: hyper::Error| ClientError::Broken(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // What goes wrong with the connection is seen by the request on it.
    let driven = tokio::spawn(connection);
    let method = if body.is_some() { Method::Post } else { Method::Get };
    let mut request = Request::builder().method(method.name()).uri(path).header(header::HOST, "lapsed");
    if let Some(token) = token() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(key) = key {
        request = request.header(IDEMPOTENCY_KEY, key);
    }
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.unwrap_or_default())))
        .map_err(|error| ClientError::Broken(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    let bytes = bytes.map_err(unread)?.to_bytes();
    driven.abort();
    if status == StatusCode::OK {
        return Ok(bytes);
    }
    let problem = serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(error.to_string()))?;
    Err(ClientError::Problem { problem, retry_after: retry_after.map(Duration::from_secs) })
}
