//! Who may do what.

use std::fmt;
use std::str::FromStr;

/// The five roles. One principal has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sends events.
    Source,
    /// Looks up under a legal process.
    Analyst,
    /// Confirms what an analyst may not decide alone.
    Approver,
    /// Reads ledgers and reports, never a record.
    Auditor,
    /// Runs the daemon, never reads a record.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Source, Self::Analyst, Self::Approver, Self::Auditor, Self::Operator];

    /// The name in configuration, tokens and ledger entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Analyst => "analyst",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// May this role send events?
    pub const fn may_send_events(self) -> bool {
        matches!(self, Self::Source)
    }

    /// May this role ask who held an address?
    pub const fn may_look_up(self) -> bool {
        matches!(self, Self::Analyst | Self::Approver)
    }

    /// May this role file requests, and see those on file?
    pub const fn may_file_requests(self) -> bool {
        matches!(self, Self::Analyst | Self::Approver)
    }

    /// May this role approve what somebody else filed?
    pub const fn may_approve(self) -> bool {
        matches!(self, Self::Approver)
    }

    /// May this role ask what one subscriber had? It shows where a person was over days, where a lookup shows an instant.
    pub const fn may_look_up_subscribers(self) -> bool {
        matches!(self, Self::Approver)
    }

    /// May this role read the daemon's status? It holds no personal data; sources have no use for it.
    pub const fn may_read_status(self) -> bool {
        !matches!(self, Self::Source)
    }

    /// May this role look at the clock and its doubts?
    pub const fn may_read_clock(self) -> bool {
        matches!(self, Self::Operator | Self::Auditor | Self::Approver)
    }

    /// May this role accept a clock in doubt? Which acceptances are needed, the doubt says.
    pub const fn may_accept_clock(self) -> bool {
        matches!(self, Self::Operator | Self::Approver)
    }

    /// May this role read what stands out in how others use their rights? It holds no personal data of subscribers.
    pub const fn may_read_anomalies(self) -> bool {
        matches!(self, Self::Auditor)
    }

    /// May this role read both ledgers? They hold no personal data of subscribers.
    pub const fn may_read_ledgers(self) -> bool {
        matches!(self, Self::Auditor)
    }

    /// May this role have a receipt for an access of its own? It proves that an entry is in the ledger, and holds the entry. Who may
    /// read the ledgers may have those of others too.
    pub const fn may_have_receipts(self) -> bool {
        matches!(self, Self::Analyst | Self::Approver | Self::Auditor)
    }

    /// May this role read what was purged, and the reports of it? They hold no personal data.
    pub const fn may_read_purges(self) -> bool {
        matches!(self, Self::Operator | Self::Auditor | Self::Approver)
    }

    /// May this role see what a purge would do?
    pub const fn may_plan_purges(self) -> bool {
        matches!(self, Self::Operator | Self::Auditor)
    }

    /// May this role have a purge made now?
    pub const fn may_run_purges(self) -> bool {
        matches!(self, Self::Operator)
    }

    /// May this role change for how long records are readable?
    pub const fn may_change_the_window(self) -> bool {
        matches!(self, Self::Operator)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No role has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role `{0}`: expected source, analyst, approver, auditor or operator")]
pub struct UnknownRole(pub String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// Someone or something with a name and a role, as authentication established it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name in the configuration or on the token.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The name by which the same person is known otherwise: of the `[[principal]]` whose connection another name's token
    /// came over.
    pub also: Option<String>,
}

impl Principal {
    /// Someone known by one name.
    pub fn new(name: impl Into<String>, role: Role) -> Self {
        Self { name: name.into(), role, also: None }
    }

    /// Every name that the person goes by, the one they act under first. Where two people must agree, none of these may
    /// be a name of the other.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.also.as_deref())
    }

    /// Is one of these names the person's?
    pub fn is_one_of(&self, names: &[String]) -> bool {
        self.names().any(|name| names.iter().any(|theirs| theirs == name))
    }

    /// May the two be one person? Then they are not four eyes.
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.names().any(|name| other.names().any(|theirs| theirs == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_a_name_is_one_person() {
        let amy = Principal::new("amy", Role::Analyst);
        let bob = Principal::new("bob", Role::Approver);
        let bob_at_amys = Principal { also: Some("amy".into()), ..bob.clone() };
        assert!(!amy.is_same_person(&bob));
        assert!(amy.is_same_person(&bob_at_amys) && bob_at_amys.is_same_person(&amy));
        assert!(bob.is_same_person(&bob_at_amys));
        let names = ["carl".to_owned(), "amy".to_owned()];
        assert!(amy.is_one_of(&names) && bob_at_amys.is_one_of(&names) && !bob.is_one_of(&names));
    }
}
