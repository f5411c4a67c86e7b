//! Any bytes in, no panic out, and what passes keeps its promises.
//!
//! `LAPSED_PROPTEST_CASES` sets how many datagrams each test makes. The bodies are plain functions, so that a fuzzer
//! can call them as well.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::net::IpAddr;

use hmac::{Hmac, Mac as _};
use lapsed::domain::event::EventKind;
use lapsed::domain::selection::{Kept, Selection, SubscriberFrom};
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::attribute::{AttributeType, BROADBAND_FORUM};
use lapsed::wire::radius::client::{BuildError, RequestBuilder, verify_reply};
use lapsed::wire::radius::nat::{HUAWEI, NOKIA};
use lapsed::wire::radius::packet::Packet;
use lapsed::wire::radius::request::{Request, RequestKind, Silent};
use md5::{Digest as _, Md5};
use proptest::collection::vec;
use proptest::prelude::*;

const SECRET: &[u8] = b"made-up secret";
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));
/// Octets before the first attribute.
const HEADER_LEN: usize = 20;

/// An attribute to be: its number and its value.
type Raw = (u8, Vec<u8>);

#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
fn config() -> ProptestConfig {
    let cases = std::env::var("LAPSED_PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(4000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The fuzz body: takes what comes, and holds whatever passes to what it promises.
fn swallow(datagram: &[u8], selection: &Selection) -> Result<(), Silent> {
    let request = Request::authenticate(datagram, SECRET)?;
    let reply = request.reply(SECRET);
    assert_eq!(verify_reply(&reply, &request.authenticator(), SECRET), Ok(request.identifier()));
    assert!(reply.len() <= datagram.len(), "a reply is no longer than its request");

    let attributes = Packet::parse(datagram).unwrap().attributes();
    let states = attributes.iter().filter(|attribute| attribute.kind == AttributeType::PROXY_STATE);
    assert!(states.eq(Packet::parse(&reply).unwrap().attributes()), "Proxy-States in order and nothing else");

    let Ok((event, flaws)) = request.event(PEER, selection) else { return Ok(()) };
    assert_eq!(request.kind(), RequestKind::Accounting, "only an Accounting-Request states anything");
    assert!(usize::from(flaws.count()) <= attributes.iter().count());
    assert!(!event.nas.0.is_empty());
    assert!(event.kind != EventKind::NasReset || (event.session.is_none() && event.assigned.is_empty()));
    for (index, assigned) in event.assigned.iter().enumerate() {
        assert!(!assigned.network.address().is_unspecified());
        assert!(assigned.outside.is_some() || assigned.ports.is_all(), "only a NAT divides an address");
        let inside = assigned.outside.and_then(|outside| outside.inside);
        assert!(inside.is_none() || event.subscriber.is_none(), "what is inside is kept only where nobody is named");
        assert!(!event.assigned.iter().skip(index + 1).any(|later| later == assigned), "each address once");
    }
    Ok(())
}

/// Overwrites Length and Request Authenticator with what fits, by a computation of its own.
fn sign_accounting(mut datagram: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(datagram.len()).unwrap().to_be_bytes();
    datagram.get_mut(2..4).unwrap().copy_from_slice(&length);
    datagram.get_mut(4..HEADER_LEN).unwrap().fill(0);
    let digest = Md5::new().chain_update(&datagram).chain_update(SECRET).finalize();
    datagram.get_mut(4..HEADER_LEN).unwrap().copy_from_slice(&digest);
    datagram
}

/// A Status-Server with these octets after its Message-Authenticator, signed by a computation of its own.
fn sign_status(random: [u8; 16], after: &[u8]) -> Vec<u8> {
    let length = u16::try_from(38 + after.len()).unwrap().to_be_bytes();
    let mut datagram = [&[12, 1], length.as_slice(), &random, &[80, 18], &[0; 16], after].concat();
    let mut hmac: Hmac<Md5> = Hmac::new_from_slice(SECRET).unwrap();
    hmac.update(&datagram);
    datagram.get_mut(22..38).unwrap().copy_from_slice(&hmac.finalize().into_bytes());
    datagram
}

/// Numbers that something reads are far more frequent than by chance. Message-Authenticator is not among them: a
/// forged one ends it all.
fn kinds() -> impl Strategy<Value = u8> {
    let known = [1, 4, 5, 8, 25, 26, 31, 32, 33, 40, 41, 44, 46, 49, 55, 87, 95, 97, 123, 168, 241];
    prop_oneof![8 => prop::sample::select(known.to_vec()), 1 => any::<u8>()]
}

/// Values of the lengths that have a meaning, and of every other.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let prefix = (any::<u8>(), 0..=140_u8, vec(any::<u8>(), 0..=17))
        .prop_map(|(reserved, bits, octets)| [&[reserved, bits], octets.as_slice()].concat());
    let line = vec((1..=3_u8, 0..=9_u8, vec(any::<u8>(), 0..=6)), 0..=4).prop_map(|subs| {
        let framed = subs.into_iter().flat_map(|(kind, length, value)| [vec![kind, length], value].concat());
        BROADBAND_FORUM.to_be_bytes().into_iter().chain(framed).collect()
    });
    let vendor = prop::sample::select(vec![NOKIA, HUAWEI]);
    let parts = prop_oneof![
        (prop::sample::select(vec![161_u8, 162, 163, 165]), prop_oneof![0..=70_000_u32, 0xc000_0200..=0xc000_0203_u32])
            .prop_map(|(kind, number)| (kind, number.to_be_bytes().to_vec())),
        "(192\\.0\\.2\\.[0-3] )?[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}-[0-9]{1,5})?( router base)?"
            .prop_map(|text| (121, text.into_bytes())),
    ];
    let blocks = (vendor, vec(parts, 0..=6)).prop_map(|(vendor, parts)| {
        let framed = parts
            .into_iter()
            .flat_map(|(kind, value)| [vec![kind, u8::try_from(value.len() + 2).unwrap()], value].concat());
        vendor.to_be_bytes().into_iter().chain(framed).collect()
    });
    let tlvs = vec((prop::sample::select(vec![3_u8, 8, 9, 10, 11]), 0..=70_000_u32), 0..=6).prop_map(|tlvs| {
        let framed = tlvs.into_iter().flat_map(|(kind, number)| [[kind, 6].as_slice(), &number.to_be_bytes()].concat());
        std::iter::once(6).chain(framed).collect()
    });
    prop_oneof![
        4 => blocks,
        2 => tlvs,
        4 => (0..=16_u32).prop_map(|number| number.to_be_bytes().to_vec()),
        4 => vec(any::<u8>(), 4),
        2 => vec(any::<u8>(), 16),
        2 => Just(b"02-00-5E-10-00-01".to_vec()),
        2 => prefix,
        2 => line,
        2 => vec(any::<u8>(), 0..=20),
        1 => vec(any::<u8>(), 0..=253),
    ]
}

/// Most begin as a statement, so that the rest is read as one.
fn soups() -> impl Strategy<Value = Vec<Raw>> {
    let status = prop_oneof![3 => prop::sample::select(StatusType::ALL.to_vec()).prop_map(Some), 1 => Just(None)];
    (status, vec((kinds(), values()), 0..=40)).prop_map(|(status, rest)| {
        let first = status.map(|status| (AttributeType::ACCT_STATUS_TYPE.0, status.number().to_be_bytes().to_vec()));
        first.into_iter().chain(rest).collect()
    })
}

fn selections() -> impl Strategy<Value = Selection> {
    let keep = any::<[bool; 4]>().prop_map(|[mac, circuit_id, remote_id, nas_port]| Kept {
        mac,
        circuit_id,
        remote_id,
        nas_port,
    });
    let subscriber = vec(prop::sample::select(SubscriberFrom::ALL.to_vec()), 0..=6);
    (subscriber, keep).prop_map(|(subscriber, keep)| Selection { subscriber, keep })
}

/// The soup under one of the codes, with the Message-Authenticator asked for in front of it or not at all.
fn build(soup: &[Raw], status_server: bool, signed: bool) -> Result<Vec<u8>, BuildError> {
    let builder = if status_server {
        RequestBuilder::status_server(7, [9; 16])
    } else {
        let accounting = RequestBuilder::accounting(7);
        if signed { accounting.message_authenticator() } else { accounting }
    };
    let full = soup.iter().fold(builder, |builder, (kind, value)| builder.attribute(AttributeType(*kind), value));
    full.sign(SECRET)
}

/// A packet as a NAS would send it.
fn ordinary() -> Vec<u8> {
    RequestBuilder::accounting(1)
        .status(StatusType::Start)
        .session(b"8F3A0001")
        .user_name("alice@isp.example")
        .nas_identifier("bng-1")
        .calling_station_id("02-00-5E-10-00-01")
        .circuit_id(b"olt-3 eth 0/5")
        .framed_ip([198, 51, 100, 7].into())
        .attribute(AttributeType::FRAMED_IPV6_PREFIX, &[0, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 7, 0, 0])
        .attribute(AttributeType::PROXY_STATE, b"17")
        .message_authenticator()
        .sign(SECRET)
        .unwrap()
}

/// One change to a datagram: an octet overwritten, a piece cut out, or a piece put in.
#[derive(Clone, Debug)]
enum Mutation {
    Overwrite(prop::sample::Index, u8),
    Cut(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
}

impl Mutation {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, octet)| Self::Overwrite(at, octet)),
            1 => (any::<prop::sample::Index>(), 1..=40_usize).prop_map(|(at, count)| Self::Cut(at, count)),
            1 => (any::<prop::sample::Index>(), vec(any::<u8>(), 1..=40)).prop_map(|(at, new)| Self::Insert(at, new)),
        ]
    }

    fn apply(self, octets: &mut Vec<u8>) {
        let place = |at: prop::sample::Index, octets: &[u8]| at.index(octets.len() + 1);
        match self {
            Self::Overwrite(at, new) => {
                let at = place(at, octets);
                if let Some(octet) = octets.get_mut(at) {
                    *octet = new;
                }
            }
            Self::Cut(at, count) => {
                let at = place(at, octets);
                octets.drain(at..octets.len().min(at + count));
            }
            Self::Insert(at, new) => {
                let at = place(at, octets);
                octets.splice(at..at, new);
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_an_error_or_a_request(datagram in vec(any::<u8>(), 0..=5000)) {
        let _ = swallow(&datagram, &Selection::default());
    }

    #[test]
    fn any_attributes_that_are_signed_are_taken(
        soup in soups(),
        status_server: bool,
        signed: bool,
        padding in vec(any::<u8>(), 0..=8),
        selection in selections(),
    ) {
        let Ok(mut datagram) = build(&soup, status_server, signed) else { return Ok(()) };
        datagram.extend(padding);
        let forged = soup.iter().any(|(kind, _)| *kind == AttributeType::MESSAGE_AUTHENTICATOR.0);
        let expected = if forged { Err(Silent::BadMessageAuthenticator) } else { Ok(()) };
        prop_assert_eq!(swallow(&datagram, &selection), expected);
    }

    #[test]
    fn any_octets_in_the_place_of_attributes_are_survived_under_a_right_digest(
        octets in vec(any::<u8>(), 0..=300),
        status_server: bool,
        random: [u8; 16],
        selection in selections(),
    ) {
        let datagram = if status_server {
            sign_status(random, &octets)
        } else {
            sign_accounting([&[4, 1], [0; 18].as_slice(), &octets].concat())
        };
        let refused = swallow(&datagram, &selection).err();
        let framing = [None, Some(Silent::BadAttribute), Some(Silent::BadMessageAuthenticator)];
        prop_assert!(framing.contains(&refused), "{refused:?}");
    }

    #[test]
    fn a_changed_packet_does_not_pass(mutations in vec(Mutation::any(), 1..=4)) {
        let original = ordinary();
        let mut changed = original.clone();
        mutations.into_iter().for_each(|mutation| mutation.apply(&mut changed));
        let untouched = changed.starts_with(&original);
        prop_assert_eq!(swallow(&changed, &Selection::default()).is_ok(), untouched);
    }

    #[test]
    fn a_changed_packet_that_is_signed_again_is_survived(
        mutations in vec(Mutation::any(), 1..=8),
        selection in selections(),
    ) {
        let mut changed = ordinary();
        let mut attributes = changed.split_off(HEADER_LEN);
        mutations.into_iter().for_each(|mutation| mutation.apply(&mut attributes));
        changed.append(&mut attributes);
        let refused = swallow(&sign_accounting(changed), &selection).err();
        let framing = [None, Some(Silent::BadAttribute), Some(Silent::BadMessageAuthenticator)];
        prop_assert!(framing.contains(&refused), "{refused:?}");
    }
}
