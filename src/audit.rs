//! What the access ledger says of an access: who, in what role, under what kind of process; never whom it was about.
//!
//! An entry is plain text, one `name value` a line, in a fixed order, and durable before the answer leaves. It holds no
//! address, no subscriber and no result; the process and its identifiers only as a commitment under a salt that goes to
//! the asker alone. Log the access, never the result: a log of answers would be a shadow copy of what was destroyed.

use std::fmt;

use crate::domain::actor::{Principal, Role};
use crate::domain::clock_guard::Reason;
use crate::domain::finding::Finding;
use crate::domain::process::{Class, ProcessType, ProcessTypes};
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

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

impl Papers {
    /// BLAKE3 keyed with the salt, over the type, the case and the authority, each after its length (u32, big endian).
    pub fn commitment(&self, salt: &Salt) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&salt.0);
        for part in [self.process.name(), &self.case, &self.authority] {
            hasher.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
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
    pub papers: String,
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

    /// The lines that every access has before its outcome.
    fn head(&self) -> String {
        let Self { at, actor, role, request, class, process_types, .. } = self;
        let (actor, request, table) = (hex(actor), hex(request), hex(process_types));
        format!("time {at}\nactor {actor}\nrole {role}\nrequest {request}\nclass {class}\nprocess-types {table}\n")
    }
}

/// What is done to a request on file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestAct {
    /// It was filed.
    Opened,
    /// Items were added.
    ItemsAdded,
    /// Somebody approved it.
    Approved,
    /// Its items and what became of them were read.
    Shown,
    /// Its answers were put together for whoever asked.
    Packaged,
    /// A no-records certificate was asked for, whatever came of it.
    Certificate,
    /// It was closed.
    Closed,
}

impl RequestAct {
    /// The name in entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::ItemsAdded => "items-added",
            Self::Approved => "approved",
            Self::Shown => "shown",
            Self::Packaged => "packaged",
            Self::Certificate => "certificate",
            Self::Closed => "closed",
        }
    }
}

/// What is done to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldAct {
    /// It was placed.
    Placed,
    /// Somebody approved it.
    Approved,
    /// It was attached to a request.
    Attached,
    /// Its time was made longer.
    Renewed,
    /// It was destroyed before its time.
    Released,
}

impl HoldAct {
    /// The name in entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Approved => "approved",
            Self::Attached => "attached",
            Self::Renewed => "renewed",
            Self::Released => "released",
        }
    }
}

/// One entry of the access ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A lookup was answered.
    Lookup {
        /// Who asked, and under what.
        access: Access,
        /// With what outcome.
        verdict: Verdict,
    },
    /// What one subscriber had was looked up.
    Subscriber {
        /// Who asked, and under what.
        access: Access,
        /// With what outcome.
        finding: Finding,
        /// How many logons were found.
        logons: usize,
        /// How many assignments were found.
        assignments: usize,
    },
    /// Something was done to a request on file.
    Request {
        /// Who did it, and under what.
        access: Access,
        /// What.
        act: RequestAct,
        /// How many items it has.
        items: usize,
        /// How many of them were captured by that.
        captured: u32,
    },
    /// Something was done to a hold.
    Hold {
        /// Who did it, and under what; the request is the one that it was placed for, or is attached to.
        access: Access,
        /// What.
        act: HoldAct,
        /// The hold: a random number.
        hold: [u8; 16],
        /// How many statements are in it.
        records: usize,
    },
    /// Someone accepted a wall clock that was in doubt.
    ClockAccepted {
        /// When, by the last trusted instant and CLOCK_BOOTTIME.
        at: Timestamp,
        /// Who, as a keyed hash.
        actor: [u8; 8],
        /// In what role.
        role: Role,
        /// Why it was in doubt.
        reason: Reason,
        /// How far the accepted clock is from where it should be, in whole seconds; negative if it is behind.
        step: i64,
    },
    /// A bearer token was made.
    TokenMinted {
        /// When the daemon first saw it.
        at: Timestamp,
        /// For whom, as a keyed hash.
        actor: [u8; 8],
        /// With what role.
        role: Role,
    },
    /// Tokens that do not count came too often from one place, and it is not listened to for a while. One entry stands for
    /// the whole burst.
    LockedOut {
        /// When.
        at: Timestamp,
        /// Where they came from, a user or an address, as a keyed hash.
        origin: [u8; 8],
        /// How many there were.
        failures: u32,
        /// For how many seconds nothing from there is answered.
        lasts: u64,
    },
    /// All bearer tokens of a name were revoked.
    TokenRevoked {
        /// When the daemon first saw it.
        at: Timestamp,
        /// Whose, as a keyed hash.
        actor: [u8; 8],
        /// That name's role.
        role: Role,
    },
}

impl Entry {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = match self {
            Self::Lookup { access, verdict } => {
                let Access { papers, .. } = access;
                format!("lapsed-access-v1 lookup\n{}verdict {verdict}\nitems 1\npapers {papers}\n", access.head())
            }
            Self::Subscriber { access, finding, logons, assignments } => format!(
                "lapsed-access-v1 subscriber\n{}finding {finding}\nlogons {logons}\nassignments {assignments}\npapers {}\n",
                access.head(),
                access.papers,
            ),
            Self::Request { access, act, items, captured } => format!(
                "lapsed-access-v1 request\n{}act {}\nitems {items}\ncaptured {captured}\npapers {}\n",
                access.head(),
                act.name(),
                access.papers,
            ),
            Self::Hold { access, act, hold, records } => format!(
                "lapsed-access-v1 hold\n{}act {}\nhold {}\nrecords {records}\npapers {}\n",
                access.head(),
                act.name(),
                hex(hold),
                access.papers,
            ),
            Self::ClockAccepted { at, actor, role, reason, step } => format!(
                "lapsed-access-v1 clock-accepted\ntime {at}\nactor {}\nrole {role}\nreason {reason}\nstep {step}\n",
                hex(actor),
            ),
            Self::TokenMinted { at, actor, role } => {
                format!("lapsed-access-v1 token-minted\ntime {at}\nactor {}\nrole {role}\n", hex(actor))
            }
            Self::LockedOut { at, origin, failures, lasts } => format!(
                "lapsed-access-v1 locked-out\ntime {at}\norigin {}\nfailures {failures}\nlasts {lasts}\n",
                hex(origin),
            ),
            Self::TokenRevoked { at, actor, role } => {
                format!("lapsed-access-v1 token-revoked\ntime {at}\nactor {}\nrole {role}\n", hex(actor))
            }
        };
        text.into_bytes()
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

    fn access(role: Role) -> Access {
        let papers =
            Papers { process: ProcessType::Subpoena, case: "24-CR-1022".into(), authority: "Example Court".into() };
        let principal = Principal::new("desk-1", role);
        let table = ProcessTypes { digest: [4; 32], ..ProcessTypes::default() };
        let at = Timestamp::from_millis(1_700_000_000_123);
        Access::new(at, [1; 8], &principal, [2; 16], &papers, &Salt([3; 32]), &table)
    }

    #[test]
    fn an_entry_has_fixed_bytes_and_names_nobody() {
        let head = |role: &str| {
            let table = "04".repeat(32);
            format!(
                "time 2023-11-14T22:13:20.123Z\nactor 0101010101010101\nrole {role}\nrequest 02020202020202020202020202020202\nclass compelled\nprocess-types {table}\n"
            )
        };
        let lookup = Entry::Lookup { access: access(Role::Analyst), verdict: Verdict::Attributed };
        let finding = Finding::Found;
        let subscriber = Entry::Subscriber { access: access(Role::Approver), finding, logons: 1, assignments: 12 };
        for (entry, role, kind, outcome) in [
            (lookup, "analyst", "lookup", "verdict attributed\nitems 1\n"),
            (subscriber, "approver", "subscriber", "finding found\nlogons 1\nassignments 12\n"),
        ] {
            let text = String::from_utf8(entry.to_bytes()).unwrap();
            let expected = format!("lapsed-access-v1 {kind}\n{}{outcome}papers ", head(role));
            assert!(text.starts_with(&expected) && text.ends_with('\n'), "{text}");
            assert_eq!(text.len(), expected.len() + 64 + 1);
            for hidden in ["desk-1", "24-CR", "Example", "subpoena"] {
                assert!(!text.contains(hidden), "{hidden} in {text}");
            }
        }
    }

    #[test]
    fn an_accepted_clock_has_fixed_bytes() {
        let entry = Entry::ClockAccepted {
            at: Timestamp::from_millis(1_700_000_000_123),
            actor: [1; 8],
            role: Role::Operator,
            reason: Reason::WentBack,
            step: -86_400,
        };
        let text = "lapsed-access-v1 clock-accepted\ntime 2023-11-14T22:13:20.123Z\nactor 0101010101010101\nrole operator\nreason went-back\nstep -86400\n";
        assert_eq!(String::from_utf8(entry.to_bytes()).unwrap(), text);
    }

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
