//! Shared secrets, each alone in its file.
//!
//! A secret is never printed, never part of an error, and wiped from memory when it is dropped.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The longest file that is read. RFC 2865, section 3, asks for at least 16 octets and knows no upper limit.
const LONGEST: usize = 4096;

/// A secret shared with a RADIUS client (RFC 2865, section 3). Never empty.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

/// A secret as its file gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFile {
    /// The secret.
    pub secret: Secret,
    /// May the file's group or everybody read it?
    pub exposed: bool,
}

/// Why a secret cannot be used. Says nothing of its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The file is missing, or may not be read.
    #[error("{reason}")]
    Unreadable {
        /// What the system said.
        reason: io::ErrorKind,
    },
    /// A directory, a pipe or a device: reading one might never end.
    #[error("not a regular file")]
    NotAFile,
    /// Nothing but a line end, at most. An empty secret authenticates everybody.
    #[error("the file is empty")]
    Empty,
    /// More than anybody types: most likely another file.
    #[error("the file is longer than {LONGEST} bytes")]
    TooLong,
    /// A line end in the middle, a NUL, a tab: most likely another file, or one with two secrets in it.
    #[error("byte {position} of the file is a control character")]
    ControlCharacter {
        /// Counted from 1.
        position: usize,
    },
}

impl Secret {
    /// The secret in a file's bytes; one line end after it is no part of it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        let line = bytes.strip_suffix(b"\n").map_or(bytes, |line| line.strip_suffix(b"\r").unwrap_or(line));
        if line.is_empty() {
            return Err(SecretError::Empty);
        }
        if bytes.len() > LONGEST {
            return Err(SecretError::TooLong);
        }
        match line.iter().position(u8::is_ascii_control) {
            Some(index) => Err(SecretError::ControlCharacter { position: index.saturating_add(1) }),
            None => Ok(Self(line.to_vec())),
        }
    }

    /// Reads the secret's file.
    pub fn read(path: &Path) -> Result<SecretFile, SecretError> {
        let unreadable = |error: io::Error| SecretError::Unreadable { reason: error.kind() };
        // Before it is opened: opening a pipe waits for its other end.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(SecretError::NotAFile);
        }
        let file = fs::File::open(path).map_err(unreadable)?;
        let exposed = file.metadata().map_err(unreadable)?.permissions().mode() & 0o044 != 0;
        // Large enough from the start: a vector that grows leaves copies behind.
        let mut bytes = Zeroizing::new(vec![0; LONGEST + 1]);
        let length = fill(&file, &mut bytes).map_err(unreadable)?;
        bytes.truncate(length);
        Ok(SecretFile { secret: Self::from_bytes(&bytes)?, exposed })
    }

    /// The secret itself: for authenticators only.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Reads until the buffer is full or the file ends; returns how much was read.
fn fill(mut file: &fs::File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled: usize = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_no_part_of_a_secret() {
        for bytes in [&b"Tr0ub4dor"[..], b"Tr0ub4dor\n", b"Tr0ub4dor\r\n"] {
            assert_eq!(Secret::from_bytes(bytes).unwrap().as_bytes(), b"Tr0ub4dor");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let cases = [
            (&b""[..], SecretError::Empty),
            (b"\n", SecretError::Empty),
            (b"\r\n", SecretError::Empty),
            (b"one\ntwo\n", SecretError::ControlCharacter { position: 4 }),
            (b"one\n\n", SecretError::ControlCharacter { position: 4 }),
            (b"\0one", SecretError::ControlCharacter { position: 1 }),
            (&[b'a'; LONGEST + 1], SecretError::TooLong),
        ];
        for (bytes, error) in cases {
            assert_eq!(Secret::from_bytes(bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_secret() {
        assert_eq!(format!("{:?}", Secret::from_bytes(b"Tr0ub4dor").unwrap()), "Secret(..)");
    }

    #[test]
    fn a_directory_and_a_missing_file_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Secret::read(dir.path()), Err(SecretError::NotAFile));
        let missing = Secret::read(&dir.path().join("missing"));
        assert_eq!(missing, Err(SecretError::Unreadable { reason: io::ErrorKind::NotFound }));
    }
}
