//! Addresses and prefixes in attributes, and which of them are assignments.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::address::Network;
use crate::wire::reader::{ReadError, Reader};

/// "The NAS shall choose" and "the user shall choose" (RFC 2865, section 5.8).
const CHOSEN_ELSEWHERE: [Ipv4Addr; 2] = [Ipv4Addr::new(255, 255, 255, 254), Ipv4Addr::BROADCAST];

/// What a Framed-IP-Address assigns; `None` for 0.0.0.0 and for the two values that are instructions.
pub(super) fn of_ipv4(address: Ipv4Addr) -> Option<Network> {
    let is_one = !address.is_unspecified() && !CHOSEN_ELSEWHERE.contains(&address);
    is_one.then(|| Network::single(address.into()))
}

/// What a Framed-IPv6-Address assigns; `None` for `::`.
pub(super) fn of_ipv6(address: Ipv6Addr) -> Option<Network> {
    (!address.is_unspecified()).then(|| Network::single(address.into()))
}

/// What the value of a Framed- or Delegated-IPv6-Prefix assigns (RFC 3162, section 2.3): a reserved octet, the length
/// in bits, and as many octets of the prefix as the sender cared to send. A prefix at `::`, /0 above all, is none.
///
/// Bits beyond the length should be zero; some senders put the whole address there, and they are cleared.
pub(super) fn of_prefix(value: &[u8]) -> Result<Option<Network>, PrefixError> {
    let mut reader = Reader::new(value);
    let [_reserved, bits] = reader.array()?;
    let sent = reader.rest();
    let octets = sent.len();
    if bits > 128 {
        return Err(PrefixError::TooManyBits { bits });
    }
    if octets < usize::from(bits.div_ceil(8)) {
        return Err(PrefixError::CutShort { bits, octets });
    }
    let mut whole = [0; 16];
    if octets > whole.len() {
        return Err(PrefixError::TooManyOctets { octets });
    }
    for (to, from) in whole.iter_mut().zip(sent) {
        *to = *from;
    }
    let network = Network::around(IpAddr::from(whole), bits);
    Ok(network.filter(|network| !network.address().is_unspecified()))
}

/// Why a value is no IPv6 prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PrefixError {
    /// It does not even have the two octets before the prefix.
    #[error(transparent)]
    Header(#[from] ReadError),
    /// The prefix length is more than an address has bits.
    #[error("prefix length {bits} is above 128")]
    TooManyBits {
        /// The length field.
        bits: u8,
    },
    /// Fewer octets came than the prefix length needs: the missing ones are not known to be zero.
    #[error("{octets} octets are too few for a /{bits}")]
    CutShort {
        /// The length field.
        bits: u8,
        /// Octets of the prefix.
        octets: usize,
    },
    /// More octets came than an address has.
    #[error("{octets} octets are more than an address")]
    TooManyOctets {
        /// Octets of the prefix.
        octets: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(bits: u8, octets: &[u8]) -> Result<Option<String>, PrefixError> {
        of_prefix(&[&[0, bits], octets].concat()).map(|network| network.map(|network| network.to_string()))
    }

    #[test]
    fn instructions_are_no_addresses() {
        for text in ["0.0.0.0", "255.255.255.254", "255.255.255.255"] {
            assert_eq!(of_ipv4(text.parse().unwrap()), None, "{text}");
        }
        assert_eq!(of_ipv4(Ipv4Addr::new(192, 0, 2, 1)).unwrap().to_string(), "192.0.2.1");
        assert_eq!(of_ipv6(Ipv6Addr::UNSPECIFIED), None);
    }

    #[test]
    fn a_prefix_may_leave_out_the_octets_it_does_not_need() {
        let whole = [0x20, 1, 0x0d, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        assert_eq!(prefix(64, &whole[..8]), Ok(Some("2001:db8:7::/64".into())));
        assert_eq!(prefix(64, &whole), Ok(Some("2001:db8:7::/64".into())));
        assert_eq!(prefix(44, &whole[..6]), Ok(Some("2001:db8::/44".into())));
        assert_eq!(prefix(128, &whole), Ok(Some("2001:db8:7::9".into())));
        assert_eq!(prefix(0, &[]), Ok(None));
        assert_eq!(prefix(64, &[0; 8]), Ok(None));
    }

    #[test]
    fn every_wrong_prefix_is_told_apart() {
        assert_eq!(of_prefix(&[0]), Err(PrefixError::Header(ReadError::EndedEarly { wanted: 2, left: 1 })));
        assert_eq!(prefix(129, &[1; 16]), Err(PrefixError::TooManyBits { bits: 129 }));
        assert_eq!(prefix(57, &[0x20; 7]), Err(PrefixError::CutShort { bits: 57, octets: 7 }));
        assert_eq!(prefix(64, &[0x20; 17]), Err(PrefixError::TooManyOctets { octets: 17 }));
    }
}
