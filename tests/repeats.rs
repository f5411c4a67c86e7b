//! A request that comes twice under one key counts once; and `lapse` sends it twice only if the connection broke.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use support::api::Api;
use support::{Daemon, Site, TWO_NAS, ago, code, files_below, talk_of, text};

const KEY: &str = "idempotency-key";

struct Desk {
    site: Site,
    daemon: Daemon,
    tokens: [String; 2],
}

impl Desk {
    fn new() -> Self {
        let site = Site::new(TWO_NAS);
        let tokens = ["lead-1", "lead-2"].map(|name| site.token(name, "approver"));
        let daemon = site.start();
        Self { site, daemon, tokens }
    }

    fn post(&self, who: usize, path: &str, key: &str, body: &Value) -> (u16, Value) {
        post(&self.site.path("api.sock"), self.tokens.get(who).unwrap(), path, key, body)
    }

    fn requests(&self) -> usize {
        let mut api = Api::connect(&self.site.path("api.sock"), self.tokens.first().unwrap());
        let (_, body) = api.ask("GET", "/v1/requests", &[], b"");
        let list: Value = serde_json::from_slice(&body).unwrap();
        list.get("requests").unwrap().as_array().unwrap().len()
    }
}

/// The status and the body of an answer.
fn post(socket: &Path, token: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let (head, body) = Api::connect(socket, token).ask("POST", path, &[(KEY, key)], body.to_string().as_bytes());
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_slice(&body).unwrap())
}

fn papers(case: &str) -> Value {
    json!({
        "type": "preservation", "scope": "all", "authority": "Example District Court", "case": case,
        "agency": "Example Police Department", "officer": "Det. R. Example", "officer-contact": "+1 303 555 0100",
        "received": ago(60).to_string(), "item": [{ "address": "192.0.2.7", "at": ago(300).to_string() }],
    })
}

fn lookup() -> Value {
    json!({
        "address": "192.0.2.7", "at": ago(300).to_string(), "process": "subpoena", "case": "24-CR-1022",
        "authority": "Example District Court",
    })
}

#[test]
fn what_is_made_is_made_once_and_answered_alike() {
    let desk = Desk::new();
    let paper = papers("24-CR-1022");
    let first = desk.post(0, "/v1/requests", "k-1", &paper);
    assert_eq!(first.0, 200, "{first:?}");
    assert_eq!(desk.post(0, "/v1/requests", "k-1", &paper), first);
    assert_eq!(desk.requests(), 1);
    // The same key with another body, and at another path, is a mistake. Another's key is another.
    assert_eq!(desk.post(0, "/v1/requests", "k-1", &papers("24-CR-1023")).0, 422);
    let id = first.1.get("id").unwrap().as_str().unwrap();
    let (items, held) = (json!({ "item": paper.get("item").unwrap() }), json!({ "request": id }));
    let path = format!("/v1/requests/{id}/items");
    assert_eq!(desk.post(0, &path, "k-1", &items).0, 422);
    assert_ne!(desk.post(1, "/v1/requests", "k-1", &paper), first);
    let added = desk.post(0, &path, "k-2", &items);
    assert_eq!((added.0, added.1.get("items")), (200, Some(&Value::from(2))));
    assert_eq!(desk.post(0, &path, "k-2", &items), added);
    let placed = desk.post(0, "/v1/holds", "k-3", &held);
    assert_eq!((placed.0, desk.post(0, "/v1/holds", "k-3", &held)), (200, placed.clone()));
    assert_eq!(desk.post(0, "/v1/holds", "k 3", &held).0, 400);
    // What was refused can be tried again under its key.
    for _ in 0..2 {
        assert_eq!(desk.post(0, "/v1/requests", "k-4", &json!({ "type": "marketing" })).0, 400);
    }
    assert_eq!(desk.requests(), 2);
}

#[test]
fn two_at_once_count_once() {
    let desk = Desk::new();
    let paper = papers("24-CR-1022");
    let (socket, token) = (desk.site.path("api.sock"), desk.tokens.first().unwrap());
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        let one = || post(&socket, token, "/v1/requests", "k-1", &paper);
        let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| Some(answer) == answers.first()), "{answers:?}");
    assert_eq!((answers.first().unwrap().0, desk.requests()), (200, 1));
}

#[test]
fn an_answer_about_people_is_given_once_and_kept_nowhere() {
    let desk = Desk::new();
    let question = lookup();
    let (status, answer) = desk.post(0, "/v1/lookups", "key-of-a-lookup", &question);
    assert_eq!(status, 200, "{answer}");
    let index = answer.pointer("/ledger/index").unwrap();
    let (status, problem) = desk.post(0, "/v1/lookups", "key-of-a-lookup", &question);
    assert_eq!(status, 409, "{problem}");
    let said = problem.get("detail").unwrap().as_str().unwrap();
    assert!(said.contains(&format!("entry {index} of the access ledger")), "{said}");
    assert_eq!(desk.post(0, "/v1/lookups", "another", &question).0, 200);
    let Desk { site, daemon, tokens: _ } = desk;
    assert!(daemon.stop().0.success());
    for file in files_below(&site.path("state")) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(15).any(|window| window == b"key-of-a-lookup"), "{}", file.display());
    }
    assert_eq!(site.access_entries().iter().filter(|entry| entry.contains("\nverdict ")).count(), 2);
}

/// Stands between `lapse` and the daemon: passes the first request on and cuts its answer off, and is honest afterwards.
fn broken_line(site: &Site, cuts: usize) -> thread::JoinHandle<Vec<String>> {
    let (listener, daemon) = (UnixListener::bind(site.path("line.sock")).unwrap(), site.path("api.sock"));
    thread::spawn(move || {
        let mut keys = Vec::new();
        for turn in 0..2 {
            let (mut client, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                reader.read_line(&mut head).unwrap();
            }
            let header =
                |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
            keys.push(header("idempotency-key: "));
            let mut body = vec![0; header("content-length: ").parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let mut stream = UnixStream::connect(&daemon).unwrap();
            let head = head.replace("host: lapsed\r\n", "host: lapsed\r\nconnection: close\r\n");
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            if turn < cuts {
                continue;
            }
            client.write_all(&answer).unwrap();
            break;
        }
        keys
    })
}

#[test]
fn a_connection_that_breaks_files_nothing_twice() {
    let desk = Desk::new();
    desk.site.write("request.json", &papers("24-CR-1022").to_string());
    let line = broken_line(&desk.site, 1);
    let (socket, paper) = (desk.site.path("line.sock"), desk.site.path("request.json"));
    let arguments = ["--socket", socket.to_str().unwrap(), "request", "open", "--file", paper.to_str().unwrap()];
    let output = desk.site.lapse(desk.tokens.first().map(String::as_str), &arguments);
    assert_eq!(code(&output), 0, "{}", talk_of(&output));
    assert_eq!((text(&output.stdout).trim().len(), desk.requests()), (32, 1));
    let keys = line.join().unwrap();
    assert!(keys.len() == 2 && keys.first() == keys.get(1) && keys.first().unwrap().len() == 32, "{keys:?}");
}

#[test]
fn a_lookup_whose_answer_was_lost_says_so() {
    let desk = Desk::new();
    let line = broken_line(&desk.site, 1);
    let (socket, at) = (desk.site.path("line.sock"), ago(300).to_string());
    let arguments = [&["--socket", socket.to_str().unwrap()], support::subpoena("192.0.2.7", &at).as_slice()].concat();
    let output = desk.site.lapse(desk.tokens.first().map(String::as_str), &arguments);
    assert!(code(&output) == 2 && talk_of(&output).contains("this was answered already"), "{}", talk_of(&output));
    assert_eq!(line.join().unwrap().len(), 2);
}
