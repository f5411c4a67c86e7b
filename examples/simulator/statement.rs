//! What a NAS says, and how it looks on the wire.

use std::net::Ipv4Addr;
use std::time::Duration;

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::attribute::AttributeType;
use lapsed::wire::radius::client::{BuildError, RequestBuilder};

use super::subscriber::{Addresses, Subscriber};

/// User-Request (RFC 2866, section 5.10): the subscriber hung up.
const USER_REQUEST: u32 = 1;

/// How a NAS names itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NasName {
    /// NAS-Identifier.
    pub(crate) identifier: &'static str,
    /// NAS-IP-Address.
    pub(crate) address: Ipv4Addr,
}

/// One statement: an Accounting-Request before it has an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Who says it.
    pub(crate) nas: NasName,
    /// What is said.
    pub(crate) status: StatusType,
    /// Of which session; Accounting-On speaks of none.
    pub(crate) session: Option<Session>,
}

/// The session that a statement speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// Acct-Session-Id.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) subscriber: Subscriber,
    /// What it holds.
    pub(crate) addresses: Addresses,
    /// How long it has lasted.
    pub(crate) lasted: Duration,
}

impl Statement {
    /// The datagram. `stamp` is when the NAS believes it happened.
    pub(crate) fn datagram(&self, identifier: u8, stamp: Timestamp, secret: &[u8]) -> Result<Vec<u8>, BuildError> {
        let request = RequestBuilder::accounting(identifier)
            .status(self.status)
            .nas_identifier(self.nas.identifier)
            .nas_address(self.nas.address.into())
            .event_timestamp(stamp);
        let Some(session) = &self.session else { return request.sign(secret) };
        let mut request = request
            .session(session.id.as_bytes())
            .user_name(&session.subscriber.name())
            .calling_station_id(&session.subscriber.mac())
            .circuit_id(session.subscriber.circuit_id().as_bytes())
            .attribute(AttributeType::NAS_PORT, &session.subscriber.0.to_be_bytes())
            .framed_ip(session.addresses.v4);
        if let Some(v6) = session.addresses.v6 {
            request = request.framed_ipv6_prefix(v6.framed).delegated_ipv6_prefix(v6.delegated);
        }
        if self.status != StatusType::Start {
            request = request.session_time(session.lasted);
        }
        if self.status == StatusType::Stop {
            request = request.terminate_cause(USER_REQUEST);
        }
        request.sign(secret)
    }
}
