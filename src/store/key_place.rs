//! The keyring's place while a store is opened: there may be a keyring, a new one to make, or one that a database has lost.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::engine::{Column, Engine, EngineError};
use super::families::meta;
use super::files::Paths;
use super::files::disk::DiskError;
use super::keyring::{Destruction, Keyring, KeyringFault, Loss, Opened, Vacancy};
use super::open::{KeyringFound, Opening};
use super::open_error::{self, OpenError};
use super::rows::keys::RowKey;
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, Cutoff};

/// What there is before the database is open.
pub(super) enum KeyPlace {
    /// A keyring, found or made.
    Taken(Keyring, KeyringFound),
    /// None, beside a database, which must be read first: it knows which store it is and up to when it has rows.
    Lost(Vacancy),
}

impl KeyPlace {
    /// Opens the keyring and destroys what is due, or makes one for a new store. `exists` says whether there is a database.
    pub(super) fn find(
        paths: &Paths,
        retention: &Retention,
        opening: Opening,
        exists: bool,
    ) -> Result<(Self, Destruction), OpenError> {
        let refused = |fault| open_error::of_keyring(fault, &paths.keyring, retention);
        let vacancy = match Keyring::open(&paths.keyring, opening.now).map_err(refused)? {
            Opened::Ready(keyring, mended) => {
                let (stored, window) = (keyring.keys().width(), keyring.keys().window());
                if stored != retention.bucket {
                    return Err(refused(KeyringFault::OtherBucket(stored)));
                }
                let due = opening.destroy.map(|cutoff| keyring.destroy(moved(cutoff, retention.window, window)));
                let found = if mended { KeyringFound::Mended } else { KeyringFound::Whole };
                return Ok((Self::Taken(keyring, found), due.transpose()?.unwrap_or_default()));
            }
            Opened::Vacant(vacancy) => vacancy,
        };
        // In another directory, it may be the file system that is missing, or a wrong one that is there.
        let is_new = !exists && vacancy.loss != Loss::Damaged;
        if !is_new && !opening.new_keyring && !is_same(&paths.state_dir, &paths.keyring_dir)? {
            return Err(open_error::lost(vacancy.loss, &paths.keyring));
        }
        if exists {
            return Ok((Self::Lost(vacancy), Destruction::default()));
        }
        let keyring = vacancy.make(retention, opening.now).map_err(refused)?;
        Ok((Self::Taken(keyring, KeyringFound::New), Destruction::default()))
    }

    /// The keyring, if there is one already.
    pub(super) fn keyring(&self) -> Option<&Keyring> {
        match self {
            Self::Taken(keyring, _) => Some(keyring),
            Self::Lost(_) => None,
        }
    }

    /// The keyring that belongs to the database: one with the same store id, made now if the database has lost its own.
    pub(super) fn belonging_to(
        self,
        engine: &Engine,
        paths: &Paths,
        retention: &Retention,
        opening: Opening,
    ) -> Result<(Keyring, KeyringFound), OpenError> {
        let database = || paths.database.clone();
        let failed = |source| OpenError::Database { path: database(), source };
        let store_id = meta::store_id(engine).map_err(failed)?;
        let store_id = store_id.ok_or_else(|| OpenError::DatabaseForeign(database()))?;
        match self {
            Self::Taken(keyring, found) if *keyring.store_id() == store_id => Ok((keyring, found)),
            Self::Taken(..) => Err(OpenError::OtherStore { keyring: paths.keyring.clone(), database: database() }),
            Self::Lost(vacancy) => {
                let (loss, newest) = (vacancy.loss, newest_bucket(engine).map_err(failed)?);
                let renewed = vacancy.renew(retention, store_id, newest, opening.now);
                let keyring = renewed.map_err(|fault| open_error::of_keyring(fault, &paths.keyring, retention))?;
                Ok((keyring, KeyringFound::Lost(loss)))
            }
        }
    }
}

/// A cutoff by another window: that of the same instant.
fn moved(cutoff: Cutoff, from: Duration, to: Duration) -> Cutoff {
    Cutoff::of(cutoff.horizon().plus(from), to)
}

fn is_same(a: &Path, b: &Path) -> Result<bool, OpenError> {
    let whole = |path: &Path| fs::canonicalize(path).map_err(DiskError::when("look for", path));
    Ok(whole(a)? == whole(b)?)
}

/// The latest bucket that has a row.
fn newest_bucket(engine: &Engine) -> Result<Option<Bucket>, EngineError> {
    let mut newest = None;
    for column in Column::ALL.into_iter().filter(|column| column.holds_records()) {
        if let Some(key) = engine.last_key(column)? {
            newest = newest.max(RowKey::from_bytes(&key).map(|key| key.bucket));
        }
    }
    Ok(newest)
}
