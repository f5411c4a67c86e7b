//! Entries as checkpoint, tiles and bundles.

use std::collections::BTreeMap;

use lapsed::evidence::Keys;
use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::keys::{self, Signer};
use lapsed::ledger::merkle::{Frontier, Hash};
use lapsed::ledger::tile::{Bundle, Tile, TileKind, paths_of};

/// Bytes of files, by their names below a directory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Who signs for the two ledgers.
pub(crate) struct Signers {
    pub(crate) purge: Signer,
    pub(crate) access: Signer,
}

impl Signers {
    /// Fresh keys under the names of a first generation.
    pub(crate) fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, origin: &str| {
            keys::make_if_missing(dir.path(), name, origin).unwrap();
            Signer::read(dir.path(), name, origin).unwrap()
        };
        Self { purge: make("purge", "lapsed/purge"), access: make("access", "lapsed/access") }
    }

    pub(crate) fn keys(&self) -> Keys {
        Keys { purge: self.purge.vkey().clone(), access: self.access.vkey().clone() }
    }
}

/// The files of a ledger with these entries, in a directory of this name.
pub(crate) fn laid_out(name: &str, entries: &[Vec<u8>], signer: &Signer) -> Files {
    let mut frontier = Frontier::empty();
    let mut levels: BTreeMap<u8, Vec<Hash>> = BTreeMap::new();
    for entry in entries {
        for (level, _, hash) in frontier.append(Hash::of_leaf(entry)) {
            levels.entry(level).or_default().push(hash);
        }
    }
    let size = u64::try_from(entries.len()).unwrap();
    let origin = signer.name().to_owned();
    let checkpoint = Checkpoint { origin, size, root: frontier.root() }.sign(signer);
    let mut files = Files::from([(format!("{name}/checkpoint"), checkpoint.into_bytes())]);
    for path in paths_of(size) {
        let begin = usize::try_from(path.index * 256).unwrap();
        let places = begin..begin + usize::from(path.width);
        let bytes = match path.kind {
            TileKind::Entries => Bundle { entries: entries[places].to_vec() }.encode().unwrap(),
            TileKind::Hashes { level } => Tile { hashes: levels[&(8 * level)][places].to_vec() }.encode(),
        };
        files.insert(format!("{name}/{path}"), bytes);
    }
    files
}
