//! Files that have their names only when they are whole and durable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Puts `bytes` in the place of the file at `path`. They are first written to `unfinished`, on the same file system; what a crash left
/// there is overwritten. When this returns, bytes and name are durable; a crash before that leaves the file that was there.
///
/// # Errors
///
/// If it cannot be written, synced or renamed.
pub fn replace(path: &Path, unfinished: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)?;
    sync_parent(path)
}

/// Makes the names of a file's directory durable.
///
/// # Errors
///
/// If the directory cannot be opened and synced.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        // The parent of a name alone is the current directory.
        Some(dir) if dir.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}
