//! An answer as bytes: `AnswerV1`. A capture seals it, and a digest of it tells whether an answer has changed.
//!
//! Verdicts, cautions and kinds of evidence have numbers of their own here, which never change their meaning.

use std::time::Duration;

use crate::domain::identity::{CircuitId, Line, Mac, NasId, NasPort, RemoteId, SessionTag, SourceName, SubscriberId};
use crate::domain::session::{Edge, Evidence};
use crate::domain::time::{Timestamp, millis_of};
use crate::domain::verdict::{Caution, Verdict};

use super::bytes::{self, BytesError, InsideV1, NetworkV1};
use super::{Answer, Heard, Holder};

const VERSION: u8 = 1;

/// The number of a verdict is its place here.
const VERDICTS: [Verdict; 9] = [
    Verdict::Attributed,
    Verdict::Uncertain,
    Verdict::Ambiguous,
    Verdict::Unassigned,
    Verdict::NoCoverage,
    Verdict::NotOurs,
    Verdict::Purged,
    Verdict::Future,
    Verdict::Refused,
];

/// The number of a caution is its place here.
const CAUTIONS: [Caution; 12] = [
    Caution::NearBoundary,
    Caution::NearHorizon,
    Caution::InferredStart,
    Caution::InferredEnd,
    Caution::SourceClock,
    Caution::Late,
    Caution::UnclosedPredecessor,
    Caution::SilentSource,
    Caution::Gap,
    Caution::UnnamedHolder,
    Caution::LastHolderSilent,
    Caution::StatuteMissing,
];

/// The number of a kind of evidence is its place here.
const EVIDENCES: [Evidence; 4] =
    [Evidence::Observed, Evidence::Inferred, Evidence::BeyondHorizon, Evidence::BeyondSpan];

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct AnswerV1<'a> {
    verdict: u8,
    holder: Option<HolderV1<'a>>,
    inside: Option<InsideV1<'a>>,
    since: Option<EdgeV1>,
    until: Option<EdgeV1>,
    heard_before_ms: Option<u64>,
    heard_after_ms: Option<u64>,
    sharing: u64,
    cautions: Vec<u8>,
    sources: Vec<&'a str>,
    horizon_ms: u64,
}

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct HolderV1<'a> {
    subscriber: Option<&'a str>,
    session: [u8; 8],
    nas: &'a str,
    mac: Option<[u8; 6]>,
    circuit_id: Option<&'a str>,
    remote_id: Option<&'a str>,
    nas_port: Option<&'a str>,
    network: NetworkV1,
}

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct EdgeV1 {
    at_ms: u64,
    evidence: u8,
}

impl Answer {
    /// The answer as it is sealed. Equal answers have equal bytes, and others have others.
    ///
    /// # Errors
    ///
    /// [`BytesError::TooLong`]; no answer from a store is.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BytesError> {
        let mut cautions: Vec<u8> =
            self.cautions.iter().map(|caution| number(&CAUTIONS, *caution, "caution")).collect::<Result<_, _>>()?;
        cautions.sort_unstable();
        let value = AnswerV1 {
            verdict: number(&VERDICTS, self.verdict, "verdict")?,
            holder: self.holder.as_ref().map(HolderV1::of),
            inside: self.inside.as_ref().map(InsideV1::of),
            since: self.since.map(EdgeV1::of).transpose()?,
            until: self.until.map(EdgeV1::of).transpose()?,
            heard_before_ms: self.heard.before.map(millis_of),
            heard_after_ms: self.heard.after.map(millis_of),
            sharing: u64::try_from(self.sharing).unwrap_or(u64::MAX),
            cautions,
            sources: self.sources.iter().map(|source| source.0.as_str()).collect(),
            horizon_ms: self.horizon.millis(),
        };
        bytes::encode(VERSION, value)
    }

    /// The answer that [`Answer::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BytesError> {
        let value: AnswerV1<'_> = bytes::decode(VERSION, bytes)?;
        let cautions = value.cautions.iter().map(|number| of_number(&CAUTIONS, *number, "caution"));
        Ok(Self {
            verdict: of_number(&VERDICTS, value.verdict, "verdict")?,
            holder: value.holder.as_ref().map(HolderV1::to_holder).transpose()?,
            inside: value.inside.as_ref().map(InsideV1::to_inside).transpose()?,
            since: value.since.as_ref().map(EdgeV1::to_edge).transpose()?,
            until: value.until.as_ref().map(EdgeV1::to_edge).transpose()?,
            heard: Heard {
                before: value.heard_before_ms.map(Duration::from_millis),
                after: value.heard_after_ms.map(Duration::from_millis),
            },
            sharing: usize::try_from(value.sharing).unwrap_or(usize::MAX),
            cautions: cautions.collect::<Result<_, _>>()?,
            sources: value.sources.iter().map(|source| SourceName((*source).to_owned())).collect(),
            horizon: Timestamp::from_millis(value.horizon_ms),
        })
    }
}

impl<'a> HolderV1<'a> {
    fn of(holder: &'a Holder) -> Self {
        Self {
            subscriber: holder.subscriber.as_ref().map(SubscriberId::as_str),
            session: holder.session.0,
            nas: &holder.nas.0,
            mac: holder.line.mac.map(|mac| mac.0),
            circuit_id: holder.line.circuit_id.as_ref().map(CircuitId::as_str),
            remote_id: holder.line.remote_id.as_ref().map(RemoteId::as_str),
            nas_port: holder.line.nas_port.as_ref().map(NasPort::as_str),
            network: NetworkV1::of(holder.network),
        }
    }

    fn to_holder(&self) -> Result<Holder, BytesError> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Ok(Holder {
            subscriber: text(self.subscriber).map(SubscriberId),
            session: SessionTag(self.session),
            nas: NasId(self.nas.to_owned()),
            line: Line {
                mac: self.mac.map(Mac),
                circuit_id: text(self.circuit_id).map(CircuitId),
                remote_id: text(self.remote_id).map(RemoteId),
                nas_port: text(self.nas_port).map(NasPort),
            },
            network: self.network.to_network()?,
        })
    }
}

impl EdgeV1 {
    fn of(edge: Edge) -> Result<Self, BytesError> {
        Ok(Self { at_ms: edge.at.millis(), evidence: number(&EVIDENCES, edge.evidence, "evidence")? })
    }

    fn to_edge(&self) -> Result<Edge, BytesError> {
        let evidence = of_number(&EVIDENCES, self.evidence, "evidence")?;
        Ok(Edge { at: Timestamp::from_millis(self.at_ms), evidence })
    }
}

/// The number of one of these.
fn number<T: PartialEq>(all: &[T], one: T, what: &'static str) -> Result<u8, BytesError> {
    let place = all.iter().position(|known| *known == one).and_then(|place| u8::try_from(place).ok());
    place.ok_or(BytesError::Unnumbered(what))
}

/// The one of a number.
fn of_number<T: Copy>(all: &[T], number: u8, what: &'static str) -> Result<T, BytesError> {
    all.get(usize::from(number)).copied().ok_or(BytesError::Number { what, number })
}
