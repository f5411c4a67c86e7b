//! The hook for Kea whose lease file cannot be followed, run by Debian's Kea on the configuration that we ship: every lease that
//! was granted is answered, and none is made up. The lease file, which the daemon does not see here, says what was granted.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod dhcp_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod kea_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use dhcp_rig::{MAC, Rig};
use kea_rig::{Family, Kea};
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::verdict::Verdict;
use support::api::Api;
use support::{Daemon, Site, ago};

const TABLES: &str = "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n[lookup]\nmargin = \"0s\"\n\
    [[spool]]\npath = \"spool\"\nname = \"kea-1\"\n";
const HOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/kea/lapsed-hook");
const SHIPPED: &str = include_str!("../config/kea/kea-dhcp4-hook.conf");

/// The keys of the shipped file, with a hook that has a spool of its own as its header says.
fn shipped(site: &Site) -> String {
    fs::create_dir(site.path("spool")).unwrap();
    let hook = site.path("hook");
    let script = format!("#!/bin/sh\nLAPSED_SPOOL={} exec {HOOK} \"$@\"\n", site.path("spool").display());
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let (_, keys) = SHIPPED.split_once("\"Dhcp4\": {").unwrap();
    let (keys, _) = keys.rsplit_once("  }\n}").unwrap();
    let keys = keys.replace("/usr/lib/lapsed/kea-hook", hook.to_str().unwrap());
    assert!(keys.contains(hook.to_str().unwrap()));
    format!("{keys},")
}

/// Waits until nothing is left in the spool. No hook may run any more, or the daemon may be ahead of it.
fn drained(daemon: &mut Daemon, site: &Site) {
    while fs::read_dir(site.path("spool")).unwrap().any(|entry| !is_the_daemons(&entry.unwrap().file_name())) {
        assert!(daemon.until("a file was taken from the spool").is_some(), "{}", daemon.talk);
    }
}

fn is_the_daemons(name: &std::ffi::OsStr) -> bool {
    name == ".lock"
}

#[test]
fn every_lease_that_the_hook_was_told_of_is_found_and_none_is_made_up() {
    let site = Site::new(TABLES);
    let mut kea = match Kea::start_with(Family::V4, &site.path("kea"), &shipped(&site)) {
        Ok(kea) => kea,
        Err(reason) => return eprintln!("NOT TESTED: {reason}"),
    };
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    // Ten a second renew.
    kea.perfdhcp("-r 60 -R 100 -p 2 -f 10 -o 82,01027031020301aabb");
    assert_eq!(kea.end(), "");
    drained(&mut daemon, &site);
    let now = SystemClock.now();

    let (granted, mut api) = (kea.granted(), Api::connect(&site.path("api.sock"), &token));
    assert!(granted.len() > 50, "{}", granted.len());
    for (address, lease) in &granted {
        let answer = api.lookup(&address.to_string(), now);
        assert_eq!(answer.verdict, Verdict::Attributed, "{address} {answer:?}");
        assert_eq!(answer.subscriber, Some(format!("0x{}", lease.client)), "{address} {answer:?}");
        let line = answer.line.unwrap();
        assert_eq!((line.circuit_id.as_deref(), line.remote_id.as_deref()), (Some("0x7031"), Some("0x01aabb")));
    }
    for address in ["10.64.0.9", "10.64.255.1"] {
        assert_eq!(api.lookup(address, now).verdict, Verdict::NoCoverage, "{address}");
    }
    let (status, talk) = daemon.stop();
    assert!(status.success() && !talk.contains("were dropped"), "{talk}");
}
