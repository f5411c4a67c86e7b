//! The requests on file and the holds, in memory as they are sealed in the store.
//!
//! Each has a lock of its own, held while something is done to it: what is in memory is what is durable. Where both are needed, the
//! hold's is taken first.

mod register;

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::desk::{FiledError, Hold, Request};
use crate::domain::process::ProcessType;
use crate::domain::time::Timestamp;
use crate::store::{CaseClass, CaseId, CaseRow, CasesError, SealedRow, Store};

use register::Register;

/// Kind and number of a row in a case, and its bytes.
type Row = (u8, u32, Vec<u8>);

/// What is sealed in a case, as it was before it was sealed.
type OpenRows = Vec<(CaseRow, Vec<u8>)>;

/// A request that is worked on by one at a time.
pub(super) type Filed = Arc<Mutex<Request>>;
/// A hold that is worked on by one at a time.
pub(super) type Held = Arc<Mutex<Hold>>;

/// All that is on file.
pub(super) struct Desk {
    store: Arc<Store>,
    requests: Register<Request>,
    /// Those of the requests that are emergencies.
    emergencies: RwLock<BTreeSet<CaseId>>,
    holds: Register<Hold>,
}

/// Why something could not be put on file.
#[derive(Debug, thiserror::Error)]
pub(super) enum DeskError {
    #[error(transparent)]
    Cases(#[from] CasesError),
    #[error(transparent)]
    Format(#[from] FiledError),
}

impl Desk {
    /// Reads what is on file. What does not open is left where it is, and said.
    pub(super) fn open(store: Arc<Store>) -> Result<Self, CasesError> {
        let orphans = store.forget_orphans()?;
        if orphans > 0 {
            tracing::warn!(orphans, "sealed rows without a key are taken out");
        }
        let desk =
            Self { requests: Register::default(), emergencies: RwLock::default(), holds: Register::default(), store };
        for case in desk.store.cases() {
            let read = match case.class {
                CaseClass::Request => desk.read(case.id, Request::of_rows).map(|read| {
                    read.into_iter().for_each(|request| desk.take(case.id, request));
                }),
                CaseClass::Hold => desk
                    .read(case.id, Hold::of_rows)
                    .and_then(|read| read.map_or(Ok(()), |hold| desk.restore(case.id, case.expires, hold))),
                CaseClass::Capture => Ok(()),
            };
            if let Err(error) = read {
                tracing::error!(case = %case.id, %error, "what is on file cannot be read");
            }
        }
        Ok(desk)
    }

    /// `None` if nothing was sealed in it: making it was cut short.
    fn read<T>(
        &self,
        id: CaseId,
        of_rows: impl FnOnce(Vec<Row>) -> Result<T, FiledError>,
    ) -> Result<Option<T>, DeskError> {
        let rows = self.store.case_rows(id)?;
        if rows.is_empty() {
            return Ok(None);
        }
        let rows = rows.into_iter().map(|(row, bytes)| (row.kind, row.number, bytes));
        Ok(Some(of_rows(rows.collect())?))
    }

    /// Takes a hold that was found; one whose approval a crash kept from counting is kept as long as it is to be.
    fn restore(&self, id: CaseId, expires: Timestamp, hold: Hold) -> Result<(), DeskError> {
        if hold.approved.is_some() && expires < hold.expires() {
            self.store.keep_case_until(id, hold.expires())?;
        }
        self.take_hold(id, hold);
        Ok(())
    }

    /// Is the case there, and has it not expired?
    fn is_kept(&self, id: CaseId, now: Timestamp) -> bool {
        self.store.case(id).is_some_and(|case| case.expires > now)
    }

    /// Where what is captured for a request and its answers are sealed; `None` if that has ended or expired, or never was.
    pub(super) fn capture_of(&self, request: &Request, now: Timestamp) -> Option<CaseId> {
        let capture = request.state.capture.as_deref().and_then(|id| id.parse().ok());
        capture.filter(|id| self.is_kept(*id, now))
    }

    /// The request with this id, if it is on file and has not expired.
    pub(super) fn find(&self, id: CaseId, now: Timestamp) -> Option<Filed> {
        self.requests.find(id, self.is_kept(id, now))
    }

    /// Every request on file.
    pub(super) fn all(&self, now: Timestamp) -> Vec<(CaseId, Filed)> {
        self.requests.ids().into_iter().filter_map(|id| Some((id, self.find(id, now)?))).collect()
    }

    /// Every emergency on file.
    pub(super) fn emergencies(&self, now: Timestamp) -> Vec<(CaseId, Filed)> {
        let ids = self.emergencies.read().unwrap_or_else(PoisonError::into_inner).clone();
        ids.into_iter().filter_map(|id| Some((id, self.find(id, now)?))).collect()
    }

    /// Takes a request that has become durable.
    pub(super) fn take(&self, id: CaseId, request: Request) {
        if request.papers.process == ProcessType::Emergency {
            self.emergencies.write().unwrap_or_else(PoisonError::into_inner).insert(id);
        }
        self.requests.take(id, request);
    }

    /// The hold with this id, if it is there and has not expired.
    pub(super) fn hold(&self, id: CaseId, now: Timestamp) -> Option<Held> {
        self.holds.find(id, self.is_kept(id, now))
    }

    /// Every hold.
    pub(super) fn holds(&self, now: Timestamp) -> Vec<(CaseId, Held)> {
        self.holds.ids().into_iter().filter_map(|id| Some((id, self.hold(id, now)?))).collect()
    }

    /// Takes a hold that has become durable.
    pub(super) fn take_hold(&self, id: CaseId, hold: Hold) {
        self.holds.take(id, hold);
    }

    /// Everything that is sealed in a case; `None` if it has ended, perhaps since somebody saw that it was there.
    pub(super) fn rows_of(&self, case: CaseId) -> Result<Option<OpenRows>, DeskError> {
        match self.store.case_rows(case) {
            Err(CasesError::Gone(_)) => Ok(None),
            rows => Ok(Some(rows?)),
        }
    }

    /// Seals rows of a case.
    pub(super) fn seal(&self, case: CaseId, rows: Vec<Row>) -> Result<Vec<SealedRow>, DeskError> {
        let seal = |(kind, number, bytes): Row| Ok(self.store.seal_row(&CaseRow { case, kind, number }, &bytes)?);
        rows.into_iter().map(seal).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::store::Opening;

    const NOW: Timestamp = Timestamp::from_millis(1_795_295_002_000);

    #[test]
    fn of_a_case_that_ended_since_it_was_seen_nothing_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let text = "version = 1\nstate-dir = \"state\"\n[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n";
        let config = Config::parse(text, "lapsed.toml", dir.path(), |_| unreachable!()).unwrap();
        let opening = Opening::at(NOW, &config.retention);
        let store = Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening).unwrap();
        let desk = Desk::open(Arc::new(store)).unwrap();
        let expires = Timestamp::from_millis(NOW.millis() + 60_000);
        let capture = desk.store.begin_case(CaseClass::Capture, expires).unwrap();
        assert!(desk.is_kept(capture, NOW) && desk.rows_of(capture).unwrap().is_some());
        desk.store.end_cases(&[capture]).unwrap();
        assert!(!desk.is_kept(capture, NOW) && desk.rows_of(capture).unwrap().is_none());
    }
}
