//! The hook for Kea whose lease file cannot be followed, run by Debian's Kea on the configuration that we ship: every lease that
//! was granted is answered, and none is made up.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod dhcp_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod kea_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use dhcp_rig::{MAC, Rig};
use kea_rig::{Family, KEA, Kea, SERVES, keys_of, on_the_cable};
use lapsed::api::LookupAnswer;
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::event::EventKind;
use lapsed::domain::identity::NasId;
use lapsed::domain::verdict::Verdict;
use lapsed::wire::events;
use support::api::Api;
use support::{Daemon, Site, talk_of};

const TABLES: &str = "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n[lookup]\nmargin = \"0s\"\n\
    [[spool]]\npath = \"spool\"\nname = \"kea-1\"\n";
const HOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/kea/lapsed-hook");
const SHIPPED: &str = include_str!("../config/kea/kea-dhcp4-hook.conf");

/// The keys of the shipped file, with a hook that has a spool of its own as its text says.
fn shipped(site: &Site) -> String {
    fs::create_dir(site.path("spool")).unwrap();
    let hook = site.path("hook");
    let script = format!("#!/bin/sh\nLAPSED_SPOOL={} exec {HOOK} \"$@\"\n", site.path("spool").display());
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let keys = keys_of(SHIPPED).replace("/usr/lib/lapsed/kea-hook", hook.to_str().unwrap());
    assert!(keys.contains(hook.to_str().unwrap()));
    keys
}

/// Waits until nothing is left in the spool. No hook may run any more.
fn drained(daemon: &mut Daemon, site: &Site) {
    let is_event = |name: OsString| name != ".lock";
    while fs::read_dir(site.path("spool")).unwrap().any(|entry| is_event(entry.unwrap().file_name())) {
        assert!(daemon.until("a file was taken from the spool").is_some(), "{}", daemon.talk);
    }
}

/// Lets clients ask, and compares what the hook told with the lease file, which the daemon does not see here. An error says why
/// this machine cannot.
fn compare(family: Family, clients: &str, never: [&str; 2], circuit: Option<&str>) -> Result<(), String> {
    let site = Site::new(TABLES);
    let mut kea = Kea::start_with(family, &site.path("kea"), &format!("{},", shipped(&site)))?;
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    kea.perfdhcp(clients);
    let declined = (family == Family::V6).then(|| kea.decline());
    assert_eq!(kea.end(), "");
    drained(&mut daemon, &site);
    let now = SystemClock.now();

    let (granted, mut api) = (kea.granted(), Api::connect(&site.path("api.sock"), &token));
    assert!(granted.len() > 50, "{}", granted.len());
    for (address, lease) in &granted {
        let answer = api.lookup(&address.to_string(), now);
        if declined == Some(*address) {
            assert_eq!(answer.subscriber, None, "{address} {answer:?}");
            continue;
        }
        assert_eq!(answer.verdict, Verdict::Attributed, "{address} {answer:?}");
        assert_eq!(answer.subscriber, Some(format!("0x{}", lease.client)), "{address} {answer:?}");
    }
    for address in never {
        assert_eq!(api.lookup(address, now).verdict, Verdict::NoCoverage, "{address}");
    }
    let (status, talk) = daemon.stop();
    assert!(status.success() && !talk.contains("were dropped"), "{talk}");
    // No subpoena releases it.
    let (_, lease) = granted.iter().find(|(address, _)| declined != Some(**address)).unwrap();
    let line = site.records_of(&format!("0x{}", lease.client)).remove(0).line;
    assert_eq!(line.circuit_id.as_ref().map(|id| id.as_str()), circuit);
    Ok(())
}

#[test]
fn every_lease_that_the_hook_was_told_of_is_found_and_none_is_made_up() {
    // Ten a second renew.
    let clients = "-r 60 -R 100 -p 2 -f 10 -o 82,0102AB31020301aabb";
    if let Err(reason) = compare(Family::V4, clients, ["10.64.0.9", "10.64.255.1"], Some("0xab31")) {
        eprintln!("NOT TESTED: {reason}");
    }
}

#[test]
fn every_address_and_prefix_that_the_hook_was_told_of_is_found_and_a_declined_one_is_nobody_s() {
    let clients = "-r 40 -R 60 -p 2 -f 5 -e address-and-prefix";
    if let Err(reason) = compare(Family::V6, clients, ["2001:db8:1:1::1", "2001:db8:1ff::1"], None) {
        eprintln!("NOT TESTED: {reason}");
    }
}

#[test]
fn a_client_that_declines_renews_and_releases_has_what_it_has() {
    const TAKEN: &str = "10.77.0.10";
    let site = Site::new(TABLES);
    let mut rig = match Rig::start(&site.path("rig")) {
        Ok(rig) => rig,
        Err(reason) => return eprintln!("NOT TESTED: {reason}"),
    };
    // In order, as the shipped file says.
    let keys = shipped(&site).replace("\"sync\": false", "\"sync\": true");
    let leases = r#""lease-database": { "type": "memfile", "persist": false }"#;
    site.write("rig/kea.conf", &on_the_cable(&format!("{keys}, {leases}")));
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    // Somebody has the first address of the pool, and answers for it.
    assert_eq!(rig.run(&format!("ip addr add {TAKEN}/32 dev lo")), "0");
    rig.serve(KEA, SERVES);
    let before = SystemClock.now();
    let kept = rig.lease("-a300 -A1");
    assert_ne!(kept, TAKEN);
    drained(&mut daemon, &site);
    let granted = SystemClock.now();
    let lookup = |address: &str, at| site.lookup(&token, address, at).1;
    for at in [before, granted] {
        assert_eq!(lookup(TAKEN, at).subscriber, None, "{at}");
    }
    assert_eq!(lookup(TAKEN, granted).verdict, Verdict::Unassigned);
    let answer = lookup(&kept, granted);
    let name = format!("0x01{}", MAC.replace(':', ""));
    let client = Some(name.clone());
    assert_eq!((answer.verdict, &answer.subscriber), (Verdict::Attributed, &client), "{answer:?}");

    rig.renew();
    drained(&mut daemon, &site);
    let renewed = lookup(&kept, SystemClock.now());
    assert_eq!((renewed.verdict, since(&renewed)), (Verdict::Attributed, since(&answer)), "{renewed:?}");

    rig.release();
    while lookup(&kept, SystemClock.now()).subscriber.is_some() {
        daemon.until("a file was taken from the spool").unwrap();
    }
    assert_eq!(lookup(&kept, granted).subscriber, client, "before the release it was the client's all the same");
    assert_eq!(lookup(&kept, before).subscriber, None);
    let said = fs::read_to_string(site.path("rig/server.talk")).unwrap();
    assert!(!said.contains("lapsed-hook:"), "{said}");
    let (status, talk) = daemon.stop();
    assert!(status.success() && !talk.contains("were dropped"), "{talk}");
    let line = site.records_of(&name).remove(0).line;
    assert_eq!(line.mac.map(|mac| mac.to_string()).as_deref(), Some(MAC));
}

#[test]
fn what_kea_tells_after_a_decline_names_nobody() {
    let spool = tempfile::tempdir().unwrap();
    let told = |callout: &str, variables: &str| {
        let mut hook = Command::new(HOOK);
        hook.arg(callout).env_clear().env("LAPSED_SPOOL", spool.path());
        hook.envs(variables.split_whitespace().map(|variable| variable.split_once('=').unwrap()));
        let output = hook.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", talk_of(&output));
        let files = fs::read_dir(spool.path()).unwrap().map(|entry| entry.unwrap().path());
        let lines = files.map(|file| {
            let line = fs::read_to_string(&file).unwrap();
            fs::remove_file(file).unwrap();
            let event = events::read(line.trim_end().as_bytes(), &NasId("kea-1".into())).unwrap();
            (event.kind, event.assigned.first().unwrap().network.to_string(), event.subscriber)
        });
        lines.collect::<Vec<_>>()
    };
    // As Kea 2.2 says it, as far as the hook reads it.
    let four = "LEASES4_SIZE=1 DELETED_LEASES4_SIZE=0 LEASES4_AT0_ADDRESS=192.0.2.7 LEASES4_AT0_CLIENT_ID= \
        LEASES4_AT0_HWADDR= LEASES4_AT0_STATE=declined LEASES4_AT0_CLTT=1795285023 LEASES4_AT0_VALID_LIFETIME=86400 \
        QUERY4_CIADDR=0.0.0.0 QUERY4_HWADDR=02:00:5e:10:00:01 QUERY4_TYPE=DHCPDECLINE";
    assert_eq!(told("leases4_committed", four), [(EventKind::Vacated, String::from("192.0.2.7"), None)]);
    let six = "LEASES6_SIZE=1 DELETED_LEASES6_SIZE=0 LEASES6_AT0_ADDRESS=2001:db8::7 LEASES6_AT0_DUID=00 \
        LEASES6_AT0_HWADDR= LEASES6_AT0_IAID=7 LEASES6_AT0_TYPE=IA_NA LEASES6_AT0_PREFIX_LEN=128 \
        LEASES6_AT0_STATE=declined LEASES6_AT0_CLTT=1795285023 LEASES6_AT0_VALID_LIFETIME=86400 QUERY6_TYPE=DECLINE";
    assert_eq!(told("leases6_committed", six), [(EventKind::Vacated, String::from("2001:db8::7"), None)]);
    // The day is over, and the address may be leased again.
    let over = six.replace("LEASES6_AT0", "LEASE6");
    assert_eq!(told("lease6_expire", &over), []);
    assert_eq!(told("lease4_expire", &four.replace("LEASES4_AT0", "LEASE4")), []);
}

/// When the assignment began.
fn since(answer: &LookupAnswer) -> &str {
    &answer.since.as_ref().unwrap().time
}
