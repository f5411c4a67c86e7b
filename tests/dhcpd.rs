//! Debian's ISC dhcpd with the configuration that we ship, and a real client: its leases are followed, also through a rewrite.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dhcp_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use dhcp_rig::{MAC, Rig};
use lapsed::api::LookupAnswer;
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::domain::verdict::Verdict;
use support::{Daemon, Site, ago};

const TABLES: &str = "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n[lookup]\nmargin = \"0s\"\n\
    [[dhcp.leases]]\nname = \"dhcpd-1\"\nformat = \"dhcpd\"\npath = \"rig/dhcpd.leases\"\n";
const SHIPPED: &str = include_str!("../config/dhcpd/dhcpd.conf");
const SUBNET: &str = "authoritative;\nddns-update-style none;\nsubnet 10.77.0.0 netmask 255.255.255.0 { range 10.77.0.10 10.77.0.20; }\n";

/// A profile of AppArmor goes by the path, and would let the server read nothing here.
const DHCPD: &str = "./dhcpd -4 -d -cf dhcpd.conf -lf dhcpd.leases --no-pid server";

/// Waits until the daemon has made durable what is in the file now.
fn caught_up(daemon: &mut Daemon, site: &Site) {
    let now = fs::metadata(site.path("rig/dhcpd.leases")).unwrap();
    let mark = format!("inode={} offset={}", now.ino(), now.len());
    assert!(daemon.talk.contains(&mark) || daemon.until(&mark).is_some(), "{}", daemon.talk);
}

/// When the assignment began.
fn since(answer: &LookupAnswer) -> &str {
    &answer.since.as_ref().unwrap().time
}

#[test]
fn a_lease_of_dhcpd_is_found_through_a_rewrite_and_ended_by_its_release() {
    let site = Site::new(TABLES);
    let mut rig = match Rig::start(&site.path("rig")) {
        Ok(rig) => rig,
        Err(reason) => return eprintln!("NOT TESTED: {reason}"),
    };
    site.write("rig/dhcpd.conf", &format!("{SHIPPED}{SUBNET}"));
    site.write("rig/dhcpd.leases", "");
    fs::copy("/usr/sbin/dhcpd", site.path("rig/dhcpd")).unwrap();
    let token = site.token("desk-1", "analyst");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    rig.serve(DHCPD, "Server starting service");
    // dhcpd counts in seconds.
    let before = ago(1);
    let address = rig.lease("");
    caught_up(&mut daemon, &site);
    let granted = SystemClock.now();
    let lookup = |at| site.lookup(&token, &address, at).1;
    let answer = lookup(granted);
    // udhcpc's client identifier.
    let client = Some(format!("0x01{}", MAC.replace(':', "")));
    assert_eq!((answer.verdict, &answer.subscriber), (Verdict::Attributed, &client), "{answer:?}");
    rig.renew();
    caught_up(&mut daemon, &site);
    assert_eq!(since(&lookup(SystemClock.now())), since(&answer));

    // dhcpd writes the file anew when it starts, as it does once an hour, and says the same again.
    let inode = || fs::metadata(site.path("rig/dhcpd.leases")).unwrap().ino();
    let first = inode();
    rig.end_server();
    rig.serve(DHCPD, "Server starting service");
    assert_ne!(inode(), first);
    daemon.until(&format!("inode={} ", inode())).unwrap();
    assert_eq!(since(&lookup(SystemClock.now())), since(&answer));

    // A release in the second of the grant would be the grant's end at its beginning.
    while ago(0) <= granted {}
    rig.release();
    let ended = (0..3).any(|_| {
        daemon.until("leases are durable").unwrap();
        lookup(SystemClock.now()).subscriber.is_none()
    });
    assert!(ended, "{}", daemon.talk);
    assert_eq!(lookup(granted).subscriber, client, "before the release it was the client's all the same");
    assert_eq!(lookup(before).subscriber, None);
    let (status, talk) = daemon.stop();
    assert!(status.success() && !talk.contains("were gone before they were read"), "{talk}");
}
