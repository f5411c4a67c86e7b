//! A store on a temporary directory, at an instant that does not move.

use std::path::PathBuf;

use lapsed::config::Config;
use lapsed::domain::retention::Retention;
use lapsed::domain::time::Timestamp;
use lapsed::store::{Opening, Store};
use tempfile::TempDir;

/// The instant at which every bench takes place: 2026-11-21T21:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_294_800_000);

/// A window of 48 hours in buckets of 10 minutes, as the configuration has it where it says nothing.
pub(crate) fn retention() -> Retention {
    Config::default().retention
}

/// Directories for a store, gone when dropped.
pub(crate) struct Place(TempDir);

impl Place {
    /// Two empty directories where temporary files go. If that is in memory (`TMPDIR`), a sync costs nothing there.
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The store in it, made if it is not there.
    pub(crate) fn store(&self) -> Store {
        Store::open(&self.state_dir(), &self.keyring_dir(), &retention(), Opening::at(NOW, &retention())).unwrap()
    }

    /// Where the database, the lock and the policy lie.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// Where the keyring lies.
    pub(crate) fn keyring_dir(&self) -> PathBuf {
        self.0.path().join("keys")
    }
}
