//! What the access ledger says of an access: who, in what role, under what kind of process; never whom it was about.
//!
//! An entry is plain text, one `name value` a line, in a fixed order, and durable before the answer leaves. It holds no
//! address, no subscriber and no result; the process and its identifiers only as a commitment under a salt that goes to
//! the asker alone. Log the access, never the result: a log of answers would be a shadow copy of what was destroyed.

mod entry;

use std::fmt;
use std::str::FromStr;

use crate::canonical::{Word, named};
use crate::domain::actor::{Principal, Role};
use crate::domain::process::{Class, ProcessType, ProcessTypes};
use crate::domain::time::Timestamp;

pub use crate::canonical::ParseError;
pub use entry::Entry;

/// The papers that a lookup names.
#[derive(Clone, PartialEq, Eq)]
pub struct Papers {
    /// The kind of process.
    pub process: ProcessType,
    /// The asker's case number.
    pub case: String,
    /// The court, agency or statute.
    pub authority: String,
}

impl fmt::Debug for Papers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Papers({})", self.process)
    }
}

/// Hides what it commits to from everyone who does not have it. It goes to the asker with the answer and is not kept.
#[derive(Clone, Copy)]
pub struct Salt(pub [u8; 32]);

impl FromStr for Salt {
    type Err = &'static str;

    /// Reads 64 digits in hex.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Word::read(&text.to_ascii_lowercase()).map(Self).ok_or("64 digits in hex are expected")
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

impl Papers {
    /// BLAKE3 keyed with the salt, over the type, the case and the authority, each after its length (u32, big endian).
    pub fn commitment(&self, salt: &Salt) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&salt.0);
        for part in [self.process.name(), &self.case, &self.authority] {
            hasher.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().into()
    }
}

/// Who asked for personal data, and under what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When.
    pub at: Timestamp,
    /// Who, as a keyed hash.
    pub actor: [u8; 8],
    /// In what role.
    pub role: Role,
    /// A random number that ties the answer to this entry.
    pub request: [u8; 16],
    /// Under what class of process.
    pub class: Class,
    /// Which table of process types decided what is released: SHA-256 of its file.
    pub process_types: [u8; 32],
    /// The papers, under a salt.
    pub papers: [u8; 32],
}

impl Access {
    /// The access of `principal`, whose pseudonym is `actor`.
    pub fn new(
        at: Timestamp,
        actor: [u8; 8],
        principal: &Principal,
        request: [u8; 16],
        papers: &Papers,
        salt: &Salt,
        table: &ProcessTypes,
    ) -> Self {
        let class = table.class(papers.process);
        let papers = papers.commitment(salt);
        Self { at, actor, role: principal.role, request, class, process_types: table.digest, papers }
    }
}

named! {
    /// What is done to a request on file.
    pub enum RequestAct {
        /// It was filed.
        Opened = "opened",
        /// Items were added.
        ItemsAdded = "items-added",
        /// Fields were added to its papers.
        FieldsAdded = "fields-added",
        /// Somebody approved it.
        Approved = "approved",
        /// Somebody tried to approve it who may not.
        ApprovalRefused = "approval-refused",
        /// The legal process that an emergency waited for was named.
        FollowedUp = "followed-up",
        /// Its items and what became of them were read.
        Shown = "shown",
        /// Its answers were put together for whoever asked.
        Packaged = "packaged",
        /// A no-records certificate was asked for, whatever came of it.
        Certificate = "certificate",
        /// It was closed.
        Closed = "closed",
    }
}

named! {
    /// What is done to a hold.
    pub enum HoldAct {
        /// It was placed.
        Placed = "placed",
        /// Somebody approved it.
        Approved = "approved",
        /// Somebody tried to approve it who may not.
        ApprovalRefused = "approval-refused",
        /// It was attached to a request.
        Attached = "attached",
        /// Its time was made longer.
        Renewed = "renewed",
        /// It was destroyed before its time.
        Released = "released",
    }
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commitment_opens_with_its_salt_and_parts_do_not_run_together() {
        let papers = |case: &str, authority: &str| Papers {
            process: ProcessType::Subpoena,
            case: case.into(),
            authority: authority.into(),
        };
        let salt = Salt([7; 32]);
        assert_eq!(papers("a", "b").commitment(&salt), papers("a", "b").commitment(&salt));
        assert_ne!(papers("a", "b").commitment(&salt), papers("ab", "").commitment(&salt));
        assert_ne!(papers("a", "b").commitment(&salt), papers("a", "b").commitment(&Salt([8; 32])));
    }
}
