//! `lapse audit fetch`: both ledgers as files, named and laid out as C2SP tlog-tiles does.
//!
//! What is there is not fetched again, so that it goes on where it was cut short. The checkpoint comes last. Before it takes the place of
//! an older one, that one's root is computed again from the tiles: a host that shows another history is found out here.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::api::routes::LEDGER_TILE;
use crate::cli::progress::Progress;
use crate::cli::{Connection, Ending, client, escape, say, tell};
use crate::ledger::checkpoint::{Checkpoint, CheckpointError};
use crate::ledger::merkle::{Hash, Subtrees, root_at};
use crate::ledger::note::{Note, NoteError};
use crate::ledger::tile::{FULL, InTile, Tile, TileError, TilePath, paths_of};

/// The ledgers, by their names in the directory and in the API.
const LEDGERS: [&str; 2] = ["purge", "access"];
/// What is written before it gets its name.
const UNFINISHED: &str = ".unfinished";

/// Why a ledger was not fetched.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// Said already.
    #[error("it was cut short; doing it again goes on")]
    Asking(Ending),
    #[error("cannot read or write {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is no signed note: {source}")]
    Note { path: String, source: NoteError },
    #[error("{path} is no checkpoint: {source}")]
    Checkpoint { path: String, source: CheckpointError },
    #[error("{path} is no tile: {source}")]
    Tile { path: PathBuf, source: TileError },
    #[error("a hash of level {level} is in no tile")]
    Missing { level: u8 },
    #[error(
        "this is not the ledger that was fetched before: its first {size} entries are others, or it has fewer. Your checkpoint was kept; the \
         one that contradicts it is {path}. Keep both: together they prove it"
    )]
    Fork { size: u64, path: PathBuf },
}

impl Failed {
    const fn ending(&self) -> Ending {
        match self {
            Self::Asking(ending) => *ending,
            Self::Io { .. } => Ending::Usage,
            Self::Fork { .. } => Ending::Nobody,
            Self::Note { .. } | Self::Checkpoint { .. } | Self::Tile { .. } | Self::Missing { .. } => Ending::Fault,
        }
    }
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> Failed {
    let path = path.to_owned();
    move |source| Failed::Io { path, source }
}

pub(super) fn fetch(connection: &Connection, dir: &Path) -> Ending {
    let mut text = String::new();
    for name in LEDGERS {
        let ledger = Fetching { connection, name, dir: dir.join(name) };
        match ledger.fetch() {
            Ok(size) => text.push_str(&format!("{name}: {size} entries\n")),
            Err(failed) => {
                tell(&format!("lapse: the {name} ledger: {}", escape::escape(&failed.to_string())));
                return failed.ending();
            }
        }
    }
    say(&text).map_or(Ending::Fault, |()| Ending::Ok)
}

/// One ledger and its directory.
struct Fetching<'a> {
    connection: &'a Connection,
    name: &'static str,
    dir: PathBuf,
}

impl Fetching<'_> {
    /// How many entries it has.
    fn fetch(&self) -> Result<u64, Failed> {
        fs::create_dir_all(&self.dir).map_err(io_at(&self.dir))?;
        let path = format!("/v1/ledgers/{}/checkpoint", self.name);
        let note = client::fetch_patiently(self.connection, &path).map_err(Failed::Asking)?;
        let Checkpoint { size, .. } = checkpoint_of(&path, &note)?;
        let missing: Vec<TilePath> = paths_of(size).filter(|path| !self.path(path).is_file()).collect();
        let progress = Progress::over(u64::try_from(missing.len()).unwrap_or(u64::MAX), "tiles");
        for tile in &missing {
            self.fetch_tile(tile)?;
            progress.step();
        }
        progress.finish();
        if let Err(failed) = self.compare(size, &note) {
            // What belongs to another history does not stay.
            for tile in missing {
                let path = self.path(&tile);
                fs::remove_file(&path).map_err(io_at(&path))?;
            }
            return Err(failed);
        }
        self.write(&self.dir.join("checkpoint"), &note)?;
        self.forget_partial(size)?;
        Ok(size)
    }

    fn path(&self, tile: &TilePath) -> PathBuf {
        self.dir.join(tile.to_string())
    }

    fn fetch_tile(&self, tile: &TilePath) -> Result<(), Failed> {
        let (path, name) = (self.path(tile), tile.to_string());
        let asked = LEDGER_TILE.replace("{log}", self.name).replace("tile/{*tile}", &name);
        let bytes = client::fetch_patiently(self.connection, &asked).map_err(Failed::Asking)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io_at(parent))?;
        }
        self.write(&path, &bytes)
    }

    /// Writes a file that has its name only when it is whole.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failed> {
        let unfinished = self.dir.join(UNFINISHED);
        let mut file = File::create(&unfinished).map_err(io_at(&unfinished))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io_at(&unfinished))?;
        fs::rename(&unfinished, path).map_err(io_at(path))
    }

    /// Holds the checkpoint that was kept against what is there now.
    fn compare(&self, size: u64, note: &[u8]) -> Result<(), Failed> {
        let kept = self.dir.join("checkpoint");
        let bytes = match fs::read(&kept) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read.map_err(io_at(&kept))?,
        };
        let kept = checkpoint_of(&kept.display().to_string(), &bytes)?;
        if kept.size <= size && root_at(&Tiles { of: self, size }, kept.size)? == kept.root {
            return Ok(());
        }
        // Beside the directory, which holds what belongs to one history.
        let whole = self.dir.canonicalize().map_err(io_at(&self.dir))?;
        let beside = whole.parent().map(|dir| format!("{}-{}.contradicting", dir.display(), self.name));
        let path = PathBuf::from(beside.unwrap_or_else(|| format!("{}.contradicting", self.name)));
        self.write(&path, note)?;
        Err(Failed::Fork { size: kept.size, path })
    }

    /// Removes partial tiles that a longer ledger has wider ones of. What was cut short had the name of what was written since.
    fn forget_partial(&self, size: u64) -> Result<(), Failed> {
        let needed: BTreeSet<PathBuf> = paths_of(size).map(|path| self.path(&path)).collect();
        let mut left = vec![self.dir.join("tile")];
        while let Some(dir) = left.pop() {
            let entries = match fs::read_dir(&dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read.and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(io_at(&dir))?,
            };
            for path in entries.iter().map(fs::DirEntry::path) {
                let name = path.strip_prefix(&self.dir).ok().and_then(Path::to_str);
                let tile = name.and_then(|name| name.parse::<TilePath>().ok());
                if path.is_dir() {
                    left.push(path);
                } else if tile.is_some_and(|tile| tile.width < FULL) && !needed.contains(&path) {
                    fs::remove_file(&path).map_err(io_at(&path))?;
                    // Nothing else may be in the directory of a tile's partial ones.
                    let _ = path.parent().map(fs::remove_dir);
                }
            }
        }
        Ok(())
    }
}

fn checkpoint_of(path: &str, note: &[u8]) -> Result<Checkpoint, Failed> {
    let named = |source| Failed::Note { path: path.to_owned(), source };
    let note = Note::parse(note).map_err(named)?;
    Checkpoint::parse(&note.text).map_err(|source| Failed::Checkpoint { path: path.to_owned(), source })
}

/// The hashes of a ledger of this size, from its tiles.
struct Tiles<'a> {
    of: &'a Fetching<'a>,
    size: u64,
}

impl Subtrees for Tiles<'_> {
    type Error = Failed;

    fn hash(&self, level: u8, index: u64) -> Result<Hash, Failed> {
        let place = InTile::of(level, index);
        let tile = place.path(self.size).ok_or(Failed::Missing { level })?;
        let path = self.of.path(&tile);
        let bytes = fs::read(&path).map_err(io_at(&path))?;
        let tile = Tile::decode(&bytes, tile.width).map_err(|source| Failed::Tile { path, source })?;
        tile.subtree(place.level, place.index).ok_or(Failed::Missing { level })
    }
}
