//! The two ledgers as others see them: signed checkpoints, each kept before it is handed out.
//!
//! A host that signs two histories is found out by whoever kept a checkpoint. That it does so by accident, because its store was
//! put back from a copy, is found out here: it does not start on a ledger that is older than what it handed out. Whoever restored
//! it knowingly begins a new *generation*, with keys and names of its own and an exception on record.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::generation;
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
    /// Nobody can say what was handed out.
    #[error(
        "{path} is missing, and the {} ledger has {entries} entries: what was handed out of it is not known, and the same key must not sign another history. Put the file back; if it is lost, or the store was put back from a copy, start once with --after-restore, which says so to every auditor",
        log.name()
    )]
    NothingKept {
        /// The file.
        path: PathBuf,
        /// Which.
        log: Log,
        /// How many there are.
        entries: u64,
    },
    /// What was handed out was signed with a key that is not there.
    #[error(
        "the key of the {} ledger is missing: {path}. What it signed was handed out, so put it back; if it is lost, start once with --after-restore, which makes another and says so to every auditor",
        log.name()
    )]
    KeyMissing {
        /// Which.
        log: Log,
        /// The file.
        path: PathBuf,
    },
    /// A new generation needs keys that cannot be made here.
    #[error(
        "a new generation of the ledgers needs the keys {access} and {purge}, and they cannot be made there: make them with `lapsed init --generation {generation} --dir DIR`, give them to the daemon, and start again with --after-restore"
    )]
    NotGiven {
        /// The file of one.
        access: PathBuf,
        /// The file of the other.
        purge: PathBuf,
        /// The generation.
        generation: u32,
    },
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Engine(#[from] EngineError),
}

impl LedgerError {
    /// Is this what a new generation is for?
    const fn ends_a_generation(&self) -> bool {
        match self {
            Self::Foreign { .. }
            | Self::RolledBack { .. }
            | Self::Rewritten { .. }
            | Self::NothingKept { .. }
            | Self::KeyMissing { .. } => true,
            Self::Keys(_) | Self::Io { .. } | Self::NotGiven { .. } | Self::Engine(_) => false,
        }
    }
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

/// Where keys and checkpoints are.
struct Place<'a> {
    keys: &'a Path,
    /// Beside the keys of the buckets, which no backup takes.
    kept: &'a Path,
}

impl Ledgers {
    /// Makes the keys of a new store, and holds both ledgers against what was handed out.
    ///
    /// # Errors
    ///
    /// If a ledger is not the one that was handed out, or nobody can say what was, unless `after_restore` says that this is known.
    pub(super) fn open(store: &Arc<Store>, keys: &Path, kept: &Path, after_restore: bool) -> Result<Self, LedgerError> {
        let place = Place { keys, kept };
        let generation = place.generation()?;
        let open = |log| Ledger::open(store, log, &place, generation);
        let opened = open(Log::Access).and_then(|access| Ok((access, open(Log::Purge)?)));
        let ((access, purge), restored) = match opened {
            Ok(ledgers) => (ledgers, false),
            Err(error) if after_restore && error.ends_a_generation() => {
                tracing::warn!(%error, "a new generation of the ledgers begins");
                (place.begin_after(generation)?, true)
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
        let note = ledger.sign(size, root)?;
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

impl Place<'_> {
    fn handed_out(&self, log: Log) -> HandedOut {
        HandedOut::at(self.kept.join(format!("{}.checkpoint", log.name())))
    }

    /// The generation that signed last; the first, if none did.
    fn generation(&self) -> Result<u32, LedgerError> {
        let mut latest = 1;
        for log in Log::ALL {
            let note = read(&self.handed_out(log))?;
            latest = latest.max(note.and_then(|note| generation_of(log, &note)).unwrap_or(1));
        }
        Ok(latest)
    }

    /// Both ledgers with keys of their own, which have signed nothing yet. A generation of which there are keys may have signed,
    /// whatever is kept of it. Where keys are given and none can be made, the last one that was given is the new one.
    ///
    /// A crash after this, until something is signed, leaves keys that nobody uses: the store is still refused without
    /// `--after-restore`.
    fn begin_after(&self, signed: u32) -> Result<(Ledger, Ledger), LedgerError> {
        let mut next = signed.saturating_add(1);
        while self.has_keys(next)? {
            next = next.saturating_add(1);
        }
        match self.make_keys(next) {
            Err(LedgerError::Keys(error)) if error.is_read_only() => {
                next = next.saturating_sub(1).max(signed.saturating_add(1));
                if !Log::ALL
                    .into_iter()
                    .try_fold(true, |all, log| Ok::<_, KeyError>(all && self.has_key(log, next)?))?
                {
                    let [access, purge] = [Log::Access, Log::Purge].map(|log| self.key(log, next));
                    return Err(LedgerError::NotGiven { access, purge, generation: next });
                }
            }
            made => made?,
        }
        Ok((self.ledger(Log::Access, next)?, self.ledger(Log::Purge, next)?))
    }

    /// The file of a secret key.
    fn key(&self, log: Log, generation: u32) -> PathBuf {
        keys::secret_path(self.keys, &generation::key(log.name(), generation))
    }

    fn has_key(&self, log: Log, generation: u32) -> Result<bool, KeyError> {
        keys::is_there(&self.key(log, generation))
    }

    /// Is there any file of a key of this generation?
    fn has_keys(&self, generation: u32) -> Result<bool, KeyError> {
        for log in Log::ALL {
            let public = keys::public_path(self.keys, &generation::key(log.name(), generation));
            if self.has_key(log, generation)? || keys::is_there(&public)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn make_keys(&self, generation: u32) -> Result<(), LedgerError> {
        Log::ALL.into_iter().try_for_each(|log| self.make_key(log, generation))
    }

    fn make_key(&self, log: Log, generation: u32) -> Result<(), LedgerError> {
        let (name, origin) = (generation::key(log.name(), generation), generation::origin(log.name(), generation));
        Ok(keys::make_if_missing(self.keys, &name, &origin)?)
    }

    /// The ledger with its key, which must be there.
    fn ledger(&self, log: Log, generation: u32) -> Result<Ledger, LedgerError> {
        let (name, origin) = (generation::key(log.name(), generation), generation::origin(log.name(), generation));
        let signer = Signer::read(self.keys, &name, &origin)?;
        Ok(Ledger { signer, handed_out: self.handed_out(log), newest: Mutex::new(None) })
    }
}

/// Which generation says that it signed this note? Not if it is none: that is said when it is opened.
fn generation_of(log: Log, note: &[u8]) -> Option<u32> {
    let text = Note::parse(note).ok()?.text;
    generation::of(&Checkpoint::parse(&text).ok()?.origin, log.name())
}

fn read(file: &HandedOut) -> Result<Option<Vec<u8>>, LedgerError> {
    file.read().map_err(|source| LedgerError::Io { path: file.path().to_owned(), source })
}

impl Ledger {
    /// The ledger, held against what was handed out. A key is made only where it has signed nothing.
    fn open(store: &Store, log: Log, place: &Place<'_>, generation: u32) -> Result<Self, LedgerError> {
        let (found, root) = store.tree(log);
        let handed_out = place.handed_out(log);
        let Some(note) = read(&handed_out)? else {
            if found > 0 {
                let path = handed_out.path().to_owned();
                return Err(LedgerError::NothingKept { path, log, entries: found });
            }
            // A new store. A checkpoint of nothing is kept before there is an entry: a ledger that has entries and no checkpoint has
            // lost it. A crash before it leaves keys that signed nothing and a ledger without entries, and the next start does this again.
            place.make_key(log, generation)?;
            let ledger = place.ledger(log, generation)?;
            ledger.sign(found, root)?;
            return Ok(ledger);
        };
        if generation_of(log, &note).is_some_and(|signed| signed < generation) {
            // A crash after the other ledger was signed for in a new generation, and before this one was. `restored` was durable before
            // either, so this goes on as if there had been none.
            place.make_key(log, generation)?;
            return place.ledger(log, generation);
        }
        if !place.has_key(log, generation)? {
            return Err(LedgerError::KeyMissing { log, path: place.key(log, generation) });
        }
        let ledger = place.ledger(log, generation)?;
        let foreign = |source| LedgerError::Foreign { path: ledger.handed_out.path().to_owned(), source };
        let Checkpoint { size, root, .. } = Checkpoint::open(&note, ledger.signer.vkey()).map_err(foreign)?;
        if found < size {
            return Err(LedgerError::RolledBack { log, found, handed_out: size });
        }
        if root_at(&store.log_hashes(log), size)? != root {
            return Err(LedgerError::Rewritten { log, size });
        }
        Ok(ledger)
    }

    /// The signed checkpoint of this size and root, which is kept when this returns.
    fn sign(&self, size: u64, root: Hash) -> Result<String, LedgerError> {
        let note = Checkpoint { origin: self.signer.name().to_owned(), size, root }.sign(&self.signer);
        self.handed_out.replace(&note).map_err(|source| self.io(source))?;
        Ok(note)
    }

    fn io(&self, source: io::Error) -> LedgerError {
        LedgerError::Io { path: self.handed_out.path().to_owned(), source }
    }
}
