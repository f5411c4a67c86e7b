//! What an inspection says.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::time::Timestamp;
use crate::store::EngineError;

/// What an inspection comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was looked at, and nothing expired is there.
    Clean,
    /// Something expired is there.
    ExpiredDataFound,
    /// Nothing expired was found, and something could not be looked at or understood.
    CannotTell,
}

/// A kind of thing that must not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Rows dated before the limit, read from the database.
    ExpiredRow,
    /// A table whose first or last key is dated before the limit.
    ExpiredBound,
    /// Bytes in a file that are an expired key.
    ExpiredBytes,
    /// An expired key in hexadecimal digits.
    ExpiredHex,
    /// A table, a log or a MANIFEST that the database no longer uses: what it has let go of lives on there.
    UnusedFile,
    /// A live key of a request, a capture or a hold beyond its expiry.
    OverdueCase,
    /// A table with deletions in a bucket that reaches below the limit: each holds a key, which may be an expired one, and
    /// which cannot be read.
    Deletions,
    /// A row or a bound of a table that is no key of the format.
    NotAKey,
    /// A row or a bound whose instant does not lie in its bucket: who drops buckets may pass it over.
    Misfiled,
}

impl Kind {
    /// Is it expired data beyond doubt? Of the others one cannot tell.
    pub const fn is_expired(self) -> bool {
        match self {
            Self::ExpiredRow
            | Self::ExpiredBound
            | Self::ExpiredBytes
            | Self::ExpiredHex
            | Self::UnusedFile
            | Self::OverdueCase => true,
            Self::Deletions | Self::NotAKey | Self::Misfiled => false,
        }
    }

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExpiredRow => "expired-row",
            Self::ExpiredBound => "expired-bound",
            Self::ExpiredBytes => "expired-bytes",
            Self::ExpiredHex => "expired-hex",
            Self::UnusedFile => "unexpected-file",
            Self::OverdueCase => "overdue-case",
            Self::Deletions => "deletions",
            Self::NotAKey => "not-a-key",
            Self::Misfiled => "misfiled",
        }
    }
}

/// Something that must not be there. One for each kind and place; it has neither tags nor values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Where: the file, below the state directory, or the column family.
    pub place: String,
    /// How many.
    pub count: u64,
    /// The byte of the file at which the first begins, where bytes were searched.
    pub offset: Option<u64>,
    /// The oldest instant among them, where they have one.
    pub oldest: Option<Timestamp>,
}

/// Something in the directory that is not of the store and holds nothing expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A file or directory with a name that the format does not know.
    UnknownName(String),
    /// Neither a file nor a directory: it was not opened.
    NotAFile(String),
    /// A table that a running database is writing or about to let go of: too young to be called unused.
    YoungTable(String),
}

/// Something that could not be looked at, so that nobody can say "clean".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// A file or a directory cannot be read.
    #[error("{place} cannot be read: {kind}")]
    Unreadable {
        /// Which, below the state directory.
        place: String,
        /// Why.
        kind: io::ErrorKind,
    },
    /// Directories lie in one another too deep, perhaps in a circle of links.
    #[error("{0} lies too deep to be looked at")]
    TooDeep(String),
    /// The database cannot be opened, so neither rows nor bounds of tables were read.
    #[error("the database cannot be opened: {0}")]
    Database(EngineError),
    /// The rows of a family could not be read to the end.
    #[error("the rows of {family} cannot be read: {error}")]
    Rows {
        /// The column family.
        family: &'static str,
        /// What RocksDB says.
        error: EngineError,
    },
    /// New files came up faster than they could be searched.
    #[error("new files came up faster than they could be searched")]
    Restless,
}

/// Why there was no inspection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// The directory is not there, or is none.
    #[error("there is no directory {}", .0.display())]
    NoDirectory(PathBuf),
    /// There is no `POLICY`, so that nobody knows how long anything may be kept.
    #[error("{} is missing: without it nobody can say how long anything may be kept here", .0.display())]
    PolicyMissing(PathBuf),
    /// `POLICY` cannot be read.
    #[error("{path} cannot be read: {kind}", path = path.display())]
    PolicyUnreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
    /// `POLICY` is not what the format says.
    #[error("POLICY is malformed: {0}")]
    PolicyMalformed(String),
    /// `POLICY` is of another format.
    #[error("POLICY is of format {0}, and this version knows format {known}", known = crate::store::FORMAT)]
    PolicyFormat(i64),
    /// A value of `POLICY` is missing or out of range.
    #[error("POLICY has no usable value for {0}")]
    PolicyValue(&'static str),
    /// There is no database in the directory.
    #[error("there is no database in {}", .0.display())]
    NoDatabase(PathBuf),
}

/// What was looked at, by which measure, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How long a record may be readable, from `POLICY`.
    pub window: Duration,
    /// The first instant that is readable at the time of the inspection.
    pub horizon: Timestamp,
    /// How much longer a record may be in a file: the purge interval and five seconds.
    pub tolerance: Duration,
    /// What is dated before this instant is expired: the horizon less the tolerance.
    pub limit: Timestamp,
    /// Did a process have the database open?
    pub live: bool,
    /// Files that were searched.
    pub files: u64,
    /// Bytes that were searched.
    pub bytes: u64,
    /// Rows that were read, in both record families.
    pub rows: u64,
    /// The oldest instant of a row; `None` if there is none.
    pub oldest: Option<Timestamp>,
    /// What must not be there.
    pub findings: Vec<Finding>,
    /// What is there and does no harm.
    pub remarks: Vec<Remark>,
    /// What could not be looked at.
    pub incomplete: Vec<Incomplete>,
}

impl Inspection {
    /// What it comes to.
    pub fn outcome(&self) -> Outcome {
        if self.findings.iter().any(|finding| finding.kind.is_expired()) {
            Outcome::ExpiredDataFound
        } else if self.findings.is_empty() && self.incomplete.is_empty() {
            Outcome::Clean
        } else {
            Outcome::CannotTell
        }
    }
}
