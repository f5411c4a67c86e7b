//! Counts of what happened, by reason. They name no one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::event::Quarantine;
use crate::ingest::events::Outcome;
use crate::ingest::radius::Unheard;
use crate::purge::Run;
use crate::sources::Flaw;
use crate::wire::radius::request::Silent;

/// Counts since the daemon started.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Datagrams received.
    pub(super) received: Count,
    /// Datagrams from an address of no configured client.
    pub(super) unknown_client: Count,
    silent: [Count; Silent::ALL.len()],
    /// Requests recognised as a retransmission.
    pub(super) retransmitted: Count,
    /// Acknowledgements sent.
    pub(super) acknowledged: Count,
    /// Status-Server requests answered.
    pub(super) status_server: Count,
    /// Requests dropped because the store could not take them.
    pub(super) refused: Count,
    /// Requests dropped because the disk was full.
    pub(super) disk_full: Count,
    /// Requests dropped because the clock was in doubt.
    pub(super) clock_in_doubt: Count,
    /// Datagrams that the kernel dropped for want of buffer.
    pub(super) dropped_by_kernel: Count,
    /// Lines of event streams and spools.
    pub(super) lines: Count,
    /// Lines that are no event.
    pub(super) malformed_lines: Count,
    /// Files of spools that were taken, and are gone.
    pub(super) spool_files: Count,
    /// Files of spools that were older than the window, and were removed unread.
    pub(super) spool_files_expired: Count,
    quarantined: [Count; Quarantine::ALL.len()],
    /// Events older than the window when they arrived.
    pub(super) expired_on_arrival: Count,
    /// Attributes passed over as malformed.
    pub(super) malformed_attributes: Count,
    /// Rows of lease files that were read.
    pub(super) lease_rows: Count,
    lease_flaws: [Count; Flaw::ALL.len()],
    /// Times in which rows of a lease file were lost before they were read.
    pub(super) lease_gaps: Count,
    /// Records committed.
    pub(super) records: Count,
    /// Commits, each synced.
    pub(super) commits: Count,
    /// Keys made for buckets to come.
    pub(super) keys_made: Count,
    /// Purge runs.
    pub(super) purge_runs: Count,
    /// Purge runs in which a step or a check failed.
    pub(super) purge_failures: Count,
    /// Rows of records that purge runs unlinked.
    pub(super) rows_unlinked: Count,
    /// Buckets settled.
    pub(super) buckets_settled: Count,
    /// Records that settling derived.
    pub(super) records_derived: Count,
    /// Records whose meaning settling wrote.
    pub(super) records_rekinded: Count,
    /// Addresses settled anew, for something came late.
    pub(super) settled_anew: Count,
    /// Records left out because they were hidden by the time they would have been committed.
    pub(super) hidden_in_flight: Count,
    /// Keys destroyed, of buckets that are wholly past.
    pub(super) keys_destroyed: Count,
}

/// One count.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// Adds to it.
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Adds one.
    pub(super) fn bump(&self) {
        self.add(1);
    }

    /// The count.
    pub(super) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Counts a datagram that is not answered.
    pub(super) fn unheard(&self, reason: Unheard) {
        match reason {
            Unheard::UnknownClient => self.unknown_client.bump(),
            Unheard::Silent(reason) => count(&Silent::ALL, &self.silent, reason),
        }
    }

    /// Counts an event, or a part of one, that is not kept.
    pub(super) fn quarantined(&self, reason: Quarantine) {
        count(&Quarantine::ALL, &self.quarantined, reason);
    }

    /// Counts a row of a lease file that makes no sense.
    pub(super) fn flawed(&self, flaw: Flaw) {
        count(&Flaw::ALL, &self.lease_flaws, flaw);
    }

    /// Counts what became of a line.
    pub(super) fn line(&self, outcome: &Outcome) {
        self.lines.bump();
        match outcome {
            Outcome::Kept | Outcome::ResetIgnored => {}
            Outcome::Expired => self.expired_on_arrival.bump(),
            Outcome::Malformed(_) => self.malformed_lines.bump(),
            Outcome::Quarantined(reason) => self.quarantined(*reason),
        }
    }

    /// Counts what a purge run did.
    pub(super) fn purged(&self, run: &Run) {
        self.purge_runs.bump();
        self.purge_failures.add(u64::from(run.failed()));
        let rows = [run.classes.assignments, run.classes.logons, run.listings].map(|class| class.filtered);
        self.rows_unlinked.add(rows.iter().sum());
        self.keys_destroyed.add(u64::try_from(run.destroyed.len()).unwrap_or(u64::MAX));
    }

    /// Every count under its name.
    pub(super) fn by_name(&self) -> BTreeMap<String, u64> {
        let plain = [
            ("received", &self.received),
            ("unknown-client", &self.unknown_client),
            ("retransmitted", &self.retransmitted),
            ("acknowledged", &self.acknowledged),
            ("status-server", &self.status_server),
            ("refused", &self.refused),
            ("disk-full", &self.disk_full),
            ("clock-in-doubt", &self.clock_in_doubt),
            ("dropped-by-kernel", &self.dropped_by_kernel),
            ("expired-on-arrival", &self.expired_on_arrival),
            ("malformed-attributes", &self.malformed_attributes),
            ("lease-rows", &self.lease_rows),
            ("lease-gaps", &self.lease_gaps),
            ("lines", &self.lines),
            ("malformed-lines", &self.malformed_lines),
            ("spool-files", &self.spool_files),
            ("spool-files-expired", &self.spool_files_expired),
            ("records", &self.records),
            ("commits", &self.commits),
            ("keys-made", &self.keys_made),
            ("keys-destroyed", &self.keys_destroyed),
            ("purge-runs", &self.purge_runs),
            ("purge-failures", &self.purge_failures),
            ("rows-unlinked", &self.rows_unlinked),
            ("buckets-settled", &self.buckets_settled),
            ("records-derived", &self.records_derived),
            ("records-rekinded", &self.records_rekinded),
            ("settled-anew", &self.settled_anew),
            ("hidden-in-flight", &self.hidden_in_flight),
        ];
        let plain = plain.into_iter().map(|(name, count)| (name.to_owned(), count.value()));
        let silent = Silent::ALL.iter().zip(&self.silent);
        let silent = silent.map(|(reason, count)| (format!("silent/{}", reason.name()), count.value()));
        let quarantined = Quarantine::ALL.iter().zip(&self.quarantined);
        let quarantined = quarantined.map(|(reason, count)| (format!("quarantined/{}", reason.name()), count.value()));
        let flaws = Flaw::ALL.iter().zip(&self.lease_flaws);
        let flaws = flaws.map(|(flaw, count)| (format!("lease-flaws/{}", flaw.name()), count.value()));
        plain.chain(silent).chain(quarantined).chain(flaws).collect()
    }
}

fn count<T: PartialEq>(all: &[T], counts: &[Count], reason: T) {
    if let Some(place) = all.iter().zip(counts).find(|(known, _)| **known == reason) {
        place.1.bump();
    }
}
