//! What is expired, and the compaction filter that drops it.
//!
//! Two numbers in memory. Before the first, the published cutoff, nothing is read and nothing written. Before the second
//! compactions drop what they meet: whole buckets, and what is past of the bucket that the cutoff cuts through. The second
//! follows the first when what it will cost has been counted: a compaction of RocksDB's own that came in between would
//! make every count too low.
//!
//! The filter reads the key's instant and that number. It never writes, waits or panics, for a panic in it would end the
//! process.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rocksdb::compaction_filter::CompactionFilter;
use rocksdb::compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory};

use super::Column;
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::rows::keys::{RowKey, TAG_BYTES};

/// Rows by what they are. No key is needed to tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Statements about addresses, with the markers of sessions and NASes.
    pub assignments: u64,
    /// Logons that name no address.
    pub logons: u64,
    /// Entries that list a statement under its subscriber.
    pub listings: u64,
}

impl Rows {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.assignments.saturating_add(self.logons).saturating_add(self.listings)
    }

    /// These without those. None counts below zero.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            assignments: self.assignments.saturating_sub(earlier.assignments),
            logons: self.logons.saturating_sub(earlier.logons),
            listings: self.listings.saturating_sub(earlier.listings),
        }
    }
}

/// What a row is.
#[derive(Clone, Copy)]
pub(in crate::store) enum RowClass {
    Assignment,
    Logon,
    Listing,
}

impl RowClass {
    /// A list entry is a tag, and a sealed record is longer than one.
    pub(in crate::store) fn of(column: Column, value: &[u8]) -> Self {
        match (column == Column::ByAddress, value.len() == TAG_BYTES) {
            (true, _) => Self::Assignment,
            (false, true) => Self::Listing,
            (false, false) => Self::Logon,
        }
    }
}

/// The published cutoff, how much of it is acted upon, and what was dropped because of it. Shared by all compactions.
#[derive(Debug, Default)]
pub(in crate::store) struct Expiry {
    cutoff: AtomicU64,
    dropping: AtomicU64,
    assignments: AtomicU64,
    logons: AtomicU64,
    listings: AtomicU64,
    blind: AtomicBool,
}

impl Expiry {
    /// The published cutoff.
    pub(in crate::store) fn cutoff(&self) -> Cutoff {
        Cutoff::at(Timestamp::from_millis(self.cutoff.load(Ordering::Acquire)))
    }

    /// Publishes a cutoff. It never moves back: what was hidden once may have been destroyed.
    pub(in crate::store) fn publish(&self, cutoff: Cutoff) {
        self.cutoff.fetch_max(cutoff.horizon().millis(), Ordering::AcqRel);
    }

    /// Lets compactions that begin from here on drop what is hidden.
    pub(in crate::store) fn drop_hidden(&self) {
        self.dropping.fetch_max(self.cutoff.load(Ordering::Acquire), Ordering::AcqRel);
    }

    /// What compactions drop: everything before.
    fn dropping(&self) -> Cutoff {
        Cutoff::at(Timestamp::from_millis(self.dropping.load(Ordering::Acquire)))
    }

    /// How many rows compactions have dropped since the store was opened.
    pub(in crate::store) fn dropped(&self) -> Rows {
        let count = |count: &AtomicU64| count.load(Ordering::Acquire);
        Rows { assignments: count(&self.assignments), logons: count(&self.logons), listings: count(&self.listings) }
    }

    /// Makes the filter keep everything: a fault that verification has to find.
    pub(in crate::store) fn blind(&self, blind: bool) {
        self.blind.store(blind, Ordering::Release);
    }

    fn drop_one(&self, class: RowClass) {
        let count = match class {
            RowClass::Assignment => &self.assignments,
            RowClass::Logon => &self.logons,
            RowClass::Listing => &self.listings,
        };
        count.fetch_add(1, Ordering::AcqRel);
    }
}

/// Makes a filter for each compaction of one family.
pub(super) struct Dropping {
    pub(super) expiry: Arc<Expiry>,
    pub(super) column: Column,
}

impl CompactionFilterFactory for Dropping {
    type Filter = Expired;

    fn create(&mut self, _: CompactionFilterContext) -> Expired {
        // Taken once: a cutoff that moved during a compaction would make its counts mean nothing.
        let cutoff = self.expiry.dropping();
        Expired { expiry: Arc::clone(&self.expiry), column: self.column, cutoff }
    }

    fn name(&self) -> &CStr {
        c"lapsed.expired"
    }
}

/// The filter of one compaction.
pub(super) struct Expired {
    expiry: Arc<Expiry>,
    column: Column,
    cutoff: Cutoff,
}

impl CompactionFilter for Expired {
    fn filter(&mut self, _level: u32, key: &[u8], value: &[u8]) -> rocksdb::CompactionDecision {
        let expired = RowKey::from_bytes(key).is_some_and(|key| self.cutoff.hides(key.at));
        if !expired || self.expiry.blind.load(Ordering::Acquire) {
            return rocksdb::CompactionDecision::Keep;
        }
        self.expiry.drop_one(RowClass::of(self.column, value));
        rocksdb::CompactionDecision::Remove
    }

    fn name(&self) -> &CStr {
        c"lapsed.expired"
    }
}
