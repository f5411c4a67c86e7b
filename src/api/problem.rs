//! Errors as RFC 9457 problem documents.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Which problem: a relative reference, such as `/problems/bad-time`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What it is, the same for all of its kind.
    pub title: String,
    /// What it is this time, and what to do.
    pub detail: String,
}

impl Problem {
    /// A problem by its code, such as `bad-time`.
    pub fn new(status: u16, code: &str, title: &str, detail: impl Into<String>) -> Self {
        Self { kind: format!("/problems/{code}"), status, title: title.to_owned(), detail: detail.into() }
    }

    /// 400: the request names something that cannot be understood.
    pub fn bad_field(field: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(400, "bad-field", "the request cannot be understood", format!("{field}: {detail}"))
    }

    /// 400: all that is wrong with what came, at once.
    pub fn of_faults(code: &str, title: &str, faults: &[impl ToString]) -> Self {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Self::new(400, code, title, faults.join("; "))
    }

    /// 400: the papers of a request do not have what its answer needs.
    pub fn not_on_file(detail: impl Into<String>) -> Self {
        Self::new(400, "not-on-file", "the request cannot be answered yet", detail)
    }

    /// 401: nobody is known to ask.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(401, "unauthenticated", "who asks is not known", detail)
    }

    /// 403: the role may not ask this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "the role may not do this", detail)
    }

    /// 403: the kind of process is not answered, whoever asks.
    pub fn refused(detail: impl Into<String>) -> Self {
        Self::new(403, "refused", "this kind of process is refused", detail)
    }

    /// 404: what is asked for is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, "not-found", "there is no such thing", detail)
    }

    /// 404: nothing is served at the path.
    pub fn no_such_path() -> Self {
        Self::new(404, "no-such-path", "there is nothing at this path", "see /v1")
    }

    /// 405: something else is done at the path.
    pub fn no_such_method() -> Self {
        Self::new(405, "no-such-method", "this is not done here", "the header Allow says what is")
    }

    /// 422: the key of a repetition came with something that is none.
    pub fn no_repetition(detail: impl Into<String>) -> Self {
        Self::new(422, "no-repetition", "the Idempotency-Key was used for something else", detail)
    }

    /// 503: the daemon cannot answer now.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "unavailable", "the daemon cannot answer now", detail)
    }

    /// 503: the wall clock is not believed, so that nobody can say what may be disclosed.
    pub fn clock_in_doubt(detail: impl Into<String>) -> Self {
        Self::new(503, "clock-in-doubt", "the clock is in doubt", detail)
    }

    /// 503: the disk is full, and what is asked would have to be written down.
    pub fn disk_full(detail: impl Into<String>) -> Self {
        Self::new(503, "disk-full", "the disk is full", detail)
    }

    /// 409: what is asked does not fit what is.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(409, "conflict", "this cannot be done now", detail)
    }

    /// 403: nothing may be certified, and why is for counsel. Only an approver is ever told so.
    pub fn refer_to_counsel() -> Self {
        let detail = "nothing is certified: refer this request to counsel, and speak of it to nobody else";
        Self::new(403, "refer-to-counsel", "refer to counsel", detail)
    }

    /// 500: a fault of ours, or damage.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(500, "internal", "the daemon failed", detail)
    }
}
