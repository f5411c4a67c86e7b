//! Ed25519 keys of the ledgers, made when a store is made, in the text forms of Go's `sumdb/note` and C2SP signed-note.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Signature algorithm byte of Ed25519 in signed-note.
const ED25519: u8 = 1;

/// Why the keys of the ledgers cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("cannot write the ledger key {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kernel gave no random bytes.
    #[error("no random bytes: {0}")]
    NoRandom(getrandom::Error),
}

/// Makes `DIR/NAME.key` (0600, secret) and `DIR/NAME.vkey` (public), unless the secret one is there.
///
/// `origin` is the name under which the ledger signs.
///
/// # Errors
///
/// If a file cannot be written and synced, or there are no random bytes.
pub fn make_if_missing(dir: &Path, name: &str, origin: &str) -> Result<(), KeyError> {
    let secret_path = dir.join(format!("{name}.key"));
    if secret_path.exists() {
        return Ok(());
    }
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| KeyError::Io { path, source }
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(KeyError::NoRandom)?;
    let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let id = key_id(origin, &public);
    let public_path = dir.join(format!("{name}.vkey"));
    // The secret key last and by rename: a crash before that leaves no key in use, and the next start makes a new pair.
    write(&public_path, &format!("{origin}+{id}+{}\n", *encode(&public)), 0o644).map_err(at(&public_path))?;
    let secret = Zeroizing::new(format!("PRIVATE+KEY+{origin}+{id}+{}\n", *encode(seed.as_slice())));
    write(&secret_path, &secret, 0o600).map_err(at(&secret_path))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

/// First four bytes of SHA-256 over name, newline, algorithm and public key, in hex.
fn key_id(origin: &str, public: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(origin.as_bytes());
    hash.update(b"\n");
    hash.update([ED25519]);
    hash.update(public);
    hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn encode(key: &[u8]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(vec![ED25519]);
    bytes.extend_from_slice(key);
    Zeroizing::new(STANDARD.encode(&*bytes))
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_say_their_name() {
        let dir = tempfile::tempdir().unwrap();
        make_if_missing(dir.path(), "access", "example.net/lapsed/access").unwrap();
        let public = fs::read_to_string(dir.path().join("access.vkey")).unwrap();
        let secret = fs::read_to_string(dir.path().join("access.key")).unwrap();
        assert!(public.starts_with("example.net/lapsed/access+"));
        assert!(secret.starts_with("PRIVATE+KEY+example.net/lapsed/access+"));
        make_if_missing(dir.path(), "access", "example.net/lapsed/access").unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("access.key")).unwrap(), secret);
    }

    #[test]
    fn the_key_id_is_the_one_of_signed_note() {
        // The example key of Go's sumdb/note documentation.
        let key = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        assert_eq!(key_id("PeterNeumann", &key[1..]), "c74f20a3");
    }
}
