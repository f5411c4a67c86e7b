//! Bearer tokens: minted on the host, kept as hashes, one role to a name, each with an end.
//!
//! The file `tokens` in the state directory has one line a token and one a revocation (`line`). Lines are appended under a
//! lock and synced, also while the daemon runs (`write`), which looks before each use whether the file has changed. A token
//! has 256 random bits, so its hash needs no salt.

mod line;
mod write;

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use crate::domain::actor::Role;
use crate::domain::time::Timestamp;

pub use line::Term;
pub use write::{mint, revoke};

use line::Line;

/// How a token begins, so that one in a log or a repository is recognised.
const PREFIX: &str = "lapsed_";

/// Why a token cannot be minted or revoked, or the tokens cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file system refused.
    #[error("cannot use the token file {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is none that this version writes.
    #[error(
        "{path}:{line}: not a token line; expected `v1 NAME ROLE HASH`, `v2 NAME ROLE HASH MINTED EXPIRES` or `revoke NAME AT` \
         of a name above"
    )]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The name has another role already.
    #[error("`{name}` is {has} already; one principal has one role")]
    OtherRole {
        /// The name.
        name: String,
        /// Its role.
        has: Role,
    },
    /// The name would break the line it stands in.
    #[error("`{0}` is no name for a principal: use 1 to 64 letters, digits, `-`, `.`, `_` or `@`")]
    BadName(String),
    /// Nothing can be revoked of this name.
    #[error("`{0}` has no token that is not revoked; `lapsed token list` shows all there are")]
    NothingToRevoke(String),
    /// The kernel gave no random bytes.
    #[error("no random bytes: {0}")]
    NoRandom(getrandom::Error),
}

/// Why a token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCounted {
    /// No line has its hash.
    #[error("the token is not known")]
    Unknown,
    /// Its time is over.
    #[error("the token expired at {0}: `lapsed token mint` makes another")]
    Expired(Timestamp),
    /// It was revoked.
    #[error("the token was revoked at {0}")]
    Revoked(Timestamp),
}

/// What a line is about, for the entry that it gets in the access ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A token was minted.
    Minted,
    /// All tokens of the name were revoked.
    Revoked,
}

/// One line, for its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What was done.
    pub deed: Deed,
    /// Whose token it was.
    pub name: String,
    /// That name's role.
    pub role: Role,
}

/// One token, without anything that could stand for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose it is.
    pub name: String,
    /// What it lets them do.
    pub role: Role,
    /// From when to when it counts; `None`: without an end, as earlier versions minted them.
    pub term: Option<Term>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// What changes with every line that is added. Equal stamps: nothing was added between the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// The file of a state directory as it is now; none is as good as an empty one.
    ///
    /// # Errors
    ///
    /// If the file system does not say.
    pub fn of(state_dir: &Path) -> io::Result<Self> {
        match fs::metadata(state_dir.join("tokens")) {
            Ok(found) => Ok(Self::from(&found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        Self { inode: found.ino(), length: found.len(), changed: (found.mtime(), found.mtime_nsec()) }
    }
}

/// What the token file says.
#[derive(Debug, Default)]
pub struct Tokens {
    tokens: Vec<Token>,
    by_hash: BTreeMap<String, usize>,
    recorded: Vec<Recorded>,
    stamp: Stamp,
}

impl Tokens {
    /// Reads the token file of a state directory; none is as good as an empty one.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or has a line this version does not write.
    pub fn read(state_dir: &Path) -> Result<Self, TokenError> {
        let path = state_dir.join("tokens");
        let at_path = |source| TokenError::Io { path: path.clone(), source };
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(at_path(error)),
            Ok(file) => {
                // A reader waits for a writer's line to be whole.
                let mut file = Flock::lock(file, FlockArg::LockShared).map_err(|(_, errno)| at_path(errno.into()))?;
                Self::read_locked(&mut file, &path)
            }
        }
    }

    /// Reads a file that nobody else writes meanwhile.
    fn read_locked(file: &mut File, path: &Path) -> Result<Self, TokenError> {
        let at_path = |source| TokenError::Io { path: path.to_owned(), source };
        let stamp = Stamp::from(&file.metadata().map_err(at_path)?);
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(at_path)?;
        Ok(Self { stamp, ..Self::parse(&text, path)? })
    }

    fn parse(text: &str, path: &Path) -> Result<Self, TokenError> {
        let (mut tokens, count) = (Self::default(), text.lines().count());
        for (index, line) in text.lines().enumerate() {
            let bad = || TokenError::BadLine { path: path.to_owned(), line: index.saturating_add(1) };
            // Where the newline is missing, the line may be cut short in the middle of its last word.
            let is_whole = index.saturating_add(1) < count || text.ends_with('\n');
            tokens.add(Line::parse(line).filter(|_| is_whole).ok_or_else(bad)?).ok_or_else(bad)?;
        }
        Ok(tokens)
    }

    /// Takes the next line; `None` if it revokes what was never minted.
    fn add(&mut self, line: Line) -> Option<()> {
        match line {
            Line::Minted { name, role, hash, term } => {
                self.recorded.push(Recorded { deed: Deed::Minted, name: name.clone(), role });
                self.by_hash.insert(hash, self.tokens.len());
                self.tokens.push(Token { name, role, term, revoked: None });
            }
            Line::Revoked { name, at } => {
                let role = self.role_of(&name)?;
                for token in self.tokens.iter_mut().filter(|token| token.name == name) {
                    token.revoked.get_or_insert(at);
                }
                self.recorded.push(Recorded { deed: Deed::Revoked, name, role });
            }
        }
        Some(())
    }

    /// Whose token it is, at `now`.
    ///
    /// # Errors
    ///
    /// If it is none, or does not count any more.
    pub fn holder(&self, token: &str, now: Timestamp) -> Result<&Token, NotCounted> {
        let place = self.by_hash.get(&hash(token)).ok_or(NotCounted::Unknown)?;
        let token = self.tokens.get(*place).ok_or(NotCounted::Unknown)?;
        if let Some(at) = token.revoked {
            return Err(NotCounted::Revoked(at));
        }
        match token.term {
            Some(term) if now >= term.expires => Err(NotCounted::Expired(term.expires)),
            Some(_) | None => Ok(token),
        }
    }

    /// Every token there ever was, in the order of minting.
    pub fn all(&self) -> &[Token] {
        &self.tokens
    }

    /// What each line is about, in their order.
    pub fn recorded(&self) -> &[Recorded] {
        &self.recorded
    }

    /// The file that this was read from, as it was.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The role of a name that has, or had, a token.
    fn role_of(&self, name: &str) -> Option<Role> {
        self.tokens.iter().find(|token| token.name == name).map(|token| token.role)
    }
}

fn hash(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}
