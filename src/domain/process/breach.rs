//! What can be wrong with a row of the table, measured by the law's minimum.

use super::terms::{Class, Group, Hold, Need};

/// One way in which a row releases more, or asks for less, than it may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// The class is what the law makes of it.
    #[error("is {is}, and nothing else")]
    Class {
        /// The class.
        is: Class,
    },
    /// More than the law lets it release.
    #[error("may not release `{group}`: it may release {}", names(.most))]
    ReleasesMore {
        /// What is too much.
        group: Group,
        /// The most.
        most: &'static [Group],
    },
    /// Less than the law asks for.
    #[error("must need `{need}`")]
    NeedsLess {
        /// What is not asked for.
        need: Need,
    },
    /// It asks about an address, not about a person.
    #[error("gives no right to all that one subscriber had: `reverse` must be false")]
    Reverse,
    /// A list of assignments is nothing without what was assigned to whom, and when.
    #[error("has `reverse` and must then release subscriber, session-times and addresses")]
    ReverseOfWhat,
    /// A hold has the length that the law gives it.
    #[error("must place a hold of {} days with {} renewals of {} days", .fixed.days, .fixed.renewals, .fixed.renewal_days)]
    HoldFixed {
        /// The hold.
        fixed: Hold,
    },
    /// The length is the installation's to say, and must be said.
    #[error("places a hold: say for how long with `hold-days`")]
    HoldOpen,
    /// It is no preservation.
    #[error("places no hold: leave out `hold-days`, `renewals` and `renewal-days`")]
    NoHold,
    /// The number of such letters and orders is not published.
    #[error("must have `counted-in-bands = true`")]
    Bands,
    /// Nothing here can answer it.
    #[error("cannot be answered, and must be refused: {reason}")]
    MustRefuse {
        /// Why.
        reason: &'static str,
    },
    /// One or the other.
    #[error("is refused: leave out `releases`, `reverse` and `hold-days`")]
    RefusedAndAnswered,
}

impl Breach {
    /// The key of the row that it is about.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Class { .. } => "class",
            Self::ReleasesMore { .. } => "releases",
            Self::NeedsLess { .. } => "needs",
            Self::Reverse | Self::ReverseOfWhat => "reverse",
            Self::HoldFixed { .. } | Self::HoldOpen | Self::NoHold => "hold-days",
            Self::Bands => "counted-in-bands",
            Self::MustRefuse { .. } | Self::RefusedAndAnswered => "refused",
        }
    }
}

fn names(groups: &[Group]) -> String {
    let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
