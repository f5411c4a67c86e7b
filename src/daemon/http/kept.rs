//! Is anything kept outside the window that speaks for an item? Asked for a certificate alone, whose asker alone learns the outcome.

use ipnet::IpNet;

use crate::api::{LookupAnswer, Problem};
use crate::desk::{Item, Request};
use crate::domain::address::Network;
use crate::domain::rfc3339;
use crate::domain::time::Timestamp;
use crate::lookup::{Answer, Exhibit};
use crate::store::CaseRow;

use super::App;
use super::captures::CAPTURE;
use super::lookups::is_of_records;
use super::on_file::desk_failed;

/// Addresses of a realm over a span, both ends part of it.
#[derive(Clone)]
struct Area {
    realm: String,
    network: IpNet,
    from: Timestamp,
    to: Timestamp,
}

impl Area {
    /// What an item asks for, as far as the requester's clock may have been wrong.
    fn of_item(item: &Item) -> Option<Self> {
        let network = match item.network.parse::<IpNet>() {
            Ok(network) => network,
            Err(_) => IpNet::from(item.address()?.to_canonical()),
        };
        let slack = std::time::Duration::from_secs(item.uncertainty.unwrap_or(0));
        let (from, to) = (item.at().minus(slack), item.at().plus(slack));
        Some(Self { realm: item.realm.clone(), network, from, to })
    }

    /// Ports are of no account: somebody else's block of the same address is reason enough to ask.
    fn touches(&self, other: &Self) -> bool {
        self.realm == other.realm
            && (self.network.contains(&other.network) || other.network.contains(&self.network))
            && self.from <= other.to
            && other.from <= self.to
    }

    /// The same about another network.
    fn about(&self, network: Network) -> Self {
        Self { network: network.as_net(), ..self.clone() }
    }
}

/// What a captured answer about an item speaks for; nothing if it rests on no record.
fn of_capture(item: &Item, answer: &Answer) -> Vec<Area> {
    let Some(asked) = Area::of_item(item).filter(|_| is_of_records(answer.verdict)) else { return Vec::new() };
    let heard = item.at().plus(answer.heard.after.unwrap_or_default());
    let from = answer.since.map_or(item.at(), |edge| edge.at.min(item.at()));
    let to = answer.until.map_or(heard, |edge| edge.at.max(item.at()));
    let held = Area { from, to, ..asked };
    let assigned = answer.holder.as_ref().map(|holder| held.about(holder.network));
    std::iter::once(held).chain(assigned).collect()
}

/// What an answer that was given speaks for, as far as it was released; nothing if it rests on no record.
fn of_given(item: &Item, answer: &LookupAnswer) -> Vec<Area> {
    let Some(asked) = Area::of_item(item).filter(|_| is_of_records(answer.verdict)) else { return Vec::new() };
    let end = |text: &str| rfc3339::parse(text).ok();
    let from = answer.since.as_ref().and_then(|edge| end(&edge.time)).unwrap_or(item.at());
    let to = answer.until.as_ref().and_then(|edge| end(&edge.time)).unwrap_or(item.at());
    vec![Area { from: from.min(item.at()), to: to.max(item.at()), ..asked }]
}

impl App {
    /// Does a hold, or what is sealed for any request, speak for one of these items?
    pub(super) async fn is_kept(&self, items: impl Iterator<Item = &Item>) -> Result<bool, Problem> {
        let sought: Vec<Area> = items.filter_map(Area::of_item).collect();
        let is_sought = |area: &Area| sought.iter().any(|sought| sought.touches(area));
        let now = self.time.present()?.now;
        for (id, _) in self.desk.holds(now) {
            if self.exhibits(id)?.iter().flat_map(of_exhibit).any(|area| is_sought(&area)) {
                return Ok(true);
            }
        }
        for (_, filed) in self.desk.all(now) {
            let request = filed.lock().await.clone();
            if self.sealed_areas(&request, now)?.iter().any(is_sought) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All that is sealed for a request speaks for.
    fn sealed_areas(&self, request: &Request, now: Timestamp) -> Result<Vec<Area>, Problem> {
        let Some(capture) = self.desk.capture_of(request, now) else { return Ok(Vec::new()) };
        let mut areas = Vec::new();
        for (row, bytes) in self.desk.rows_of(capture).map_err(desk_failed)?.into_iter().flatten() {
            let unreadable = |error: &dyn std::fmt::Display| Problem::internal(format!("a sealed answer: {error}"));
            let Some(item) = request.item(row.number) else { continue };
            match row.kind {
                CAPTURE => {
                    areas.extend(of_capture(item, &Answer::from_bytes(&bytes).map_err(|error| unreadable(&error))?))
                }
                CaseRow::ANSWER => {
                    areas.extend(of_given(item, &serde_json::from_slice(&bytes).map_err(|error| unreadable(&error))?));
                }
                _ => {}
            }
        }
        Ok(areas)
    }
}

/// What a hold answers for.
fn of_exhibit(exhibit: &Exhibit) -> Vec<Area> {
    let (realm, network) = (&exhibit.realm().0, exhibit.network().as_net());
    let area = |(from, to): &(Timestamp, Timestamp)| {
        let to = to.minus(std::time::Duration::from_millis(1));
        Area { realm: realm.clone(), network, from: *from, to }
    };
    exhibit.spans().iter().map(area).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ItemText;
    use crate::domain::session::{Edge, Evidence};
    use crate::domain::verdict::Verdict;

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn item(network: &str, secs: u32, uncertainty: Option<u64>) -> Item {
        let written = ItemText { address: network.into(), ..ItemText::default() };
        Item { written, network: network.into(), port: None, at: at(secs).millis(), uncertainty, realm: String::new() }
    }

    fn speaks(captured: &Item, answer: &Answer, sought: &Item) -> bool {
        let sought = Area::of_item(sought).unwrap();
        of_capture(captured, answer).iter().any(|area| sought.touches(area))
    }

    #[test]
    fn a_capture_speaks_for_the_span_of_its_answer_and_no_further() {
        let edge = |secs| Some(Edge { at: at(secs), evidence: Evidence::Observed });
        let answer = Answer { since: edge(100), until: edge(300), ..Answer::bare(Verdict::Attributed, at(0)) };
        let captured = item("192.0.2.7", 200, None);
        for (address, secs, uncertainty, spoken) in [
            ("192.0.2.7", 100, None, true),
            ("192.0.2.7", 99, None, false),
            ("192.0.2.7", 99, Some(1), true),
            ("192.0.2.7", 301, None, false),
            ("192.0.2.8", 200, None, false),
            ("192.0.2.0/29", 200, None, true),
        ] {
            assert_eq!(speaks(&captured, &answer, &item(address, secs, uncertainty)), spoken, "{address} {secs}");
        }
        // What rests on no record speaks for nothing.
        assert!(!speaks(&captured, &Answer::bare(Verdict::Purged, at(0)), &captured));
        assert!(speaks(&captured, &Answer::bare(Verdict::Unassigned, at(0)), &captured));
        let elsewhere = Item { realm: "cgn-1".into(), ..captured.clone() };
        assert!(!speaks(&captured, &answer, &elsewhere));
    }
}
