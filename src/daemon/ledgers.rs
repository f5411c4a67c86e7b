//! The two ledgers as others see them: signed checkpoints, each kept before it is handed out.
//!
//! A host that signs two histories is found out by whoever kept a checkpoint. That it does so by accident, because its store was
//! put back from a copy, is found out here: it does not start on a ledger that is older than what it handed out. Whoever restored
//! it knowingly begins a new *generation*, with keys and names of its own and an exception on record.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::handed_out::HandedOut;
use crate::ledger::keys::{self, KeyError, Signer};
use crate::ledger::merkle::{Hash, root_at};
use crate::ledger::note::Note;
use crate::store::{EngineError, Log, Store};

/// Why the ledgers cannot be signed for.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A key cannot be made or read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The newest checkpoint that was handed out cannot be read or written.
    #[error("cannot read or write {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is none of ours.
    #[error(
        "{path} is no checkpoint that our key signed: {source}; if the keys or this file were put back from a copy, start once with --after-restore"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CheckpointError,
    },
    /// The ledger is older.
    #[error("the {} ledger has {found} entries, and a checkpoint of {handed_out} was handed out: the store was put back from a copy; start once with --after-restore, which says so to every auditor", log.name())]
    RolledBack {
        /// Which.
        log: Log,
        /// What there is.
        found: u64,
        /// What was handed out.
        handed_out: u64,
    },
    /// The ledger is another one.
    #[error("the first {size} entries of the {} ledger are not those of which a checkpoint was handed out; start once with --after-restore, which says so to every auditor", log.name())]
    Rewritten {
        /// Which.
        log: Log,
        /// How many.
        size: u64,
    },
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Engine(#[from] EngineError),
}

/// One ledger.
struct Ledger {
    signer: Signer,
    handed_out: HandedOut,
    newest: Mutex<Option<Newest>>,
}

/// The checkpoint that was signed last.
#[derive(Clone)]
struct Newest {
    size: u64,
    root: Hash,
    note: String,
}

/// Both ledgers of a store.
pub(super) struct Ledgers {
    store: Arc<Store>,
    access: Ledger,
    purge: Ledger,
    /// Was a new generation begun just now?
    restored: bool,
}

/// The name under which a generation of a ledger signs.
fn origin_of(log: Log, generation: u32) -> String {
    match generation {
        ..=1 => format!("lapsed/{}", log.name()),
        later => format!("lapsed/{}/{later}", log.name()),
    }
}

/// The name of its key's files.
fn key_of(log: Log, generation: u32) -> String {
    match generation {
        ..=1 => log.name().to_owned(),
        later => format!("{}-{later}", log.name()),
    }
}

fn generation_of(origin: &str, log: Log) -> Option<u32> {
    let rest = origin.strip_prefix("lapsed/")?.strip_prefix(log.name())?;
    let generation = if rest.is_empty() { 1 } else { rest.strip_prefix('/')?.parse().ok()? };
    (origin_of(log, generation) == origin).then_some(generation)
}

impl Ledgers {
    /// Makes the keys that are missing, and holds both ledgers against what was handed out.
    ///
    /// # Errors
    ///
    /// If a ledger is not the one that was handed out, unless `after_restore` says that this is known.
    pub(super) fn open(store: &Arc<Store>, keys: &Path, kept: &Path, after_restore: bool) -> Result<Self, LedgerError> {
        let generation = Log::ALL
            .into_iter()
            .map(|log| generation(log, kept))
            .try_fold(1, |latest: u32, found| Ok::<_, LedgerError>(latest.max(found?)))?;
        let open = |generation| {
            let access = Ledger::open(store, Log::Access, keys, kept, generation)?;
            Ok::<_, LedgerError>((access, Ledger::open(store, Log::Purge, keys, kept, generation)?))
        };
        let ((access, purge), restored) = match open(generation) {
            Ok(ledgers) => (ledgers, false),
            Err(LedgerError::Keys(error)) => return Err(error.into()),
            Err(error) if after_restore => {
                tracing::warn!(%error, "a new generation of the ledgers begins");
                let next = generation.saturating_add(1);
                let begin = |log| Ledger::begin(log, keys, kept, next);
                ((begin(Log::Access)?, begin(Log::Purge)?), true)
            }
            Err(error) => return Err(error),
        };
        if after_restore && !restored {
            tracing::warn!("--after-restore was not needed: the ledgers are those that were handed out");
        }
        Ok(Self { store: Arc::clone(store), access, purge, restored })
    }

    /// Was a new generation begun? Then a report must say so before anything is signed.
    pub(super) const fn restored(&self) -> bool {
        self.restored
    }

    /// The public key of a ledger, as auditors are given it.
    pub(super) fn vkey(&self, log: Log) -> String {
        self.of(log).signer.vkey().to_string()
    }

    /// The signed checkpoint over all that is durable of a ledger. It is kept before this returns: so nothing is handed out that a
    /// later start would not know of. Writes to the disk.
    ///
    /// # Errors
    ///
    /// If it cannot be kept.
    pub(super) fn checkpoint(&self, log: Log) -> Result<String, LedgerError> {
        let ledger = self.of(log);
        let mut newest = ledger.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let (size, root) = self.store.tree(log);
        if let Some(newest) = newest.as_ref().filter(|newest| newest.size == size && newest.root == root) {
            return Ok(newest.note.clone());
        }
        let origin = ledger.signer.name().to_owned();
        let note = Checkpoint { origin, size, root }.sign(&ledger.signer);
        ledger.handed_out.replace(&note).map_err(|source| ledger.io(source))?;
        *newest = Some(Newest { size, root, note: note.clone() });
        Ok(note)
    }

    /// Signs for both; what fails is said, and tried again the next time.
    pub(super) fn refresh(&self) {
        for log in Log::ALL {
            if let Err(error) = self.checkpoint(log) {
                tracing::error!(%error, ledger = log.name(), "no checkpoint could be signed");
            }
        }
    }

    const fn of(&self, log: Log) -> &Ledger {
        match log {
            Log::Access => &self.access,
            Log::Purge => &self.purge,
        }
    }
}

/// The generation that was handed out last; the first, if none was.
fn generation(log: Log, kept: &Path) -> Result<u32, LedgerError> {
    let file = HandedOut::at(path_of(log, kept));
    let note = file.read().map_err(|source| LedgerError::Io { path: file.path().to_owned(), source })?;
    let Some(note) = note else { return Ok(1) };
    // What cannot be read is said when it is opened.
    let origin = Note::parse(&note).ok().and_then(|note| Checkpoint::parse(&note.text).ok()).map(|of| of.origin);
    Ok(origin.and_then(|origin| generation_of(&origin, log)).unwrap_or(1))
}

/// Where the newest checkpoint is kept: beside the keys of the buckets, which no backup takes.
fn path_of(log: Log, kept: &Path) -> PathBuf {
    kept.join(format!("{}.checkpoint", log.name()))
}

impl Ledger {
    /// The ledger of this generation, with nothing signed yet.
    fn begin(log: Log, keys: &Path, kept: &Path, generation: u32) -> Result<Self, LedgerError> {
        let (name, origin) = (key_of(log, generation), origin_of(log, generation));
        keys::make_if_missing(keys, &name, &origin)?;
        let signer = Signer::read(keys, &name, &origin)?;
        Ok(Self { signer, handed_out: HandedOut::at(path_of(log, kept)), newest: Mutex::new(None) })
    }

    /// The same, held against what was handed out.
    fn open(store: &Store, log: Log, keys: &Path, kept: &Path, generation: u32) -> Result<Self, LedgerError> {
        let ledger = Self::begin(log, keys, kept, generation)?;
        let Some(note) = ledger.handed_out.read().map_err(|source| ledger.io(source))? else { return Ok(ledger) };
        let foreign = |source| LedgerError::Foreign { path: ledger.handed_out.path().to_owned(), source };
        let Checkpoint { size, root, .. } = Checkpoint::open(&note, ledger.signer.vkey()).map_err(foreign)?;
        let (found, _) = store.tree(log);
        if found < size {
            return Err(LedgerError::RolledBack { log, found, handed_out: size });
        }
        if root_at(&store.log_hashes(log), size)? != root {
            return Err(LedgerError::Rewritten { log, size });
        }
        Ok(ledger)
    }

    fn io(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: self.handed_out.path().to_owned(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_known_by_its_origin() {
        assert_eq!(
            [1, 2, 11].map(|number| origin_of(Log::Purge, number)),
            ["lapsed/purge", "lapsed/purge/2", "lapsed/purge/11"]
        );
        for number in [1, 2, 11] {
            assert_eq!(generation_of(&origin_of(Log::Access, number), Log::Access), Some(number));
        }
        for other in ["lapsed/purge", "lapsed/access/", "lapsed/access/1", "lapsed/access/02", "lapsed/access2", ""] {
            assert_eq!(generation_of(other, Log::Access), None, "{other}");
        }
    }
}
