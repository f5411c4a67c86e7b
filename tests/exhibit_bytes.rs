//! Exhibits and answers as bytes: any bytes at all are read without harm, answers come back as they were, and the bytes of
//! version 1 stay what they are.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::BTreeSet;
use std::time::Duration;

use lapsed::domain::address::{Network, Realm};
use lapsed::domain::identity::{CircuitId, Line, Mac, NasId, NasPort, RemoteId, SessionTag, SourceName, SubscriberId};
use lapsed::domain::nat::Inside;
use lapsed::domain::session::{Edge, Evidence};
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::{Caution, Verdict};
use lapsed::lookup::{Answer, BytesError, Exhibit, Heard, Holder};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

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

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..20).prop_map(|chars| chars.into_iter().collect())
}

fn network() -> impl Strategy<Value = Network> {
    (any::<std::net::IpAddr>(), 0_u8..=32).prop_map(|(address, len)| Network::around(address, len).unwrap())
}

fn edge() -> impl Strategy<Value = Edge> {
    let evidences = vec![Evidence::Observed, Evidence::Inferred, Evidence::BeyondHorizon, Evidence::BeyondSpan];
    (instant(), prop::sample::select(evidences)).prop_map(|(at, evidence)| Edge { at, evidence })
}

fn instant() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn holder() -> impl Strategy<Value = Holder> {
    let line = (option::of(any::<[u8; 6]>()), option::of(text()), option::of(text()), option::of(text()));
    let line = line.prop_map(|(mac, circuit_id, remote_id, nas_port)| Line {
        mac: mac.map(Mac),
        circuit_id: circuit_id.map(CircuitId),
        remote_id: remote_id.map(RemoteId),
        nas_port: nas_port.map(NasPort),
    });
    (option::of(text()), any::<[u8; 8]>(), text(), line, network()).prop_map(
        |(subscriber, session, nas, line, network)| Holder {
            subscriber: subscriber.map(SubscriberId),
            session: SessionTag(session),
            nas: NasId(nas),
            line,
            network,
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let verdicts = vec![Verdict::Attributed, Verdict::Uncertain, Verdict::Ambiguous, Verdict::Unassigned];
    let inside = (text(), network()).prop_map(|(realm, network)| Inside { realm: Realm(realm), network });
    let heard = (option::of(any::<u32>()), option::of(any::<u32>()));
    let who = (prop::sample::select(verdicts), option::of(holder()), option::of(inside), any::<u32>());
    let when = (option::of(edge()), option::of(edge()), heard, instant());
    let why = (btree_set(prop::sample::select(CAUTIONS.to_vec()), 0..12), btree_set(text(), 0..4));
    (who, when, why).prop_map(|((verdict, holder, inside, sharing), (since, until, heard, horizon), why)| Answer {
        verdict,
        holder,
        inside,
        since,
        until,
        heard: Heard {
            before: heard.0.map(|ms| Duration::from_millis(u64::from(ms))),
            after: heard.1.map(|ms| Duration::from_millis(u64::from(ms))),
        },
        sharing: usize::try_from(sharing).unwrap(),
        cautions: why.0,
        sources: why.1.into_iter().map(SourceName).collect(),
        horizon,
    })
}

proptest! {
    #[test]
    fn an_answer_comes_back_as_it_was(answer in answer()) {
        let bytes = answer.to_bytes().unwrap();
        prop_assert_eq!(Answer::from_bytes(&bytes).unwrap(), answer);
    }

    #[test]
    fn other_answers_have_other_bytes(one in answer(), other in answer()) {
        prop_assert_eq!(one.to_bytes().unwrap() == other.to_bytes().unwrap(), one == other);
    }

    #[test]
    fn any_bytes_are_read_without_harm(mut bytes in vec(any::<u8>(), 0..400)) {
        let _ = Answer::from_bytes(&bytes);
        let _ = Exhibit::from_bytes(&bytes);
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        let _ = Answer::from_bytes(&bytes);
        let _ = Exhibit::from_bytes(&bytes);
    }

    #[test]
    fn an_answer_that_is_cut_or_longer_is_refused(answer in answer(), cut in any::<prop::sample::Index>()) {
        let mut bytes = answer.to_bytes().unwrap();
        let kept = cut.index(bytes.len());
        prop_assert!(Answer::from_bytes(bytes.get(..kept).unwrap()).is_err());
        bytes.push(0);
        prop_assert_eq!(Answer::from_bytes(&bytes), Err(BytesError::TrailingBytes(1)));
    }
}

#[test]
fn a_bare_answer_has_these_bytes() {
    let answer = Answer {
        sharing: 2,
        cautions: BTreeSet::from([Caution::Gap, Caution::NearHorizon]),
        sources: BTreeSet::from([SourceName("b".into())]),
        ..Answer::bare(Verdict::NoCoverage, Timestamp::from_millis(258))
    };
    let expected = [
        &[1, 4][..],                     // version, verdict
        &[0, 0, 0, 0, 0, 0],             // no holder, inside, since, until, heard before, heard after
        &[2, 0, 0, 0, 0, 0, 0, 0],       // sharing
        &[2, 0, 0, 0, 0, 0, 0, 0, 1, 8], // two cautions
        &[1, 0, 0, 0, 0, 0, 0, 0],       // one source
        &[1, 0, 0, 0, 0, 0, 0, 0, b'b'], // its name
        &[2, 1, 0, 0, 0, 0, 0, 0],       // horizon
    ]
    .concat();
    assert_eq!(answer.to_bytes().unwrap(), expected);
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    assert_eq!(Answer::from_bytes(&[]), Err(BytesError::Empty));
    assert_eq!(Exhibit::from_bytes(&[2]), Err(BytesError::Version(2)));
    let mut bytes = Answer::bare(Verdict::Future, Timestamp::EPOCH).to_bytes().unwrap();
    *bytes.get_mut(1).unwrap() = 9;
    assert_eq!(Answer::from_bytes(&bytes), Err(BytesError::Number { what: "verdict", number: 9 }));
}
