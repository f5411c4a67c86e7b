//! The public key of one who signs notes, and the name it goes by.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::super::text;

/// Signature type of Ed25519 in signed-note.
const ED25519: u8 = 1;

/// What tells keys of one name apart: the first four bytes of a hash. Displayed in hex.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// Why a text is not a key. It is never repeated: whoever mistakes files may have given a secret one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VerifierKeyError {
    /// There are not three parts with a `+` between them.
    #[error("a key is written NAME+ID+KEY")]
    Parts,
    /// Nothing, or something with white space, control characters or a `+`.
    #[error("the key's name is empty, or has white space, control characters or a + in it")]
    Name,
    /// The id is not eight digits in small letters.
    #[error("the key's id is not eight hexadecimal digits, in small letters")]
    Id,
    /// The key is not base64.
    #[error("the key is not base64 in its one form")]
    Base64,
    /// The key is for another algorithm, or has no byte that says which.
    #[error("the key is not one of Ed25519")]
    Algorithm,
    /// The key is not 32 bytes long, or they are not a key.
    #[error("the key is not 32 bytes that are a key of Ed25519")]
    Key,
    /// The id is that of another key or name.
    #[error("the key's id is {found}, and that of this name and key is {expected}")]
    OtherId {
        /// As written.
        found: KeyId,
        /// As it must be.
        expected: KeyId,
    },
}

/// The Ed25519 key by which a note is verified: a `vkey` of C2SP signed-note and of Go's `sumdb/note`, `NAME+ID+KEY`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The key of this name, with these 32 bytes (RFC 8032, section 5.1.5).
    ///
    /// # Errors
    ///
    /// If the name is not one for a key, or the bytes are no key.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, VerifierKeyError> {
        let key = VerifyingKey::from_bytes(public).map_err(|_| VerifierKeyError::Key)?;
        // A signature of such a key says nothing: it holds for more than one text.
        if key.is_weak() {
            return Err(VerifierKeyError::Key);
        }
        if !is_name(name) {
            return Err(VerifierKeyError::Name);
        }
        Ok(Self { name: name.to_owned(), id: key_id(name, public), key })
    }

    /// Reads `NAME+ID+KEY`: the id eight digits of hex, the key the base64 of the byte 1 and the 32 bytes. No newline.
    ///
    /// # Errors
    ///
    /// If anything is in another form, or the id is not that of name and key.
    pub fn parse(text: &str) -> Result<Self, VerifierKeyError> {
        let (name, rest) = text.split_once('+').ok_or(VerifierKeyError::Parts)?;
        let (id, key) = rest.split_once('+').ok_or(VerifierKeyError::Parts)?;
        let found = read_id(id).ok_or(VerifierKeyError::Id)?;
        let bytes = text::base64(key).ok_or(VerifierKeyError::Base64)?;
        let public = bytes.strip_prefix(&[ED25519]).ok_or(VerifierKeyError::Algorithm)?;
        let key = Self::new(name, public.try_into().map_err(|_| VerifierKeyError::Key)?)?;
        if key.id != found {
            return Err(VerifierKeyError::OtherId { found, expected: key.id });
        }
        Ok(key)
    }

    /// Whose it is. For a ledger this is its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells it from other keys of the name.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The 32 bytes (RFC 8032, section 5.1.5).
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether these are 64 bytes that this key signed the text with.
    pub(super) fn signed(&self, text: &str, signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key: Vec<u8> = std::iter::once(ED25519).chain(*self.public()).collect();
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

/// The id of an Ed25519 key: the beginning of SHA-256 over name, newline, algorithm and the 32 bytes (signed-note, "Signatures").
pub(in crate::ledger) fn key_id(name: &str, public: &[u8; 32]) -> KeyId {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(public).finalize();
    let [a, b, c, d, ..]: [u8; 32] = hash.into();
    KeyId([a, b, c, d])
}

/// Whether a key may have this name: it must be one word, and end where a `+` or a space stands.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c < ' ' || c == '+')
}

fn read_id(text: &str) -> Option<KeyId> {
    let id = KeyId(u32::from_str_radix(text, 16).ok()?.to_be_bytes());
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example key of the documentation of Go's sumdb/note.
    const GO: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn the_key_that_go_documents_is_read_and_written() {
        let key = VerifierKey::parse(GO).unwrap();
        assert_eq!((key.name(), key.id().to_string().as_str()), ("PeterNeumann", "c74f20a3"));
        assert_eq!(key.to_string(), GO);
        assert_eq!(VerifierKey::new("PeterNeumann", key.public()), Ok(key));
    }

    #[test]
    fn what_is_wrong_with_a_key_is_named() {
        let other = KeyId([0xc7, 0x4f, 0x20, 0xa4]);
        let expected = KeyId([0xc7, 0x4f, 0x20, 0xa3]);
        let wrong = [
            ("", VerifierKeyError::Parts),
            ("PeterNeumann+c74f20a3", VerifierKeyError::Parts),
            (&GO.replace("PeterNeumann", ""), VerifierKeyError::Name),
            (&GO.replace("PeterNeumann", "Peter Neumann"), VerifierKeyError::Name),
            (&GO.replace("PeterNeumann", "Peter\u{2003}"), VerifierKeyError::Name),
            (&GO.replace("PeterNeumann", "Peter\u{1}"), VerifierKeyError::Name),
            (&GO.replace("c74f", "C74F"), VerifierKeyError::Id),
            (&GO.replace("c74f", "+c74"), VerifierKeyError::Id),
            (&GO.replace("c74f20a3", "74f20a3"), VerifierKeyError::Id),
            (&GO.replace("c74f20a3", "c74f20a4"), VerifierKeyError::OtherId { found: other, expected }),
            (&format!("{GO}\n"), VerifierKeyError::Base64),
            (&GO.replace("ARpc", "ARp"), VerifierKeyError::Base64),
            (&GO.replace("ARpc", "AhpC"), VerifierKeyError::Algorithm),
            (&GO.replace("ARpc", ""), VerifierKeyError::Algorithm),
            (&GO.replace("2QcU", ""), VerifierKeyError::Key),
        ];
        for (text, error) in wrong {
            assert_eq!(VerifierKey::parse(text), Err(error), "{text}");
        }
        let renamed = VerifierKey::parse(&GO.replace("Peter", "Paul"));
        assert!(matches!(renamed, Err(VerifierKeyError::OtherId { found, .. }) if found == expected));
        assert_eq!(VerifierKey::new("weak", &[0; 32]), Err(VerifierKeyError::Key));
    }
}
