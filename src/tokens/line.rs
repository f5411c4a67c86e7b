//! The lines of the token file: one a token, one a revocation, and never changed once written.
//!
//! `v1 NAME ROLE HASH` is a token without an end, as earlier versions minted them; `v2 NAME ROLE HASH MINTED EXPIRES` is
//! one with its instants (RFC 3339 in UTC); `revoke NAME AT` ends every token of that name above it.

use std::fmt;

use crate::domain::actor::Role;
use crate::domain::rfc3339;
use crate::domain::time::Timestamp;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A token was minted.
    Minted {
        /// For whom.
        name: String,
        /// As what.
        role: Role,
        /// The token's BLAKE3 hash, in hex.
        hash: String,
        /// From when to when it counts; `None` of a `v1` line.
        term: Option<Term>,
    },
    /// All tokens of a name were revoked.
    Revoked {
        /// Whose.
        name: String,
        /// When.
        at: Timestamp,
    },
}

/// From when to when a token counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// When it was minted.
    pub minted: Timestamp,
    /// From this instant on it is refused.
    pub expires: Timestamp,
}

impl Line {
    /// Reads a line; `None` if this version writes no such line.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let minted = |name: &str, role: &str, hash: &str, term: Option<Term>| {
            Some(Self::Minted { name: name.to_owned(), role: role.parse().ok()?, hash: hash.to_owned(), term })
        };
        match words.as_slice() {
            ["v1", name, role, hash] => minted(name, role, hash, None),
            ["v2", name, role, hash, from, until] => {
                let term = Term { minted: rfc3339::parse(from).ok()?, expires: rfc3339::parse(until).ok()? };
                minted(name, role, hash, Some(term))
            }
            ["revoke", name, at] => Some(Self::Revoked { name: (*name).to_owned(), at: rfc3339::parse(at).ok()? }),
            _ => None,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minted { name, role, hash, term: None } => write!(f, "v1 {name} {role} {hash}"),
            Self::Minted { name, role, hash, term: Some(Term { minted, expires }) } => {
                write!(f, "v2 {name} {role} {hash} {minted} {expires}")
            }
            Self::Revoked { name, at } => write!(f, "revoke {name} {at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let lines = [
            "v1 desk-1 analyst 00ff",
            "v2 desk-1 analyst 00ff 2026-11-21T20:40:32.094Z 2027-11-21T20:40:32.094Z",
            "revoke desk-1 2026-11-22T08:00:00.000Z",
        ];
        for line in lines {
            assert_eq!(Line::parse(line).unwrap().to_string(), line);
        }
    }

    #[test]
    fn what_no_version_writes_is_no_line() {
        let short = "v2 desk-1 analyst 00ff 2026-11-21T20:40:32Z";
        for line in
            ["", "v1 desk-1 boss 00ff", "v1 desk-1 analyst", short, "revoke desk-1", "revoke desk-1 today", "v3"]
        {
            assert_eq!(Line::parse(line), None, "{line}");
        }
    }
}
