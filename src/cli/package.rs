//! `lapse request package`: the files of a response, in a directory of their own that is there as a whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::{Package, PackageContent, PackageFile};

use super::{Connection, Ending, client, escape::escape, tell};

/// Asks for the package, writes it into the directory, and returns what was written.
pub(super) fn package(connection: &Connection, path: &str, dir: &Path) -> Result<String, Ending> {
    let whole = |error: Failed| {
        tell(&format!("lapse: {}", escape(&error.to_string())));
        Ending::Usage
    };
    // Before anything is asked for: an asking leaves an entry in the ledger.
    let beside = beside(dir).map_err(whole)?;
    let nothing = std::collections::BTreeMap::<String, String>::new();
    let package: Package = client::ask(connection, path, Some(&nothing))?;
    let files = contents(package.files).map_err(|error| {
        tell(&format!("lapse: {}", escape(&error.to_string())));
        Ending::Fault
    })?;
    write(&beside, dir, &files).map_err(whole)?;
    let mut said = format!("{}; entry {} of the access ledger\n", escape(&dir.display().to_string()), package.ledger);
    for (name, bytes) in &files {
        said.push_str(&format!("  {name:<16} {} bytes\n", bytes.len()));
    }
    Ok(said)
}

/// Why no package was written. Nothing is then in its place.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{} is there already and not empty: name a new directory", .0.display())]
    NotEmpty(PathBuf),
    #[error("{} has no name that a directory could get", .0.display())]
    NoName(PathBuf),
    #[error("cannot write {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the daemon named a file `{0}`, which is no name of a file here")]
    BadName(String),
    #[error("the daemon sent `{0}` in no base64")]
    BadBytes(String),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Failed {
    let path = path.to_owned();
    move |source| Failed::Io { path, source }
}

/// Where the package is written before it gets its name; refuses a place that is taken.
fn beside(dir: &Path) -> Result<PathBuf, Failed> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(Failed::NotEmpty(dir.to_owned())),
        Ok(false) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(at(dir)(error)),
    }
    let name = dir.file_name().ok_or_else(|| Failed::NoName(dir.to_owned()))?;
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    Ok(dir.with_file_name(unfinished))
}

/// The files as bytes. A name that could lead out of the directory is refused.
fn contents(files: Vec<PackageFile>) -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let is_plain = |name: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(known)
    };
    let content = |PackageFile { name, content }: PackageFile| {
        if !is_plain(&name) {
            return Err(Failed::BadName(name));
        }
        let bytes = match content {
            PackageContent::Text(text) => text.into_bytes(),
            PackageContent::Base64(text) => STANDARD.decode(text).map_err(|_| Failed::BadBytes(name.clone()))?,
        };
        Ok((name, bytes))
    };
    files.into_iter().map(content).collect()
}

/// Writes everything beside, syncs it, and gives it its name. A crash before that leaves the directory beside, with `.unfinished`
/// behind its name, which the next attempt names and leaves alone.
fn write(beside: &Path, dir: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failed> {
    DirBuilder::new().mode(0o700).create(beside).map_err(at(beside))?;
    let written = fill(beside, files).and_then(|()| fs::rename(beside, dir).map_err(at(dir)));
    if let Err(error) = written {
        // What is left of it is of no use; where it cannot be removed either, its name says what it is.
        let _ = fs::remove_dir_all(beside);
        return Err(error);
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(at(parent))
}

fn fill(beside: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failed> {
    for (name, bytes) in files {
        let path = beside.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(at(&path))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(&path))?;
    }
    File::open(beside).and_then(|dir| dir.sync_all()).map_err(at(beside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["../x", "/etc/passwd", ".hidden", "", "a/b", "a b", "a\u{202e}b"] {
            let file = PackageFile { name: name.into(), content: PackageContent::Text(String::new()) };
            assert!(matches!(contents(vec![file]), Err(Failed::BadName(_))), "{name}");
        }
    }

    #[test]
    fn a_place_that_is_taken_is_left_as_it_is_and_a_failure_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let files = [("a".to_owned(), b"1".to_vec()), ("b".to_owned(), b"2".to_vec())];
        let place = dir.path().join("new");
        write(&beside(&place).unwrap(), &place, &files).unwrap();
        assert_eq!(fs::read(place.join("b")).unwrap(), b"2");
        assert!(matches!(beside(&place), Err(Failed::NotEmpty(_))));
        // Two files of one name: the second cannot be made, and nothing stays.
        let other = dir.path().join("other");
        let twice = [files[0].clone(), files[0].clone()];
        assert!(write(&beside(&other).unwrap(), &other, &twice).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        // An empty directory may be taken; somebody who came first may not.
        let empty = dir.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let aside = beside(&empty).unwrap();
        fs::write(empty.join("x"), b"").unwrap();
        assert!(write(&aside, &empty, &files).is_err());
        assert_eq!(fs::read_dir(&empty).unwrap().count(), 1);
    }
}
