//! The ways in which a report of port blocks can be wrong.

use super::super::attribute::FramingError;
use crate::wire::reader::ReadError;

/// Why something is no block of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::wire::radius) enum BlockError {
    /// A value has another length than its type.
    #[error(transparent)]
    Value(#[from] ReadError),
    /// What is inside the attribute is no sequence of attributes.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// A text that is not UTF-8.
    #[error("port range is no text")]
    NotText,
    /// A text that does not begin with an address.
    #[error("port range without an address")]
    NoAddress,
    /// A text that ends behind the address.
    #[error("port range without ports")]
    NoPorts,
    /// No port and no two ports with a hyphen.
    #[error("no range of ports")]
    NoRange,
    /// A number that is no port.
    #[error("port {number} is above 65535")]
    PortTooLarge {
        /// The number.
        number: u32,
    },
    /// A range that ends before it begins.
    #[error("ports run backwards from {first} to {last}")]
    Backwards {
        /// The first.
        first: u16,
        /// The last.
        last: u16,
    },
    /// 0.0.0.0, or an instruction in the place of an address.
    #[error("outside address is none")]
    Unspecified,
    /// No IP-Port-Alloc, which must be there.
    #[error("port range neither allocated nor freed")]
    MissingAlloc,
    /// An IP-Port-Alloc that is reserved.
    #[error("port range with the unknown event {alloc}")]
    UnknownAlloc {
        /// Its value.
        alloc: u32,
    },
    /// No IP-Port-Ext-IPv4-Addr.
    #[error("port range without its external address")]
    MissingAddress,
    /// No IP-Port-Range-Start.
    #[error("port range without its start")]
    MissingStart,
    /// No IP-Port-Range-End.
    #[error("port range without its end")]
    MissingEnd,
    /// Parts of blocks that do not tell which belong together.
    #[error("{addresses} addresses, {firsts} first and {lasts} last ports make no blocks")]
    Unpaired {
        /// How many addresses.
        addresses: usize,
        /// How many first ports.
        firsts: usize,
        /// How many last ports.
        lasts: usize,
    },
}
