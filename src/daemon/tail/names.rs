//! What a lease file is renamed to, and what is made of it.
//!
//! Kea's lease file cleanup renames the file to `.1`, and a process of its own makes `.2` of the last `.2` and it, by way of
//! `.output` and `.completed`: the last row of every lease that is left. ISC dhcpd writes a new file with the last block of
//! every lease, and keeps the old one as `~`.

use std::io;
use std::path::{Path, PathBuf};

use crate::domain::lease::LeaseFormat;

use super::generation::Generation;

/// The generations that are there.
pub(super) struct Present {
    /// The oldest first.
    pub(super) files: Vec<Generation>,
    /// Is the first a digest of what was before, in which rows are left out?
    pub(super) digest: bool,
}

/// Opens everything that is there. Newest first, so that what is renamed meanwhile is seen twice and not missed.
pub(super) fn open_all(path: &Path, format: LeaseFormat) -> io::Result<Present> {
    let mut files: Vec<Generation> = Vec::new();
    let mut add = |found: Option<Generation>| {
        let found = found.filter(|found| files.iter().all(|known| known.id != found.id));
        let is_new = found.is_some();
        files.extend(found);
        is_new
    };
    add(Generation::open(path, format)?);
    add(previous(path, format)?);
    let mut digest = false;
    if is_kea(format) {
        digest = add(Generation::open(&with(path, ".completed"), format)?)
            || add(Generation::open(&with(path, ".2"), format)?);
    }
    files.reverse();
    Ok(Present { files, digest })
}

/// The generation before the one at `path`, while it is there.
pub(super) fn previous(path: &Path, format: LeaseFormat) -> io::Result<Option<Generation>> {
    Generation::open(&with(path, if is_kea(format) { ".1" } else { "~" }), format)
}

fn is_kea(format: LeaseFormat) -> bool {
    matches!(format, LeaseFormat::Kea4 | LeaseFormat::Kea6)
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
