//! One address or prefix over a stretch of buckets: what was said of it, and what has to be written so that it explains
//! itself. Pure: what else must be read is asked of the caller.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::address::Ports;
use crate::domain::identity::{NasId, SessionTag};
use crate::domain::record::{Kind, Record, Subject};
use crate::domain::session::{self, Outcome, Read, Run, Said, Statement, closes};
use crate::domain::time::Timestamp;
use crate::store::Row;

use super::known::{Hasher, KnownRun};
use super::terms::Terms;
use super::thread::Thread;

/// What is derived for the runs: when, and what.
type Derived = BTreeSet<(usize, Timestamp, Kind)>;

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The record in this place becomes this one. It is listed under its subscriber if it names one that it did not.
    Rewrite { row: Row, record: Record, newly_named: bool },
    /// This record is derived for the run of this number.
    Derive { run: usize, record: Record },
}

/// What a site comes to.
pub(super) struct Verdict {
    pub(super) changes: Vec<Change>,
    /// How its runs stand at the end.
    pub(super) runs: Vec<KnownRun>,
    /// What silence means depends on what was said before all this.
    pub(super) undecided: bool,
}

/// What ends runs without naming them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The session with this hash ended.
    Session(u64),
    /// The NAS with this hash lost all sessions, or gave up the address.
    Nas(u64),
}

/// What the kind of a record is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It is what the record means, and that is not written again.
    Settled,
    /// It was; something that came late may have changed it.
    Doubtful,
    /// It is what the source said, or what a pass that was cut short has left.
    Raw,
}

/// A record of the site.
struct Told {
    row: Row,
    record: Record,
    trust: Trust,
    run: usize,
}

/// The site while it is being put together.
pub(super) struct Site<'a> {
    terms: &'a Terms,
    hasher: &'a Hasher,
    runs: Vec<KnownRun>,
    told: Vec<Told>,
    marks: Vec<(Timestamp, Mark)>,
}

impl<'a> Site<'a> {
    /// A site whose runs stand as they are known to.
    pub(super) fn new(terms: &'a Terms, hasher: &'a Hasher, runs: Vec<KnownRun>) -> Self {
        Self { terms, hasher, runs, told: Vec::new(), marks: Vec::new() }
    }

    /// Takes a record of the site.
    pub(super) fn hear(&mut self, row: Row, record: Record, trust: Trust) {
        if record.kind == Kind::Vacated {
            if trust != Trust::Settled {
                self.marks.push((record.at, Mark::Nas(self.hasher.nas(&record.nas))));
            }
            return;
        }
        let Subject::Assignment { ports, .. } = record.subject else { return };
        if Said::of(record.kind).is_none_or(|said| said == Said::InferredStart) {
            return;
        }
        let run = self.run_of(&record.nas, record.session, ports);
        if let Some(known) = self.runs.get_mut(run) {
            known.silence = self.terms.silence_of(&record.source);
        }
        self.told.push(Told { row, record, trust, run });
    }

    /// Takes what ends runs without naming them.
    pub(super) fn mark(&mut self, at: Timestamp, mark: Mark) {
        self.marks.push((at, mark));
    }

    /// The runs, as they are known so far.
    pub(super) fn runs(&mut self) -> &mut [KnownRun] {
        &mut self.runs
    }

    /// The sessions that spoke of the site.
    pub(super) fn sessions(&self) -> BTreeSet<(NasId, SessionTag)> {
        self.told.iter().map(|told| (told.record.nas.clone(), told.record.session)).collect()
    }

    /// What follows: from how the runs stood, or from nothing else than what was heard. `fetch` reads a record that was
    /// written earlier.
    pub(super) fn judge<E>(
        &mut self,
        read: Read,
        from_standings: bool,
        mut fetch: impl FnMut(Row) -> Result<Option<Record>, E>,
    ) -> Result<Verdict, E> {
        // Rows of one instant stand in the order of hashes: what ended then comes before what began.
        self.told.sort_by_key(|told| (told.record.at, Said::of(told.record.kind), told.row));
        let (statements, told_of) = self.statements();
        let runs: Vec<Run> = self.local_runs();
        let standings = self.runs.iter().map(|run| run.standing).collect();
        let outcome = if from_standings {
            session::settle_on(&runs, standings, &statements, self.terms.rules, read)
        } else {
            session::settle_read(&runs, &statements, self.terms.rules, read)
        };
        let (kinds, mut derived) = self.sort_out(&outcome, &told_of, read);
        // What was derived before and follows still is not derived twice.
        let mut still = |(index, told): &(usize, &Told)| {
            derived.remove(&(told.run, told.record.at, told.record.kind)) || kinds.contains_key(index)
        };
        let standing: BTreeSet<usize> =
            self.told.iter().enumerate().filter(|told| still(told)).map(|(index, _)| index).collect();
        let mut changes = Vec::new();
        let mut threads: Vec<Thread<'_>> = self.runs.iter().map(|run| Thread::of(run, self.hasher)).collect();
        for (index, told) in self.told.iter().enumerate() {
            let Some(thread) = threads.get_mut(told.run) else { continue };
            let mut record = told.record.clone();
            let is_derived = Said::of(record.kind).is_some_and(Said::is_derived);
            // What was derived for instants up to this record's rests on those before it.
            derive_until(&mut derived, told.run, record.at, thread, &mut changes, &mut fetch)?;
            if is_derived {
                if told.trust != Trust::Settled {
                    if standing.contains(&index) || self.is_renamed_after(index, &kinds, thread) {
                        thread.follow(&mut record, &mut fetch)?;
                    } else {
                        record.kind = Kind::Withdrawn;
                    }
                }
                changes.extend(rewrite(told, &record));
                if record.kind != Kind::Withdrawn {
                    thread.take(told.row, record);
                }
                continue;
            }
            if told.trust != Trust::Settled {
                record.kind = kinds.get(&index).copied().unwrap_or(record.kind);
                thread.complete(&mut record, &mut fetch)?;
                if thread.is_renamed_by(&record, record.kind) && !thread.is_carried_at(record.at) {
                    let carry = thread.derive(record.at, Kind::Carry, &mut fetch)?;
                    changes.extend(carry.map(|record| Change::Derive { run: told.run, record }));
                }
            }
            changes.extend(rewrite(told, &record));
            thread.take(told.row, record);
        }
        for (run, thread) in threads.iter_mut().enumerate() {
            derive_until(&mut derived, run, Timestamp::MAX, thread, &mut changes, &mut fetch)?;
        }
        let mut runs = self.runs.clone();
        for ((run, standing), thread) in runs.iter_mut().zip(&outcome.standings).zip(&threads) {
            run.standing = *standing;
            thread.remember(run);
        }
        Ok(Verdict { changes, runs, undecided: outcome.undecided })
    }

    /// Is this a carry up to a statement of the same instant that tells another holder?
    fn is_renamed_after(&self, index: usize, kinds: &BTreeMap<usize, Kind>, thread: &Thread<'_>) -> bool {
        let Some(carry) = self.told.get(index).filter(|told| told.record.kind == Kind::Carry) else { return false };
        let after = self.told.iter().enumerate().skip(index.saturating_add(1));
        let mut same_instant = after.take_while(|(_, told)| told.record.at == carry.record.at);
        same_instant.any(|(index, told)| {
            let kind = kinds.get(&index).copied().unwrap_or(told.record.kind);
            told.run == carry.run && thread.is_renamed_by(&told.record, kind)
        })
    }

    /// Every statement about a run, and the record that made it.
    fn statements(&self) -> (Vec<Statement>, Vec<Option<usize>>) {
        let (mut statements, mut told_of) = (Vec::new(), Vec::new());
        for (index, told) in self.told.iter().enumerate() {
            let kind = told.record.kind;
            let Some(said) = Said::of(kind).filter(|said| told.trust != Trust::Raw || !said.is_derived()) else {
                continue;
            };
            let meaning = (told.trust == Trust::Settled).then_some(kind);
            let hint = (told.trust == Trust::Doubtful).then_some(kind);
            let (at, lease_end) = (told.record.at, told.record.lease_end);
            statements.push(Statement { at, said, run: told.run, lease_end, meaning, hint });
            told_of.push(Some(index));
        }
        for (at, mark) in &self.marks {
            let said = if matches!(mark, Mark::Nas(_)) { Said::Reset } else { Said::SessionEnd };
            for (run, of) in self.runs.iter().enumerate() {
                let ended = match mark {
                    Mark::Session(session) => of.session == *session,
                    Mark::Nas(nas) => of.nas == *nas,
                };
                if ended {
                    statements.push(Statement { at: *at, said, run, lease_end: None, meaning: None, hint: None });
                    told_of.push(None);
                }
            }
        }
        (statements, told_of)
    }

    /// What the records mean, by their numbers, and what is derived, in the order of time.
    fn sort_out(&self, outcome: &Outcome, told_of: &[Option<usize>], read: Read) -> (BTreeMap<usize, Kind>, Derived) {
        let (mut kinds, mut derived) = (BTreeMap::new(), BTreeSet::new());
        let width = self.terms.rules.width;
        for settled in &outcome.settled {
            if read.settled_through.is_some_and(|through| width.bucket_of(settled.at) <= through) {
                continue;
            }
            match settled.origin.map(|origin| told_of.get(origin).copied().flatten()) {
                Some(Some(told)) => drop(kinds.insert(told, settled.kind)),
                // The opening at the first instant of what was read stands for what nobody has read.
                None if settled.kind == Kind::Carry && settled.at == read.from => {}
                Some(None) | None if settled.kind == Kind::Lone => {}
                Some(None) | None => drop(derived.insert((settled.run, settled.at, settled.kind))),
            }
        }
        // Who is ended at the instant of a carry is not carried.
        let ended: BTreeSet<(usize, Timestamp)> =
            derived.iter().filter(|(_, _, kind)| closes(*kind)).map(|(run, at, _)| (*run, *at)).collect();
        derived.retain(|(run, at, kind)| *kind != Kind::Carry || !ended.contains(&(*run, *at)));
        (kinds, derived)
    }

    fn local_runs(&self) -> Vec<Run> {
        let mut numbers: Vec<u64> = Vec::new();
        let runs = self.runs.iter().map(|run| {
            let number = numbers.iter().position(|session| *session == run.session).unwrap_or_else(|| {
                numbers.push(run.session);
                numbers.len().saturating_sub(1)
            });
            Run { session: u32::try_from(number).unwrap_or(u32::MAX), ports: run.ports, silence: run.silence }
        });
        runs.collect()
    }

    fn run_of(&mut self, nas: &NasId, session: SessionTag, ports: Ports) -> usize {
        let hash = self.hasher.session(nas, session);
        let known = self.runs.iter().position(|run| run.session == hash && run.ports == ports);
        known.unwrap_or_else(|| {
            self.runs.push(KnownRun::new(hash, self.hasher.nas(nas), ports));
            self.runs.len().saturating_sub(1)
        })
    }
}

/// What has to be written, if a record is not what it was told as.
fn rewrite(told: &Told, record: &Record) -> Option<Change> {
    let newly_named = record.subscriber.is_some() && told.record.subscriber != record.subscriber;
    (*record != told.record).then(|| Change::Rewrite { row: told.row, record: record.clone(), newly_named })
}

/// Writes what was derived for a run up to an instant.
fn derive_until<E>(
    derived: &mut Derived,
    run: usize,
    until: Timestamp,
    thread: &mut Thread,
    changes: &mut Vec<Change>,
    fetch: &mut impl FnMut(Row) -> Result<Option<Record>, E>,
) -> Result<(), E> {
    loop {
        let next = derived.range((run, Timestamp::EPOCH, Kind::Start)..).next().copied();
        let Some((_, at, kind)) = next.filter(|(of, at, _)| *of == run && *at <= until) else { return Ok(()) };
        derived.remove(&(run, at, kind));
        if let Some(record) = thread.derive(at, kind, fetch)? {
            changes.push(Change::Derive { run, record });
        }
    }
}
