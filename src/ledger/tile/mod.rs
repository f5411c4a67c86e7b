//! A ledger as files, in the layout of C2SP tlog-tiles (<https://c2sp.org/tlog-tiles>): hashes and entries, 256 to a file.
//!
//! A tile of level L holds hashes of the tree's level 8 L, each 32 bytes, and stands for the eight levels from there. A bundle holds the
//! entries whose hashes the tile of level 0 with its index holds. This module names, writes and reads the files' bytes; files are for others.

mod bundle;
mod hashes;
mod path;

pub use bundle::{Bundle, BundleError};
pub use hashes::{InTile, Tile, TileError};
pub use path::{TileKind, TilePath, TilePathError, count_of, paths_of};

/// How many hashes or entries a full tile or bundle holds.
pub const FULL: u16 = 256;
/// How many levels of the tree a level of tiles stands for: a full tile has 2^8 hashes.
pub const LEVELS: u8 = 8;
