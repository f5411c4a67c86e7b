//! The files of one ledger, named and laid out as C2SP tlog-tiles does: written, held against a checkpoint, and removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::durable;
use crate::ledger::merkle::{Hash, Subtrees, consistency_holds, consistency_proof, root_at};
use crate::ledger::tile::{Bundle, FULL, InTile, LEVELS, Tile, TileKind, TilePath, paths_of};

use super::failed::Failed;
use super::signed::Signed;

/// What is written before it gets its name. A run that was killed may leave it; the next one writes over it.
const UNFINISHED: &str = ".unfinished";
/// Others may read what every auditor may fetch.
const MODE: u32 = 0o666;

pub(super) struct Files {
    pub(super) dir: PathBuf,
}

impl Files {
    pub(super) fn path(&self, tile: TilePath) -> PathBuf {
        self.dir.join(tile.to_string())
    }

    fn checkpoint(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    /// The checkpoint that was kept; `None` if there is none yet.
    pub(super) fn kept(&self) -> Result<Option<Signed>, Failed> {
        let path = self.checkpoint();
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => Signed::read(&path.display().to_string(), &read.map_err(Failed::at(&path))?).map(Some),
        }
    }

    pub(super) fn write_tile(&self, tile: TilePath, bytes: &[u8]) -> Result<(), Failed> {
        let path = self.path(tile);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Failed::at(parent))?;
        }
        self.write(&path, bytes)
    }

    pub(super) fn write_checkpoint(&self, note: &[u8]) -> Result<(), Failed> {
        self.write(&self.checkpoint(), note)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failed> {
        durable::replace(path, &self.dir.join(UNFINISHED), bytes, MODE).map_err(Failed::at(path))
    }

    /// Checks that these are the files of this checkpoint, and that it continues the one that was kept. Files that a ledger of `seen`
    /// entries has were checked before, and are not read again.
    ///
    /// Everything hangs from the root before the two are compared: so a wrong file is never taken for another history.
    pub(super) fn check(&self, new: &Checkpoint, kept: Option<&Checkpoint>, seen: u64) -> Result<(), Failed> {
        let (size, root) = (new.size, new.root);
        let tiles = Tiles { of: self, size };
        if root_at(&tiles, size)? != root {
            return Err(Failed::OtherRoot { size });
        }
        paths_of(size).filter(|path| !is_of(*path, seen)).try_for_each(|path| tiles.check(path))?;
        let Some(kept) = kept else { return Ok(()) };
        let proof = consistency_proof(&tiles, kept.size, size).map_err(Failed::unproven)?;
        if consistency_holds(kept.size, kept.root, size, root, &proof) {
            Ok(())
        } else {
            Err(Failed::OtherBeginning { size: kept.size })
        }
    }

    /// Takes the tiles of another directory in the place of these. A crash in between leaves none, and the next run fetches them.
    pub(super) fn take_tiles(&self, from: &Self) -> Result<(), Failed> {
        let (here, there) = (self.dir.join("tile"), from.dir.join("tile"));
        remove(&here)?;
        fs::rename(&there, &here).map_err(Failed::at(&there))
    }

    /// Removes all, with the directory, if it is there.
    pub(super) fn remove(&self) -> Result<(), Failed> {
        remove(&self.dir)
    }

    /// Removes every tile and bundle that a ledger of this size does not have: the partial ones that are whole by now, and those of
    /// a run that was cut short.
    pub(super) fn keep_only(&self, size: u64) -> Result<(), Failed> {
        let mut left = vec![self.dir.join("tile")];
        while let Some(dir) = left.pop() {
            let entries = match fs::read_dir(&dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read.and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(Failed::at(&dir))?,
            };
            for path in entries.iter().map(fs::DirEntry::path) {
                let name = path.strip_prefix(&self.dir).ok().and_then(Path::to_str);
                let tile = name.and_then(|name| name.parse::<TilePath>().ok());
                if path.is_dir() {
                    left.push(path);
                } else if tile.is_some_and(|tile| !is_of(tile, size)) {
                    fs::remove_file(&path).map_err(Failed::at(&path))?;
                    // Directories that are empty now go, too; one that is not stays, and all above it.
                    let above = path.ancestors().skip(1).take_while(|above| *above != self.dir);
                    let _ = above.map(fs::remove_dir).find(Result::is_err);
                }
            }
        }
        Ok(())
    }
}

/// Has a ledger of this size a file of exactly this name?
fn is_of(path: TilePath, size: u64) -> bool {
    TilePath::at(path.kind, path.index, size) == Some(path)
}

fn remove(dir: &Path) -> Result<(), Failed> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Failed::at(dir)),
    }
}

/// The hashes of a ledger of this size, from its tiles.
struct Tiles<'a> {
    of: &'a Files,
    size: u64,
}

impl Tiles<'_> {
    fn read(&self, tile: TilePath) -> Result<Tile, Failed> {
        let path = self.of.path(tile);
        let bytes = fs::read(&path).map_err(Failed::at(&path))?;
        Tile::decode(&bytes, tile.width).map_err(|source| Failed::Tile { path, source })
    }

    /// Is a file what the tile above it says? So everything hangs from the root.
    fn check(&self, path: TilePath) -> Result<(), Failed> {
        let file = self.of.path(path);
        let agrees = match path.kind {
            TileKind::Entries => {
                let bytes = fs::read(&file).map_err(Failed::at(&file))?;
                let bundle = Bundle::decode(&bytes).map_err(|source| Failed::Bundle { path: file.clone(), source })?;
                let leaves: Vec<_> = bundle.entries.iter().map(|entry| Hash::of_leaf(entry)).collect();
                leaves == self.read(TilePath { kind: TileKind::Hashes { level: 0 }, ..path })?.hashes
            }
            // Only a full tile has its hash in another; of the others the root is made.
            TileKind::Hashes { level } if path.width == FULL => {
                let above = level.saturating_add(1).saturating_mul(LEVELS);
                self.read(path)?.subtree(LEVELS, 0) == Some(self.hash(above, path.index)?)
            }
            TileKind::Hashes { .. } => true,
        };
        if agrees { Ok(()) } else { Err(Failed::OtherHashes { path: file }) }
    }
}

impl Subtrees for Tiles<'_> {
    type Error = Failed;

    fn hash(&self, level: u8, index: u64) -> Result<Hash, Failed> {
        let place = InTile::of(level, index);
        let tile = place.path(self.size).ok_or(Failed::Missing { level })?;
        self.read(tile)?.subtree(place.level, place.index).ok_or(Failed::Missing { level })
    }
}
