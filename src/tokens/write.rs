//! Appending to the token file: under its lock, synced, whole lines only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Gid, Uid, fchown};

use super::line::Line;
use super::{PREFIX, Term, TokenError, Tokens, hash};
use crate::config::Config;
use crate::domain::actor::Role;
use crate::domain::time::Timestamp;

/// Mints a token for `name` in `role` that counts from `now` for `lifetime`, and returns it; only its hash is kept. Makes
/// the state directory if need be.
///
/// # Errors
///
/// If the name has another role, here or in the configuration, or the file cannot be written and synced.
pub fn mint(config: &Config, name: &str, role: Role, now: Timestamp, lifetime: Duration) -> Result<String, TokenError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._@".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(TokenError::BadName(name.to_owned()));
    }
    let other = |has: Role| TokenError::OtherRole { name: name.to_owned(), has };
    if let Some(named) = config.principals.iter().find(|principal| principal.name == name && principal.role != role) {
        return Err(other(named.role));
    }
    let mut tokens = TokenFile::open(&config.state_dir)?;
    if let Some(has) = tokens.read.role_of(name).filter(|has| *has != role) {
        return Err(other(has));
    }
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(TokenError::NoRandom)?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    let term = Some(Term { minted: now, expires: now.plus(lifetime) });
    // A crash before the sync leaves a line of a token that nobody has; one in the middle of it, a torn last line, which
    // the daemon names when it reads the file.
    tokens.append(&Line::Minted { name: name.to_owned(), role, hash: hash(&token), term })?;
    Ok(token)
}

/// Revokes every token of `name`, and returns how many counted until now. A running daemon refuses them from their next use.
///
/// # Errors
///
/// If the name has no token that is not revoked, or the file cannot be written and synced.
pub fn revoke(config: &Config, name: &str, now: Timestamp) -> Result<usize, TokenError> {
    // A name that was mistyped must not make a state directory.
    if !config.state_dir.join("tokens").exists() {
        return Err(TokenError::NothingToRevoke(name.to_owned()));
    }
    let mut tokens = TokenFile::open(&config.state_dir)?;
    let count = tokens.read.all().iter().filter(|token| token.name == name && token.revoked.is_none()).count();
    if count == 0 {
        return Err(TokenError::NothingToRevoke(name.to_owned()));
    }
    tokens.append(&Line::Revoked { name: name.to_owned(), at: now })?;
    Ok(count)
}

/// The file, with nobody else at it.
struct TokenFile {
    path: PathBuf,
    dir: PathBuf,
    file: Flock<File>,
    /// What it says.
    read: Tokens,
}

impl TokenFile {
    fn open(state_dir: &Path) -> Result<Self, TokenError> {
        let path = state_dir.join("tokens");
        let at_path = |source| TokenError::Io { path: path.clone(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir).map_err(at_path)?;
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path).map_err(at_path)?;
        let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| at_path(errno.into()))?;
        belong_to_owner(&file, state_dir).map_err(at_path)?;
        let read = Tokens::read_locked(&mut file, &path)?;
        Ok(Self { path, dir: state_dir.to_owned(), file, read })
    }

    fn append(&mut self, line: &Line) -> Result<(), TokenError> {
        let at_path = |source| TokenError::Io { path: self.path.clone(), source };
        self.file.write_all(format!("{line}\n").as_bytes()).map_err(at_path)?;
        self.file.sync_all().map_err(at_path)?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(at_path)
    }
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
    use crate::tokens::{NotCounted, Stamp};

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn config(dir: &Path) -> Config {
        Config { state_dir: dir.join("state"), ..Config::default() }
    }

    #[test]
    fn a_minted_token_is_known_by_its_hash_alone_until_it_expires() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let token = mint(&config, "desk-1", Role::Analyst, NOW, DAY).unwrap();
        let tokens = Tokens::read(&config.state_dir).unwrap();
        let end = NOW.plus(DAY);
        let last = end.minus(Duration::from_millis(1));
        let holder = tokens.holder(&token, last).unwrap();
        assert_eq!((holder.name.as_str(), holder.role), ("desk-1", Role::Analyst));
        assert_eq!(tokens.holder(&token, end), Err(NotCounted::Expired(end)));
        assert_eq!(tokens.holder("lapsed_x", NOW), Err(NotCounted::Unknown));
        let kept = fs::read_to_string(config.state_dir.join("tokens")).unwrap();
        assert!(!kept.contains(&token));
    }

    #[test]
    fn a_revocation_ends_all_tokens_of_the_name_and_those_alone() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let mint = |name| mint(&config, name, Role::Analyst, NOW, DAY).unwrap();
        let (one, two, other) = (mint("desk-1"), mint("desk-1"), mint("desk-2"));
        let before = Stamp::of(&config.state_dir).unwrap();
        assert_eq!(revoke(&config, "desk-1", NOW).unwrap(), 2);
        assert_ne!(Stamp::of(&config.state_dir).unwrap(), before);
        let later = mint("desk-1");
        let tokens = Tokens::read(&config.state_dir).unwrap();
        assert_eq!(tokens.stamp(), Stamp::of(&config.state_dir).unwrap());
        for token in [one, two] {
            assert_eq!(tokens.holder(&token, NOW), Err(NotCounted::Revoked(NOW)));
        }
        assert!(tokens.holder(&other, NOW).is_ok() && tokens.holder(&later, NOW).is_ok());
        assert_eq!(tokens.recorded().len(), 5);
    }

    #[test]
    fn what_nobody_has_cannot_be_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        assert!(matches!(revoke(&config, "desk-1", NOW), Err(TokenError::NothingToRevoke(_))));
        assert!(!config.state_dir.exists());
        mint(&config, "desk-1", Role::Analyst, NOW, DAY).unwrap();
        revoke(&config, "desk-1", NOW).unwrap();
        assert!(matches!(revoke(&config, "desk-1", NOW), Err(TokenError::NothingToRevoke(_))));
        fs::write(config.state_dir.join("tokens"), "revoke desk-9 2026-11-22T08:00:00.000Z\n").unwrap();
        assert!(matches!(Tokens::read(&config.state_dir), Err(TokenError::BadLine { line: 1, .. })));
    }

    #[test]
    fn one_name_has_one_role_also_after_a_revocation() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        mint(&config, "desk-1", Role::Analyst, NOW, DAY).unwrap();
        mint(&config, "desk-1", Role::Analyst, NOW, DAY).unwrap();
        revoke(&config, "desk-1", NOW).unwrap();
        let refused = mint(&config, "desk-1", Role::Approver, NOW, DAY).unwrap_err();
        assert_eq!(refused.to_string(), "`desk-1` is analyst already; one principal has one role");
        assert!(matches!(mint(&config, "two words", Role::Analyst, NOW, DAY), Err(TokenError::BadName(_))));
    }
}
