//! The canonical bytes of an entry of the access ledger, both ways.

use crate::canonical::{Lines, ParseError, Word};
use crate::domain::actor::Role;
use crate::domain::clock_guard::Reason;
use crate::domain::finding::Finding;
use crate::domain::time::Timestamp;
use crate::domain::verdict::Verdict;

use super::{Access, HoldAct, RequestAct};

const FIRST: &str = "lapsed-access-v1";

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

/// The text so far.
struct Text(String);

impl Text {
    fn of(kind: &str) -> Self {
        Self(format!("{FIRST} {kind}\n"))
    }

    fn line(mut self, name: &str, value: &impl Word) -> Self {
        for part in [name, " ", &value.word(), "\n"] {
            self.0.push_str(part);
        }
        self
    }

    fn access(self, access: &Access) -> Self {
        self.line("time", &access.at)
            .line("actor", &access.actor)
            .line("role", &access.role)
            .line("request", &access.request)
            .line("class", &access.class)
            .line("process-types", &access.process_types)
    }
}

impl Entry {
    /// When what it tells of happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Lookup { access, .. }
            | Self::Subscriber { access, .. }
            | Self::Request { access, .. }
            | Self::Hold { access, .. } => access.at,
            Self::ClockAccepted { at, .. }
            | Self::TokenMinted { at, .. }
            | Self::LockedOut { at, .. }
            | Self::TokenRevoked { at, .. } => *at,
        }
    }

    /// Who asked, and under what; of what is no access to personal data, nothing.
    pub const fn access(&self) -> Option<&Access> {
        match self {
            Self::Lookup { access, .. }
            | Self::Subscriber { access, .. }
            | Self::Request { access, .. }
            | Self::Hold { access, .. } => Some(access),
            Self::ClockAccepted { .. }
            | Self::TokenMinted { .. }
            | Self::LockedOut { .. }
            | Self::TokenRevoked { .. } => None,
        }
    }

    /// The canonical bytes: plain text, one `name value` a line, in a fixed order (`docs/format.md`).
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = match self {
            Self::Lookup { access, verdict } => Text::of("lookup")
                .access(access)
                .line("verdict", verdict)
                .line("items", &ONE)
                .line("papers", &access.papers),
            Self::Subscriber { access, finding, logons, assignments } => Text::of("subscriber")
                .access(access)
                .line("finding", finding)
                .line("logons", logons)
                .line("assignments", assignments)
                .line("papers", &access.papers),
            Self::Request { access, act, items, captured } => Text::of("request")
                .access(access)
                .line("act", act)
                .line("items", items)
                .line("captured", captured)
                .line("papers", &access.papers),
            Self::Hold { access, act, hold, records } => Text::of("hold")
                .access(access)
                .line("act", act)
                .line("hold", hold)
                .line("records", records)
                .line("papers", &access.papers),
            Self::ClockAccepted { at, actor, role, reason, step } => Text::of("clock-accepted")
                .line("time", at)
                .line("actor", actor)
                .line("role", role)
                .line("reason", reason)
                .line("step", step),
            Self::TokenMinted { at, actor, role } => {
                Text::of("token-minted").line("time", at).line("actor", actor).line("role", role)
            }
            Self::TokenRevoked { at, actor, role } => {
                Text::of("token-revoked").line("time", at).line("actor", actor).line("role", role)
            }
            Self::LockedOut { at, origin, failures, lasts } => Text::of("locked-out")
                .line("time", at)
                .line("origin", origin)
                .line("failures", failures)
                .line("lasts", lasts),
        };
        text.0.into_bytes()
    }

    /// Reads the canonical bytes, and takes no others: whatever this returns has exactly these bytes.
    ///
    /// # Errors
    ///
    /// If [`Entry::to_bytes`] writes these bytes for no entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut lines = Lines::of(bytes)?;
        let (kind, unknown) =
            lines.read(FIRST, |words| Ok((words.text("a kind of entry")?, words.wrong("a kind of entry"))))?;
        let entry = match kind {
            "lookup" => read_lookup(&mut lines)?,
            "subscriber" => read_subscriber(&mut lines)?,
            "request" => read_request(&mut lines)?,
            "hold" => read_hold(&mut lines)?,
            "clock-accepted" => {
                let (at, actor, role) = read_whom(&mut lines)?;
                let reason = lines.one("reason", "why a clock is in doubt")?;
                Self::ClockAccepted { at, actor, role, reason, step: lines.one("step", "seconds")? }
            }
            "token-minted" => {
                let (at, actor, role) = read_whom(&mut lines)?;
                Self::TokenMinted { at, actor, role }
            }
            "token-revoked" => {
                let (at, actor, role) = read_whom(&mut lines)?;
                Self::TokenRevoked { at, actor, role }
            }
            "locked-out" => Self::LockedOut {
                at: lines.one("time", "an instant")?,
                origin: lines.one("origin", "8 bytes in hex")?,
                failures: lines.one("failures", "a number")?,
                lasts: lines.one("lasts", "seconds")?,
            },
            _ => return Err(unknown),
        };
        lines.end()?;
        // Everything has been looked at; this holds whatever was forgotten.
        if entry.to_bytes() == bytes { Ok(entry) } else { Err(ParseError::NotCanonical) }
    }
}

/// A lookup is of one item.
const ONE: u32 = 1;

fn read_lookup(lines: &mut Lines<'_>) -> Result<Entry, ParseError> {
    let access = read_access(lines)?;
    let verdict = lines.one("verdict", "a verdict")?;
    if lines.one::<u32>("items", "1")? != ONE {
        return Err(ParseError::Derived("items"));
    }
    Ok(Entry::Lookup { access: read_papers(lines, access)?, verdict })
}

fn read_subscriber(lines: &mut Lines<'_>) -> Result<Entry, ParseError> {
    let access = read_access(lines)?;
    let finding = lines.one("finding", "a finding")?;
    let (logons, assignments) = (lines.one("logons", "a number")?, lines.one("assignments", "a number")?);
    Ok(Entry::Subscriber { access: read_papers(lines, access)?, finding, logons, assignments })
}

fn read_request(lines: &mut Lines<'_>) -> Result<Entry, ParseError> {
    let access = read_access(lines)?;
    let act = lines.one("act", "what is done to a request")?;
    let (items, captured) = (lines.one("items", "a number")?, lines.one("captured", "a number")?);
    Ok(Entry::Request { access: read_papers(lines, access)?, act, items, captured })
}

fn read_hold(lines: &mut Lines<'_>) -> Result<Entry, ParseError> {
    let access = read_access(lines)?;
    let act = lines.one("act", "what is done to a hold")?;
    let (hold, records) = (lines.one("hold", "16 bytes in hex")?, lines.one("records", "a number")?);
    Ok(Entry::Hold { access: read_papers(lines, access)?, act, hold, records })
}

/// The lines that every access has before its outcome; its papers come last.
fn read_access(lines: &mut Lines<'_>) -> Result<Access, ParseError> {
    let (at, actor, role) = read_whom(lines)?;
    Ok(Access {
        at,
        actor,
        role,
        request: lines.one("request", "16 bytes in hex")?,
        class: lines.one("class", "a class of process")?,
        process_types: lines.one("process-types", "32 bytes in hex")?,
        papers: [0; 32],
    })
}

fn read_papers(lines: &mut Lines<'_>, access: Access) -> Result<Access, ParseError> {
    Ok(Access { papers: lines.one("papers", "32 bytes in hex")?, ..access })
}

fn read_whom(lines: &mut Lines<'_>) -> Result<(Timestamp, [u8; 8], Role), ParseError> {
    let at = lines.one("time", "an instant")?;
    Ok((at, lines.one("actor", "8 bytes in hex")?, lines.one("role", "a role")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Papers, Salt};
    use crate::domain::actor::Principal;
    use crate::domain::process::{ProcessType, ProcessTypes};

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
    fn every_entry_reads_back_and_a_changed_one_is_another_or_none() {
        let (at, actor, role) = (Timestamp::from_millis(1_700_000_000_123), [1; 8], Role::Approver);
        let entries = [
            Entry::Lookup { access: access(role), verdict: Verdict::NoCoverage },
            Entry::Subscriber { access: access(role), finding: Finding::Nothing, logons: 0, assignments: 3 },
            Entry::Request { access: access(role), act: RequestAct::FollowedUp, items: 12, captured: 11 },
            Entry::Hold { access: access(role), act: HoldAct::Renewed, hold: [9; 16], records: 4 },
            Entry::ClockAccepted { at, actor, role, reason: Reason::JumpedForward, step: 3 },
            Entry::TokenMinted { at, actor, role },
            Entry::TokenRevoked { at, actor, role },
            Entry::LockedOut { at, origin: [2; 8], failures: 10, lasts: 60 },
        ];
        for entry in entries {
            let bytes = entry.to_bytes();
            assert!(bytes.len() + 33 < 600, "{} bytes", bytes.len());
            assert_eq!(Entry::parse(&bytes).as_ref(), Ok(&entry));
            for place in 0..bytes.len() {
                for byte in *b" \n0aZ-\xff" {
                    let mut changed = bytes.clone();
                    changed[place] = byte;
                    if let Ok(other) = Entry::parse(&changed) {
                        assert_eq!(other.to_bytes(), changed);
                        assert_eq!(other == entry, changed == bytes);
                    }
                }
            }
            assert!(Entry::parse(&bytes[..bytes.len() - 1]).is_err());
            assert!(Entry::parse(&[&bytes[..], b"x y\n"].concat()).is_err());
        }
    }
}
