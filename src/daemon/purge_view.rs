//! What is known of the purge between two runs: the purge's loop fills it, the API reads it.

use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::purge::{Erasure, KeyState, Run};

/// What was seen last. Before the first run, nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The instant of the oldest record on disk.
    pub(super) oldest: Option<Timestamp>,
    /// The cutoff that is in force; it never moves back.
    pub(super) cutoff: Option<Cutoff>,
    /// The keyring.
    pub(super) keys: Vec<(Bucket, KeyState)>,
    /// How many keys are live.
    pub(super) live_keys: u32,
    /// The last run.
    pub(super) last_run: Option<Run>,
    /// When the next one is due.
    pub(super) next_run: Option<Timestamp>,
    /// How many runs in a row have failed.
    pub(super) consecutive_failures: u32,
    /// What the overwriting of keys is worth.
    pub(super) erasure: Option<Erasure>,
}

/// A handle to what was seen last; clones see the same.
#[derive(Clone, Debug, Default)]
pub(super) struct PurgeView(Arc<RwLock<Seen>>);

impl PurgeView {
    /// Changes what is seen.
    pub(super) fn show(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// What was seen last.
    pub(super) fn seen(&self) -> Seen {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
