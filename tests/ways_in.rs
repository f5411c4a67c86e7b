//! Every way in says whom it heard, and what of it may be lost: lease files, spools and streams like RADIUS.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeMap;
use std::fs;

use lapsed::api::SourceStatus;

use support::stream::start;
use support::{Daemon, Site, ago, code};

/// Two servers that are one source, a spool, and a source of the event stream.
const TABLES: &str = "[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n\
    [[dhcp.leases]]\nname = \"kea-a\"\npair = \"kea\"\nformat = \"kea4\"\npath = \"a.csv\"\n\
    [[dhcp.leases]]\nname = \"kea-b\"\npair = \"kea\"\nformat = \"kea4\"\npath = \"b.csv\"\n\
    [[stream]]\nname = \"lines\"\n[[spool]]\npath = \"spool\"\nname = \"hooks\"\n";
const DURABLE: &str = "leases are durable";
const HEADER: &str =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context";

/// A lease file with a lease that was granted so many seconds ago.
fn leases(number: u32, secs: u64) -> String {
    let expire = ago(secs).millis() / 1000 + 3600;
    format!("{HEADER}\n192.0.2.{number},02:00:00:00:00:0{number},,3600,{expire},1,0,0,,0,\n")
}

fn by_name(site: &Site, operator: &str) -> BTreeMap<String, SourceStatus> {
    let sources = site.status(operator).sources;
    let count = sources.len();
    let by_name: BTreeMap<_, _> = sources.into_iter().map(|source| (source.name.clone(), source)).collect();
    assert_eq!(by_name.len(), count, "every source is listed once");
    by_name
}

/// Waits until the daemon has said this so often; some of it may be said before it is ready.
fn says(daemon: &mut Daemon, mark: &str, times: usize) {
    while daemon.talk.matches(mark).count() < times {
        daemon.until(mark).unwrap();
    }
}

#[test]
fn every_way_in_is_heard_and_what_it_lost_is_a_gap_of_its_source() {
    let site = Site::new(TABLES);
    let (operator, lines) = (site.token("ops", "operator"), site.token("lines", "source"));
    fs::create_dir(site.path("spool")).unwrap();
    site.write("a.csv", &leases(1, 5));
    site.write("b.csv", &leases(2, 4));
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    says(&mut daemon, DURABLE, 2);
    // Both of each are of a bucket of their own: the older one is late, and makes a backlog.
    let events = format!("{}\n{}\n", start(1, ago(600)), start(2, ago(0)));
    site.write("events", &events);
    let sent = site.lapse(Some(&lines), &["send", site.path("events").to_str().unwrap()]);
    assert_eq!(code(&sent), 0, "{sent:?}");
    site.write("spool/1.tmp", &events);
    fs::rename(site.path("spool/1.tmp"), site.path("spool/1")).unwrap();
    says(&mut daemon, "a file was taken from the spool", 1);

    let sources = by_name(&site, &operator);
    assert_eq!(sources.keys().collect::<Vec<_>>(), ["hooks", "kea", "lines"]);
    for (name, source) in &sources {
        assert!(source.heard_ago.is_some_and(|secs| secs < 300), "{name} {source:?}");
        assert!(source.arrived.is_some() && source.clock_ahead.is_some(), "{name} {source:?}");
        assert_eq!((source.events, source.lost), (2, 0), "{name}");
        let backlog = source.gaps.iter().any(|gap| gap.why.contains(&"backlog".to_owned()));
        assert_eq!(backlog, name != "kea", "{name} {source:?}");
    }
    assert!(daemon.stop().0.success());

    // While nobody reads, one of the files is lost, and another begins.
    site.write("new.csv", &leases(3, 1));
    fs::rename(site.path("new.csv"), site.path("a.csv")).unwrap();
    let mut daemon = site.start_with("lapsed.toml", Some("lapsed=debug"));
    says(&mut daemon, "rows of a lease file were gone before they were read", 1);
    says(&mut daemon, DURABLE, 1);
    for (name, source) in by_name(&site, &operator) {
        let unread = source.gaps.iter().any(|gap| gap.why.contains(&"unread".to_owned()));
        assert_eq!(unread, name == "kea", "{name} {source:?}");
    }
    assert!(daemon.stop().0.success());
}
