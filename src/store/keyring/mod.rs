//! The keyring: one random slot a bucket, overwritten in place when the bucket is past.
//!
//! Bucket `b` has slot `b mod N`, and a slot moves on to later buckets only. It does not know what the keys open.

mod destroy;
mod erase;
mod extents;
mod file;
mod layout;
mod lifetime;
mod live;
mod past_cache;
mod plan;
mod vacancy;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::file::{Found, KeyringFile};
use self::layout::{AHEAD, Entry, Header, longest_window, slot_offset};
use self::lifetime::LifetimeKeys;
use self::live::Slot;
use super::files::disk::DiskError;
use super::rows::BucketKeys;
use crate::domain::time::{Bucket, BucketWidth, Timestamp};

pub use self::destroy::{DestroyedKey, Destruction, Extents};
pub(super) use self::erase::{Erased, Eraser, With};
pub(super) use self::file::{fill, random_page};
pub(super) use self::live::{KeyOf, Keys};
pub use self::live::{KeyRecord, KeyState};
pub use self::past_cache::ReadBack;
pub use self::vacancy::Loss;
pub(super) use self::vacancy::Vacancy;

/// Why the keyring could not be brought up to date. What was due stays due.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// A step on the file failed.
    #[error("cannot {doing} {path}: {kind}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The keyring.
        path: PathBuf,
        /// Why it failed.
        kind: std::io::ErrorKind,
    },
    /// The write and the sync succeeded, and the device has other bytes.
    #[error("what was written over a key in {} did not read back from the device", .0.display())]
    NotOverwritten(PathBuf),
    /// The kernel gave no random bytes.
    #[error("the kernel gave no random bytes for a key")]
    NoRandom,
}

impl From<DiskError> for KeyringError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Io { doing, path, kind }
    }
}

/// Why the window could not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The keyring has not enough slots for it.
    #[error("a window of {} s does not fit into the keyring, which was made for one of at most {} s: begin a new store", asked.as_secs(), longest.as_secs())]
    TooLong {
        /// What was asked for.
        asked: Duration,
        /// The longest that fits.
        longest: Duration,
    },
    /// The header or `POLICY` could not be written. Which window is in force after the next start, that start finds out.
    #[error(transparent)]
    Failed(#[from] KeyringError),
}

/// Why a keyring cannot be used.
#[derive(Debug)]
pub(super) enum KeyringFault {
    Locked,
    Foreign,
    Newer(u32),
    Older(u32),
    OtherBucket(BucketWidth),
    TooManyBuckets,
    Failed(KeyringError),
}

impl<E: Into<KeyringError>> From<E> for KeyringFault {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a run of [`Store::make_keys`](super::Store::make_keys) did and found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintained {
    /// Buckets that got a key.
    pub made: Vec<MadeKey>,
    /// Buckets that need a key and must not get one: a later bucket has used their slot, so the clock went back.
    pub refused: Vec<Bucket>,
    /// Buckets whose key is damaged or lost: what they hold cannot be read, and they take no events.
    pub unreadable: Vec<Bucket>,
    /// How many keys are live, those made ahead included.
    pub live: usize,
    /// When there will be something to do again.
    pub next: Timestamp,
}

/// A key that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeKey {
    /// Whose key it is.
    pub bucket: Bucket,
    /// The hash that shows later that this key, and no other, was destroyed.
    pub commitment: [u8; 32],
}

/// The open keyring. A change goes to the disk first, under the file's lock, and to memory when it is durable.
pub(super) struct Keyring {
    file: Mutex<KeyringFile>,
    keys: Arc<Keys>,
    store_id: [u8; 16],
}

/// What opening a keyring finds.
pub(super) enum Opened {
    /// A keyring; was its header mended?
    Ready(Keyring, bool),
    /// None, or one that nobody can use.
    Vacant(Vacancy),
}

impl Keyring {
    /// Opens what is at `path`. No key is made and none destroyed, and nothing is made where nothing is.
    pub(super) fn open(path: &Path, now: Timestamp) -> Result<Opened, KeyringFault> {
        Ok(match file::open(path)? {
            Found::Whole(file, mended) => Opened::Ready(Self::load(file, now)?, mended),
            Found::Nothing => Opened::Vacant(Vacancy::new(path, Loss::Missing, None)),
            Found::Blank(blank) => Opened::Vacant(Vacancy::new(path, Loss::Unfinished, Some(blank))),
            Found::Damaged(blank) => Opened::Vacant(Vacancy::new(path, Loss::Damaged, Some(blank))),
        })
    }

    fn load(file: KeyringFile, now: Timestamp) -> Result<Self, DiskError> {
        let Header { store_id, window, bucket, slots, secret } = file.header.clone();
        let entries = (0..slots).map(|slot| file.entry(slot)).collect::<Result<Vec<_>, _>>()?;
        let newest = entries.iter().flatten().filter_map(|entry| entry.bucket()).max().unwrap_or(Bucket(0));
        // A damaged entry does not say whose it was. The table as a whole knows better than a clock that went back.
        let last = newest.max(bucket.bucket_of(now).later(AHEAD));
        let loaded = (0..).zip(entries).map(|(slot, entry)| load_slot(&file, slot, entry, last));
        let loaded = loaded.collect::<Result<_, DiskError>>()?;
        let keys = Arc::new(Keys::new(loaded, LifetimeKeys::of_secret(&secret), bucket, window));
        Ok(Self { keys, store_id, file: Mutex::new(file) })
    }

    /// The keys in memory, which are shared and go without the file.
    pub(super) fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    pub(super) fn store_id(&self) -> &[u8; 16] {
        &self.store_id
    }

    /// All that the table says.
    pub(super) fn records(&self) -> Vec<KeyRecord> {
        self.keys.records()
    }

    /// The longest window that [`Keyring::change_window`] takes.
    pub(super) fn longest_window(&self) -> Duration {
        let header = &self.file().header;
        longest_window(header.slots, header.bucket)
    }

    /// Puts another window in force. No key is made or destroyed.
    pub(super) fn change_window(&self, window: Duration) -> Result<(), WindowError> {
        let longest = self.longest_window();
        if window > longest {
            return Err(WindowError::TooLong { asked: window, longest });
        }
        let mut file = self.file();
        let header = Header { window, ..file.header.clone() };
        file.change_header(header).map_err(KeyringError::from)?;
        self.keys.set_window(window);
        Ok(())
    }

    /// Overwrites everything, the header included. There is no keyring afterwards.
    pub(super) fn shred(self) -> Result<(), KeyringError> {
        self.file().shred()
    }

    /// Makes the overwriting of a bucket's slot fail from now on.
    pub(super) fn fail_overwrite(&self, bucket: Bucket) {
        let mut file = self.file();
        let slots = file.header.slots;
        file.bad.push(slot_offset(slots, plan::slot_of(bucket, slots)));
    }

    /// Makes keys for the buckets of the window and some ahead that never had one.
    pub(super) fn make_keys(&self, now: Timestamp) -> Result<Maintained, KeyringError> {
        let file = self.file();
        let making = self.keys.missing(now);
        // 1. Fresh random bytes in the slots. A crash here leaves the table as it was: nothing knows these bytes, and the next
        //    run writes others.
        let mut made = Vec::with_capacity(making.make.len());
        for (slot, bucket) in &making.make {
            let page = random_page()?;
            file.write_slot(*slot, &page)?;
            made.push((*slot, *bucket, Arc::new(BucketKeys::of_slot(&page))));
        }
        if !made.is_empty() {
            file.sync()?;
        }
        // 2. The table. A crash here leaves some buckets with a key that has sealed nothing, which is as good as another.
        for (slot, bucket, keys) in &made {
            file.write_entry(*slot, Entry::Live(*bucket, keys.commitment()))?;
        }
        if !made.is_empty() {
            file.sync()?;
        }
        // 3. The memory, last: no record is sealed under a key that a crash could lose.
        let mark = |bucket: &Bucket, keys: &BucketKeys| MadeKey { bucket: *bucket, commitment: keys.commitment() };
        let marks = made.iter().map(|(_, bucket, keys)| mark(bucket, keys)).collect();
        self.keys.replace(made.into_iter().map(|(slot, bucket, keys)| (slot, Slot::Live(bucket, keys))));
        let (live, unreadable, next) = self.keys.standing(now);
        Ok(Maintained { made: marks, refused: making.refused, unreadable, live, next })
    }

    /// Whoever panicked with this lock had changed bytes that the next run writes again.
    fn file(&self) -> MutexGuard<'_, KeyringFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A slot as the file has it, with its entry; `None` is a damaged one. `last` is the latest bucket that can have a key.
fn load_slot(file: &KeyringFile, slot: u32, entry: Option<Entry>, last: Bucket) -> Result<Slot, DiskError> {
    Ok(match entry {
        Some(Entry::Unused) => Slot::Unused,
        Some(Entry::Destroyed(bucket, commitment)) => Slot::Destroyed(bucket, commitment),
        Some(Entry::Lost(bucket)) => Slot::Lost(bucket),
        Some(Entry::Live(bucket, commitment)) => {
            // A sector that cannot be read costs its own bucket, and no other.
            match file.slot(slot).map(|page| BucketKeys::of_slot(&page)) {
                Ok(keys) if keys.commitment() == commitment => Slot::Live(bucket, Arc::new(keys)),
                Ok(_) | Err(_) => Slot::Damaged(bucket, Some(commitment)),
            }
        }
        // The latest bucket that it can be is unreadable, and gets no second key; if that is past, the slot is overwritten.
        None => Slot::Damaged(plan::latest_to(last, slot, file.header.slots), None),
    })
}
