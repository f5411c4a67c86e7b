//! Leases by Debian's Kea: what it granted is found, and nothing that it did not grant, through the daemon's absence, renames
//! of the file and its cleanup. Of an address that was declined, it names nobody who did not hold it.

#[expect(dead_code, reason = "every test uses its part of it")]
mod dhcp_rig;
mod kea_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::path::Path;

use dhcp_rig::{MAC, Rig};
use kea_rig::{Family, KEA, Kea, SERVES, keys_of, on_the_cable};
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::verdict::Verdict;
use support::api::Api;
use support::{Daemon, Site, ago};

const SHIPPED: &str = include_str!("../config/kea/kea-dhcp4.conf");

fn tables(format: &str) -> String {
    format!(
        "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\npurge-interval = \"10s\"\n[lookup]\nmargin = \"0s\"\n\
         [[dhcp.leases]]\nname = \"kea-1\"\nformat = \"{format}\"\npath = \"kea/leases.csv\"\nsubscriber = [\"client-id\"]\n"
    )
}

/// Waits until the daemon has made durable what is in the file now. It may grow meanwhile, or be renamed.
fn caught_up(daemon: &mut Daemon, leases: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let now = || fs::metadata(leases).map(|now| format!("inode={} offset={}\n", now.ino(), now.len()));
    while !now().is_ok_and(|now| daemon.talk.contains(&now)) {
        assert!(daemon.until("leases are durable").is_some(), "{}", daemon.talk);
    }
}

#[test]
fn every_lease_of_kea_is_found_and_none_is_made_up() {
    let site = Site::new(&tables("kea4"));
    let mut kea = match Kea::start(Family::V4, &site.path("kea")) {
        Ok(kea) => kea,
        Err(reason) => return eprintln!("NOT TESTED: {reason}"),
    };
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    kea.perfdhcp("-r 1000 -R 1500 -p 2 -f 200 -F 100 -o 82,01027031020301aabb");
    caught_up(&mut daemon, &kea.leases());
    assert!(daemon.stop().0.success());

    // While nobody reads, clients go on.
    kea.perfdhcp("-r 1000 -R 1500 -p 2 -f 200 -F 100 -b mac=00:0d:01:00:00:00 -o 82,01027032020301aabc");
    assert_eq!(kea.end(), "");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    caught_up(&mut daemon, &kea.leases());
    let now = SystemClock.now();

    let (granted, mut api) = (kea.granted(), Api::connect(&site.path("api.sock"), &token));
    assert!(granted.len() > 1000, "{}", granted.len());
    let step = granted.len() / 300 + 1;
    for (address, lease) in granted.iter().step_by(step) {
        let answer = api.lookup(&address.to_string(), now);
        let expected = if lease.released { None } else { Some(format!("0x{}", lease.client)) };
        assert_eq!(answer.subscriber, expected, "{address} {answer:?}");
        assert_eq!(answer.verdict == Verdict::Attributed, !lease.released, "{address} {answer:?}");
    }
    for address in ["10.64.255.1", "10.65.0.1"] {
        assert_eq!(api.lookup(address, now).verdict, Verdict::NoCoverage, "{address}");
    }
}

#[test]
fn addresses_and_delegated_prefixes_of_kea_are_found_also_when_kea_began_again() {
    let site = Site::new(&tables("kea6"));
    let mut kea = match Kea::start(Family::V6, &site.path("kea")) {
        Ok(kea) => kea,
        Err(reason) => return eprintln!("NOT TESTED: {reason}"),
    };
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    kea.perfdhcp("-r 300 -R 200 -p 1 -e address-and-prefix");
    kea.restart();
    kea.perfdhcp("-r 300 -R 200 -p 1 -e address-and-prefix -b mac=00:0d:01:00:00:00");
    let declined = kea.decline();
    assert_eq!(kea.end(), "");
    caught_up(&mut daemon, &kea.leases());
    let now = SystemClock.now();
    let (granted, mut api) = (kea.granted(), Api::connect(&site.path("api.sock"), &token));
    assert!(granted.len() > 200, "{}", granted.len());
    assert_eq!(api.lookup(&declined.to_string(), now).subscriber, None);
    for (address, lease) in granted.iter().filter(|(address, _)| **address != declined).step_by(granted.len() / 50) {
        let answer = api.lookup(&address.to_string(), now);
        assert_eq!(answer.subscriber, Some(format!("0x{}", lease.client)), "{address} {answer:?}");
    }
}

#[test]
fn an_address_that_was_declined_is_nobody_s_until_it_is_granted_again() {
    const TAKEN: &str = "10.77.0.10";
    let site = Site::new(&tables("kea4"));
    let mut rig = match Rig::start(&site.path("kea")) {
        Ok(rig) => rig,
        Err(reason) => return eprintln!("NOT TESTED: {reason}"),
    };
    let leases = site.path("kea/leases.csv");
    // As shipped, but for its place and its patience.
    let keys = keys_of(SHIPPED)
        .replace("/var/lib/kea/kea-leases4.csv", leases.to_str().unwrap())
        .replace("\"reclaim-timer-wait-time\": 10", "\"reclaim-timer-wait-time\": 1");
    site.write("kea/kea.conf", &on_the_cable(&format!("{keys}, \"decline-probation-period\": 1")));
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    // Somebody has the first address of the pool, and answers for it.
    assert_eq!(rig.run(&format!("ip addr add {TAKEN}/32 dev lo")), "0");
    rig.serve(KEA, SERVES);
    // Kea counts in seconds.
    let before = ago(1);
    let kept = rig.lease("-a300 -A1");
    assert_ne!(kept, TAKEN);
    let rows = fs::read_to_string(&leases).unwrap();
    assert!(rows.lines().any(|row| row.starts_with("10.77.0.10,,,1,") && row.ends_with(",1,")), "{rows}");
    caught_up(&mut daemon, &leases);
    let declined = SystemClock.now();
    let lookup = |address: &str, at| {
        let answer = site.lookup(&token, address, at).1;
        (answer.verdict, answer.subscriber)
    };
    assert_eq!(lookup(TAKEN, before), (Verdict::NoCoverage, None));
    assert_eq!(lookup(TAKEN, declined), (Verdict::Unassigned, None));
    let client = format!("0x01{}", MAC.replace(':', ""));
    assert_eq!(lookup(&kept, declined), (Verdict::Attributed, Some(client)));
    assert_eq!(lookup(&kept, before), (Verdict::NoCoverage, None));

    // It is free again, which Kea writes too, and another client gets it.
    assert_eq!(rig.run(&format!("kill $client; ip addr del {TAKEN}/32 dev lo; : >client.log")), "0");
    rig.wait_for("server", "ALLOC_ENGINE_V4_DECLINED_RECOVERED", "server");
    while ago(0) <= declined {}
    assert_eq!(rig.lease(&format!("-a300 -r {TAKEN} -x 0x3d:000203")), TAKEN);
    caught_up(&mut daemon, &leases);
    assert_eq!(lookup(TAKEN, SystemClock.now()), (Verdict::Attributed, Some(String::from("0x000203"))));
    assert_eq!(lookup(TAKEN, declined), (Verdict::Unassigned, None));
    let rows = fs::read_to_string(&leases).unwrap();
    assert!(rows.lines().any(|row| row.starts_with("10.77.0.10,,,0,") && row.ends_with(",1,")), "{rows}");
}
