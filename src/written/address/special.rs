//! Addresses that are not simply a subscriber's: reserved blocks, each with its RFC, and those that carry an IPv4
//! address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A block of addresses that was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Special {
    /// Its addresses.
    pub block: IpNet,
    /// What they are, as the end of "this is ...".
    pub what: &'static str,
    /// The RFC that says so.
    pub rfc: u16,
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, RFC {})", self.what, self.block, self.rfc)
    }
}

const fn v4(first: [u8; 4], prefix_len: u8, what: &'static str, rfc: u16) -> Special {
    let [a, b, c, d] = first;
    Special { block: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_len)), what, rfc }
}

/// The block of IPv6 addresses that begins with these groups.
const fn v6(first: [u16; 4], prefix_len: u8, what: &'static str, rfc: u16) -> Special {
    let [a, b, c, d] = first;
    let address = Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
    Special { block: IpNet::V6(Ipv6Net::new_assert(address, prefix_len)), what, rfc }
}

const fn single(address: Ipv6Addr, what: &'static str, rfc: u16) -> Special {
    Special { block: IpNet::V6(Ipv6Net::new_assert(address, 128)), what, rfc }
}

/// The blocks, from the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) and the RFCs themselves. A
/// block inside another stands before it.
pub const BLOCKS: [Special; 39] = [
    v4([0, 0, 0, 0], 8, "an address of \"this network\"", 791),
    v4([10, 0, 0, 0], 8, "a private address", 1918),
    v4([100, 64, 0, 0], 10, "an address of the space that a carrier shares among its subscribers", 6598),
    v4([127, 0, 0, 0], 8, "a loopback address", 1122),
    v4([169, 254, 0, 0], 16, "a link-local address", 3927),
    v4([172, 16, 0, 0], 12, "a private address", 1918),
    v4([192, 0, 0, 0], 29, "an IPv4 address inside IPv6 (DS-Lite, 464XLAT)", 7335),
    v4([192, 0, 0, 0], 24, "an address set aside for protocols", 6890),
    v4([192, 0, 2, 0], 24, "an address for documentation", 5737),
    v4([192, 31, 196, 0], 24, "an address of AS112, which answers for private ones", 7535),
    v4([192, 52, 193, 0], 24, "an address for automatic multicast tunnelling", 7450),
    v4([192, 88, 99, 0], 24, "a relay of 6to4, which is no longer used", 7526),
    v4([192, 168, 0, 0], 16, "a private address", 1918),
    v4([192, 175, 48, 0], 24, "an address of AS112, which answers for private ones", 7534),
    v4([198, 18, 0, 0], 15, "an address for benchmarks", 2544),
    v4([198, 51, 100, 0], 24, "an address for documentation", 5737),
    v4([203, 0, 113, 0], 24, "an address for documentation", 5737),
    v4([224, 0, 0, 0], 4, "a multicast address", 5771),
    v4([255, 255, 255, 255], 32, "the broadcast address", 919),
    v4([240, 0, 0, 0], 4, "a reserved address", 1112),
    single(Ipv6Addr::UNSPECIFIED, "the unspecified address", 4291),
    single(Ipv6Addr::LOCALHOST, "the loopback address", 4291),
    v6([0, 0, 0, 0], 96, "an IPv4-compatible IPv6 address, which is no longer used", 4291),
    v6([0x64, 0xff9b, 0, 0], 96, "an IPv4 address behind a NAT64", 6052),
    v6([0x64, 0xff9b, 1, 0], 48, "an address for local translation between IPv4 and IPv6", 8215),
    v6([0x100, 0, 0, 0], 64, "an address whose packets are discarded", 6666),
    v6([0x2001, 0, 0, 0], 32, "a Teredo address: a tunnel through IPv4", 4380),
    v6([0x2001, 2, 0, 0], 48, "an address for benchmarks", 5180),
    v6([0x2001, 0x10, 0, 0], 28, "an ORCHID, which is no address of a host", 4843),
    v6([0x2001, 0x20, 0, 0], 28, "an ORCHID, which is no address of a host", 7343),
    v6([0x2001, 0, 0, 0], 23, "an address set aside for protocols", 2928),
    v6([0x2001, 0xdb8, 0, 0], 32, "an address for documentation", 3849),
    v6([0x2002, 0, 0, 0], 16, "a 6to4 address: a tunnel through IPv4", 3056),
    v6([0x3fff, 0, 0, 0], 20, "an address for documentation", 9637),
    v6([0x5f00, 0, 0, 0], 16, "a segment of segment routing, which is no address of a host", 9602),
    v6([0xfc00, 0, 0, 0], 7, "a unique local address", 4193),
    v6([0xfe80, 0, 0, 0], 10, "a link-local address", 4291),
    v6([0xfec0, 0, 0, 0], 10, "a site-local address, which is no longer used", 3879),
    v6([0xff00, 0, 0, 0], 8, "a multicast address", 4291),
];

/// All that is given out of IPv6 lies here.
const GLOBAL_UNICAST: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What lies outside of it and in no block. A mistyped first digit ends here.
const NEVER_GIVEN_OUT: Special = v6([0, 0, 0, 0], 0, "an address of a space that was never given out", 4291);

/// What a network was set aside for; `None` for an ordinary one. An IPv6 network is in the block that holds all of it.
pub fn special(network: IpNet) -> Option<&'static Special> {
    let is_given_out = match network {
        IpNet::V4(_) => true,
        IpNet::V6(network) => GLOBAL_UNICAST.contains(&network) || network.contains(&GLOBAL_UNICAST),
    };
    let found = BLOCKS.iter().find(|special| special.block.contains(&network));
    found.or((!is_given_out).then_some(&NEVER_GIVEN_OUT))
}

/// An IPv4 address that an IPv6 address carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Behind the well-known prefix of a NAT64 (RFC 6052, section 2.2).
    Nat64 {
        /// The IPv4 address that is translated.
        address: Ipv4Addr,
    },
    /// In 6to4 (RFC 3056, section 2).
    SixToFour {
        /// The site's IPv4 address.
        address: Ipv4Addr,
    },
    /// In Teredo (RFC 4380, section 4).
    Teredo {
        /// The client's IPv4 address, as the server saw it.
        client: Ipv4Addr,
        /// The client's UDP port, as the server saw it.
        port: u16,
        /// The server's IPv4 address, which is not the subscriber's.
        server: Ipv4Addr,
    },
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nat64 { address } => write!(f, "the IPv4 address behind the NAT64 is {address}"),
            Self::SixToFour { address } => write!(f, "the IPv4 address of the 6to4 site is {address}"),
            Self::Teredo { client, port, server } => {
                write!(f, "the Teredo client is {client} port {port} in IPv4, its server is {server}")
            }
        }
    }
}

/// The IPv4 address that an address carries, if it is of a kind that does.
pub fn carried(address: IpAddr) -> Option<Carried> {
    let IpAddr::V6(v6) = address else { return None };
    let join = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(Carried::Nat64 { address: join(high, low) }),
        [0x2002, high, low, ..] => Some(Carried::SixToFour { address: join(high, low) }),
        // Port and client are inverted, so that no translator on the way mistakes them for addresses.
        [0x2001, 0, server_high, server_low, _flags, port, high, low] => {
            Some(Carried::Teredo { client: join(!high, !low), port: !port, server: join(server_high, server_low) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc(network: &str) -> Option<u16> {
        let network = network.parse().or_else(|_| network.parse::<IpAddr>().map(IpNet::from)).unwrap();
        special(network).map(|special| special.rfc)
    }

    #[test]
    fn each_block_reaches_from_its_first_to_its_last_address_but_for_those_inside_it() {
        for special_block in &BLOCKS {
            assert_eq!(special_block.block, special_block.block.trunc(), "{special_block}");
            assert!(special(special_block.block).is_some_and(|found| found == special_block), "{special_block}");
        }
    }

    #[test]
    fn addresses_are_named_for_what_they_are() {
        let cases = [
            ("8.8.8.8", None),
            ("10.255.255.255", Some(1918)),
            ("172.15.255.255", None),
            ("172.32.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some(6598)),
            ("100.128.0.0", None),
            ("192.0.0.1", Some(7335)),
            ("192.0.0.8", Some(6890)),
            ("203.0.113.7", Some(5737)),
            ("239.1.1.1", Some(5771)),
            ("255.255.255.255", Some(919)),
            ("255.255.255.254", Some(1112)),
            ("2600::1", None),
            ("2001:4860::1", None),
            ("2001:db8::/32", Some(3849)),
            ("2001:0:1::/48", Some(4380)),
            ("2001:1::1", Some(2928)),
            ("::1", Some(4291)),
            ("fd00::1", Some(4193)),
            ("4000::1", Some(4291)),
            ("2000::/3", None),
            ("192.0.0.0/8", None),
        ];
        for (network, expected) in cases {
            assert_eq!(rfc(network), expected, "{network}");
        }
    }

    #[test]
    fn carried_addresses_are_taken_out() {
        let carried = |text: &str| super::carried(text.parse().unwrap());
        let address = Ipv4Addr::new(192, 0, 2, 45);
        assert_eq!(carried("64:ff9b::192.0.2.45"), Some(Carried::Nat64 { address }));
        assert_eq!(carried("2002:c000:22d::1"), Some(Carried::SixToFour { address }));
        let teredo = Carried::Teredo { client: address, port: 40_000, server: Ipv4Addr::new(198, 51, 100, 1) };
        assert_eq!(carried("2001:0:c633:6401:8000:63bf:3fff:fdd2"), Some(teredo));
        assert_eq!(carried("2001:db8::1"), None);
        assert_eq!(carried("192.0.2.45"), None);
    }
}
