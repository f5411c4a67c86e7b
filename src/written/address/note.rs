//! What a reader should know about how an address was read.

use std::fmt;

use ipnet::IpNet;

use super::{Carried, Special};

/// Something that was changed when an address was read, or that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It was written so that nobody clicks on it.
    Defanged,
    /// It was an IPv4 address written as IPv6 (RFC 4291, section 2.5.5.2).
    Mapped,
    /// It named one address and the length of a prefix; the whole prefix was taken.
    HostBits,
    /// It is a whole network, which may have several holders.
    Whole {
        /// The network.
        network: IpNet,
    },
    /// The last group looks like a port that was written without brackets.
    LastGroup {
        /// The address without it.
        address: String,
        /// The group.
        group: String,
    },
    /// It is of a block that was set aside.
    Special(&'static Special),
    /// It carries an IPv4 address.
    Carried(Carried),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defanged => f.write_str("brackets that keep it from being clicked on were taken off"),
            Self::Mapped => f.write_str("an IPv4 address written as IPv6 was read as the IPv4 address"),
            Self::HostBits => f.write_str("an address with the length of a prefix was read as the whole prefix"),
            Self::Whole { network } => write!(f, "{network} is a whole network, which may have had several holders"),
            Self::LastGroup { address, group } => {
                write!(f, "`{group}` was read as part of the address: if it is a port, write [{address}]:{group}")
            }
            Self::Special(special) => write!(f, "this is {special}"),
            Self::Carried(carried) => carried.fmt(f),
        }
    }
}
