//! An exhibit as bytes: `ExhibitV1`. Records are in it as in the store (`RecordV1`), each behind its instant.

use std::time::Duration;

use crate::domain::address::Realm;
use crate::domain::coverage::{Coverage, Mark, Troubles};
use crate::domain::identity::{NasId, SessionTag, SourceName, SubscriberId};
use crate::domain::record::Record;
use crate::domain::time::{Bucket, BucketWidth, Timestamp, millis_of};
use crate::store;

use super::Exhibit;
use crate::lookup::bytes::{self, BytesError, NetworkV1};
use crate::lookup::timeline::Trust;

const VERSION: u8 = 1;

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct ExhibitV1<'a> {
    realm: &'a str,
    network: NetworkV1,
    spans_ms: Vec<(u64, u64)>,
    horizon_ms: u64,
    now_ms: u64,
    settled_through: Option<u32>,
    written_through: Option<u32>,
    parts: Vec<PartV1<'a>>,
    marks: Vec<RecordAtV1>,
    spoken: Vec<SpokenV1<'a>>,
    bucket_secs: u32,
    newest: Vec<(&'a str, u64)>,
    heard: Vec<MarkV1<'a>>,
}

/// What is said of one prefix.
#[derive(bincode::Encode, bincode::BorrowDecode)]
struct PartV1<'a> {
    realm: &'a str,
    network: NetworkV1,
    rows: Vec<(u8, RecordAtV1)>,
}

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct RecordAtV1 {
    at_ms: u64,
    record: Vec<u8>,
}

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct SpokenV1<'a> {
    nas: &'a str,
    session: [u8; 8],
    subscriber: &'a str,
    at_ms: u64,
}

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct MarkV1<'a> {
    source: Option<&'a str>,
    bucket: u32,
    heard_ms: Option<(u64, u64)>,
    troubles: u16,
}

impl Exhibit {
    /// The exhibit as it is sealed.
    ///
    /// # Errors
    ///
    /// [`BytesError::TooLong`], if there is more than one exhibit may have.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BytesError> {
        let parts = self.rows.iter().map(|((realm, network), rows)| {
            let rows = rows.iter().map(|(record, trust)| Ok((number(*trust), RecordAtV1::of(record)?)));
            let rows = rows.collect::<Result<_, BytesError>>()?;
            Ok(PartV1 { realm: &realm.0, network: NetworkV1::of(*network), rows })
        });
        let spoken = self.spoken.iter().map(|((nas, session), subscriber, at)| SpokenV1 {
            nas: &nas.0,
            session: session.0,
            subscriber: subscriber.as_str(),
            at_ms: at.millis(),
        });
        let newest = self.coverage.newest_of_all().map(|(source, at)| (source.0.as_str(), at.millis()));
        let value = ExhibitV1 {
            realm: &self.realm.0,
            network: NetworkV1::of(self.network),
            spans_ms: self.spans.iter().map(|(from, to)| (from.millis(), to.millis())).collect(),
            horizon_ms: self.horizon.millis(),
            now_ms: self.now.millis(),
            settled_through: self.settled_through.map(|bucket| bucket.0),
            written_through: self.written_through.map(|bucket| bucket.0),
            parts: parts.collect::<Result<_, BytesError>>()?,
            marks: self.marks().map(RecordAtV1::of).collect::<Result<_, _>>()?,
            spoken: spoken.collect(),
            bucket_secs: self.coverage.width().secs(),
            newest: newest.collect(),
            heard: self.coverage.marks().map(MarkV1::of).collect(),
        };
        bytes::encode(VERSION, value)
    }

    /// The exhibit that [`Exhibit::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BytesError> {
        let value: ExhibitV1<'_> = bytes::decode(VERSION, bytes)?;
        let mut exhibit = Self {
            realm: Realm(value.realm.to_owned()),
            network: value.network.to_network()?,
            spans: value.spans_ms.iter().map(|(from, to)| (instant(*from), instant(*to))).collect(),
            horizon: instant(value.horizon_ms),
            now: instant(value.now_ms),
            settled_through: value.settled_through.map(Bucket),
            written_through: value.written_through.map(Bucket),
            coverage: value.coverage()?,
            rows: Default::default(),
            ends: Default::default(),
            resets: Default::default(),
            spoken: value.spoken.iter().map(SpokenV1::to_spoken).collect(),
        };
        for part in &value.parts {
            let place = (Realm(part.realm.to_owned()), part.network.to_network()?);
            let rows = part.rows.iter().map(|(trust, record)| Ok((trust_of(*trust)?, record.to_record()?)));
            let rows = rows.map(|row| row.map(|(trust, record)| (record, trust)));
            exhibit.rows.insert(place, rows.collect::<Result<_, BytesError>>()?);
        }
        for mark in &value.marks {
            exhibit.take_mark(mark.to_record()?);
        }
        Ok(exhibit)
    }
}

impl ExhibitV1<'_> {
    fn coverage(&self) -> Result<Coverage, BytesError> {
        let width = BucketWidth::from_secs(self.bucket_secs).ok_or(BytesError::NoWidth)?;
        let mut coverage = Coverage::new(width);
        for (source, at) in &self.newest {
            coverage.hear_newest(&SourceName((*source).to_owned()), instant(*at));
        }
        for mark in &self.heard {
            let source = mark.source.map(|source| SourceName(source.to_owned()));
            coverage.recall(&source, Bucket(mark.bucket), mark.to_mark());
        }
        Ok(coverage)
    }
}

impl RecordAtV1 {
    fn of(record: &Record) -> Result<Self, BytesError> {
        let bytes = store::encode(record).ok_or(BytesError::TooLong)?;
        Ok(Self { at_ms: record.at.millis(), record: bytes })
    }

    fn to_record(&self) -> Result<Record, BytesError> {
        Ok(store::decode(&self.record, instant(self.at_ms))?)
    }
}

impl SpokenV1<'_> {
    fn to_spoken(&self) -> ((NasId, SessionTag), SubscriberId, Timestamp) {
        let session = (NasId(self.nas.to_owned()), SessionTag(self.session));
        (session, SubscriberId(self.subscriber.to_owned()), instant(self.at_ms))
    }
}

impl<'a> MarkV1<'a> {
    fn of((whose, bucket, mark): (&'a Option<SourceName>, Bucket, Mark)) -> Self {
        Self {
            source: whose.as_ref().map(|source| source.0.as_str()),
            bucket: bucket.0,
            heard_ms: mark.heard.map(|(first, last)| (millis_of(first), millis_of(last))),
            troubles: mark.troubles.bits(),
        }
    }

    fn to_mark(&self) -> Mark {
        let heard = self.heard_ms.map(|(first, last)| (Duration::from_millis(first), Duration::from_millis(last)));
        Mark { heard, troubles: Troubles::from_bits(self.troubles) }
    }
}

fn instant(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn number(trust: Trust) -> u8 {
    match trust {
        Trust::Settled => 1,
        Trust::Doubtful => 2,
        Trust::Raw => 3,
    }
}

fn trust_of(number: u8) -> Result<Trust, BytesError> {
    match number {
        1 => Ok(Trust::Settled),
        2 => Ok(Trust::Doubtful),
        3 => Ok(Trust::Raw),
        _ => Err(BytesError::Number { what: "trust", number }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Network;
    use crate::domain::coverage::Trouble;

    /// One of an address of which nothing is said, with one mark.
    fn exhibit() -> Exhibit {
        let mut coverage = Coverage::new(BucketWidth::from_secs(600).unwrap());
        coverage.trouble(&None, instant(600_000), instant(600_000), Trouble::Away);
        coverage.hear_newest(&SourceName("s".into()), instant(5));
        Exhibit {
            realm: Realm("r".into()),
            network: Network::single("192.0.2.7".parse().unwrap()),
            spans: vec![(instant(1), instant(2))],
            horizon: instant(1),
            now: instant(3),
            settled_through: Some(Bucket(7)),
            written_through: None,
            rows: [((Realm::default(), Network::single("192.0.2.7".parse().unwrap())), Vec::new())].into(),
            ends: Default::default(),
            resets: Default::default(),
            spoken: [((NasId("n".into()), SessionTag([9; 8])), SubscriberId("u".into()), instant(4))].into(),
            coverage,
        }
    }

    #[test]
    fn an_exhibit_has_these_bytes() {
        let long = |value: u8| [value, 0, 0, 0, 0, 0, 0, 0];
        let network = [0, 0, 0, 0, 192, 0, 2, 7, 32];
        let expected = [
            &[1][..],
            &[&long(1)[..], b"r", &network].concat(),
            &[long(1), long(1), long(2)].concat(),
            &[long(1), long(3)].concat(),
            &[1, 7, 0, 0, 0, 0],
            &[&long(1)[..], &long(0), &network, &long(0)].concat(),
            &long(0),
            &[&long(1)[..], &long(1), b"n", &[9; 8], &long(1), b"u", &long(4)].concat(),
            &[0x58, 2, 0, 0],
            &[&long(1)[..], &long(1), b"s", &long(5)].concat(),
            &[&long(1)[..], &[0, 1, 0, 0, 0, 0, 1, 0]].concat(),
        ]
        .concat();
        assert_eq!(exhibit().to_bytes().unwrap(), expected);
        assert_eq!(Exhibit::from_bytes(&expected), Ok(exhibit()));
    }

    #[test]
    fn an_exhibit_with_bytes_left_over_is_refused() {
        let mut bytes = exhibit().to_bytes().unwrap();
        bytes.push(0);
        assert_eq!(Exhibit::from_bytes(&bytes), Err(BytesError::TrailingBytes(1)));
    }
}
