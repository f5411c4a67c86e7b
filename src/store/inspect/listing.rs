//! What is in a state directory, and which of it belongs there by its name.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::finding::{Incomplete, Remark};

/// Names in the state directory. The keyring may be elsewhere; what is not there is not missed.
const KNOWN: [&str; 12] = [
    "LOCK",
    "POLICY",
    "db",
    "tokens",
    "ledger-keys",
    "keyring",
    "case-keys",
    "clock",
    "swept",
    "ballast",
    "access.checkpoint",
    "purge.checkpoint",
];
/// How deep directories are followed; a link can lead in circles.
const DEPTH: usize = 8;

/// A file that is there to be searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) role: Role,
    pub(super) length: u64,
    pub(super) modified: Option<SystemTime>,
}

/// What a file is by its name and place. Numbers are RocksDB's file numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It may be there, whatever the database says.
    Known,
    /// A table in `db`.
    Table(u64),
    /// A write-ahead log in `db`.
    Wal(u64),
    /// A MANIFEST in `db`.
    Manifest(u64),
    /// A table, log or MANIFEST by its name, where the database has none.
    Stray,
    /// None of these.
    Unknown,
}

/// Everything below a state directory, by its name there.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: BTreeMap<String, Entry>,
    pub(super) remarks: Vec<Remark>,
    pub(super) incomplete: Vec<Incomplete>,
}

/// Lists a state directory. What vanishes meanwhile is left out: its bytes are gone.
pub(super) fn list(dir: &Path) -> Listing {
    let mut listing = Listing::default();
    listing.directory(dir, "", 0);
    listing
}

impl Listing {
    fn directory(&mut self, dir: &Path, name: &str, depth: usize) {
        let entries = match fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(name, &error),
        };
        for entry in entries {
            let inside = entry.file_name().to_string_lossy().into_owned();
            let name = if name.is_empty() { inside } else { format!("{name}/{inside}") };
            self.entry(&entry.path(), name, depth);
        }
    }

    fn entry(&mut self, path: &Path, name: String, depth: usize) {
        // Links are followed: an operator may have put a part of the store on another disk.
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) => return self.unreadable(&name, &error),
        };
        if found.is_dir() {
            if !is_known_directory(&name) {
                self.remarks.push(Remark::UnknownName(name.clone()));
            }
            if depth < DEPTH {
                self.directory(path, &name, depth.saturating_add(1));
            } else {
                self.incomplete.push(Incomplete::TooDeep(name));
            }
        } else if found.is_file() {
            let role = role_of(&name);
            if role == Role::Unknown && name.rsplit_once('/').is_none_or(|(parent, _)| is_known_directory(parent)) {
                self.remarks.push(Remark::UnknownName(name.clone()));
            }
            let (length, modified) = (found.len(), found.modified().ok());
            self.files.insert(name, Entry { path: path.to_owned(), role, length, modified });
        } else {
            self.remarks.push(Remark::NotAFile(name));
        }
    }

    fn unreadable(&mut self, name: &str, error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound {
            let place = if name.is_empty() { "." } else { name }.to_owned();
            self.incomplete.push(Incomplete::Unreadable { place, kind: error.kind() });
        }
    }
}

fn is_known_directory(name: &str) -> bool {
    matches!(name, "db" | "ledger-keys")
}

fn role_of(name: &str) -> Role {
    let (parent, last) = name.rsplit_once('/').unwrap_or(("", name));
    let by_name = role_of_database_file(last);
    match (parent, by_name) {
        ("db", role) => role,
        (_, Role::Table(_) | Role::Wal(_) | Role::Manifest(_) | Role::Stray) => Role::Stray,
        ("ledger-keys", Role::Known | Role::Unknown) => Role::Known,
        ("", Role::Known | Role::Unknown) if KNOWN.contains(&last) => Role::Known,
        (_, Role::Known | Role::Unknown) => Role::Unknown,
    }
}

/// The names that RocksDB gives (`file/filename.cc`), and what it adds to that of a file it is about to remove.
fn role_of_database_file(name: &str) -> Role {
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    if matches!(name, "CURRENT" | "IDENTITY" | "LOCK" | "LOG") || name.starts_with("LOG.old.") {
        return Role::Known;
    }
    if name.strip_prefix("OPTIONS-").and_then(number).is_some() {
        return Role::Known;
    }
    if let Some(role) = name.strip_prefix("MANIFEST-").and_then(number).map(Role::Manifest) {
        return role;
    }
    let parts = name.split_once('.').and_then(|(stem, kind)| Some((number(stem)?, kind)));
    match parts {
        Some((table, "sst")) => Role::Table(table),
        Some((wal, "log")) => Role::Wal(wal),
        Some((_, "ldb" | "blob")) => Role::Stray,
        Some(_) | None if name.ends_with(".trash") => Role::Stray,
        Some(_) | None => Role::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_in_its_place_only() {
        let cases = [
            ("db/000012.sst", Role::Table(12)),
            ("db/000004.log", Role::Wal(4)),
            ("db/MANIFEST-000005", Role::Manifest(5)),
            ("db/OPTIONS-000007", Role::Known),
            ("db/LOG.old.1795294800000000", Role::Known),
            ("db/000012.sst.trash", Role::Stray),
            ("db/archive/000004.log", Role::Stray),
            ("db/lost/000012.sst", Role::Stray),
            ("000012.sst", Role::Stray),
            ("db/notes.txt", Role::Unknown),
            ("db/OPTIONS-000007.dbtmp", Role::Unknown),
            ("db/+12.sst", Role::Unknown),
            ("CURRENT", Role::Unknown),
            ("keyring", Role::Known),
            ("db/keyring", Role::Unknown),
            ("ledger-keys/access.vkey", Role::Known),
            ("backup.tar", Role::Unknown),
        ];
        for (name, role) in cases {
            assert_eq!(role_of(name), role, "{name}");
        }
    }
}
