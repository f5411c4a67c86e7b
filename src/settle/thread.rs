//! One run, record after record: what a statement does not say, but the ones before it did.

use std::num::NonZeroU64;

use crate::domain::identity::SubscriberId;
use crate::domain::nat::Inside;
use crate::domain::record::{Kind, Record};
use crate::domain::session::{closes, opens};
use crate::domain::time::Timestamp;
use crate::store::Row;

use super::known::{Hasher, KnownRun};

/// What one run has said so far: what it says no more, it still has.
pub(super) struct Thread<'a> {
    hasher: &'a Hasher,
    /// The newest record that tells who holds the address, if it was heard here.
    newest: Option<(Row, Record)>,
    /// The newest that was written earlier.
    earlier: Option<Row>,
    lease_end: Option<Timestamp>,
    open: bool,
    /// Hash of who holds the address.
    holder: Option<NonZeroU64>,
    /// When it was carried last.
    carried: Option<Timestamp>,
}

impl<'a> Thread<'a> {
    pub(super) fn of(run: &KnownRun, hasher: &'a Hasher) -> Self {
        Self {
            hasher,
            newest: None,
            earlier: run.row,
            lease_end: run.standing.lease_end,
            open: run.standing.is_open(),
            holder: run.holder,
            carried: None,
        }
    }

    /// Takes a record as it stands in the store.
    pub(super) fn take(&mut self, row: Row, record: Record) {
        self.open = !closes(record.kind) && record.kind != Kind::Void;
        self.lease_end = record.lease_end.filter(|_| self.open);
        if record.kind == Kind::Carry {
            self.carried = Some(record.at);
        }
        if self.open {
            let told = self.hasher.holder(&record);
            self.holder = if opens(record.kind) { told } else { told.or(self.holder) };
            self.newest = Some((row, record));
        }
    }

    /// What a statement does not say, but the ones before it did: an absent value erases none. A start begins anew.
    pub(super) fn complete<E>(
        &mut self,
        record: &mut Record,
        fetch: &mut impl FnMut(Row) -> Result<Option<Record>, E>,
    ) -> Result<(), E> {
        let before = if record.named_earlier { Self::forget_holder(record) } else { (None, None) };
        if opens(record.kind) {
            self.newest = None;
            self.earlier = None;
            self.lease_end = None;
            return Ok(());
        }
        if record.kind == Kind::Void || record.kind == Kind::Lone {
            return Ok(());
        }
        if record.subscriber.is_none() && record.inside.is_none() {
            // Where what told it is gone, what was filled in stays.
            let told = self.before(fetch)?.map(|told| (told.subscriber, told.inside));
            (record.subscriber, record.inside) = told.filter(|told| *told != (None, None)).unwrap_or(before);
            record.named_earlier = record.subscriber.is_some() || record.inside.is_some();
        }
        Ok(())
    }

    /// The same for what was derived before something late was heard: it follows the statements before it in all that it tells.
    pub(super) fn follow<E>(
        &self,
        record: &mut Record,
        fetch: &mut impl FnMut(Row) -> Result<Option<Record>, E>,
    ) -> Result<(), E> {
        if let Some(told) = self.before(fetch)? {
            (record.subscriber, record.inside) = (told.subscriber, told.inside);
        }
        if record.kind == Kind::Carry {
            record.lease_end = self.lease_end.filter(|end| *end > record.at);
        }
        Ok(())
    }

    /// Does this statement, of this meaning, tell another holder while the run goes on? What held the address until now is then
    /// written down at that instant, or it would be forgotten with its last statement.
    pub(super) fn is_renamed_by(&self, record: &Record, kind: Kind) -> bool {
        let goes_on = self.open && matches!(kind, Kind::Update | Kind::Stop);
        let told = self.hasher.holder(record).filter(|_| goes_on && !record.named_earlier);
        told.is_some_and(|told| self.holder.is_some_and(|holder| holder != told))
    }

    /// Was it carried at this very instant?
    pub(super) fn is_carried_at(&self, at: Timestamp) -> bool {
        self.carried == Some(at)
    }

    fn forget_holder(record: &mut Record) -> (Option<SubscriberId>, Option<Inside>) {
        record.named_earlier = false;
        (record.subscriber.take(), record.inside.take())
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
        let record =
            Record { at, kind, lease_end, receive_delay, terminate_cause: None, named_earlier: false, ..template };
        self.open = !closes(kind);
        if self.open {
            self.carried = Some(at);
        } else {
            self.lease_end = None;
        }
        Ok(Some(record))
    }

    /// Leaves in the run where its newest record stands, and whom it tells.
    pub(super) fn remember(&self, run: &mut KnownRun) {
        run.row = self.newest.as_ref().map(|(row, _)| *row).or(self.earlier);
        run.holder = self.holder;
    }
}
