//! Ports: which numbers are ports, and which look like the other end's.

/// Why a text is no port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// It is no plain number; a leading zero is none either.
    #[error("`{text}` is no port: write a number from 1 to 65535")]
    NotANumber {
        /// As written.
        text: String,
    },
    /// Zero stands for "no port" in protocols, and nothing is sent from it.
    #[error("port 0 is used by nobody: leave it out if none is known")]
    Zero,
    /// Ports have 16 bits.
    #[error("port {text} is above 65535")]
    TooHigh {
        /// As written.
        text: String,
    },
}

/// Ports above 1023 that are mostly a server's, with the service (IANA Service Name and Transport Protocol Port Number
/// Registry, RFC 6335; those without an entry of that meaning are known by use). Sorted.
const OF_SERVERS: [(u16, &str); 27] = [
    (1080, "SOCKS"),
    (1194, "OpenVPN"),
    (1433, "Microsoft SQL Server"),
    (1701, "L2TP"),
    (1723, "PPTP"),
    (1883, "MQTT"),
    (3074, "Xbox"),
    (3128, "web proxies"),
    (3306, "MySQL"),
    (3389, "remote desktop"),
    (3478, "STUN"),
    (4500, "IPsec NAT traversal"),
    (5060, "SIP"),
    (5061, "SIP over TLS"),
    (5222, "XMPP"),
    (5223, "Apple push notifications"),
    (5228, "Google push notifications"),
    (5432, "PostgreSQL"),
    (5900, "VNC"),
    (6379, "Redis"),
    (6667, "IRC"),
    (8000, "the web, alternative"),
    (8080, "the web, alternative"),
    (8443, "the web over TLS, alternative"),
    (8883, "MQTT over TLS"),
    (25565, "Minecraft"),
    (51820, "WireGuard"),
];

/// Reads a port.
///
/// # Errors
///
/// If it is no number from 1 to 65535.
pub fn port(text: &str) -> Result<u16, PortError> {
    let text = text.trim();
    let shown = || super::shown(text);
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        _ if !is_number => Err(PortError::NotANumber { text: shown() }),
        Ok(0) => Err(PortError::Zero),
        _ if text.starts_with('0') => Err(PortError::NotANumber { text: shown() }),
        Ok(port) => Ok(port),
        Err(_) => Err(PortError::TooHigh { text: shown() }),
    }
}

/// The service whose port it is, if it looks like the other end's port and not a subscriber's: a subscriber's own ports
/// are hardly ever among them, and papers that name the wrong end name nobody. For a warning, not for a refusal.
pub fn service(port: u16) -> Option<&'static str> {
    match OF_SERVERS.binary_search_by_key(&port, |(number, _)| *number) {
        Ok(found) => OF_SERVERS.get(found).map(|(_, service)| *service),
        Err(_) if port < 1024 => Some(well_known(port)),
        Err(_) => None,
    }
}

/// What papers ask for most often among the system ports (RFC 6335, section 6).
const fn well_known(port: u16) -> &'static str {
    match port {
        22 => "SSH",
        25 | 465 | 587 => "mail",
        53 => "DNS",
        80 => "the web",
        443 => "the web over TLS",
        _ => "a system port",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_from_1_to_65535() {
        assert_eq!((port("1"), port(" 65535 ")), (Ok(1), Ok(65535)));
        let not = |text: &str| Err(PortError::NotANumber { text: text.into() });
        for text in ["", "x", "-1", "+80", "080", "80.0", "８０"] {
            assert_eq!(port(text), not(text));
        }
        assert_eq!((port("0"), port("000")), (Err(PortError::Zero), Err(PortError::Zero)));
        for text in ["65536", "99999999999999999999"] {
            assert_eq!(port(text), Err(PortError::TooHigh { text: text.into() }));
        }
    }

    #[test]
    fn ports_of_servers_are_told_from_those_of_subscribers() {
        assert!(OF_SERVERS.is_sorted_by(|(a, _), (b, _)| a < b));
        for (number, name) in
            [(1, "a system port"), (443, "the web over TLS"), (3389, "remote desktop"), (8080, "the web, alternative")]
        {
            assert_eq!(service(number), Some(name));
        }
        for number in [1024, 8081, 40_000, 65_535] {
            assert_eq!(service(number), None);
        }
    }
}
