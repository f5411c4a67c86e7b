//! FreeRADIUS between NAS and the daemon, on the configuration in `config/freeradius`.
//!
//! The story: NAS send, the daemon is killed in the middle and stays away. FreeRADIUS keeps what it acknowledges to the NAS
//! in its spool, and the reader of the spool sends it when the daemon is back. Nothing that was acknowledged may be missing
//! then, nothing may be there twice, and no attribute that a NAS made up may stop the reader.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod freeradius_rig;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use freeradius_rig::{FreeRadius, Nas};
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::config::Config;
use lapsed::domain::identity::{Entity, SubscriberId};
use lapsed::domain::record::Subject;
use lapsed::domain::session::Evidence;
use lapsed::domain::session::Said;
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::Verdict;
use lapsed::store::{Opening, Store};
use support::api::Api;
use support::{Daemon, PATIENCE, Site, ago};

/// One source: what the daemon hears is FreeRADIUS, whoever the NAS is.
const BEHIND_FREERADIUS: &str = r#"
[retention]
window = "1h"
bucket = "1m"
purge-interval = "10s"
[[radius.client]]
network = "127.0.0.1"
name = "freeradius"
secret-file = "nas.secret"
"#;

/// NAS that send at once, and statements of each a second.
const NAS: u32 = 4;
const RATE: u32 = 15;

/// What real NAS put beside the rest. None of it may reach the daemon, and none of it may stop the spool.
const ODD: [&str; 7] = [
    // A prefix that is longer than an address, one that is cut short, and an address of one octet.
    "Attr-97 = 0x00ff20010db8",
    "Attr-123 = 0x00",
    "Attr-8 = 0x0a",
    // Vendors that nobody knows, one of them with a length that leads out of the packet.
    "Attr-26.64999.7 = 0xdeadbeef",
    "Attr-26 = 0x00000de90155",
    // A type that is not assigned, without a value to speak of.
    "Attr-200 = 0x00",
    // More of the same than one attribute can hold.
    "Attr-26.9.1 = 0xLONG",
];

/// A session of a NAS, with an address and a subscriber of its own.
#[derive(Clone, Copy, Debug)]
struct Session {
    nas: u32,
    number: u32,
    start: Timestamp,
}

impl Session {
    fn id(self) -> String {
        format!("{}-{}", self.nas, self.number)
    }

    fn address(self) -> String {
        format!("10.{}.{}.{}", 60 + self.nas, self.number / 200, self.number % 200 + 1)
    }

    /// A name with what has to be escaped in the spool.
    fn subscriber(self) -> String {
        format!("o'neil \"{}\" \\ü@isp.example", self.id())
    }

    /// Every second one ends.
    fn stop(self) -> Option<Timestamp> {
        (self.number % 2 == 1).then(|| self.start.plus(Duration::from_secs(300)))
    }

    /// Its statements, as `radclient` reads them.
    fn packets(self) -> String {
        let name = self.subscriber().replace('\\', "\\\\").replace('"', "\\\"");
        let (nas, id, address) = (self.nas, self.id(), self.address());
        let mut odd = String::new();
        if self.number.is_multiple_of(5) {
            let which = usize::try_from(self.number / 5).unwrap() % ODD.len();
            odd = ODD[which].replace("LONG", &"b5".repeat(400)) + "\n";
        }
        let statement = |status: &str, at: Timestamp| {
            format!(
                "Acct-Status-Type = {status}\nAcct-Session-Id = \"{id}\"\nUser-Name = \"{name}\"\n\
                 NAS-Identifier = \"bng-{nas}\"\nFramed-IP-Address = {address}\nADSL-Agent-Circuit-Id = 0x00ff{:06x}\n\
                 Acct-Input-Octets = 123456\nFramed-Route = \"192.0.2.0/24\"\n{odd}Event-Timestamp = {}\n\n",
                self.number,
                at.millis() / 1000
            )
        };
        let stop = self.stop().map(|at| statement("Stop", at));
        statement("Start", self.start) + &stop.unwrap_or_default()
    }
}

/// What a NAS has to say: enough to outlast the outage.
fn sessions(nas: u32) -> Vec<Session> {
    let (began, count) = (ago(1500), 50 + 12 * u32::try_from(outage().as_secs()).unwrap());
    (0..count).map(|number| Session { nas, number, start: began.plus(Duration::from_secs(number.into())) }).collect()
}

/// The daemon, and FreeRADIUS in front of it. From now on the daemon has the same port whenever it starts.
fn start(site: &Site) -> (Daemon, FreeRadius) {
    let daemon = site.start();
    let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
    site.write("lapsed.toml", &config.replace("127.0.0.1:0", &daemon.radius.to_string()));
    let freeradius = FreeRadius::start(&site.path("freeradius"), daemon.radius);
    (daemon, freeradius)
}

/// Looks until something holds, no longer than patience lasts.
fn wait_for(freeradius: &FreeRadius, what: &str, mut holds: impl FnMut() -> bool) {
    let from = SystemClock.now();
    while !holds() {
        assert!(SystemClock.now() < from.plus(PATIENCE), "waited in vain until {what}");
        freeradius.listen();
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is no setting of the daemon")]
fn outage() -> Duration {
    let secs =
        std::env::var("LAPSED_OUTAGE_SECS").map_or(8, |secs| secs.parse().expect("LAPSED_OUTAGE_SECS is a number"));
    Duration::from_secs(secs)
}

#[test]
fn what_freeradius_acknowledged_while_the_daemon_was_dead_is_found_once_each() {
    let site = Site::new(BEHIND_FREERADIUS);
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("ops", "operator"));
    let (daemon, freeradius) = start(&site);
    let sessions: Vec<Vec<Session>> = (0..NAS).map(sessions).collect();
    let mut senders: Vec<Nas> = Vec::new();
    for (nas, sessions) in sessions.iter().enumerate() {
        let packets: String = sessions.iter().map(|session| session.packets()).collect();
        senders.push(Nas::send(&site.path(""), &format!("bng-{nas}"), freeradius.address, &packets, RATE));
    }
    wait_for(&freeradius, "the daemon has some", || site.status(&operator).counters["acknowledged"] >= 100);
    daemon.kill();
    let killed = SystemClock.now();
    let spooled = |freeradius: &FreeRadius| freeradius.spool().matches("\tAcct-Session-Id = ").count();
    wait_for(&freeradius, "the outage is over", || {
        spooled(&freeradius) >= 100 && SystemClock.now() >= killed.plus(outage())
    });
    assert!(senders.iter_mut().any(Nas::sends), "NAS send when the daemon comes back");
    let spool = freeradius.spool();
    assert!(spool.contains("\tUser-Name = "), "{spool}");
    for absent in ["Octets", "Framed-Route", "Attr-", "Cisco"] {
        assert!(!spool.contains(absent), "{absent} is in the spool");
    }

    let daemon = site.start();
    let acknowledged: BTreeSet<(String, String)> = senders.into_iter().flat_map(Nas::acknowledged).collect();
    wait_for(&freeradius, "the spool is empty", || freeradius.spool_is_empty());
    let all = sessions.concat();
    let statements = all.iter().map(|session| 1 + usize::from(session.stop().is_some())).sum::<usize>();
    assert_eq!(acknowledged.len(), statements, "every NAS got its answers in the end");
    let counters = site.status(&operator).counters;
    assert_eq!((counters["malformed-attributes"], counters["refused"]), (0, 0));

    let mut api = Api::connect(&site.path("api.sock"), &analyst);
    all.iter().for_each(|session| find(&mut api, *session));
    assert!(daemon.stop().0.success());
    nothing_is_there_twice(&site, &all);
}

/// Who held the address in the middle of the session: its subscriber, alone.
fn find(api: &mut Api, session: Session) {
    let answer = api.lookup(&session.address(), session.start.plus(Duration::from_secs(150)));
    assert_eq!((answer.verdict, answer.sharing), (Verdict::Attributed, 1), "{session:?}: {answer:?}");
    assert_eq!(answer.subscriber, Some(session.subscriber()));
    let since = answer.since.unwrap();
    assert_eq!((since.time, since.evidence), (session.start.to_string(), Evidence::Observed));
    let until = answer.until.filter(|until| until.evidence == Evidence::Observed);
    assert_eq!(until.map(|until| until.time), session.stop().map(|stop| stop.to_string()), "{session:?}");
}

/// In the store as it lies there, each statement is one record, and there is no other.
fn nothing_is_there_twice(site: &Site, sessions: &[Session]) {
    let config = Config::read(&site.path("lapsed.toml")).unwrap();
    let now = SystemClock.now();
    let opening = Opening::at(now, &config.retention);
    let store = Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening).unwrap();
    let mut observations = store.observations(config.retention.cutoff(now));
    for session in sessions {
        let name = SubscriberId(session.subscriber());
        let records = observations.of_subscriber(&Entity::default(), &name, ago(3600), now).unwrap();
        let said = records.iter().filter(|record| {
            // What settling derived is not said by anybody.
            matches!(record.subject, Subject::Assignment { .. }) && Said::of(record.kind).is_some_and(Said::is_real)
        });
        for record in &records {
            let circuit_id = record.line.circuit_id.as_ref().map(|id| id.0.clone());
            let expected = (format!("bng-{}", session.nas), Some(format!("0x00ff{:06x}", session.number)));
            assert_eq!((record.nas.0.clone(), circuit_id), expected, "{record:?}");
        }
        let instants: Vec<Timestamp> = said.map(|record| record.at).collect();
        let stated: Vec<Timestamp> = [Some(session.start), session.stop()].into_iter().flatten().collect();
        assert_eq!(instants, stated, "{session:?}: {records:?}");
    }
}

#[test]
fn what_the_daemon_keeps_passes_the_white_list() {
    let site = Site::new(BEHIND_FREERADIUS);
    let analyst = site.token("desk-1", "analyst");
    let (daemon, freeradius) = start(&site);
    let (start, asked) = (ago(600), ago(400));
    let common = |session: &str| {
        let at = start.millis() / 1000;
        format!(
            "Acct-Status-Type = Start\nAcct-Session-Id = \"{session}\"\nUser-Name = \"{session}\"\nEvent-Timestamp = {at}\n"
        )
    };
    let packets = [
        "Calling-Station-Id = \"02-00-5E-10-00-01\"\nNAS-Port = 7\nADSL-Agent-Circuit-Id = \"olt-7/3\"\n\
         ADSL-Agent-Remote-Id = \"ont-1\"\nNAS-Identifier = \"bng-9\"\nFramed-IPv6-Prefix = 2001:db8:1:2::/64\n\
         Delegated-IPv6-Prefix = 2001:db8:ff00::/56\nFramed-IPv6-Address = 2001:db8:aaaa::5\n",
        "Alc-Nat-Port-Range = \"198.51.100.1 1024-2023 router base\"\nAlc-Acct-Triggered-Reason = 20\n",
        "Huawei-NAT-Public-Address = 198.51.100.2\nHuawei-NAT-Start-Port = 1024\nHuawei-NAT-End-Port = 2023\n\
         Huawei-NAT-Port-Range-Update = 0\n",
        "IP-Port-Range-Ext-IPv4-Addr = 198.51.100.3\nIP-Port-Range-Alloc = Allocation\n\
         IP-Port-Range-Range-Start = 1024\nIP-Port-Range-Range-End = 2023\n",
    ];
    let names = ["line", "nokia", "huawei", "rfc8045"];
    let packets = names.iter().zip(packets).map(|(name, packet)| common(name) + packet + "\n").collect::<String>();
    let sender = Nas::send(&site.path(""), "bng", freeradius.address, &packets, 100);
    assert_eq!(sender.acknowledged().len(), names.len());

    for inside in ["2001:db8:1:2::9", "2001:db8:ff00:7::1", "2001:db8:aaaa::5"] {
        let (exit, answer) = site.lookup(&analyst, inside, asked);
        assert_eq!((exit, answer.subscriber.as_deref()), (0, Some("line")), "{inside}: {answer:?}");
    }
    for (outside, name) in [("198.51.100.1", "nokia"), ("198.51.100.2", "huawei"), ("198.51.100.3", "rfc8045")] {
        let at = asked.to_string();
        let question = [support::subpoena(outside, &at), vec!["--port", "1500"]].concat();
        let output = site.lapse(Some(&analyst), &question);
        let answer: lapsed::api::LookupAnswer = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((answer.subscriber.as_deref(), answer.sharing), (Some(name), 1), "{answer:?}");
    }
    assert!(daemon.stop().0.success());
    let records = site.records_of("line");
    assert!(records.len() >= 3, "{records:?}");
    for record in records {
        let line = &record.line;
        assert_eq!(record.nas.0, "bng-9");
        assert_eq!(line.mac.map(|mac| mac.to_string()).as_deref(), Some("02:00:5e:10:00:01"));
        let (circuit_id, remote_id) = (line.circuit_id.as_ref().unwrap(), line.remote_id.as_ref().unwrap());
        assert_eq!((circuit_id.as_str(), remote_id.as_str()), ("olt-7/3", "ont-1"));
        assert_eq!(line.nas_port.as_ref().unwrap().as_str(), "7");
    }
}
