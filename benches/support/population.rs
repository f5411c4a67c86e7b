//! Subscribers, their addresses and what their NAS says of them. All made up; the same number is always the same person.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::identity::{CircuitId, Line, Mac, NasId, RemoteId, SessionTag, SourceName, SubscriberId};
use lapsed::domain::record::{Kind, Record, Subject, TimeQuality};
use lapsed::domain::time::Timestamp;

/// As many as 198.18.0.0/15 has addresses, the network for benchmarks (RFC 2544, appendix C.2.2).
pub(crate) const ADDRESSES: u32 = 1 << 17;
const FIRST_ADDRESS: u32 = 0xc612_0000;

/// What one statement says; [`Statement::record`] makes it long.
#[derive(Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) at: Timestamp,
    pub(crate) kind: Kind,
    /// Which address, counted from the first; at most [`ADDRESSES`].
    pub(crate) address: u32,
    pub(crate) session: u32,
}

impl Statement {
    /// The record that is stored of it: about 180 bytes when sealed. Every session is another subscriber's.
    pub(crate) fn record(self) -> Record {
        let [_, slot, port, line] = self.session.to_be_bytes();
        let on_the_address = !matches!(self.kind, Kind::SessionEnd);
        let subject = if on_the_address {
            let network = Network::single(address(self.address));
            Subject::Assignment { realm: Realm::default(), network, ports: Ports::ALL }
        } else {
            Subject::Session
        };
        Record {
            at: self.at,
            kind: self.kind,
            subject,
            source: source(),
            nas: NasId(format!("bng-{:02}.example", self.address % 16)),
            session: SessionTag(u64::from(self.session).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()),
            subscriber: on_the_address.then(|| subscriber(self.session)),
            line: Line {
                mac: Some(Mac([0x02, 0, 0x5e, slot, port, line])),
                circuit_id: on_the_address.then(|| CircuitId(format!("olt-{slot}/{port}/ont-{line:03}"))),
                remote_id: on_the_address.then(|| RemoteId(format!("{:010}", self.session))),
                nas_port: None,
            },
            quality: TimeQuality::Stamped,
            receive_delay: Duration::from_millis(40),
            lease_end: None,
            terminate_cause: matches!(self.kind, Kind::Stop).then_some(1),
            inside: None,
            named_earlier: false,
        }
    }
}

/// The address with this number.
pub(crate) fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(FIRST_ADDRESS | (number % ADDRESSES)).into()
}

/// Who has the session with this number.
pub(crate) fn subscriber(session: u32) -> SubscriberId {
    SubscriberId(format!("user-{session:08}@isp.example"))
}

/// The one server that says all this.
pub(crate) fn source() -> SourceName {
    SourceName("radius-1".into())
}
