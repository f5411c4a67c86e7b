//! The API against its own document: schemathesis, which is not ours, makes requests from it, right and wrong ones, and
//! compares what comes back with what the document says. Over TLS, with real tokens, against the real daemon.
//!
//! For a few seconds; for as long as `LAPSED_FUZZ_SECS` says, if it is set. Where the fuzzer is not installed, the test says so and
//! ends, unless a time was asked for.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at what it did not expect, and says what it could not do"
)]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use lapsed::api::openapi;
use serde_json::{Value, json};

use support::api::Api;
use support::{Site, TWO_NAS, ago, talk_of, text};

const TLS: &str = "[api]\nrequests-per-second = 1000000\ntls-listen = \"127.0.0.1:0\"\ntls-certificate = \"daemon.crt\"\n\
    tls-key = \"daemon.key\"\n";
/// Who asks, for how much of the time, and which paths they leave to the others.
const ASKERS: [(&str, u32, &str); 4] = [
    ("approver", 5, "^/v1/purge"),
    ("analyst", 3, "^/v1/purge"),
    ("operator", 1, "^/v1/(requests|holds|lookups|subscribers|triage)"),
    ("auditor", 1, "^/v1/(requests|holds|lookups|subscribers|triage)"),
];

/// How long the fuzz takes in the gate, in seconds.
const SHORT: u32 = 6;

/// A number from the environment: how long the fuzz takes, in seconds. Without it, the gate's short one is the same each time.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
fn asked_for() -> Option<u32> {
    std::env::var("LAPSED_FUZZ_SECS").ok().map(|text| text.parse().unwrap())
}

/// The fuzzer, where it is installed to the end. Who asked for a time insists on it.
#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
fn fuzzer() -> Option<PathBuf> {
    let home = || PathBuf::from(std::env::var("HOME").unwrap()).join(".cache/lapsed/fuzzer");
    let dir = std::env::var("LAPSED_FUZZER").map_or_else(|_| home(), PathBuf::from);
    if dir.join("installed.txt").exists() {
        return Some(dir.join("bin/schemathesis"));
    }
    let reason = format!("there is no fuzzer in {}: `make proof-api` installs it", dir.display());
    assert!(asked_for().is_none(), "{reason}");
    eprintln!("NOT TESTED: {reason}");
    None
}

/// A certificate for loopback that is its own authority.
fn certificate(site: &Site) {
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
        -addext subjectAltName=IP:127.0.0.1 -keyout daemon.key -out daemon.crt";
    let made = Command::new("openssl").args(arguments.split_whitespace()).current_dir(site.path(".")).output().unwrap();
    assert!(made.status.success(), "{}", talk_of(&made));
}

fn post(site: &Site, token: &str, path: &str, body: &Value) -> String {
    let (head, answer) =
        Api::connect(&site.path("api.sock"), token).ask("POST", path, &[], body.to_string().as_bytes());
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}{}", text(&answer));
    serde_json::from_slice::<Value>(&answer).unwrap()["id"].as_str().unwrap().to_owned()
}

fn papers(kind: &str) -> Value {
    json!({
        "type": kind, "statute": "18 USC 2703", "scope": "all", "authority": "Example District Court",
        "agency": "Example Police Department", "officer": "Det. R. Example", "officer-contact": "+1 303 555 0100",
        "case": "24-CR-1022", "received": ago(60).to_string(),
        "item": [{ "address": "192.0.2.7", "at": ago(300).to_string() }],
    })
}

/// The document, where ids are those of things that are there and words are such as have a meaning, beside any others: else
/// hardly a request would get past the reading of it.
fn steered(requests: &[String], holds: &[String]) -> Value {
    let mut document = openapi::document();
    for (path, operations) in document["paths"].as_object_mut().unwrap() {
        let ids = if path.starts_with("/v1/holds") { holds } else { requests };
        for operation in operations.as_object_mut().unwrap().values_mut() {
            // A fault may be described, but none is expected.
            operation["responses"].as_object_mut().unwrap().remove("500");
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            let Some(parameters) = parameters else { continue };
            // Repetitions have tests of their own, and would keep most requests from their handlers here.
            parameters.retain(|parameter| parameter["name"] != openapi::IDEMPOTENCY_KEY);
            for parameter in parameters.iter_mut().filter(|parameter| parameter["name"] == "id") {
                parameter["schema"] = json!({ "type": "string", "enum": ids });
            }
        }
    }
    let meaning = [
        ("address", json!(["192.0.2.7", "2001:db8::7", "192[.]0[.]2[.]7:443", "10.0.0.1"])),
        ("at", json!([ago(300).to_string(), ago(90_000).to_string(), "2099-01-01T00:00:00Z", "2026-11-21 14:03 MST"])),
        ("from", json!([ago(600).to_string()])),
        ("to", json!([ago(1).to_string()])),
        ("process", json!(["subpoena", "warrant", "pen-register", "preservation"])),
        ("type", json!(["subpoena", "preservation", "provider-protection"])),
        ("case", json!(["24-CR-1022"])),
        ("authority", json!(["Example District Court"])),
        ("subscriber", json!(["alice@isp.example"])),
        ("request", json!(requests)),
        ("window", json!(["1h", "2h", "nonsense"])),
        ("confirm", json!(["1h", "2h"])),
    ];
    for (name, schema) in document["components"]["schemas"].as_object_mut().unwrap() {
        let taken = ["Request", "Paper"].iter().any(|end| name.ends_with(end)) || name == "ItemText";
        for (field, words) in meaning.iter().filter(|_| taken) {
            if let Some(property) = schema.pointer_mut(&format!("/properties/{field}")) {
                *property = json!({ "anyOf": [{ "type": "string", "enum": words }, property.clone()] });
            }
        }
        if name == "RequestPaper" {
            for (field, value) in papers("subpoena").as_object().unwrap().iter().filter(|(_, value)| value.is_string())
            {
                if schema["properties"].get(field).is_none() {
                    schema["properties"][field] = json!({ "type": "string", "enum": [value] });
                }
            }
        }
    }
    document
}

#[test]
fn whatever_is_asked_is_answered_as_the_document_says() {
    let Some(fuzzer) = fuzzer() else { return };
    let site = Site::new(&format!("{TWO_NAS}{TLS}"));
    certificate(&site);
    let tokens = ASKERS.map(|(role, share, not)| (role, share, not, site.token(&format!("{role}-1"), role)));
    let clerk = site.token("clerk", "analyst");
    let mut daemon = site.start();
    let address = daemon.talk.split("listening for TLS address=").nth(1).unwrap().split_whitespace().next().unwrap();
    let url = format!("https://{address}");
    let requests =
        ["subpoena", "preservation", "preservation"].map(|kind| post(&site, &clerk, "/v1/requests", &papers(kind)));
    let holds = [0, 1].map(|_| post(&site, &clerk, "/v1/holds", &json!({ "request": requests[1] })));
    let with_unknown = |ids: &[String]| [ids, &["0".repeat(32)]].concat();
    site.write("openapi.json", &steered(&with_unknown(&requests), &with_unknown(&holds)).to_string());
    site.write("schemathesis.toml", "[checks.not_a_server_error]\nexpected-statuses = [\"2xx\", \"4xx\", 503]\n");
    let all: u32 = ASKERS.iter().map(|(_, share, _)| share).sum();
    for (role, share, not, token) in &tokens {
        let time = (asked_for().unwrap_or(SHORT) * share / all).max(1).to_string();
        let mut command = Command::new(&fuzzer);
        command.arg("run").arg(site.path("openapi.json")).args(["--url", &url, "--no-color", "--warnings", "off"]);
        command
            .arg("--tls-verify")
            .arg(site.path("daemon.crt"))
            .args(["--header", &format!("Authorization: Bearer {token}")]);
        // Lines of events have a fuzz of their own; what ends for good is asked for once, after all else.
        command.args(["--exclude-path", "/v1/events", "--exclude-path", "/v1/requests/{id}/close"]);
        command.args([
            "--exclude-path",
            "/v1/holds/{id}/release",
            "--exclude-path-regex",
            not,
            "--phases",
            "coverage,fuzzing",
            "--max-time",
            &time,
        ]);
        command.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]);
        command.args([
            "--checks",
            "response_schema_conformance,unsupported_method,allow_header_conformance",
            "--generation-database",
            "none",
        ]);
        if asked_for().is_none() {
            command.args(["--seed", "1"]);
        }
        command.current_dir(site.path(".")).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{role}:\n{}\n{}", text(&output.stdout), talk_of(&output));
        assert!(daemon.is_running(), "after {role}");
    }
    for (path, ids) in [("/v1/holds/{id}/release", &holds[..]), ("/v1/requests/{id}/close", &requests[..])] {
        for id in ids {
            post(&site, &tokens[0].3, &path.replace("{id}", id), &json!({}));
        }
    }
    let (ended, talk) = daemon.stop();
    assert!(ended.success(), "{talk}");
    let entries = site.access_entries().len();
    assert!(entries > 20, "hardly anything got past the reading of it: {entries} entries of the ledger");
    assert!(!talk.contains("panicked") && !talk.contains("ERROR"), "{talk}");
}
