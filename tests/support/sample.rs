//! A record as any other.

use std::time::Duration;

use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::identity::{Line, NasId, SessionTag, SourceName, SubscriberId};
use lapsed::domain::record::{Kind, Record, Subject, TimeQuality};
use lapsed::domain::time::Timestamp;

/// The start of a session, of one address. What a test is about, it says itself.
pub(crate) fn start(at: Timestamp) -> Record {
    Record {
        at,
        kind: Kind::Start,
        subject: whole(Network::single([192, 0, 2, 7].into())),
        source: SourceName("source-1".into()),
        nas: NasId("bng-1".into()),
        session: SessionTag([7; 8]),
        subscriber: Some(SubscriberId("alice".into())),
        line: Line::default(),
        quality: TimeQuality::Stamped,
        receive_delay: Duration::ZERO,
        lease_end: None,
        terminate_cause: None,
        inside: None,
        named_earlier: false,
    }
}

/// An assignment of all ports of a network.
pub(crate) fn whole(network: Network) -> Subject {
    Subject::Assignment { realm: Realm::default(), network, ports: Ports::ALL }
}
