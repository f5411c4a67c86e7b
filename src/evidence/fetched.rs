//! A directory as `lapse audit fetch` leaves it: `purge` and `access`, and in each a checkpoint and tiles.
//!
//! Follows no link and opens nothing that is no plain file. What does not belong there is not read, and told.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::tile::{FULL, TilePath};

/// The name of a ledger's checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";
/// The longest file of a ledger: a full bundle of the longest entries, each behind its length in two bytes.
const LONGEST: u64 = FULL as u64 * (2 + 0xffff);
/// More directories below one another than any name of a tile has.
const DEEPEST: usize = 16;

/// Why a directory cannot be looked at.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub struct ReadError {
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// The files of one ledger.
#[derive(Default)]
pub(super) struct Files {
    /// The bytes of what may belong there, by its name below the ledger's directory.
    pub(super) present: BTreeMap<String, Vec<u8>>,
    /// What does not, whatever the checkpoint says.
    pub(super) strange: Vec<String>,
}

/// The files of both.
pub(super) struct Fetched {
    pub(super) purge: Files,
    pub(super) access: Files,
    /// What is there besides.
    pub(super) strange: Vec<String>,
}

/// Reads a directory.
///
/// # Errors
///
/// If it, or what is in it, cannot be read.
pub(super) fn read(dir: &Path) -> Result<Fetched, ReadError> {
    let mut fetched = Fetched { purge: Files::default(), access: Files::default(), strange: Vec::new() };
    for entry in sorted(dir)? {
        let (name, path) = (entry.file_name(), entry.path());
        let is_dir = kind_of(&entry)?.is_dir();
        match name.to_str() {
            Some("purge") if is_dir => fetched.purge = ledger(&path)?,
            Some("access") if is_dir => fetched.access = ledger(&path)?,
            _ => fetched.strange.push(name.to_string_lossy().into_owned()),
        }
    }
    Ok(fetched)
}

fn ledger(dir: &Path) -> Result<Files, ReadError> {
    let mut files = Files::default();
    let mut left = vec![(dir.to_owned(), String::new(), 0_usize)];
    while let Some((dir, below, depth)) = left.pop() {
        for entry in sorted(&dir)? {
            let name = format!("{below}{}", entry.file_name().to_string_lossy());
            let kind = kind_of(&entry)?;
            if kind.is_dir() && depth < DEEPEST {
                left.push((entry.path(), format!("{name}/"), depth.saturating_add(1)));
            } else if kind.is_file() && (name == CHECKPOINT || name.parse::<TilePath>().is_ok()) {
                let path = entry.path();
                match bytes(&path).map_err(|source| ReadError { path, source })? {
                    Some(bytes) => drop(files.present.insert(name, bytes)),
                    None => files.strange.push(name),
                }
            } else {
                files.strange.push(name);
            }
        }
    }
    Ok(files)
}

/// The bytes of a file; none if it is longer than any of a ledger.
fn bytes(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if fs::symlink_metadata(path)?.len() > LONGEST { Ok(None) } else { fs::read(path).map(Some) }
}

fn kind_of(entry: &DirEntry) -> Result<fs::FileType, ReadError> {
    entry.file_type().map_err(|source| ReadError { path: entry.path(), source })
}

/// What is in a directory, by name, so that the same files give the same words.
fn sorted(dir: &Path) -> Result<Vec<DirEntry>, ReadError> {
    let failed = |source| ReadError { path: dir.to_owned(), source };
    let mut entries: Vec<DirEntry> = fs::read_dir(dir).and_then(Iterator::collect).map_err(failed)?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}
