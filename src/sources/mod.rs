//! Text that DHCP servers write for themselves, to events. Pure: who follows the files is `daemon::tail`.
//!
//! A [`Reader`] takes the lines of one lease file and gives [`Lease`]s: what one row or block says of one address.
//! [`Memory`] knows what the file said of each address before, and makes events of them; [`Naming`] says whom they name.
//! Any bytes in, no panic; a row that makes no sense is a [`Flaw`] and costs no other row.
//!
//! This module decides nothing about retention, and nothing in it is acknowledged to a server.
#![warn(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::wildcard_enum_match_arm)]

mod dhcpd;
mod hex;
mod kea;
mod kea_relay;
mod memory;
mod naming;
mod value;

use crate::domain::address::Network;
use crate::domain::identity::Mac;
use crate::domain::lease::LeaseFormat;
use crate::domain::time::Timestamp;

pub use memory::Memory;
pub use naming::{Accounts, Naming};

/// The longest line that is read, in bytes. A row with a whole chain of relays has a tenth of it.
pub const LONGEST_LINE: usize = 32 << 10;

/// The longest identity that is taken, in bytes: a DUID has at most 130 (RFC 8415, section 11.1), a sub-option 255.
const LONGEST_IDENTITY: usize = 255;

/// What one row or block says of one address or prefix.
#[derive(Clone, PartialEq, Eq)]
pub struct Lease {
    /// The address or the delegated prefix.
    pub network: Network,
    /// Whom it is leased to; nobody after a decline.
    pub client: Client,
    /// What is said.
    pub said: Said,
}

/// The client of a lease, and where it is attached.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Client identifier or DUID.
    pub id: Option<Vec<u8>>,
    /// IAID (RFC 8415, section 12).
    pub iaid: Option<u32>,
    /// MAC address.
    pub mac: Option<Mac>,
    /// What the relay calls the port.
    pub circuit_id: Option<Vec<u8>>,
    /// What the relay calls the line or the modem.
    pub remote_id: Option<Vec<u8>>,
}

/// What can be said of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was granted or renewed, and runs until `end`; `None`: for ever.
    Held {
        /// When the client last spoke (CLTT).
        at: Timestamp,
        /// When the lease runs out.
        end: Option<Timestamp>,
    },
    /// It was given back at this instant; `None`: the row does not tell when.
    Released(Option<Timestamp>),
    /// Somebody else was seen to use the address (RFC 2131, section 4.3.3): the server's lease of it is void.
    Declined(Option<Timestamp>),
    /// It has run out, which its end had said already.
    Expired,
}

/// Why a line or a block is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Flaw {
    /// More than [`LONGEST_LINE`] bytes.
    #[error("the line is too long")]
    LongLine,
    /// Not UTF-8.
    #[error("the line is no text")]
    NoText,
    /// Rows without a header that names their columns.
    #[error("no header names the columns")]
    NoHeader,
    /// Fewer or more values than columns.
    #[error("the row has not as many values as columns")]
    Columns,
    /// No address of the file's family, or no prefix length.
    #[error("no address")]
    Address,
    /// No number or no date where one belongs.
    #[error("no time")]
    Time,
    /// A state or a kind of lease that is not known.
    #[error("an unknown state")]
    State,
    /// Bytes that are not written as such, or too many of them.
    #[error("no identity")]
    Identity,
    /// Nothing tells whose lease it is.
    #[error("no client")]
    NoClient,
    /// A block that ends in another one, or in the middle.
    #[error("a torn block")]
    Torn,
}

impl Flaw {
    /// Every flaw.
    pub const ALL: [Self; 10] = [
        Self::LongLine,
        Self::NoText,
        Self::NoHeader,
        Self::Columns,
        Self::Address,
        Self::Time,
        Self::State,
        Self::Identity,
        Self::NoClient,
        Self::Torn,
    ];

    /// The name under which it is counted.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LongLine => "long-line",
            Self::NoText => "no-text",
            Self::NoHeader => "no-header",
            Self::Columns => "columns",
            Self::Address => "address",
            Self::Time => "time",
            Self::State => "state",
            Self::Identity => "identity",
            Self::NoClient => "no-client",
            Self::Torn => "torn",
        }
    }
}

/// Reads the lines of one lease file, in their order.
#[derive(Debug)]
pub struct Reader(Of);

#[derive(Debug)]
enum Of {
    Kea(kea::Rows),
    Dhcpd(dhcpd::Blocks),
}

impl Reader {
    /// A reader at the beginning of a file.
    pub fn new(format: LeaseFormat) -> Self {
        Self(match format {
            LeaseFormat::Kea4 => Of::Kea(kea::Rows::new(kea::Dialect::V4)),
            LeaseFormat::Kea6 => Of::Kea(kea::Rows::new(kea::Dialect::V6)),
            LeaseFormat::Dhcpd => Of::Dhcpd(dhcpd::Blocks::default()),
        })
    }

    /// Takes the next line, without its newline. `None`: it says nothing by itself.
    pub fn line(&mut self, line: &[u8]) -> Option<Result<Lease, Flaw>> {
        if line.len() > LONGEST_LINE {
            return Some(Err(Flaw::LongLine));
        }
        let Ok(text) = std::str::from_utf8(line) else { return Some(Err(Flaw::NoText)) };
        match &mut self.0 {
            Of::Kea(rows) => rows.line(text),
            Of::Dhcpd(blocks) => blocks.line(text),
        }
    }

    /// Is what was read so far complete, so that reading may begin again here?
    pub fn at_rest(&self) -> bool {
        match &self.0 {
            Of::Kea(_) => true,
            Of::Dhcpd(blocks) => blocks.at_rest(),
        }
    }
}

/// Names nobody: only what was said and of how long a prefix.
impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("prefix_len", &self.network.prefix_len())
            .field("said", &self.said)
            .finish_non_exhaustive()
    }
}
