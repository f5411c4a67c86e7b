//! Ed25519 keys of the ledgers and of response packages, made when a store is made, in the text forms of Go's `sumdb/note` and C2SP signed-note.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use super::durable;
use super::note::{self, Note, NoteError, NoteSignature, VerifierKey, VerifierKeyError};

/// Signature algorithm byte of Ed25519 in signed-note.
const ED25519: u8 = 1;

/// What stands before the 32 bytes of a key in its SubjectPublicKeyInfo (RFC 8410, section 4).
const SPKI_ED25519: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Where systemd puts what it was given for a service (systemd.exec(5), `LoadCredential=`). Nobody else makes anything there.
const CREDENTIALS: &str = "/run/credentials";

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
    /// There is the public key, and not the secret one.
    #[error(
        "the key {key} is missing, and its public half {public} is there: put it back, or remove {public} if nothing \
         was ever signed with it"
    )]
    Lost {
        /// The file of the secret key.
        key: PathBuf,
        /// That of the public one.
        public: PathBuf,
    },
    /// Keys are given there, and this one was not.
    #[error(
        "the key {0} is missing, and none is made where systemd gives them: make it with `lapsed init --dir DIR`, and give it"
    )]
    NotGiven(PathBuf),
    /// Nobody can sign under this name.
    #[error("`{origin}` is no name for a key: {source}")]
    Origin {
        /// The name.
        origin: String,
        /// Why not.
        source: VerifierKeyError,
    },
    /// The kernel gave no random bytes.
    #[error("no random bytes: {0}")]
    NoRandom(getrandom::Error),
}

impl KeyError {
    /// Can no key be made there, because others are to give it?
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::NotGiven(_) => true,
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
            }
            Self::Damaged(..) | Self::Lost { .. } | Self::Origin { .. } | Self::NoRandom(_) => false,
        }
    }
}

/// The file of a secret key.
pub fn secret_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.key"))
}

/// The file of a public key.
pub fn public_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.vkey"))
}

/// Is there such a file?
///
/// # Errors
///
/// If nobody can say.
pub fn is_there(path: &Path) -> Result<bool, KeyError> {
    path.try_exists().map_err(at(path))
}

/// Every file in a directory that is one of a key of this name, of whatever generation, or what a crash left while one was made; in
/// order. None if the directory is not there.
///
/// # Errors
///
/// If the directory cannot be read.
pub fn files_of(dir: &Path, name: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?.collect::<io::Result<Vec<_>>>()?,
    };
    let is_ours = |file: &str| {
        let Some((stem, rest)) = file.strip_prefix(name).and_then(|rest| rest.split_once('.')) else { return false };
        let is_later = stem.strip_prefix('-').is_some_and(|number| number.parse::<u32>().is_ok());
        let (kind, left_over) = rest.split_once('.').unwrap_or((rest, ""));
        (stem.is_empty() || is_later)
            && matches!(kind, "key" | "vkey")
            && (left_over.is_empty() || left_over.ends_with("unfinished"))
    };
    let named = entries.iter().filter(|entry| entry.file_name().to_str().is_some_and(is_ours));
    let mut files: Vec<PathBuf> = named.map(fs::DirEntry::path).collect();
    files.sort();
    Ok(files)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { path, source }
}

/// Makes `DIR/NAME.key` (0600, secret) and `DIR/NAME.vkey` (public), unless the secret one is there. Of two who do this at once, one
/// makes the key, and both go on with it.
///
/// `origin` is the name under which the ledger signs. Whoever handed out what a key signed must not call this for it: a key that was
/// lost would be made anew.
///
/// # Errors
///
/// If a file cannot be written and synced, there are no random bytes, the origin is no name for a key, only the public file is there, or
/// the directory is one in which systemd gives them.
pub fn make_if_missing(dir: &Path, name: &str, origin: &str) -> Result<(), KeyError> {
    let (key, public) = (secret_path(dir, name), public_path(dir, name));
    if is_there(&key)? {
        return Ok(());
    }
    if is_there(&public)? {
        return Err(KeyError::Lost { key, public });
    }
    if dir.starts_with(CREDENTIALS) {
        return Err(KeyError::NotGiven(key));
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(KeyError::NoRandom)?;
    let verifier = verifier(origin, &SigningKey::from_bytes(&seed))?;
    let secret = Zeroizing::new(format!("PRIVATE+KEY+{origin}+{}+{}\n", verifier.id(), *encode(seed.as_slice())));
    // A crash after it leaves a key without its public file, which is for people: `lapsed init` prints what is in it.
    if durable::publish(&key, secret.as_bytes(), 0o600).map_err(at(&key))? {
        durable::publish(&public, format!("{verifier}\n").as_bytes(), 0o644).map_err(at(&public))?;
    }
    Ok(())
}

/// Signs with one key, under its name.
pub struct Signer {
    key: SigningKey,
    public: VerifierKey,
}

impl Signer {
    /// Reads `DIR/NAME.key`, which [`make_if_missing`] made for this origin.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is damaged, or is of another origin.
    pub fn read(dir: &Path, name: &str, origin: &str) -> Result<Self, KeyError> {
        let path = secret_path(dir, name);
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        let text = Zeroizing::new(text);
        let key = secret_of(text.trim_end(), origin).ok_or_else(|| KeyError::Damaged(path, origin.to_owned()))?;
        Self::new(origin, key)
    }

    fn new(origin: &str, key: SigningKey) -> Result<Self, KeyError> {
        let public = verifier(origin, &key)?;
        Ok(Self { key, public })
    }

    /// The name it signs under. For a ledger this is its origin.
    pub fn name(&self) -> &str {
        self.public.name()
    }

    /// The key by which others verify; its text is the content of `NAME.vkey`.
    pub const fn vkey(&self) -> &VerifierKey {
        &self.public
    }

    /// Signs a text as a note (<https://c2sp.org/signed-note>): the text, an empty line, and the line of this key's signature.
    ///
    /// # Errors
    ///
    /// If the text does not end in a newline, has other control characters, or is too long for a note.
    pub fn sign_note(&self, text: &str) -> Result<String, NoteError> {
        note::check_text(text)?;
        let whole = self.noted(text);
        if whole.len() > note::MAX_NOTE_BYTES {
            return Err(NoteError::TooLong { bytes: whole.len() });
        }
        Ok(whole)
    }

    /// The note of a text that is known to be one for a note.
    pub(super) fn noted(&self, text: &str) -> String {
        let bytes = self.sign(text.as_bytes()).to_vec();
        let signature = NoteSignature { name: self.name().to_owned(), id: self.public.id(), bytes };
        Note { text: text.to_owned(), signatures: vec![signature] }.to_text()
    }

    /// The signature over these bytes (RFC 8032, Ed25519).
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes).to_bytes()
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        *self.public.public()
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

fn key_id(origin: &str, public: &[u8; 32]) -> String {
    note::key_id(origin, public).to_string()
}

fn verifier(origin: &str, key: &SigningKey) -> Result<VerifierKey, KeyError> {
    VerifierKey::new(origin, key.verifying_key().as_bytes())
        .map_err(|source| KeyError::Origin { origin: origin.to_owned(), source })
}

fn encode(key: &[u8]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(vec![ED25519]);
    bytes.extend_from_slice(key);
    Zeroizing::new(STANDARD.encode(&*bytes))
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
    fn a_lost_key_is_not_made_anew_beside_its_public_half() {
        let dir = tempfile::tempdir().unwrap();
        make_if_missing(dir.path(), "access", "lapsed/access").unwrap();
        let public = fs::read(dir.path().join("access.vkey")).unwrap();
        fs::remove_file(dir.path().join("access.key")).unwrap();
        let refused = make_if_missing(dir.path(), "access", "lapsed/access");
        assert!(matches!(refused, Err(KeyError::Lost { .. })), "{refused:?}");
        assert_eq!(fs::read(dir.path().join("access.vkey")).unwrap(), public);
        assert!(!dir.path().join("access.key").exists());
    }

    #[test]
    fn the_files_of_a_key_are_found_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(files_of(&dir.path().join("nowhere"), "access").unwrap(), Vec::<PathBuf>::new());
        make_if_missing(dir.path(), "access", "lapsed/access").unwrap();
        make_if_missing(dir.path(), "access-12", "lapsed/access/12").unwrap();
        let others = ["access.checkpoint", "access-b.key", "accessory.key", "purge.key", "access.key.orig", "access"];
        for name in others.iter().chain(&["access.key.00ff.unfinished"]) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let found = files_of(dir.path(), "access").unwrap();
        let found: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        let ours = ["access-12.key", "access-12.vkey", "access.key", "access.key.00ff.unfinished", "access.vkey"];
        assert_eq!(found, ours);
    }

    #[test]
    fn nothing_is_made_where_systemd_gives_keys() {
        let dir = Path::new("/run/credentials/lapsed-of-a-test.service");
        let refused = make_if_missing(dir, "access", "lapsed/access").unwrap_err();
        assert!(matches!(refused, KeyError::NotGiven(_)) && refused.is_read_only(), "{refused}");
        assert!(!dir.exists());
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
    fn a_key_signs_notes_under_its_name_and_no_other_text_than_a_note_may_have() {
        let dir = tempfile::tempdir().unwrap();
        make_if_missing(dir.path(), "purge", "lapsed/purge").unwrap();
        let signer = Signer::read(dir.path(), "purge", "lapsed/purge").unwrap();
        let public = fs::read_to_string(dir.path().join("purge.vkey")).unwrap();
        assert_eq!(format!("{}\n", signer.vkey()), public);
        let note = signer.sign_note("One line,\n\nand another.\n").unwrap();
        let read = Note::parse(note.as_bytes()).unwrap();
        assert_eq!(read.text, "One line,\n\nand another.\n");
        assert_eq!(read.verify(&VerifierKey::parse(public.trim_end()).unwrap()), Ok(()));
        assert_eq!(signer.sign_note("One line."), Err(NoteError::Unended));
        assert_eq!(signer.sign_note("One\r\nline.\n"), Err(NoteError::Control { line: 1 }));
        let long = "a".repeat(note::MAX_NOTE_BYTES - 1) + "\n";
        assert!(matches!(signer.sign_note(&long), Err(NoteError::TooLong { .. })));
    }

    #[test]
    fn an_origin_that_no_note_can_name_gets_no_key() {
        let dir = tempfile::tempdir().unwrap();
        for origin in ["", "two words", "one+one"] {
            let made = make_if_missing(dir.path(), "purge", origin);
            assert!(matches!(made, Err(KeyError::Origin { source: VerifierKeyError::Name, .. })), "{origin}");
        }
        assert!(!dir.path().join("purge.key").exists());
    }
}
