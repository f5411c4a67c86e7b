//! One run, record after record: what a statement does not say, but the ones before it did.

use crate::domain::record::{Kind, Record};
use crate::domain::session::{Said, closes};
use crate::domain::time::Timestamp;
use crate::store::Row;

use super::known::KnownRun;

/// What one run has said so far: what it says no more, it still has.
pub(super) struct Thread {
    /// The newest record that tells who holds the address, if it was heard here.
    newest: Option<(Row, Record)>,
    /// The newest that was written earlier.
    earlier: Option<Row>,
    lease_end: Option<Timestamp>,
    open: bool,
}

impl Thread {
    pub(super) fn of(run: &KnownRun) -> Self {
        Self { newest: None, earlier: run.row, lease_end: run.standing.lease_end, open: run.standing.is_open() }
    }

    /// Takes a record as it stands in the store.
    pub(super) fn take(&mut self, row: Row, record: Record) {
        self.open = !closes(record.kind) && record.kind != Kind::Void;
        self.lease_end = record.lease_end.filter(|_| self.open);
        if self.open {
            self.newest = Some((row, record));
        }
    }

    /// What a statement does not say, but the ones before it did: an absent value erases none. A start begins anew.
    pub(super) fn complete<E>(
        &mut self,
        record: &mut Record,
        fetch: &mut impl FnMut(Row) -> Result<Option<Record>, E>,
    ) -> Result<(), E> {
        if Said::of(record.kind) == Some(Said::Start) || record.kind == Kind::First {
            self.newest = None;
            self.earlier = None;
            self.lease_end = None;
            return Ok(());
        }
        if record.kind == Kind::Void || record.kind == Kind::Lone {
            return Ok(());
        }
        if record.subscriber.is_none() && record.inside.is_none() {
            let before = self.before(fetch)?;
            record.inside = before.as_ref().and_then(|before| before.inside.clone());
            record.subscriber = before.and_then(|before| before.subscriber);
        }
        if record.kind == Kind::Carry {
            // What was carried before something late was heard may have had another end.
            record.lease_end = self.lease_end.filter(|end| *end > record.at);
        }
        Ok(())
    }

    /// The newest record so far that tells who holds the address. `None` if there is none, or it is gone.
    fn before<E>(&self, fetch: &mut impl FnMut(Row) -> Result<Option<Record>, E>) -> Result<Option<Record>, E> {
        match (&self.newest, self.earlier) {
            (Some((_, record)), _) => Ok(Some(record.clone())),
            (None, Some(row)) => fetch(row),
            (None, None) => Ok(None),
        }
    }

    /// The record of what was derived, after the newest one of its run. `None` if that is gone.
    pub(super) fn derive<E>(
        &mut self,
        at: Timestamp,
        kind: Kind,
        fetch: &mut impl FnMut(Row) -> Result<Option<Record>, E>,
    ) -> Result<Option<Record>, E> {
        let template = self.before(fetch)?;
        let Some(template) = template else { return Ok(None) };
        let lease_end = self.lease_end.filter(|end| kind == Kind::Carry && *end > at);
        let receive_delay = std::time::Duration::ZERO;
        let record = Record { at, kind, lease_end, receive_delay, terminate_cause: None, ..template };
        self.open = !closes(kind);
        if !self.open {
            self.lease_end = None;
        }
        Ok(Some(record))
    }

    /// Leaves in the run where its newest record stands.
    pub(super) fn remember(&self, run: &mut KnownRun) {
        run.row = self.newest.as_ref().map(|(row, _)| *row).or(self.earlier);
    }
}
