//! Where a store lies.

use std::path::{Path, PathBuf};

/// The store's files and directories.
#[derive(Clone, Debug)]
pub(in crate::store) struct Paths {
    pub(in crate::store) state_dir: PathBuf,
    pub(in crate::store) keyring_dir: PathBuf,
    pub(in crate::store) database: PathBuf,
    /// A database that is being made.
    pub(in crate::store) database_new: PathBuf,
    pub(in crate::store) policy: PathBuf,
    pub(in crate::store) lock: PathBuf,
    pub(in crate::store) keyring: PathBuf,
    /// The keys of cases.
    pub(in crate::store) case_keys: PathBuf,
    pub(in crate::store) ballast: PathBuf,
    /// The notes of sweeps.
    pub(in crate::store) swept: PathBuf,
}

impl Paths {
    pub(in crate::store) fn of(state_dir: &Path, keyring_dir: &Path) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            keyring_dir: keyring_dir.to_owned(),
            database: state_dir.join("db"),
            database_new: state_dir.join("db.new"),
            policy: state_dir.join("POLICY"),
            lock: state_dir.join("LOCK"),
            keyring: keyring_dir.join("keyring"),
            case_keys: keyring_dir.join("case-keys"),
            ballast: state_dir.join(super::ballast::NAME),
            swept: keyring_dir.join("swept"),
        }
    }
}
