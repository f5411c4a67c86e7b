//! The items of a request as a CSV: `line,address,port,protocol,at,zone,uncertainty,realm`.
//!
//! The columns come in any order, and `address` and `at` suffice. Commas, semicolons or tabs separate them; a byte
//! order mark, CRLF and quotation marks are fine. A list is taken whole or not at all: [`read`] gives every item or
//! every fault; [`sift`] gives both, for those who only look. Items that come twice are pointed out and kept, since the
//! paper has them.

mod column;
mod fault;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::address::{self, Address, port};
use super::instant::{self, Instant};
use super::scan::shown;
use crate::config::duration;
use crate::domain::address::{Network, Realm};
use crate::domain::time::Timestamp;
pub use column::Column;
pub use fault::{Fault, Faults, Problem};
use table::{Header, Row};

/// The longest list, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// The most items of a list.
pub const MAX_ITEMS: usize = 10_000;

/// The longest name of an item or of a realm, in characters.
const MAX_NAME: usize = 64;

/// A transport protocol: a NAT gives ports of each separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP (RFC 9293), IP protocol 6.
    Tcp,
    /// UDP (RFC 768), IP protocol 17; QUIC is written so, too.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// One item: an address at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The line of the file, counted from 1; the header is line 1.
    pub file_line: usize,
    /// What the paper calls the item.
    pub line: Option<String>,
    /// The address, and its port if that stood with it.
    pub address: Address,
    /// The port, from its own column or from the address.
    pub port: Option<u16>,
    /// The protocol.
    pub protocol: Option<Protocol>,
    /// The time.
    pub at: Instant,
    /// The zone as it stood in its own column.
    pub zone: Option<String>,
    /// How wrong the clock that gave the time may have been, either way.
    pub uncertainty: Option<Duration>,
    /// Which of several equal address spaces; the public one if nothing was written.
    pub realm: Realm,
}

/// An item that asks for what another one asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// Its line of the file.
    pub file_line: usize,
    /// The line of the first that asks for it.
    pub first: usize,
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} asks for the same address, port and time as line {}", self.file_line, self.first)
    }
}

/// A list that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Items {
    /// Every item, at least one, in the order of the file.
    pub items: Vec<Item>,
    /// Those that come again.
    pub repeated: Vec<Repeated>,
}

/// What of a list can be read, and what cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sifted {
    /// Every item that can be read, in the order of the file.
    pub items: Vec<Item>,
    /// Every fault, in the order of the file. No item has one.
    pub faults: Vec<Fault>,
}

/// Reads a list of items.
///
/// # Errors
///
/// Every fault of the file, if it has any; then nothing was taken. If the header has faults, what stands below it was
/// not read.
pub fn read(bytes: &[u8]) -> Result<Items, Faults> {
    let Sifted { items, faults } = sift(text(bytes)?);
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    let repeated = repeated(&items);
    Ok(Items { items, repeated })
}

/// Reads of a list what can be read. For those who only look: whoever answers takes a list whole, with [`read`].
///
/// There is an item or a fault, at least one. If the header has faults, what stands below it was not read.
pub fn sift(text: &str) -> Sifted {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut items, mut faults) = (Vec::new(), Vec::new());
    let whole = |problem| vec![Fault { line: None, column: None, problem }];
    if text.len() > MAX_BYTES {
        return Sifted { items, faults: whole(Problem::TooLong) };
    }
    let mut lines = text.lines().zip(1_usize..).filter(|(line, _)| !line.trim().is_empty());
    let Some((header, line)) = lines.next() else { return Sifted { items, faults: whole(Problem::Empty) } };
    let header = match Header::read(header, line) {
        Ok(header) => header,
        Err(faults) => return Sifted { items, faults },
    };
    for (text, line) in lines {
        let row = match header.row(text) {
            Ok(row) if row.is_blank() => continue,
            Ok(row) => row,
            Err(problem) => {
                faults.push(Fault { line: Some(line), column: None, problem });
                continue;
            }
        };
        if items.len() >= MAX_ITEMS {
            faults.push(Fault { line: Some(line), column: None, problem: Problem::TooMany });
            break;
        }
        match item(&row, line) {
            Ok(item) => items.push(item),
            Err(of_row) => faults.extend(of_row),
        }
    }
    if items.is_empty() && faults.is_empty() {
        faults = whole(Problem::NoItems);
    }
    Sifted { items, faults }
}

/// The text of a file.
///
/// # Errors
///
/// If it is too long, or no UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, Faults> {
    decoded(bytes).map_err(|fault| Faults(vec![fault]))
}

/// Reads one item from its fields, as the one with this number.
///
/// # Errors
///
/// All that is wrong with it, in the order of the columns.
pub fn one(fields: &[(Column, String)], number: usize) -> Result<Item, Vec<Fault>> {
    item(&Row::of(fields), number)
}

/// The text of a file, without its byte order mark.
fn decoded(bytes: &[u8]) -> Result<&str, Fault> {
    let fault = |line, problem| Fault { line, column: None, problem };
    if bytes.len() > MAX_BYTES {
        return Err(fault(None, Problem::TooLong));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(fault(None, Problem::Utf16));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or(bytes);
        let line = before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1);
        fault(Some(line), Problem::NotUtf8)
    })
}

/// Reads one item; all that is wrong with it comes together, in the order of the columns.
fn item(row: &Row, line: usize) -> Result<Item, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut keep = |column, problem| faults.push(Fault { line: Some(line), column: Some(column), problem });
    let name = name(row, Column::Line).unwrap_or_else(|problem| {
        keep(Column::Line, problem);
        None
    });
    let address = address::read(row.field(Column::Address).unwrap_or(""));
    let address = address.map_err(|error| keep(Column::Address, error.into())).ok();
    let written = row.field(Column::Port).map(port).transpose();
    let written = written.map_err(|error| keep(Column::Port, error.into())).ok().flatten();
    let port = port_of(written, address.as_ref()).unwrap_or_else(|problem| {
        keep(Column::Port, problem);
        None
    });
    let protocol = row.field(Column::Protocol).map(protocol).transpose().unwrap_or_else(|problem| {
        keep(Column::Protocol, problem);
        None
    });
    let at = instant::read(row.field(Column::At).unwrap_or(""), row.field(Column::Zone));
    let at = at.map_err(|error| keep(Column::At, error.into())).ok();
    let uncertainty = row.field(Column::Uncertainty).map(uncertainty).transpose().unwrap_or_else(|problem| {
        keep(Column::Uncertainty, problem);
        None
    });
    let realm = self::name(row, Column::Realm).unwrap_or_else(|problem| {
        keep(Column::Realm, problem);
        None
    });
    match (address, at) {
        (Some(address), Some(at)) if faults.is_empty() => {
            let realm = Realm(realm.unwrap_or_default());
            let zone = row.field(Column::Zone).map(str::to_owned);
            Ok(Item { file_line: line, line: name, address, port, protocol, at, zone, uncertainty, realm })
        }
        _ => Err(faults),
    }
}

/// The port from its column or from the address; they agree if it is in both.
fn port_of(written: Option<u16>, address: Option<&Address>) -> Result<Option<u16>, Problem> {
    let Some(address) = address else { return Ok(written) };
    let is_whole = address.network.prefix_len() < address.network.family().address_bits();
    match (written, address.port) {
        (Some(_), _) if is_whole => Err(Problem::PortOfNetwork),
        (Some(port), Some(with_address)) if port != with_address => Err(Problem::PortTwice { port, with_address }),
        (written, with_address) => Ok(written.or(with_address)),
    }
}

/// The name of a protocol, or its number.
fn protocol(text: &str) -> Result<Protocol, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" | "6" => Ok(Protocol::Tcp),
        "udp" | "17" => Ok(Protocol::Udp),
        _ => Err(Problem::Protocol { text: shown(text) }),
    }
}

/// A duration; a number alone counts seconds, as papers do.
fn uncertainty(text: &str) -> Result<Duration, Problem> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let found = if is_number { duration::parse(&format!("{text}s")) } else { duration::parse(text) };
    Ok(found?)
}

/// A name that can be printed.
fn name(row: &Row, column: Column) -> Result<Option<String>, Problem> {
    let Some(text) = row.field(column) else { return Ok(None) };
    if text.chars().count() <= MAX_NAME && shown(text) == text {
        return Ok(Some(text.to_owned()));
    }
    Err(Problem::Name { text: shown(text), longest: MAX_NAME })
}

/// What makes two items the same question.
type Asked<'i> = (&'i Realm, Network, Option<u16>, Option<Protocol>, Timestamp);

/// The items that ask for what an earlier one asks for, in the order of the list.
pub fn repeated(items: &[Item]) -> Vec<Repeated> {
    let mut first: HashMap<Asked<'_>, usize> = HashMap::new();
    let mut repeated = Vec::new();
    for item in items {
        let asks = (&item.realm, item.address.network, item.port, item.protocol, item.at.at);
        match first.get(&asks) {
            Some(first) => repeated.push(Repeated { file_line: item.file_line, first: *first }),
            None => drop(first.insert(asks, item.file_line)),
        }
    }
    repeated
}
