//! Puts pseudonyms in the place of those whom no answer shows. Pure.
//!
//! Numbers, in the order in which they are met: they say nothing outside the exhibit, and the same everywhere in it, so that
//! who is one and the same stays so. What else tells a party, its line and why its session ended, is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::domain::address::{Network, Realm};
use crate::domain::identity::{Line, SessionTag, SubscriberId};
use crate::domain::nat::Inside;
use crate::domain::record::Record;

use super::Exhibit;
use super::needed::Needed;
use crate::lookup::timeline::SessionKey;

/// Replaces all that `needed` does not have.
pub(super) fn hide_others(exhibit: &mut Exhibit, needed: &Needed) {
    let mut others = Others { needed, names: Numbered::new(), insides: Numbered::new(), sessions: Numbered::new() };
    for (record, _) in exhibit.rows.values_mut().flatten() {
        others.hide(record);
    }
    let ends = std::mem::take(&mut exhibit.ends);
    for (key, records) in ends {
        let hidden = others.session(&key);
        let bare = records.iter().map(|record| Record { session: hidden.1, ..bare(record) }).collect();
        exhibit.ends.insert(hidden, bare);
    }
    for record in exhibit.resets.values_mut().flatten() {
        *record = bare(record);
    }
    let spoken = std::mem::take(&mut exhibit.spoken);
    exhibit.spoken = spoken.into_iter().map(|(key, name, at)| (others.session(&key), others.name(&name), at)).collect();
}

/// A marker, of which no answer shows more than its instant, its NAS and its source.
fn bare(marker: &Record) -> Record {
    Record { subscriber: None, line: Line::default(), inside: None, terminate_cause: None, ..marker.clone() }
}

struct Others<'a> {
    needed: &'a Needed,
    names: Numbered<SubscriberId>,
    insides: Numbered<Inside>,
    sessions: Numbered<SessionKey>,
}

impl Others<'_> {
    fn hide(&mut self, record: &mut Record) {
        let key = (record.nas.clone(), record.session);
        record.subscriber = record.subscriber.as_ref().map(|name| self.name(name));
        record.inside = record.inside.as_ref().map(|inside| self.inside(inside));
        if !self.needed.lines.contains(&(key.clone(), record.at)) {
            record.line = Line::default();
        }
        if !self.needed.sessions.contains(&key) {
            record.terminate_cause = None;
        }
        record.session = self.session(&key).1;
    }

    fn name(&mut self, name: &SubscriberId) -> SubscriberId {
        self.names.of(name, &self.needed.names, |number| SubscriberId(format!("party-{number}")))
    }

    /// An address that nothing has, in a realm that is a number.
    fn inside(&mut self, inside: &Inside) -> Inside {
        let network = Network::single(Ipv4Addr::UNSPECIFIED.into());
        self.insides
            .of(inside, &self.needed.insides, |number| Inside { realm: Realm(format!("inside-{number}")), network })
    }

    fn session(&mut self, key: &SessionKey) -> SessionKey {
        self.sessions.of(key, &self.needed.sessions, |number| (key.0.clone(), SessionTag(number.to_be_bytes())))
    }
}

/// The pseudonyms that were given.
struct Numbered<T> {
    given: BTreeMap<T, T>,
    last: u64,
}

impl<T: Clone + Ord> Numbered<T> {
    const fn new() -> Self {
        Self { given: BTreeMap::new(), last: 0 }
    }

    /// One that is kept as it is, or its pseudonym, which is never one that is kept: somebody may really be called so.
    fn of(&mut self, one: &T, kept: &BTreeSet<T>, pseudonym: impl Fn(u64) -> T) -> T {
        if kept.contains(one) {
            return one.clone();
        }
        if let Some(given) = self.given.get(one) {
            return given.clone();
        }
        loop {
            self.last = self.last.saturating_add(1);
            let fresh = pseudonym(self.last);
            if !kept.contains(&fresh) {
                self.given.insert(one.clone(), fresh.clone());
                return fresh;
            }
        }
    }
}
