//! The API as an OpenAPI 3.1 document, from the table of routes and the types themselves.

use std::collections::{BTreeMap, BTreeSet};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema as _, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::routes::{Content, EVERYWHERE, Method, ROUTES, Repetition, Route};
use super::{NDJSON, PROBLEM_JSON, Problem};

/// The header that makes a repetition known.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

const DESCRIPTION: &str = "Who held an IP address, asked under a legal process. Served on a Unix socket and, if configured, over TLS. \
    Who asks is said by a bearer token, else by the user of the process on the socket, else by the certificate that was shown. \
    `x-roles` lists the roles that may; every other is answered 403. A problem is an RFC 9457 document.";

/// What stands behind `tile/`; its slashes are no ends of a parameter (C2SP tlog-tiles).
const TILE: &str = "^([0-9]|[1-5][0-9]|6[0-3]|entries)(/x[0-9]{3})*/[0-9]{3}([.]p/[1-9][0-9]{0,2})?$";

/// The document as text, with a line feed at its end; the same bytes each time.
///
/// # Errors
///
/// None that is known: it is made of constants.
pub fn text() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&document()).map(|text| text + "\n")
}

/// The document.
pub fn document() -> Value {
    let (mut taken, mut given) = (generator(false), generator(true));
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        let operation = operation(route, &mut taken, &mut given);
        paths.entry(route.path.replace("{*", "{")).or_default().insert(route.method.name().to_lowercase(), operation);
    }
    // What is only given has the fields that are always there as required; what is taken too has not.
    let mut schemas = given.take_definitions(true);
    schemas.extend(taken.take_definitions(true));
    schemas.insert("Problem".to_owned(), Problem::json_schema(&mut generator(true)).into());
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lapsed",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": DESCRIPTION,
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "certificate": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": problems(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "As `lapsed token mint` makes them." },
                "certificate": { "type": "mutualTLS", "description": "One that a `[[principal]]` names." },
            },
        },
    });
    in_words(&mut document);
    document
}

/// The generator of what is given, or of what is taken.
fn generator(gives: bool) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    if gives { settings.for_serialize() } else { settings }.into_generator()
}

fn operation(route: &Route, taken: &mut SchemaGenerator, given: &mut SchemaGenerator) -> Value {
    let mut operation = Map::new();
    operation.insert("summary".to_owned(), sentence(route.deed).into());
    operation.insert("operationId".to_owned(), name(route).into());
    operation.insert("x-roles".to_owned(), json!(route.roles()));
    if route.may.is_none() {
        operation.insert("security".to_owned(), json!([]));
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(content) = content(route.body, taken) {
        operation.insert("requestBody".to_owned(), json!({ "required": true, "content": content }));
    }
    let mut responses = Map::new();
    let content = content(route.answer, given).unwrap_or_default();
    responses.insert("200".to_owned(), json!({ "description": "Done.", "content": content }));
    let everywhere: &[u16] = if route.may.is_some() { &EVERYWHERE } else { &[] };
    let statuses: BTreeSet<u16> = route.problems.iter().chain(everywhere).copied().collect();
    for status in statuses {
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") }));
    }
    operation.insert("responses".to_owned(), responses.into());
    operation.into()
}

fn content(content: Content, schemas: &mut SchemaGenerator) -> Option<Value> {
    match content {
        Content::None => None,
        Content::Json(schema) => Some(json!({ "application/json": { "schema": schema(schemas) } })),
        Content::Lines => Some(json!({ NDJSON: { "schema": { "type": "string" } } })),
        Content::Bytes => Some(json!({ "application/octet-stream": {} })),
        Content::Text => Some(json!({ "text/plain; charset=utf-8": { "schema": { "type": "string" } } })),
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let named = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'));
    let in_path = named.map(|name| {
        let schema = match name {
            "id" => json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }),
            "log" => json!({ "type": "string", "enum": ["access", "purge"] }),
            "tile" => json!({ "type": "string", "pattern": TILE }),
            _ => json!({ "type": "integer", "minimum": 0 }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    });
    let queried = route.query.iter().map(|query| {
        let schema = if query.is_number {
            json!({ "type": "integer", "format": "uint64", "minimum": 0 })
        } else {
            json!({ "type": "string" })
        };
        json!({ "name": query.name, "in": "query", "description": query.says, "schema": schema })
    });
    let says = match route.repetition {
        Repetition::Another => None,
        Repetition::Answered => Some("The same key with the same body within 24 h gets the same answer again."),
        Repetition::Refused => Some("The same key within 24 h is refused: an answer about people is kept nowhere."),
    };
    let key = says.map(|says| {
        let schema = json!({ "type": "string", "pattern": "^[!-~]{1,128}$" });
        json!({ "name": IDEMPOTENCY_KEY, "in": "header", "description": says, "schema": schema })
    });
    in_path.chain(queried).chain(key).collect()
}

/// The problems by their status.
fn problems() -> Value {
    let all = ROUTES.iter().flat_map(|route| route.problems).chain(&EVERYWHERE).collect::<BTreeSet<_>>();
    let one = |status: u16| {
        let description = match status {
            400 => "Something of the request cannot be understood; `detail` names the field.",
            401 => "Who asks is not known.",
            403 => "The role may not do this, or this kind of process is refused.",
            404 => "There is no such thing.",
            408 => "The body took too long to arrive.",
            409 => "This does not fit what is: it was closed, approved or done before, or must be done otherwise.",
            413 => "The body is too long.",
            422 => "The Idempotency-Key was used for another request.",
            429 => "Too much was asked, or too many wrong tokens came; `Retry-After` says when to come again.",
            503 => "It cannot be answered now: the clock is in doubt, the disk is full, or the daemon stops.",
            _ => "A fault of the daemon, or damage.",
        };
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        json!({ "description": description, "content": { PROBLEM_JSON: { "schema": schema } } })
    };
    all.into_iter().map(|status| (status.to_string(), one(*status))).collect::<Map<_, _>>().into()
}

/// `post-requests-items`, from `POST /v1/requests/{id}/items`; what is done to one is told from what is done to all.
fn name(route: &Route) -> String {
    let parts = route.path.trim_start_matches("/v1").split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| part.trim_matches(['{', '*', '}']));
    let method = match route.method {
        Method::Get => "get",
        Method::Post => "post",
    };
    std::iter::once(method).chain(parts).collect::<Vec<_>>().join("-")
}

/// A deed as a sentence.
fn sentence(deed: &str) -> String {
    let mut letters = deed.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// Descriptions come from the comments of the source; what is a link there is a word here.
fn in_words(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace("[`super::", "`").replace("[`", "`").replace("`]", "`").replace('\n', " ");
            }
            fields.values_mut().for_each(in_words);
        }
        Value::Array(values) => values.iter_mut().for_each(in_words),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_names_are_told_apart() {
        let document = document();
        let mut left = vec![&document];
        let mut names = BTreeSet::new();
        while let Some(value) = left.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(target)) = fields.get("$ref") {
                        assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
                    }
                    if let Some(Value::String(name)) = fields.get("operationId") {
                        assert!(names.insert(name.clone()), "{name}");
                    }
                    left.extend(fields.values());
                }
                Value::Array(values) => left.extend(values),
                _ => {}
            }
        }
        assert_eq!(names.len(), ROUTES.len());
    }

    #[test]
    fn what_is_taken_and_given_is_described_alike() {
        let (mut taken, mut given) = (generator(false), generator(true));
        for route in ROUTES {
            content(route.body, &mut taken);
            content(route.answer, &mut given);
        }
        for (name, schema) in taken.definitions() {
            let other = given.definitions().get(name);
            assert!(other.is_none_or(|other| other == schema), "{name}: {schema} and {other:?}");
        }
    }
}
