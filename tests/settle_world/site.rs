//! A customer site, and what its source says of it.

use std::net::IpAddr;

use lapsed::domain::address::{Network, Ports};
use lapsed::domain::event::{Assigned, Event, EventKind, EventTime};
use lapsed::domain::identity::{Line, NasId, SessionId, SubscriberId};
use lapsed::domain::time::Timestamp;

use super::{BASE, END};
use crate::random::Random;

/// Something a source says: when, and when that arrives.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) arrives: u64,
    pub(crate) at: u64,
    pub(crate) session: u32,
    pub(crate) kind: EventKind,
    pub(crate) named: Vec<Assigned>,
    pub(crate) lease: Option<u64>,
}

pub(crate) struct Site {
    pub(crate) number: u32,
    pub(crate) networks: [Network; 4],
    pub(crate) told: Vec<Told>,
}

impl Site {
    pub(crate) fn random(number: u32) -> Self {
        let mut random = Random(u64::from(number) ^ 0x51_7e00);
        let networks = networks_of(number);
        let mut told = Vec::new();
        for session in 0..=below(&mut random, 4) {
            let ports = match random.below(4) {
                0 => Ports::new(1024, 2047).unwrap(),
                1 => Ports::new(2048, 4095).unwrap(),
                _ => Ports::ALL,
            };
            let holds: Vec<usize> = match random.below(5) {
                0 => vec![0, 1],
                1 => vec![1, 2],
                2 => vec![0, 1, 2, 3],
                _ => vec![usize::try_from(random.below(4)).unwrap()],
            };
            let leased = random.below(3) == 0;
            let mut at = 40 + random.below(300);
            for _ in 0..=random.below(14) {
                let kind = match random.below(40) {
                    0 => EventKind::NasReset,
                    1 => EventKind::Vacated,
                    2..=9 => EventKind::Start,
                    10..=31 => EventKind::Update,
                    _ => EventKind::Stop,
                };
                let bare = kind == EventKind::NasReset || (kind != EventKind::Vacated && random.below(9) == 0);
                let assigned = |index: &usize| Assigned { network: networks[*index], ports, outside: None };
                let named = if bare { Vec::new() } else { holds.iter().map(assigned).collect() };
                let lease = (leased && random.below(4) != 0).then(|| at + 15 + random.below(150));
                let delay = match random.below(20) {
                    0 => random.below(250),
                    1..=4 => random.below(45),
                    _ => random.below(3),
                };
                if at < END && random.below(12) != 0 {
                    let event = Told { arrives: at + delay, at, session, kind, named, lease };
                    if random.below(20) == 0 {
                        told.push(Told { arrives: at + delay + random.below(60), ..event.clone() });
                    }
                    told.push(event);
                }
                at += [1, 5, 12, 30, 33, 70, 95][usize::try_from(random.below(7)).unwrap()];
            }
        }
        Self { number, networks, told }
    }

    pub(crate) fn event(&self, told: &Told) -> Event {
        Event {
            kind: told.kind,
            time: EventTime { stamp: Some(instant(told.at)), delay: None },
            nas: NasId(format!("nas-{}-{}", self.number, told.session % 2)),
            session: Some(SessionId(told.session.to_be_bytes().to_vec())),
            session_time: None,
            assigned: told.named.clone(),
            // An absent name erases none; at some sites a session gets another name now and then.
            subscriber: (!told.at.is_multiple_of(3)).then(|| {
                let renamed = if self.number.is_multiple_of(3) { told.at / 90 } else { 0 };
                SubscriberId(format!("user{}-{}-{renamed}", self.number, told.session / 2))
            }),
            line: Line::default(),
            terminate_cause: None,
            lease_end: told.lease.map(instant),
        }
    }

    /// An address of the site, with the networks around it, the longest first.
    pub(crate) fn address(&self, random: &mut Random) -> (IpAddr, Vec<Network>) {
        let [v4, inner, outer, single] = self.networks;
        match random.below(3) {
            0 => (v4.address(), vec![v4]),
            1 => (single.address(), vec![single, inner, outer]),
            _ => (format!("{}9", inner.address()).parse().unwrap(), vec![inner, outer]),
        }
    }
}

fn networks_of(number: u32) -> [Network; 4] {
    let [_, a, b, c] = number.to_be_bytes();
    let net = |text: String| Network::new(text.parse().unwrap());
    let site = format!("{:x}:{:x}", (u16::from(a) << 8) | u16::from(b), u16::from(c) << 8);
    [
        net(format!("10.{a}.{b}.{c}/32")),
        net(format!("2001:db8:{site}::/64")),
        net(format!("2001:db8:{site}::/56")),
        net(format!("2001:db8:{site}::7/128")),
    ]
}

fn below(random: &mut Random, bound: u64) -> u32 {
    u32::try_from(random.below(bound)).unwrap()
}

pub(crate) fn instant(at: u64) -> Timestamp {
    Timestamp::from_millis((BASE + at) * 1000)
}
