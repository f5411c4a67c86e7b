//! Names of people, lines and machines, as the protocols give them.
//!
//! Types that name a person or a line print no more than their length in `Debug`, so that no log line can carry them.

use std::fmt;

/// The text of an identity that arrived as bytes: itself where it is printable UTF-8, else `0x` and lower-case hex.
///
/// Option 82 and RADIUS attributes are often binary; the same rule holds in answers, configuration and look-ups.
pub fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => text.to_owned(),
        Ok(_) | Err(_) => hex_of(bytes),
    }
}

fn hex_of(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::from("0x");
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

macro_rules! personal_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub String);

        impl $name {
            /// From an attribute's bytes, by the rule of [`text_of`].
            pub fn from_bytes(bytes: &[u8]) -> Self {
                Self(text_of(bytes))
            }

            /// The text itself: for answers and for sealing, never for a log.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }
    };
}

personal_text! {
    /// Who the ISP says the customer is: User-Name (RFC 2865, section 5.1) or what the configuration takes in its place.
    SubscriberId
}
personal_text! {
    /// Agent Circuit ID (RFC 4679, section 3.3.1; RFC 3046, section 3.1).
    CircuitId
}
personal_text! {
    /// Agent Remote ID (RFC 4679, section 3.3.2; RFC 3046, section 3.2).
    RemoteId
}
personal_text! {
    /// NAS-Port-Id (RFC 2869, section 5.17), or NAS-Port (RFC 2865, section 5.5) in decimal.
    NasPort
}

/// Acct-Session-Id (RFC 2866, section 5.5) as it arrived. Never stored as it is: see [`SessionTag`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SessionId(pub Vec<u8>);

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({} bytes)", self.0.len())
    }
}

/// A hash of a session's NAS and id under a key of the store. Session ids often carry the time the session began, which
/// may be older than anything the store may keep; the tag carries nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionTag(pub [u8; 8]);

impl fmt::Display for SessionTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A network access server: its NAS-Identifier, else its NAS-IP(v6)-Address, else the address its packets come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NasId(pub String);

/// The configured name of a server that sends events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(pub String);

/// The ISP, or legacy part of one, whose subscriber names these are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Entity(pub String);

/// A MAC address. `Debug` shows none of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Reads the spellings in use: six octets in hex, separated by `:` or `-`, three groups of four separated by `.`,
    /// or twelve digits; octets separated by `:` may be unpadded, as ISC dhcpd prints them. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut octets = [0_u8; 6];
        if text.contains([':', '-']) {
            let mut parts = text.split([':', '-']);
            for octet in &mut octets {
                let part = parts.next().filter(|part| (1..=2).contains(&part.len()))?;
                *octet = hex_octet(part)?;
            }
            return parts.next().is_none().then_some(Self(octets));
        }
        let dots = text.matches('.').count();
        if dots != 0 && !(dots == 2 && text.split('.').all(|group| group.len() == 4)) {
            return None;
        }
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'.').collect();
        if digits.len() != 12 {
            return None;
        }
        for (octet, pair) in octets.iter_mut().zip(digits.chunks(2)) {
            *octet = hex_octet(std::str::from_utf8(pair).ok()?)?;
        }
        Some(Self(octets))
    }
}

/// `from_str_radix` alone would take a sign.
fn hex_octet(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(text, 16).ok())?
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac(..)")
    }
}

/// Where a session entered the network, as far as the events say.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Line {
    /// MAC address of the customer's equipment.
    pub mac: Option<Mac>,
    /// Port of the access node.
    pub circuit_id: Option<CircuitId>,
    /// Line or modem, as the access node names it.
    pub remote_id: Option<RemoteId>,
    /// Port of the NAS.
    pub nas_port: Option<NasPort>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_a_length_and_no_name() {
        assert_eq!(format!("{:?}", SubscriberId("alice".into())), "SubscriberId(5 bytes)");
        assert_eq!(format!("{:?}", Mac([2, 0, 0, 0, 0, 1])), "Mac(..)");
        assert_eq!(format!("{:?}", SessionId(b"65000000-1".to_vec())), "SessionId(10 bytes)");
    }

    #[test]
    fn a_binary_identity_reads_as_hex_and_a_printable_one_as_itself() {
        assert_eq!(text_of(b"line 7"), "line 7");
        assert_eq!(text_of(&[0, 4, 255]), "0x0004ff");
        assert_eq!(text_of(b"two\nlines"), "0x74776f0a6c696e6573");
        assert_eq!(text_of(b""), "0x");
    }

    #[test]
    fn macs_are_read_in_every_spelling_in_use() {
        let mac = Mac([0x02, 0, 0x5e, 0x10, 0, 1]);
        for text in ["02:00:5e:10:00:01", "02-00-5E-10-00-01", "0200.5e10.0001", "02005E100001", "2:0:5e:10:0:1"] {
            assert_eq!(Mac::parse(text), Some(mac), "{text}");
        }
        for text in
            ["", "02:00:5e:10:00", "02:00:5e:10:00:01:02", "02:00:5e:10:00:zz", "020.05e.1000.01", "+2:0:0:0:0:1"]
        {
            assert_eq!(Mac::parse(text), None, "{text}");
        }
    }
}
