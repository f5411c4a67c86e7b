//! Blocks of ports on the outside of a NAT, in the three forms that are in use: Nokia's, Huawei's, and that of RFC 8045.
//!
//! A block is that of all protocols alike. Two subscribers who have the same ports, one of TCP and one of UDP, are not told
//! apart: the later one takes the block.

mod error;

use std::net::{IpAddr, Ipv4Addr};

use super::address;
use super::attribute::Attributes;
use crate::domain::address::{Family, Network, Ports};
use crate::domain::event::{Assigned, BlockChange, Outside};
use crate::wire::reader::Reader;

pub(super) use error::BlockError;

/// Nokia's vendor number, formerly Alcatel's IPD.
pub const NOKIA: u32 = 6527;
/// Huawei's vendor number.
pub const HUAWEI: u32 = 2011;

/// Alc-Nat-Port-Range: an address, a blank, ranges of ports with commas, and which router and policy.
const NOKIA_PORT_RANGE: u8 = 121;
/// Alc-Acct-Triggered-Reason. Most reasons are about other things than ports.
const NOKIA_REASON: u8 = 163;
/// Nat-Free: the blocks in this packet are given back.
const NOKIA_FREE: u32 = 19;
/// Nat-Map: the blocks in this packet are new.
const NOKIA_MAP: u32 = 20;

/// HW-NAT-IP-Address.
const HUAWEI_ADDRESS: u8 = 161;
/// HW-NAT-Start-Port.
const HUAWEI_FIRST: u8 = 162;
/// HW-NAT-End-Port.
const HUAWEI_LAST: u8 = 163;
/// HW-NAT-Port-Range-Update: 0 added, 1 deleted. 3, the public address changed, says neither.
const HUAWEI_CHANGE: u8 = 165;

/// The Extended-Type of IP-Port-Range below attribute 241 (RFC 8045, section 3.1.2; RFC 6929, section 2.1).
const IP_PORT_RANGE: u8 = 6;
/// IP-Port-Ext-IPv4-Addr (RFC 8045, section 3.2.3).
const EXTERNAL_IPV4: u8 = 3;
/// IP-Port-Alloc (RFC 8045, section 3.2.8).
const ALLOC: u8 = 8;
/// IP-Port-Range-Start (RFC 8045, section 3.2.9).
const RANGE_START: u8 = 9;
/// IP-Port-Range-End (RFC 8045, section 3.2.10).
const RANGE_END: u8 = 10;

/// A block as it was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    outside: Network,
    ports: Ports,
    change: BlockChange,
}

/// What a packet says of blocks, until all of it has been read.
#[derive(Default)]
pub(super) struct Blocks {
    nokia: Vec<(Network, Ports)>,
    nokia_reason: Option<u32>,
    huawei: Huawei,
    whole: Vec<Block>,
}

/// Huawei writes each part of a block into an attribute of its own; the parts of the first block are the first of each.
#[derive(Default)]
struct Huawei {
    outside: Vec<Network>,
    first: Vec<u16>,
    last: Vec<u16>,
    change: Option<u32>,
}

impl Blocks {
    /// Reads what one of the two vendors wrote into a Vendor-Specific. Of a malformed one nothing counts.
    pub(super) fn take_vendor_specific(&mut self, vendor: u32, rest: &[u8]) -> Result<(), BlockError> {
        match vendor {
            NOKIA => self.take_nokia(Attributes::parse(rest)?),
            HUAWEI => self.huawei.take(Attributes::parse(rest)?),
            _ => Ok(()),
        }
    }

    fn take_nokia(&mut self, attributes: Attributes<'_>) -> Result<(), BlockError> {
        let (mut blocks, mut reason) = (Vec::new(), None);
        for inner in attributes {
            match inner.kind.0 {
                NOKIA_PORT_RANGE => blocks.extend(nokia_blocks(inner.value)?),
                NOKIA_REASON => reason = Some(inner.integer()?),
                _ => {}
            }
        }
        self.nokia.append(&mut blocks);
        self.nokia_reason = self.nokia_reason.or(reason);
        Ok(())
    }

    /// Reads an attribute of the extended space 241 (RFC 6929, section 2.1): an Extended-Type, then its value.
    pub(super) fn take_extended(&mut self, value: &[u8]) -> Result<(), BlockError> {
        let mut reader = Reader::new(value);
        if reader.u8()? == IP_PORT_RANGE {
            self.whole.push(ip_port_range(Attributes::parse(reader.rest())?)?);
        }
        Ok(())
    }

    /// Puts the parts together, when the whole packet has been read. Parts that do not add up to blocks are no blocks.
    pub(super) fn put_together(&mut self) -> Result<(), BlockError> {
        let change = match self.nokia_reason {
            Some(NOKIA_FREE) => BlockChange::Freed,
            Some(NOKIA_MAP) => BlockChange::Allocated,
            Some(_) | None => BlockChange::Listed,
        };
        let nokia = self.nokia.drain(..).map(|(outside, ports)| Block { outside, ports, change });
        self.whole.extend(nokia);
        self.whole.append(&mut std::mem::take(&mut self.huawei).blocks()?);
        Ok(())
    }

    /// Are there any?
    pub(super) fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// The blocks, each once; they lie behind `inside`, if that is worth keeping.
    pub(super) fn assigned(&self, inside: Option<Network>) -> Vec<Assigned> {
        let mut assigned = Vec::new();
        for Block { outside, ports, change } in self.whole.iter().copied() {
            let block = Assigned { network: outside, ports, outside: Some(Outside { change, inside }) };
            if !assigned.contains(&block) {
                assigned.push(block);
            }
        }
        assigned
    }
}

impl Huawei {
    fn take(&mut self, attributes: Attributes<'_>) -> Result<(), BlockError> {
        let mut new = Self::default();
        for inner in attributes {
            match inner.kind.0 {
                HUAWEI_ADDRESS => new.outside.push(outside(inner.ipv4()?)?),
                HUAWEI_FIRST => new.first.push(port(inner.integer()?)?),
                HUAWEI_LAST => new.last.push(port(inner.integer()?)?),
                HUAWEI_CHANGE => new.change = new.change.or(Some(inner.integer()?)),
                _ => {}
            }
        }
        self.outside.append(&mut new.outside);
        self.first.append(&mut new.first);
        self.last.append(&mut new.last);
        self.change = self.change.or(new.change);
        Ok(())
    }

    /// One address may stand for several ranges; otherwise there are as many of each.
    fn blocks(self) -> Result<Vec<Block>, BlockError> {
        let (addresses, firsts, lasts) = (self.outside.len(), self.first.len(), self.last.len());
        let paired = firsts == lasts && (addresses == firsts || (addresses == 1 && firsts > 0));
        if !paired {
            return Err(BlockError::Unpaired { addresses, firsts, lasts });
        }
        let change = match self.change {
            Some(0) => BlockChange::Allocated,
            Some(1) => BlockChange::Freed,
            Some(_) | None => BlockChange::Listed,
        };
        let ranges = self.first.into_iter().zip(self.last);
        let outside = self.outside.iter().cycle();
        outside.zip(ranges).map(|(outside, (first, last))| block(*outside, first, last, change)).collect()
    }
}

/// The inside address in a User-Name that a Nokia NAT makes up where it knows no subscriber, such as `LSN44@10.0.0.9`.
pub(super) fn inside_named(user_name: &[u8]) -> Option<Network> {
    let text = std::str::from_utf8(user_name).ok()?;
    let address = ["LSN44@", "DS-lite@", "NAT64@"].iter().find_map(|kind| text.strip_prefix(kind))?;
    address.parse::<IpAddr>().ok().map(Network::single)
}

/// What a NAT translates, of all that its packet names besides blocks: the IPv4 address, else what it put into the name,
/// else the first IPv6 address or prefix.
pub(super) fn inside_of(held: &[Assigned], named: Option<Network>) -> Option<Network> {
    let first = |family| held.iter().map(|assigned| assigned.network).find(|network| network.family() == family);
    first(Family::V4).or(named).or_else(|| first(Family::V6))
}

fn nokia_blocks(value: &[u8]) -> Result<Vec<(Network, Ports)>, BlockError> {
    let text = std::str::from_utf8(value).map_err(|_| BlockError::NotText)?;
    let mut words = text.split_ascii_whitespace();
    let address: Ipv4Addr = words.next().and_then(|word| word.parse().ok()).ok_or(BlockError::NoAddress)?;
    let outside = outside(address)?;
    let ranges = words.next().ok_or(BlockError::NoPorts)?;
    ranges.split(',').map(|range| Ok((outside, nokia_range(range)?))).collect()
}

fn nokia_range(text: &str) -> Result<Ports, BlockError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse().map_err(|_| BlockError::NoRange) } else { Err(BlockError::NoRange) }
    };
    range(port(number(first)?)?, port(number(last)?)?)
}

/// The value of an IP-Port-Range: TLVs, of which the type and the limit of ports and the local id are not read.
fn ip_port_range(tlvs: Attributes<'_>) -> Result<Block, BlockError> {
    let (mut address, mut alloc, mut first, mut last) = (None, None, None, None);
    for tlv in tlvs {
        match tlv.kind.0 {
            EXTERNAL_IPV4 => address = Some(tlv.ipv4()?),
            ALLOC => alloc = Some(tlv.integer()?),
            RANGE_START => first = Some(tlv.integer()?),
            RANGE_END => last = Some(tlv.integer()?),
            _ => {}
        }
    }
    let change = match alloc.ok_or(BlockError::MissingAlloc)? {
        1 => BlockChange::Allocated,
        2 => BlockChange::Freed,
        alloc => return Err(BlockError::UnknownAlloc { alloc }),
    };
    let outside = outside(address.ok_or(BlockError::MissingAddress)?)?;
    let first = port(first.ok_or(BlockError::MissingStart)?)?;
    block(outside, first, port(last.ok_or(BlockError::MissingEnd)?)?, change)
}

fn outside(address: Ipv4Addr) -> Result<Network, BlockError> {
    address::of_ipv4(address).ok_or(BlockError::Unspecified)
}

fn port(number: u32) -> Result<u16, BlockError> {
    u16::try_from(number).map_err(|_| BlockError::PortTooLarge { number })
}

fn range(first: u16, last: u16) -> Result<Ports, BlockError> {
    Ports::new(first, last).ok_or(BlockError::Backwards { first, last })
}

fn block(outside: Network, first: u16, last: u16, change: BlockChange) -> Result<Block, BlockError> {
    Ok(Block { outside, ports: range(first, last)?, change })
}

#[cfg(test)]
mod tests;
