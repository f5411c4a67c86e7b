//! An address as a paper writes it: plain, with a port, as a prefix, or broken up so that nobody clicks on it.
//!
//! Nothing is repaired that could be meant otherwise: leading zeros, names of interfaces and places of pages are
//! refused. Whether an address is of our networks is for the configuration to say.

mod error;
mod note;
mod port;
mod special;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::scan::shown;
use crate::domain::address::{Family, Network};
pub use error::AddressError;
pub use note::Note;
pub use port::{PortError, port, service};
pub use special::{BLOCKS, Carried, Special, carried, special};

/// How a separator is written so that nobody clicks on it.
const DEFANGED: [(&str, &str); 6] =
    [("[.]", "."), ("(.)", "."), ("{.}", "."), ("[dot]", "."), ("(dot)", "."), ("[:]", ":")];

/// An address that was read, with what was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The text as it was written.
    pub raw: String,
    /// The address, or the prefix if one was written.
    pub network: Network,
    /// The port that stood with it, from 1.
    pub port: Option<u16>,
    /// What should be shown beside it.
    pub notes: Vec<Note>,
}

/// As it is written without doubt: `203.0.113.7`, `203.0.113.7:4711`, `[2001:db8::7]:4711`, `2001:db8::/64`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.network.family()) {
            (None, _) => self.network.fmt(f),
            (Some(port), Family::V4) => write!(f, "{}:{port}", self.network),
            (Some(port), Family::V6) => write!(f, "[{}]:{port}", self.network),
        }
    }
}

/// Reads an address, with a port or the length of a prefix if one is there.
///
/// # Errors
///
/// If the text is no address, or one that could be another.
pub fn read(text: &str) -> Result<Address, AddressError> {
    let raw = text.to_owned();
    let text = text.trim();
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    if text.contains("://") {
        return Err(AddressError::Url { text: shown(text) });
    }
    let plain = DEFANGED.iter().fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant));
    let mut notes = Vec::new();
    if plain != text {
        notes.push(Note::Defanged);
    }
    if let Some((_, zone)) = plain.split_once('%') {
        return Err(AddressError::ZoneId { zone: shown(&format!("%{zone}")), text: shown(text) });
    }
    let Parts { address, length, port } = Parts::of(&plain)?;
    let address = host(address, &plain)?;
    if port.is_none() && length.is_none() {
        notes.extend(last_group(&plain, address));
    }
    let network = match length {
        None => IpNet::from(address),
        Some(length) => prefix(address, length, &plain)?,
    };
    let written = network;
    let network = unmapped(network);
    if network != written {
        notes.push(Note::Mapped);
    }
    let port = port.map(port::port).transpose()?;
    let is_whole = network.prefix_len() < network.max_prefix_len();
    if is_whole && port.is_some() {
        return Err(AddressError::PrefixAndPort { text: shown(&plain) });
    }
    if network.trunc() != network {
        notes.push(Note::HostBits);
    }
    if is_whole {
        notes.push(Note::Whole { network: network.trunc() });
    }
    notes.extend(special(network.trunc()).map(Note::Special));
    if !is_whole {
        notes.extend(carried(network.addr()).map(Note::Carried));
    }
    Ok(Address { raw, network: Network::new(network), port, notes })
}

/// The parts of a text, none of them read yet.
struct Parts<'t> {
    address: &'t str,
    length: Option<&'t str>,
    port: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Result<Self, AddressError> {
        let not = || AddressError::NotAnAddress { text: shown(text) };
        if let Some(inside) = text.strip_prefix('[') {
            let (address, rest) = inside.split_once(']').ok_or_else(not)?;
            // In brackets stands IPv6 (RFC 3986, section 3.2.2).
            if !address.contains(':') {
                return Err(not());
            }
            return match (rest.strip_prefix(':'), rest.strip_prefix('/')) {
                (Some(port), _) => Ok(Self { address, length: None, port: Some(port) }),
                (_, Some(length)) => Ok(Self { address, length: Some(length), port: None }),
                _ if rest.is_empty() => Ok(Self { address, length: None, port: None }),
                _ => Err(not()),
            };
        }
        let (head, length) = match text.split_once('/') {
            Some((head, length)) => (head, Some(length)),
            None => (text, None),
        };
        // A prefix with a port behind it is split at its colon, so that it is refused for what it is.
        if let Some((length, port)) = length.and_then(|length| length.split_once(':')) {
            return Ok(Self { address: head, length: Some(length), port: Some(port) });
        }
        match head.split_once(':') {
            Some((address, port)) if address.contains('.') && !port.contains(':') => {
                Ok(Self { address, length, port: Some(port) })
            }
            _ => Ok(Self { address: head, length, port: None }),
        }
    }
}

/// Reads a whole address.
fn host(address: &str, text: &str) -> Result<IpAddr, AddressError> {
    if let Ok(address) = address.parse() {
        return Ok(address);
    }
    // IPv4 alone, or at the end of IPv6.
    let dotted = address.rsplit(':').next().unwrap_or(address);
    let are_numbers = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let begins_with_zero = |part: &&str| part.len() > 1 && part.starts_with('0');
    if dotted.contains('.')
        && dotted.split('.').all(are_numbers)
        && let Some(part) = dotted.split('.').find(begins_with_zero)
    {
        return Err(AddressError::LeadingZero { part: shown(part), text: shown(text) });
    }
    match address.rsplit_once(':') {
        Some((head, last)) if head.parse::<Ipv6Addr>().is_ok() && are_numbers(last) => {
            let (address, port) = (shown(head), shown(last));
            Err(AddressError::PortWithoutBrackets { text: shown(text), address, port })
        }
        _ => Err(AddressError::NotAnAddress { text: shown(text) }),
    }
}

fn prefix(address: IpAddr, length: &str, text: &str) -> Result<IpNet, AddressError> {
    let longest = Family::of(address).address_bits();
    let is_plain = length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    let found = length.parse().ok().filter(|_| is_plain).and_then(|length| IpNet::new(address, length).ok());
    found.ok_or_else(|| AddressError::PrefixLength { length: shown(length), text: shown(text), longest })
}

/// The IPv4 network that an IPv4-mapped one maps; any other as it is.
fn unmapped(network: IpNet) -> IpNet {
    let mapped = match network.addr() {
        IpAddr::V6(address) => address.to_ipv4_mapped(),
        IpAddr::V4(_) => None,
    };
    let length = network.prefix_len().checked_sub(96);
    let v4 = mapped.zip(length).and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    v4.map_or(network, IpNet::V4)
}

/// A last group of three or four decimal digits, behind something that is an address without it. There is no telling
/// whether `2001:db8::1:4711` has a port.
fn last_group(text: &str, address: IpAddr) -> Option<Note> {
    let (head, group) = text.rsplit_once(':')?;
    let looks_like_port =
        group.len() >= 3 && group.bytes().all(|byte| byte.is_ascii_digit()) && !group.starts_with('0');
    let is_address = head.parse::<Ipv6Addr>().is_ok();
    (address.is_ipv6() && looks_like_port && is_address)
        .then(|| Note::LastGroup { address: head.to_owned(), group: group.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(text: &str) -> String {
        read(text).unwrap_or_else(|error| panic!("`{text}`: {error}")).to_string()
    }

    #[test]
    fn addresses_are_read_in_every_form() {
        let cases = [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7:4711 ", "203.0.113.7:4711"),
            ("203[.]0[.]113[.]7", "203.0.113.7"),
            ("203(.)0(.)113(.)7", "203.0.113.7"),
            ("203.0.113[.]7:4711", "203.0.113.7:4711"),
            ("203.0.113[.]7[:]4711", "203.0.113.7:4711"),
            ("203[dot]0[dot]113[dot]7", "203.0.113.7"),
            ("2001:DB8:0:0::7", "2001:db8::7"),
            ("2001[:]db8[:]:7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "[2001:db8::7]:4711"),
            ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
            ("[2001:db8:1:2::]/64", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::7/64", "2001:db8:1:2::/64"),
            ("2001:db8::7/128", "2001:db8::7"),
            ("203.0.113.0/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:cb00:7107", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:4711", "203.0.113.7:4711"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("64:ff9b::203.0.113.7", "64:ff9b::cb00:7107"),
        ];
        for (text, expected) in cases {
            assert_eq!(printed(text), expected, "{text}");
        }
    }

    #[test]
    fn notes_say_what_was_changed_and_what_it_is() {
        let notes = |text: &str| read(text).unwrap().notes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let documentation = "this is an address for documentation (203.0.113.0/24, RFC 5737)";
        assert_eq!(notes("8.8.8.8"), [""; 0]);
        assert_eq!(notes("203.0.113.7"), [documentation]);
        let refanged = "brackets that keep it from being clicked on were taken off";
        assert_eq!(notes("203[.]0[.]113[.]7"), [refanged, documentation]);
        let mapped = "an IPv4 address written as IPv6 was read as the IPv4 address";
        assert_eq!(notes("::ffff:203.0.113.7"), [mapped, documentation]);
        let bits = "an address with the length of a prefix was read as the whole prefix";
        let whole = "2600:1:2:3::/64 is a whole network, which may have had several holders";
        assert_eq!(notes("2600:1:2:3::7/64"), [bits, whole]);
        let group = "`4711` was read as part of the address: if it is a port, write [2600::1]:4711";
        assert_eq!(notes("2600::1:4711"), [group]);
        let nat64 = "this is an IPv4 address behind a NAT64 (64:ff9b::/96, RFC 6052)";
        assert_eq!(notes("64:ff9b::203.0.113.7"), [nat64, "the IPv4 address behind the NAT64 is 203.0.113.7"]);
    }

    #[test]
    fn what_is_no_address_says_why() {
        let cases = [
            ("", "there is no address: write it as 203.0.113.7 or 2001:db8::7"),
            ("www.example.net", "`www.example.net` is no address: write it as 203.0.113.7 or 2001:db8::7"),
            ("203.0.113", "`203.0.113` is no address: write it as 203.0.113.7 or 2001:db8::7"),
            ("203.0.113.256", "`203.0.113.256` is no address: write it as 203.0.113.7 or 2001:db8::7"),
            ("3405803783", "`3405803783` is no address: write it as 203.0.113.7 or 2001:db8::7"),
            ("[203.0.113.7]:80", "`[203.0.113.7]:80` is no address: write it as 203.0.113.7 or 2001:db8::7"),
            ("[2001:db8::7]80", "`[2001:db8::7]80` is no address: write it as 203.0.113.7 or 2001:db8::7"),
            ("203.0.113.07", "`07` in `203.0.113.07` begins with a zero: write the address without"),
            ("::ffff:203.000.113.7", "`000` in `::ffff:203.000.113.7` begins with a zero: write the address without"),
            (
                "fe80::1%eth0",
                "`%eth0` in `fe80::1%eth0` names an interface of one machine: such addresses are seen there only",
            ),
            ("203.0.113.7:0", "port 0 is used by nobody: leave it out if none is known"),
            ("203.0.113.7:70000", "port 70000 is above 65535"),
            ("203.0.113.7:", "`` is no port: write a number from 1 to 65535"),
            ("203.0.113.7/33", "`/33` in `203.0.113.7/33` is no prefix: its length is a number up to 32"),
            ("2001:db8::/064", "`/064` in `2001:db8::/064` is no prefix: its length is a number up to 128"),
            (
                "203.0.113.0/24:80",
                "`203.0.113.0/24:80` has a prefix and a port: ask for one address, or without the port",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).map_err(|error| error.to_string()), Err(expected.to_owned()), "{text}");
        }
        let url = read("hxxps://203.0.113.7/x").unwrap_err();
        assert!(matches!(url, AddressError::Url { .. }));
        let crowded = read("2001:db8:1:2:3:4:5:6:4711").unwrap_err().to_string();
        let hint = "if the last is a port, write [2001:db8:1:2:3:4:5:6]:4711";
        assert!(crowded.ends_with(hint), "{crowded}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

        /// Any text is read or refused, and what was read is printed so that it is read again as the same.
        #[test]
        fn no_text_makes_it_panic(text in prop_oneof![any::<String>(), "[0-9a-f:./%\\[\\]()]{0,40}"]) {
            if let Ok(address) = read(&text) {
                let again = read(&address.to_string());
                let same = again.as_ref().map(|again| (again.network, again.port));
                prop_assert_eq!(same, Ok((address.network, address.port)));
            }
        }

        #[test]
        fn every_address_is_read(bits in any::<u128>(), low in any::<u32>(), port in 1..=u16::MAX) {
            let v4 = std::net::Ipv4Addr::from(low);
            prop_assert_eq!(read(&format!("{v4}:{port}")).unwrap().network, Network::single(v4.into()));
            let v6 = Ipv6Addr::from(bits);
            let found = read(&format!("[{v6}]:{port}")).unwrap();
            prop_assert_eq!((found.network, found.port), (Network::single(v6.into()), Some(port)));
        }
    }
}
