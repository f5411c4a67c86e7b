//! Legal processes: which kinds there are, and whether a lookup may answer one.

use std::fmt;
use std::str::FromStr;

/// A kind of legal process under which somebody may ask.
///
/// Nothing internal is among them: marketing, analytics or another division of the ISP cannot be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessType {
    /// Grand jury, administrative or trial subpoena (18 USC 2703(c)(2)).
    Subpoena,
    /// Court order (18 USC 2703(d)).
    CourtOrder,
    /// Search warrant (18 USC 2703(c)(1)(A)).
    Warrant,
    /// Subpoena of the defence in a criminal matter.
    DefenceSubpoena,
    /// Order of a civil court.
    CivilOrder,
    /// National security letter (18 USC 2709).
    Nsl,
    /// Order under the Foreign Intelligence Surveillance Act.
    Fisa,
    /// Consent of the customer (18 USC 2702(c)(2)).
    Consent,
    /// Protection of the network, its rights or its users (18 USC 2702(c)(3)).
    ProviderProtection,
    /// Emergency (18 USC 2702(c)(4)).
    Emergency,
    /// Preservation (18 USC 2703(f)).
    Preservation,
    /// Our own report to the CyberTipline (18 USC 2258A).
    Cybertip,
    /// A customer who asks for the customer's own data.
    Customer,
    /// Preservation in a civil matter.
    CivilPreservation,
    /// European preservation order (Regulation (EU) 2023/1543).
    EuPreservation,
    /// Pen register or trap and trace (18 USC 3123).
    PenRegister,
    /// Wiretap order (18 USC 2518).
    TitleIii,
    /// Subpoena of a rights holder (17 USC 512(h)).
    Dmca512h,
}

/// Whether a one-shot lookup may answer a kind of process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// It releases the subscriber, the times and the address.
    Assignment,
    /// It is not answered; the sentence says why.
    Refused(&'static str),
}

impl ProcessType {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Subpoena,
        Self::CourtOrder,
        Self::Warrant,
        Self::DefenceSubpoena,
        Self::CivilOrder,
        Self::Nsl,
        Self::Fisa,
        Self::Consent,
        Self::ProviderProtection,
        Self::Emergency,
        Self::Preservation,
        Self::Cybertip,
        Self::Customer,
        Self::CivilPreservation,
        Self::EuPreservation,
        Self::PenRegister,
        Self::TitleIii,
        Self::Dmca512h,
    ];

    /// The name on the command line and in requests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subpoena => "subpoena",
            Self::CourtOrder => "court-order",
            Self::Warrant => "warrant",
            Self::DefenceSubpoena => "defence-subpoena",
            Self::CivilOrder => "civil-order",
            Self::Nsl => "nsl",
            Self::Fisa => "fisa",
            Self::Consent => "consent",
            Self::ProviderProtection => "provider-protection",
            Self::Emergency => "emergency",
            Self::Preservation => "preservation",
            Self::Cybertip => "cybertip",
            Self::Customer => "customer",
            Self::CivilPreservation => "civil-preservation",
            Self::EuPreservation => "eu-preservation",
            Self::PenRegister => "pen-register",
            Self::TitleIii => "title-iii",
            Self::Dmca512h => "dmca-512h",
        }
    }

    /// May a lookup that names no more than a case and an authority answer it?
    ///
    /// What needs a second person, a proof or a restriction of the answer is refused until a request on file can hold it.
    pub const fn release(self) -> Release {
        match self {
            Self::Subpoena | Self::CourtOrder | Self::Warrant | Self::CivilOrder => Release::Assignment,
            Self::DefenceSubpoena => Release::Refused("it needs a legal review on file first"),
            Self::Nsl | Self::Fisa => {
                Release::Refused("it needs restricted handling, which a one-shot lookup cannot give")
            }
            Self::Consent | Self::Customer => Release::Refused("it needs proof of identity on file first"),
            Self::ProviderProtection | Self::Emergency => Release::Refused("it needs an approver, on file first"),
            Self::Cybertip => Release::Refused("it needs the report's id on file first"),
            Self::Preservation | Self::CivilPreservation | Self::EuPreservation => {
                Release::Refused("it releases nothing; it places a hold")
            }
            Self::PenRegister | Self::TitleIii => Release::Refused("this store has the past only"),
            Self::Dmca512h => Release::Refused("it releases nothing; refer it to counsel"),
        }
    }

    /// May a look-up of one subscriber answer it: everything that a person had, over a span?
    ///
    /// That is a right of its own. What names a statute or an order for the records of a customer has it; a civil order
    /// asks who was behind an address, and not what else that person had.
    pub const fn release_of_subscriber(self) -> Release {
        let is_for_records_of_a_customer = matches!(self, Self::Subpoena | Self::CourtOrder | Self::Warrant);
        match self.release() {
            Release::Assignment if !is_for_records_of_a_customer => {
                Release::Refused("it releases the subscriber of an address, and not a subscriber's addresses")
            }
            release @ (Release::Assignment | Release::Refused(_)) => release,
        }
    }
}

impl fmt::Display for ProcessType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No legal process has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown process type `{0}`")]
pub struct UnknownProcessType(pub String);

impl FromStr for ProcessType {
    type Err = UnknownProcessType;

    fn from_str(text: &str) -> Result<Self, UnknownProcessType> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownProcessType(text.to_owned()))
    }
}
