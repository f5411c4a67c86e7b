//! Where a store lies.

use std::path::{Path, PathBuf};

/// The store's files and directories.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    pub(super) state_dir: PathBuf,
    pub(super) keyring_dir: PathBuf,
    pub(super) database: PathBuf,
    /// A database that is being made.
    pub(super) database_new: PathBuf,
    pub(super) policy: PathBuf,
    pub(super) lock: PathBuf,
    pub(super) keyring: PathBuf,
    pub(super) ballast: PathBuf,
    /// The notes of sweeps.
    pub(super) swept: PathBuf,
}

impl Paths {
    pub(super) fn of(state_dir: &Path, keyring_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            keyring_dir: keyring_dir.to_owned(),
            database: state_dir.join("db"),
            database_new: state_dir.join("db.new"),
            policy: state_dir.join("POLICY"),
            lock: state_dir.join("LOCK"),
            keyring: keyring_dir.join("keyring"),
            ballast: state_dir.join(super::ballast::NAME),
            swept: keyring_dir.join("swept"),
        }
    }
}
