//! Who held an address: from statements at instants to spans of time.
//!
//! Sources speak of instants, and some of what they say is lost. Settling says what each statement of an address means in
//! the light of those before it, and adds what must follow: that an open session still holds its address for a while
//! (`carry`), or no longer does (`lapsed`, `lease-end`). [`spans`] reads off the result who held it when.
//!
//! It is done by one machine (`settling`), for two: a lookup reads as much as it needs and asks [`settle_read`] what that
//! means; the pass over the store goes bucket by bucket and keeps between two of them how every run stands
//! ([`settle_on`]). What the pass has written, a reader takes as it stands there.
//!
//! All of it is pure, and causal: what is said of an instant rests on statements up to that instant alone. The rules:
//!
//! - A statement speaks for `carry_buckets` buckets. An open session that says nothing in that time is carried on at the
//!   first instant of the bucket in which it would have fallen silent, until its run's `silence` is over. A lease that has
//!   an end is carried to that end, whatever the silence, and ends there. Its end is what was said of it last: a statement
//!   that names none leaves none.
//! - A session that opens ends every other on overlapping ports that has not itself spoken at that instant or later.
//!   Two that both speak after the other opened are both open.
//! - An update opens its session if nothing of the session stands in the `carry_buckets` before it; it means nothing
//!   after the session's own stop; and it speaks again, without opening, after the session was taken as ended.
//! - What lies before the first instant that was read is told by what follows it. The first own statement of a run within
//!   `carry_buckets` tells whether it was open there: by its meaning where that is settled; else an update or a stop says
//!   that it was.

mod settling;
mod spans;

use std::time::Duration;

use super::address::Ports;
use super::record::Kind;
use super::time::{Bucket, BucketWidth, Timestamp};

pub use settling::{Outcome, settle_on, settle_read};
pub use spans::{inferred_spans, spans};

/// How far before an inferred start a real statement of the session makes it void: clocks of one NAS count in seconds.
pub const INFERRED_START_SLACK: Duration = Duration::from_secs(5);

/// One session on one address, or on some ports of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which session; runs of the same session do not end each other.
    pub session: u32,
    /// The ports it holds.
    pub ports: Ports,
    /// After how many buckets of silence it counts as ended; `None`: never.
    pub silence: Option<u32>,
}

/// One statement about a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// When.
    pub at: Timestamp,
    /// What was said.
    pub said: Said,
    /// Index of the run it is said of.
    pub run: usize,
    /// When the lease runs out, if it says so. Later than `at`.
    pub lease_end: Option<Timestamp>,
    /// What it means, where that is settled.
    pub meaning: Option<Kind>,
    /// What it meant when its bucket was settled, if something late may have changed that since. It is the best that is known of
    /// a run until it speaks itself, and counts for nothing else.
    pub hint: Option<Kind>,
}

/// What can be said of a run. The order is that of statements at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// Settled: it ended, by its successor, its NAS's reset, its lease or its silence.
    Ended,
    /// Its NAS lost all sessions, or its server gave up the address.
    Reset,
    /// Settled: it was silent and goes on.
    Carry,
    /// A later stop says that the session began here. It opens nothing: see [`inferred_spans`].
    InferredStart,
    /// It began.
    Start,
    /// It goes on.
    Update,
    /// It ended.
    Stop,
    /// Its session ended, whatever it held.
    SessionEnd,
}

impl Said {
    /// What a record of this kind said of its assignment, before anybody settled what it means. `None` for what says
    /// nothing of a run: logons, an address given up, and what no longer follows.
    pub const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Start => Some(Self::Start),
            Kind::Update | Kind::First | Kind::Resumed | Kind::Void => Some(Self::Update),
            Kind::Stop | Kind::Lone => Some(Self::Stop),
            Kind::SessionEnd => Some(Self::SessionEnd),
            Kind::InferredStart => Some(Self::InferredStart),
            Kind::Carry => Some(Self::Carry),
            Kind::Lapsed | Kind::Reset | Kind::LeaseEnd => Some(Self::Ended),
            Kind::Logon | Kind::Vacated | Kind::Withdrawn => None,
        }
    }

    /// Did a source say it of this very assignment?
    pub const fn is_real(self) -> bool {
        matches!(self, Self::Start | Self::Update | Self::Stop)
    }

    /// Does it follow from what was said of an assignment, and is never said itself?
    pub const fn is_derived(self) -> bool {
        matches!(self, Self::Ended | Self::Carry | Self::SessionEnd)
    }
}

/// The two numbers that settling needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a bucket is.
    pub width: BucketWidth,
    /// For how many buckets a statement speaks.
    pub carry_buckets: u32,
}

/// What is read, and how much of it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The first instant that was read: everything of the runs from then on is known, and nothing of before.
    pub from: Timestamp,
    /// The newest bucket whose statements have their settled meaning, with all that follows from them. What comes later is
    /// as its source said it.
    pub settled_through: Option<Bucket>,
    /// The newest bucket whose statements have a hint of their meaning.
    pub hinted_through: Option<Bucket>,
    /// The last instant to be judged.
    pub through: Timestamp,
}

/// How a run stands, all that was said of it until some instant considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Standing {
    /// Bucket and meaning of its newest statement that is not void.
    pub last: Option<(Bucket, Kind)>,
    /// Instant of the newest statement that left it open.
    pub newest: Timestamp,
    /// When its source last said that it is open.
    pub spoke: Spoke,
    /// When its lease runs out.
    pub lease_end: Option<Timestamp>,
}

impl Standing {
    /// Does the run hold its address?
    pub fn is_open(&self) -> bool {
        self.last.is_some_and(|(_, kind)| !closes(kind))
    }
}

/// When the source of an open run last said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Spoke {
    /// Before everything that was read.
    #[default]
    Before,
    /// In this bucket.
    In(Bucket),
}

/// A statement, given or derived, whose meaning is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// When.
    pub at: Timestamp,
    /// What it means.
    pub kind: Kind,
    /// Index of its run.
    pub run: usize,
    /// Index of the statement it was; `None` if it was derived.
    pub origin: Option<usize>,
}

/// A span in which a run held its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Index of the run.
    pub run: usize,
    /// Its first instant.
    pub from: Edge,
    /// The first instant it no longer did; `None` as far as is known it still does.
    pub until: Option<Edge>,
}

impl Held {
    /// Does the span hold `at`? It is half-open.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from.at <= at && self.until.is_none_or(|until| at < until.at)
    }
}

/// One end of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The instant.
    pub at: Timestamp,
    /// How it is known.
    pub evidence: Evidence,
}

/// How an end of a span is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A source said so.
    Observed,
    /// It follows from something else that was said, or from silence.
    Inferred,
    /// It lies before the horizon, where nothing is known any more.
    BeyondHorizon,
    /// It lies outside the span that was asked for, and is not told.
    BeyondSpan,
}

impl Evidence {
    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Inferred => "inferred",
            Self::BeyondHorizon => "beyond-horizon",
            Self::BeyondSpan => "beyond-span",
        }
    }
}

/// Does a statement of this meaning leave its run closed?
pub const fn closes(kind: Kind) -> bool {
    matches!(kind, Kind::Stop | Kind::SessionEnd | Kind::Lone | Kind::Lapsed | Kind::Reset | Kind::LeaseEnd)
}

/// Does a statement of this meaning open its run, and so end others?
pub const fn opens(kind: Kind) -> bool {
    matches!(kind, Kind::Start | Kind::First)
}

#[cfg(test)]
mod tests;
