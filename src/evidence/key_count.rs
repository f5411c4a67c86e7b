//! That the reports account for every key: opened once, destroyed at most once, and live are those between.
//!
//! Where the keyring was lost, what it opened is neither live nor destroyed, and the count begins anew. A key that is damaged
//! is not live either, and is counted as unreadable until its slot is overwritten.

use std::collections::BTreeSet;

use super::Check;
use super::found::Found;
use super::log::Log;
use super::periods::in_order;
use crate::domain::time::Bucket;
use crate::purge::{Exception, Report};

/// What the reports so far say.
#[derive(Default)]
struct Count {
    opened: BTreeSet<Bucket>,
    destroyed: BTreeSet<Bucket>,
    open: BTreeSet<Bucket>,
    /// Keys that were damaged need not have been told as opened.
    damaged: BTreeSet<Bucket>,
    /// How many of them were neither opened nor destroyed by any report.
    never_open: usize,
    /// Since which entry the keyring is another one.
    lost: Option<usize>,
    /// Had some damaged keys no room?
    left_out: bool,
}

/// Opened less destroyed are live.
pub(super) fn keys(log: &Log<Report>) -> Check {
    let (mut found, mut count) = (log.rule(), Count::default());
    for (index, _, report) in in_order(&log.read.entries) {
        count.hear(index, report);
        count.add(index, report, &mut found);
        count.hold(index, report, &mut found);
    }
    let (opened, destroyed, live) = (count.opened.len(), count.destroyed.len(), count.open.len());
    let anew = count.lost.map_or_else(String::new, |index| {
        format!("; the keyring was lost, and the count begins anew with entry {index}")
    });
    found.check("keys", format!("{opened} opened, {destroyed} destroyed, {live} not yet{anew}"))
}

impl Count {
    fn hear(&mut self, index: usize, report: &Report) {
        self.left_out |= report.may_leave_out("key-unreadable");
        for exception in &report.exceptions {
            if let Exception::KeyUnreadable { bucket, .. } = exception
                && self.damaged.insert(*bucket)
                && !self.opened.contains(bucket)
                && !self.destroyed.contains(bucket)
            {
                self.never_open = self.never_open.saturating_add(1);
            }
        }
        if report.exceptions.iter().any(|exception| matches!(exception, Exception::KeyringLost { .. })) {
            self.lost = Some(index);
            self.open.clear();
        }
    }

    fn add(&mut self, index: usize, report: &Report, found: &mut Found) {
        for (bucket, _) in &report.keys.opened {
            let told_as_damaged = self.damaged.contains(bucket) && !self.destroyed.contains(bucket);
            if !self.opened.insert(*bucket) {
                found.fail(format!("entry {index} opens the key of bucket {} a second time", bucket.0));
            } else if told_as_damaged {
                self.never_open = self.never_open.saturating_sub(1);
            }
            self.open.insert(*bucket);
        }
        for key in &report.keys.destroyed {
            let number = key.bucket.0;
            let known = self.opened.contains(&key.bucket) || self.damaged.contains(&key.bucket);
            // A lost keyring may have had keys that no report came to tell of.
            if !known && self.lost.is_none() && !self.left_out {
                found.fail(format!("entry {index} destroys the key of bucket {number}, which was never opened"));
            }
            let told_as_damaged = self.damaged.contains(&key.bucket) && !self.opened.contains(&key.bucket);
            if !self.destroyed.insert(key.bucket) {
                found.fail(format!("entry {index} destroys the key of bucket {number} a second time"));
            } else if told_as_damaged {
                self.never_open = self.never_open.saturating_sub(1);
            }
            self.open.remove(&key.bucket);
        }
    }

    fn hold(&self, index: usize, report: &Report, found: &mut Found) {
        let live = usize::try_from(report.keys.live).unwrap_or(usize::MAX);
        let unreadable = usize::try_from(report.keys.unreadable).unwrap_or(usize::MAX);
        let open = self.open.len();
        let most = open.saturating_sub(unreadable.saturating_sub(self.never_open(unreadable)));
        if live > most || live.saturating_add(unreadable) < open {
            let but = if unreadable > 0 { format!(", {unreadable} of them unreadable") } else { String::new() };
            found.fail(format!("entry {index} says that {live} keys are live; opened less destroyed are {open}{but}"));
        }
    }

    /// How many of the unreadable keys may be such as no report told as opened.
    const fn never_open(&self, unreadable: usize) -> usize {
        if self.lost.is_some() || self.left_out { unreadable } else { self.never_open }
    }
}
