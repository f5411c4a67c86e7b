//! The bytes of a tile, and the subtrees that its hashes stand for.

use super::super::merkle::{Hash, folded};
use super::{FULL, LEVELS, TileKind, TilePath};

const HASH_BYTES: usize = 32;

/// Why bytes are no tile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TileError {
    /// There are fewer or more bytes than hashes of the width take.
    #[error("a tile of {width} hashes has {HASH_BYTES} bytes for each, and this has {bytes} bytes in all")]
    Length {
        /// How many hashes there should be.
        width: u16,
        /// How many bytes there are.
        bytes: usize,
    },
}

/// The hashes of a tile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tile {
    /// From the left, 1 to 256.
    pub hashes: Vec<Hash>,
}

impl Tile {
    /// Reads a tile of this width.
    ///
    /// # Errors
    ///
    /// If the bytes are not as many as that takes.
    pub fn decode(bytes: &[u8], width: u16) -> Result<Self, TileError> {
        let (hashes, left) = bytes.as_chunks::<HASH_BYTES>();
        if hashes.len() != usize::from(width) || !left.is_empty() {
            return Err(TileError::Length { width, bytes: bytes.len() });
        }
        Ok(Self { hashes: hashes.iter().copied().map(Hash).collect() })
    }

    /// The tile's bytes: the hashes one after the other.
    pub fn encode(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }

    /// The hash of the complete subtree that stands `level` levels above the tile's hashes, the `index`-th from the tile's left.
    ///
    /// Level 0 are the hashes themselves; level 8 is the one over all of them, which the tile above has too. None if the tile does not
    /// hold all of it.
    pub fn subtree(&self, level: u8, index: u64) -> Option<Hash> {
        let width = 1_usize.checked_shl(level.into()).filter(|width| *width <= usize::from(FULL))?;
        let begin = usize::try_from(index).ok()?.checked_mul(width)?;
        folded(self.hashes.get(begin..begin.checked_add(width)?)?.to_vec())
    }
}

/// Where the hash of a complete subtree of a log comes from: which tile, and what of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InTile {
    /// The tile's kind: always one of hashes.
    pub kind: TileKind,
    /// The tile's number from the left.
    pub tile: u64,
    /// The level above the tile's hashes, from 0 to 7: the first argument of [`Tile::subtree`].
    pub level: u8,
    /// The number from the tile's left: the second argument.
    pub index: u64,
}

impl InTile {
    /// Of the complete subtree `(level, index)` of [`merkle`](super::super::merkle).
    pub fn of(level: u8, index: u64) -> Self {
        let (tiles, level) = (level / LEVELS, level % LEVELS);
        // How many of that level a full tile holds: two at least, and so a divisor.
        let in_one = u64::from(FULL >> level);
        let (tile, index) = (index.checked_div(in_one).unwrap_or(0), index.checked_rem(in_one).unwrap_or(0));
        Self { kind: TileKind::Hashes { level: tiles }, tile, level, index }
    }

    /// The name of the tile in a log of this size; none if the log does not reach into it.
    pub fn path(&self, size: u64) -> Option<TilePath> {
        TilePath::at(self.kind, self.tile, size)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test stops at what it did not expect")]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Bundle, paths_of};
    use super::*;
    use crate::ledger::merkle::{Frontier, Subtrees, consistency_proof, inclusion_proof, root_at};

    /// A log of which there are tiles alone.
    struct Tiled {
        size: u64,
        tiles: BTreeMap<String, Vec<u8>>,
    }

    impl Subtrees for Tiled {
        type Error = (u8, u64);

        fn hash(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
            let place = InTile::of(level, index);
            let path = place.path(self.size).ok_or((level, index))?;
            let tile = Tile::decode(&self.tiles[&path.to_string()], path.width).unwrap();
            tile.subtree(place.level, place.index).ok_or((level, index))
        }
    }

    /// A log of which there are all hashes.
    struct Kept(BTreeMap<(u8, u64), Hash>);

    impl Subtrees for Kept {
        type Error = (u8, u64);

        fn hash(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
            self.0.get(&(level, index)).copied().ok_or((level, index))
        }
    }

    fn kept(size: u64) -> Kept {
        let mut frontier = Frontier::empty();
        let mut completed = BTreeMap::new();
        for index in 0..size {
            let subtrees = frontier.append(Hash::of_leaf(&index.to_be_bytes()));
            completed.extend(subtrees.into_iter().map(|(level, index, hash)| ((level, index), hash)));
        }
        Kept(completed)
    }

    fn tiled(kept: &Kept, size: u64) -> Tiled {
        let mut tiles = BTreeMap::new();
        for path in paths_of(size) {
            let places = path.index * 256..path.index * 256 + u64::from(path.width);
            let bytes = match path.kind {
                TileKind::Entries => {
                    Bundle { entries: places.map(|at| at.to_be_bytes().to_vec()).collect() }.encode().unwrap()
                }
                TileKind::Hashes { level } => {
                    Tile { hashes: places.map(|index| kept.hash(8 * level, index).unwrap()).collect() }.encode()
                }
            };
            tiles.insert(path.to_string(), bytes);
        }
        Tiled { size, tiles }
    }

    #[test]
    fn roots_and_proofs_come_from_tiles_alone() {
        let kept = kept(66_000);
        for size in [1, 2, 255, 256, 257, 700, 65_535, 65_536, 65_537, 66_000] {
            let tiled = tiled(&kept, size);
            assert_eq!(root_at(&tiled, size), root_at(&kept, size));
            for at in [0, 1, size / 3, size / 2, size - 1].into_iter().filter(|at| *at < size) {
                assert_eq!(inclusion_proof(&tiled, at, size), inclusion_proof(&kept, at, size));
                assert_eq!(consistency_proof(&tiled, at, size), consistency_proof(&kept, at, size));
            }
        }
    }

    #[test]
    fn a_full_tile_has_a_root_and_a_partial_one_what_it_completes() {
        let kept = kept(512);
        let full = Tile { hashes: (256..512).map(|index| kept.hash(0, index).unwrap()).collect() };
        assert_eq!(full.subtree(8, 0), Some(kept.hash(8, 1).unwrap()));
        assert_eq!(full.subtree(3, 31), Some(kept.hash(3, 63).unwrap()));
        for (level, index) in [(8, 1), (9, 0), (0, 256), (0, u64::MAX), (64, 0), (u8::MAX, 0)] {
            assert_eq!(full.subtree(level, index), None);
        }
        let partial = Tile { hashes: full.hashes[..7].to_vec() };
        assert_eq!(partial.subtree(1, 2), Some(kept.hash(1, 130).unwrap()));
        assert_eq!((partial.subtree(1, 3), partial.subtree(2, 1)), (None, None));
    }

    #[test]
    fn a_tile_is_as_long_as_its_width_says() {
        let tile = Tile { hashes: vec![Hash([7; 32]), Hash::of_nothing()] };
        assert_eq!(Tile::decode(&tile.encode(), 2), Ok(tile.clone()));
        for (width, bytes) in [(1, 64), (3, 64), (2, 63), (2, 65), (1, 0)] {
            assert_eq!(Tile::decode(&[0; 65][..bytes], width), Err(TileError::Length { width, bytes }));
        }
    }
}
