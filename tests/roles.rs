//! Who may do what, at every route: the table is written out here, and the daemon, its table of routes and this one must agree.
//!
//! The daemon is the real one on a clock that is moved by hand, and every role has a real token.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use lapsed::api::routes::{ROUTES, Route};
use lapsed::domain::actor::Role;
use lapsed::domain::time::Timestamp;
use serde_json::{Value, json};

use support::api::Api;
use support::by_hand::ByHand;
use support::{Site, TWO_NAS};

/// 2027-01-15T08:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
/// An id that nothing has.
const UNKNOWN: &str = "00000000000000000000000000000000";
/// Wrong tokens that one origin may show before it is locked out, less one.
const GUESSES: usize = 8;

/// Every route with the roles that may, by their first letters in the order s(ource) a(nalyst) p (approver) u (auditor)
/// o(perator), and what they are answered where they send an empty object or ask for what is not there.
const MAY: [(&str, &str, &str, u16); 39] = [
    ("POST", "/v1/lookups", "-ap--", 400),
    ("GET", "/v1/requests", "-ap--", 200),
    ("POST", "/v1/requests", "-ap--", 400),
    ("POST", "/v1/requests/preview", "-ap--", 400),
    ("GET", "/v1/requests/{id}", "-ap--", 404),
    ("POST", "/v1/requests/{id}/items", "-ap--", 404),
    ("POST", "/v1/requests/{id}/answers", "-ap--", 404),
    ("POST", "/v1/requests/{id}/package", "-ap--", 404),
    ("POST", "/v1/requests/{id}/certificate", "--p--", 404),
    ("POST", "/v1/requests/{id}/fields", "-ap--", 404),
    ("POST", "/v1/requests/{id}/follow-up", "-ap--", 404),
    ("GET", "/v1/emergencies", "-ap--", 200),
    ("GET", "/v1/anomalies", "---u-", 200),
    ("POST", "/v1/requests/{id}/approve", "--p--", 404),
    ("POST", "/v1/requests/{id}/close", "-ap--", 404),
    ("GET", "/v1/holds", "-ap--", 200),
    ("POST", "/v1/holds", "-ap--", 400),
    ("GET", "/v1/holds/{id}", "-ap--", 404),
    ("POST", "/v1/holds/{id}/approve", "--p--", 404),
    ("POST", "/v1/holds/{id}/attach", "--p--", 404),
    ("POST", "/v1/holds/{id}/renew", "--p--", 404),
    ("POST", "/v1/holds/{id}/release", "--p--", 404),
    ("POST", "/v1/subscribers", "--p--", 400),
    ("POST", "/v1/triage", "-ap--", 400),
    ("POST", "/v1/events", "s----", 200),
    ("GET", "/v1/status", "-apuo", 200),
    ("GET", "/v1/policy", "sapuo", 200),
    ("GET", "/v1/clock", "--puo", 200),
    ("POST", "/v1/clock/accept", "--p-o", 400),
    ("GET", "/v1/purge/status", "--puo", 200),
    ("GET", "/v1/purge/plan", "---uo", 200),
    ("GET", "/v1/purge/reports", "--puo", 200),
    ("GET", "/v1/purge/reports/{sequence}", "--puo", 404),
    ("GET", "/v1/ledgers/keys", "sapuo", 200),
    ("GET", "/v1/ledgers/{log}/checkpoint", "---u-", 404),
    ("GET", "/v1/ledgers/{log}/tile/{*tile}", "---u-", 404),
    ("GET", "/v1/ledgers/access/receipts/{index}", "-apu-", 404),
    ("POST", "/v1/purge/run", "----o", 200),
    ("POST", "/v1/purge/window", "----o", 400),
];

/// The daemon, and somebody of every role; of approvers two.
struct House {
    by_hand: ByHand,
    tokens: [(Role, String); 5],
    second: String,
}

impl House {
    fn new() -> Self {
        let tables = format!("{}[disclosure]\nkeep-open = \"6h\"\n", TWO_NAS.replace("\"10s\"", "\"1s\""));
        let site = Site::new(&tables);
        let tokens = Role::ALL.map(|role| (role, site.token(&format!("{role}-1"), role.name())));
        let second = site.token("approver-2", "approver");
        Self { by_hand: ByHand::start_on(site, NOW), tokens, second }
    }

    fn token(&self, role: Role) -> &str {
        &self.tokens.iter().find(|(known, _)| *known == role).unwrap().1
    }

    /// The status and the body of an answer; of lines and texts, no body.
    fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut api = Api::connect(&self.by_hand.site.path("api.sock"), token);
        let (head, body) = api.ask(method, path, &[], body.to_string().as_bytes());
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn post(&self, role: Role, path: &str, body: &Value) -> (u16, Value) {
        self.ask(self.token(role), "POST", path, body)
    }

    /// Files a process with somebody's token, and returns its id.
    fn file(&self, token: &str, kind: &str) -> String {
        let papers = json!({
            "type": kind, "statute": "18 USC 2703", "scope": "all", "authority": "Example District Court",
            "agency": "Example Police Department", "officer": "Det. R. Example", "officer-contact": "+1 303 555 0100",
            "case": "24-CR-1022", "received": NOW.to_string(),
            "item": [{ "address": "192.0.2.7", "at": NOW.minus(HOUR / 2).to_string() }],
        });
        let (status, answer) = self.ask(token, "POST", "/v1/requests", &papers);
        assert_eq!(status, 200, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }
}

fn path(route: &str) -> String {
    [("{id}", UNKNOWN), ("{sequence}", "4711"), ("{log}", "none"), ("{*tile}", "0/000"), ("{index}", "4711")]
        .into_iter()
        .fold(route.to_owned(), |path, (part, unknown)| path.replace(part, unknown))
}

#[test]
fn every_role_at_every_route_is_let_in_or_kept_out_as_the_table_says() {
    let house = House::new();
    let mut wrong = Vec::new();
    for (method, route, may, answered) in &MAY {
        for ((role, token), letter) in house.tokens.iter().zip(may.chars()) {
            let expected = if letter == '-' { 403 } else { *answered };
            // The body of the event stream is read as it comes, and this is none of an event's.
            let body = if *route == "/v1/events" { Value::String(String::new()) } else { json!({}) };
            let (status, problem) = house.ask(token, method, &path(route), &body);
            if status != expected {
                wrong.push(format!("{method} {route} {role}: {status} and not {expected}: {problem}"));
            }
        }
        let (status, _) = house.ask("", method, &path(route), &json!({}));
        if status != 401 {
            wrong.push(format!("{method} {route} without a token: {status}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn an_unknown_token_is_nobody_at_every_route() {
    let mut house = House::new();
    let known: Vec<_> = MAY.iter().collect();
    for some in known.chunks(GUESSES) {
        for (method, route, ..) in some {
            let (status, problem) = house.ask("lapsed_of-nobody", method, &path(route), &json!({}));
            assert_eq!(status, 401, "{method} {route}: {problem}");
        }
        // Who tries more of them is locked out, which is another test's.
        house.by_hand.restart(|_| {});
    }
}

#[test]
fn who_can_connect_can_see_that_the_daemon_runs_and_no_more() {
    let house = House::new();
    let asked = ["/livez", "/readyz"].map(|path| house.ask("", "GET", path, &json!({})).0);
    assert_eq!(asked, [200, 200]);
    let open: Vec<&str> = ROUTES.iter().filter(|route| route.may.is_none()).map(|route| route.path).collect();
    assert_eq!(open, ["/livez", "/readyz"]);
}

#[test]
fn the_table_of_routes_says_the_same() {
    let letters = |route: &Route| -> String {
        let may = |role: &Role| route.may.is_some_and(|may| may(*role));
        Role::ALL.iter().zip("sapuo".chars()).map(|(role, letter)| if may(role) { letter } else { '-' }).collect()
    };
    let theirs: BTreeSet<(&str, &str, String)> = ROUTES
        .iter()
        .filter(|route| route.may.is_some())
        .map(|route| (route.method.name(), route.path, letters(route)))
        .collect();
    let ours: BTreeSet<_> = MAY.iter().map(|(method, path, may, _)| (*method, *path, (*may).to_owned())).collect();
    assert_eq!(theirs, ours);
}

#[test]
fn requests_answer_by_whose_and_how_far_they_are() {
    let house = House::new();
    let (analyst, approver) = (house.token(Role::Analyst), house.token(Role::Approver));
    let expired = house.file(analyst, "subpoena");
    house.by_hand.clock.advance(4 * HOUR);
    let (own, others, closed) =
        (house.file(approver, "subpoena"), house.file(analyst, "subpoena"), house.file(analyst, "subpoena"));
    assert_eq!(house.post(Role::Analyst, &format!("/v1/requests/{closed}/close"), &json!({})).0, 200);
    house.by_hand.clock.advance(3 * HOUR);
    let items = json!({ "item": [{ "address": "192.0.2.8", "at": "2027-01-15T14:00:00Z" }] });
    // What the approver is answered about their own, another's, a closed, an expired and an unknown one.
    let ids = [&own, &others, &closed, &expired, UNKNOWN];
    for (method, what, body, expected) in [
        ("GET", "", json!({}), [200, 200, 200, 404, 404]),
        ("POST", "/items", items, [200, 200, 409, 404, 404]),
        ("POST", "/answers", json!({}), [200, 200, 409, 404, 404]),
        ("POST", "/approve", json!({}), [403, 200, 409, 404, 404]),
        ("POST", "/close", json!({}), [200, 200, 409, 404, 404]),
    ] {
        let asked = ids.map(|id| house.ask(approver, method, &format!("/v1/requests/{id}{what}"), &body));
        assert_eq!(asked.clone().map(|(status, _)| status), expected, "{method} {what}: {asked:?}");
    }
    let (status, _) = house.post(Role::Approver, "/v1/requests/not-an-id/close", &json!({}));
    assert_eq!(status, 400);
}

#[test]
fn holds_answer_by_whose_and_how_far_they_are() {
    let house = House::new();
    let (analyst, approver) = (house.token(Role::Analyst), house.token(Role::Approver));
    let place = |token: &str, request: &str| {
        let (status, sheet) = house.ask(token, "POST", "/v1/holds", &json!({ "request": request }));
        assert_eq!(status, 200, "{sheet}");
        sheet["id"].as_str().unwrap().to_owned()
    };
    let [of_approver, of_analyst] = [approver, analyst].map(|token| house.file(token, "preservation"));
    let (own, others, released) =
        (place(approver, &of_approver), place(analyst, &of_analyst), place(analyst, &of_analyst));
    assert_eq!(house.post(Role::Approver, &format!("/v1/holds/{released}/release"), &json!({})).0, 200);
    let ids = [&own, &others, &released, UNKNOWN];
    let attach = json!({ "request": of_analyst });
    for (method, what, body, expected) in [
        ("GET", "", json!({}), [200, 200, 404, 404]),
        ("POST", "/attach", attach.clone(), [409, 409, 404, 404]),
        ("POST", "/renew", json!({}), [409, 409, 404, 404]),
        ("POST", "/approve", json!({}), [403, 200, 404, 404]),
        ("POST", "/attach", attach, [409, 200, 404, 404]),
        ("POST", "/attach", json!({ "request": of_approver }), [409, 403, 404, 404]),
        ("POST", "/renew", json!({}), [409, 200, 404, 404]),
        ("POST", "/release", json!({}), [200, 200, 404, 404]),
    ] {
        let asked = ids.map(|id| house.ask(approver, method, &format!("/v1/holds/{id}{what}"), &body));
        assert_eq!(asked.clone().map(|(status, _)| status), expected, "{method} {what}: {asked:?}");
    }
    // A hold for a request that is closed is not placed.
    let closed = house.file(analyst, "preservation");
    assert_eq!(house.post(Role::Analyst, &format!("/v1/requests/{closed}/close"), &json!({})).0, 200);
    assert_eq!(house.post(Role::Analyst, "/v1/holds", &json!({ "request": closed })).0, 409);
}

#[test]
fn two_tokens_of_one_name_are_one_pair_of_eyes() {
    let house = House::new();
    let request = house.file(house.token(Role::Approver), "preservation");
    let again = house.by_hand.site.token("approver-1", "approver");
    let approve = |token: &str| house.ask(token, "POST", &format!("/v1/requests/{request}/approve"), &json!({}));
    for token in [house.token(Role::Approver), &again] {
        let (status, problem) = approve(token);
        assert_eq!(status, 403, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("nobody approves what they opened"), "{problem}");
    }
    assert_eq!(approve(&house.second).0, 200);
}

#[test]
fn a_user_with_the_token_of_another_name_is_one_pair_of_eyes() {
    let uid = nix::unistd::getuid();
    let site = Site::new(&format!("{TWO_NAS}[[principal]]\nname = \"amy\"\nuid = {uid}\nrole = \"approver\"\n"));
    let token = site.token("desk-1", "approver");
    let house = House {
        tokens: Role::ALL.map(|role| (role, token.clone())),
        second: site.token("desk-2", "approver"),
        by_hand: ByHand::start_on(site, NOW),
    };
    // Filed as amy, by who owns the process; approved with a token of another name over amy's own socket.
    let request = house.file("", "preservation");
    for token in [&token, &house.second, ""] {
        let (status, problem) = house.ask(token, "POST", &format!("/v1/requests/{request}/approve"), &json!({}));
        assert_eq!(status, 403, "{problem}");
    }
}
