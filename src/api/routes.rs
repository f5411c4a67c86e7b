//! Every route of the API, as data: who may use it, what it takes and what it answers.
//!
//! Three things are made of this table, so that they cannot differ: the daemon lets nobody through whom it does not name, and
//! serves nothing that is not in it; `docs/openapi.json` describes it; and `lapse` reads in it what may be asked twice. A
//! new route is one line here and one in the daemon's router.

use schemars::{Schema, SchemaGenerator};

use crate::domain::actor::Role;

use super::{
    ANOMALIES, AcceptAnswer, AcceptRequest, AnomaliesAnswer, Answers, AnswersRequest, AttachRequest, CLOCK,
    CLOCK_ACCEPT, Certificate, ClockStatus, Done, EMERGENCIES, EVENTS, EmergencyList, FieldsAdded, FieldsPaper,
    FollowUpRequest, HOLDS, HoldList, HoldRequest, HoldSheet, ItemsPaper, LEDGER_KEYS, LIVEZ, LOOKUPS, LedgerKeys,
    LookupAnswer, LookupRequest, POLICY, PURGE_PLAN, PURGE_REPORTS, PURGE_RUN, PURGE_STATUS, PURGE_WINDOW, Package,
    PlanAnswer, PolicyAnswer, PurgeReports, PurgeStatus, READYZ, REQUESTS, REQUESTS_PREVIEW, ReceiptAnswer,
    RequestList, RequestOpened, RequestPaper, RequestPreview, RequestSheet, RunAnswer, STATUS, SUBSCRIBERS,
    StatusAnswer, SubscriberAnswer, SubscriberRequest, TRIAGE, TriageAnswer, TriageRequest, WindowAnswer,
    WindowRequest,
};

/// One request on file.
pub const REQUEST: &str = "/v1/requests/{id}";
/// Its items.
pub const REQUEST_ITEMS: &str = "/v1/requests/{id}/items";
/// Its answers.
pub const REQUEST_ANSWERS: &str = "/v1/requests/{id}/answers";
/// Its response package.
pub const REQUEST_PACKAGE: &str = "/v1/requests/{id}/package";
/// Its no-records certificate.
pub const REQUEST_CERTIFICATE: &str = "/v1/requests/{id}/certificate";
/// Fields that are added to its papers.
pub const REQUEST_FIELDS: &str = "/v1/requests/{id}/fields";
/// The process that follows, if it is an emergency.
pub const REQUEST_FOLLOW_UP: &str = "/v1/requests/{id}/follow-up";
/// Its approval.
pub const REQUEST_APPROVE: &str = "/v1/requests/{id}/approve";
/// Its end.
pub const REQUEST_CLOSE: &str = "/v1/requests/{id}/close";
/// One hold.
pub const HOLD: &str = "/v1/holds/{id}";
/// Its approval.
pub const HOLD_APPROVE: &str = "/v1/holds/{id}/approve";
/// The requests that it is attached to.
pub const HOLD_ATTACH: &str = "/v1/holds/{id}/attach";
/// Its renewal.
pub const HOLD_RENEW: &str = "/v1/holds/{id}/renew";
/// Its end.
pub const HOLD_RELEASE: &str = "/v1/holds/{id}/release";
/// The signed checkpoint of a ledger.
pub const LEDGER_CHECKPOINT: &str = "/v1/ledgers/{log}/checkpoint";
/// A tile of a ledger's hashes, or a bundle of its entries: the rest of the path is named as C2SP tlog-tiles does.
pub const LEDGER_TILE: &str = "/v1/ledgers/{log}/tile/{*tile}";
/// The receipt of an access.
pub const RECEIPT: &str = "/v1/ledgers/access/receipts/{index}";
/// One purge report.
pub const PURGE_REPORT: &str = "/v1/purge/reports/{sequence}";

/// What is done at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// It is read.
    Get,
    /// Something is asked or done, and goes on record.
    Post,
}

impl Method {
    /// The name in HTTP. What answers `GET` answers `HEAD` too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a body is.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// There is none, or it does not matter.
    None,
    /// JSON of this type.
    Json(SchemaOf),
    /// Lines of JSON.
    Lines,
    /// Plain text.
    Text,
    /// Bytes.
    Bytes,
}

/// What becomes of a request that comes again under the same `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// It is a request like any other: the key is not looked at.
    Another,
    /// It gets the answer of the first.
    Answered,
    /// It is refused: an answer about people is kept nowhere, also not to be given again.
    Refused,
}

/// A value behind `?`.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Is it a whole number?
    pub is_number: bool,
}

/// One method of one path.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; a part in braces stands for any one part, one that begins with a star for all that follow.
    pub path: &'static str,
    /// What it does, as in "may not look up who held an address".
    pub deed: &'static str,
    /// The roles that may; `None`: whoever can connect, and nobody asks who it is.
    pub may: Option<fn(Role) -> bool>,
    /// What it takes.
    pub body: Content,
    /// What may stand behind `?`.
    pub query: &'static [Query],
    /// What it answers with 200.
    pub answer: Content,
    /// The statuses of its problems, besides those of [`EVERYWHERE`].
    pub problems: &'static [u16],
    /// What a repetition is.
    pub repetition: Repetition,
}

/// The statuses of problems that every route with roles has: who asks is not known, may not, was too slow, sent too much, asked
/// too often; the daemon failed, or cannot answer now.
pub const EVERYWHERE: [u16; 7] = [401, 403, 408, 413, 429, 500, 503];

/// Every route.
pub static ROUTES: &[Route] = &[
    post(LOOKUPS, "look up who held an address", Role::may_look_up, json::<LookupRequest>(), json::<LookupAnswer>())
        .with(&[400, 409, 422])
        .repeated(Repetition::Refused),
    get(REQUESTS, "list the requests on file", Role::may_file_requests, json::<RequestList>()),
    post(REQUESTS, "file a request", Role::may_file_requests, json::<RequestPaper>(), json::<RequestOpened>())
        .with(&[400, 409, 422])
        .repeated(Repetition::Answered),
    post(
        REQUESTS_PREVIEW,
        "see how a request would be understood",
        Role::may_file_requests,
        json::<RequestPaper>(),
        json::<RequestPreview>(),
    )
    .with(&[400]),
    get(REQUEST, "see a request", Role::may_file_requests, json::<RequestSheet>()).with(&[400, 404]),
    post(
        REQUEST_ITEMS,
        "add items to a request",
        Role::may_file_requests,
        json::<ItemsPaper>(),
        json::<RequestOpened>(),
    )
    .with(&[400, 404, 409, 422])
    .repeated(Repetition::Answered),
    post(
        REQUEST_ANSWERS,
        "look up the items of a request",
        Role::may_look_up,
        json::<AnswersRequest>(),
        json::<Answers>(),
    )
    .with(&[400, 404, 409, 422])
    .repeated(Repetition::Refused),
    post(REQUEST_PACKAGE, "make a response package", Role::may_look_up, Content::None, json::<Package>())
        .with(&[400, 404, 409]),
    post(REQUEST_CERTIFICATE, "certify that nothing is held", Role::may_approve, Content::None, json::<Certificate>())
        .with(&[400, 404, 409]),
    post(
        REQUEST_FIELDS,
        "add fields to a request",
        Role::may_file_requests,
        json::<FieldsPaper>(),
        json::<FieldsAdded>(),
    )
    .with(&[400, 404, 409]),
    post(
        REQUEST_FOLLOW_UP,
        "name the process that follows an emergency",
        Role::may_file_requests,
        json::<FollowUpRequest>(),
        json::<Done>(),
    )
    .with(&[400, 404, 409]),
    get(EMERGENCIES, "list the emergencies", Role::may_file_requests, json::<EmergencyList>()),
    get(ANOMALIES, "see what stands out in how rights are used", Role::may_read_anomalies, json::<AnomaliesAnswer>()),
    post(REQUEST_APPROVE, "approve a request", Role::may_approve, Content::None, json::<Done>()).with(&[400, 404, 409]),
    post(REQUEST_CLOSE, "close a request", Role::may_file_requests, Content::None, json::<Done>())
        .with(&[400, 404, 409]),
    get(HOLDS, "list the holds", Role::may_file_requests, json::<HoldList>()),
    post(HOLDS, "place a hold", Role::may_file_requests, json::<HoldRequest>(), json::<HoldSheet>())
        .with(&[400, 404, 409, 422])
        .repeated(Repetition::Answered),
    get(HOLD, "see a hold", Role::may_file_requests, json::<HoldSheet>()).with(&[400, 404]),
    post(HOLD_APPROVE, "approve a hold", Role::may_approve, Content::None, json::<Done>()).with(&[400, 404, 409]),
    post(HOLD_ATTACH, "attach a hold to a request", Role::may_approve, json::<AttachRequest>(), json::<Done>())
        .with(&[400, 404, 409]),
    post(HOLD_RENEW, "renew a hold", Role::may_approve, Content::None, json::<Done>()).with(&[400, 404, 409]),
    post(HOLD_RELEASE, "release a hold", Role::may_approve, Content::None, json::<Done>()).with(&[400, 404, 409]),
    post(
        SUBSCRIBERS,
        "look up what a subscriber had",
        Role::may_look_up_subscribers,
        json::<SubscriberRequest>(),
        json::<SubscriberAnswer>(),
    )
    .with(&[400, 409, 422])
    .repeated(Repetition::Refused),
    post(TRIAGE, "triage a list of items", Role::may_look_up, json::<TriageRequest>(), json::<TriageAnswer>())
        .with(&[400]),
    post(EVENTS, "send events", Role::may_send_events, Content::Lines, Content::Lines)
        .with(&[400])
        .asking(&[number("first", "The number of the first line; 1 if absent.")]),
    get(STATUS, "read the status", Role::may_read_status, json::<StatusAnswer>()),
    get(POLICY, "read the policy", anyone, json::<PolicyAnswer>()),
    get(CLOCK, "look at the clock", Role::may_read_clock, json::<ClockStatus>()),
    post(CLOCK_ACCEPT, "accept a clock", Role::may_accept_clock, json::<AcceptRequest>(), json::<AcceptAnswer>())
        .with(&[400, 409]),
    get(PURGE_STATUS, "look at the purge", Role::may_read_purges, json::<PurgeStatus>()),
    get(PURGE_PLAN, "plan a purge", Role::may_plan_purges, json::<PlanAnswer>())
        .with(&[400])
        .asking(&[text("window", "Another window, such as `24h`: what a change to it would destroy.")]),
    get(PURGE_REPORTS, "read purge reports", Role::may_read_purges, json::<PurgeReports>()).with(&[400]).asking(&[
        number("from", "The number of the first report; the newest are meant if it is absent."),
        number("limit", "How many at most: 50 if absent, and never more than 1000."),
    ]),
    get(PURGE_REPORT, "read a purge report", Role::may_read_purges, Content::Text).with(&[404]),
    post(PURGE_RUN, "have a purge made", Role::may_run_purges, Content::None, json::<RunAnswer>()),
    post(
        PURGE_WINDOW,
        "change the window",
        Role::may_change_the_window,
        json::<WindowRequest>(),
        json::<WindowAnswer>(),
    )
    .with(&[400]),
    get(LEDGER_KEYS, "read the ledgers' public keys", anyone, json::<LedgerKeys>()),
    get(LEDGER_CHECKPOINT, "read a ledger's checkpoint", Role::may_read_ledgers, Content::Text).with(&[404]),
    get(LEDGER_TILE, "read a ledger", Role::may_read_ledgers, Content::Bytes).with(&[404]),
    get(RECEIPT, "have a receipt for an access", Role::may_have_receipts, json::<ReceiptAnswer>()).with(&[400, 404]),
    for_all(LIVEZ, "see that the process runs"),
    for_all(READYZ, "see whether events are taken").with(&[503]),
];

const fn get(path: &'static str, deed: &'static str, may: fn(Role) -> bool, answer: Content) -> Route {
    Route {
        method: Method::Get,
        path,
        deed,
        may: Some(may),
        body: Content::None,
        query: &[],
        answer,
        problems: &[],
        repetition: Repetition::Another,
    }
}

const fn post(path: &'static str, deed: &'static str, may: fn(Role) -> bool, body: Content, answer: Content) -> Route {
    Route { method: Method::Post, body, ..get(path, deed, may, answer) }
}

const fn for_all(path: &'static str, deed: &'static str) -> Route {
    Route { may: None, ..get(path, deed, anyone, Content::Text) }
}

const fn json<T: schemars::JsonSchema>() -> Content {
    Content::Json(SchemaGenerator::subschema_for::<T>)
}

const fn number(name: &'static str, says: &'static str) -> Query {
    Query { name, says, is_number: true }
}

const fn text(name: &'static str, says: &'static str) -> Query {
    Query { name, says, is_number: false }
}

const fn anyone(_: Role) -> bool {
    true
}

impl Route {
    const fn with(self, problems: &'static [u16]) -> Self {
        Self { problems, ..self }
    }

    const fn asking(self, query: &'static [Query]) -> Self {
        Self { query, ..self }
    }

    const fn repeated(self, repetition: Repetition) -> Self {
        Self { repetition, ..self }
    }

    /// The roles that may; none where nobody asks who it is.
    pub fn roles(&self) -> Vec<Role> {
        self.may.map(|may| Role::ALL.into_iter().filter(|role| may(*role)).collect()).unwrap_or_default()
    }

    /// Is this path one of the route's?
    pub fn is_at(&self, path: &str) -> bool {
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(ours), Some(theirs)) if ours == theirs => {}
                (Some(ours), Some(theirs)) if ours.starts_with("{*") && !theirs.is_empty() => return true,
                (Some(ours), Some(theirs)) if ours.starts_with('{') && !theirs.is_empty() => {}
                _ => return false,
            }
        }
    }
}

/// The route of a method at a path.
pub fn find(method: Method, path: &str) -> Option<&'static Route> {
    at(path).find(|route| route.method == method)
}

/// The methods that there are at a path; none if there is nothing.
pub fn methods(path: &str) -> Vec<Method> {
    at(path).map(|route| route.method).collect()
}

/// The routes at a path. One that is named in full comes before all that it could be a part of.
fn at(path: &str) -> impl Iterator<Item = &'static Route> + use<'_> {
    let is_named = ROUTES.iter().any(|route| route.path == path);
    ROUTES.iter().filter(move |route| if is_named { route.path == path } else { route.is_at(path) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_in_braces_is_any_one_part() {
        let path = |method, path| find(method, path).map(|route| route.path);
        assert_eq!(path(Method::Post, "/v1/requests/7b3c/items"), Some(REQUEST_ITEMS));
        assert_eq!(path(Method::Get, "/v1/requests/7b3c"), Some(REQUEST));
        for nothing in ["/v1/requests/", "/v1/requests/7b3c/", "/v1/requests/a/b/items", "/v1", ""] {
            assert_eq!(methods(nothing), [], "{nothing}");
        }
        assert_eq!(methods(REQUESTS), [Method::Get, Method::Post]);
        assert_eq!(methods(super::REQUESTS_PREVIEW), [Method::Post]);
    }

    #[test]
    fn no_route_stands_twice_and_what_is_repeated_can_say_so() {
        for route in ROUTES {
            assert!(std::ptr::eq(find(route.method, route.path).unwrap(), route), "{}", route.path);
            let keyed = route.repetition != Repetition::Another;
            assert_eq!(route.problems.contains(&422), keyed, "{}", route.path);
            assert!(!keyed || route.problems.contains(&409), "{}", route.path);
        }
    }
}
