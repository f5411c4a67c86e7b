//! What keeps the keyring in step with time, and what it says of itself.

use std::time::Duration;

use super::Store;
use super::erasure::Erasure;
use super::files::ballast::{self, Ballast, BallastError};
use super::files::policy;
use super::keyring::{Destruction, KeyRecord, KeyringError, Maintained, ReadBack, WindowError};
use super::open::KeyringHistory;
use super::purging::sweep_notes::{self, NotesError, SweepNote};
use crate::domain::retention::Retention;
use crate::domain::time::{Bucket, Cutoff, Timestamp};

impl Store {
    /// Destroys the keys of buckets wholly before the cutoff: each slot is overwritten in place with fresh random bytes,
    /// synced, read back past the page cache, its place on the device compared; the key leaves memory with its last reader.
    ///
    /// The caller decides the cutoff, for in doubt about the clock it is another than `now` less the window. A key that
    /// cannot be overwritten does not keep the others from it, and stays due ([`Destruction::failed`]).
    ///
    /// # Errors
    ///
    /// If the table cannot be written. Every slot has been overwritten that could be, and all of them are still due, so that
    /// the next run does it again and reports it.
    pub fn destroy_keys(&self, cutoff: Cutoff) -> Result<Destruction, KeyringError> {
        self.keyring.destroy(cutoff)
    }

    /// Reads the slot of a bucket whose key was destroyed, past the page cache, and shows that it has other bytes than those
    /// that the key's commitment was made of. Says how it was read.
    ///
    /// # Errors
    ///
    /// [`KeyringError::NotOverwritten`] if the key is still there; otherwise the slot could not be read.
    pub fn confirm_destroyed(&self, bucket: Bucket) -> Result<ReadBack, KeyringError> {
        self.keyring.confirm_destroyed(bucket)
    }

    /// Makes keys for the buckets of the window and those that come next, synced before any record can use them. No bucket
    /// ever gets a second key. Not to be called while the clock is in doubt.
    ///
    /// To be called at least once a bucket; [`Maintained::next`] says when there will be something to make or destroy.
    ///
    /// # Errors
    ///
    /// If the keyring cannot be written: nothing changed in memory that is not on disk, and the next run does it again.
    pub fn make_keys(&self, now: Timestamp) -> Result<Maintained, KeyringError> {
        self.keyring.make_keys(now)
    }

    /// Every bucket that has or had a key, in the order of time, for as long as its slot has served no later one.
    pub fn key_records(&self) -> Vec<KeyRecord> {
        self.keyring.records()
    }

    /// What opening did with the keyring: how it was found, what was destroyed, what was made.
    pub fn keyring_history(&self) -> &KeyringHistory {
        &self.history
    }

    /// The window in force: the one that the store has, which a changed configuration does not change.
    pub fn window(&self) -> Duration {
        self.keyring.keys().window()
    }

    /// The window that the store was opened with, from the configuration.
    pub fn configured_window(&self) -> Duration {
        self.retention.window
    }

    /// The longest window that [`Store::change_window`] takes.
    pub fn longest_window(&self) -> Duration {
        self.keyring.longest_window()
    }

    /// Puts another window in force, now and for later starts, and says so in `POLICY`. No key is made or destroyed by it.
    ///
    /// A longer one revives nothing: what was destroyed stays so, and no bucket that had a key gets another.
    ///
    /// # Errors
    ///
    /// [`WindowError::TooLong`]: nothing has changed. Otherwise [`Store::window`] says which one is in force: the old one, unless
    /// `POLICY` could not be written and the old one could not be put back.
    pub fn change_window(&self, window: Duration) -> Result<(), WindowError> {
        let old = self.window();
        // 1. The keyring's header. A crash before it is written leaves the old window, one after it the new one; `POLICY` is
        //    then written by the next start.
        self.keyring.change_window(window)?;
        // 2. What is said in the open.
        let policy = Retention { window, ..self.retention };
        policy::publish(&self.paths.policy, &policy).map_err(|error| {
            // What is not said in the open is not in force.
            self.keyring.change_window(old).err().unwrap_or_else(|| KeyringError::from(error).into())
        })
    }

    /// The text of the file `POLICY`, as it is published.
    pub fn policy(&self) -> String {
        policy::text_of(&Retention { window: self.window(), ..self.retention })
    }

    /// What overwriting a key means on the file system and the devices that the keyring lies on, as found when it was opened.
    pub fn erasure(&self) -> &Erasure {
        &self.erasure
    }

    /// The file that holds space back. Opening has given it up if the disk was full.
    pub fn ballast(&self) -> Ballast {
        Ballast::in_dir(&self.paths.state_dir)
    }

    /// How many bytes are free for us where the database lies. What a quota leaves is not known.
    ///
    /// # Errors
    ///
    /// If the file system does not say.
    pub fn free_space(&self) -> Result<u64, BallastError> {
        ballast::free_space(&self.paths.database)
    }

    /// What sweeps did while nobody had the store, the oldest first. They stay until [`Store::forget_sweep_notes`].
    ///
    /// # Errors
    ///
    /// If the notes cannot be read, or say what no sweep writes.
    pub fn sweep_notes(&self) -> Result<Vec<SweepNote>, NotesError> {
        sweep_notes::read(&self.paths.swept)
    }

    /// Removes the notes of sweeps: to be called when a report that has them is durable. No sweep writes while the store is open.
    ///
    /// # Errors
    ///
    /// If the file cannot be removed; the notes are then read again.
    pub fn forget_sweep_notes(&self) -> Result<(), NotesError> {
        sweep_notes::forget(&self.paths.swept)
    }

    /// Makes overwriting the key of a bucket fail from now on, as on a bad sector. For tests.
    #[doc(hidden)]
    pub fn fail_overwrite(&self, bucket: Bucket) {
        self.keyring.fail_overwrite(bucket);
    }
}
