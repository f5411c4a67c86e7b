//! The frame of a RADIUS packet (RFC 2865, section 3). What the attributes mean is not its business.

use super::attribute::{Attributes, FramingError};
use crate::wire::reader::Reader;

/// Octets before the first attribute.
pub(super) const HEADER_LEN: u16 = 20;
/// The longest packet there is (RFC 2865, section 3). It bounds the number of attributes, and so all work on them.
pub(super) const MAX_LEN: u16 = 4096;

/// The Authenticator field of a request or of a reply.
pub type Authenticator = [u8; 16];

/// What kind of packet it is: the Code field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(pub u8);

impl Code {
    /// Accounting-Request (RFC 2866, section 4.1).
    pub const ACCOUNTING_REQUEST: Self = Self(4);
    /// Accounting-Response (RFC 2866, section 4.2).
    pub const ACCOUNTING_RESPONSE: Self = Self(5);
    /// Status-Server (RFC 5997, section 3).
    pub const STATUS_SERVER: Self = Self(12);
}

/// The fields before the authenticator; all digests begin with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) code: Code,
    pub(super) identifier: u8,
    /// Octets of the packet, header included.
    pub(super) length: u16,
}

impl Header {
    /// As on the wire.
    pub(super) const fn octets(self) -> [u8; 4] {
        let [high, low] = self.length.to_be_bytes();
        [self.code.0, self.identifier, high, low]
    }
}

/// A packet whose lengths are consistent. Its authenticator has not been looked at.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    header: Header,
    authenticator: Authenticator,
    attributes: Attributes<'a>,
}

impl<'a> Packet<'a> {
    /// Reads the packet that a datagram begins with. Octets after Length are padding: they belong to nothing, not even
    /// to the digests (RFC 2865, section 3).
    ///
    /// # Errors
    ///
    /// One [`PacketError`] for every length that is wrong.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        let octets = datagram.len();
        let mut reader = Reader::new(datagram);
        let ended = |_| PacketError::HeaderCutShort { octets };
        let header = Header {
            code: Code(reader.u8().map_err(ended)?),
            identifier: reader.u8().map_err(ended)?,
            length: reader.u16().map_err(ended)?,
        };
        let authenticator = reader.array().map_err(ended)?;
        let length = header.length;
        let attributes_len = match length.checked_sub(HEADER_LEN) {
            Some(len) if length <= MAX_LEN => usize::from(len),
            Some(_) | None => return Err(PacketError::LengthOutOfRange { length }),
        };
        let attributes =
            reader.take(attributes_len).map_err(|_| PacketError::DatagramShorterThanLength { length, octets })?;
        Ok(Self { header, authenticator, attributes: Attributes::parse(attributes)? })
    }

    /// What kind of packet it is.
    pub const fn code(&self) -> Code {
        self.header.code
    }

    /// The number that ties a reply to its request.
    pub const fn identifier(&self) -> u8 {
        self.header.identifier
    }

    /// The Authenticator field as it arrived.
    pub const fn authenticator(&self) -> Authenticator {
        self.authenticator
    }

    /// The attributes, padding excluded.
    pub const fn attributes(&self) -> Attributes<'a> {
        self.attributes
    }

    pub(super) const fn header(&self) -> Header {
        self.header
    }
}

/// Why a datagram is no RADIUS packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// The datagram ends inside the header.
    #[error("datagram of {octets} octets is shorter than a header")]
    HeaderCutShort {
        /// Octets of the datagram.
        octets: usize,
    },
    /// The Length field is below 20 or above 4096.
    #[error("length {length} is outside 20 to 4096")]
    LengthOutOfRange {
        /// The Length field.
        length: u16,
    },
    /// The Length field promises more than arrived.
    #[error("datagram of {octets} octets is shorter than its length {length}")]
    DatagramShorterThanLength {
        /// The Length field.
        length: u16,
        /// Octets of the datagram.
        octets: usize,
    },
    /// The attributes do not fill the packet exactly.
    #[error(transparent)]
    Attributes(#[from] FramingError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(length: u16, attributes: &[u8]) -> Vec<u8> {
        [&[4, 7], length.to_be_bytes().as_slice(), &[9; 16], attributes].concat()
    }

    #[test]
    fn fields_are_read_and_padding_belongs_to_nothing() {
        let bytes = datagram(23, &[44, 3, b'x', 0, 0]);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.code(), Code::ACCOUNTING_REQUEST);
        assert_eq!(packet.identifier(), 7);
        assert_eq!(packet.authenticator(), [9; 16]);
        assert_eq!(packet.attributes().octets(), &[44, 3, b'x']);
        assert_eq!(packet.header().octets(), [4, 7, 0, 23]);
    }

    #[test]
    fn every_wrong_length_is_told_apart() {
        let error = |bytes: &[u8]| Packet::parse(bytes).unwrap_err();
        assert_eq!(error(&[]), PacketError::HeaderCutShort { octets: 0 });
        assert_eq!(error(&[4; 19]), PacketError::HeaderCutShort { octets: 19 });
        assert_eq!(error(&datagram(19, &[])), PacketError::LengthOutOfRange { length: 19 });
        assert_eq!(error(&datagram(4097, &[0; 5000])), PacketError::LengthOutOfRange { length: 4097 });
        assert_eq!(error(&datagram(23, &[44, 3])), PacketError::DatagramShorterThanLength { length: 23, octets: 22 });
        assert_eq!(
            error(&datagram(22, &[44, 1])),
            PacketError::Attributes(FramingError::TooShort { kind: 44, length: 1 })
        );
    }

    #[test]
    fn the_shortest_and_the_longest_packet_are_packets() {
        assert!(Packet::parse(&datagram(20, &[])).unwrap().attributes().iter().next().is_none());
        let attributes = [33, 2].repeat(2038);
        assert_eq!(Packet::parse(&datagram(4096, &attributes)).unwrap().attributes().iter().count(), 2038);
    }
}
