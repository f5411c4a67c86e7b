//! What is on file, by its id, each with a lock of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::store::CaseId;

pub(super) struct Register<T>(RwLock<BTreeMap<CaseId, Arc<Mutex<T>>>>);

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self(RwLock::new(BTreeMap::new()))
    }
}

impl<T> Register<T> {
    pub(super) fn take(&self, id: CaseId, what: T) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::new(Mutex::new(what)));
    }

    pub(super) fn ids(&self) -> Vec<CaseId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// What has this id; it is forgotten here if it is not kept any more.
    pub(super) fn find(&self, id: CaseId, is_kept: bool) -> Option<Arc<Mutex<T>>> {
        if is_kept {
            return self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        }
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        None
    }
}
