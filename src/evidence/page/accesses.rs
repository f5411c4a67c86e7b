//! The access ledger as counts. Nobody is in them: not who asked, not under which papers, not when.

use std::collections::BTreeMap;

use crate::audit::Entry;
use crate::domain::process::Class;

/// How often each kind of entry is there. Names are those of the ledger's entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accesses {
    /// Lookups of an address, by class and verdict.
    pub(super) lookups: BTreeMap<(&'static str, &'static str), u64>,
    /// Look-ups of a subscriber, by class and finding.
    pub(super) subscribers: BTreeMap<(&'static str, &'static str), u64>,
    /// What was done to requests.
    pub(super) requests: BTreeMap<&'static str, u64>,
    /// What was done to holds.
    pub(super) holds: BTreeMap<&'static str, u64>,
    /// What else is on record.
    pub(super) others: BTreeMap<&'static str, u64>,
}

/// The classes, in the order in which they are told.
pub(super) const CLASSES: [&str; 3] = ["compelled", "voluntary", "customer"];

const fn named(class: Class) -> &'static str {
    match class {
        Class::Compelled => "compelled",
        Class::Voluntary => "voluntary",
        Class::Customer => "customer",
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let count = counts.entry(key).or_default();
    *count = count.saturating_add(1);
}

impl Accesses {
    /// Counts the entries.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            match entry {
                Entry::Lookup { access, verdict } => add(&mut counts.lookups, (named(access.class), verdict.name())),
                Entry::Subscriber { access, finding, .. } => {
                    add(&mut counts.subscribers, (named(access.class), finding.name()));
                }
                Entry::Request { act, .. } => add(&mut counts.requests, act.name()),
                Entry::Hold { act, .. } => add(&mut counts.holds, act.name()),
                Entry::ClockAccepted { .. } => add(&mut counts.others, "clock-accepted"),
                Entry::TokenMinted { .. } => add(&mut counts.others, "token-minted"),
                Entry::TokenRevoked { .. } => add(&mut counts.others, "token-revoked"),
                Entry::LockedOut { .. } => add(&mut counts.others, "locked-out"),
            }
        }
        counts
    }

    /// Lookups of both kinds, in a class.
    pub(super) fn in_class(&self, class: &str) -> u64 {
        let all = self.lookups.iter().chain(&self.subscribers);
        all.filter(|((of, _), _)| *of == class).map(|(_, count)| *count).fold(0, u64::saturating_add)
    }

    /// Lookups of both kinds.
    pub(super) fn looked_up(&self) -> u64 {
        CLASSES.iter().map(|class| self.in_class(class)).fold(0, u64::saturating_add)
    }
}
