//! The recency index: how every session on every address stood when the last bucket was settled.
//!
//! In memory only, and made anew at every start. It has no names and no addresses: hashes under a key of the process, and
//! where a record stands that has the rest.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU64;

use crate::domain::address::{Network, Ports, Realm};
use crate::domain::identity::{NasId, SessionTag};
use crate::domain::record::Record;
use crate::domain::session::Standing;
use crate::domain::time::{Bucket, Timestamp};
use crate::store::Row;

/// Stands for an address in a realm.
pub(super) type SiteKey = [u64; 2];

/// Makes the hashes. They are the same for as long as the process lives, and mean nothing elsewhere.
#[derive(Default)]
pub(super) struct Hasher {
    first: RandomState,
    second: RandomState,
}

impl Hasher {
    /// Of an address or prefix in a realm.
    pub(super) fn site(&self, realm: &Realm, network: Network) -> SiteKey {
        [self.first.hash_one((realm, network)), self.second.hash_one((realm, network))]
    }

    /// Of a session.
    pub(super) fn session(&self, nas: &NasId, session: SessionTag) -> u64 {
        self.first.hash_one((nas, session))
    }

    /// Of who holds the address by a record: its subscriber, or who has what is inside of it. `None` where it tells neither.
    pub(super) fn holder(&self, record: &Record) -> Option<NonZeroU64> {
        let told = record.subscriber.is_some() || record.inside.is_some();
        let hash =
            || NonZeroU64::new(self.first.hash_one((&record.subscriber, &record.inside))).unwrap_or(NonZeroU64::MIN);
        told.then(hash)
    }

    /// Of a NAS.
    pub(super) fn nas(&self, nas: &NasId) -> u64 {
        self.second.hash_one(nas)
    }
}

/// A session on an address, or on some ports of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownRun {
    /// Hash of the session.
    pub(super) session: u64,
    /// Hash of its NAS.
    pub(super) nas: u64,
    /// The ports it holds.
    pub(super) ports: Ports,
    /// After how many buckets of silence it counts as ended.
    pub(super) silence: Option<u32>,
    /// How it stands.
    pub(super) standing: Standing,
    /// Its newest record that tells who holds the address.
    pub(super) row: Option<Row>,
    /// Hash of who that is; `None` where it was not told.
    pub(super) holder: Option<NonZeroU64>,
}

impl KnownRun {
    /// A run of which nothing was heard yet.
    pub(super) fn new(session: u64, nas: u64, ports: Ports) -> Self {
        Self { session, nas, ports, silence: None, standing: Standing::default(), row: None, holder: None }
    }

    /// Does it speak, by its silence or its lease, in this bucket at the latest?
    pub(super) fn is_due(&self, bucket: Bucket, carry_buckets: u32, end_of_bucket: Timestamp) -> bool {
        let silent = self.standing.last.is_some_and(|(last, _)| last.later(carry_buckets) <= bucket);
        let leased = self.standing.lease_end.is_some_and(|end| end <= end_of_bucket);
        self.standing.is_open() && (silent || leased)
    }

    /// Does nothing that comes after `bucket` depend on it?
    fn is_over(&self, bucket: Bucket, carry_buckets: u32) -> bool {
        let long_ago = self.standing.last.is_none_or(|(last, _)| last.later(carry_buckets) <= bucket);
        !self.standing.is_open() && long_ago
    }
}

/// Every site of which something was heard lately.
#[derive(Default)]
pub(super) struct Index {
    sites: HashMap<SiteKey, Known>,
    /// When sessions ended, also those of which no address is known.
    ended: HashMap<u64, Bucket>,
}

/// A site.
struct Known {
    runs: Vec<KnownRun>,
    /// The bucket in which it was looked at last.
    seen: Bucket,
}

impl Index {
    /// Takes the runs of a site out.
    pub(super) fn take(&mut self, key: SiteKey) -> Vec<KnownRun> {
        self.sites.remove(&key).map(|known| known.runs).unwrap_or_default()
    }

    /// Puts the runs of a site in, as they stand after `bucket`.
    pub(super) fn put(&mut self, key: SiteKey, mut runs: Vec<KnownRun>, bucket: Bucket, carry_buckets: u32) {
        runs.retain(|run| !run.is_over(bucket, carry_buckets));
        if runs.is_empty() {
            self.sites.remove(&key);
        } else {
            runs.shrink_to_fit();
            self.sites.insert(key, Known { runs, seen: bucket });
        }
    }

    /// The sites that were not looked at in `bucket` and have a run for which `wanted` holds, each with the place of a record
    /// of it if one is known, in the order of those places.
    pub(super) fn unseen(&self, bucket: Bucket, wanted: impl Fn(&KnownRun) -> bool) -> Vec<(Option<Row>, SiteKey)> {
        let unseen = self.sites.iter().filter(|(_, known)| known.seen < bucket && known.runs.iter().any(&wanted));
        let place = |known: &Known| known.runs.iter().find_map(|run| run.row);
        let mut sites: Vec<_> = unseen.map(|(key, known)| (place(known), *key)).collect();
        sites.sort_unstable();
        sites
    }

    /// Notes that a session ended.
    pub(super) fn end(&mut self, session: u64, bucket: Bucket) {
        let newest = self.ended.entry(session).or_insert(bucket);
        *newest = bucket.max(*newest);
    }

    /// When a session ended, if that was lately.
    pub(super) fn ended(&self, session: u64) -> Option<Bucket> {
        self.ended.get(&session).copied()
    }

    /// Forgets what no longer matters after `bucket`.
    pub(super) fn forget(&mut self, bucket: Bucket, carry_buckets: u32) {
        self.ended.retain(|_, ended| ended.later(carry_buckets) > bucket);
        self.sites.retain(|_, known| {
            known.seen == bucket || known.runs.iter().any(|run| !run.is_over(bucket, carry_buckets))
        });
    }

    /// How many sites and runs it has, and the bytes they take, without what the allocator adds.
    pub(super) fn size(&self) -> (usize, usize, usize) {
        let runs = self.sites.values().map(|known| known.runs.len()).sum::<usize>();
        let slot = size_of::<(SiteKey, Known)>().saturating_add(1);
        let bytes =
            self.sites.capacity().saturating_mul(slot).saturating_add(runs.saturating_mul(size_of::<KnownRun>()));
        (self.sites.len(), runs, bytes)
    }
}
