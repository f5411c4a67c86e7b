//! Translated addresses: what lies on the inside of an outside address and port.
//!
//! A NAT that reports its blocks of ports leaves records; one that computes them (RFC 7422) leaves none, and is a rule here.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::address::{Network, Realm};

/// What a NAT translates: an address or prefix on its inside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inside {
    /// Which of several equal address spaces.
    pub realm: Realm,
    /// The address, or the prefix of a subscriber who has one.
    pub network: Network,
}

/// A NAT whose translations follow from its configuration (RFC 7422, section 2), by the sequential algorithm.
///
/// The addresses of `inside`, all of them and in their order, get the blocks of the first address of `outside`, from
/// `first_port` up, then those of the second, and so on. Ports above the last whole block belong to nobody here, and
/// neither do those above `last_port`, where the dynamic overflow pool may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deterministic {
    /// The realm of the outside addresses.
    pub outside_realm: Realm,
    /// The outside addresses.
    pub outside: Ipv4Net,
    /// The realm of the inside addresses.
    pub inside_realm: Realm,
    /// The inside addresses.
    pub inside: Ipv4Net,
    /// The first port of the first block of every outside address.
    pub first_port: u16,
    /// The last port that may lie in a block.
    pub last_port: u16,
    /// How many ports one inside address has. Zero of them make no block.
    pub ports: u16,
}

impl Deterministic {
    /// How many blocks an outside address has: the compression ratio.
    pub fn blocks(&self) -> u32 {
        let room = u32::from(self.last_port).saturating_add(1).saturating_sub(u32::from(self.first_port));
        room.checked_div(u32::from(self.ports)).unwrap_or(0)
    }

    /// How many inside addresses there are.
    pub fn inside_count(&self) -> u64 {
        count(self.inside)
    }

    /// How many blocks all outside addresses have together.
    pub fn capacity(&self) -> u64 {
        count(self.outside).saturating_mul(u64::from(self.blocks()))
    }

    /// Is the address one of the outside ones?
    pub fn translates(&self, realm: &Realm, address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(address) if *realm == self.outside_realm && self.outside.contains(&address))
    }

    /// The inside address that has a port of an outside address; `None` if it is in no block that somebody has.
    pub fn inside_of(&self, outside: IpAddr, port: u16) -> Option<Inside> {
        if port > self.last_port {
            return None;
        }
        let above = u32::from(port.checked_sub(self.first_port)?);
        let block = above.checked_div(u32::from(self.ports)).filter(|block| *block < self.blocks())?;
        let index = self.first_behind(outside)?.checked_add(u64::from(block))?;
        if index >= self.inside_count() {
            return None;
        }
        let address = u32::from(self.inside.network()).checked_add(u32::try_from(index).ok()?)?;
        Some(Inside { realm: self.inside_realm.clone(), network: Network::single(Ipv4Addr::from(address).into()) })
    }

    /// How many inside addresses share an outside one; 0 for an address that is none.
    pub fn sharing(&self, outside: IpAddr) -> u64 {
        let first = self.first_behind(outside);
        let left = first.map_or(0, |first| self.inside_count().saturating_sub(first));
        left.min(u64::from(self.blocks()))
    }

    /// The place, among the inside addresses, of the one that has the first block of an outside address.
    fn first_behind(&self, outside: IpAddr) -> Option<u64> {
        let IpAddr::V4(address) = outside else { return None };
        if !self.outside.contains(&address) {
            return None;
        }
        let place = u32::from(address).checked_sub(u32::from(self.outside.network()))?;
        u64::from(place).checked_mul(u64::from(self.blocks()))
    }
}

/// How many addresses a network has, with its first and its last.
fn count(network: Ipv4Net) -> u64 {
    1_u64.checked_shl(u32::from(32_u8.saturating_sub(network.prefix_len()))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Deterministic {
        Deterministic {
            outside_realm: Realm::default(),
            outside: "192.0.2.0/31".parse().unwrap(),
            inside_realm: Realm("cgn-1".into()),
            inside: "10.0.0.0/28".parse().unwrap(),
            first_port: 1024,
            last_port: u16::MAX,
            ports: 6451,
        }
    }

    fn inside(rule: &Deterministic, outside: &str, port: u16) -> Option<String> {
        rule.inside_of(outside.parse().unwrap(), port).map(|inside| inside.network.to_string())
    }

    #[test]
    fn blocks_are_given_in_the_order_of_the_inside_addresses() {
        let rule = rule();
        assert_eq!((rule.blocks(), rule.capacity(), rule.inside_count()), (10, 20, 16));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(inside(&rule, "192.0.2.0", 1023), None);
        assert_eq!(inside(&rule, "192.0.2.0", 1024), some("10.0.0.0"));
        assert_eq!(inside(&rule, "192.0.2.0", 7474), some("10.0.0.0"));
        assert_eq!(inside(&rule, "192.0.2.0", 7475), some("10.0.0.1"));
        assert_eq!(inside(&rule, "192.0.2.0", 65533), some("10.0.0.9"));
        // Two ports are left over; six inside addresses are left for the second outside one.
        assert_eq!(inside(&rule, "192.0.2.0", 65534), None);
        assert_eq!(inside(&rule, "192.0.2.1", 1024), some("10.0.0.10"));
        assert_eq!(inside(&rule, "192.0.2.1", 1024 + 6 * 6451 - 1), some("10.0.0.15"));
        assert_eq!(inside(&rule, "192.0.2.1", 1024 + 6 * 6451), None);
        assert_eq!(inside(&rule, "192.0.2.2", 2000), None);
        let sharing = ["192.0.2.0", "192.0.2.1", "192.0.2.2"].map(|outside| rule.sharing(outside.parse().unwrap()));
        assert_eq!(sharing, [10, 6, 0]);
    }

    #[test]
    fn ports_above_the_last_belong_to_the_overflow_pool() {
        let rule = Deterministic { last_port: 1024 + 2 * 6451 - 1, ..rule() };
        assert_eq!(rule.blocks(), 2);
        assert_eq!(inside(&rule, "192.0.2.0", 1024 + 2 * 6451), None);
        assert_eq!(inside(&rule, "192.0.2.1", 1024), Some("10.0.0.2".into()));
    }

    #[test]
    fn every_inside_address_has_its_ports_and_shares_none() {
        let rule = Deterministic { outside: "192.0.2.0/30".parse().unwrap(), ports: 15_000, ..rule() };
        let mut ports = std::collections::BTreeMap::new();
        for outside in ["192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            for port in 0..=u16::MAX {
                if let Some(inside) = inside(&rule, outside, port) {
                    *ports.entry(inside).or_insert(0) += 1;
                }
            }
        }
        assert_eq!(ports.len(), 16);
        assert!(ports.values().all(|count| *count == 15_000));
    }

    #[test]
    fn a_rule_is_of_its_realm() {
        let rule = rule();
        let outside = "192.0.2.1".parse().unwrap();
        assert!(rule.translates(&Realm::default(), outside));
        assert!(!rule.translates(&Realm("cgn-1".into()), outside));
        assert!(!rule.translates(&Realm::default(), "2001:db8::1".parse().unwrap()));
        let none = Deterministic { ports: 0, ..rule };
        assert_eq!((none.blocks(), none.sharing(outside), none.inside_of(outside, 2000)), (0, 0, None));
    }
}
