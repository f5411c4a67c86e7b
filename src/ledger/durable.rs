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

/// Makes a file with these bytes, unless there is one already: whether it was made. It is first written to a name that nobody else has,
/// and then linked, so that of two who do this at once one wins and the other is told. When this returns, whichever file has the name is
/// whole and durable; a crash before that may leave the other name.
///
/// # Errors
///
/// If it cannot be written, synced or linked, or there are no random bytes.
pub fn publish(path: &Path, bytes: &[u8], mode: u32) -> io::Result<bool> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{:016x}.unfinished", u64::from_be_bytes(random)));
    let unfinished = Path::new(&unfinished);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(unfinished)?;
    let linked = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(unfinished, path));
    // Whether it has its name or not, the other one goes.
    fs::remove_file(unfinished)?;
    let made = match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        linked => linked.map(|()| true)?,
    };
    sync_parent(path)?;
    Ok(made)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_first_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("access.key");
        assert!(publish(&path, b"one", 0o600).unwrap());
        assert!(!publish(&path, b"two", 0o600).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, &dir.path().join("unfinished"), b"three", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
