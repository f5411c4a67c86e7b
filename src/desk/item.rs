//! An item of a request: an address at an instant, as written and as understood.

use serde::{Deserialize, Serialize};

use crate::api::{ItemText, ItemsPaper};
use crate::domain::address::Network;
use crate::domain::address::Realm;
use crate::domain::time::Timestamp;
use crate::written::items;

/// One item.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// As the paper has it.
    pub written: ItemText,
    /// The address, or the prefix that a whole network is.
    pub network: String,
    /// The port of the subscriber's side.
    pub port: Option<u16>,
    /// Milliseconds since 1970.
    pub at: u64,
    /// How wrong the requester's clock may have been, in seconds.
    pub uncertainty: Option<u64>,
    /// Which of several equal address spaces; empty is the public one.
    pub realm: String,
}

/// An item cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {detail}")]
pub struct ItemFault {
    /// Which, and which of its fields.
    pub place: String,
    /// What is wrong.
    pub detail: String,
}

impl Item {
    /// The instant.
    pub const fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.at)
    }

    /// The realm.
    pub fn realm(&self) -> Realm {
        Realm(self.realm.clone())
    }

    /// The address, the first of a whole network. `None` if the bytes were not written by this version.
    pub fn address(&self) -> Option<std::net::IpAddr> {
        self.network.split('/').next().and_then(|address| address.parse().ok())
    }

    /// The item with this number as papers write it, read once more for what looks like a mistake. `None` if a later version reads
    /// otherwise what this one took: what counts is what was understood when it was filed.
    pub fn read_again(&self, number: usize) -> Option<items::Item> {
        items::one(&columns(&self.written), number).ok()
    }

    fn of(item: items::Item, written: ItemText) -> Self {
        Self {
            written,
            network: shown(item.address.network),
            port: item.port,
            at: item.at.at.millis(),
            uncertainty: item.uncertainty.map(|duration| duration.as_secs()),
            realm: item.realm.0,
        }
    }
}

fn shown(network: Network) -> String {
    network.to_string()
}

/// Reads items as written: one by one, then those of the CSV. All of them or none.
///
/// # Errors
///
/// Everything that cannot be understood, with its place.
pub fn items(paper: &ItemsPaper) -> Result<Vec<Item>, Vec<ItemFault>> {
    let (mut taken, mut faults) = (Vec::new(), Vec::new());
    for (number, written) in (1_usize..).zip(&paper.items) {
        match items::one(&columns(written), number) {
            Ok(item) => taken.push(Item::of(item, written.clone())),
            Err(of_item) => faults.extend(of_item.into_iter().map(|fault| {
                let column = fault.column.map_or_else(String::new, |column| format!(", {column}"));
                ItemFault { place: format!("item {number}{column}"), detail: fault.problem.to_string() }
            })),
        }
    }
    if let Some(csv) = &paper.items_csv {
        match items::read(csv.as_bytes()) {
            Ok(read) => taken.extend(read.items.into_iter().map(|item| {
                let written = as_written(&item);
                Item::of(item, written)
            })),
            Err(of_file) => faults.extend(of_file.0.into_iter().map(|fault| {
                let line = fault.line.map_or_else(String::new, |line| format!(" line {line}"));
                let column = fault.column.map_or_else(String::new, |column| format!(", {column}"));
                ItemFault { place: format!("items{line}{column}"), detail: fault.problem.to_string() }
            })),
        }
    }
    if taken.len() > items::MAX_ITEMS {
        let detail = format!("there are more than {} items", items::MAX_ITEMS);
        faults.push(ItemFault { place: "items".into(), detail });
    }
    if faults.is_empty() { Ok(taken) } else { Err(faults) }
}

fn columns(written: &ItemText) -> Vec<(items::Column, String)> {
    use items::Column;
    let port = written.port.map(|port| port.to_string());
    let fields = [
        (Column::Line, written.line.clone()),
        (Column::Address, Some(written.address.clone())),
        (Column::Port, port),
        (Column::Protocol, written.protocol.clone()),
        (Column::At, Some(written.at.clone())),
        (Column::Zone, written.zone.clone()),
        (Column::Uncertainty, written.uncertainty.clone()),
        (Column::Realm, written.realm.clone()),
    ];
    fields.into_iter().filter_map(|(column, text)| Some((column, text?))).collect()
}

/// What stood in the file.
fn as_written(item: &items::Item) -> ItemText {
    ItemText {
        line: item.line.clone(),
        address: item.address.raw.clone(),
        port: item.port,
        protocol: item.protocol.map(|protocol| protocol.to_string()),
        at: item.at.raw.clone(),
        zone: item.zone.clone(),
        uncertainty: item.uncertainty.map(|duration| format!("{}s", duration.as_secs())),
        realm: Some(item.realm.0.clone()).filter(|realm| !realm.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(address: &str, at: &str) -> ItemText {
        ItemText { address: address.into(), at: at.into(), ..ItemText::default() }
    }

    #[test]
    fn items_come_as_fields_and_as_a_file() {
        let paper = ItemsPaper {
            items: vec![one("203.0.113.7:51515", "2026-11-21T14:03:22-07:00")],
            items_csv: Some("address;port;at\n198.51.100.9;4000;2026-11-21 21:03:22 UTC\n".into()),
        };
        let read = items(&paper).unwrap();
        assert_eq!(
            (read[0].network.as_str(), read[0].port, read[0].at),
            ("203.0.113.7", Some(51515), 1_795_295_002_000)
        );
        assert_eq!(
            (read[1].network.as_str(), read[1].port, read[1].at),
            ("198.51.100.9", Some(4000), 1_795_295_002_000)
        );
        assert_eq!(read[0].written, paper.items[0]);
        assert_eq!(read[1].written.at, "2026-11-21 21:03:22 UTC");
    }

    #[test]
    fn one_that_is_wrong_is_named_and_none_is_taken() {
        let paper = ItemsPaper {
            items: vec![one("203.0.113.7", "2026-11-21T14:03:22Z"), one("203.0.113.007", "2026-11-21 14:03:22")],
            items_csv: Some("address,at\n192.0.2.1,yesterday\n".into()),
        };
        let faults = items(&paper).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["item 2, address", "item 2, at", "items line 2, at"]);
    }
}
