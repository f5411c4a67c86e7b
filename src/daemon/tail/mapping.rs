//! The list of accounts beside a lease file, read again when it changes.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::sources::Accounts;

/// The most that is read: room for some ten million lines.
const LARGEST: u64 = 1 << 30;

/// What tells one state of the file from another: inode, length, and when it was changed.
type Mark = (u64, u64, i64, i64);

/// A list that may change.
pub(super) struct Mapping {
    path: PathBuf,
    read: Option<Result<Mark, io::ErrorKind>>,
}

impl Mapping {
    /// A list that was not read yet.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), read: None }
    }

    /// The list, if it is another than before. A list that cannot be read, or is gone, leaves the one before in force.
    pub(super) fn changed(&mut self) -> Option<Arc<Accounts>> {
        let mark = fs::metadata(&self.path).map(|found| (found.ino(), found.len(), found.mtime(), found.mtime_nsec()));
        let mark = mark.map_err(|error| error.kind());
        if self.read == Some(mark) {
            return None;
        }
        self.read = Some(mark);
        let mut text = String::new();
        let read = fs::File::open(&self.path).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
        match read {
            Ok(_) => {
                let (accounts, bad) = Accounts::parse(&text);
                let (file, identities) = (self.path.display(), accounts.len());
                if bad == 0 {
                    tracing::info!(%file, identities, "read the list of accounts");
                } else {
                    tracing::warn!(%file, identities, bad, "read the list of accounts; bad lines are passed over");
                }
                Some(Arc::new(accounts))
            }
            Err(error) => {
                tracing::error!(file = %self.path.display(), %error, "the list of accounts cannot be read");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_again_when_it_changed_and_stays_in_force_while_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("accounts.csv");
        let mut mapping = Mapping::new(&path);
        let read = |mapping: &mut Mapping| mapping.changed().map(|accounts| accounts.len());
        assert_eq!(read(&mut mapping), None, "it is not there yet");
        fs::write(&path, "cm-1,acct-1\n").unwrap();
        assert_eq!(read(&mut mapping), Some(1));
        assert_eq!(read(&mut mapping), None, "it did not change");
        fs::write(&path, "cm-1,acct-1\ncm-2,acct-2\n").unwrap();
        assert_eq!(read(&mut mapping), Some(2));
        fs::remove_file(&path).unwrap();
        assert_eq!(read(&mut mapping), None, "what was read stays");
        // Replaced by another of the same length, as editors do.
        fs::write(dir.path().join("new"), "cm-1,acct-7\n").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        assert_eq!(read(&mut mapping), Some(1));
    }
}
