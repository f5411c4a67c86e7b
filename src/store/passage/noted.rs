//! What the store notes about its records, so that a lookup need not look where nothing can be, and knows how much of what
//! it finds is settled.
//!
//! It stands in `meta`, written in the batch of the first record that it speaks of, and in memory. No personal data: prefix
//! lengths, buckets in which some NAS was reset, and how far records are settled.

use std::collections::BTreeSet;

use crate::domain::address::Family;
use crate::domain::time::Bucket;
use crate::store::engine::{Engine, EngineError, Forget, Write};
use crate::store::families::meta::{self, BucketNote, Number};

/// Notes: those of the store, or those of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Noted {
    /// Prefix lengths that records have.
    prefix_lens: BTreeSet<(Family, u8)>,
    /// Buckets that hold a reset of a NAS. Nearly none do, and every session that is open would have to be asked for each.
    resets: BTreeSet<Bucket>,
    /// Buckets that got a statement after they had been settled.
    late: BTreeSet<Bucket>,
}

impl Noted {
    pub(in crate::store) fn read(engine: &Engine) -> Result<Self, EngineError> {
        Ok(Self {
            prefix_lens: meta::prefix_lens(engine)?,
            resets: meta::noted_buckets(engine, BucketNote::Reset)?,
            late: meta::noted_buckets(engine, BucketNote::Late)?,
        })
    }

    /// To be noted of one record: its prefix length, and its bucket if it is a reset or late.
    pub(super) fn add(&mut self, prefix_len: Option<(Family, u8)>, reset: Option<Bucket>, late: Option<Bucket>) {
        self.prefix_lens.extend(prefix_len);
        self.resets.extend(reset);
        self.late.extend(late);
    }

    /// The part of it that `known` does not have.
    pub(in crate::store) fn beyond(&self, known: &Self) -> Self {
        Self {
            prefix_lens: self.prefix_lens.difference(&known.prefix_lens).copied().collect(),
            resets: self.resets.difference(&known.resets).copied().collect(),
            late: self.late.difference(&known.late).copied().collect(),
        }
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.prefix_lens.is_empty() && self.resets.is_empty() && self.late.is_empty()
    }

    pub(in crate::store) fn extend(&mut self, fresh: &Self) {
        self.prefix_lens.extend(&fresh.prefix_lens);
        self.resets.extend(&fresh.resets);
        self.late.extend(&fresh.late);
    }

    /// What is noted of the buckets before `first`.
    pub(super) fn before(&self, first: Bucket) -> Self {
        Self {
            prefix_lens: BTreeSet::new(),
            resets: self.resets.range(..first).copied().collect(),
            late: self.late.range(..first).copied().collect(),
        }
    }

    /// That these buckets have something late in them, and nothing else.
    pub(in crate::store) fn late_in(buckets: impl IntoIterator<Item = Bucket>) -> Self {
        Self { late: buckets.into_iter().collect(), ..Self::default() }
    }

    /// Forgets what `old` notes of buckets.
    pub(in crate::store) fn forget(&mut self, old: &Self) {
        self.resets.retain(|bucket| !old.resets.contains(bucket));
        self.late.retain(|bucket| !old.late.contains(bucket));
    }

    pub(in crate::store) fn rows(&self) -> impl Iterator<Item = Write> {
        let prefix_lens = self.prefix_lens.iter().map(|(family, len)| meta::prefix_len_row(*family, *len));
        let buckets = self.buckets().map(|(note, bucket)| meta::bucket_row(note, bucket));
        prefix_lens.chain(buckets)
    }

    /// The rows to take out, so that nothing is noted of these buckets any more.
    pub(in crate::store) fn forgetting(&self) -> impl Iterator<Item = Forget> {
        self.buckets().map(|(note, bucket)| meta::forget_bucket(note, bucket))
    }

    fn buckets(&self) -> impl Iterator<Item = (BucketNote, Bucket)> {
        let resets = self.resets.iter().map(|bucket| (BucketNote::Reset, *bucket));
        resets.chain(self.late.iter().map(|bucket| (BucketNote::Late, *bucket)))
    }

    /// The prefix lengths of a family, longest first.
    pub(super) fn prefix_lens(&self, of: Family) -> Vec<u8> {
        self.prefix_lens.iter().rev().filter(|(family, _)| *family == of).map(|(_, len)| *len).collect()
    }

    /// Can the bucket hold a reset?
    pub(super) fn has_reset(&self, bucket: Bucket) -> bool {
        self.resets.contains(&bucket)
    }

    /// The buckets with something late in them.
    pub(super) fn late_buckets(&self) -> impl Iterator<Item = Bucket> {
        self.late.iter().copied()
    }

    /// The oldest bucket with something late in it.
    pub(in crate::store) fn first_late(&self) -> Option<Bucket> {
        self.late.first().copied()
    }
}

/// How far records are settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Frontier {
    /// Everything in the buckets up to this one has its meaning, but for what came late.
    pub(in crate::store) settled: Option<Bucket>,
    /// The bucket that is being settled, or was last: what comes to it and to earlier ones is late.
    pub(in crate::store) begun: Option<Bucket>,
}

impl Frontier {
    pub(in crate::store) fn read(engine: &Engine) -> Result<Self, EngineError> {
        let settled = meta::number(engine, Number::SettledThrough)?.and_then(|number| u32::try_from(number).ok());
        Ok(Self { settled: settled.map(Bucket), begun: settled.map(Bucket) })
    }

    /// Would a statement in this bucket come late?
    pub(in crate::store) fn has_begun(&self, bucket: Bucket) -> bool {
        self.begun.is_some_and(|begun| bucket <= begun)
    }
}
