//! The other side: builds requests as a NAS does, and checks the replies. For senders, simulators and tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::accounting::StatusType;
use super::attribute::{self, AGENT_CIRCUIT_ID, AGENT_REMOTE_ID, AttributeType, BROADBAND_FORUM};
use super::authenticator::{self, MESSAGE_AUTHENTICATOR_HEADER, MESSAGE_AUTHENTICATOR_LEN};
use super::packet::{self, Authenticator, Code, Header, Packet, PacketError};
use crate::domain::address::Network;
use crate::domain::time::Timestamp;

/// A request in the making. Attributes stand in the order of the calls; a fault shows when it is signed.
#[derive(Clone)]
#[must_use]
pub struct RequestBuilder {
    code: Code,
    identifier: u8,
    /// What a Status-Server has in its Authenticator field; an Accounting-Request has its digest there.
    random: Authenticator,
    before: Vec<u8>,
    /// What follows the Message-Authenticator, if there is one.
    after: Option<Vec<u8>>,
    fault: Option<BuildError>,
}

impl RequestBuilder {
    /// An Accounting-Request (RFC 2866, section 4.1) without attributes.
    pub const fn accounting(identifier: u8) -> Self {
        Self::new(Code::ACCOUNTING_REQUEST, identifier, authenticator::ZERO)
    }

    /// A Status-Server (RFC 5997, section 3) with a Message-Authenticator. `random` must not be predictable.
    pub fn status_server(identifier: u8, random: Authenticator) -> Self {
        Self::new(Code::STATUS_SERVER, identifier, random).message_authenticator()
    }

    const fn new(code: Code, identifier: u8, random: Authenticator) -> Self {
        Self { code, identifier, random, before: Vec::new(), after: None, fault: None }
    }

    /// Acct-Status-Type.
    pub fn status(self, status: StatusType) -> Self {
        self.integer(AttributeType::ACCT_STATUS_TYPE, status.number())
    }

    /// Acct-Session-Id.
    pub fn session(self, id: &[u8]) -> Self {
        self.attribute(AttributeType::ACCT_SESSION_ID, id)
    }

    /// User-Name.
    pub fn user_name(self, name: &str) -> Self {
        self.attribute(AttributeType::USER_NAME, name.as_bytes())
    }

    /// NAS-Identifier.
    pub fn nas_identifier(self, name: &str) -> Self {
        self.attribute(AttributeType::NAS_IDENTIFIER, name.as_bytes())
    }

    /// NAS-IP-Address or NAS-IPv6-Address.
    pub fn nas_address(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => self.attribute(AttributeType::NAS_IP_ADDRESS, &v4.octets()),
            IpAddr::V6(v6) => self.attribute(AttributeType::NAS_IPV6_ADDRESS, &v6.octets()),
        }
    }

    /// NAS-Port-Id.
    pub fn nas_port_id(self, text: &str) -> Self {
        self.attribute(AttributeType::NAS_PORT_ID, text.as_bytes())
    }

    /// Calling-Station-Id.
    pub fn calling_station_id(self, text: &str) -> Self {
        self.attribute(AttributeType::CALLING_STATION_ID, text.as_bytes())
    }

    /// Framed-IP-Address.
    pub fn framed_ip(self, address: Ipv4Addr) -> Self {
        self.attribute(AttributeType::FRAMED_IP_ADDRESS, &address.octets())
    }

    /// Framed-IPv6-Address.
    pub fn framed_ipv6(self, address: Ipv6Addr) -> Self {
        self.attribute(AttributeType::FRAMED_IPV6_ADDRESS, &address.octets())
    }

    /// Framed-IPv6-Prefix; an IPv4 network is a fault.
    pub fn framed_ipv6_prefix(self, prefix: Network) -> Self {
        self.prefix(AttributeType::FRAMED_IPV6_PREFIX, prefix)
    }

    /// Delegated-IPv6-Prefix; an IPv4 network is a fault.
    pub fn delegated_ipv6_prefix(self, prefix: Network) -> Self {
        self.prefix(AttributeType::DELEGATED_IPV6_PREFIX, prefix)
    }

    /// Agent-Circuit-Id, in a Vendor-Specific of its own.
    pub fn circuit_id(self, id: &[u8]) -> Self {
        self.line_id(AGENT_CIRCUIT_ID, id)
    }

    /// Agent-Remote-Id, in a Vendor-Specific of its own.
    pub fn remote_id(self, id: &[u8]) -> Self {
        self.line_id(AGENT_REMOTE_ID, id)
    }

    /// Event-Timestamp: whole seconds, and no later than 2106.
    pub fn event_timestamp(self, at: Timestamp) -> Self {
        self.seconds(AttributeType::EVENT_TIMESTAMP, at.since(Timestamp::EPOCH))
    }

    /// Acct-Delay-Time, in whole seconds.
    pub fn delay(self, delay: Duration) -> Self {
        self.seconds(AttributeType::ACCT_DELAY_TIME, delay)
    }

    /// Acct-Session-Time, in whole seconds.
    pub fn session_time(self, time: Duration) -> Self {
        self.seconds(AttributeType::ACCT_SESSION_TIME, time)
    }

    /// Acct-Terminate-Cause (RFC 2866, section 5.10).
    pub fn terminate_cause(self, cause: u32) -> Self {
        self.integer(AttributeType::ACCT_TERMINATE_CAUSE, cause)
    }

    /// A Message-Authenticator at this place; asked for twice, it stays at its first.
    pub fn message_authenticator(mut self) -> Self {
        self.after.get_or_insert_default();
        self
    }

    /// Any attribute, with any value of up to 253 octets; a longer one is a fault.
    pub fn attribute(mut self, kind: AttributeType, value: &[u8]) -> Self {
        let Some(length) = u8::try_from(value.len()).ok().and_then(|len| len.checked_add(attribute::HEADER_LEN)) else {
            return self.fail(BuildError::ValueTooLong { kind: kind.0, octets: value.len() });
        };
        let attributes = self.after.as_mut().unwrap_or(&mut self.before);
        attributes.extend_from_slice(&[kind.0, length]);
        attributes.extend_from_slice(value);
        self
    }

    /// The request as a datagram: with its Message-Authenticator if one was asked for, and its Request Authenticator.
    ///
    /// # Errors
    ///
    /// The first fault there was, or that all attributes together are too long for a packet.
    pub fn sign(self, secret: &[u8]) -> Result<Vec<u8>, BuildError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let signature_len = self.after.as_ref().map_or(0, |_| usize::from(MESSAGE_AUTHENTICATOR_LEN));
        let after = self.after.as_deref().unwrap_or_default();
        let octets = [self.before.len(), signature_len, after.len()].iter().fold(packet::HEADER_LEN.into(), add);
        let length = u16::try_from(octets)
            .ok()
            .filter(|length| *length <= packet::MAX_LEN)
            .ok_or(BuildError::PacketTooLong { octets })?;
        let header = Header { code: self.code, identifier: self.identifier, length };
        let mut attributes = self.before;
        if self.after.is_some() {
            let signature = authenticator::message_authenticator(header, &self.random, (&attributes, after), secret);
            attributes.extend_from_slice(&MESSAGE_AUTHENTICATOR_HEADER);
            attributes.extend_from_slice(&signature);
            attributes.extend_from_slice(after);
        }
        let authenticator = if self.code == Code::STATUS_SERVER {
            self.random
        } else {
            authenticator::digest(header, &authenticator::ZERO, &attributes, secret)
        };
        Ok([header.octets().as_slice(), &authenticator, &attributes].concat())
    }

    fn integer(self, kind: AttributeType, value: u32) -> Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    fn seconds(self, kind: AttributeType, duration: Duration) -> Self {
        self.integer(kind, u32::try_from(duration.as_secs()).unwrap_or(u32::MAX))
    }

    fn prefix(self, kind: AttributeType, prefix: Network) -> Self {
        match prefix.address() {
            IpAddr::V6(v6) => {
                let value: Vec<u8> = [0, prefix.prefix_len()].into_iter().chain(v6.octets()).collect();
                self.attribute(kind, &value)
            }
            IpAddr::V4(_) => self.fail(BuildError::NotIpv6 { kind: kind.0 }),
        }
    }

    fn line_id(self, kind: AttributeType, id: &[u8]) -> Self {
        let Some(length) = u8::try_from(id.len()).ok().and_then(|len| len.checked_add(attribute::HEADER_LEN)) else {
            return self.fail(BuildError::ValueTooLong { kind: kind.0, octets: id.len() });
        };
        let value = [BROADBAND_FORUM.to_be_bytes().as_slice(), &[kind.0, length], id].concat();
        self.attribute(AttributeType::VENDOR_SPECIFIC, &value)
    }

    fn fail(mut self, fault: BuildError) -> Self {
        self.fault.get_or_insert(fault);
        self
    }
}

fn add(sum: usize, len: &usize) -> usize {
    sum.saturating_add(*len)
}

/// Why a request cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The value does not fit into an attribute.
    #[error("value of {octets} octets is too long for attribute {kind}")]
    ValueTooLong {
        /// The attribute's type.
        kind: u8,
        /// Octets of the value.
        octets: usize,
    },
    /// An IPv4 network, where an attribute holds an IPv6 prefix.
    #[error("attribute {kind} holds IPv6 prefixes only")]
    NotIpv6 {
        /// The attribute's type.
        kind: u8,
    },
    /// The attributes do not fit into a packet.
    #[error("packet of {octets} octets is above 4096")]
    PacketTooLong {
        /// Octets of the packet.
        octets: usize,
    },
}

/// Checks the reply to a request with this Authenticator, and says to which identifier it belongs.
///
/// # Errors
///
/// Why it does not acknowledge the request.
pub fn verify_reply(reply: &[u8], request_authenticator: &Authenticator, secret: &[u8]) -> Result<u8, ReplyError> {
    let packet = Packet::parse(reply)?;
    if packet.code() != Code::ACCOUNTING_RESPONSE {
        return Err(ReplyError::UnexpectedCode { code: packet.code().0 });
    }
    let octets = packet.attributes().octets();
    let digest = authenticator::digest(packet.header(), request_authenticator, octets, secret);
    if !authenticator::equal(&digest, &packet.authenticator()) {
        return Err(ReplyError::BadAuthenticator);
    }
    Ok(packet.identifier())
}

/// Why a datagram acknowledges no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// It is no packet.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// It is no Accounting-Response.
    #[error("code {code} is not Accounting-Response")]
    UnexpectedCode {
        /// The Code field.
        code: u8,
    },
    /// The Response Authenticator does not hold: another request, another secret, or a forgery.
    #[error("response authenticator does not hold")]
    BadAuthenticator,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::new(text.parse().unwrap())
    }

    #[test]
    fn faults_show_when_signing_and_the_first_one_wins() {
        let long = RequestBuilder::accounting(0)
            .attribute(AttributeType::CLASS, &[0; 254])
            .framed_ipv6_prefix(network("192.0.2.0/24"));
        assert_eq!(long.sign(b"").unwrap_err(), BuildError::ValueTooLong { kind: 25, octets: 254 });
        let v4 = RequestBuilder::accounting(0).delegated_ipv6_prefix(network("192.0.2.0/24"));
        assert_eq!(v4.sign(b"").unwrap_err(), BuildError::NotIpv6 { kind: 123 });
        let line = RequestBuilder::accounting(0).circuit_id(&[0; 248]);
        assert_eq!(line.sign(b"").unwrap_err(), BuildError::ValueTooLong { kind: 26, octets: 254 });
    }

    #[test]
    fn a_packet_may_be_4096_octets_long_and_no_longer() {
        let full = |last: usize| {
            let sixteen = (0..15)
                .fold(RequestBuilder::accounting(0), |builder, _| builder.attribute(AttributeType::CLASS, &[1; 253]));
            // 20 + 15 * 255 + 18 = 3863 octets are taken.
            sixteen.message_authenticator().attribute(AttributeType::CLASS, &vec![1; last]).sign(b"s")
        };
        assert_eq!(full(231).unwrap().len(), 4096);
        assert_eq!(full(232), Err(BuildError::PacketTooLong { octets: 4097 }));
    }

    #[test]
    fn only_the_servers_own_reply_is_one() {
        let authenticator = [5; 16];
        let unsigned = [&[5, 7, 0, 20], [0; 16].as_slice()].concat();
        assert_eq!(verify_reply(&unsigned, &authenticator, b"s"), Err(ReplyError::BadAuthenticator));
        let other = [&[2, 7, 0, 20], [0; 16].as_slice()].concat();
        assert_eq!(verify_reply(&other, &authenticator, b"s"), Err(ReplyError::UnexpectedCode { code: 2 }));
        let short = PacketError::HeaderCutShort { octets: 0 };
        assert_eq!(verify_reply(&[], &authenticator, b"s"), Err(ReplyError::Packet(short)));
    }
}
