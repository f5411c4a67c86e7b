//! The columns of a list of items.

use std::fmt;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// What the paper calls the item.
    Line,
    /// The address, perhaps with its port.
    Address,
    /// The port of the subscriber's side.
    Port,
    /// TCP or UDP.
    Protocol,
    /// The time.
    At,
    /// The zone of a time that has none in it.
    Zone,
    /// How wrong the clock that gave the time may have been.
    Uncertainty,
    /// Which of several equal address spaces.
    Realm,
}

impl Column {
    /// Every column, in the order of the documentation.
    pub const ALL: [Self; 8] =
        [Self::Line, Self::Address, Self::Port, Self::Protocol, Self::At, Self::Zone, Self::Uncertainty, Self::Realm];

    /// Those without which there is no item.
    pub const NEEDED: [Self; 2] = [Self::Address, Self::At];

    /// Its name in the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Address => "address",
            Self::Port => "port",
            Self::Protocol => "protocol",
            Self::At => "at",
            Self::Zone => "zone",
            Self::Uncertainty => "uncertainty",
            Self::Realm => "realm",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
