//! Legal processes: which kinds there are, what the law lets each of them release, and what it needs.
//!
//! The kinds are a closed set. What an installation makes of them is a table ([`ProcessTypes`]), read from a file that counsel can
//! read; it may stand above the law's minimum ([`law`]), never below.

mod breach;
pub mod law;
mod terms;

use std::fmt;
use std::str::FromStr;

pub use breach::Breach;
pub use terms::{Class, Group, Hold, Need, ProcessTypes, Ruling, Terms};

/// A kind of legal process under which somebody may ask.
///
/// Nothing internal is among them: marketing, analytics or another division of the ISP cannot be named.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
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
    #[serde(rename = "dmca-512h")]
    Dmca512h,
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

    /// Does it reach one customer's own data and nothing of anybody else?
    pub const fn is_own_data_only(self) -> bool {
        matches!(self, Self::Customer | Self::Consent)
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
