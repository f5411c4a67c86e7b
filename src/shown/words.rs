//! Sentences that stand beside an answer, the same wherever it is printed.

use crate::api::BoundaryText;
use crate::domain::session::Evidence;
use crate::domain::verdict::Verdict;

/// Stands below every answer that names a subscriber.
pub const NO_PERSON: &str = "An account is not a person.";

/// What an outcome means.
pub const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Attributed => "one subscriber held this address",
        Verdict::Uncertain => "one subscriber may have held this address; read the cautions",
        Verdict::Ambiguous => "several subscribers may have held this address",
        Verdict::Unassigned => "nobody held this address",
        Verdict::NoCoverage => "it is not known whether anybody held this address",
        Verdict::NotOurs => "this address is in none of our configured networks",
        Verdict::Purged => "nothing of that age is readable",
        Verdict::Future => "this time has not come yet",
        Verdict::Refused => "this process is not answered",
    }
}

/// An end of the span, how it is known, and how far it is from the time asked for; `side` is `before` or `after`.
pub fn boundary(boundary: &BoundaryText, side: &str) -> String {
    let BoundaryText { time, evidence, distance } = boundary;
    match evidence {
        Evidence::Observed => format!("{time}, observed, {distance} s {side} this time"),
        Evidence::Inferred => format!("{time}, inferred and not observed, {distance} s {side} this time"),
        Evidence::BeyondHorizon => format!("at or before {time}, the horizon, {distance} s {side} this time"),
        Evidence::BeyondSpan => format!("{time}, and beyond, {distance} s {side} this time"),
    }
}
