//! What really happened: who held which addresses from when to when. The answers are compared with this.
//!
//! Times are milliseconds since the evening began, by the true clock.

use std::net::IpAddr;

use super::subscriber::{Addresses, Subscriber};

/// One session, from its beginning to its end.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Index of the NAS.
    pub(crate) nas: usize,
    /// Acct-Session-Id; after a reboot of the NAS the same ids come again.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) subscriber: Subscriber,
    /// What it holds.
    pub(crate) addresses: Addresses,
    /// Its first instant.
    pub(crate) from: u64,
    /// The first instant after it. The evening's end for those who stay.
    pub(crate) until: u64,
    /// How it ends.
    pub(crate) end: End,
    /// Does the NAS say in between that it goes on?
    pub(crate) interims: bool,
}

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With a Stop.
    Stop,
    /// With a Stop that never arrives.
    LostStop,
    /// With the NAS.
    Reboot,
    /// Not within the evening.
    Stays,
}

impl Life {
    /// Did it hold the address at this time?
    pub(crate) fn held(&self, address: IpAddr, at: u64) -> bool {
        self.from <= at && at < self.until && self.addresses.contain(address)
    }
}
