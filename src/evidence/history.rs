//! That the ledgers are those of which the auditor kept checkpoints, and have only grown since.
//!
//! Without one, a host can rewrite what nobody outside has seen, and no rule here can tell: then this is unknown, and does not
//! count. A checkpoint that was given and is of neither ledger does: who gave it wants to know.

use std::collections::BTreeSet;

use super::log::Log;
use super::{Check, Keys, found::Found};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::Hash;

/// The checkpoints that the auditor kept, as far as they are of these ledgers.
pub(super) struct Known {
    purge: Vec<Checkpoint>,
    access: Vec<Checkpoint>,
    /// Why the others are of neither.
    unreadable: Vec<String>,
}

impl Known {
    /// Opens each with the key that signed it.
    pub(super) fn open(notes: &[Vec<u8>], keys: &Keys) -> Self {
        let mut known = Self { purge: Vec::new(), access: Vec::new(), unreadable: Vec::new() };
        for (number, note) in (1..).zip(notes) {
            match (Checkpoint::open(note, &keys.purge), Checkpoint::open(note, &keys.access)) {
                (Ok(checkpoint), _) => known.purge.push(checkpoint),
                (_, Ok(checkpoint)) => known.access.push(checkpoint),
                (Err(purge), Err(access)) => {
                    known.unreadable.push(format!("checkpoint {number} of those kept: {purge}; {access}"));
                }
            }
        }
        known
    }

    /// The sizes at which roots are needed: of the purge ledger, and of the access ledger.
    pub(super) fn sizes(&self) -> (BTreeSet<u64>, BTreeSet<u64>) {
        let of = |kept: &[Checkpoint]| kept.iter().map(|checkpoint| checkpoint.size).collect();
        (of(&self.purge), of(&self.access))
    }

    /// Holds each against the ledger as it was fetched.
    pub(super) fn look<P, A>(&self, purge: &Log<P>, access: &Log<A>) -> Check {
        const NAME: &str = "history-fixed";
        let (mut found, mut held) = (Found::default(), Vec::new());
        if self.purge.is_empty() && self.access.is_empty() && self.unreadable.is_empty() {
            let nothing = "no checkpoint was kept: the host can have rewritten what nobody outside has seen";
            found.unknown(nothing.to_owned());
            return found.told(NAME, "");
        }
        for detail in &self.unreadable {
            found.unknown(detail.clone());
        }
        look_at("purge", &self.purge, purge, (&mut found, &mut held));
        look_at("access", &self.access, access, (&mut found, &mut held));
        found.check(NAME, held.join("; "))
    }
}

fn look_at<E>(name: &str, kept: &[Checkpoint], log: &Log<E>, (found, held): (&mut Found, &mut Vec<String>)) {
    if kept.is_empty() {
        held.push(format!("of the {name} ledger no checkpoint was kept"));
    }
    for Checkpoint { size: at, root, .. } in kept {
        let other_root = |given: Option<&Hash>| given.is_some_and(|given| given != root);
        let signed = log.read.checkpoint.as_ref();
        if let Some(size) = signed.map(|checkpoint| checkpoint.size).filter(|size| size < at) {
            found.fail(format!("the {name} ledger shrank: it has {size} entries, and {at} were signed for"));
        } else if other_root(log.roots.get(at)) || other_root(signed.filter(|of| of.size == *at).map(|of| &of.root)) {
            let last = at.saturating_sub(1);
            found.fail(format!("the {name} ledger was rewritten at or before entry {last}: its first {at} entries are not those signed for"));
        } else if log.roots.contains_key(at) {
            held.push(format!("the first {at} entries of the {name} ledger are those signed for"));
        } else {
            found.unknown(format!("the first {at} entries of the {name} ledger cannot all be read"));
        }
    }
}
