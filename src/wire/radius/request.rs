//! A request that may be answered: framed as it should be, and from someone who knows the secret.
//!
//! What passes here is acknowledged whatever it says, once what is to be kept of it is durable: a sender that is not
//! answered repeats the same packet for ever and sends nothing else.

use std::net::IpAddr;

use super::accounting::{self, Flaws};
use super::attribute::AttributeType;
use super::authenticator::{self, Signature};
use super::packet::{self, Authenticator, Code, Header, Packet, PacketError};
use crate::domain::event::{Event, Quarantine};
use crate::domain::selection::Selection;

/// A request whose authenticators hold.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    kind: RequestKind,
    packet: Packet<'a>,
}

/// What can be asked of an accounting server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Accounting-Request (RFC 2866, section 4.1): it states something.
    Accounting,
    /// Status-Server (RFC 5997): it asks whether the server can take statements.
    StatusServer,
}

impl<'a> Request<'a> {
    /// Admits a datagram of a client with this secret.
    ///
    /// # Errors
    ///
    /// Why it is dropped without an answer.
    pub fn authenticate(datagram: &'a [u8], secret: &[u8]) -> Result<Self, Silent> {
        let packet = Packet::parse(datagram)?;
        let kind = match packet.code() {
            Code::ACCOUNTING_REQUEST => check_accounting(&packet, secret).map(|()| RequestKind::Accounting),
            Code::STATUS_SERVER => check_status_server(&packet, secret).map(|()| RequestKind::StatusServer),
            _ => Err(Silent::UnexpectedCode),
        }?;
        Ok(Self { kind, packet })
    }

    /// What is asked.
    pub const fn kind(&self) -> RequestKind {
        self.kind
    }

    /// The number that ties the reply to this request; soon used again.
    pub const fn identifier(&self) -> u8 {
        self.packet.identifier()
    }

    /// The authenticator: with the peer and the identifier it tells a retransmission from a new request (RFC 5080,
    /// section 2.2.2).
    pub const fn authenticator(&self) -> Authenticator {
        self.packet.authenticator()
    }

    /// What the request states, and how many of its attributes could not be read. `peer` is the NAS where the packet
    /// names none.
    ///
    /// # Errors
    ///
    /// Why it states nothing that could be kept; a Status-Server never does.
    pub fn event(&self, peer: IpAddr, selection: &Selection) -> Result<(Event, Flaws), Quarantine> {
        match self.kind {
            RequestKind::Accounting => accounting::event(self.packet.attributes(), peer, selection),
            RequestKind::StatusServer => Err(Quarantine::NoStatusType),
        }
    }

    /// The Accounting-Response that acknowledges this request, ready to be sent: every Proxy-State in its order (RFC
    /// 2865, section 5.33), and nothing else.
    ///
    /// A Status-Server to an accounting port is answered with the same code (RFC 5997, section 3; the reply printed in
    /// section 6.2 begins with 02, but its authenticator holds only for 05).
    pub fn reply(&self, secret: &[u8]) -> Vec<u8> {
        let mut attributes = Vec::new();
        let mut length = packet::HEADER_LEN;
        for state in self.packet.attributes().iter().filter(|attribute| attribute.kind == AttributeType::PROXY_STATE) {
            attributes.extend_from_slice(&state.header());
            attributes.extend_from_slice(state.value);
            // A reply holds no more than its request did, so that this cannot overflow.
            length = length.saturating_add(state.length.into());
        }
        let header = Header { code: Code::ACCOUNTING_RESPONSE, identifier: self.identifier(), length };
        let digest = authenticator::digest(header, &self.authenticator(), &attributes, secret);
        [header.octets().as_slice(), &digest, &attributes].concat()
    }
}

/// The Request Authenticator is a digest (RFC 2866, section 3); a Message-Authenticator is optional, and taken over a
/// zeroed authenticator, since it is written before the digest (RFC 5080, section 2.2.2).
fn check_accounting(packet: &Packet<'_>, secret: &[u8]) -> Result<(), Silent> {
    let octets = packet.attributes().octets();
    let digest = authenticator::digest(packet.header(), &authenticator::ZERO, octets, secret);
    if !authenticator::equal(&digest, &packet.authenticator()) {
        return Err(Silent::BadAuthenticator);
    }
    match authenticator::check_signature(packet, &authenticator::ZERO, secret) {
        Signature::Absent | Signature::Valid => Ok(()),
        Signature::Invalid => Err(Silent::BadMessageAuthenticator),
    }
}

/// The Request Authenticator is random, so only the Message-Authenticator shows that the sender knows the secret (RFC
/// 5997, section 3).
fn check_status_server(packet: &Packet<'_>, secret: &[u8]) -> Result<(), Silent> {
    match authenticator::check_signature(packet, &packet.authenticator(), secret) {
        Signature::Valid => Ok(()),
        Signature::Absent => Err(Silent::MissingMessageAuthenticator),
        Signature::Invalid => Err(Silent::BadMessageAuthenticator),
    }
}

/// Why a datagram is dropped without an answer. Whoever sent it has no business with us, or is told nothing that helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Silent {
    /// The datagram is shorter than a header or than its Length, or the Length is impossible.
    #[error("datagram and Length do not fit")]
    BadLength,
    /// The attributes do not fill the packet exactly.
    #[error("attributes do not fill the packet")]
    BadAttribute,
    /// Neither Accounting-Request nor Status-Server.
    #[error("code is neither Accounting-Request nor Status-Server")]
    UnexpectedCode,
    /// The Request Authenticator does not hold: most often the two secrets differ.
    #[error("request authenticator does not hold")]
    BadAuthenticator,
    /// A Message-Authenticator does not hold, or there are two.
    #[error("message authenticator does not hold")]
    BadMessageAuthenticator,
    /// A Status-Server carries no Message-Authenticator.
    #[error("status request without a message authenticator")]
    MissingMessageAuthenticator,
}

impl Silent {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::BadLength,
        Self::BadAttribute,
        Self::UnexpectedCode,
        Self::BadAuthenticator,
        Self::BadMessageAuthenticator,
        Self::MissingMessageAuthenticator,
    ];

    /// The name under which it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadLength => "bad-length",
            Self::BadAttribute => "bad-attribute",
            Self::UnexpectedCode => "unexpected-code",
            Self::BadAuthenticator => "bad-authenticator",
            Self::BadMessageAuthenticator => "bad-message-authenticator",
            Self::MissingMessageAuthenticator => "missing-message-authenticator",
        }
    }
}

impl From<PacketError> for Silent {
    fn from(error: PacketError) -> Self {
        match error {
            PacketError::HeaderCutShort { .. }
            | PacketError::LengthOutOfRange { .. }
            | PacketError::DatagramShorterThanLength { .. } => Self::BadLength,
            PacketError::Attributes(_) => Self::BadAttribute,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::{RequestBuilder, verify_reply};
    use super::*;
    use crate::wire::radius::accounting::StatusType;

    const SECRET: &[u8] = b"made-up secret";

    fn start() -> RequestBuilder {
        RequestBuilder::accounting(3).status(StatusType::Start).session(b"s1")
    }

    /// A request that carries a wrong Message-Authenticator under a right Request Authenticator.
    fn resigned(value: &[u8]) -> Vec<u8> {
        start().attribute(AttributeType::MESSAGE_AUTHENTICATOR, value).sign(SECRET).unwrap()
    }

    #[test]
    fn the_secret_opens_and_any_other_does_not() {
        for datagram in [start(), start().message_authenticator()].map(|builder| builder.sign(SECRET).unwrap()) {
            assert_eq!(Request::authenticate(&datagram, SECRET).unwrap().kind(), RequestKind::Accounting);
            assert_eq!(Request::authenticate(&datagram, b"another").unwrap_err(), Silent::BadAuthenticator);
            let padded = [datagram.as_slice(), &[0xff; 9]].concat();
            assert!(Request::authenticate(&padded, SECRET).is_ok());
        }
    }

    #[test]
    fn a_message_authenticator_is_checked_although_the_digest_holds() {
        let error = |datagram: &[u8]| Request::authenticate(datagram, SECRET).unwrap_err();
        assert_eq!(error(&resigned(&[0; 16])), Silent::BadMessageAuthenticator);
        assert_eq!(error(&resigned(&[])), Silent::BadMessageAuthenticator);
        let two = start().message_authenticator().attribute(AttributeType::MESSAGE_AUTHENTICATOR, &[0; 16]);
        assert_eq!(error(&two.sign(SECRET).unwrap()), Silent::BadMessageAuthenticator);
    }

    #[test]
    fn a_status_request_must_be_signed() {
        let signed = RequestBuilder::status_server(9, [7; 16]).sign(SECRET).unwrap();
        let request = Request::authenticate(&signed, SECRET).unwrap();
        assert_eq!((request.kind(), request.identifier()), (RequestKind::StatusServer, 9));
        assert_eq!(request.authenticator(), [7; 16]);
        let peer = IpAddr::from([203, 0, 113, 1]);
        assert_eq!(request.event(peer, &Selection::default()), Err(Quarantine::NoStatusType));
        assert_eq!(Request::authenticate(&signed, b"another").unwrap_err(), Silent::BadMessageAuthenticator);

        let unsigned = [&[12, 9, 0, 20], [7; 16].as_slice()].concat();
        assert_eq!(Request::authenticate(&unsigned, SECRET).unwrap_err(), Silent::MissingMessageAuthenticator);
    }

    #[test]
    fn what_is_not_for_an_accounting_server_is_dropped() {
        let error = |datagram: &[u8]| Request::authenticate(datagram, SECRET).unwrap_err();
        assert_eq!(error(&[]), Silent::BadLength);
        for code in [1, 2, 5, 40, 255] {
            assert_eq!(error(&[&[code, 0, 0, 20], [0; 16].as_slice()].concat()), Silent::UnexpectedCode);
        }
        assert_eq!(error(&[&[4, 0, 0, 21], [0; 17].as_slice()].concat()), Silent::BadAttribute);
    }

    #[test]
    fn a_reply_carries_proxy_states_in_order_and_nothing_else() {
        let datagram = start()
            .attribute(AttributeType::PROXY_STATE, b"one")
            .user_name("alice")
            .attribute(AttributeType::PROXY_STATE, b"")
            .attribute(AttributeType::PROXY_STATE, b"two")
            .sign(SECRET)
            .unwrap();
        let request = Request::authenticate(&datagram, SECRET).unwrap();
        let reply = request.reply(SECRET);
        assert_eq!(verify_reply(&reply, &request.authenticator(), SECRET), Ok(3));
        let packet = Packet::parse(&reply).unwrap();
        let expected = [[33, 5].as_slice(), b"one", &[33, 2], &[33, 5], b"two"].concat();
        assert_eq!(packet.attributes().octets(), expected);
    }

    #[test]
    fn names_of_reasons_are_distinct() {
        let names: std::collections::BTreeSet<_> = Silent::ALL.into_iter().map(Silent::name).collect();
        assert_eq!(names.len(), Silent::ALL.len());
    }
}
