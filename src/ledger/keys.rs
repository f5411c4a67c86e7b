//! Ed25519 keys of the ledgers and of response packages, made when a store is made, in the text forms of Go's `sumdb/note` and C2SP signed-note.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Signature algorithm byte of Ed25519 in signed-note.
const ED25519: u8 = 1;

/// What stands before the 32 bytes of a key in its SubjectPublicKeyInfo (RFC 8410, section 4).
const SPKI_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why keys cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("cannot read or write the key {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key was not written by this program, or for something else.
    #[error("the key {0} is damaged, or not one of `{1}`")]
    Damaged(PathBuf, String),
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

/// Signs with one key.
pub struct Signer(SigningKey);

impl Signer {
    /// Reads `DIR/NAME.key`, which [`make_if_missing`] made for this origin.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is damaged, or is of another origin.
    pub fn read(dir: &Path, name: &str, origin: &str) -> Result<Self, KeyError> {
        let path = dir.join(format!("{name}.key"));
        let text = fs::read_to_string(&path).map_err(|source| KeyError::Io { path: path.clone(), source })?;
        let text = Zeroizing::new(text);
        let key = secret_of(text.trim_end(), origin).ok_or_else(|| KeyError::Damaged(path, origin.to_owned()))?;
        Ok(Self(key))
    }

    /// The signature over these bytes (RFC 8032, Ed25519).
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public key as `openssl` reads it: SubjectPublicKeyInfo (RFC 8410) in PEM (RFC 7468).
    pub fn public_pem(&self) -> String {
        let info: Vec<u8> = SPKI_ED25519.into_iter().chain(self.public()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(info))
    }
}

/// The secret key in a text of the form `PRIVATE+KEY+ORIGIN+ID+KEY`, if its id is the one that it must have.
fn secret_of(text: &str, origin: &str) -> Option<SigningKey> {
    let rest = text.strip_prefix("PRIVATE+KEY+")?.strip_prefix(origin)?.strip_prefix('+')?;
    let (id, key) = rest.split_once('+')?;
    let bytes = Zeroizing::new(STANDARD.decode(key).ok()?);
    let seed: &[u8; 32] = bytes.strip_prefix(&[ED25519])?.try_into().ok()?;
    let key = SigningKey::from_bytes(seed);
    (key_id(origin, key.verifying_key().as_bytes()) == id).then_some(key)
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
    fn a_key_is_read_back_for_its_origin_alone() {
        let dir = tempfile::tempdir().unwrap();
        make_if_missing(dir.path(), "package", "lapsed/package").unwrap();
        let signer = Signer::read(dir.path(), "package", "lapsed/package").unwrap();
        let signature = ed25519_dalek::Signature::from_bytes(&signer.sign(b"text"));
        let public = ed25519_dalek::VerifyingKey::from_bytes(&signer.public()).unwrap();
        assert!(public.verify_strict(b"text", &signature).is_ok());
        assert!(public.verify_strict(b"test", &signature).is_err());
        assert!(matches!(Signer::read(dir.path(), "package", "lapsed/purge"), Err(KeyError::Damaged(..))));
        let path = dir.path().join("package.key");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("PRIVATE+KEY+lapsed/package+", "PRIVATE+KEY+lapsed/package+0")).unwrap();
        assert!(matches!(Signer::read(dir.path(), "package", "lapsed/package"), Err(KeyError::Damaged(..))));
    }

    #[test]
    fn the_key_id_is_the_one_of_signed_note() {
        // The example key of Go's sumdb/note documentation.
        let key = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        assert_eq!(key_id("PeterNeumann", &key[1..]), "c74f20a3");
    }
}
