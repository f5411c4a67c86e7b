//! Why a text is no address.

use super::PortError;

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing was written.
    #[error("there is no address: write it as 203.0.113.7 or 2001:db8::7")]
    Empty,
    /// Neither IPv4 nor IPv6.
    #[error("`{text}` is no address: write it as 203.0.113.7 or 2001:db8::7")]
    NotAnAddress {
        /// As written.
        text: String,
    },
    /// The place of a page, whose server is not who is asked for.
    #[error("`{text}` is the place of a page: give the address that was seen, of the subscriber and not of the server")]
    Url {
        /// As written.
        text: String,
    },
    /// Some programs read such numbers as octal, so that `010` is 8 or 10.
    #[error("`{part}` in `{text}` begins with a zero: write the address without")]
    LeadingZero {
        /// The number.
        part: String,
        /// As written.
        text: String,
    },
    /// A zone id names an interface of one machine (RFC 4007, section 11), and its address is not to be seen elsewhere.
    #[error("`{zone}` in `{text}` names an interface of one machine: such addresses are seen there only")]
    ZoneId {
        /// From the percent sign on.
        zone: String,
        /// As written.
        text: String,
    },
    /// What stands behind the colon is no port.
    #[error("{0}")]
    Port(#[from] PortError),
    /// An IPv6 address with a port needs brackets, or the port is part of the address.
    #[error("`{text}` has one group too many: if the last is a port, write [{address}]:{port}")]
    PortWithoutBrackets {
        /// As written.
        text: String,
        /// What precedes the last colon.
        address: String,
        /// What follows it.
        port: String,
    },
    /// What stands behind the slash is no length of a prefix.
    #[error("`/{length}` in `{text}` is no prefix: its length is a number up to {longest}")]
    PrefixLength {
        /// As written.
        length: String,
        /// As written.
        text: String,
        /// The bits of an address of the family.
        longest: u8,
    },
    /// A prefix has no ports.
    #[error("`{text}` has a prefix and a port: ask for one address, or without the port")]
    PrefixAndPort {
        /// As written.
        text: String,
    },
}
