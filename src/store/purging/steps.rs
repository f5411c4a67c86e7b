//! The steps of a purge, each by itself. In which order they are taken, and what a crash between two of them leaves, is the
//! business of the purge.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::store::engine::{Column, CommitError, EngineError, RowClass, Rows};
use crate::store::rows::keys::RowKey;
use crate::store::{Batch, Store};

/// Rows that are hidden and still there, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doomed {
    /// Statements about addresses, with the markers of sessions and NASes.
    pub assignments: Expired,
    /// Logons that name no address.
    pub logons: Expired,
    /// Entries that list a statement under its subscriber.
    pub listings: Expired,
    /// The instant of the oldest row that is not hidden, in the buckets that were read: those that the cutoff touches or has
    /// passed. `None` if there is no such row in them.
    pub oldest_kept: Option<Timestamp>,
}

/// Rows of a class that are hidden and still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// How many.
    pub rows: u64,
    /// The instant of the oldest; `None` if there are none.
    pub oldest: Option<Timestamp>,
}

impl Doomed {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.classes().map(|class| class.rows).fold(0, u64::saturating_add)
    }

    /// The instant of the oldest of all.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.classes().filter_map(|class| class.oldest).min()
    }

    fn classes(&self) -> impl Iterator<Item = &Expired> {
        [&self.assignments, &self.logons, &self.listings].into_iter()
    }

    fn count(&mut self, class: RowClass, at: Timestamp) {
        let class = match class {
            RowClass::Assignment => &mut self.assignments,
            RowClass::Logon => &mut self.logons,
            RowClass::Listing => &mut self.listings,
        };
        class.rows = class.rows.saturating_add(1);
        class.oldest = Some(class.oldest.map_or(at, |oldest| oldest.min(at)));
    }
}

/// What the database says of its files, held against a cutoff. Other means than the filter: it looks at every file's
/// bounds, which also belong to rows that no reader sees any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Files whose first or last key is expired.
    pub expired: BTreeSet<String>,
    /// Files with tombstones: those hold keys of what was removed.
    pub tombstones: BTreeSet<String>,
    /// Files whose bounds are no keys of the format.
    pub foreign: BTreeSet<String>,
    /// Every file of every family.
    pub live: BTreeSet<String>,
}

impl Store {
    /// The cutoff before which nothing is read, and nothing written any more.
    pub fn cutoff(&self) -> Cutoff {
        self.expiry.cutoff()
    }

    /// The bucket of an instant.
    pub fn bucket_of(&self, at: Timestamp) -> Bucket {
        self.width().bucket_of(at)
    }

    /// Hides what is before `cutoff`, at once and for good: the cutoff never moves back.
    ///
    /// When this returns, no older record is in flight: a commit that was under way has ended, and later ones leave out what
    /// is hidden.
    pub fn hide(&self, cutoff: Cutoff) {
        let _no_commit = self.committing();
        self.expiry.publish(cutoff);
    }

    /// Lets compactions drop what is hidden, from here on: to be called when it has been counted. Until then they keep it,
    /// whoever asked for them.
    pub fn drop_hidden(&self) {
        self.expiry.drop_hidden();
    }

    /// How many rows compactions have dropped since the store was opened, whoever asked for them.
    pub fn dropped(&self) -> Rows {
        self.expiry.dropped()
    }

    /// Writes every family's memory to files, if it may hold what is expired or if the bucket of `now` is a new one: so no log
    /// outlives the bucket it was written in. Says whether it did.
    pub fn flush_expired(&self, now: Timestamp) -> Result<bool, EngineError> {
        let bucket = self.width().bucket_of(now);
        let oldest = {
            let _no_commit = self.committing();
            let oldest = self.oldest_in_memory.load(Ordering::Acquire);
            let old = self.cutoff().hides(Timestamp::from_millis(oldest));
            if !old && self.flushed_in.load(Ordering::Acquire) == bucket.0 {
                return Ok(false);
            }
            // What is committed from here on is in memory anew.
            self.oldest_in_memory.store(u64::MAX, Ordering::Release);
            oldest
        };
        let flushed = self.room_to_flush().and_then(|()| self.engine.flush(&Column::ALL));
        match &flushed {
            Ok(()) => self.flushed_in.store(bucket.0, Ordering::Release),
            Err(_) => drop(self.oldest_in_memory.fetch_min(oldest, Ordering::AcqRel)),
        }
        flushed.map(|()| true)
    }

    /// Counts the rows that are hidden and still there. Reads every bucket that the cutoff touches or has passed.
    pub fn doomed(&self) -> Result<Doomed, EngineError> {
        let cutoff = self.cutoff();
        let end = self.end_of_expired();
        let mut doomed = Doomed::default();
        for column in [Column::ByAddress, Column::BySubscriber] {
            self.engine.visit_below(column, &end, |key, value| match RowKey::from_bytes(key) {
                Some(key) if cutoff.hides(key.at) => doomed.count(RowClass::of(column, value), key.at),
                Some(key) => doomed.oldest_kept = doomed.oldest_kept.into_iter().chain([key.at]).min(),
                None => {}
            })?;
        }
        Ok(doomed)
    }

    /// The instant of the oldest record that is on the disk, hidden or not. Reads one bucket.
    pub fn oldest(&self) -> Result<Option<Timestamp>, EngineError> {
        let mut oldest: Option<Timestamp> = None;
        for column in [Column::ByAddress, Column::BySubscriber] {
            let Some(first) = self.engine.first_key(column)?.and_then(|key| RowKey::from_bytes(&key)) else { continue };
            let end = first.bucket.later(1).0.to_be_bytes();
            self.engine.visit_below(column, &end, |key, _| {
                let at = RowKey::from_bytes(key).map(|key| key.at);
                oldest = oldest.into_iter().chain(at).min();
            })?;
        }
        Ok(oldest)
    }

    /// Rewrites or unlinks every file that holds rows of buckets up to the cutoff's, up to the bucket `through`; the filter
    /// drops what was hidden at the last [`Store::drop_hidden`]. RocksDB says little if it fails: see [`Store::doomed`] and [`Store::bounds`].
    pub fn unlink(&self, through: Bucket) -> Result<(), EngineError> {
        let end = through.later(1).0.to_be_bytes().min(self.end_of_expired());
        self.room_to_rewrite(&end)?;
        let before = self.engine.background_errors()?;
        self.engine.compact_below(Column::ByAddress, &end)?;
        self.engine.compact_below(Column::BySubscriber, &end)?;
        // Another's failure may be counted here: the run is then tried again for no reason, and that is all.
        if self.engine.background_errors()? == before {
            if through >= self.bucket_of(self.cutoff().horizon()) {
                self.rewritten.store(true, Ordering::Release);
            }
            return Ok(());
        }
        // Somebody else may have taken the space meanwhile.
        Err(self.room_to_rewrite(&end).err().unwrap_or(EngineError::NotRewritten))
    }

    /// What the database's own list of files says about what is expired.
    pub fn bounds(&self) -> Result<Bounds, EngineError> {
        let cutoff = self.cutoff();
        let mut bounds = Bounds::default();
        for file in self.engine.live_files()? {
            let name = file.name.trim_start_matches('/').to_owned();
            bounds.live.insert(name.clone());
            if !Column::ALL.into_iter().any(|of| of.holds_records() && of.name() == file.column_family_name) {
                continue;
            }
            for bound in [&file.start_key, &file.end_key] {
                match bound.as_deref().map(RowKey::from_bytes) {
                    Some(Some(key)) if cutoff.hides(key.at) => drop(bounds.expired.insert(name.clone())),
                    Some(None) => drop(bounds.foreign.insert(name.clone())),
                    Some(Some(_)) | None => {}
                }
            }
            if file.num_deletions > 0 {
                bounds.tombstones.insert(name);
            }
        }
        Ok(bounds)
    }

    /// Has a run rewritten all that may hold what is expired, since the store was opened? Until then [`Store::bounds`] may miss
    /// tombstones: of most tables that an earlier process made, the database has not read how many there are.
    pub fn has_rewritten(&self) -> bool {
        self.rewritten.load(Ordering::Acquire)
    }

    /// Makes what is to be remembered of a run durable, and flushes it: the database then writes a MANIFEST without the boundary
    /// keys of the files that the run unlinked. The one written when they went still had them.
    pub fn conclude(&self, batch: Batch) -> Result<(), CommitError> {
        self.commit(batch)?;
        self.engine.flush(&[Column::Meta])?;
        Ok(())
    }

    /// Makes the filter keep what it should drop, for a test of what finds that out.
    #[doc(hidden)]
    pub fn blind_filter(&self, blind: bool) {
        self.expiry.blind(blind);
    }

    /// The first key that belongs to a bucket after the one that the cutoff cuts through.
    fn end_of_expired(&self) -> [u8; 4] {
        self.width().bucket_of(self.cutoff().horizon()).later(1).0.to_be_bytes()
    }
}
