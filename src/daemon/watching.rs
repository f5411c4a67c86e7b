//! What is seen of those who ask, in memory: the tags of [`crate::watch`] under a key of this process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::time::Timestamp;
use crate::watch::Tags;

pub(super) struct Watching {
    tags: Mutex<Tags>,
    /// Since when.
    pub(super) started: Timestamp,
}

impl Watching {
    pub(super) fn start(started: Timestamp) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { tags: Mutex::new(Tags::new(key)), started })
    }

    pub(super) fn tags(&self) -> MutexGuard<'_, Tags> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
