//! Why a line is no event. No error holds a value of the line, so that each can be logged; the one that holds a name
//! holds that of a field we do not know.

use std::fmt;

/// The fields of an event, by the names they have in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// What is said.
    Kind,
    /// When it happened.
    Time,
    /// The address or prefix.
    Address,
    /// The ports of it.
    Ports,
    /// Whom it belongs to.
    Subscriber,
    /// The session.
    Session,
    /// Which NAS or server says it.
    Nas,
    /// The customer's equipment.
    Mac,
    /// Agent Circuit ID.
    CircuitId,
    /// Agent Remote ID.
    RemoteId,
    /// When the lease runs out.
    LeaseUntil,
}

impl Field {
    /// Every field, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Kind,
        Self::Time,
        Self::Address,
        Self::Ports,
        Self::Subscriber,
        Self::Session,
        Self::Nas,
        Self::Mac,
        Self::CircuitId,
        Self::RemoteId,
        Self::LeaseUntil,
    ];

    /// Its name in a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Time => "time",
            Self::Address => "address",
            Self::Ports => "ports",
            Self::Subscriber => "subscriber",
            Self::Session => "session",
            Self::Nas => "nas",
            Self::Mac => "mac",
            Self::CircuitId => "circuit-id",
            Self::RemoteId => "remote-id",
            Self::LeaseUntil => "lease-until",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a line is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// There is nothing in it.
    #[error("the line is empty")]
    Empty,
    /// It is longer than [`super::MAX_LINE`].
    #[error("the line is longer than {} bytes", super::MAX_LINE)]
    TooLong,
    /// It is no UTF-8.
    #[error("the line is no UTF-8: see byte {at}")]
    NotUtf8 {
        /// The first byte that is not, counted from 1.
        at: usize,
    },
    /// It is no JSON (RFC 8259).
    #[error("the line is no JSON: see column {column}")]
    NotJson {
        /// Where that shows, counted from 1 in bytes.
        column: usize,
    },
    /// It is the beginning of JSON.
    #[error("the line ends in the middle of its JSON")]
    CutShort,
    /// It is JSON, and no object.
    #[error("the line is no JSON object")]
    NotAnObject,
    /// It has a field that events do not have.
    #[error("unknown field `{name}`")]
    UnknownField {
        /// The field's name, or the beginning of a long one.
        name: Box<str>,
    },
    /// A field comes twice, and nobody can say which is meant.
    #[error("{field}: it comes twice")]
    Repeated {
        /// The field.
        field: Field,
    },
    /// A value of another type.
    #[error("{field}: expected {expected}, found {found}")]
    WrongType {
        /// The field.
        field: Field,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A field that this kind of event cannot do without.
    #[error("{field}: it is missing, and `{kind}` needs it")]
    Missing {
        /// The field.
        field: Field,
        /// The kind as written.
        kind: &'static str,
    },
    /// There is no `kind`.
    #[error("kind: it is missing")]
    NoKind,
    /// A field that means nothing for this kind of event. Taking it would promise to keep what is not kept.
    #[error("{field}: `{kind}` has none")]
    Unwelcome {
        /// The field.
        field: Field,
        /// The kind as written.
        kind: &'static str,
    },
    /// Ports, and no address that they are of.
    #[error("ports: there is no address that they are of")]
    PortsOfNothing,
    /// No such kind.
    #[error("kind: expected start, update, stop, logon, reset or decline")]
    UnknownKind,
    /// A text with nothing in it.
    #[error("{field}: it is empty")]
    EmptyText {
        /// The field.
        field: Field,
    },
    /// A text longer than [`super::line::MAX_TEXT`].
    #[error("{field}: it is longer than {} bytes", super::line::MAX_TEXT)]
    TextTooLong {
        /// The field.
        field: Field,
    },
    /// A control character, NUL and line feed among them.
    #[error("{field}: it has a control character; write bytes that are no text as 0x and hex")]
    ControlCharacter {
        /// The field.
        field: Field,
    },
    /// No RFC 3339 time, or one that names no instant.
    #[error("{field}: expected an RFC 3339 time with Z or an offset, such as 2026-11-21T10:00:00Z")]
    BadTime {
        /// The field.
        field: Field,
    },
    /// Neither an address nor a prefix.
    #[error("address: expected an IPv4 or IPv6 address, or a prefix such as 2001:db8:1::/56")]
    BadAddress,
    /// Bits are set below the prefix length.
    #[error("address: the prefix has bits below its length")]
    HostBits,
    /// An address that nobody can hold: unspecified, broadcast, multicast, loopback.
    #[error("address: nobody can hold this address")]
    NotAssignable,
    /// No two ports, the lower first.
    #[error("ports: expected two whole numbers from 0 to 65535, the lower first")]
    BadPorts,
    /// No MAC address.
    #[error("mac: expected six octets in hex, such as 02:00:5e:10:00:01")]
    BadMac,
}
