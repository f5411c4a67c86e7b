//! Texts that mean something else: sizes, modes, names, networks, paths. Each reader says what it wanted.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::{IpNet, Ipv4Net};

use super::duration;
use super::problem::Problem;
use crate::domain::money::Money;

/// The longest name of a client, a principal or a realm.
const LONGEST_NAME: usize = 64;

/// The longest text that nobody looks into.
const LONGEST_TEXT: usize = 128;

/// Two wholly different things in one key: how long, or never.
pub(super) fn duration_or_none(text: &str) -> Result<Option<Duration>, Problem> {
    if text == "none" { Ok(None) } else { Ok(Some(duration::parse(text)?)) }
}

pub(super) fn duration(text: &str) -> Result<Duration, Problem> {
    Ok(duration::parse(text)?)
}

/// Bytes: `4096`, `64KiB`, `8MiB`, `1GiB`.
pub(super) fn size(text: &str) -> Result<u64, Problem> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (number, unit) =
        units.into_iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit))).unwrap_or((text, 1_u64));
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let bytes = if plain { number.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)) } else { None };
    bytes.ok_or_else(|| Problem::Size { text: text.to_owned() })
}

/// An amount of money, or none.
pub(super) fn money_or_none(text: &str) -> Result<Option<Money>, Problem> {
    let amount = || text.parse().map_err(|_| Problem::Money { text: text.to_owned() });
    if text == "none" { Ok(None) } else { amount().map(Some) }
}

/// A zone of the IANA database.
pub(super) fn zone(text: &str) -> Result<Tz, Problem> {
    text.parse().map_err(|_| Problem::Zone { text: text.to_owned() })
}

/// Permission bits in octal, as chmod(1) takes them.
pub(super) fn mode(text: &str) -> Result<u32, Problem> {
    let plain = matches!(text.len(), 3 | 4) && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let bits = if plain { u32::from_str_radix(text, 8).ok() } else { None };
    bits.filter(|bits| *bits <= 0o777).ok_or_else(|| Problem::Mode { text: text.to_owned() })
}

/// A name that survives logs, metrics and ledgers unchanged.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Problem::Name { text: text.to_owned() })
    }
}

/// A name, or nothing.
pub(super) fn name_or_empty(text: &str) -> Result<String, Problem> {
    if text.is_empty() { Ok(String::new()) } else { name(text) }
}

/// Any text a person would write in one line.
pub(super) fn line(key: &'static str, text: &str) -> Result<String, Problem> {
    if text.chars().any(char::is_control) {
        return Err(Problem::ControlCharacter { key });
    }
    if text.len() > LONGEST_TEXT {
        return Err(Problem::TooLong { key, found: text.len(), most: LONGEST_TEXT });
    }
    Ok(text.to_owned())
}

/// A path as written; what it is relative to is decided later.
pub(super) fn path(key: &'static str, text: &str) -> Result<PathBuf, Problem> {
    if text.is_empty() {
        Err(Problem::Empty { key })
    } else if text.chars().any(char::is_control) {
        Err(Problem::ControlCharacter { key })
    } else {
        Ok(PathBuf::from(text))
    }
}

/// An address with a port. Port 0 lets the kernel choose.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, Problem> {
    text.parse().map_err(|_| Problem::SocketAddress { text: text.to_owned() })
}

/// A prefix, or an address alone, which is a prefix of its whole length.
pub(super) fn network(text: &str) -> Result<IpNet, Problem> {
    let written = || text.to_owned();
    let alone = || text.parse::<IpAddr>().map(IpNet::from);
    let net = text.parse::<IpNet>().or_else(|_| alone()).map_err(|_| Problem::Network { text: written() })?;
    if let Some(plain) = mapped(net) {
        return Err(Problem::MappedNetwork { text: written(), plain });
    }
    if net != net.trunc() {
        return Err(Problem::HostBits { text: written(), whole: net.trunc(), single: IpNet::from(net.addr()) });
    }
    Ok(net)
}

/// The IPv4 network that an IPv6 one maps (RFC 4291, section 2.5.5.2), if it does.
fn mapped(net: IpNet) -> Option<IpNet> {
    let IpNet::V6(net) = net else { return None };
    let length = net.prefix_len().checked_sub(96)?;
    let address = net.addr().to_ipv4_mapped()?;
    Some(IpNet::V4(Ipv4Net::new(address, length).ok()?.trunc()))
}

/// One of a fixed few, each known by its name.
pub(super) fn choice<T: FromStr>(
    key: &'static str,
    text: &str,
    choices: impl IntoIterator<Item = &'static str>,
) -> Result<T, Problem> {
    let unknown = |_| Problem::Choice { key, text: text.to_owned(), choices: choices.into_iter().collect() };
    text.parse().map_err(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units_or_none() {
        assert_eq!(size("8MiB"), Ok(8 << 20));
        assert_eq!(size("4096"), Ok(4096));
        for text in ["", "MiB", "8MB", "8 MiB", "-1", "+1", "1.5MiB", "99999999999999999999", "18446744073709551615KiB"]
        {
            assert_eq!(size(text), Err(Problem::Size { text: text.into() }), "{text}");
        }
    }

    #[test]
    fn modes_are_octal_permission_bits() {
        assert_eq!(mode("0660"), Ok(0o660));
        assert_eq!(mode("600"), Ok(0o600));
        for text in ["", "66", "0o660", "0888", "4755", "00660", "+660"] {
            assert_eq!(mode(text), Err(Problem::Mode { text: text.into() }), "{text}");
        }
    }

    #[test]
    fn an_address_alone_is_a_network_of_one() {
        assert_eq!(network("192.0.2.7"), network("192.0.2.7/32"));
        assert_eq!(network("2001:db8::7"), network("2001:db8::7/128"));
    }

    #[test]
    fn mapped_networks_are_named_by_what_they_map() {
        let plain = "192.0.2.0/24".parse().unwrap();
        for text in ["::ffff:192.0.2.0/120", "::ffff:c000:207/120"] {
            assert_eq!(network(text), Err(Problem::MappedNetwork { text: text.into(), plain }));
        }
        assert!(network("::/0").is_ok());
    }
}
