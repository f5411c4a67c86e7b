//! One bucket, settled from end to end.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::record::{Kind, Record, Subject};
use crate::domain::session::{Read, Said, Spoke};
use crate::domain::time::{Bucket, Timestamp};
use crate::store::{Place, ReadError, Row, SettlingError};

use super::Settler;
use super::known::{KnownRun, SiteKey};
use super::site::{Mark, Site, Trust};

/// A bucket that is gone over.
pub(super) struct Over {
    pub(super) bucket: Bucket,
    /// The newest bucket that is settled: the one before, or, when the index is made, the last of all.
    pub(super) settled_through: Option<Bucket>,
    pub(super) marks: Marks,
}

impl Over {
    fn trust(&self) -> Trust {
        if self.settled_through.is_some_and(|through| self.bucket <= through) { Trust::Settled } else { Trust::Raw }
    }
}

/// What was said in a bucket of sessions and NASes as a whole.
#[derive(Default)]
pub(super) struct Marks {
    sessions: HashMap<u64, Vec<Timestamp>>,
    nases: HashMap<u64, Vec<Timestamp>>,
}

impl Marks {
    fn concern(&self, run: &KnownRun) -> bool {
        self.sessions.contains_key(&run.session) || self.nases.contains_key(&run.nas)
    }

    /// Tells a site what concerns its runs, once each.
    fn tell(&self, site: &mut Site<'_>) {
        let of = |run: &KnownRun| (run.session, run.nas);
        let (mut sessions, mut nases): (Vec<u64>, Vec<u64>) = site.runs().iter().map(of).unzip();
        for hashes in [&mut sessions, &mut nases] {
            hashes.sort_unstable();
            hashes.dedup();
        }
        for session in sessions {
            for at in self.sessions.get(&session).into_iter().flatten() {
                site.mark(*at, Mark::Session(session));
            }
        }
        for nas in nases {
            for at in self.nases.get(&nas).into_iter().flatten() {
                site.mark(*at, Mark::Nas(nas));
            }
        }
    }
}

impl Settler {
    /// Settles a bucket; all before it are settled.
    pub(super) fn settle_bucket(&mut self, bucket: Bucket) -> Result<(), SettlingError> {
        // From here on, what is committed to it is late. What was committed before is read below.
        self.store.begin_settling(bucket);
        let settled_through = bucket.0.checked_sub(1).map(Bucket);
        self.go_over(bucket, settled_through)?;
        // A crash before this finds the same once more, under the same keys.
        self.flush()?;
        self.store.settled(bucket)?;
        self.through = Some(bucket);
        self.work.buckets = self.work.buckets.saturating_add(1);
        Ok(())
    }

    /// Goes over a bucket: what is not settled is, and the index learns how everything stands after it.
    pub(super) fn go_over(&mut self, bucket: Bucket, settled_through: Option<Bucket>) -> Result<(), SettlingError> {
        let over = Over { bucket, settled_through, marks: self.read_marks(bucket)? };
        self.go_over_spoken(&over)?;
        self.go_over_unspoken(&over)?;
        // Only now: of what is said in this bucket itself, the marks tell the instants.
        for session in over.marks.sessions.keys() {
            self.index.end(*session, bucket);
        }
        self.index.forget(bucket, self.terms.rules.carry_buckets);
        Ok(())
    }

    /// The ends of sessions and the resets in a bucket: they stand elsewhere than what they end.
    fn read_marks(&self, bucket: Bucket) -> Result<Marks, SettlingError> {
        let mut marks = Marks::default();
        let hasher = &self.hasher;
        let outcome = self.store.visit_bucket(bucket, |_, record| match record.subject {
            Subject::Session => {
                marks.sessions.entry(hasher.session(&record.nas, record.session)).or_default().push(record.at);
            }
            Subject::Nas if record.kind == Kind::Reset => {
                marks.nases.entry(hasher.nas(&record.nas)).or_default().push(record.at);
            }
            Subject::Nas | Subject::Subscriber | Subject::Assignment { .. } => {}
        });
        readable(outcome)?;
        Ok(marks)
    }

    /// The addresses that something was said of.
    fn go_over_spoken(&mut self, over: &Over) -> Result<(), SettlingError> {
        let mut rows: Vec<(Row, Record)> = Vec::new();
        let mut outcome = Ok(());
        let store = Arc::clone(&self.store);
        let visited = store.visit_bucket(over.bucket, |row, record| {
            if outcome.is_err() || !matches!(record.subject, Subject::Assignment { .. }) {
                return;
            }
            self.work.records = self.work.records.saturating_add(1);
            if rows.last().is_some_and(|(before, _)| !before.is_beside(&row)) {
                outcome = self.go_over_site(over, std::mem::take(&mut rows));
            }
            rows.push((row, record));
        });
        outcome?;
        readable(visited)?;
        self.go_over_site(over, rows)
    }

    /// The addresses that nothing was said of, and whose time has come all the same.
    fn go_over_unspoken(&mut self, over: &Over) -> Result<(), SettlingError> {
        let end = self.end_of(over.bucket);
        let carry = self.terms.rules.carry_buckets;
        let raw = over.trust() == Trust::Raw;
        let wanted = |run: &KnownRun| (raw && run.is_due(over.bucket, carry, end)) || over.marks.concern(run);
        for (row, key) in self.index.unseen(over.bucket, wanted) {
            let runs = self.index.take(key);
            self.judge(over, key, runs, Vec::new(), row)?;
        }
        Ok(())
    }

    fn go_over_site(&mut self, over: &Over, rows: Vec<(Row, Record)>) -> Result<(), SettlingError> {
        let Some((place, Record { subject: Subject::Assignment { realm, network, .. }, .. })) = rows.first() else {
            return Ok(());
        };
        let place = Some(*place);
        let key = self.hasher.site(realm, *network);
        let runs = self.index.take(key);
        self.judge(over, key, runs, rows, place)
    }

    /// `place`: where a record of the site stands. There may be none of a site whose runs have all ended.
    fn judge(
        &mut self,
        over: &Over,
        key: SiteKey,
        runs: Vec<KnownRun>,
        rows: Vec<(Row, Record)>,
        place: Option<Row>,
    ) -> Result<(), SettlingError> {
        self.go_on()?;
        let read = Read {
            from: self.terms.rules.width.start_of(self.since),
            settled_through: over.settled_through,
            hinted_through: None,
            through: self.end_of(over.bucket),
        };
        let store = Arc::clone(&self.store);
        let known = runs.len();
        let (changes, mut runs) = {
            let mut site = Site::new(&self.terms, &self.hasher, runs);
            for (row, record) in rows {
                site.hear(row, record, over.trust());
            }
            for run in site.runs().iter_mut().skip(known) {
                // An update means nothing after its session's end, also where nothing else was said of the address before.
                run.standing.last = self.index.ended(run.session).map(|ended| (ended, Kind::Lone));
            }
            over.marks.tell(&mut site);
            let mut verdict = site.judge(read, true, |row| store.record_at(row))?;
            if verdict.undecided {
                self.look_back(&mut site, place)?;
                verdict = site.judge(read, true, |row| store.record_at(row))?;
            }
            (verdict.changes, verdict.runs)
        };
        self.keep(changes, &mut runs)?;
        self.index.put(key, runs, over.bucket, self.terms.rules.carry_buckets);
        Ok(())
    }

    /// Finds out when runs last spoke that were only carried since the index begins.
    fn look_back(&self, site: &mut Site<'_>, place: Option<Row>) -> Result<(), SettlingError> {
        let record = place.map(|row| self.store.record_at(row)).transpose()?.flatten();
        let Some(Record { subject: Subject::Assignment { realm, network, .. }, .. }) = record else { return Ok(()) };
        let longest = site.runs().iter().filter_map(|run| run.silence).max().unwrap_or(0);
        let first = self.since.earlier(longest);
        let mut observations = self.store.observations(self.store.cutoff());
        let place = Place::Address { realm: &realm, network };
        for bucket in (first.0..self.since.0).rev().map(Bucket) {
            for record in observations.in_bucket(&place, bucket)? {
                let session = self.hasher.session(&record.nas, record.session);
                let real = Said::of(record.kind).is_some_and(Said::is_real);
                for run in site.runs().iter_mut().filter(|run| run.session == session && real) {
                    if run.standing.spoke == Spoke::Before {
                        run.standing.spoke = Spoke::In(bucket);
                    }
                }
            }
            if site.runs().iter().all(|run| run.standing.spoke != Spoke::Before || !run.standing.is_open()) {
                break;
            }
        }
        for run in site.runs() {
            if run.standing.spoke == Spoke::Before {
                // Longer ago than any silence that is allowed.
                run.standing.spoke = Spoke::In(Bucket(0));
            }
        }
        Ok(())
    }

    pub(super) fn end_of(&self, bucket: Bucket) -> Timestamp {
        self.terms.rules.width.start_of(bucket.later(1)).minus(std::time::Duration::from_millis(1))
    }
}

/// A bucket whose key is damaged is one in which nothing was heard: nothing of it is disclosed either.
fn readable(visited: Result<(), ReadError>) -> Result<(), ReadError> {
    match visited {
        Err(ReadError::Unreadable(_)) => Ok(()),
        other => other,
    }
}
