//! An answer as a row of a table. docs/answers.md says what is in each column.

use crate::api::{BoundaryText, LookupAnswer};

use super::words::NO_PERSON;

/// The columns of the table, in their order. New ones are added at the end.
pub const COLUMNS: [&str; 38] = [
    "item",
    "verdict",
    "address",
    "port",
    "realm",
    "entity",
    "at-written",
    "at-utc",
    "subscriber",
    "assigned",
    "inside",
    "inside-realm",
    "session",
    "nas",
    "mac",
    "circuit-id",
    "remote-id",
    "nas-port",
    "since",
    "since-evidence",
    "since-distance",
    "until",
    "until-evidence",
    "until-distance",
    "heard-before",
    "heard-after",
    "sharing",
    "from",
    "cautions",
    "sources",
    "horizon",
    "releases",
    "ledger-index",
    "ledger-request",
    "ledger-salt",
    "version",
    "note",
    "person",
];

/// The cells of an answer, in the order of [`COLUMNS`]; what is withheld or not known is empty.
pub fn row(answer: &LookupAnswer) -> [String; 38] {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let line = answer.line.as_ref();
    let inside = answer.inside.as_ref();
    let [since, since_evidence, since_distance] = boundary(answer.since.as_ref());
    let [until, until_evidence, until_distance] = boundary(answer.until.as_ref());
    let cautions: Vec<&str> = answer.cautions.iter().map(|caution| caution.name()).collect();
    let releases: Vec<&str> = answer.releases.iter().map(|group| group.name()).collect();
    let person = if answer.subscriber.is_some() { NO_PERSON } else { "" };
    [
        number(answer.item.map(u64::from)),
        answer.verdict.name().to_owned(),
        answer.address.clone(),
        number(answer.port.map(u64::from)),
        answer.realm.clone(),
        text(answer.entity.as_ref()),
        answer.at.written.clone(),
        answer.at.utc.clone(),
        text(answer.subscriber.as_ref()),
        text(answer.assigned.as_ref()),
        text(inside.map(|inside| &inside.address)),
        text(inside.map(|inside| &inside.realm)),
        text(answer.session.as_ref()),
        text(answer.nas.as_ref()),
        text(line.and_then(|line| line.mac.as_ref())),
        text(line.and_then(|line| line.circuit_id.as_ref())),
        text(line.and_then(|line| line.remote_id.as_ref())),
        text(line.and_then(|line| line.nas_port.as_ref())),
        since,
        since_evidence,
        since_distance,
        until,
        until_evidence,
        until_distance,
        number(answer.heard.before),
        number(answer.heard.after),
        answer.sharing.to_string(),
        answer.from.clone(),
        cautions.join(" "),
        answer.sources.join(" "),
        answer.horizon.clone(),
        releases.join(" "),
        answer.ledger.index.to_string(),
        answer.ledger.request.clone(),
        answer.ledger.salt.clone(),
        answer.version.to_string(),
        text(answer.note.as_ref()),
        person.to_owned(),
    ]
}

/// Time, evidence and distance of an end, empty where there is none.
fn boundary(boundary: Option<&BoundaryText>) -> [String; 3] {
    let of = |end: &BoundaryText| [end.time.clone(), end.evidence.name().to_owned(), end.distance.to_string()];
    boundary.map(of).unwrap_or_default()
}
