//! Bearer tokens: minted on the host, kept as hashes, one role to a name.
//!
//! The file `tokens` in the state directory has one line a token: `v1 NAME ROLE HASH`, where `HASH` is the BLAKE3 hash of
//! the token in hex. It is appended under a lock and synced, also while the daemon runs, which reads it again when it
//! meets a token it does not know. A token has 256 random bits, so its hash needs no salt.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Gid, Uid, fchown};

use crate::config::Config;
use crate::domain::actor::{Principal, Role};

/// How a token begins, so that one in a log or a repository is recognised.
const PREFIX: &str = "lapsed_";

/// Why a token cannot be minted, or the tokens cannot be read.
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
    #[error("{path}:{line}: not a token line; expected `v1 NAME ROLE HASH`")]
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
    /// The kernel gave no random bytes.
    #[error("no random bytes: {0}")]
    NoRandom(getrandom::Error),
}

/// The tokens that are valid, by the hash of each.
#[derive(Debug, Default)]
pub struct Tokens {
    by_hash: BTreeMap<String, Principal>,
    in_order: Vec<Principal>,
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
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(at_path)?;
                Self::parse(&text, &path)
            }
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, TokenError> {
        let mut tokens = Self::default();
        for (index, line) in text.lines().enumerate() {
            let bad = || TokenError::BadLine { path: path.to_owned(), line: index.saturating_add(1) };
            let mut words = line.split(' ');
            let (Some("v1"), Some(name), Some(role), Some(hash), None) =
                (words.next(), words.next(), words.next(), words.next(), words.next())
            else {
                return Err(bad());
            };
            let principal = Principal { name: name.to_owned(), role: role.parse().map_err(|_| bad())? };
            tokens.in_order.push(principal.clone());
            tokens.by_hash.insert(hash.to_owned(), principal);
        }
        Ok(tokens)
    }

    /// Whose token is it?
    pub fn principal(&self, token: &str) -> Option<&Principal> {
        self.by_hash.get(&hash(token))
    }

    /// Everyone a token was minted for, in the order of minting, once a token.
    pub fn minted(&self) -> &[Principal] {
        &self.in_order
    }
}

fn hash(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

/// Mints a token for `name` in `role` and returns it; only its hash is kept. Makes the state directory if need be.
///
/// # Errors
///
/// If the name has another role, here or in the configuration, or the file cannot be written and synced.
pub fn mint(config: &Config, name: &str, role: Role) -> Result<String, TokenError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._@".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(TokenError::BadName(name.to_owned()));
    }
    let other = |has: Role| TokenError::OtherRole { name: name.to_owned(), has };
    if let Some(named) = config.principals.iter().find(|principal| principal.name == name && principal.role != role) {
        return Err(other(named.role));
    }
    let path = config.state_dir.join("tokens");
    let at_path = |source| TokenError::Io { path: path.clone(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.state_dir).map_err(at_path)?;
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path).map_err(at_path)?;
    let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| at_path(errno.into()))?;
    belong_to_owner(&file, &config.state_dir).map_err(at_path)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(at_path)?;
    let minted = Tokens::parse(&text, &path)?;
    if let Some(named) = minted.in_order.iter().find(|principal| principal.name == name && principal.role != role) {
        return Err(other(named.role));
    }
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(TokenError::NoRandom)?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    // A crash before the sync leaves a line of a token that nobody has; one in the middle of it, a torn last line, which
    // the daemon names when it reads the file.
    file.write_all(format!("v1 {name} {role} {}\n", hash(&token)).as_bytes()).map_err(at_path)?;
    file.sync_all().map_err(at_path)?;
    File::open(&config.state_dir).and_then(|dir| dir.sync_all()).map_err(at_path)?;
    Ok(token)
}

/// Gives the file to whoever owns the directory: root mints, and the daemon, which is not root, must read.
fn belong_to_owner(file: &File, dir: &Path) -> io::Result<()> {
    let owner = fs::metadata(dir)?;
    if Uid::effective().is_root() && file.metadata()?.uid() != owner.uid() {
        fchown(file, Some(Uid::from_raw(owner.uid())), Some(Gid::from_raw(owner.gid())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(dir: &Path) -> Config {
        Config { state_dir: dir.join("state"), ..Config::default() }
    }

    #[test]
    fn a_minted_token_is_known_by_its_hash_alone() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let token = mint(&config, "desk-1", Role::Analyst).unwrap();
        let tokens = Tokens::read(&config.state_dir).unwrap();
        assert_eq!(tokens.principal(&token), Some(&Principal { name: "desk-1".into(), role: Role::Analyst }));
        assert_eq!(tokens.principal("lapsed_x"), None);
        let kept = fs::read_to_string(config.state_dir.join("tokens")).unwrap();
        assert!(!kept.contains(&token));
    }

    #[test]
    fn one_name_has_one_role() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        mint(&config, "desk-1", Role::Analyst).unwrap();
        mint(&config, "desk-1", Role::Analyst).unwrap();
        let refused = mint(&config, "desk-1", Role::Approver).unwrap_err();
        assert_eq!(refused.to_string(), "`desk-1` is analyst already; one principal has one role");
        assert!(matches!(mint(&config, "two words", Role::Analyst), Err(TokenError::BadName(_))));
    }
}
