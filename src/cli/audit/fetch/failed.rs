//! Why a ledger was not fetched, and how the command ends then.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::Ending;
use crate::ledger::checkpoint::CheckpointError;
use crate::ledger::merkle::ProofError;
use crate::ledger::note::NoteError;
use crate::ledger::tile::{BundleError, TileError};

#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// Said already.
    #[error("it was cut short; doing it again goes on")]
    Asking(Ending),
    #[error("cannot read or write {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is no signed note: {source}")]
    Note { path: String, source: NoteError },
    #[error("{path} is no checkpoint: {source}")]
    Checkpoint { path: String, source: CheckpointError },
    #[error("{path} is not signed under its own name, {origin}")]
    Unsigned { path: String, origin: String },
    #[error("{path} is no tile: {source}")]
    Tile { path: PathBuf, source: TileError },
    #[error("{path} is no bundle of entries: {source}")]
    Bundle { path: PathBuf, source: BundleError },
    #[error("a hash of level {level} is in no tile")]
    Missing { level: u8 },
    #[error("{path} is not what the tile above it says")]
    OtherHashes { path: PathBuf },
    #[error("the tiles do not give the root of the checkpoint of {size} entries")]
    OtherRoot { size: u64 },
    /// The checkpoint that was kept is not the beginning of the new one. [`super::contradiction`] makes a fork of it.
    #[error("the first {size} entries are others")]
    OtherBeginning { size: u64 },
    #[error(
        "this is not the ledger that was fetched before: its first {size} entries are others, or it has fewer. Your checkpoint was kept; the \
         one that contradicts it is {path}. Keep both: together they prove it"
    )]
    Fork { size: u64, path: PathBuf },
    #[error(
        "this is not the ledger that was fetched before: its first {size} entries are others, or it has fewer. Your checkpoint was kept; the \
         one that contradicts it stands above, for it cannot be written to {path}: {source}. Keep both: together they prove it"
    )]
    ForkUnwritten { size: u64, path: PathBuf, source: io::Error },
    #[error(
        "this is not the ledger that was fetched before: that was signed by {kept}, and this is by {new}. Who restored a store goes on \
         under a new name, like lapsed/purge/2: ask why, take the new keys, and fetch into another directory. Nothing was changed here"
    )]
    OtherSigner { kept: String, new: String },
}

impl Failed {
    pub(super) const fn ending(&self) -> Ending {
        match self {
            Self::Asking(ending) => *ending,
            Self::Io { .. } => Ending::Usage,
            Self::Fork { .. } | Self::ForkUnwritten { .. } | Self::OtherSigner { .. } => Ending::Nobody,
            Self::Note { .. }
            | Self::Checkpoint { .. }
            | Self::Unsigned { .. }
            | Self::Tile { .. }
            | Self::Bundle { .. }
            | Self::Missing { .. }
            | Self::OtherHashes { .. }
            | Self::OtherRoot { .. }
            | Self::OtherBeginning { .. } => Ending::Fault,
        }
    }

    /// Do the files not fit together? Then those that an earlier run left may be the reason.
    pub(super) const fn is_misfit(&self) -> bool {
        matches!(
            self,
            Self::Tile { .. }
                | Self::Bundle { .. }
                | Self::Missing { .. }
                | Self::OtherHashes { .. }
                | Self::OtherRoot { .. }
                | Self::OtherBeginning { .. }
        )
    }

    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// There is a proof wherever a shorter log is not longer than the other.
    pub(super) fn unproven(error: ProofError<Self>) -> Self {
        match error {
            ProofError::Subtree(failed) => failed,
            ProofError::Shrinks { old: size, .. } | ProofError::NoSuchLeaf { size, .. } => {
                Self::OtherBeginning { size }
            }
        }
    }
}
