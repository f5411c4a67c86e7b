//! The hash tree that the entries give, held against the checkpoint's root and the tiles that came with it.

use std::collections::{BTreeMap, BTreeSet};

use super::fetched::Files;
use super::found::Found;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::merkle::{Frontier, Hash};
use crate::ledger::tile::{Bundle, FULL, LEVELS, Tile, TileKind, TilePath};

/// The tree of the entries, as far as there are any.
pub(super) struct Tree {
    frontier: Frontier,
    /// Of each level of tiles, its hashes from the left.
    levels: BTreeMap<u8, Vec<Hash>>,
    /// The roots at the sizes that were asked for.
    pub(super) roots: BTreeMap<u64, Hash>,
}

impl Tree {
    /// The tree of these entries. Remembers its root at each of the sizes that it comes to.
    pub(super) fn of(entries: &[Vec<u8>], sizes: &BTreeSet<u64>) -> Self {
        let mut tree = Self { frontier: Frontier::empty(), levels: BTreeMap::new(), roots: BTreeMap::new() };
        tree.remember(sizes);
        for entry in entries {
            for (level, _, hash) in tree.frontier.append(Hash::of_leaf(entry)) {
                if level % LEVELS == 0 {
                    tree.levels.entry(level / LEVELS).or_default().push(hash);
                }
            }
            tree.remember(sizes);
        }
        tree
    }

    fn remember(&mut self, sizes: &BTreeSet<u64>) {
        let size = self.frontier.size();
        if sizes.contains(&size) {
            self.roots.insert(size, self.frontier.root());
        }
    }

    /// Holds the root against the checkpoint, and every tile of hashes against the entries.
    pub(super) fn look(&self, checkpoint: &Checkpoint, files: &Files, found: &mut Found) {
        let Checkpoint { size, root, .. } = checkpoint;
        let read = self.frontier.size();
        if read < *size {
            found.unknown(format!("of {size} entries the first {read} can be read"));
        } else if self.frontier.root() != *root {
            found.fail(format!("the {size} entries have another root than the checkpoint"));
        }
        for (name, bytes) in &files.present {
            // What is not of this size is told where names are looked at.
            let path = name.parse().ok().filter(|path| belongs(path, *size));
            if let Some(TilePath { kind: TileKind::Hashes { level }, index, width }) = path {
                self.look_at_tile(name, bytes, (level, index, width), found);
            }
        }
    }

    fn look_at_tile(&self, name: &str, bytes: &[u8], (level, index, width): (u8, u64, u16), found: &mut Found) {
        let tile = match Tile::decode(bytes, width) {
            Ok(tile) => tile,
            Err(error) => return found.fail(format!("{name}: {error}")),
        };
        let begin = index.saturating_mul(u64::from(FULL));
        let skipped = usize::try_from(begin).unwrap_or(usize::MAX);
        let given = self.levels.get(&level).into_iter().flatten().skip(skipped);
        for ((at, stated), given) in (begin..).zip(&tile.hashes).zip(given) {
            if stated != given {
                found.fail(match level {
                    0 => format!("entry {at} is not the one whose hash is in {name}"),
                    _ => format!("{name} has another hash at {at} than the entries give"),
                });
            }
        }
    }
}

/// Is this the name of a file that a ledger of this size has?
pub(super) fn belongs(path: &TilePath, size: u64) -> bool {
    TilePath::at(path.kind, path.index, size).as_ref() == Some(path)
}

/// The entries of a ledger of this size in their order, up to the first that is missing or cannot be read.
pub(super) fn entries(files: &Files, size: u64, found: &mut Found) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    for path in (0..).map_while(|index| TilePath::at(TileKind::Entries, index, size)) {
        let name = path.to_string();
        let Some(bytes) = files.present.get(&name) else {
            found.unknown(format!("{name} is missing: entries from {} on are not known", entries.len()));
            break;
        };
        match Bundle::decode(bytes) {
            Ok(bundle) if bundle.entries.len() == usize::from(path.width) => entries.extend(bundle.entries),
            Ok(bundle) => {
                let (held, width) = (bundle.entries.len(), path.width);
                found.fail(format!("{name} has {held} entries in it and not {width}, from entry {} on", entries.len()));
                break;
            }
            Err(error) => {
                found.fail(format!("{name}, from entry {} on: {error}", entries.len()));
                break;
            }
        }
    }
    entries
}
