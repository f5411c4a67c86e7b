//! The rows of a lease file wait in it while nothing can be taken, and are named by the list of accounts as it is then.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use lapsed::clock::{Clock as _, ManualClock, SystemClock};
use lapsed::config::Config;
use lapsed::domain::time::Timestamp;
use support::{PATIENCE, Site, ago};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

const TABLES: &str = "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n[lookup]\nmargin = \"0s\"\n[[dhcp.leases]]\n\
    name = \"kea-1\"\nformat = \"kea4\"\npath = \"leases.csv\"\nmapping = \"accounts.csv\"\n";
const HEADER: &str =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";

/// Longer than the follower waits between two looks.
const LOOKS: Duration = Duration::from_millis(2_500);

/// Lets the client of this number have the address of this number.
fn grant(site: &Site, number: u8, at: Timestamp) {
    let mut file = File::options().append(true).open(site.path("leases.csv")).unwrap();
    let expire = at.millis() / 1000 + 1800;
    writeln!(file, "192.0.2.{number},02:00:00:00:00:{number:02x},,1800,{expire},1,0,0,,0,").unwrap();
}

/// The subscriber who had the address of this number, if anybody.
fn holder(site: &Site, analyst: &str, number: u8, at: Timestamp) -> Option<String> {
    site.lookup(analyst, &format!("192.0.2.{number}"), at).1.subscriber
}

/// Asks again until it is so, for as long as anything may take. Each asking is a process.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = SystemClock.now();
    while !is_so() {
        assert!(SystemClock.now().since(begun) < PATIENCE, "not within {PATIENCE:?}: {what}");
    }
}

/// Asks for the time of several looks, in all of which no row may be taken.
fn nothing_is_taken(site: &Site, operator: &str) {
    let rows = || site.status(operator).counters["lease-rows"];
    let (begun, before) = (SystemClock.now(), rows());
    until("several looks", || {
        assert_eq!(rows(), before);
        SystemClock.now().since(begun) > LOOKS
    });
}

#[test]
fn a_new_list_names_who_comes_after_it() {
    let site = Site::new(TABLES);
    let analyst = site.token("desk-1", "analyst");
    site.write("leases.csv", HEADER);
    site.write("accounts.csv", "02:00:00:00:00:01,account-1\n");
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    grant(&site, 1, ago(5));
    grant(&site, 2, ago(5));
    until("both", || holder(&site, &analyst, 2, ago(0)).is_some());
    assert_eq!(holder(&site, &analyst, 1, ago(0)).as_deref(), Some("account-1"));
    assert_eq!(holder(&site, &analyst, 2, ago(0)).as_deref(), Some("02:00:00:00:00:02"));
    site.write("accounts.csv", "02:00:00:00:00:01,account-1\n02:00:00:00:00:03,account-3\n");
    daemon.until("identities=2").unwrap();
    grant(&site, 3, ago(2));
    until("the third", || holder(&site, &analyst, 3, ago(0)).is_some());
    assert_eq!(holder(&site, &analyst, 3, ago(0)).as_deref(), Some("account-3"));
    assert!(daemon.stop().0.success());
}

#[test]
fn rows_wait_while_the_clock_is_in_doubt_and_are_taken_when_it_is_right() {
    let site = Site::new(TABLES);
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("op-1", "operator"));
    site.write("leases.csv", HEADER);
    let start = Timestamp::from_millis(1_800_000_000_000);
    let clock = Arc::new(ManualClock::at(start));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config::read(&site.path("lapsed.toml")).unwrap();
    let daemon = runtime
        .block_on(lapsed::daemon::Daemon::start(config, clock.clone(), lapsed::daemon::Flags::default()))
        .unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(daemon.serve(async move { stopped.await.unwrap() }));
    let before = start.minus(Duration::from_secs(60));
    grant(&site, 1, before);
    until("the first", || holder(&site, &analyst, 1, start).is_some());

    clock.set(start.plus(Duration::from_secs(86_400)));
    grant(&site, 2, before);
    nothing_is_taken(&site, &operator);

    clock.set(start);
    until("the second", || holder(&site, &analyst, 2, start).is_some());
    assert_eq!(site.status(&operator).counters["lease-gaps"], 0);
    stop.send(()).unwrap();
    runtime.block_on(serving).unwrap().unwrap();
}

#[test]
fn rows_wait_while_the_disk_is_full_and_are_taken_when_there_is_room() {
    let site = match Site::on_small_disk(TABLES, 128, 8) {
        Ok(site) => site,
        Err(reason) => return eprintln!("NOT TESTED: this machine lets nobody mount a small file system: {reason}"),
    };
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("op-1", "operator"));
    site.write("leases.csv", HEADER);
    let daemon = site.start();
    grant(&site, 1, ago(5));
    until("the first", || holder(&site, &analyst, 1, ago(0)).is_some());
    site.disk().fill_but(12 << 20);
    until("a full disk", || site.status(&operator).disk.full);
    grant(&site, 2, ago(5));
    nothing_is_taken(&site, &operator);
    assert_eq!(holder(&site, &analyst, 2, ago(0)), None);
    site.disk().empty();
    until("the second", || holder(&site, &analyst, 2, ago(0)).is_some());
    assert!(daemon.stop().0.success());
}
