//! One run of the purge, in an order that must not change. Each step says what a crash in it leaves; whatever that is, the
//! next run, which is this same function, makes it good.

use std::collections::BTreeSet;

use crate::domain::time::{Cutoff, Timestamp};
use crate::store::{Dead, Doomed, EngineError, Expired, ListingError, Rows, Store};

use super::cases;
use super::keys::{self, Act, Reported};
use super::run::{Check, ClassRun, Failure, Reason, Run, Step, Trigger};

/// How many buckets are rewritten at a time. Between two portions a run can be told to end, and others get to the disk.
const BUCKETS_AT_A_TIME: u32 = 8;

/// How often what was found not to be gone is tried again, before it is reported as a failure.
const TRIES: u32 = 3;

/// What a run is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Everything older goes.
    pub cutoff: Cutoff,
    /// Why it is made.
    pub trigger: Trigger,
}

/// What a run goes by, besides the store.
pub(super) struct Surroundings<'a> {
    /// The clock, for what takes time. The cutoff does not come from it.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Hears of each step before it is taken.
    pub watch: &'a mut dyn FnMut(Step),
    /// What earlier reports have said of keys.
    pub reported: &'a Reported,
    /// Acts of destruction since the run before, other than its own.
    pub acts: &'a [Act],
    /// When the oldest log was begun, as far as is known.
    pub wal_oldest: Option<Timestamp>,
}

/// What the first part of a run leaves to the second.
pub(super) struct Unlinked {
    pub(super) run: Run,
    /// The oldest instant that stays, of the buckets that verification read; `None` if they hold none.
    pub(super) oldest_kept: Option<Timestamp>,
    dead: Dead,
}

/// Hides, flushes, counts, destroys keys, unlinks and verifies.
pub(super) fn unlink(store: &Store, order: Order, around: &mut Surroundings<'_>) -> Unlinked {
    let began = (around.now)();
    let mut run = Run::begin(began, order.trigger, order.cutoff);
    let (dropped, live) = (store.dropped(), store.bounds().map(|bounds| bounds.live).unwrap_or_default());

    // 1. Barrier. What is older than the cutoff is neither read nor written from here on, and none of it is on its way. A
    //    crash leaves everything as it was; the next start hides it by the clock before it serves.
    (around.watch)(Step::Barrier);
    store.hide(order.cutoff);

    // 2. What is in memory only goes to files, if any of it may be old: the log that holds it dies with that. A crash leaves
    //    the log, which opening reads and the next run flushes.
    (around.watch)(Step::Flush);
    let logs = store.listing().map(|listing| listing.logs);
    let flushed = store.flush_expired(began);
    run.wal_oldest = if flushed == Ok(true) { Some(began) } else { around.wal_oldest };
    let logs = match (flushed, logs) {
        (Ok(true), Ok(logs)) => logs,
        (Ok(false), Ok(_)) => BTreeSet::new(),
        (Err(error), _) => failed(&mut run, Step::Flush, reason_of(&error)),
        (Ok(_), Err(_)) => failed(&mut run, Step::Flush, Reason::Io),
    };

    // 3. What is to go is counted while its rows can still be seen: until then no compaction drops any, also none that the
    //    database makes by itself. A crash forgets the count; the next run counts what is left.
    (around.watch)(Step::Count);
    let counted = match store.doomed() {
        Ok(doomed) => Some(doomed),
        Err(error) => failed(&mut run, Step::Count, reason_of(&error)),
    };
    let doomed = counted.unwrap_or_default();
    store.drop_hidden();

    // 4. The keys of buckets that are wholly past: before their rows, since this needs no space, and makes unreadable also
    //    what no one can reach any more. A crash leaves rows that nothing opens; nobody asks for them, as they are hidden.
    (around.watch)(Step::Keys);
    destroy_keys(store, &mut run, around);

    // The keys of requests, captures and holds that have expired, and what they opened: each has an expiry of its own.
    cases::end(store, &mut run, began, true);

    // 5 and 6. Rows leave the files, and that is looked at by other means than those that did it. A crash leaves some files
    //    rewritten and others not; the filter drops from those what the next run finds. No row that is live is lost: a new file
    //    counts only once it is whole, and the old one goes only after that.
    let remaining = rewrite_until_gone(store, &mut run, counted, around);
    count(&mut run, store, &doomed, &remaining, &dropped);
    run.ended = (around.now)();

    let now_live = store.bounds().map(|bounds| bounds.live).unwrap_or_default();
    let tables: BTreeSet<String> = live.difference(&now_live).cloned().collect();
    run.files_removed = u64::try_from(tables.len()).unwrap_or(u64::MAX);
    Unlinked { run, oldest_kept: remaining.oldest_kept, dead: Dead { tables, logs } }
}

/// The part of a run that needs no space: hides and destroys keys. It says that there was none for the rest.
pub(super) fn without_space(store: &Store, order: Order, around: &mut Surroundings<'_>) -> Run {
    let mut run = Run::begin((around.now)(), order.trigger, order.cutoff);
    run.wal_oldest = around.wal_oldest;
    // As steps 1 and 4 above; a crash leaves what it leaves there.
    (around.watch)(Step::Barrier);
    store.hide(order.cutoff);
    run.failures.push(Failure { step: Step::Flush, reason: Reason::NoSpace });
    (around.watch)(Step::Keys);
    destroy_keys(store, &mut run, around);
    cases::end(store, &mut run, (around.now)(), false);
    run.ended = (around.now)();
    run
}

fn destroy_keys(store: &Store, run: &mut Run, around: &Surroundings<'_>) {
    let destruction = match store.destroy_keys(run.cutoff) {
        Ok(destruction) => {
            if !destruction.failed.is_empty() {
                run.failures.push(Failure { step: Step::Keys, reason: Reason::Keyring });
            }
            destruction
        }
        Err(_) => failed(run, Step::Keys, Reason::Keyring),
    };
    let at = (around.now)();
    let acts: Vec<Act> = around.acts.iter().cloned().chain([Act { at, destruction }]).collect();
    keys::account(run, store, &acts, around.reported, at);
}

/// Looks through the directory: after the run was recorded, since it is that record which makes the database write a MANIFEST
/// without the keys of dead files.
pub(super) fn look_through(store: &Store, unlinked: Unlinked, around: &mut Surroundings<'_>) -> Run {
    let Unlinked { mut run, dead, .. } = unlinked;
    run.manifest_rolled = true;
    // 8. A crash leaves a run that is on record without its look at the directory, which the next one makes.
    (around.watch)(Step::Directory);
    match store.leftovers(&dead) {
        Ok(found) => run.checks.extend([
            (Check::FilesAreLive, found.tables.is_empty()),
            (Check::NoOldWal, found.logs.is_empty()),
            (Check::OneManifest, found.manifests.is_empty()),
            (Check::NothingElse, found.others.is_empty()),
        ]),
        Err(ListingError::Io { .. }) => run.failures.push(Failure { step: Step::Directory, reason: Reason::Io }),
        Err(ListingError::Engine(error)) => {
            run.failures.push(Failure { step: Step::Directory, reason: reason_of(&error) });
        }
    }
    run
}

/// Rewrites the files that hold what is to go, and looks whether it is gone; more than once, if need be.
///
/// Where the count found nothing and nothing was rewritten, the count was the look: rows can only go since the barrier.
fn rewrite_until_gone(store: &Store, run: &mut Run, counted: Option<Doomed>, around: &mut Surroundings<'_>) -> Doomed {
    let mut remaining = counted.unwrap_or_default();
    let mut outcome = Vec::new();
    for _ in 0..TRIES {
        (around.watch)(Step::Compact);
        let rewritten = rewrite(store, run.cutoff, remaining.oldest());
        if let Err(error) = &rewritten {
            run.failures.push(Failure { step: Step::Compact, reason: reason_of(error) });
        }
        (around.watch)(Step::Verify);
        let seen = match (counted, rewritten) {
            (Some(counted), Ok(Rewritten::Nothing)) if counted.total() == 0 => Ok(counted),
            _ => store.doomed(),
        };
        let looked = seen.and_then(|remaining| Ok((remaining, store.bounds()?)));
        let bounds = match looked {
            Ok((left, bounds)) => {
                remaining = left;
                bounds
            }
            Err(error) => return failed_with(run, Step::Verify, reason_of(&error), remaining),
        };
        outcome = vec![
            (Check::RangeEmpty, remaining.total() == 0),
            (Check::NoFileBelowCutoff, bounds.expired.is_empty() && bounds.foreign.is_empty()),
            (Check::NoTombstones, bounds.tombstones.is_empty()),
        ];
        if outcome.iter().all(|(_, held)| *held) {
            break;
        }
    }
    if outcome.iter().any(|(_, held)| !held) {
        run.failures.push(Failure { step: Step::Verify, reason: Reason::CheckFailed });
    }
    run.checks.extend(outcome);
    remaining
}

/// Rewrites the buckets from the oldest row on, some at a time; nothing, if every file begins after the cutoff. The first run
/// after opening rewrites the cut bucket in any case, for a crash may have left tombstones that nobody knows of.
fn rewrite(store: &Store, cutoff: Cutoff, oldest: Option<Timestamp>) -> Result<Rewritten, EngineError> {
    let bounds = store.bounds()?;
    let nothing = oldest.is_none() && bounds.expired.is_empty() && bounds.tombstones.is_empty();
    if nothing && store.has_rewritten() {
        return Ok(Rewritten::Nothing);
    }
    let last = store.bucket_of(cutoff.horizon());
    // Without a row that can be seen, all that is known is that some file has an old bound.
    let first = oldest.map_or(last, |oldest| store.bucket_of(oldest));
    let mut through = first;
    while through < last {
        store.unlink(through)?;
        through = through.later(BUCKETS_AT_A_TIME);
    }
    store.unlink(last)?;
    Ok(Rewritten::Something)
}

/// Was any file rewritten?
enum Rewritten {
    Nothing,
    Something,
}

/// What went, by class.
fn count(run: &mut Run, store: &Store, doomed: &Doomed, remaining: &Doomed, dropped: &Rows) {
    let filtered = store.dropped().since(dropped);
    let class = |was: Expired, left: Expired, filtered: u64| ClassRun {
        scanned: was.rows,
        filtered,
        remaining: left.rows,
        oldest: was.oldest,
    };
    run.classes.assignments = class(doomed.assignments, remaining.assignments, filtered.assignments);
    run.classes.logons = class(doomed.logons, remaining.logons, filtered.logons);
    run.listings = class(doomed.listings, remaining.listings, filtered.listings);
    let agree = [&run.classes.assignments, &run.classes.logons, &run.listings]
        .into_iter()
        .all(|class| class.filtered >= class.scanned.saturating_sub(class.remaining));
    run.checks.push((Check::CountsAgree, agree));
}

fn failed<T: Default>(run: &mut Run, step: Step, reason: Reason) -> T {
    failed_with(run, step, reason, T::default())
}

fn failed_with<T>(run: &mut Run, step: Step, reason: Reason, value: T) -> T {
    run.failures.push(Failure { step, reason });
    value
}

/// What the report says of it; the log says all of it.
fn reason_of(error: &EngineError) -> Reason {
    tracing::error!(%error, "a step of the purge failed");
    if error.is_full() { Reason::NoSpace } else { Reason::Database }
}
