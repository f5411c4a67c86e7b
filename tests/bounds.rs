//! What one client can cost the daemon is bounded, and others notice nothing: long bodies, slow senders, idle connections, and
//! tokens that are tried.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use support::{PATIENCE, Site, TWO_NAS, code, talk_of};

/// A connection to the socket with this much said on it.
fn connect(site: &Site, said: &str) -> UnixStream {
    let mut stream = UnixStream::connect(site.path("api.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(said.as_bytes()).unwrap();
    stream
}

/// The head of a lookup, with this last line.
fn head(token: &str, last: &str) -> String {
    format!("POST /v1/lookups HTTP/1.1\r\nhost: lapsed\r\nauthorization: Bearer {token}\r\n{last}\r\n\r\n")
}

/// What comes back until the daemon ends the connection.
fn answer(mut stream: UnixStream) -> String {
    let mut bytes = Vec::new();
    // What was sent and not read makes the end a reset.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn a_body_of_100_mb_is_refused_before_it_is_read() {
    let site = Site::new(TWO_NAS);
    let analyst = site.token("desk-1", "analyst");
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    let before = daemon.most_memory();
    let announced = connect(&site, &head(&analyst, "content-length: 104857600"));
    assert!(answer(announced).starts_with("HTTP/1.1 413 "));
    let mut chunked = connect(&site, &head(&analyst, "transfer-encoding: chunked"));
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // The daemon stops reading at 1 MiB; what follows cannot be sent.
    let sent = (0..1600).take_while(|_| chunked.write_all(chunk.as_bytes()).is_ok()).count();
    let answered = answer(chunked);
    assert!(answered.starts_with("HTTP/1.1 413 ") && answered.contains("/problems/too-large"), "{answered}");
    assert!(sent < 100, "{sent} chunks of 64 KiB were taken");
    assert!(daemon.most_memory() < before + 16 * 1024);
    // Nobody's body is read at all.
    let nobody = connect(&site, &head("lapsed_made-up", "content-length: 1048576"));
    assert!(answer(nobody).starts_with("HTTP/1.1 401 "));
    assert_eq!(code(&site.lapse(Some(&operator), &["status"])), 0);
}

#[test]
fn slow_senders_and_a_thousand_idle_connections_keep_nobody_from_asking() {
    let site = Site::new(TWO_NAS);
    let analyst = site.token("desk-1", "analyst");
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    let before = daemon.most_memory();
    let slow: Vec<UnixStream> =
        (0..20).map(|_| connect(&site, &format!("{}{{", head(&analyst, "content-length: 1000")))).collect();
    let idle: Vec<UnixStream> = (0..970).map(|_| connect(&site, "")).collect();
    assert_eq!(code(&site.lapse(Some(&operator), &["status"])), 0);
    assert!(daemon.most_memory() < before + 64 * 1024);
    // Beyond the limit a connection is closed at once.
    let more: Vec<UnixStream> = (0..60).map(|_| connect(&site, "")).collect();
    assert_eq!(answer(more.into_iter().last().unwrap()), "");
    drop(idle);
    let status = || code(&site.lapse(Some(&operator), &["status"]));
    while status() != 0 {}
    // The slow ones are told so.
    let told: Vec<String> = slow.into_iter().map(answer).collect();
    assert!(told.iter().all(|answer| answer.starts_with("HTTP/1.1 408 ")), "{told:?}");
    assert!(daemon.stop().0.success());
}

#[test]
fn whoever_tries_tokens_is_locked_out_for_a_while_and_it_is_on_record_once() {
    let site = Site::new(TWO_NAS);
    let operator = site.token("ops", "operator");
    let daemon = site.start();
    for number in 0..10 {
        assert_eq!(code(&site.lapse(Some(&format!("lapsed_{number}")), &["status"])), 4);
    }
    let locked = site.lapse(Some(&operator), &["status"]);
    assert!(code(&locked) == 69 && talk_of(&locked).contains("try again in"), "{locked:?}");
    let answered = answer(connect(&site, "GET /v1/status HTTP/1.1\r\nhost: lapsed\r\nconnection: close\r\n\r\n"));
    assert!(answered.starts_with("HTTP/1.1 429 ") && answered.contains("retry-after: "), "{answered}");
    assert!(daemon.stop().0.success());
    let entries = site.access_entries();
    let locks: Vec<_> = entries.iter().filter(|entry| entry.starts_with("lapsed-access-v1 locked-out\n")).collect();
    assert!(locks.len() == 1 && locks.iter().all(|lock| lock.ends_with("failures 10\nlasts 60\n")), "{entries:?}");
}

#[test]
fn one_principal_cannot_ask_more_than_its_rate_and_others_can() {
    let site = Site::new(&format!("{TWO_NAS}[api]\nrequests-per-second = 1\n"));
    let [one, other] = ["ops", "ops-2"].map(|name| site.token(name, "operator"));
    let _daemon = site.start();
    let request = format!("GET /v1/status HTTP/1.1\r\nhost: lapsed\r\nauthorization: Bearer {one}\r\n");
    let both = format!("{request}\r\n{request}\r\n{request}connection: close\r\n\r\n");
    let answered = answer(connect(&site, &both));
    assert!(answered.contains("HTTP/1.1 200 ") && answered.contains("HTTP/1.1 429 "), "{answered}");
    assert_eq!(code(&site.lapse(Some(&other), &["status"])), 0);
}
