//! Whose data was asked for, as hashes that nobody can turn back without the key of this process, and only for as long as they
//! are counted.
//!
//! On disk they would be a second log of who was asked about, which is what the access ledger leaves out on purpose. So a restart
//! forgets them, and with them what was seen of the hour and the day.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use super::{Actor, HOURS_A_DAY, LOOKBACK, hour_of};
use crate::domain::address::{Family, Network};
use crate::domain::identity::{Entity, SubscriberId};
use crate::domain::time::Timestamp;

/// The most tags that are kept of one actor and hour, or day: far above every threshold, and a few MiB.
const MOST: usize = 50_000;

type Tag = [u8; 16];

/// A question that somebody asked.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The case that it belongs to; requests of one case are related.
    pub case: &'a str,
    /// The address asked for, with its realm.
    pub address: Option<(IpAddr, &'a str)>,
    /// Whom the question or its answer named, whether they were told or not.
    pub subscriber: Option<(&'a Entity, &'a SubscriberId)>,
}

/// What was asked lately. `Debug` is missing on purpose.
pub struct Tags {
    key: [u8; 32],
    /// By actor and hour: the addresses asked for, by their network.
    sweeps: BTreeMap<(u64, Actor), Sets>,
    /// By actor and day: the cases in which a subscriber was met, by the subscriber.
    repeated: BTreeMap<(u64, Actor), Sets>,
}

/// Sets of tags, and how large the largest has become.
#[derive(Default)]
struct Sets {
    sets: HashMap<Tag, HashSet<Tag>>,
    tags: usize,
    largest: u64,
    /// The hour in which it became so.
    hour: u64,
}

impl Sets {
    fn put(&mut self, set: Tag, tag: Tag, hour: u64) {
        if self.tags >= MOST {
            return;
        }
        let set = self.sets.entry(set).or_default();
        if set.insert(tag) {
            self.tags = self.tags.saturating_add(1);
            let size = u64::try_from(set.len()).unwrap_or(u64::MAX);
            if size > self.largest {
                (self.largest, self.hour) = (size, hour);
            }
        }
    }

    /// What is over needs no tags any more: the count stays.
    fn forget(&mut self) {
        self.sets = HashMap::new();
    }
}

impl Tags {
    /// None yet, under a key that nobody else has and that is not kept.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key, sweeps: BTreeMap::new(), repeated: BTreeMap::new() }
    }

    /// Notes a question.
    pub fn note(&mut self, asked: &Asked<'_>) {
        let hour = hour_of(asked.at);
        self.pass(asked.at);
        if let Some((address, realm)) = asked.address {
            let (network, address) = (neighbourhood(address).to_string(), address.to_string());
            let (network, address) = (self.tag(&["network", realm, &network]), self.tag(&["address", realm, &address]));
            self.sweeps.entry((hour, asked.actor)).or_default().put(network, address, hour);
        }
        if let Some((entity, subscriber)) = asked.subscriber {
            let subscriber = self.tag(&["subscriber", &entity.0, subscriber.as_str()]);
            let case = self.tag(&["case", &asked.case.trim().to_lowercase()]);
            let day = hour.checked_div(HOURS_A_DAY).unwrap_or_default();
            self.repeated.entry((day, asked.actor)).or_default().put(subscriber, case, hour);
        }
    }

    /// Turns into counts what is over at `now`, and forgets counts that nobody looks back to.
    pub fn pass(&mut self, now: Timestamp) {
        let (hour, oldest) = (hour_of(now), hour_of(now.minus(LOOKBACK)));
        let day = |hour: u64| hour.checked_div(HOURS_A_DAY).unwrap_or_default();
        self.sweeps.retain(|(of, _), _| *of >= oldest);
        self.repeated.retain(|(of, _), _| *of >= day(oldest));
        self.sweeps.range_mut(..(hour, Actor::default())).for_each(|(_, sets)| sets.forget());
        self.repeated.range_mut(..(day(hour), Actor::default())).for_each(|(_, sets)| sets.forget());
    }

    /// Who asked for how many addresses of one network at most, in which hour.
    pub(super) fn sweeps(&self) -> impl Iterator<Item = (Actor, u64, u64)> {
        self.sweeps.iter().map(|((_, actor), sets)| (*actor, sets.hour, sets.largest))
    }

    /// Who met one subscriber in how many cases of a day at most, and the hour of the last of them.
    pub(super) fn repeated(&self) -> impl Iterator<Item = (Actor, u64, u64)> {
        self.repeated.iter().map(|((_, actor), sets)| (*actor, sets.hour, sets.largest))
    }

    fn tag(&self, parts: &[&str]) -> Tag {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in parts {
            hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let mut tag = Tag::default();
        hasher.finalize_xof().fill(&mut tag);
        tag
    }
}

/// The network whose addresses are neighbours.
fn neighbourhood(address: IpAddr) -> Network {
    let bits = match Family::of(address) {
        Family::V4 => 24,
        Family::V6 => 56,
    };
    Network::around(address, bits).unwrap_or_else(|| Network::single(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_014_400_000);

    fn asked<'a>(at: Timestamp, address: &str, case: &'a str) -> Asked<'a> {
        let address = Some((address.parse().unwrap(), ""));
        Asked { actor: [1; 8], at, case, address, subscriber: None }
    }

    fn largest(tags: &Tags) -> Vec<u64> {
        tags.sweeps().map(|(_, _, count)| count).collect()
    }

    #[test]
    fn neighbours_are_counted_once_each_and_strangers_apart() {
        let mut tags = Tags::new([7; 32]);
        for last in 0..20 {
            tags.note(&asked(NOON, &format!("192.0.2.{last}"), "a"));
            tags.note(&asked(NOON, &format!("10.{last}.0.1"), "b"));
            tags.note(&asked(NOON, "192.0.2.0", "c"));
        }
        assert_eq!(largest(&tags), [20]);
        for last in 0..30 {
            tags.note(&asked(NOON, &format!("2001:db8:0:{last:x}::1"), "a"));
        }
        assert_eq!(largest(&tags), [30]);
    }

    #[test]
    fn an_hour_that_is_over_leaves_a_count_and_no_tag() {
        let mut tags = Tags::new([7; 32]);
        tags.note(&asked(NOON, "192.0.2.1", "a"));
        tags.note(&asked(NOON, "192.0.2.2", "a"));
        let later = NOON.plus(std::time::Duration::from_secs(3600));
        tags.note(&asked(later, "192.0.2.3", "a"));
        assert_eq!(largest(&tags), [2, 1]);
        assert!(tags.sweeps.first_key_value().unwrap().1.sets.is_empty());
        tags.pass(NOON.plus(LOOKBACK).plus(std::time::Duration::from_secs(7200)));
        assert!(largest(&tags).is_empty());
    }

    #[test]
    fn a_subscriber_is_met_in_cases_and_not_in_items() {
        let mut tags = Tags::new([7; 32]);
        let (entity, name) = (Entity::default(), SubscriberId("alice@isp.example".into()));
        for case in ["24-CR-1", "24-cr-1 ", "24-CR-1", "24-CR-2"] {
            let subscriber = Some((&entity, &name));
            tags.note(&Asked { subscriber, address: None, ..asked(NOON, "192.0.2.1", case) });
        }
        assert_eq!(tags.repeated().map(|(_, _, count)| count).collect::<Vec<_>>(), [2]);
    }
}
