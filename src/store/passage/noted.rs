//! What the store notes about its records, so that a lookup need not look where nothing can be.
//!
//! It stands in `meta`, written in the batch of the first record that it speaks of, and in memory. No personal data: prefix
//! lengths, and buckets in which some NAS was reset.

use std::collections::BTreeSet;

use super::sealer::Sealed;
use crate::domain::address::Family;
use crate::domain::time::Bucket;
use crate::store::engine::{Engine, EngineError, Write};
use crate::store::families::meta;

/// Notes: those of the store, or those of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Noted {
    /// Prefix lengths that records have.
    prefix_lens: BTreeSet<(Family, u8)>,
    /// Buckets that hold a reset of a NAS. Nearly none do, and every session that is open would have to be asked for each.
    resets: BTreeSet<Bucket>,
}

impl Noted {
    pub(in crate::store) fn read(engine: &Engine) -> Result<Self, EngineError> {
        Ok(Self { prefix_lens: meta::prefix_lens(engine)?, resets: meta::reset_buckets(engine)? })
    }

    /// What is to be noted of records.
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Sealed>) -> Self {
        let mut noted = Self::default();
        for sealed in records {
            noted.prefix_lens.extend(sealed.prefix_len);
            noted.resets.extend(sealed.reset);
        }
        noted
    }

    /// The part of it that `known` does not have.
    pub(in crate::store) fn beyond(&self, known: &Self) -> Self {
        Self {
            prefix_lens: self.prefix_lens.difference(&known.prefix_lens).copied().collect(),
            resets: self.resets.difference(&known.resets).copied().collect(),
        }
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.prefix_lens.is_empty() && self.resets.is_empty()
    }

    pub(in crate::store) fn extend(&mut self, fresh: &Self) {
        self.prefix_lens.extend(&fresh.prefix_lens);
        self.resets.extend(&fresh.resets);
    }

    /// The buckets before `first` of which a reset is noted.
    pub(super) fn resets_before(&self, first: Bucket) -> Vec<Bucket> {
        self.resets.range(..first).copied().collect()
    }

    pub(in crate::store) fn forget(&mut self, resets: &[Bucket]) {
        self.resets.retain(|bucket| !resets.contains(bucket));
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Write> {
        let prefix_lens = self.prefix_lens.iter().map(|(family, len)| meta::prefix_len_row(*family, *len));
        prefix_lens.chain(self.resets.iter().map(|bucket| meta::reset_bucket_row(*bucket)))
    }

    /// The prefix lengths of a family, longest first.
    pub(super) fn prefix_lens(&self, of: Family) -> Vec<u8> {
        self.prefix_lens.iter().rev().filter(|(family, _)| *family == of).map(|(_, len)| *len).collect()
    }

    /// Can the bucket hold a reset?
    pub(super) fn has_reset(&self, bucket: Bucket) -> bool {
        self.resets.contains(&bucket)
    }
}
