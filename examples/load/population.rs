//! Who speaks under load: 131,072 subscribers, each heard of in turn. Nothing is remembered between statements; which
//! one comes next follows from its number alone.

use std::net::Ipv4Addr;
use std::time::Duration;

use lapsed::wire::radius::accounting::StatusType;

use crate::simulator::statement::{NasName, Session, Statement};
use crate::simulator::subscriber::{Addresses, Prefixes, Subscriber};

/// As many as 198.18.0.0/15 has addresses, the network for benchmarks (RFC 2544, appendix C.2.2).
const SUBSCRIBERS: u64 = 1 << 17;
const FIRST_ADDRESS: u32 = 0xc612_0000;
/// A session is a Start, ten interims and a Stop.
const STATEMENTS_OF_A_SESSION: u64 = 12;
/// What a session claims to have lasted grows by this with every statement.
const INTERIM_INTERVAL: u64 = 600;
const NAS: NasName = NasName { identifier: "load-1", address: Ipv4Addr::new(192, 0, 2, 10) };

/// The statement with this number. Sessions do not all begin at once: each subscriber is at another point of its own.
pub(crate) fn statement(number: u64) -> Statement {
    let subscriber = number % SUBSCRIBERS;
    let said = number / SUBSCRIBERS + subscriber % STATEMENTS_OF_A_SESSION;
    let (session, step) = (said / STATEMENTS_OF_A_SESSION, said % STATEMENTS_OF_A_SESSION);
    let status = match step {
        0 => StatusType::Start,
        _ if step == STATEMENTS_OF_A_SESSION - 1 => StatusType::Stop,
        _ => StatusType::InterimUpdate,
    };
    let who = Subscriber(u32::try_from(subscriber).unwrap_or_default());
    let addresses = Addresses { v4: address(subscriber), v6: who.has_ipv6().then(|| Prefixes::numbered(who.0)) };
    let lasted = Duration::from_secs(step * INTERIM_INTERVAL);
    let session = Session { id: format!("{subscriber:08X}{session:08X}"), subscriber: who, addresses, lasted };
    Statement { nas: NAS, status, session: Some(session) }
}

/// The address of the subscriber that has this number.
pub(crate) fn address(number: u64) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST_ADDRESS | u32::try_from(number % SUBSCRIBERS).unwrap_or_default())
}
