//! The newest checkpoint of a ledger that left the host, kept in a file: a ledger that is older than that was put back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::durable;

/// The file.
#[derive(Clone, Debug)]
pub struct HandedOut(PathBuf);

impl HandedOut {
    /// The file at this path. Its directory must be there.
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The signed checkpoint; `None` if none was handed out.
    ///
    /// # Errors
    ///
    /// If the file is there and cannot be read.
    pub fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(&self.0) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts another in its place. When this returns it is durable, and may be handed out; a crash before that leaves the one before.
    ///
    /// # Errors
    ///
    /// If it cannot be written and synced.
    pub fn replace(&self, note: &str) -> io::Result<()> {
        durable::replace(&self.0, &self.0.with_extension("unfinished"), note.as_bytes(), 0o600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let file = HandedOut::at(dir.path().join("purge.checkpoint"));
        assert_eq!(file.read().unwrap(), None);
        file.replace("the first, which is longer\n").unwrap();
        file.replace("the second\n").unwrap();
        assert_eq!(file.read().unwrap().as_deref(), Some(&b"the second\n"[..]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
