//! What a lookup can come to, and why to be careful with it.

use std::fmt;

/// The outcome of a lookup. "Nobody had it", "we no longer know", "we never knew" and "we could not look" are four
/// different answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// One subscriber held the address.
    Attributed,
    /// One subscriber may have held it; the cautions say what is in doubt.
    Uncertain,
    /// Several subscribers held it, or it is shared and no port was given.
    Ambiguous,
    /// Nobody held it, on evidence.
    Unassigned,
    /// It is not known whether anybody held it.
    NoCoverage,
    /// The address lies in none of the configured networks.
    NotOurs,
    /// The instant lies before the horizon: nothing about it is readable.
    Purged,
    /// The instant has not come yet.
    Future,
    /// The question is not one that may be answered.
    Refused,
}

impl Verdict {
    /// The name in answers, ledger entries and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Attributed => "attributed",
            Self::Uncertain => "uncertain",
            Self::Ambiguous => "ambiguous",
            Self::Unassigned => "unassigned",
            Self::NoCoverage => "no-coverage",
            Self::NotOurs => "not-ours",
            Self::Purged => "purged",
            Self::Future => "future",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A reason to be careful with an answer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Caution {
    /// Within the margin around the instant, someone else or nobody held the address.
    NearBoundary,
    /// The instant lies within 300 s of the horizon, where evidence is going.
    NearHorizon,
    /// The beginning was not observed.
    InferredStart,
    /// The end was not observed.
    InferredEnd,
    /// The clock of a source was ahead of ours.
    SourceClock,
    /// An event arrived after the time it speaks of had been settled.
    Late,
    /// The holder before did not say that it ended.
    UnclosedPredecessor,
    /// The source said nothing for as long as one statement speaks.
    SilentSource,
    /// Within the carry interval before the instant, something that a source said may have been lost.
    Gap,
    /// No statement of the session names a subscriber.
    UnnamedHolder,
    /// The address is not held, and its last known holder was taken as gone for its silence alone.
    LastHolderSilent,
    /// The process must name a statute, and all that is known is the authority.
    StatuteMissing,
}

impl Caution {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NearBoundary => "near-boundary",
            Self::NearHorizon => "near-horizon",
            Self::InferredStart => "inferred-start",
            Self::InferredEnd => "inferred-end",
            Self::SourceClock => "source-clock",
            Self::Late => "late",
            Self::UnclosedPredecessor => "unclosed-predecessor",
            Self::SilentSource => "silent-source",
            Self::Gap => "gap",
            Self::UnnamedHolder => "unnamed-holder",
            Self::LastHolderSilent => "last-holder-silent",
            Self::StatuteMissing => "statute-missing",
        }
    }

    /// What it means to the person who reads the answer.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NearBoundary => "within the margin around this time, someone else or nobody held the address",
            Self::NearHorizon => {
                "this time is within 300 seconds of the horizon; evidence around it is already destroyed"
            }
            Self::InferredStart => "the beginning was not observed: it is inferred from later statements",
            Self::InferredEnd => "the end was not observed: it is inferred from what followed",
            Self::SourceClock => {
                "the clock of the source was ahead of ours; its time was replaced by the time of arrival"
            }
            Self::Late => "a statement arrived after its time had been settled",
            Self::UnclosedPredecessor => "the holder before did not report its end",
            Self::SilentSource => "the source was silent around this time",
            Self::Gap => "something that a source said before this time may have been lost",
            Self::UnnamedHolder => "no statement of this session names a subscriber",
            Self::LastHolderSilent => "a last known holder exists; it fell silent and never reported its end",
            Self::StatuteMissing => {
                "the statute or the grand jury's number is not on file; the authority that was named stands for it"
            }
        }
    }
}
