//! An entry of the access ledger at a glance: who, when, and what counts.

use super::Actor;
use crate::domain::finding::Finding;
use crate::domain::rfc3339;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

/// What an entry says of its actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What they did.
    pub deed: Deed,
}

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// They asked about somebody.
    Asked {
        /// Of a time that is past the horizon.
        purged: bool,
    },
    /// They tried to approve what they may not.
    ApprovalRefused,
    /// Something that is not counted.
    Other,
}

impl Glance {
    /// Reads an entry (docs/format.md). `None` if it is none that this version knows how to read.
    pub fn of(entry: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(entry).ok()?;
        let field = |name: &str| text.lines().skip(1).find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let at = rfc3339::parse(field("time")?).ok()?;
        let actor = actor(field("actor")?)?;
        let deed = match text.lines().next()?.strip_prefix("lapsed-access-v1 ")? {
            "lookup" => Deed::Asked { purged: field("verdict")? == Verdict::Purged.name() },
            "subscriber" => Deed::Asked { purged: field("finding")? == Finding::Purged.name() },
            "request" | "hold" if field("act")? == "approval-refused" => Deed::ApprovalRefused,
            _ => Deed::Other,
        };
        Some(Self { at, actor, deed })
    }
}

fn actor(hex: &str) -> Option<Actor> {
    let number = u64::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 16)?;
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Access, Entry, Papers, RequestAct, Salt};
    use crate::domain::actor::{Principal, Role};
    use crate::domain::process::{ProcessType, ProcessTypes};

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_123);

    fn access() -> Access {
        let papers = Papers { process: ProcessType::Subpoena, case: "24-CR-1022".into(), authority: "x".into() };
        let principal = Principal::new("desk-1", Role::Analyst);
        Access::new(AT, [0xfe; 8], &principal, [2; 16], &papers, &Salt([3; 32]), &ProcessTypes::default())
    }

    #[test]
    fn what_the_ledger_writes_is_read() {
        let refused = RequestAct::ApprovalRefused;
        for (entry, deed) in [
            (Entry::Lookup { access: access(), verdict: Verdict::Attributed }, Deed::Asked { purged: false }),
            (Entry::Lookup { access: access(), verdict: Verdict::Purged }, Deed::Asked { purged: true }),
            (
                Entry::Subscriber { access: access(), finding: Finding::Purged, logons: 0, assignments: 0 },
                Deed::Asked { purged: true },
            ),
            (Entry::Request { access: access(), act: refused, items: 1, captured: 0 }, Deed::ApprovalRefused),
            (Entry::Request { access: access(), act: RequestAct::Opened, items: 1, captured: 0 }, Deed::Other),
            (Entry::TokenMinted { at: AT, actor: [0xfe; 8], role: Role::Analyst }, Deed::Other),
        ] {
            assert_eq!(Glance::of(&entry.to_bytes()), Some(Glance { at: AT, actor: [0xfe; 8], deed }));
        }
    }

    #[test]
    fn what_is_no_entry_is_passed_over() {
        for bytes in
            [b"".as_slice(), b"\xff", b"lapsed-access-v1 lookup\n", b"lapsed-access-v1 lookup\ntime x\nactor y\n"]
        {
            assert_eq!(Glance::of(bytes), None);
        }
    }
}
