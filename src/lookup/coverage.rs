//! Who would know, and whether they were heard: what "nobody held it" rests on. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::{Config, Source};
use crate::domain::coverage::Coverage;
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;

use super::Question;

/// The sources that would know who held an address at an instant, and what is known of their being heard.
pub(super) struct Watch<'a> {
    coverage: &'a Coverage,
    /// Is it certain that nobody else would know?
    complete: bool,
    responsible: Vec<(SourceName, &'a Source)>,
    at: Timestamp,
    carry_interval: Duration,
}

impl<'a> Watch<'a> {
    /// Those who are responsible for the network of the address: the sources that it names, or, where it names none, or
    /// there are no networks, every source of the realm. Where subscribers share addresses, those whose NATs' outside lies in
    /// the realm too.
    pub(super) fn over(config: &'a Config, coverage: &'a Coverage, question: &Question) -> Self {
        let network = config.network_of(question.address);
        let named = network.map_or(&[][..], |network| &network.sources);
        let shared = network.is_some_and(|network| network.shared);
        let speaks = |source: &&Source| {
            (source.realm == question.realm.0 || (shared && source.outside_realm == question.realm.0))
                && (named.is_empty() || named.contains(&source.name))
        };
        let responsible: Vec<_> =
            config.sources().filter(speaks).map(|source| (SourceName(source.name.clone()), source)).collect();
        // A name that is no configured source may be that of a token, of which nothing is promised. Nor is anything of a block
        // of ports: its NAT says when it is allocated, and need not speak of it again.
        let complete = named.iter().all(|name| config.sources().any(|source| source.name == *name)) && !shared;
        let carry_interval = config.retention.carry_interval;
        Self { coverage, complete, responsible, at: question.at, carry_interval }
    }

    /// Was every source that is responsible heard throughout the last carry interval, and does each report its open
    /// sessions within that time? Then who held the address would have been named.
    pub(super) fn heard_all_throughout(&self) -> bool {
        let heard = |source: &SourceName| self.coverage.throughout(source, self.before(), self.at).is_ok();
        self.complete
            && !self.responsible.is_empty()
            && self.responsible.iter().all(|(name, source)| source.interims && heard(name))
    }

    /// The names of those who are responsible.
    pub(super) fn responsible(&self) -> impl Iterator<Item = SourceName> {
        self.responsible.iter().map(|(name, _)| name.clone())
    }

    /// Did a source speak of a later instant than `end`, and of one that is not a carry interval before the question's?
    pub(super) fn was_heard_since(&self, source: &SourceName, end: Timestamp) -> bool {
        self.coverage.newest(source).is_some_and(|newest| newest > end && newest >= self.before())
    }

    /// Did a source say nothing of the carry intervals before and after the question's instant? Up to `now` there may be less.
    pub(super) fn was_silent_around(&self, source: &SourceName, now: Timestamp) -> bool {
        let after = self.at.plus(self.carry_interval).min(now);
        !self.coverage.heard_within(source, self.before(), after)
    }

    /// May something have been lost that those who are responsible, or one of these, said in the last carry interval?
    pub(super) fn may_have_lost(&self, sources: &BTreeSet<SourceName>) -> bool {
        let mut asked = sources.iter().chain(self.responsible.iter().map(|(name, _)| name));
        asked.any(|source| !self.coverage.troubles(source, self.before(), self.at).is_empty())
    }

    fn before(&self) -> Timestamp {
        self.at.minus(self.carry_interval)
    }
}
