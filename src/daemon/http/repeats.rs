//! Requests that come twice under one `Idempotency-Key`, because somebody does not know whether the first arrived.
//!
//! What makes something answers the second time as it did the first. What answers about people is refused the second time,
//! with the entry of the first: answers that are kept to be given again would be a log beside the store. All of this is
//! in memory only, for a day, and of bounded size; a restart forgets it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use hyper::body::Bytes;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::api::Problem;
use crate::api::openapi::IDEMPOTENCY_KEY;
use crate::api::routes::{Repetition, Route};

use super::identity::Asker;
use super::{App, Refusal};

/// For how long a key is remembered.
const LASTS: Duration = Duration::from_secs(24 * 60 * 60);
/// Keys of one principal that are remembered; the oldest go first.
const MOST: usize = 1000;
/// Answers that are longer are not remembered, only that they were given.
const LONGEST: usize = 16 * 1024;
/// No answer is longer.
const MOST_ANSWER: usize = 64 * 1024 * 1024;
/// The longest key, in bytes.
const LONGEST_KEY: usize = 128;

/// What became of a request; nothing yet while it is under way. Whoever comes meanwhile waits for the lock.
pub(super) type Remembered = Arc<Mutex<Option<Outcome>>>;

/// The key was used with another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotTheSame;

/// What is remembered of a request that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The answer, JSON.
    Answer(Bytes),
    /// That it was answered, and the entry of it.
    Entry(Option<u64>),
}

struct Kept {
    key: String,
    of: [u8; 32],
    since: Duration,
    outcome: Remembered,
}

/// What is remembered, by principal.
#[derive(Default)]
pub(super) struct Repeats(BTreeMap<String, VecDeque<Kept>>);

impl Repeats {
    /// What became of the request with this digest under a key. `now` is the time since some beginning.
    ///
    /// # Errors
    ///
    /// If the key was used with another request.
    pub(super) fn find(
        &mut self,
        name: &str,
        key: &str,
        of: [u8; 32],
        now: Duration,
    ) -> Result<Remembered, NotTheSame> {
        let kept = self.0.entry(name.to_owned()).or_default();
        while kept.front().is_some_and(|oldest| now.saturating_sub(oldest.since) >= LASTS) {
            kept.pop_front();
        }
        if let Some(found) = kept.iter().find(|kept| kept.key == key) {
            return if found.of == of { Ok(Arc::clone(&found.outcome)) } else { Err(NotTheSame) };
        }
        if kept.len() >= MOST {
            kept.pop_front();
        }
        let outcome = Remembered::default();
        kept.push_back(Kept { key: key.to_owned(), of, since: now, outcome: Arc::clone(&outcome) });
        Ok(outcome)
    }
}

/// Runs a request, or answers as before if it comes again. Once begun it runs to its end, also if nobody waits for it
/// any more: a connection that breaks must not leave something half done.
pub(super) async fn once(
    app: &Arc<App>,
    Asker(asker): &Asker,
    route: &'static Route,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    // The gate has read it.
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Refusal(Problem::bad_field("body", error)).into_response(),
    };
    let key = parts.headers.get(IDEMPOTENCY_KEY).filter(|_| route.repetition != Repetition::Another);
    let held = match key.map(|key| read_key(key.as_bytes())) {
        None => None,
        Some(Err(problem)) => return Refusal(problem).into_response(),
        Some(Ok(key)) => {
            let of = digest(&parts.uri.to_string(), &body);
            let Ok(remembered) = app.gate.remembered(&asker.name, &key, of) else {
                let detail = "within 24 h, a key stands for one path and one body; take another";
                return Refusal(Problem::no_repetition(detail)).into_response();
            };
            let held = remembered.lock_owned().await;
            if let Some(outcome) = &*held {
                return again(outcome);
            }
            Some(held)
        }
    };
    let request = Request::from_parts(parts, Body::from(body));
    let running = tokio::spawn(async move {
        let response = next.run(request).await;
        match held {
            Some(held) => remember(held, route.repetition, response).await,
            None => response,
        }
    });
    running.await.unwrap_or_else(|_| Refusal(Problem::internal("the request was cut short")).into_response())
}

fn read_key(bytes: &[u8]) -> Result<String, Problem> {
    let is_key = (1..=LONGEST_KEY).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    let key = std::str::from_utf8(bytes).ok().filter(|_| is_key);
    let detail = || format!("it has 1 to {LONGEST_KEY} visible characters of ASCII");
    key.map(str::to_owned).ok_or_else(|| Problem::bad_field(IDEMPOTENCY_KEY, detail()))
}

/// What is the same has the same; the path cannot run into the body, for it has no line feed.
fn digest(path: &str, body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_bytes()).update(b"\n").update(body);
    hasher.finalize().into()
}

/// Remembers an answer if it is one. A problem is not remembered: with the same key it can be tried again.
async fn remember(mut held: OwnedMutexGuard<Option<Outcome>>, repetition: Repetition, response: Response) -> Response {
    if response.status() != StatusCode::OK {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MOST_ANSWER).await else {
        *held = Some(Outcome::Entry(None));
        return Refusal(Problem::internal("the answer is too long")).into_response();
    };
    *held = Some(match repetition {
        Repetition::Answered if body.len() <= LONGEST => Outcome::Answer(body.clone()),
        _ => Outcome::Entry(entry_of(&body)),
    });
    Response::from_parts(parts, Body::from(body))
}

/// The entry that an answer names.
fn entry_of(answer: &[u8]) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Ledger {
        index: u64,
    }
    #[derive(serde::Deserialize)]
    struct Answer {
        ledger: Ledger,
    }
    serde_json::from_slice::<Answer>(answer).ok().map(|answer| answer.ledger.index)
}

fn again(outcome: &Outcome) -> Response {
    match outcome {
        Outcome::Answer(body) => ([(header::CONTENT_TYPE, "application/json")], body.clone()).into_response(),
        Outcome::Entry(entry) => {
            let entry = entry.map(|index| format!(", with entry {index} of the access ledger")).unwrap_or_default();
            let detail =
                format!("this was answered{entry}; no answer is kept to be given again: ask anew, with another key");
            Refusal(Problem::new(409, "answered-already", "this was answered already", detail)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_key_stands_for_one_request_of_one_principal_for_a_day() {
        let mut repeats = Repeats::default();
        let first = repeats.find("amy", "k", [1; 32], HOUR).unwrap();
        assert!(Arc::ptr_eq(&first, &repeats.find("amy", "k", [1; 32], 24 * HOUR).unwrap()));
        assert_eq!(repeats.find("amy", "k", [2; 32], 24 * HOUR).err(), Some(NotTheSame));
        assert!(!Arc::ptr_eq(&first, &repeats.find("bob", "k", [1; 32], HOUR).unwrap()));
        assert!(repeats.find("amy", "k", [2; 32], 25 * HOUR).is_ok(), "a day later it is free");
    }

    #[test]
    fn the_oldest_keys_of_who_has_too_many_go_and_others_keep_theirs() {
        let mut repeats = Repeats::default();
        let bob = repeats.find("bob", "k", [1; 32], HOUR).unwrap();
        for number in 0..=MOST {
            repeats.find("amy", &number.to_string(), [1; 32], HOUR).unwrap();
        }
        assert_eq!(repeats.0["amy"].len(), MOST);
        assert!(repeats.find("amy", "0", [2; 32], HOUR).is_ok());
        assert!(Arc::ptr_eq(&bob, &repeats.find("bob", "k", [1; 32], HOUR).unwrap()));
    }

    #[test]
    fn keys_are_short_and_visible_and_entries_are_found_in_answers() {
        assert_eq!(read_key(b"a-1").unwrap(), "a-1");
        for wrong in [&b""[..], b"a b", b"\xc3\xa4", &[b'a'; 129]] {
            assert!(read_key(wrong).is_err_and(|problem| problem.status == 400));
        }
        assert_eq!(entry_of(br#"{"ledger":{"index":7,"salt":""},"x":1}"#), Some(7));
        assert_eq!(entry_of(br#"{"answers":[]}"#), None);
    }
}
