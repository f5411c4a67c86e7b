//! `dhcpd.leases` of ISC dhcpd (dhcpd.leases(5)): a journal of blocks, the last of an address being in force.
//!
//! dhcpd writes a block line by line and syncs afterwards, so that the end of the file may be half a block: only a block
//! that was closed counts.

use std::net::Ipv4Addr;

use super::value::{self, When};
use super::{Client, Flaw, Lease, Said};
use crate::domain::address::Network;
use crate::domain::identity::Mac;

/// Reads blocks.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// How many braces are open.
    depth: u32,
    /// The block of a lease, while it is open. Other blocks are passed over.
    lease: Option<Block>,
}

/// What a block has said so far.
#[derive(Default)]
struct Block {
    address: Option<Ipv4Addr>,
    starts: Option<When>,
    ends: Option<When>,
    cltt: Option<When>,
    state: String,
    client: Client,
    flaw: Option<Flaw>,
}

impl Blocks {
    pub(super) fn at_rest(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn line(&mut self, line: &str) -> Option<Result<Lease, Flaw>> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        if let Some(address) = line.strip_prefix("lease ").and_then(|rest| rest.strip_suffix('{')) {
            // A server that was killed in the middle of a block begins the next one after it.
            let torn = self.depth != 0;
            let address = address.trim().parse().ok();
            self.depth = 1;
            self.lease = Some(Block { address, ..Block::default() });
            return torn.then_some(Err(Flaw::Torn));
        }
        if line == "}" {
            self.depth = self.depth.saturating_sub(1);
            return if self.depth == 0 { self.lease.take().and_then(Block::close) } else { None };
        }
        if line.ends_with('{') {
            self.depth = self.depth.saturating_add(1);
        } else if self.depth == 1
            && let Some(block) = &mut self.lease
            && let Err(flaw) = block.statement(line)
        {
            block.flaw = block.flaw.or(Some(flaw));
        }
        None
    }
}

impl Block {
    fn statement(&mut self, line: &str) -> Result<(), Flaw> {
        // The semicolon of a text is inside its quotation marks, that of the statement at its end.
        let line = match line.split_once("; #") {
            // Behind `epoch` dhcpd says in a comment what day that is.
            Some((statement, _)) if !statement.contains('"') => statement,
            _ => line.strip_suffix(';').ok_or(Flaw::Torn)?,
        };
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "starts" => self.starts = Some(value::when(rest)?),
            "ends" => self.ends = Some(value::when(rest)?),
            "cltt" => self.cltt = Some(value::when(rest)?),
            "binding" => self.state = rest.strip_prefix("state ").ok_or(Flaw::State)?.to_owned(),
            "hardware" => self.client.mac = rest.strip_prefix("ethernet ").and_then(Mac::parse),
            "uid" => self.client.id = Some(value::bytes(rest)?).filter(|id| !id.is_empty()),
            "option" => match rest.split_once(' ') {
                Some(("agent.circuit-id", id)) => self.client.circuit_id = Some(value::bytes(id)?),
                Some(("agent.remote-id", id)) => self.client.remote_id = Some(value::bytes(id)?),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn close(self) -> Option<Result<Lease, Flaw>> {
        if let Some(flaw) = self.flaw {
            return Some(Err(flaw));
        }
        self.lease().transpose()
    }

    /// `None` for an address that was never leased.
    fn lease(self) -> Result<Option<Lease>, Flaw> {
        let address = self.address.ok_or(Flaw::Address)?;
        let instant = |when: Option<When>| when.and_then(|when| when);
        let said = match self.state.as_str() {
            // Files of old versions have no state, and no leases that are not active.
            "active" | "" => Said::Held {
                at: instant(self.cltt).or(instant(self.starts)).ok_or(Flaw::Time)?,
                end: self.ends.ok_or(Flaw::Time)?,
            },
            "free" | "released" | "backup" | "reset" | "expired" => match instant(self.ends) {
                Some(ends) => Said::Released(Some(ends)),
                None => return Ok(None),
            },
            "abandoned" => Said::Declined(None),
            _ => return Err(Flaw::State),
        };
        if matches!(said, Said::Held { .. }) && self.client.is_nobody() {
            return Err(Flaw::NoClient);
        }
        Ok(Some(Lease { network: Network::single(address.into()), client: self.client, said }))
    }
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block").field("state", &self.state).finish_non_exhaustive()
    }
}
