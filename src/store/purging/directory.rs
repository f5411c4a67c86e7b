//! What lies in the database's directory, held against what the database counts as its own.
//!
//! RocksDB unlinks a file when the last reader lets go of it, some time after it has left the list of live files; and a
//! file that is being written is not on the list yet. So this looks several times before it says that something is wrong.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::store::Store;
use crate::store::engine::EngineError;
use crate::store::files::disk::DiskError;

/// How long files that are on their way out are waited for: 100 looks, 5 seconds.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Files of a database by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Table files.
    pub tables: BTreeSet<String>,
    /// Logs of what is not in tables yet.
    pub logs: BTreeSet<String>,
    /// Lists of files.
    pub manifests: BTreeSet<String>,
    /// What no database of ours has: archives, trash, files of others.
    pub others: BTreeSet<String>,
}

impl Listing {
    fn of(directory: &Path) -> Result<Self, DiskError> {
        let failed = DiskError::when("list the directory", directory);
        let names = fs::read_dir(directory).and_then(|entries| {
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<Vec<_>, _>>()
        });
        let mut listing = Self::default();
        for name in names.map_err(failed)? {
            let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
            let numbered = !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit());
            if numbered && extension == "sst" {
                listing.tables.insert(name);
            } else if numbered && extension == "log" {
                listing.logs.insert(name);
            } else if name.starts_with("MANIFEST-") {
                listing.manifests.insert(name);
            } else if !is_small(&name, numbered, extension) {
                listing.others.insert(name);
            }
        }
        Ok(listing)
    }
}

/// Is it one of the small files that every database has? They hold no rows. RocksDB writes some of them as `NUMBER.dbtmp`
/// before it renames them.
fn is_small(name: &str, numbered: bool, extension: &str) -> bool {
    matches!(name, "CURRENT" | "IDENTITY" | "LOCK" | "LOG")
        || name.starts_with("LOG.old.")
        || name.starts_with("OPTIONS-")
        || (numbered && extension == "dbtmp")
}

/// What is in the directory and should not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Table files that are not the database's, or not any more.
    pub tables: BTreeSet<String>,
    /// Logs from before the last time that all memory was written to tables.
    pub logs: BTreeSet<String>,
    /// Lists of files beyond the one in use.
    pub manifests: BTreeSet<String>,
    /// Whatever else.
    pub others: BTreeSet<String>,
}

impl Leftovers {
    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.logs.is_empty() && self.manifests.is_empty() && self.others.is_empty()
    }
}

/// Files that a run has done away with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead {
    /// Table files that were live before and are not now.
    pub tables: BTreeSet<String>,
    /// Logs that were there before all memory was last written to tables.
    pub logs: BTreeSet<String>,
}

impl Store {
    /// What lies in the database's directory now.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub fn listing(&self) -> Result<Listing, ListingError> {
        Ok(Listing::of(&self.paths.database)?)
    }

    /// What lies in the database's directory and should not. Waits up to 5 seconds for files that readers still hold.
    ///
    /// # Errors
    ///
    /// If the directory or the list of live files cannot be read.
    pub fn leftovers(&self, dead: &Dead) -> Result<Leftovers, ListingError> {
        let mut found = self.look(dead)?;
        for _ in 1..LOOKS {
            if found.is_empty() {
                break;
            }
            sleep(BETWEEN_LOOKS);
            found = self.look(dead)?;
        }
        Ok(found)
    }

    fn look(&self, dead: &Dead) -> Result<Leftovers, ListingError> {
        let busy = self.engine.is_rewriting()?;
        let mut listing = Listing::of(&self.paths.database)?;
        // The list is read last: what has become live in between is no leftover.
        let live = self.bounds()?.live;
        let current = fs::read_to_string(self.paths.database.join("CURRENT")).unwrap_or_default();
        listing.manifests.remove(current.trim_end());
        // While files are being rewritten, one that is not on the list is as likely on its way in.
        let idle = !busy && !self.engine.is_rewriting()?;
        listing.tables.retain(|name| !live.contains(name) && (idle || dead.tables.contains(name)));
        Ok(Leftovers {
            tables: listing.tables,
            logs: listing.logs.intersection(&dead.logs).cloned().collect(),
            manifests: listing.manifests,
            others: listing.others,
        })
    }
}

/// The database's directory, or its list of files, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListingError {
    /// The directory.
    #[error("cannot {doing} {path}: {kind}", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The directory.
        path: std::path::PathBuf,
        /// Why it failed.
        kind: std::io::ErrorKind,
    },
    /// The list of live files.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<DiskError> for ListingError {
    fn from(DiskError { doing, path, kind }: DiskError) -> Self {
        Self::Io { doing, path, kind }
    }
}
