//! One look at a state directory.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::database::{Database, Extent, FAMILIES};
use super::expired::Expired;
use super::finding::{Finding, Incomplete, Kind, Remark};
use super::listing::{self, Entry, Listing, Role};
use super::raw::{self, Hits};
use super::{Progress, pause};
use crate::domain::time::Timestamp;
use crate::store::EngineError;

/// How often a database in use is tried to be opened.
const ATTEMPTS: u32 = 10;
/// How often new files are looked for after the others were searched.
const ROUNDS: u32 = 10;

/// By which measure it is looked.
pub(super) struct Measure<'a> {
    pub(super) dir: &'a Path,
    pub(super) expired: &'a Expired,
    /// As of when.
    pub(super) at: Timestamp,
    /// A table that changed less than this ago may be one that a running database is still writing.
    pub(super) tolerance: Duration,
    pub(super) live: bool,
}

/// What a look covers.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Every file and every row.
    All,
    /// Files that gave cause, files that are new, and the rows that may be expired.
    Again {
        /// Where something was found.
        suspects: &'a BTreeSet<String>,
        /// What was searched before.
        known: &'a BTreeSet<String>,
    },
}

impl Scope<'_> {
    fn covers(self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Again { suspects, known } => suspects.contains(name) || !known.contains(name),
        }
    }
}

/// What a look saw.
#[derive(Default)]
pub(super) struct Look {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) rows: u64,
    pub(super) oldest: Option<Timestamp>,
    pub(super) findings: Vec<Finding>,
    pub(super) remarks: Vec<Remark>,
    pub(super) incomplete: Vec<Incomplete>,
    /// The files that were searched, by name.
    pub(super) searched: BTreeSet<String>,
}

/// What the database says that it uses.
struct InUse {
    tables: BTreeSet<u64>,
    oldest_wal: Option<u64>,
    manifest: Option<String>,
}

/// Is the database open in another process? RocksDB locks its file `LOCK`, and asking takes nothing.
pub(super) fn is_live(dir: &Path) -> bool {
    let file = match File::open(dir.join("db/LOCK")) {
        Ok(file) => file,
        // Whoever may not ask looks twice: that drops nothing which stays.
        Err(error) => return error.kind() != io::ErrorKind::NotFound,
    };
    let (Ok(kind), Ok(whence)) = (libc::c_short::try_from(libc::F_WRLCK), libc::c_short::try_from(libc::SEEK_SET))
    else {
        return true;
    };
    let mut asked = libc::flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 0, l_pid: 0 };
    match fcntl(&file, FcntlArg::F_OFD_GETLK(&mut asked)) {
        Ok(_) => i32::from(asked.l_type) != libc::F_UNLCK,
        Err(_) => true,
    }
}

/// Looks once. The order matters where a database runs: a file that is listed before its tables are asked for, that is not
/// among them, and that is still there afterwards, is one it does not use.
pub(super) fn look(measure: &Measure<'_>, scope: Scope<'_>, progress: &mut dyn FnMut(Progress)) -> Look {
    let mut look = Look::default();
    let listing = listing::list(measure.dir);
    let in_use = look.read_database(measure, scope, progress);
    look.search(measure, scope, &listing, progress);
    if let (Scope::All, true) = (scope, measure.live) {
        // What was moved while it was looked at, from a log to a table, is in files that are new.
        let mut rounds = (0..ROUNDS).map(|_| listing::list(measure.dir));
        let settled = rounds.any(|fresh| !look.search(measure, scope, &fresh, progress));
        if !settled {
            look.incomplete.push(Incomplete::Restless);
        }
    }
    if let Some(in_use) = in_use {
        look.judge_files(measure, &listing, &in_use);
    }
    look.remarks.extend(listing.remarks);
    look.incomplete.extend(listing.incomplete);
    look
}

impl Look {
    fn read_database(
        &mut self,
        measure: &Measure<'_>,
        scope: Scope<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Option<InUse> {
        let (database, in_use) = match open(measure) {
            Ok((database, in_use, findings)) => {
                self.findings.extend(findings);
                (database, in_use)
            }
            Err(error) => {
                self.incomplete.push(Incomplete::Database(error));
                return None;
            }
        };
        let extent = match scope {
            Scope::All => Extent::All,
            Scope::Again { .. } => Extent::Old,
        };
        for family in FAMILIES {
            match database.rows(family, extent, measure.expired, &mut |rows| progress(Progress::Rows(rows))) {
                Ok(rows) => {
                    self.rows = self.rows.saturating_add(rows.count);
                    self.oldest = self.oldest.into_iter().chain(rows.oldest).min();
                    self.findings.extend(rows.findings);
                }
                Err(error) => self.incomplete.push(Incomplete::Rows { family, error }),
            }
        }
        Some(in_use)
    }

    /// Searches the files that were not searched yet. Says whether there were any.
    fn search(
        &mut self,
        measure: &Measure<'_>,
        scope: Scope<'_>,
        listing: &Listing,
        progress: &mut dyn FnMut(Progress),
    ) -> bool {
        let mut any = false;
        for (name, entry) in &listing.files {
            if scope.covers(name) && self.searched.insert(name.clone()) {
                any = true;
                self.search_file(measure, name, entry, progress);
            }
        }
        any
    }

    fn search_file(&mut self, measure: &Measure<'_>, name: &str, entry: &Entry, progress: &mut dyn FnMut(Progress)) {
        self.files = self.files.saturating_add(1);
        // An empty file has nothing to search; among them is the lock, which a process that has it loses by a close.
        if entry.length == 0 {
            return;
        }
        let bytes = &mut self.bytes;
        // No further than it reached when it was opened: a log grows.
        let found = File::open(&entry.path).and_then(|file| {
            let length = file.metadata()?.len();
            raw::search(file.take(length), measure.expired, &mut |read| {
                *bytes = bytes.saturating_add(read);
                progress(Progress::Bytes(read));
            })
        });
        match found {
            Ok(found) => {
                let finding = |kind, hits: Hits| {
                    let (offset, oldest) = (Some(hits.offset), Some(hits.oldest));
                    Finding { kind, place: name.to_owned(), count: hits.count, offset, oldest }
                };
                self.findings.extend(found.binary.map(|hits| finding(Kind::ExpiredBytes, hits)));
                self.findings.extend(found.hex.map(|hits| finding(Kind::ExpiredHex, hits)));
            }
            // Gone, and its bytes with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                self.incomplete.push(Incomplete::Unreadable { place: name.to_owned(), kind: error.kind() });
            }
        }
    }

    fn judge_files(&mut self, measure: &Measure<'_>, listing: &Listing, in_use: &InUse) {
        let young = young_from(measure, listing);
        for (name, entry) in &listing.files {
            let used = match entry.role {
                Role::Known | Role::Unknown => true,
                Role::Table(number) => in_use.tables.contains(&number),
                // A number that is not known makes no log an old one.
                Role::Wal(number) => in_use.oldest_wal.is_none_or(|oldest| number >= oldest),
                Role::Manifest(_) => in_use.manifest.as_ref().is_none_or(|current| name.ends_with(current.as_str())),
                Role::Stray => false,
            };
            // Still there: else it was only passing.
            if used || matches!(fs::metadata(&entry.path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
                continue;
            }
            let is_table = matches!(entry.role, Role::Table(_));
            if measure.live && is_table && entry.modified.is_some_and(|at| at >= young) {
                self.remarks.push(Remark::YoungTable(name.clone()));
                continue;
            }
            let place = name.clone();
            self.findings.push(Finding { kind: Kind::UnusedFile, place, count: 1, offset: None, oldest: None });
        }
    }
}

/// Opens the database and reads its list of files. Where a process has it open, a failure is tried again.
fn open(measure: &Measure<'_>) -> Result<(Database, InUse, Vec<Finding>), EngineError> {
    let path = measure.dir.join("db");
    let mut left = if measure.live { ATTEMPTS } else { 1 };
    loop {
        let opened = Database::open(&path).and_then(|database| {
            let tables = database.tables(measure.expired)?;
            // Read late: a name that has changed since is that of the MANIFEST in use now, and the other is gone.
            let current = fs::read_to_string(path.join("CURRENT")).ok();
            let manifest = current.map(|text| format!("/{}", text.trim_end()));
            let in_use = InUse { oldest_wal: database.oldest_wal()?, tables: tables.live, manifest };
            Ok((database, in_use, tables.findings))
        });
        left = left.saturating_sub(1);
        if opened.is_ok() || left == 0 {
            return opened;
        }
        pause();
    }
}

/// From when on a file's last change makes it young. Where a database runs, its newest file tells the time too: who measures by
/// another instant than the present must not take every file for young.
fn young_from(measure: &Measure<'_>, listing: &Listing) -> SystemTime {
    let at = UNIX_EPOCH.checked_add(Duration::from_millis(measure.at.millis()));
    let newest = listing.files.values().filter_map(|entry| entry.modified).chain(at).max();
    newest.and_then(|newest| newest.checked_sub(measure.tolerance)).unwrap_or(UNIX_EPOCH)
}
