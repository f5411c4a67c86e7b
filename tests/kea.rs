//! Leases by Debian's Kea: what it granted is found, and nothing that it did not grant, through the daemon's absence, renames
//! of the file and its cleanup.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod kea_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;

use kea_rig::{Family, Kea};
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::verdict::Verdict;
use support::api::Api;
use support::{Daemon, Site};

fn tables(format: &str) -> String {
    format!(
        "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\npurge-interval = \"10s\"\n[lookup]\nmargin = \"0s\"\n\
         [[dhcp.leases]]\nname = \"kea-1\"\nformat = \"{format}\"\npath = \"kea/leases.csv\"\nsubscriber = [\"client-id\"]\n"
    )
}

/// Waits until the daemon has made durable what is in the file now.
fn caught_up(daemon: &mut Daemon, kea: &Kea) {
    use std::os::unix::fs::MetadataExt as _;
    let now = fs::metadata(kea.leases()).unwrap();
    let mark = format!("inode={} offset={}", now.ino(), now.len());
    assert!(daemon.until(&mark).is_some(), "{}", daemon.talk);
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
    caught_up(&mut daemon, &kea);
    assert!(daemon.stop().0.success());

    // While nobody reads, clients go on.
    kea.perfdhcp("-r 1000 -R 1500 -p 2 -f 200 -F 100 -b mac=00:0d:01:00:00:00 -o 82,01027032020301aabc");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    caught_up(&mut daemon, &kea);
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
    caught_up(&mut daemon, &kea);
    let now = SystemClock.now();
    let (granted, mut api) = (kea.granted(), Api::connect(&site.path("api.sock"), &token));
    assert!(granted.len() > 200, "{}", granted.len());
    for (address, lease) in granted.iter().step_by(granted.len() / 50) {
        let answer = api.lookup(&address.to_string(), now);
        assert_eq!(answer.subscriber, Some(format!("0x{}", lease.client)), "{address} {answer:?}");
    }
}
