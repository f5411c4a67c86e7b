//! The index, made when the process starts: from the last buckets that were settled.

use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::store::SettlingError;

use super::Settler;

impl Settler {
    /// Makes the index, if there is none. `due`: the newest bucket that is to be settled now.
    ///
    /// What is open has a statement in the last carry interval that was settled. Where that is hidden by now, nothing is known,
    /// and what is not hidden begins anew; so it does in a new store.
    pub(super) fn wake(&mut self, now: Timestamp, due: Bucket) -> Result<(), SettlingError> {
        if self.through.is_some() {
            return Ok(());
        }
        self.index = super::Index::default();
        let cutoff = Cutoff::of(now, self.store.window()).or_later(self.store.cutoff());
        let horizon = self.terms.rules.width.bucket_of(cutoff.horizon());
        let begins = Bucket(horizon.0.saturating_sub(1)).min(due);
        let Some(settled) = self.store.settled_through().filter(|settled| *settled >= horizon) else {
            self.since = begins.later(1);
            self.through = Some(begins);
            return Ok(());
        };
        let first = settled.earlier(self.terms.rules.carry_buckets).max(horizon);
        self.since = first;
        for bucket in (first.0..=settled.0).map(Bucket) {
            self.go_over(bucket, Some(settled))?;
        }
        self.through = Some(settled);
        Ok(())
    }
}
