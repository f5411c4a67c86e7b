//! Made-up people and the addresses they are given.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lapsed::domain::address::Network;

/// A subscriber, by number. There are no more than 2^23 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subscriber(pub(crate) u32);

impl Subscriber {
    /// The name that the subscriber logs in with.
    pub(crate) fn name(self) -> String {
        format!("user{:03}@example.net", self.0)
    }

    /// The hardware address, written as in Calling-Station-Id: `02-00-5E-10-..` for the first 65,536.
    pub(crate) fn mac(self) -> String {
        let [high, middle, low] = self.low_octets();
        format!("02-00-5E-{:02X}-{middle:02X}-{low:02X}", high.wrapping_add(0x10))
    }

    /// The line, as the access node names it.
    pub(crate) fn circuit_id(self) -> String {
        let [high, middle, low] = self.low_octets();
        format!("olt{high} eth 0/{middle}/{low}")
    }

    /// Every third subscriber has IPv6 as well.
    pub(crate) const fn has_ipv6(self) -> bool {
        self.0.is_multiple_of(3)
    }

    const fn low_octets(self) -> [u8; 3] {
        let [_, high, middle, low] = self.0.to_be_bytes();
        [high, middle, low]
    }
}

/// What one session is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Framed-IP-Address.
    pub(crate) v4: Ipv4Addr,
    /// Framed-IPv6-Prefix, a /64, and Delegated-IPv6-Prefix, a /56.
    pub(crate) v6: Option<Prefixes>,
}

/// The two prefixes of a session with IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prefixes {
    /// Of the link to the subscriber.
    pub(crate) framed: Network,
    /// For the networks behind it.
    pub(crate) delegated: Network,
}

impl Prefixes {
    /// The prefixes with this number, out of 2001:db8::/32: links in the lower half, delegations in the upper.
    pub(crate) fn numbered(number: u32) -> Self {
        let cut = |number: u64, len: u8| {
            let high = (0x2001_0db8_u64 << 32) | number;
            let address = IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64));
            Network::around(address, len).unwrap_or_else(|| Network::single(address))
        };
        let number = u64::from(number);
        Self { framed: cut(number, 64), delegated: cut((1 << 31) | (number << 8), 56) }
    }
}

impl Addresses {
    /// Is the address one of these, or inside one of the prefixes?
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        match self.v6 {
            Some(v6) if v6.framed.contains(address) || v6.delegated.contains(address) => true,
            _ => address == IpAddr::V4(self.v4),
        }
    }
}
