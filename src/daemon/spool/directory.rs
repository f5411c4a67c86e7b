//! The files of a spool. Names are never said: they may hold an address.
//!
//! Names that end in `.tmp` or begin with a dot are being written. Any other file is complete, but for those that are
//! appended to: whoever appends holds a lock on the file `.lock` (flock), and the daemon renames under that lock, so
//! that nobody writes into a file that is read. A renamed file begins with `.taken-`, and is taken first after a
//! restart.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use crate::domain::time::Timestamp;

/// So many files are taken before the directory is read again; a directory of millions takes no more memory.
const MOST_FILES: usize = 1024;
const LOCK: &str = ".lock";
const TAKEN: &[u8] = b".taken-";

/// A file in the directory.
pub(super) struct Found {
    name: OsString,
    /// When it was last written to.
    pub(super) written: Timestamp,
    /// Is nobody writing to it?
    pub(super) complete: bool,
    taken: bool,
}

/// One spool.
pub(super) struct Directory<'a> {
    path: &'a Path,
}

impl<'a> Directory<'a> {
    pub(super) fn new(path: &'a Path) -> Self {
        Self { path }
    }

    /// The files that are there: first those that a daemon before this took and did not finish, then by name. Files
    /// that are being written come last, for nothing but their age matters.
    pub(super) fn look(&self) -> io::Result<Vec<Found>> {
        let (mut complete, mut unfinished) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(self.path)? {
            let entry = entry?;
            let found = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => found(entry.file_name(), &metadata),
                // It went in the meantime, or is no file, and so none of ours.
                Ok(_) => continue,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let list = if found.complete { &mut complete } else { &mut unfinished };
            if found.name != LOCK && (list.len() < MOST_FILES || found.taken) {
                list.push(found);
            }
        }
        complete.sort_by(|a, b| b.taken.cmp(&a.taken).then_with(|| a.name.cmp(&b.name)));
        complete.extend(unfinished);
        Ok(complete)
    }

    /// Makes a complete file the daemon's own. `None` if somebody is appending, or took it back.
    pub(super) fn take(&self, found: Found) -> io::Result<Option<Found>> {
        if found.taken {
            return Ok(Some(found));
        }
        let mut options = OpenOptions::new();
        let lock =
            options.read(true).write(true).create(true).truncate(false).mode(0o660).open(self.path.join(LOCK))?;
        let Ok(_lock) = Flock::<File>::lock(lock, FlockArg::LockExclusiveNonblock) else { return Ok(None) };
        let name = OsString::from_iter([OsStr::from_bytes(TAKEN), &found.name]);
        let to = self.path.join(&name);
        // One of that name would be one that could not be taken; it must not be replaced.
        if to.try_exists()? {
            return Ok(None);
        }
        match fs::rename(self.path.join(&found.name), to) {
            Ok(()) => Ok(Some(Found { name, taken: true, ..found })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where a file is.
    pub(super) fn path_of(&self, found: &Found) -> PathBuf {
        self.path.join(&found.name)
    }

    /// Unlinks a file; one that is gone already is as well.
    pub(super) fn remove(&self, found: &Found) -> io::Result<()> {
        match fs::remove_file(self.path_of(found)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn found(name: OsString, metadata: &fs::Metadata) -> Found {
    let bytes = name.as_bytes();
    let taken = bytes.starts_with(TAKEN);
    let complete = taken || !(bytes.starts_with(b".") || bytes.ends_with(b".tmp"));
    let millis = metadata.mtime().saturating_mul(1000).saturating_add(metadata.mtime_nsec() / 1_000_000);
    let written = Timestamp::from_millis(u64::try_from(millis).unwrap_or(0));
    Found { name, written, complete, taken }
}
