//! Kea's memfile: rows of a CSV, each the whole of one lease as it was when the row was written.
//!
//! Columns are found by their names in the header, which every generation of the file begins with; what a later version
//! adds is passed over. A row with a lifetime of 0 says that the lease was given up, and its `expire` is then the CLTT of the
//! grant and not the time of the release.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::hex;
use super::kea_relay::{self, Attached};
use super::{Client, Flaw, Lease, Said};
use crate::domain::address::{Family, Network};
use crate::domain::identity::Mac;
use crate::domain::time::Timestamp;

/// Leases that never end have this lifetime (RFC 2131, section 3.3; RFC 8415, section 7.7).
const FOR_EVER: u64 = 0xffff_ffff;

/// Of which server the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    V4,
    V6,
}

/// Rows under a header.
#[derive(Debug)]
pub(super) struct Rows {
    dialect: Dialect,
    columns: Option<Columns>,
}

/// Where in a row each value is.
#[derive(Debug)]
struct Columns {
    count: usize,
    address: usize,
    valid_lifetime: usize,
    expire: usize,
    state: Option<usize>,
    /// `client_id`, or `duid`.
    id: Option<usize>,
    hwaddr: Option<usize>,
    user_context: Option<usize>,
    iaid: Option<usize>,
    lease_type: Option<usize>,
    prefix_len: Option<usize>,
}

impl Rows {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, columns: None }
    }

    pub(super) fn line(&mut self, line: &str) -> Option<Result<Lease, Flaw>> {
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            return None;
        }
        if line.starts_with("address,") {
            self.columns = Columns::read(line);
            return self.columns.is_none().then_some(Err(Flaw::NoHeader));
        }
        let Some(columns) = &self.columns else { return Some(Err(Flaw::NoHeader)) };
        let values: Vec<&str> = line.split(',').collect();
        // A row of an older version has fewer values than its header, which the new version wrote; never more.
        if values.len() > columns.count {
            return Some(Err(Flaw::Columns));
        }
        Some(Row { dialect: self.dialect, columns, values: &values }.lease())
    }
}

impl Columns {
    /// `None` if a column is missing that no lease can do without.
    fn read(header: &str) -> Option<Self> {
        let names: Vec<&str> = header.split(',').collect();
        let place = |name: &str| names.iter().position(|known| *known == name);
        Some(Self {
            count: names.len(),
            address: place("address")?,
            valid_lifetime: place("valid_lifetime")?,
            expire: place("expire")?,
            state: place("state"),
            id: place("client_id").or_else(|| place("duid")),
            hwaddr: place("hwaddr"),
            user_context: place("user_context"),
            iaid: place("iaid"),
            lease_type: place("lease_type"),
            prefix_len: place("prefix_len"),
        })
    }
}

struct Row<'a> {
    dialect: Dialect,
    columns: &'a Columns,
    values: &'a [&'a str],
}

impl Row<'_> {
    fn lease(&self) -> Result<Lease, Flaw> {
        let network = self.network()?;
        let (lifetime, expire) = (self.number(self.columns.valid_lifetime)?, self.number(self.columns.expire)?);
        let said = match self.optional(self.columns.state) {
            "" | "0" if lifetime == 0 => Said::Released(None),
            "" | "0" => Said::Held { at: cltt(expire, lifetime), end: (lifetime != FOR_EVER).then(|| secs(expire)) },
            // The MAC and the client of a declined lease are blanked: what was declined is the address.
            "1" => Said::Declined((lifetime != 0).then(|| cltt(expire, lifetime))),
            "2" => Said::Expired,
            _ => return Err(Flaw::State),
        };
        let client = self.client()?;
        if matches!(said, Said::Held { .. }) && client.is_nobody() {
            return Err(Flaw::NoClient);
        }
        Ok(Lease { network, client, said })
    }

    fn network(&self) -> Result<Network, Flaw> {
        let text = self.value(self.columns.address);
        match self.dialect {
            Dialect::V4 => text.parse::<Ipv4Addr>().map(|v4| Network::single(v4.into())).map_err(|_| Flaw::Address),
            Dialect::V6 => {
                let address: Ipv6Addr = text.parse().map_err(|_| Flaw::Address)?;
                let length = match self.optional(self.columns.lease_type) {
                    // A non-temporary and a temporary address (RFC 8415, section 21.4 and 21.5).
                    "" | "0" | "1" => Family::V6.address_bits(),
                    // A delegated prefix (RFC 8415, section 21.21).
                    "2" => self.optional(self.columns.prefix_len).parse().map_err(|_| Flaw::Address)?,
                    _ => return Err(Flaw::State),
                };
                let around = Network::around(IpAddr::V6(address), length).filter(|_| length > 0);
                around.ok_or(Flaw::Address)
            }
        }
    }

    fn client(&self) -> Result<Client, Flaw> {
        let id = hex::colons(self.optional(self.columns.id))?;
        let hwaddr = self.optional(self.columns.hwaddr);
        let iaid = match self.optional(self.columns.iaid) {
            "" => None,
            text => Some(text.parse().map_err(|_| Flaw::Identity)?),
        };
        // A context that is damaged is as good as none: it says where the client is attached, not what it holds.
        let context = unescaped(self.optional(self.columns.user_context));
        let Attached { circuit_id, remote_id } = match self.dialect {
            Dialect::V4 => kea_relay::v4(&context),
            Dialect::V6 => kea_relay::v6(&context),
        };
        // Kea blanks a declined lease's DUID to a single zero octet.
        let id = Some(id).filter(|id| !id.is_empty() && *id != [0]);
        Ok(Client { id, iaid, mac: Mac::parse(hwaddr), circuit_id, remote_id })
    }

    fn value(&self, place: usize) -> &str {
        self.values.get(place).copied().unwrap_or("")
    }

    fn optional(&self, place: Option<usize>) -> &str {
        place.map_or("", |place| self.value(place))
    }

    fn number(&self, place: usize) -> Result<u64, Flaw> {
        self.value(place).parse().map_err(|_| Flaw::Time)
    }
}

/// When the client last spoke. Where a lease without end has an `expire` before its lifetime, that is the CLTT itself.
fn cltt(expire: u64, lifetime: u64) -> Timestamp {
    secs(expire.checked_sub(lifetime).unwrap_or(expire))
}

fn secs(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1000))
}

/// Kea writes a byte that would end the value as `&#x` and two hex digits.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("&#x") {
        plain.push_str(before);
        let byte = match after.as_bytes() {
            [high, low, ..] => hex::pair(*high, *low).filter(u8::is_ascii),
            _ => None,
        };
        rest = match byte {
            Some(byte) => {
                plain.push(char::from(byte));
                after.get(2..).unwrap_or("")
            }
            None => {
                plain.push_str("&#x");
                after
            }
        };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        assert_eq!(unescaped("{ \"a\": 1&#x2c \"b\": 2 }"), "{ \"a\": 1, \"b\": 2 }");
        assert_eq!(unescaped("&#x26#x2c"), "&#x2c", "an escape that was text is text again");
        assert_eq!(unescaped("&#x"), "&#x");
        assert_eq!(unescaped("&#xé"), "&#xé");
    }

    #[test]
    fn times_are_the_clients_last_words() {
        assert_eq!(cltt(1_700_003_600, 3600).millis(), 1_700_000_000_000);
        assert_eq!(cltt(1_700_000_000, FOR_EVER).millis(), 1_700_000_000_000);
    }
}
