//! Where a keyring should be and none is: a new one for a new store, or one for a database that has lost its own.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{Blank, fill};
use super::layout::{AHEAD, Entry, Header, slots_for};
use super::{Keyring, KeyringError, KeyringFault, plan};
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, Timestamp};

/// Why there is no keyring to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// There is no file.
    Missing,
    /// The file was never finished.
    Unfinished,
    /// Both headers of the file are damaged.
    Damaged,
}

/// A place without a keyring. Nothing has been changed there yet.
pub(in crate::store) struct Vacancy {
    path: PathBuf,
    pub(in crate::store) loss: Loss,
    blank: Option<Blank>,
}

impl Vacancy {
    pub(super) fn new(path: &Path, loss: Loss, blank: Option<Blank>) -> Self {
        Self { path: path.to_owned(), loss, blank }
    }

    /// A keyring for a new store.
    pub(in crate::store) fn make(self, retention: &Retention, now: Timestamp) -> Result<Keyring, KeyringFault> {
        let mut store_id = [0; 16];
        fill(&mut store_id)?;
        self.with(fresh_header(retention, store_id)?, |_| Entry::Unused, now)
    }

    /// A keyring for a database that has lost its own. Every bucket that may have records is marked as lost, so that none of
    /// them gets another key: those of the window at `now` and ahead, and up to the newest that the database has rows of.
    ///
    /// A damaged keyring is overwritten first: it may hold keys that nobody else would destroy.
    pub(in crate::store) fn renew(
        self,
        retention: &Retention,
        store_id: [u8; 16],
        newest: Option<Bucket>,
        now: Timestamp,
    ) -> Result<Keyring, KeyringFault> {
        let width = retention.bucket;
        let first = width.bucket_of(retention.cutoff(now).horizon());
        let last = width.bucket_of(now).later(AHEAD).max(newest.unwrap_or(Bucket(0)));
        let header = fresh_header(retention, store_id)?;
        let slots = header.slots;
        let entry = |slot| match plan::latest_to(last, slot, slots) {
            bucket if bucket >= first => Entry::Lost(bucket),
            _ => Entry::Unused,
        };
        self.with(header, entry, now)
    }

    fn with(self, header: Header, entry: impl Fn(u32) -> Entry, now: Timestamp) -> Result<Keyring, KeyringFault> {
        let blank = match self.blank {
            Some(blank) => blank,
            None => Blank::at(&self.path)?,
        };
        if self.loss == Loss::Damaged {
            blank.shred()?;
        }
        Ok(Keyring::load(blank.make(header, entry)?, now)?)
    }

    /// Overwrites what is there, if anything is.
    pub(in crate::store) fn shred(self) -> Result<(), KeyringError> {
        self.blank.map_or(Ok(()), |blank| blank.shred())
    }
}

fn fresh_header(retention: &Retention, store_id: [u8; 16]) -> Result<Header, KeyringFault> {
    let slots = slots_for(retention.window, retention.bucket).ok_or(KeyringFault::TooManyBuckets)?;
    let mut secret = Zeroizing::new([0; 32]);
    fill(&mut *secret)?;
    Ok(Header { store_id, window: retention.window, bucket: retention.bucket, slots, secret })
}
