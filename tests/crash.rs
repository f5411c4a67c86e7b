//! Kept: what was acknowledged is found again, whenever the daemon was killed.
//!
//! The story of every round: a sender keeps many requests in flight; the moment a certain acknowledgement comes in, the
//! daemon is killed with SIGKILL; acknowledgements that were on their way count too. Some rounds also kill the daemon
//! while it starts. Then every acknowledged event must be found, with its subscriber and its time.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod random;
#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::thread;
use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::Verdict;
use lapsed::wire::radius::accounting::StatusType;

use random::Random;
use support::api::Api;
use support::radius::{Nas, acknowledged, request, signed};
use support::{Site, TWO_NAS, ago};

/// Sockets that send at once.
const SOCKETS: usize = 4;
/// Requests that each of them keeps in flight.
const IN_FLIGHT: usize = 24;
/// Lookups that are under way at once.
const ASKERS: usize = 8;

/// A start of a session that has an address and a subscriber of its own.
#[derive(Clone, Copy, Debug)]
struct Event {
    number: u32,
    at: Timestamp,
}

impl Event {
    fn address(self) -> String {
        Ipv6Addr::from((0x2001_0db8_u128 << 96) | u128::from(self.number)).to_string()
    }

    fn subscriber(self) -> String {
        format!("subscriber-{}", self.number)
    }

    fn datagram(self, identifier: u8) -> Vec<u8> {
        let start = request(identifier, StatusType::Start, &format!("session-{}", self.number), self.at);
        signed(start.user_name(&self.subscriber()).framed_ipv6(self.address().parse().unwrap()))
    }
}

/// One socket with what it has in flight, by identifier.
struct Lane {
    nas: Nas,
    next: u8,
    in_flight: BTreeMap<u8, (Event, Vec<u8>)>,
}

impl Lane {
    fn send(&mut self, event: Event) {
        let datagram = event.datagram(self.next);
        self.nas.send(&datagram);
        self.in_flight.insert(self.next, (event, datagram));
        self.next = self.next.wrapping_add(1);
    }

    /// The event that this datagram acknowledges.
    fn acknowledge(&mut self, reply: &[u8]) -> Event {
        let (event, datagram) = self.in_flight.remove(&reply[1]).expect("an answer to what is in flight");
        assert!(acknowledged(reply, &datagram).is_some());
        event
    }
}

/// What is known over all rounds.
struct Trial {
    site: Site,
    token: String,
    random: Random,
    sent: u32,
    kept: Vec<Event>,
}

impl Trial {
    /// Sends until so many acknowledgements have come, kills the daemon, and takes the ones that were on their way.
    fn send_and_kill(&mut self, acknowledgements: u64) {
        let daemon = self.site.start();
        let lane = |_| Lane { nas: Nas::at("127.0.0.1", daemon.radius), next: 0, in_flight: BTreeMap::new() };
        let mut lanes: Vec<Lane> = (0..SOCKETS).map(lane).collect();
        for turn in 0..acknowledgements {
            let lane = &mut lanes[usize::try_from(turn).unwrap() % SOCKETS];
            while lane.in_flight.len() < IN_FLIGHT {
                lane.send(next_event(&mut self.random, &mut self.sent));
            }
            let reply = lane.nas.receive();
            self.kept.push(lane.acknowledge(&reply));
        }
        daemon.kill();
        for lane in &mut lanes {
            for reply in lane.nas.arrived() {
                self.kept.push(lane.acknowledge(&reply));
            }
        }
    }

    /// Kills the daemon while it starts, at its first word: it is opening the store then.
    fn kill_while_starting(&self) {
        let mut daemon = self.site.spawn("lapsed.toml", None);
        daemon.until("there is no [[principal]]").unwrap();
        daemon.kill();
    }

    /// Looks up what was kept from the `from`-th event on.
    fn verify(&self, from: usize) {
        let events = &self.kept[from..];
        let socket = self.site.path("api.sock");
        thread::scope(|scope| {
            for share in events.chunks(events.len().div_ceil(ASKERS).max(1)) {
                let mut api = Api::connect(&socket, &self.token);
                scope.spawn(move || share.iter().for_each(|event| find(&mut api, *event)));
            }
        });
    }
}

fn next_event(random: &mut Random, sent: &mut u32) -> Event {
    *sent += 1;
    // Some buckets, all inside the window, none so recent that the beginning lies within the margin.
    Event { number: *sent, at: ago(600 + random.below(900)) }
}

fn find(api: &mut Api, event: Event) {
    let answer = api.lookup(&event.address(), event.at.plus(Duration::from_secs(200)));
    assert_eq!(answer.verdict, Verdict::Attributed, "{event:?} was acknowledged: {answer:?}");
    assert_eq!(answer.subscriber, Some(event.subscriber()));
    assert_eq!(answer.since.map(|since| since.time), Some(event.at.to_string()));
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is no setting of the daemon")]
fn rounds() -> u64 {
    std::env::var("LAPSED_CRASH_ROUNDS").map_or(10, |rounds| rounds.parse().expect("LAPSED_CRASH_ROUNDS is a number"))
}

#[test]
fn every_acknowledged_event_survives_kill_9_at_any_moment() {
    let site = Site::new(TWO_NAS);
    let token = site.token("desk-1", "analyst");
    let mut trial = Trial { site, token, random: Random(0x1a95_ed01), sent: 0, kept: Vec::new() };
    for round in 0..rounds() {
        let known = trial.kept.len();
        let acknowledgements = 1 + trial.random.below(250);
        trial.send_and_kill(acknowledgements);
        if round % 3 == 0 {
            trial.kill_while_starting();
        }
        let daemon = trial.site.start();
        trial.verify(known);
        // Half of them end in order, so that both endings are followed by a start.
        if round % 2 == 0 {
            assert!(daemon.stop().0.success());
        }
    }
    let daemon = trial.site.start();
    trial.verify(0);
    assert!(daemon.stop().0.success());
}

#[test]
fn a_lookup_that_was_answered_is_in_the_ledger_after_kill_9() {
    let site = Site::new(TWO_NAS);
    let (analyst, operator) = (site.token("desk-1", "analyst"), site.token("ops", "operator"));
    let daemon = site.start();
    let mut api = Api::connect(&site.path("api.sock"), &analyst);
    let indices: Vec<u64> = (0..20).map(|_| api.lookup("192.0.2.1", ago(60)).ledger.index).collect();
    daemon.kill();
    let last = *indices.last().unwrap();
    let _daemon = site.start();
    assert!(site.status(&operator).access_entries > last);
    let (_, answer) = site.lookup(&analyst, "192.0.2.1", ago(60));
    assert_eq!(answer.ledger.index, last + 1, "no index is given twice, none is left out");
}
