//! Attributes: their framing, their numbers, and the values of the simple types (RFC 2865, section 5).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::wire::reader::{ReadError, Reader};

/// Octets of an attribute before its value: type and length.
pub(super) const HEADER_LEN: u8 = 2;

/// The number of an attribute. Only those that something here reads or writes have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttributeType(pub u8);

impl AttributeType {
    /// User-Name (RFC 2865, section 5.1).
    pub const USER_NAME: Self = Self(1);
    /// NAS-IP-Address (RFC 2865, section 5.4).
    pub const NAS_IP_ADDRESS: Self = Self(4);
    /// NAS-Port (RFC 2865, section 5.5).
    pub const NAS_PORT: Self = Self(5);
    /// Framed-IP-Address (RFC 2865, section 5.8).
    pub const FRAMED_IP_ADDRESS: Self = Self(8);
    /// Class (RFC 2865, section 5.25).
    pub const CLASS: Self = Self(25);
    /// Vendor-Specific (RFC 2865, section 5.26).
    pub const VENDOR_SPECIFIC: Self = Self(26);
    /// Calling-Station-Id (RFC 2865, section 5.31).
    pub const CALLING_STATION_ID: Self = Self(31);
    /// NAS-Identifier (RFC 2865, section 5.32).
    pub const NAS_IDENTIFIER: Self = Self(32);
    /// Proxy-State (RFC 2865, section 5.33).
    pub const PROXY_STATE: Self = Self(33);
    /// Acct-Status-Type (RFC 2866, section 5.1).
    pub const ACCT_STATUS_TYPE: Self = Self(40);
    /// Acct-Delay-Time (RFC 2866, section 5.2).
    pub const ACCT_DELAY_TIME: Self = Self(41);
    /// Acct-Session-Id (RFC 2866, section 5.5).
    pub const ACCT_SESSION_ID: Self = Self(44);
    /// Acct-Session-Time (RFC 2866, section 5.7).
    pub const ACCT_SESSION_TIME: Self = Self(46);
    /// Acct-Terminate-Cause (RFC 2866, section 5.10).
    pub const ACCT_TERMINATE_CAUSE: Self = Self(49);
    /// Event-Timestamp (RFC 2869, section 5.3).
    pub const EVENT_TIMESTAMP: Self = Self(55);
    /// Message-Authenticator (RFC 3579, section 3.2).
    pub const MESSAGE_AUTHENTICATOR: Self = Self(80);
    /// NAS-Port-Id (RFC 2869, section 5.17).
    pub const NAS_PORT_ID: Self = Self(87);
    /// NAS-IPv6-Address (RFC 3162, section 2.1).
    pub const NAS_IPV6_ADDRESS: Self = Self(95);
    /// Framed-IPv6-Prefix (RFC 3162, section 2.3).
    pub const FRAMED_IPV6_PREFIX: Self = Self(97);
    /// Delegated-IPv6-Prefix (RFC 4818, section 3).
    pub const DELEGATED_IPV6_PREFIX: Self = Self(123);
    /// Framed-IPv6-Address (RFC 6911, section 3.1).
    pub const FRAMED_IPV6_ADDRESS: Self = Self(168);
    /// Extended-Attribute-1 (RFC 6929, section 2.1).
    pub const EXTENDED_1: Self = Self(241);
}

/// The vendor number of the Broadband Forum, whose attributes name the line (RFC 4679, section 3.3).
pub const BROADBAND_FORUM: u32 = 3561;
/// Agent-Circuit-Id, of [`BROADBAND_FORUM`] (RFC 4679, section 3.3.1).
pub const AGENT_CIRCUIT_ID: AttributeType = AttributeType(1);
/// Agent-Remote-Id, of [`BROADBAND_FORUM`] (RFC 4679, section 3.3.2).
pub const AGENT_REMOTE_ID: AttributeType = AttributeType(2);

/// Attributes, one after the other, whose lengths add up: of a packet, or inside one Vendor-Specific.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// Checks that the attributes fill `octets` exactly.
    ///
    /// # Errors
    ///
    /// The first attribute that does not fit.
    pub fn parse(octets: &'a [u8]) -> Result<Self, FramingError> {
        let mut reader = Reader::new(octets);
        while !reader.is_empty() {
            Attribute::read(&mut reader)?;
        }
        Ok(Self(octets))
    }

    /// The attributes in their order.
    pub const fn iter(&self) -> Iter<'a> {
        Iter(Reader::new(self.0))
    }

    /// The attributes as on the wire.
    pub const fn octets(&self) -> &'a [u8] {
        self.0
    }
}

/// Attributes name people: `Debug` shows how much there is of them.
impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attributes({} octets)", self.0.len())
    }
}

impl<'a> IntoIterator for Attributes<'a> {
    type Item = Attribute<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// See [`Attributes::iter`].
#[derive(Clone)]
pub struct Iter<'a>(Reader<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        // The framing was checked when the `Attributes` was made: the only error left is the end.
        Attribute::read(&mut self.0).ok()
    }
}

/// One attribute, its value not yet interpreted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its number.
    pub kind: AttributeType,
    /// The Length field: octets of the value and 2.
    pub length: u8,
    /// Its value, 0 to 253 octets.
    pub value: &'a [u8],
}

impl<'a> Attribute<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, FramingError> {
        let left = reader.clone().rest().len();
        let [kind, length] = reader.array().map_err(|_| FramingError::HeaderCutShort)?;
        let value_len = length.checked_sub(HEADER_LEN).ok_or(FramingError::TooShort { kind, length })?;
        let value = reader.take(value_len.into()).map_err(|_| FramingError::PastEnd { kind, length, left })?;
        Ok(Self { kind: AttributeType(kind), length, value })
    }

    /// Type and length, as on the wire.
    pub const fn header(&self) -> [u8; 2] {
        [self.kind.0, self.length]
    }

    /// A text or octet string; an empty one counts as absent, for it must not be sent (RFC 2865, section 5).
    pub fn text(&self) -> Option<&'a [u8]> {
        Some(self.value).filter(|value| !value.is_empty())
    }

    /// An integer or a time: exactly four octets.
    ///
    /// # Errors
    ///
    /// The value has another length.
    pub fn integer(&self) -> Result<u32, ReadError> {
        self.exactly().map(u32::from_be_bytes)
    }

    /// An IPv4 address: exactly four octets.
    ///
    /// # Errors
    ///
    /// The value has another length.
    pub fn ipv4(&self) -> Result<Ipv4Addr, ReadError> {
        self.exactly::<4>().map(Ipv4Addr::from)
    }

    /// An IPv6 address: exactly sixteen octets.
    ///
    /// # Errors
    ///
    /// The value has another length.
    pub fn ipv6(&self) -> Result<Ipv6Addr, ReadError> {
        self.exactly::<16>().map(Ipv6Addr::from)
    }

    /// The vendor of a Vendor-Specific, and the rest of the value, whose layout is that vendor's own affair.
    ///
    /// # Errors
    ///
    /// The value is shorter than a vendor number.
    pub fn vendor(&self) -> Result<(u32, &'a [u8]), ReadError> {
        let mut reader = Reader::new(self.value);
        let vendor = reader.u32()?;
        Ok((vendor, reader.rest()))
    }

    fn exactly<const N: usize>(&self) -> Result<[u8; N], ReadError> {
        let mut reader = Reader::new(self.value);
        let array = reader.array()?;
        reader.finish()?;
        Ok(array)
    }
}

/// Attributes name people: `Debug` shows which and how long.
impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({}, {} octets)", self.kind.0, self.value.len())
    }
}

/// Why octets are no sequence of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// A single octet is left: a type without a length.
    #[error("attribute without a length")]
    HeaderCutShort,
    /// The length does not even cover type and length.
    #[error("attribute {kind} has length {length}, below 2")]
    TooShort {
        /// The attribute's type.
        kind: u8,
        /// Its Length field.
        length: u8,
    },
    /// The length points past the end.
    #[error("attribute {kind} has length {length}, but {left} octets are left")]
    PastEnd {
        /// The attribute's type.
        kind: u8,
        /// Its Length field.
        length: u8,
        /// Octets from its type to the end.
        left: usize,
    },
}

/// Attributes as (type, value), framed: for the tests of those who read them.
#[cfg(test)]
pub(super) fn framed(attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let frame = |(kind, value): &(u8, &[u8])| {
        let length = u8::try_from(value.len()).unwrap().checked_add(HEADER_LEN).unwrap();
        [&[*kind, length], *value].concat()
    };
    attributes.iter().flat_map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(octets: &[u8]) -> Attribute<'_> {
        Attributes::parse(octets).unwrap().iter().next().unwrap()
    }

    #[test]
    fn attributes_fill_their_place_exactly() {
        let error = |octets: &[u8]| Attributes::parse(octets).unwrap_err();
        assert_eq!(error(&[1]), FramingError::HeaderCutShort);
        assert_eq!(error(&[1, 0]), FramingError::TooShort { kind: 1, length: 0 });
        assert_eq!(error(&[1, 1]), FramingError::TooShort { kind: 1, length: 1 });
        assert_eq!(error(&[1, 2, 5, 6, 0]), FramingError::PastEnd { kind: 5, length: 6, left: 3 });

        let three = [1, 3, b'a', 33, 2, 1, 3, b'b'];
        let kinds: Vec<u8> = Attributes::parse(&three).unwrap().iter().map(|attribute| attribute.kind.0).collect();
        assert_eq!(kinds, [1, 33, 1]);
    }

    #[test]
    fn a_value_of_the_wrong_length_is_no_integer() {
        assert_eq!(only(&[41, 6, 0, 0, 1, 2]).integer(), Ok(258));
        assert_eq!(only(&[41, 5, 0, 0, 1]).integer(), Err(ReadError::EndedEarly { wanted: 4, left: 3 }));
        assert_eq!(only(&[41, 7, 0, 0, 1, 2, 3]).integer(), Err(ReadError::TrailingBytes { count: 1 }));
    }

    #[test]
    fn an_empty_text_is_absent() {
        assert_eq!(only(&[1, 2]).text(), None);
        assert_eq!(only(&[1, 3, b'a']).text(), Some(b"a".as_slice()));
    }

    #[test]
    fn debug_shows_no_value() {
        let octets = [1, 7, b'a', b'l', b'i', b'c', b'e'];
        assert_eq!(format!("{:?}", only(&octets)), "Attribute(1, 5 octets)");
        assert_eq!(format!("{:?}", Attributes::parse(&octets).unwrap()), "Attributes(7 octets)");
    }
}
