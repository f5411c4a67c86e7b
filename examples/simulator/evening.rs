//! An evening of an ISP, written down before it is played.
//!
//! Two NAS with a hundred subscribers each. Subscribers come and go; addresses are few, so the one that was free for
//! longest goes to the next who dials in. The second NAS has a slow clock and reboots: its sessions end without a Stop,
//! and its session ids begin again. Besides the crowd there are two stories with fixed times: an address whose first
//! holder's Stop is lost, and a session of which its NAS says nothing between start and end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lapsed::wire::radius::accounting::StatusType;

use super::life::{End, Life};
use super::rng::Rng;
use super::statement::{NasName, Session, Statement};
use super::subscriber::{Addresses, Prefixes, Subscriber};

/// How long an evening takes to play, in milliseconds.
pub(crate) const LENGTH: u64 = 22_000;
/// The first holder of the story's address leaves, and the Stop that says so is lost.
pub(crate) const STOP_LOST_AT: u64 = 8_300;
/// The next one gets it: on a full second, because an Event-Timestamp has no less.
pub(crate) const TAKEN_OVER_AT: u64 = 10_000;
/// The second NAS goes down.
pub(crate) const REBOOT_AT: u64 = 13_000;
/// ... and is back.
const BACK_AT: u64 = 14_000;

const SUBSCRIBERS_OF_A_NAS: u32 = 100;
const ADDRESSES_OF_A_NAS: u8 = 92;
/// For how long an address rests before it goes to someone else.
const REST: u64 = 2_000;
const INTERIM_INTERVAL: u64 = 2_500;

/// The two NAS.
pub(crate) const NAS: [Site; 2] = [
    Site {
        name: NasName { identifier: "bng-1", address: Ipv4Addr::new(192, 0, 2, 1) },
        speaks_from: Ipv4Addr::new(127, 0, 0, 2),
        pool: [203, 0, 113],
        slow: Duration::ZERO,
        reboots: false,
    },
    Site {
        name: NasName { identifier: "bng-2", address: Ipv4Addr::new(192, 0, 2, 2) },
        speaks_from: Ipv4Addr::new(127, 0, 0, 3),
        pool: [198, 51, 100],
        slow: Duration::from_secs(3),
        reboots: true,
    },
];

/// A NAS and what is peculiar to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    /// How it names itself.
    pub(crate) name: NasName,
    /// The loopback address that its packets come from.
    pub(crate) speaks_from: Ipv4Addr,
    /// The first three octets of its addresses.
    pool: [u8; 3],
    /// How far its clock is behind.
    pub(crate) slow: Duration,
    /// Does it reboot during the evening?
    reboots: bool,
}

/// A statement, when it is made, and what becomes of its first transmission.
#[derive(Clone, Debug)]
pub(crate) struct Cue {
    /// Milliseconds since the evening began.
    pub(crate) at: u64,
    /// Index of the NAS that says it.
    pub(crate) nas: usize,
    /// What it says.
    pub(crate) statement: Statement,
    /// What happens to it on the way.
    pub(crate) fate: Fate,
}

/// What happens to a datagram. Later transmissions of the same request always get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives, and so does the acknowledgement.
    Delivered,
    /// It is lost, and sent again after a timeout.
    Lost,
    /// It arrives; the acknowledgement is lost, and it is sent again.
    AckLost,
    /// It never arrives, and the NAS gives up.
    Never,
}

/// The script of an evening and the truth behind it.
pub(crate) struct Evening {
    /// What is said, in order of time.
    pub(crate) cues: Vec<Cue>,
    /// What really happened, in order of beginning.
    pub(crate) lives: Vec<Life>,
}

impl Evening {
    /// The evening of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut lives = stories();
        for (index, site) in NAS.iter().enumerate() {
            lives.extend(crowd(index, site, &mut rng));
        }
        lives.sort_by_key(|life| (life.from, life.subscriber));
        number_sessions(&mut lives);
        let mut cues: Vec<Cue> = lives.iter().flat_map(|life| cues_of(life, &mut rng)).collect();
        for (nas, site) in NAS.iter().enumerate().filter(|(_, site)| site.reboots) {
            let statement = Statement { nas: site.name, status: StatusType::AccountingOn, session: None };
            cues.push(Cue { at: BACK_AT, nas, statement, fate: Fate::Delivered });
        }
        cues.sort_by_key(|cue| cue.at);
        Self { cues, lives }
    }

    /// Who really held an address.
    pub(crate) fn holder(&self, address: IpAddr, at: u64) -> Option<Subscriber> {
        self.lives.iter().find(|life| life.held(address, at)).map(|life| life.subscriber)
    }

    /// How many sessions are up.
    pub(crate) fn online(&self, at: u64) -> usize {
        self.lives.iter().filter(|life| life.from <= at && at < life.until).count()
    }
}

/// Sessions with fixed times, on the first addresses of the first NAS.
fn stories() -> Vec<Life> {
    let life = |number: u32, slot: u8, from: u64, until: u64, end: End, interims: bool| Life {
        nas: 0,
        id: String::new(),
        subscriber: Subscriber(number),
        addresses: addresses_of(0, slot, false),
        from,
        until,
        end,
        interims,
    };
    vec![
        life(201, 1, 500, STOP_LOST_AT, End::LostStop, true),
        life(202, 1, TAKEN_OVER_AT, LENGTH, End::Stays, true),
        life(204, 2, 1_500, 12_000, End::Stop, false),
    ]
}

/// The other subscribers of a NAS.
fn crowd(nas: usize, site: &Site, rng: &mut Rng) -> Vec<Life> {
    let first = u32::try_from(nas).unwrap_or_default() * SUBSCRIBERS_OF_A_NAS;
    let mut free_from = [0_u64; ADDRESSES_OF_A_NAS as usize];
    let mut dialling: BinaryHeap<Reverse<(u64, u32)>> = BinaryHeap::new();
    for number in (first + 1)..=(first + SUBSCRIBERS_OF_A_NAS) {
        dialling.push(Reverse((rng.between(200, 5_000), number)));
    }
    let mut lives = Vec::new();
    while let Some(Reverse((at, number))) = dialling.pop() {
        if at >= LENGTH {
            continue;
        }
        let down = site.reboots && (REBOOT_AT..BACK_AT + 500).contains(&at);
        let longest_free = free_from.iter_mut().enumerate().min_by_key(|(_, free)| **free);
        let Some((slot, free)) = longest_free.filter(|(_, free)| !down && (**free == 0 || **free + REST <= at)) else {
            dialling.push(Reverse((at + rng.between(300, 900), number)));
            continue;
        };
        let leaves = if rng.chance(45) { at + rng.between(3_000, 9_000) } else { LENGTH };
        let (until, end) = match leaves {
            _ if site.reboots && at < REBOOT_AT && leaves > REBOOT_AT => (REBOOT_AT, End::Reboot),
            _ if leaves < LENGTH => (leaves, End::Stop),
            _ => (LENGTH, End::Stays),
        };
        *free = until;
        dialling.push(Reverse((until + rng.between(1_500, 5_000), number)));
        let subscriber = Subscriber(number);
        // The first few addresses of a pool are the stories'.
        let slot = u8::try_from(slot).unwrap_or_default().saturating_add(10);
        let addresses = addresses_of(nas, slot, subscriber.has_ipv6());
        lives.push(Life { nas, id: String::new(), subscriber, addresses, from: at, until, end, interims: true });
    }
    lives
}

fn addresses_of(nas: usize, slot: u8, with_ipv6: bool) -> Addresses {
    let [a, b, c] = NAS.get(nas).map(|site| site.pool).unwrap_or_default();
    let number = u32::try_from(nas).unwrap_or_default() * 256 + u32::from(slot);
    Addresses { v4: Ipv4Addr::new(a, b, c, slot), v6: with_ipv6.then(|| Prefixes::numbered(number)) }
}

/// A NAS counts its sessions from one, and again from one when it has rebooted.
fn number_sessions(lives: &mut [Life]) {
    for (index, site) in NAS.iter().enumerate() {
        let mut count = 0_u32;
        let mut rebooted = false;
        for life in lives.iter_mut().filter(|life| life.nas == index) {
            if site.reboots && !rebooted && life.from >= REBOOT_AT {
                rebooted = true;
                count = 0;
            }
            count += 1;
            life.id = format!("{count:08X}");
        }
    }
}

/// What is said of a session.
fn cues_of(life: &Life, rng: &mut Rng) -> Vec<Cue> {
    let Some(site) = NAS.get(life.nas) else { return Vec::new() };
    let mut said = vec![(life.from, StatusType::Start)];
    if life.interims {
        let mut at = life.from + INTERIM_INTERVAL;
        while at < life.until {
            said.push((at, StatusType::InterimUpdate));
            at += INTERIM_INTERVAL;
        }
    }
    if matches!(life.end, End::Stop | End::LostStop) {
        said.push((life.until, StatusType::Stop));
    }
    let mut cue = |(at, status): (u64, StatusType)| {
        let fate = match rng.between(0, 100) {
            _ if status == StatusType::Stop && life.end == End::LostStop => Fate::Never,
            0..5 => Fate::Lost,
            5..10 => Fate::AckLost,
            _ => Fate::Delivered,
        };
        let session = Session {
            id: life.id.clone(),
            subscriber: life.subscriber,
            addresses: life.addresses,
            lasted: Duration::from_millis(at - life.from),
        };
        Cue { at, nas: life.nas, statement: Statement { nas: site.name, status, session: Some(session) }, fate }
    };
    said.into_iter().map(&mut cue).collect()
}
