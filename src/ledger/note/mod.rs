//! Texts that are signed, in the layout of C2SP signed-note (<https://c2sp.org/signed-note>), which Go's `sumdb/note` reads too.
//!
//! A note is a text that ends in a newline, an empty line, and a line `— NAME SIGNATURE` for each key that signed the text. The text is signed
//! with its newline and without the empty line. `docs/ledger.md` tells how `openssl` verifies one.
//!
//! [`Signer::sign_note`](super::keys::Signer::sign_note) writes notes. Nothing in an unverified note may be believed.

mod key;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text;

pub(super) use key::key_id;
pub use key::{KeyId, VerifierKey, VerifierKeyError};

/// The longest note that is read, in bytes.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// The most signatures that a note may have: as many as signed-note wants to be read.
pub const MAX_SIGNATURES: usize = 16;

/// What begins the line of a signature: an em dash and a space.
const DASH: &str = "\u{2014} ";

/// Why a note is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteError {
    /// It is longer than [`MAX_NOTE_BYTES`].
    #[error("the note has {bytes} bytes, and at most {MAX_NOTE_BYTES} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It is not UTF-8.
    #[error("the note is not UTF-8 from byte {at}")]
    NotUtf8 {
        /// How many bytes before are.
        at: usize,
    },
    /// A control character that is no newline.
    #[error("line {line} of the note has a control character in it")]
    Control {
        /// Where, counted from 1.
        line: usize,
    },
    /// The last line, or that of a text that is to be signed, has no newline.
    #[error("the note's last line is not ended")]
    Unended,
    /// No empty line divides a text from signatures.
    #[error("the note has no empty line before its signatures")]
    NoSignatures,
    /// A signature's line is not of the form `— NAME SIGNATURE`.
    #[error("line {line} of the note is no signature")]
    SignatureLine {
        /// Where, counted from 1.
        line: usize,
    },
    /// The name of a key is empty, or no name.
    #[error("the name in line {line} of the note is not that of a key")]
    Name {
        /// Where, counted from 1.
        line: usize,
    },
    /// A signature is not base64, or not in its one form.
    #[error("the signature in line {line} of the note is not base64 in its one form")]
    Base64 {
        /// Where, counted from 1.
        line: usize,
    },
    /// A signature has the four bytes of a key's id at most.
    #[error("the signature in line {line} of the note is too short")]
    ShortSignature {
        /// Where, counted from 1.
        line: usize,
    },
    /// There are more than [`MAX_SIGNATURES`].
    #[error("the note has {count} signatures, and at most {MAX_SIGNATURES} are read")]
    TooManySignatures {
        /// How many.
        count: usize,
    },
    /// The key did not sign it.
    #[error("the note is not signed by {name} with the key {id}")]
    NotSigned {
        /// The key's name.
        name: String,
        /// The key's id.
        id: KeyId,
    },
    /// What stands there as the key's signature is none.
    #[error("the note's signature by {name} with the key {id} is wrong")]
    WrongSignature {
        /// The key's name.
        name: String,
        /// The key's id.
        id: KeyId,
    },
}

/// A line of a note that says that a key signed it. Unverified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: KeyId,
    /// The signature in the form of the key's algorithm; one byte at least.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.id.0.iter().chain(&self.bytes).copied().collect();
        write!(f, "{DASH}{} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A note as it was read. Unverified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What is signed; ends in a newline.
    pub text: String,
    /// By whom, in the order they stand in.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note. [`to_text`](Self::to_text) of what was read are the same bytes.
    ///
    /// # Errors
    ///
    /// If it is not exactly of the form of a note, is longer than [`MAX_NOTE_BYTES`], or has more than [`MAX_SIGNATURES`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let whole = std::str::from_utf8(bytes).map_err(|error| NoteError::NotUtf8 { at: error.valid_up_to() })?;
        check_text(whole)?;
        // The text keeps its newline; the last empty line ends it.
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let before = text.split('\n').count().saturating_add(1);
        let signatures: Vec<_> =
            lines.split('\n').zip(before.saturating_add(1)..).map(signature).collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures { count: signatures.len() });
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// The note's bytes.
    pub fn to_text(&self) -> String {
        let lines = self.signatures.iter().map(|signature| format!("{signature}\n"));
        format!("{}\n{}", self.text, lines.collect::<String>())
    }

    /// Whether this key signed the text. Signatures of other keys are passed over, whatever they are.
    ///
    /// # Errors
    ///
    /// If it did not, or if any signature that bears its name and id is wrong.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let (name, id) = (key.name(), key.id());
        let mut signed = false;
        for signature in self.signatures.iter().filter(|signature| signature.name == name && signature.id == id) {
            if !key.signed(&self.text, &signature.bytes) {
                return Err(NoteError::WrongSignature { name: name.to_owned(), id });
            }
            signed = true;
        }
        if signed { Ok(()) } else { Err(NoteError::NotSigned { name: name.to_owned(), id }) }
    }
}

/// Whether a text can stand in a note.
pub(super) fn check_text(text: &str) -> Result<(), NoteError> {
    let wrong = |line: &str| line.bytes().any(|byte| byte < b' ');
    if let Some((line, _)) = (1..).zip(text.split('\n')).find(|(_, line)| wrong(line)) {
        return Err(NoteError::Control { line });
    }
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::Unended) }
}

fn signature((text, line): (&str, usize)) -> Result<NoteSignature, NoteError> {
    let (name, signature) =
        text.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(NoteError::SignatureLine { line })?;
    if !key::is_name(name) {
        return Err(NoteError::Name { line });
    }
    let bytes = text::base64(signature).ok_or(NoteError::Base64 { line })?;
    match bytes.split_first_chunk() {
        Some((id, bytes)) if !bytes.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), id: KeyId(*id), bytes: bytes.to_vec() })
        }
        _ => Err(NoteError::ShortSignature { line }),
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn key(seed: u8, name: &str) -> (SigningKey, VerifierKey) {
        let secret = SigningKey::from_bytes(&[seed; 32]);
        let public = VerifierKey::new(name, secret.verifying_key().as_bytes()).unwrap();
        (secret, public)
    }

    fn signed(text: &str, by: &[(SigningKey, VerifierKey)]) -> Note {
        let sign = |(secret, public): &(SigningKey, VerifierKey)| NoteSignature {
            name: public.name().to_owned(),
            id: public.id(),
            bytes: secret.sign(text.as_bytes()).to_vec(),
        };
        Note { text: text.to_owned(), signatures: by.iter().map(sign).collect() }
    }

    #[test]
    fn the_last_empty_line_divides_text_and_signatures() {
        for text in ["One line.\n", "\n", "Two\n\n— lines with DASHES==\n\n", "\n\n"] {
            let note = signed(text, &[key(1, "first.example"), key(2, "second.example")]);
            let read = Note::parse(note.to_text().as_bytes()).unwrap();
            assert_eq!(read, note);
            assert_eq!(read.verify(&key(1, "first.example").1), Ok(()));
        }
    }

    #[test]
    fn signatures_of_others_are_passed_over_and_wrong_ones_are_not() {
        let (known, other) = (key(1, "first.example"), key(2, "first.example"));
        let mut note = signed("One line.\n", &[known.clone(), other.clone()]);
        note.signatures[1].bytes[0] ^= 1;
        assert_eq!(note.verify(&known.1), Ok(()));
        let (name, id) = ("first.example".to_owned(), other.1.id());
        assert_eq!(note.verify(&other.1), Err(NoteError::WrongSignature { name, id }));
        let absent = key(1, "second.example").1;
        let (name, id) = ("second.example".to_owned(), absent.id());
        assert_eq!(note.verify(&absent), Err(NoteError::NotSigned { name, id }));
        // One that is right does not make up for one that is wrong, and one of another length is wrong.
        let mut twice = signed("One line.\n", &[known.clone(), known.clone()]);
        twice.signatures[1].bytes.push(0);
        assert!(matches!(twice.verify(&known.1), Err(NoteError::WrongSignature { .. })));
    }

    #[test]
    fn what_is_wrong_with_a_note_is_named() {
        let wrong: [(&[u8], NoteError); 15] = [
            (b"", NoteError::Unended),
            (b"text", NoteError::Unended),
            (b"text\n", NoteError::NoSignatures),
            (b"text\n\n", NoteError::NoSignatures),
            ("text\n\n— a AAAAAAA=".as_bytes(), NoteError::Unended),
            (b"te\xffxt\n", NoteError::NotUtf8 { at: 2 }),
            (b"text\n\tmore\n", NoteError::Control { line: 2 }),
            ("text\n— a AAAAAAA=\n".as_bytes(), NoteError::NoSignatures),
            (b"text\n\n- a AAAAAAA=\n", NoteError::SignatureLine { line: 3 }),
            ("te\n\nxt\n\n— a AAAAAAA=\n— a\n".as_bytes(), NoteError::SignatureLine { line: 6 }),
            ("text\n\n—  AAAAAAA=\n".as_bytes(), NoteError::Name { line: 3 }),
            ("text\n\n— a+b AAAAAAA=\n".as_bytes(), NoteError::Name { line: 3 }),
            ("text\n\n— a  AAAAAAA=\n".as_bytes(), NoteError::Base64 { line: 3 }),
            ("text\n\n— a AAAAAAB=\n".as_bytes(), NoteError::Base64 { line: 3 }),
            ("text\n\n— a AAAAAA==\n".as_bytes(), NoteError::ShortSignature { line: 3 }),
        ];
        for (bytes, error) in wrong {
            assert_eq!(Note::parse(bytes), Err(error), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn notes_have_their_limits() {
        let line = "— a AAAAAAA=\n";
        let with = |text: &str, count: usize| format!("{text}\n\n{}", line.repeat(count));
        assert_eq!(Note::parse(with("text", 16).as_bytes()).unwrap().signatures.len(), 16);
        assert_eq!(Note::parse(with("text", 17).as_bytes()), Err(NoteError::TooManySignatures { count: 17 }));
        let room = MAX_NOTE_BYTES - 2 - line.len();
        assert!(Note::parse(with(&"a".repeat(room), 1).as_bytes()).is_ok());
        let bytes = MAX_NOTE_BYTES + 1;
        assert_eq!(Note::parse(with(&"a".repeat(room + 1), 1).as_bytes()), Err(NoteError::TooLong { bytes }));
    }
}
