//! What an installation releases under each kind of process, and what it asks for first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::{ProcessType, law};

/// Whether an access is compelled by law, volunteered, or the customer's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A legal process compels it.
    Compelled,
    /// The law permits it.
    Voluntary,
    /// The customer asks for the customer's own data.
    Customer,
}

/// Facts that are released together or not at all.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The subscriber's reference.
    Subscriber,
    /// The session, and when it began, ended and was heard.
    SessionTimes,
    /// What was assigned: addresses, prefixes, ports, and what a NAT translated.
    Addresses,
    /// Where the session entered the network: the access server and its port, circuit-id, remote-id, MAC.
    Line,
}

/// Something that must be on file beside the common fields before anything is released.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// The statute, or the number of the grand jury.
    Statute,
    /// Who signed the order.
    Judge,
    /// The order's number.
    OrderNumber,
    /// The certification that a letter must have.
    Certification,
    /// A review by our own counsel.
    LegalReview,
    /// The customer's consent.
    ProofOfConsent,
    /// That the customer is the customer.
    ProofOfIdentity,
    /// Somebody of ours who approves it.
    Approver,
    /// The incident that it is about.
    Incident,
    /// Why it is necessary.
    Reason,
    /// That the asker was called back at a number from elsewhere.
    CallBackProof,
    /// Which harm threatens whom.
    NatureOfHarm,
    /// A second person of ours.
    SecondPerson,
    /// Until when the legal process must follow.
    FollowUpDue,
    /// What exactly it covers.
    Scope,
    /// The number of our own report.
    ReportId,
    /// When the customer was told.
    ServiceDate,
    /// Until when the customer may object.
    ObjectionDate,
    /// How the customer was authenticated.
    Authentication,
    /// Our reference for the customer whose own data it is.
    Customer,
    /// The court.
    Court,
    /// The matter before it.
    Matter,
    /// The authority that issued it.
    IssuingAuthority,
    /// The authority that validated it.
    ValidatingAuthority,
}

/// How long what is preserved is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// At first, in days.
    pub days: u16,
    /// How often it may be renewed.
    pub renewals: u16,
    /// For how long each time, in days.
    pub renewal_days: u16,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Where the law says so, or what the process is.
    pub statute: String,
    /// Compelled, permitted, or the customer's own.
    pub class: Class,
    /// What it releases.
    pub releases: BTreeSet<Group>,
    /// May it ask for everything that one subscriber had?
    pub reverse: bool,
    /// What it needs beside the common fields.
    pub needs: BTreeSet<Need>,
    /// The hold that it places.
    pub hold: Option<Hold>,
    /// Is it published in bands only?
    pub counted_in_bands: bool,
    /// Why it is not answered at all.
    pub refused: Option<String>,
}

/// The table of one installation. A kind that is not in it is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessTypes {
    /// The rows.
    pub rows: BTreeMap<ProcessType, Terms>,
    /// SHA-256 over the bytes of the file it was read from, as `sha256sum` prints it.
    pub digest: [u8; 32],
}

/// Whether a question under a kind of process is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling<'t> {
    /// It is, with what these terms release.
    Released(&'t Terms),
    /// It is not; the sentence says why.
    Refused(String),
    /// It could be, if these were on file.
    Missing(BTreeSet<Need>),
}

impl ProcessTypes {
    /// May this kind ask who held an address, where `given` is on file beside the common fields?
    pub fn lookup(&self, kind: ProcessType, given: &[Need]) -> Ruling<'_> {
        match self.answered(kind) {
            Ok(terms) => terms.ruling(given),
            Err(reason) => Ruling::Refused(reason),
        }
    }

    /// May it ask for everything that one subscriber had? That is a right of its own.
    pub fn subscriber(&self, kind: ProcessType, given: &[Need]) -> Ruling<'_> {
        match self.answered(kind) {
            Ok(terms) if terms.reverse => terms.ruling(given),
            Ok(_) => {
                Ruling::Refused("it releases the subscriber of an address, and not a subscriber's addresses".into())
            }
            Err(reason) => Ruling::Refused(reason),
        }
    }

    /// The class that an access under this kind is counted under.
    pub fn class(&self, kind: ProcessType) -> Class {
        self.rows.get(&kind).map_or(law::of(kind).class, |terms| terms.class)
    }

    /// Why nothing is released under this kind, if so.
    pub fn refusal(&self, kind: ProcessType) -> Option<String> {
        self.answered(kind).err()
    }

    /// The row, if it releases anything; else why not.
    fn answered(&self, kind: ProcessType) -> Result<&Terms, String> {
        let left_out = || law::of(kind).refused.unwrap_or("our policy leaves it out").to_owned();
        let terms = self.rows.get(&kind).ok_or_else(left_out)?;
        match (&terms.refused, terms.releases.is_empty(), terms.hold) {
            (Some(reason), _, _) => Err(reason.clone()),
            (None, true, Some(_)) => Err("it releases nothing; it places a hold".to_owned()),
            (None, true, None) => Err("it releases nothing".to_owned()),
            (None, false, _) => Ok(terms),
        }
    }
}

impl Terms {
    /// What it needs beside what is `given`.
    pub fn missing(&self, given: &[Need]) -> BTreeSet<Need> {
        self.needs.iter().filter(|need| !given.contains(need)).copied().collect()
    }

    fn ruling(&self, given: &[Need]) -> Ruling<'_> {
        let missing = self.missing(given);
        if missing.is_empty() { Ruling::Released(self) } else { Ruling::Missing(missing) }
    }
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Compelled, Self::Voluntary, Self::Customer];

    /// The name in the table and in ledger entries.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compelled => "compelled",
            Self::Voluntary => "voluntary",
            Self::Customer => "customer",
        }
    }
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::Subscriber, Self::SessionTimes, Self::Addresses, Self::Line];

    /// The name in the table and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subscriber => "subscriber",
            Self::SessionTimes => "session-times",
            Self::Addresses => "addresses",
            Self::Line => "line",
        }
    }
}

impl Need {
    /// Every need.
    pub const ALL: [Self; 24] = [
        Self::Statute,
        Self::Judge,
        Self::OrderNumber,
        Self::Certification,
        Self::LegalReview,
        Self::ProofOfConsent,
        Self::ProofOfIdentity,
        Self::Approver,
        Self::Incident,
        Self::Reason,
        Self::CallBackProof,
        Self::NatureOfHarm,
        Self::SecondPerson,
        Self::FollowUpDue,
        Self::Scope,
        Self::ReportId,
        Self::ServiceDate,
        Self::ObjectionDate,
        Self::Authentication,
        Self::Customer,
        Self::Court,
        Self::Matter,
        Self::IssuingAuthority,
        Self::ValidatingAuthority,
    ];

    /// The names of several, in their order.
    pub fn names(needs: &BTreeSet<Self>) -> Vec<String> {
        needs.iter().map(|need| need.name().to_owned()).collect()
    }

    /// The name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Statute => "statute",
            Self::Judge => "judge",
            Self::OrderNumber => "order-number",
            Self::Certification => "certification",
            Self::LegalReview => "legal-review",
            Self::ProofOfConsent => "proof-of-consent",
            Self::ProofOfIdentity => "proof-of-identity",
            Self::Approver => "approver",
            Self::Incident => "incident",
            Self::Reason => "reason",
            Self::CallBackProof => "call-back-proof",
            Self::NatureOfHarm => "nature-of-harm",
            Self::SecondPerson => "second-person",
            Self::FollowUpDue => "follow-up-due",
            Self::Scope => "scope",
            Self::ReportId => "report-id",
            Self::ServiceDate => "service-date",
            Self::ObjectionDate => "objection-date",
            Self::Authentication => "authentication",
            Self::Customer => "customer",
            Self::Court => "court",
            Self::Matter => "matter",
            Self::IssuingAuthority => "issuing-authority",
            Self::ValidatingAuthority => "validating-authority",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No class, group or need has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word `{0}`")]
pub struct UnknownWord(pub String);

impl FromStr for Class {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|class| class.name() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl FromStr for Group {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|group| group.name() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

impl FromStr for Need {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|need| need.name() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(releases: &[Group], needs: &[Need], reverse: bool) -> Terms {
        Terms {
            statute: String::new(),
            class: Class::Compelled,
            releases: releases.iter().copied().collect(),
            reverse,
            needs: needs.iter().copied().collect(),
            hold: None,
            counted_in_bands: false,
            refused: None,
        }
    }

    #[test]
    fn what_is_left_out_refused_or_releases_nothing_is_told_why() {
        let hold = Some(Hold { days: 90, renewals: 1, renewal_days: 90 });
        let refused = Some("ask counsel".to_owned());
        let table = ProcessTypes {
            rows: BTreeMap::from([
                (ProcessType::Preservation, Terms { hold, ..terms(&[], &[Need::Scope], false) }),
                (ProcessType::Subpoena, terms(&[], &[Need::Statute], false)),
                (ProcessType::Nsl, Terms { refused, ..terms(&[], &[], false) }),
            ]),
            digest: [0; 32],
        };
        for (kind, reason) in [
            (ProcessType::Preservation, "it releases nothing; it places a hold"),
            (ProcessType::Subpoena, "it releases nothing"),
            (ProcessType::Nsl, "ask counsel"),
            (ProcessType::Warrant, "our policy leaves it out"),
            (ProcessType::TitleIii, "this store has the past only"),
        ] {
            let refused = Ruling::Refused(reason.to_owned());
            assert_eq!(
                (table.lookup(kind, &Need::ALL), table.subscriber(kind, &Need::ALL)),
                (refused.clone(), refused)
            );
        }
    }

    #[test]
    fn what_is_missing_is_named_and_a_right_of_its_own_is_judged_first() {
        let row = terms(&[Group::Subscriber], &[Need::Judge, Need::OrderNumber], false);
        let table = ProcessTypes { rows: BTreeMap::from([(ProcessType::Warrant, row.clone())]), digest: [0; 32] };
        let lookup = |given: &[Need]| table.lookup(ProcessType::Warrant, given);
        assert_eq!(lookup(&[]), Ruling::Missing(row.needs.clone()));
        assert_eq!(lookup(&[Need::Judge]), Ruling::Missing([Need::OrderNumber].into()));
        assert_eq!(lookup(&[Need::OrderNumber, Need::Judge]), Ruling::Released(&row));
        assert!(matches!(table.subscriber(ProcessType::Warrant, &[]), Ruling::Refused(_)));
    }
}
