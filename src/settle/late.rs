//! What came after its bucket was settled: the addresses it speaks of are judged anew, from shortly before it on.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::address::{Network, Realm};
use crate::domain::identity::{NasId, SessionTag};
use crate::domain::record::{Kind, Record, Subject};
use crate::domain::session::{Read, Spoke};
use crate::domain::time::Bucket;
use crate::store::{Late, LateByBucket, Place, SettlingError};

use super::Settler;
use super::known::KnownRun;
use super::site::{Mark, Site, Trust};

/// The addresses to be judged anew, each from a bucket on.
type Sites = BTreeMap<(Realm, Network), Bucket>;

/// Sessions and NASes of which something came late, each from a bucket on.
#[derive(Default)]
struct Ends {
    sessions: BTreeMap<(NasId, SessionTag), Bucket>,
    nases: BTreeMap<NasId, Bucket>,
}

impl Settler {
    /// Judges anew what something came late for.
    pub(super) fn settle_late(&mut self) -> Result<(), SettlingError> {
        let Some(through) = self.through else { return Ok(()) };
        let late = self.store.take_late();
        if late.is_empty() {
            return Ok(());
        }
        let outcome = self.settle_anew(&late, through);
        match outcome {
            Ok(()) => Ok(self.store.caught_up(&late)?),
            Err(error) => {
                self.store.still_late(late);
                Err(error)
            }
        }
    }

    fn settle_anew(&mut self, late: &LateByBucket, through: Bucket) -> Result<(), SettlingError> {
        let (mut sites, mut ends) = (Sites::new(), Ends::default());
        // What came to a bucket that could not be settled to its end is read when that is done again.
        for (bucket, late) in late.range(..=through) {
            match late {
                Late::Rows(rows) => {
                    for row in rows {
                        if let Some(record) = self.store.record_at(*row)? {
                            note(&record, *bucket, &mut sites, &mut ends);
                        }
                    }
                }
                Late::Any => {
                    self.store.visit_bucket(*bucket, |_, record| note(&record, *bucket, &mut sites, &mut ends))?
                }
            }
        }
        self.sites_of_ends(&ends, through, &mut sites)?;
        for ((realm, network), from) in sites {
            self.settle_site_anew(&realm, network, from, through)?;
        }
        self.flush()
    }

    /// The addresses that sessions held when they ended, or that their stragglers speak of after.
    fn sites_of_ends(&mut self, ends: &Ends, through: Bucket, sites: &mut Sites) -> Result<(), SettlingError> {
        for ((nas, session), bucket) in &ends.sessions {
            self.index.end(self.hasher.session(nas, *session), *bucket);
        }
        let of_session = |record: &Record| ends.sessions.get(&(record.nas.clone(), record.session)).copied();
        let carry = self.terms.rules.carry_buckets;
        let around = |bucket: &Bucket| bucket.earlier(carry).0..=bucket.later(carry).min(through).0;
        let buckets: BTreeSet<u32> = ends.sessions.values().chain(ends.nases.values()).flat_map(around).collect();
        for bucket in buckets.into_iter().map(Bucket) {
            self.store.visit_bucket(bucket, |_, record| {
                let Subject::Assignment { realm, network, .. } = &record.subject else { return };
                let late = of_session(&record).into_iter().chain(ends.nases.get(&record.nas).copied()).min();
                if let Some(from) = late {
                    add(sites, realm, *network, from);
                }
            })?;
        }
        Ok(())
    }

    fn settle_site_anew(
        &mut self,
        realm: &Realm,
        network: Network,
        from: Bucket,
        through: Bucket,
    ) -> Result<(), SettlingError> {
        self.go_on()?;
        let store = std::sync::Arc::clone(&self.store);
        let cutoff = store.cutoff();
        let width = self.terms.rules.width;
        let horizon = width.bucket_of(cutoff.horizon());
        let from = from.max(horizon);
        let carry = self.terms.rules.carry_buckets;
        let mut first = from.earlier(carry).max(horizon);
        let key = self.hasher.site(realm, network);
        let (changes, mut runs) = loop {
            let mut observations = store.observations(cutoff);
            let mut site = Site::new(&self.terms, &self.hasher, Vec::new());
            for bucket in (first.0..=through.0).map(Bucket) {
                for (row, record) in observations.rows_in_bucket(&Place::Address { realm, network }, bucket)? {
                    let trust = match bucket < from {
                        true => Trust::Settled,
                        false if store.is_late(&row) => Trust::Raw,
                        false => Trust::Doubtful,
                    };
                    site.hear(row, record, trust);
                }
            }
            for (nas, session) in site.sessions() {
                let hash = self.hasher.session(&nas, session);
                for bucket in (first.0..=through.0).map(Bucket) {
                    for record in observations.in_bucket(&Place::Session { nas: &nas, session }, bucket)? {
                        site.mark(record.at, Mark::Session(hash));
                    }
                    for record in observations.in_bucket(&Place::Nas { nas: &nas }, bucket)? {
                        site.mark(record.at, Mark::Nas(self.hasher.nas(&record.nas)));
                    }
                }
            }
            let read = Read {
                from: width.start_of(first).max(cutoff.horizon()),
                settled_through: from.0.checked_sub(1).map(Bucket),
                hinted_through: Some(through),
                through: self.end_of(through),
            };
            let mut verdict = site.judge(read, false, |row| store.record_at(row))?;
            // The index must know when each last spoke, unless that is longer ago than its silence may be.
            let far = |run: &KnownRun| run.silence.is_none_or(|silence| first.later(silence) <= from);
            let open = |run: &&mut KnownRun| run.standing.is_open() && run.standing.spoke == Spoke::Before;
            let known = verdict.runs.iter_mut().filter(open).all(|run| far(run));
            if first == horizon || (known && !verdict.undecided) {
                for run in verdict.runs.iter_mut().filter(open) {
                    run.standing.spoke = Spoke::In(Bucket(0));
                }
                break (verdict.changes, verdict.runs);
            }
            first = first.earlier(carry).max(horizon);
        };
        self.keep(changes, &mut runs)?;
        self.index.put(key, runs, through, carry);
        self.work.late = self.work.late.saturating_add(1);
        Ok(())
    }
}

fn note(record: &Record, bucket: Bucket, sites: &mut Sites, ends: &mut Ends) {
    match &record.subject {
        Subject::Assignment { realm, network, .. } => add(sites, realm, *network, bucket),
        Subject::Session if record.kind == Kind::SessionEnd => {
            let from = ends.sessions.entry((record.nas.clone(), record.session)).or_insert(bucket);
            *from = bucket.min(*from);
        }
        Subject::Nas => {
            let from = ends.nases.entry(record.nas.clone()).or_insert(bucket);
            *from = bucket.min(*from);
        }
        Subject::Session | Subject::Subscriber => {}
    }
}

fn add(sites: &mut Sites, realm: &Realm, network: Network, bucket: Bucket) {
    let from = sites.entry((realm.clone(), network)).or_insert(bucket);
    *from = bucket.min(*from);
}
