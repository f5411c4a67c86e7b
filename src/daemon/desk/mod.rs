//! The requests on file, in memory as they are sealed in the store.
//!
//! Each has a lock of its own, held while something is done to it: what is in memory is what is durable.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::desk::{FiledError, Request};
use crate::domain::time::Timestamp;
use crate::store::{CaseClass, CaseId, CaseRow, CasesError, SealedRow, Store};

/// Kind and number of a row in a case, and its bytes.
type Row = (u8, u32, Vec<u8>);

/// A request that is worked on by one at a time.
pub(super) type Filed = Arc<Mutex<Request>>;

/// All that is on file.
pub(super) struct Desk {
    store: Arc<Store>,
    filed: RwLock<BTreeMap<CaseId, Filed>>,
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
        let mut filed = BTreeMap::new();
        for case in store.cases().into_iter().filter(|case| case.class == CaseClass::Request) {
            match read(&store, case.id) {
                Ok(Some(request)) => drop(filed.insert(case.id, Arc::new(Mutex::new(request)))),
                Ok(None) => {}
                Err(error) => tracing::error!(request = %case.id, %error, "a request on file cannot be read"),
            }
        }
        Ok(Self { store, filed: RwLock::new(filed) })
    }

    /// The request with this id, if it is on file and has not expired.
    pub(super) fn find(&self, id: CaseId, now: Timestamp) -> Option<Filed> {
        let is_kept = self.store.case(id).is_some_and(|case| case.expires > now);
        if !is_kept {
            self.forget(id);
            return None;
        }
        self.filed.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Every request on file.
    pub(super) fn all(&self, now: Timestamp) -> Vec<(CaseId, Filed)> {
        let ids: Vec<CaseId> = self.filed.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        ids.into_iter().filter_map(|id| Some((id, self.find(id, now)?))).collect()
    }

    /// Takes what has become durable.
    pub(super) fn take(&self, id: CaseId, request: Request) {
        self.filed.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::new(Mutex::new(request)));
    }

    fn forget(&self, id: CaseId) {
        self.filed.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// Seals rows of a case.
    pub(super) fn seal(&self, case: CaseId, rows: Vec<Row>) -> Result<Vec<SealedRow>, DeskError> {
        let seal = |(kind, number, bytes): Row| Ok(self.store.seal_row(&CaseRow { case, kind, number }, &bytes)?);
        rows.into_iter().map(seal).collect()
    }
}

/// `None` if nothing was sealed in it: opening it was cut short.
fn read(store: &Store, id: CaseId) -> Result<Option<Request>, DeskError> {
    let rows = store.case_rows(id)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let rows = rows.into_iter().map(|(row, bytes)| (row.kind, row.number, bytes));
    Ok(Some(Request::of_rows(rows)?))
}
