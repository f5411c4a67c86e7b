//! How a command ends, as the number a script sees.

use std::process::ExitCode;

use crate::api::Problem;
use crate::domain::finding::Finding;
use crate::domain::verdict::Verdict;

/// An ending and its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Done; of a lookup: attributed.
    Ok,
    /// Nobody held the address; of another command: it did not succeed.
    Nobody,
    /// The command line, or what it names, cannot be understood; or the time has not come yet.
    Usage,
    /// More than one may have held it, or one and something is in doubt.
    Doubtful,
    /// Of `verify-store`: something is there that should have gone.
    ExpiredDataFound,
    /// Of `lapse audit verify`: it is proven that something is not as it must be.
    ProvenInvalid,
    /// Of what verifies: not everything could be looked at, so nobody can say that it is clean, or valid.
    CannotTell,
    /// Refused.
    Refused,
    /// Nothing of that age is readable.
    Purged,
    /// It is not known whether anybody held it.
    NoCoverage,
    /// The daemon cannot be reached, or cannot answer now.
    Unreachable,
    /// A fault of Lapsed, or damage.
    Fault,
}

impl Ending {
    /// The ending of a lookup with this outcome.
    pub const fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Attributed => Self::Ok,
            Verdict::Unassigned | Verdict::NotOurs => Self::Nobody,
            Verdict::Future => Self::Usage,
            Verdict::Ambiguous | Verdict::Uncertain => Self::Doubtful,
            Verdict::Refused => Self::Refused,
            Verdict::Purged => Self::Purged,
            Verdict::NoCoverage => Self::NoCoverage,
        }
    }

    /// The ending of a look-up of one subscriber with this outcome.
    pub const fn of_finding(finding: Finding) -> Self {
        match finding {
            Finding::Found => Self::Ok,
            Finding::Nothing => Self::Nobody,
            Finding::Future => Self::Usage,
            Finding::Refused => Self::Refused,
            Finding::Purged => Self::Purged,
        }
    }

    /// The ending of a request that met a problem.
    pub const fn of_problem(problem: &Problem) -> Self {
        match problem.status {
            401 | 403 => Self::Refused,
            429 | 503 => Self::Unreachable,
            400..=499 => Self::Usage,
            _ => Self::Fault,
        }
    }

    /// The worse of two endings of lookups: what kept an answer from being given comes before what an answer says.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        const WORST_FIRST: [u8; 9] = [70, 69, 4, 2, 3, 6, 5, 1, 0];
        let rank = |ending: Self| WORST_FIRST.iter().position(|code| *code == ending.code());
        if rank(other) < rank(self) { other } else { self }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Nobody | Self::ExpiredDataFound | Self::ProvenInvalid => 1,
            Self::Usage | Self::CannotTell => 2,
            Self::Doubtful => 3,
            Self::Refused => 4,
            Self::Purged => 5,
            Self::NoCoverage => 6,
            Self::Unreachable => 69,
            Self::Fault => 70,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.code())
    }
}
