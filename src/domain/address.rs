//! What can be assigned: an address or a prefix, in a realm, with a range of ports.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// An assigned IPv4 or IPv6 prefix with its host bits cleared; a single address is a /32 or a /128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// The prefix that `net` lies in; host bits are cleared.
    pub fn new(net: IpNet) -> Self {
        Self(net.trunc())
    }

    /// A single address. An IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2) is the IPv4 address it maps.
    pub fn single(address: IpAddr) -> Self {
        Self(IpNet::from(address.to_canonical()))
    }

    /// The prefix of `prefix_len` bits around an address; `None` if the family has no such length.
    pub fn around(address: IpAddr, prefix_len: u8) -> Option<Self> {
        IpNet::new(address, prefix_len).ok().map(Self::new)
    }

    /// Is the address inside?
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Length of the prefix in bits: 0 to 32, or 0 to 128.
    pub fn prefix_len(&self) -> u8 {
        self.0.prefix_len()
    }

    /// The address family.
    pub fn family(&self) -> Family {
        match self.0 {
            IpNet::V4(_) => Family::V4,
            IpNet::V6(_) => Family::V6,
        }
    }

    /// The first address of the prefix.
    pub fn address(&self) -> IpAddr {
        self.0.network()
    }

    /// The prefix as `ipnet` knows it.
    pub fn as_net(&self) -> IpNet {
        self.0
    }
}

/// A whole address prints bare, a prefix with its length.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix_len() == self.family().address_bits() { self.address().fmt(f) } else { self.0.fmt(f) }
    }
}

/// Address family, numbered as IANA numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, address family 1.
    V4,
    /// IPv6, address family 2.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// IANA's address family number.
    pub const fn number(self) -> u8 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
        }
    }

    /// Bits of a whole address.
    pub const fn address_bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

/// The ports of an address that an assignment covers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// The whole address.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// The ports from `first` to `last`; `None` if they are in the wrong order.
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first <= last { Some(Self { first, last }) } else { None }
    }

    /// The lowest port.
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Is the port inside?
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Do the two ranges share a port?
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Is this the whole address?
    pub fn is_all(self) -> bool {
        self == Self::ALL
    }
}

/// Tells apart networks that use the same addresses, such as the inside of two carrier-grade NATs. Empty is the public one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Realm(pub String);

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_do_not_make_another_network() {
        let a = Network::new("2001:db8:1::7/64".parse().unwrap());
        let b = Network::new("2001:db8:1::/64".parse().unwrap());
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "2001:db8:1::/64");
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        let mapped = Network::single("::ffff:192.0.2.1".parse().unwrap());
        assert_eq!(mapped.to_string(), "192.0.2.1");
    }

    #[test]
    fn ports_overlap_when_they_share_one() {
        let low = Ports::new(1024, 2047).unwrap();
        assert!(low.overlaps(Ports::new(2047, 2050).unwrap()));
        assert!(!low.overlaps(Ports::new(2048, 2050).unwrap()));
        assert!(Ports::new(2, 1).is_none());
    }
}
