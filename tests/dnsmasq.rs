//! Debian's dnsmasq with the hook and the configuration that we ship, and a real client: the daemon answers who had the address.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dhcp_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use dhcp_rig::{MAC, Rig};
use lapsed::api::LookupAnswer;
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::event::{Event, EventKind};
use lapsed::domain::identity::NasId;
use lapsed::domain::verdict::Verdict;
use lapsed::wire::events;
use support::{Daemon, Site, talk_of};

const TABLES: &str = "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n[lookup]\nmargin = \"0s\"\n\
    [[spool]]\npath = \"spool\"\nname = \"dnsmasq-1\"\n";
const HOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/dnsmasq/lapsed-hook");
const SHIPPED: &str = include_str!("../config/dnsmasq/lapsed.conf");

/// What the client calls itself: with dnsmasq's own rules, nothing of it comes through; with the hook's, neither.
const HOST: &str = r#"-x 'hostname:$(id)";}evil'"#;

/// The client identifier that udhcpc sends.
fn subscriber() -> Option<String> {
    Some(format!("0x01{}", MAC.replace(':', "")))
}

fn took(daemon: &mut Daemon) {
    assert!(daemon.until("a file was taken from the spool").is_some(), "{}", daemon.talk);
}

/// When the assignment began.
fn since(answer: &LookupAnswer) -> &str {
    &answer.since.as_ref().unwrap().time
}

#[test]
fn a_lease_of_dnsmasq_is_found_renewed_and_ended_by_its_release() {
    let site = Site::new(TABLES);
    let mut rig = match Rig::start(&site.path("rig")) {
        Ok(rig) => rig,
        Err(reason) => return eprintln!("NOT TESTED: {reason}"),
    };
    fs::create_dir(site.path("spool")).unwrap();
    // In a network of its own there is one user, and the hook is not installed.
    let shipped = SHIPPED.replace("/usr/lib/lapsed/dnsmasq-hook", HOOK).replace("dhcp-scriptuser=lapsed\n", "");
    site.write("rig/dnsmasq.conf", &shipped);
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    let dnsmasq = format!(
        "LAPSED_SPOOL={} dnsmasq --no-daemon --conf-file=dnsmasq.conf --port=0 --interface=server --bind-interfaces \
         --dhcp-authoritative --dhcp-range=10.77.0.10,10.77.0.20,10m --dhcp-leasefile=$PWD/leases --pid-file=",
        site.path("spool").display()
    );
    rig.serve(&dnsmasq, "DHCP, IP range");
    let before = SystemClock.now();
    let address = rig.lease(HOST);
    took(&mut daemon);
    let granted = SystemClock.now();
    let lookup = |at| site.lookup(&token, &address, at).1;
    let answer = lookup(granted);
    assert_eq!((answer.verdict, &answer.subscriber), (Verdict::Attributed, &subscriber()), "{answer:?}");

    rig.renew();
    took(&mut daemon);
    let renewed = lookup(SystemClock.now());
    assert_eq!((renewed.verdict, since(&renewed)), (Verdict::Attributed, since(&answer)), "{renewed:?}");

    // The leases that are there when dnsmasq starts are told again, and change nothing.
    rig.end_server();
    rig.serve(&dnsmasq, "DHCP, IP range");
    took(&mut daemon);
    assert_eq!(since(&lookup(SystemClock.now())), since(&answer));

    rig.release();
    let ended = (0..3).any(|_| {
        took(&mut daemon);
        lookup(SystemClock.now()).subscriber.is_none()
    });
    assert!(ended, "{}", daemon.talk);
    assert_eq!(lookup(granted).subscriber, subscriber(), "before the release it was the client's all the same");
    assert_eq!(lookup(before).subscriber, None);
    let (status, talk) = daemon.stop();
    assert!(status.success() && !talk.contains("were dropped") && !talk.contains("evil"), "{talk}");
    let record = site.records_of(&subscriber().unwrap()).remove(0);
    assert_eq!(record.line.mac.unwrap().to_string(), MAC);
}

/// Runs the hook and returns what it left, as the daemon reads it, and as it is written.
fn hook(spool: &Path, arguments: &[&str], environment: &[(&str, &[u8])]) -> (Event, String) {
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = Command::new(HOOK);
    command.args(arguments).env("LAPSED_SPOOL", spool).current_dir(spool);
    for (name, value) in environment {
        command.env(name, std::ffi::OsStr::from_bytes(value));
    }
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{}", talk_of(&output));
    let files: Vec<_> = fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let file = files.first().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{name}");
    let line = fs::read_to_string(file).unwrap();
    fs::remove_file(file).unwrap();
    let line = line.strip_suffix('\n').unwrap();
    (
        events::read(line.as_bytes(), &NasId("dnsmasq-1".into()))
            .unwrap_or_else(|error| unreachable!("{error}: {line}")),
        line.to_owned(),
    )
}

#[test]
fn no_name_and_no_relay_can_say_anything_but_what_it_is() {
    let spool = tempfile::tempdir().unwrap();
    let hostile = [
        "$(touch pwned)",
        "`touch pwned`",
        "a\",\"kind\":\"stop",
        "\\",
        "\\\"",
        "a b*?[",
        "..",
        "-n",
        "%s%n",
        "'\"'",
        "~",
        "!",
    ];
    for text in hostile {
        let environment = [
            ("DNSMASQ_CIRCUIT_ID", text.as_bytes()),
            ("DNSMASQ_REMOTE_ID", b"\xff\n\x01".as_slice()),
            ("DNSMASQ_OLD_HOSTNAME", b"secret-phone".as_slice()),
            ("DNSMASQ_SUPPLIED_HOSTNAME", text.as_bytes()),
        ];
        let host = format!("secret-phone{text}");
        let (event, line) = hook(spool.path(), &["add", MAC, "192.0.2.7", &host], &environment);
        assert_eq!(event.line.circuit_id.unwrap().as_str(), text);
        assert_eq!(event.line.remote_id.unwrap().as_str(), "0xff0a01");
        assert_eq!((event.kind, event.subscriber.unwrap().as_str()), (EventKind::Start, MAC));
        assert!(!line.contains("secret-phone"), "{line}");
    }
    // What is longer than an event may have is left out, and costs nothing else.
    let long = [("DNSMASQ_CIRCUIT_ID", [b'"'; 200].as_slice()), ("DNSMASQ_CLIENT_ID", b"; touch pwned".as_slice())];
    let (event, _) = hook(spool.path(), &["old", "06-02:00:5e", "192.0.2.7"], &long);
    assert_eq!((event.kind, event.line.circuit_id, event.line.mac), (EventKind::Update, None, None));
    assert_eq!(event.subscriber.unwrap().as_str(), "06-02:00:5e");
}

#[test]
fn the_hook_knows_ends_in_the_past_leases_without_end_and_ipv6() {
    let spool = tempfile::tempdir().unwrap();
    let of = |arguments: &[&str], environment: &[(&str, &[u8])]| hook(spool.path(), arguments, environment).0;
    let ran_out = of(&["del", MAC, "192.0.2.7"], &[("DNSMASQ_LEASE_EXPIRES", b"1795290000")]);
    assert_eq!((ran_out.kind, ran_out.lease_end), (EventKind::Stop, None));
    assert!(ran_out.time.stamp.unwrap().millis() <= 1_795_290_000_000);
    let ever = of(&["add", MAC, "192.0.2.7"], &[("DNSMASQ_LEASE_EXPIRES", b"0")]);
    assert_eq!(ever.lease_end, None);
    assert!(ever.time.stamp.unwrap() <= SystemClock.now());
    let duid: &[(&str, &[u8])] = &[("DNSMASQ_IAID", b"7"), ("DNSMASQ_MAC", MAC.as_bytes())];
    let six = of(&["old", "00:03:00:01:02:00:5e:10:00:01", "2001:db8::7"], duid);
    assert_eq!(six.subscriber.unwrap().as_str(), "0x0003000102005e100001");
    assert_eq!(six.line.mac.unwrap().to_string(), MAC);
    assert_ne!(Some(six.session), Some(ever.session));
}

#[test]
fn a_hook_that_cannot_write_says_so_at_once_and_names_nobody() {
    let spool = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], spool: &Path| {
        let mut command = Command::new(HOOK);
        command.args(arguments).env("LAPSED_SPOOL", spool).output().unwrap()
    };
    let output = run(&["add", MAC, "192.0.2.7", "phone"], &spool.path().join("none"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(talk_of(&output), "lapsed-hook: the spool cannot be written to: an event is lost\n");
    for other in [["tftp", "1000", "192.0.2.7", "file"], ["init", "", "", ""], ["arp-add", MAC, "192.0.2.7", ""]] {
        assert!(run(&other, spool.path()).status.success());
    }
    assert_eq!(fs::read_dir(spool.path()).unwrap().count(), 0);
}
