//! What is wrong with a list of items: everything at once, each with its line and column.

use std::fmt;

use super::super::address::{AddressError, PortError};
use super::super::instant::InstantError;
use super::{Column, MAX_BYTES, MAX_ITEMS};
use crate::config::duration::DurationError;

/// One fault and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line of the file, counted from 1; the header is line 1. `None`: the file as a whole.
    pub line: Option<usize>,
    /// The column, if it is the fault of one.
    pub column: Option<Column>,
    /// What is wrong.
    pub problem: Problem,
}

/// `line 3, at: it has no zone ...`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, {column}: {}", self.problem),
            (Some(line), None) => write!(f, "line {line}: {}", self.problem),
            (None, _) => self.problem.fmt(f),
        }
    }
}

/// Every fault of a list, at least one, in the order of the file. Nothing of the list was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

/// A line each, more for a time with several readings, and their number.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|fault| writeln!(f, "{fault}"))?;
        let count = self.0.len();
        write!(f, "{count} fault{}: nothing was taken", if count == 1 { "" } else { "s" })
    }
}

impl std::error::Error for Faults {}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Longer than any list.
    #[error("the list is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// More items than one request has.
    #[error("there are more than {MAX_ITEMS} items: divide the list")]
    TooMany,
    /// A spreadsheet saved it as UTF-16.
    #[error("the list is UTF-16: save it as CSV in UTF-8")]
    Utf16,
    /// Bytes that are no UTF-8.
    #[error("it is no UTF-8: save the list as CSV in UTF-8")]
    NotUtf8,
    /// Nothing, or blank lines.
    #[error("the list is empty: its first line names the columns, such as address,at")]
    Empty,
    /// A header and nothing below it.
    #[error("the list has a header and no items")]
    NoItems,
    /// Several separators in the header, of which nobody knows which one separates.
    #[error("the header has more than one of comma, semicolon and tab: use one of them")]
    Separators,
    /// The header names a column that lists do not have.
    #[error("unknown column `{name}`: the columns are line, address, port, protocol, at, zone, uncertainty and realm")]
    UnknownColumn {
        /// As written.
        name: String,
    },
    /// The header names a column twice.
    #[error("the header has this column twice")]
    ColumnTwice,
    /// The header lacks a column that every item needs.
    #[error("the header lacks this column")]
    ColumnMissing,
    /// More or fewer fields than columns.
    #[error("it has {found} fields, and the header {expected}: put a field in quotes if the separator is part of it")]
    FieldCount {
        /// How many there are.
        found: usize,
        /// How many columns the header has.
        expected: usize,
    },
    /// A quotation mark without its other half.
    #[error("a quotation mark is missing: a field that begins with one ends with one on the same line")]
    Quotes,
    /// The address, or its port.
    #[error("{0}")]
    Address(#[from] AddressError),
    /// The port.
    #[error("{0}")]
    Port(#[from] PortError),
    /// Two ports, and nobody knows which one is meant.
    #[error("port {port} contradicts port {with_address}, which stands with the address")]
    PortTwice {
        /// In the column.
        port: u16,
        /// With the address.
        with_address: u16,
    },
    /// A port, and a whole network.
    #[error("a whole network has no port: ask for one address, or leave the port out")]
    PortOfNetwork,
    /// Neither TCP nor UDP.
    #[error("`{text}` is no protocol with ports: write tcp or udp")]
    Protocol {
        /// As written.
        text: String,
    },
    /// The time.
    #[error("{0}")]
    At(#[from] InstantError),
    /// The uncertainty.
    #[error("{0}")]
    Uncertainty(#[from] DurationError),
    /// A name that is too long, or that has control characters.
    #[error("`{text}` is no name: it has up to {longest} characters, none of them invisible")]
    Name {
        /// As written.
        text: String,
        /// The most characters it may have.
        longest: usize,
    },
}
