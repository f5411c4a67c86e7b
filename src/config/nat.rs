//! `[nat]`: the NATs that compute what they translate.

use std::ops::Range;

use ipnet::{IpNet, Ipv4Net};

use super::fault::Faults;
use super::file::A_TEXT;
use super::problem::Problem;
use super::reader::{At, Reader};
use super::value;
use crate::domain::address::Realm;
use crate::domain::nat::Deterministic;

/// Below it are the well-known ports, which a NAT leaves alone.
const FIRST_PORT: u16 = 1024;

/// `[[nat.deterministic]]` as it was typed.
pub(super) struct DeterministicTable {
    place: Range<usize>,
    outside: Option<At<IpNet>>,
    outside_realm: Option<At<String>>,
    inside: Option<At<IpNet>>,
    inside_realm: Option<At<String>>,
    first_port: Option<At<u64>>,
    last_port: Option<At<u64>>,
    ports: Option<At<u64>>,
}

impl DeterministicTable {
    pub(super) fn read(table: &Reader<'_, '_, '_>) -> Self {
        let port = |key| table.number(key, 0, u64::from(u16::MAX));
        Self {
            place: table.place(),
            outside: table.required("outside", table.text("outside", A_TEXT, value::network)),
            outside_realm: table.text("outside-realm", A_TEXT, value::name_or_empty),
            inside: table.required("inside", table.text("inside", A_TEXT, value::network)),
            inside_realm: table.text("inside-realm", A_TEXT, value::name_or_empty),
            first_port: port("first-port"),
            last_port: port("last-port"),
            ports: table.required("ports", table.number("ports", 1, u64::from(u16::MAX))),
        }
    }
}

/// One side of a rule, with its place.
struct Side {
    key: &'static str,
    realm: Realm,
    network: Ipv4Net,
    place: Range<usize>,
}

/// What the tables mean; a table with a fault is left out.
pub(super) fn check(tables: Vec<DeterministicTable>, faults: &Faults<'_>) -> Vec<Deterministic> {
    let mut sides: Vec<Side> = Vec::new();
    let mut rules = Vec::new();
    for table in tables {
        let outside = side("outside", table.outside.as_ref(), table.outside_realm.as_ref(), faults);
        let inside = side("inside", table.inside.as_ref(), table.inside_realm.as_ref(), faults);
        let (Some(outside), Some(inside)) = (outside, inside) else { continue };
        let rule = rule(&table, &outside, &inside, faults);
        for side in [outside, inside] {
            distinct(&side, &sides, faults);
            sides.push(side);
        }
        rules.extend(rule);
    }
    rules
}

fn side(
    key: &'static str,
    network: Option<&At<IpNet>>,
    realm: Option<&At<String>>,
    faults: &Faults<'_>,
) -> Option<Side> {
    let written = network?;
    let IpNet::V4(network) = *written.get_ref() else {
        faults.add(written.span(), Problem::NatFamily { key });
        return None;
    };
    let realm = Realm(realm.map(|realm| realm.get_ref().clone()).unwrap_or_default());
    Some(Side { key, realm, network, place: written.span() })
}

fn rule(table: &DeterministicTable, outside: &Side, inside: &Side, faults: &Faults<'_>) -> Option<Deterministic> {
    let port = |value: &Option<At<u64>>, default: u16| match value {
        Some(value) => u16::try_from(*value.get_ref()).ok(),
        None => Some(default),
    };
    let rule = Deterministic {
        outside_realm: outside.realm.clone(),
        outside: outside.network,
        inside_realm: inside.realm.clone(),
        inside: inside.network,
        first_port: port(&table.first_port, FIRST_PORT)?,
        last_port: port(&table.last_port, u16::MAX)?,
        ports: u16::try_from(*table.ports.as_ref()?.get_ref()).ok()?,
    };
    let (capacity, count) = (rule.capacity(), rule.inside_count());
    if rule.blocks() == 0 {
        let place = table.ports.as_ref().map_or(table.place.clone(), At::span);
        let Deterministic { ports, first_port: first, last_port: last, .. } = rule;
        faults.add(place, Problem::NatNoBlock { ports, first, last });
        return None;
    }
    if capacity < count {
        faults.add(outside.place.clone(), Problem::NatPoolTooSmall { capacity, count });
        return None;
    }
    Some(rule)
}

/// Leaves a fault if a side shares addresses with one before it.
fn distinct(side: &Side, before: &[Side], faults: &Faults<'_>) {
    let overlaps = |other: &&Side| {
        let nested = other.network.contains(&side.network) || side.network.contains(&other.network);
        other.realm == side.realm && nested
    };
    if let Some(other) = before.iter().find(overlaps) {
        let (other, line) = (IpNet::V4(other.network), faults.line_of(&other.place));
        faults.add(side.place.clone(), Problem::NatOverlap { key: side.key, other, line });
    }
}
