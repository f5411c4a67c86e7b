//! The index, made when the process starts: from the last buckets that were settled.

use crate::domain::record::{Record, Subject};
use crate::domain::session::Read;
use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::store::{Row, SettlingError};

use super::Settler;
use super::site::{Site, Trust};

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
            self.learn(bucket, settled)?;
        }
        self.through = Some(settled);
        Ok(())
    }

    fn learn(&mut self, bucket: Bucket, settled: Bucket) -> Result<(), SettlingError> {
        let store = std::sync::Arc::clone(&self.store);
        let (mut rows, mut outcome): (Vec<(Row, Record)>, _) = (Vec::new(), Ok(()));
        store.visit_bucket(bucket, |row, record| {
            match record.subject {
                Subject::Assignment { .. } => {}
                Subject::Session => {
                    self.index.end(self.hasher.session(&record.nas, record.session), bucket);
                    return;
                }
                Subject::Nas | Subject::Subscriber => return,
            }
            if rows.last().is_some_and(|(before, _)| !before.is_beside(&row)) && outcome.is_ok() {
                outcome = self.learn_site(bucket, settled, std::mem::take(&mut rows));
            }
            rows.push((row, record));
        })?;
        outcome?;
        self.learn_site(bucket, settled, rows)
    }

    fn learn_site(&mut self, bucket: Bucket, settled: Bucket, rows: Vec<(Row, Record)>) -> Result<(), SettlingError> {
        let Some((_, Record { subject: Subject::Assignment { realm, network, .. }, .. })) = rows.first() else {
            return Ok(());
        };
        let key = self.hasher.site(realm, *network);
        let runs = self.index.take(key);
        let through = self.end_of(bucket);
        let read = Read {
            from: self.terms.rules.width.start_of(self.since),
            settled_through: Some(settled),
            hinted_through: None,
            through,
        };
        let mut site = Site::new(&self.terms, &self.hasher, runs);
        for (row, record) in rows {
            site.hear(row, record, Trust::Settled);
        }
        // Everything has its meaning: nothing is derived, and nothing fetched.
        let runs = site.judge(read, true, |_| Ok::<_, SettlingError>(None))?.runs;
        self.index.put(key, runs, bucket, self.terms.rules.carry_buckets);
        Ok(())
    }
}
