//! Cases: what is sealed for a request or a hold, each under a key of its own that is destroyed when it expires.
//!
//! The keys lie in the file `case-keys` beside the keyring, and are destroyed as those of buckets are: overwritten in place,
//! synced and read back. The sealed rows lie in the families `requests` and `held`, under the case's random id, a kind and a number;
//! what they say is not the store's business. When a case expires its key goes first, then its rows.

mod file;
mod layout;
mod seal;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::file::CaseFile;
use self::layout::{Entry, LiveEntry};
use self::seal::CaseKeys;
use super::engine::{Column, Engine, EngineError, Forget, Write};
use super::files::disk::DiskError;
use super::keyring::{KeyringError, fill, random_page};
use super::{CommitError, Store};
use crate::domain::time::Timestamp;

/// Bytes of a row's key.
const ROW_KEY_BYTES: usize = 21;
/// How many rows are read at a time.
const ROWS_AT_A_TIME: usize = 4096;

/// The random name of a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId(pub [u8; 16]);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaseId({self})")
    }
}

/// The text is no id of a case: 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id: it has 32 hexadecimal digits")]
pub struct NoCaseId(pub String);

impl FromStr for CaseId {
    type Err = NoCaseId;

    fn from_str(text: &str) -> Result<Self, NoCaseId> {
        let wrong = || NoCaseId(text.to_owned());
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex).ok_or_else(wrong)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// What a case is, which decides how long it may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseClass {
    /// The papers of a request, and its items.
    Request,
    /// What is captured for a request, and the answers that were given.
    Capture,
    /// What is preserved.
    Hold,
}

impl CaseClass {
    const fn number(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Capture => 2,
            Self::Hold => 3,
        }
    }

    fn of_number(number: u8) -> Option<Self> {
        [Self::Request, Self::Capture, Self::Hold].into_iter().find(|class| class.number() == number)
    }

    const fn column(self) -> Column {
        match self {
            Self::Request | Self::Capture => Column::Requests,
            Self::Hold => Column::Held,
        }
    }
}

/// A case that is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseRecord {
    /// Its name.
    pub id: CaseId,
    /// What it is.
    pub class: CaseClass,
    /// From when on it is destroyed.
    pub expires: Timestamp,
    /// Is its key whole? Otherwise nothing of it can be read any more.
    pub readable: bool,
}

/// Where something sealed lies: a kind and a number within the case. Kinds are letters that whoever seals chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// Whose it is.
    pub case: CaseId,
    /// What it is.
    pub kind: u8,
    /// Which of its kind.
    pub number: u32,
}

impl CaseRow {
    /// The kind of rows that are answers; those of other kinds in a [`CaseClass::Capture`] are what was captured.
    pub const ANSWER: u8 = b'a';

    fn to_bytes(self) -> [u8; ROW_KEY_BYTES] {
        let mut bytes = [self.kind; ROW_KEY_BYTES];
        let number = self.number.to_be_bytes();
        let (first, rest) = bytes.split_at_mut(16);
        first.copy_from_slice(&self.case.0);
        rest.iter_mut().skip(1).zip(number).for_each(|(byte, of_number)| *byte = of_number);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (case, rest) = bytes.split_first_chunk::<16>()?;
        let (kind, number) = rest.split_first()?;
        Some(Self { case: CaseId(*case), kind: *kind, number: u32::from_be_bytes(number.try_into().ok()?) })
    }
}

/// A sealed row, ready for a [`Batch`](super::Batch).
pub struct SealedRow(Write);

impl SealedRow {
    /// How many bytes it has, key and value.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.0.key.len().saturating_add(self.0.value.len())).unwrap_or(u64::MAX)
    }

    pub(super) fn into_write(self) -> Write {
        self.0
    }
}

/// A value does not open under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NotOpened;

/// Why something could not be done with a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CasesError {
    /// The file of the keys could not be read or written.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// Too many are live.
    #[error("there are {} requests and holds, and no room for another: close some", layout::MOST_CASES)]
    Full,
    /// There is no such case, or no more.
    #[error("{0} is not there, or not any more")]
    Gone(CaseId),
    /// Its key is damaged.
    #[error("the key of {0} is damaged: nothing of it can be read")]
    Damaged(CaseId),
    /// A row does not open, or is not in the format.
    #[error("a sealed row of {0} does not open")]
    BadRow(CaseId),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] EngineError),
    /// A commit failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<DiskError> for CasesError {
    fn from(error: DiskError) -> Self {
        Self::Keys(error.into())
    }
}

/// Why the keys of cases cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CaseKeysFault {
    /// Another process has them.
    Locked,
    /// The file is none of this version.
    Foreign,
    /// They are of another store.
    OtherStore,
    /// A step on the file failed.
    Failed(KeyringError),
}

impl From<DiskError> for CaseKeysFault {
    fn from(error: DiskError) -> Self {
        Self::Failed(error.into())
    }
}

/// What became of cases that were to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Their keys are destroyed and durably so, and their rows are taken out.
    pub gone: Vec<EndedCase>,
    /// Their key could not be overwritten. It is dropped from memory, and due again.
    pub failed: Vec<(CaseId, KeyringError)>,
}

/// A case that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedCase {
    /// What it was.
    pub record: CaseRecord,
    /// How many rows it had, by their kind.
    pub rows: BTreeMap<u8, u64>,
}

/// The open keys.
pub(super) struct Cases {
    file: Mutex<CaseFile>,
    live: RwLock<BTreeMap<CaseId, Live>>,
    /// What ended and nobody has reported yet.
    ended: Mutex<Vec<EndedCase>>,
}

/// Keys that were to be destroyed.
#[derive(Default)]
struct Destroyed {
    gone: Vec<CaseRecord>,
    failed: Vec<(CaseId, KeyringError)>,
}

struct Live {
    slot: u32,
    entry: LiveEntry,
    /// `None`: damaged.
    keys: Option<Arc<CaseKeys>>,
}

impl Cases {
    /// Opens the keys of the store with this id, or makes the file for them.
    pub(super) fn open(path: &Path, store_id: &[u8; 16]) -> Result<Self, CaseKeysFault> {
        let file = CaseFile::open(path, store_id)?;
        let mut live = BTreeMap::new();
        for (slot, entry) in (0..).zip(file.entries()?) {
            // A damaged entry does not say whose it was: its rows have no key, and are taken out as those of nobody.
            if let Some(Entry::Live(entry)) = entry {
                let keys = file.slot(slot).ok().map(|page| CaseKeys::of_slot(&page));
                let keys = keys.filter(|keys| keys.commitment == entry.commitment).map(Arc::new);
                live.insert(entry.id, Live { slot, entry, keys });
            }
        }
        Ok(Self { file: Mutex::new(file), live: RwLock::new(live), ended: Mutex::new(Vec::new()) })
    }

    /// Opens the keys, if the file is there; a file that is none of ours is left alone.
    pub(super) fn open_if_there(path: &Path, store_id: &[u8; 16]) -> Result<Option<Self>, KeyringError> {
        if !path.is_file() {
            return Ok(None);
        }
        match Self::open(path, store_id) {
            Ok(cases) => Ok(Some(cases)),
            Err(CaseKeysFault::Failed(error)) => Err(error),
            Err(CaseKeysFault::Locked | CaseKeysFault::Foreign | CaseKeysFault::OtherStore) => Ok(None),
        }
    }

    /// Destroys the keys of what has expired, without a store; says how many those were.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<usize, CasesError> {
        let due: Vec<CaseId> =
            self.live().values().filter(|live| live.entry.expires <= now).map(|live| live.entry.id).collect();
        let Destroyed { gone, failed } = self.destroy(&due)?;
        failed.into_iter().try_for_each(|(_, error)| Err(error))?;
        Ok(gone.len())
    }

    fn make(&self, class: CaseClass, expires: Timestamp) -> Result<CaseId, CasesError> {
        let file = self.file();
        let mut id = CaseId([0; 16]);
        fill(&mut id.0)?;
        let taken: std::collections::BTreeSet<u32> = self.live().values().map(|live| live.slot).collect();
        let slot = (0..layout::MOST_CASES).find(|slot| !taken.contains(slot)).ok_or(CasesError::Full)?;
        // 1. The key. A crash here leaves random bytes in a slot that is free.
        let page = random_page()?;
        file.write_slot(slot, &page)?;
        // 2. The table. A crash here leaves a case without rows, which expires.
        let keys = CaseKeys::of_slot(&page);
        let entry = LiveEntry { id, class, expires, commitment: keys.commitment };
        file.write_entry(slot, Entry::Live(entry))?;
        file.sync()?;
        // 3. The memory: nothing is sealed under a key that a crash could lose.
        self.live_mut().insert(id, Live { slot, entry, keys: Some(Arc::new(keys)) });
        Ok(id)
    }

    fn keep_until(&self, id: CaseId, expires: Timestamp) -> Result<(), CasesError> {
        let file = self.file();
        let mut live = self.live_mut();
        let found = live.get_mut(&id).ok_or(CasesError::Gone(id))?;
        let entry = LiveEntry { expires, ..found.entry };
        // An entry lies in one sector: a crash leaves the old expiry or the new one.
        file.write_entry(found.slot, Entry::Live(entry))?;
        file.sync()?;
        found.entry = entry;
        Ok(())
    }

    /// Destroys keys. One that fails does not keep the others from it.
    fn destroy(&self, ids: &[CaseId]) -> Result<Destroyed, CasesError> {
        let file = self.file();
        let due: Vec<(u32, CaseRecord)> =
            ids.iter().filter_map(|id| self.live().get(id).map(|live| (live.slot, live.record()))).collect();
        if due.is_empty() {
            return Ok(Destroyed::default());
        }
        // 1. The memory: nobody reads it any more, also one that cannot be overwritten.
        for (_, record) in &due {
            if let Some(live) = self.live_mut().get_mut(&record.id) {
                live.keys = None;
            }
        }
        // 2. The keys, overwritten where they lie, synced and read back. A crash leaves slots that do not match their
        //    commitments: their cases cannot be read, and are still due.
        let slots: Vec<u32> = due.iter().map(|(slot, _)| *slot).collect();
        let (mut gone, mut failed) = (Vec::new(), Vec::new());
        for ((slot, record), erased) in due.into_iter().zip(file.erase(&slots)) {
            match erased.result {
                Ok(()) => gone.push((slot, record)),
                Err(error) => failed.push((record.id, error)),
            }
        }
        // 3. The table: before the sync in step 2 it would be a lie.
        for (slot, _) in &gone {
            file.write_entry(*slot, Entry::Free)?;
        }
        file.sync()?;
        let mut live = self.live_mut();
        for (_, record) in &gone {
            live.remove(&record.id);
        }
        Ok(Destroyed { gone: gone.into_iter().map(|(_, record)| record).collect(), failed })
    }

    fn seal(&self, row: &CaseRow, plain: &[u8]) -> Result<SealedRow, CasesError> {
        let (class, keys) = self.keys_of(row.case)?;
        let mut nonce = [0; 12];
        fill(&mut nonce)?;
        let value = keys.seal(row, &nonce, plain).ok_or(CasesError::BadRow(row.case))?;
        Ok(SealedRow(Write { column: class.column(), key: row.to_bytes().to_vec(), value }))
    }

    fn keys_of(&self, id: CaseId) -> Result<(CaseClass, Arc<CaseKeys>), CasesError> {
        let live = self.live();
        let found = live.get(&id).ok_or(CasesError::Gone(id))?;
        let keys = found.keys.as_ref().ok_or(CasesError::Damaged(id))?;
        Ok((found.entry.class, Arc::clone(keys)))
    }

    /// Overwrites every page of the file, whosever it is.
    pub(super) fn shred_if_there(path: &Path) -> Result<(), KeyringError> {
        if path.is_file() { CaseFile::shred(path) } else { Ok(()) }
    }

    /// Whoever panicked with this lock had changed bytes that are written again.
    fn file(&self) -> MutexGuard<'_, CaseFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> RwLockReadGuard<'_, BTreeMap<CaseId, Live>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn live_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<CaseId, Live>> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn record(&self) -> CaseRecord {
        let LiveEntry { id, class, expires, .. } = self.entry;
        CaseRecord { id, class, expires, readable: self.keys.is_some() }
    }
}

impl Store {
    /// Begins a case: makes its key, durably. Nothing is sealed under it yet.
    ///
    /// # Errors
    ///
    /// If the key cannot be written, or too many cases are live.
    pub fn begin_case(&self, class: CaseClass, expires: Timestamp) -> Result<CaseId, CasesError> {
        self.cases.make(class, expires)
    }

    /// Moves the expiry of a case.
    ///
    /// # Errors
    ///
    /// If it is gone, or the file cannot be written.
    pub fn keep_case_until(&self, id: CaseId, expires: Timestamp) -> Result<(), CasesError> {
        self.cases.keep_until(id, expires)
    }

    /// Every live case.
    pub fn cases(&self) -> Vec<CaseRecord> {
        self.cases.live().values().map(Live::record).collect()
    }

    /// One live case.
    pub fn case(&self, id: CaseId) -> Option<CaseRecord> {
        self.cases.live().get(&id).map(Live::record)
    }

    /// Seals bytes for a row of a case; to be committed with a [`Batch`](super::Batch).
    ///
    /// # Errors
    ///
    /// If the case is gone or its key is damaged.
    pub fn seal_row(&self, row: &CaseRow, plain: &[u8]) -> Result<SealedRow, CasesError> {
        self.cases.seal(row, plain)
    }

    /// Everything that is sealed in a case, in the order of kinds and numbers.
    ///
    /// # Errors
    ///
    /// If the case is gone, its key is damaged, or a row does not open: nothing is left out in silence.
    pub fn case_rows(&self, id: CaseId) -> Result<Vec<(CaseRow, Vec<u8>)>, CasesError> {
        let (class, keys) = self.cases.keys_of(id)?;
        let rows = rows_of(&self.engine, class.column(), id)?;
        let open = |(row, value): (CaseRow, Vec<u8>)| {
            keys.open(&row, &value).map(|plain| (row, plain)).map_err(|NotOpened| CasesError::BadRow(id))
        };
        rows.into_iter().map(open).collect()
    }

    /// Ends cases: destroys their keys, and takes their rows out. What the files still hold of those is unreadable, and goes when
    /// they are rewritten ([`Store::rewrite_cases`]).
    ///
    /// # Errors
    ///
    /// If the keys' file or the database cannot be written. A key that could not be overwritten is in the answer.
    pub fn end_cases(&self, ids: &[CaseId]) -> Result<Ended, CasesError> {
        let ended = self.destroy_cases(ids)?;
        if !ended.gone.is_empty() {
            // A crash before this leaves rows that nothing opens, and so does a full disk: the next run takes them out.
            self.forget_orphans()?;
        }
        Ok(ended)
    }

    /// The part of [`Store::end_cases`] that needs no space: the keys. What ended is remembered for [`Store::take_ended`].
    ///
    /// # Errors
    ///
    /// If the keys' file cannot be written or the database cannot be read.
    pub fn destroy_cases(&self, ids: &[CaseId]) -> Result<Ended, CasesError> {
        let Destroyed { gone, failed } = self.cases.destroy(ids)?;
        let mut ended = Ended { gone: Vec::new(), failed };
        for record in gone {
            let mut rows = BTreeMap::new();
            for (row, _) in rows_of(&self.engine, record.class.column(), record.id)? {
                let count: &mut u64 = rows.entry(row.kind).or_default();
                *count = count.saturating_add(1);
            }
            ended.gone.push(EndedCase { record, rows });
        }
        self.cases.ended.lock().unwrap_or_else(PoisonError::into_inner).extend(ended.gone.iter().cloned());
        Ok(ended)
    }

    /// What ended since this was asked last, whoever ended it.
    pub fn take_ended(&self) -> Vec<EndedCase> {
        std::mem::take(&mut *self.cases.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes out the rows whose case is not live: a crash came between a key's end and its rows', or the keys were lost. Says how
    /// many there were.
    ///
    /// # Errors
    ///
    /// If the database cannot be read or written.
    pub fn forget_orphans(&self) -> Result<usize, CasesError> {
        let mut forget = Vec::new();
        for column in [Column::Requests, Column::Held] {
            let mut from = Vec::new();
            loop {
                let rows = self.engine.scan(column, &[], &from, ROWS_AT_A_TIME)?;
                let Some((last, _)) = rows.last() else { break };
                from = [last.as_slice(), &[0]].concat();
                let live = self.cases.live();
                let is_orphan = |key: &[u8]| CaseRow::from_bytes(key).is_none_or(|row| !live.contains_key(&row.case));
                forget
                    .extend(rows.into_iter().filter(|(key, _)| is_orphan(key)).map(|(key, _)| Forget { column, key }));
            }
        }
        let count = forget.len();
        if count > 0 {
            let _one_at_a_time = self.committing();
            self.engine.change([], forget)?;
        }
        Ok(count)
    }

    /// Rewrites the files of the families of cases, so that what was taken out is in none of them.
    ///
    /// # Errors
    ///
    /// If a family is not open. RocksDB says little if a rewriting fails; what it leaves has no key.
    pub fn rewrite_cases(&self) -> Result<(), EngineError> {
        for column in [Column::Requests, Column::Held] {
            self.engine.compact(column)?;
        }
        Ok(())
    }

    /// Makes the overwriting of every case's key fail from now on.
    #[doc(hidden)]
    pub fn fail_case_overwrites(&self) {
        self.cases.file().bad = (0..layout::MOST_CASES).map(layout::slot_offset).collect();
    }
}

fn rows_of(engine: &Engine, column: Column, id: CaseId) -> Result<Vec<(CaseRow, Vec<u8>)>, CasesError> {
    let rows = engine.scan(column, &id.0, &id.0, usize::MAX)?;
    rows.into_iter().map(|(key, value)| Ok((CaseRow::from_bytes(&key).ok_or(CasesError::BadRow(id))?, value))).collect()
}
