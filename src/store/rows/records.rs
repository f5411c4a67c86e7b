//! A record as bytes: `RecordV1` in bincode's legacy encoding (little endian, fixed widths, lengths as u64).
//!
//! The instant is not among them: it stands in the key, and other instants are stored as their distance from it, never below
//! zero, so that no record can carry a time older than its own.

use std::net::IpAddr;
use std::time::Duration;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};

use crate::domain::address::{Network, Ports, Realm};
use crate::domain::identity::{CircuitId, Line, Mac, NasId, NasPort, RemoteId, SessionTag, SourceName, SubscriberId};
use crate::domain::nat::Inside;
use crate::domain::record::{Kind, Record, Subject, TimeQuality};
use crate::domain::time::{Timestamp, millis_of};

/// The most bytes a record may have. Attributes of RADIUS have at most 253 bytes (RFC 2865, section 5), 508 as hex text; seven of them fit.
pub const MAX_RECORD_BYTES: usize = 4096;

/// Without the limit, a corrupt length would make bincode ask for that much memory.
const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_RECORD_BYTES>> =
    bincode::config::legacy().with_limit::<MAX_RECORD_BYTES>();

#[derive(bincode::Encode, bincode::BorrowDecode)]
struct RecordV1<'a> {
    kind: u8,
    quality: u8,
    subject: SubjectV1<'a>,
    session: [u8; 8],
    source: &'a str,
    nas: &'a str,
    subscriber: Option<&'a str>,
    mac: Option<[u8; 6]>,
    circuit_id: Option<&'a str>,
    remote_id: Option<&'a str>,
    nas_port: Option<&'a str>,
    receive_delay_ms: u64,
    lease_ms: Option<u64>,
    terminate_cause: Option<u32>,
    inside: Option<InsideV1<'a>>,
    named_earlier: bool,
}

/// The order is the number on disk.
#[derive(bincode::Encode, bincode::BorrowDecode)]
enum InsideV1<'a> {
    V4 { realm: &'a str, address: [u8; 4], prefix_len: u8 },
    V6 { realm: &'a str, address: [u8; 16], prefix_len: u8 },
}

/// The order is the number on disk.
#[derive(bincode::Encode, bincode::BorrowDecode)]
enum SubjectV1<'a> {
    V4 { realm: &'a str, address: [u8; 4], prefix_len: u8, first_port: u16, last_port: u16 },
    V6 { realm: &'a str, address: [u8; 16], prefix_len: u8, first_port: u16, last_port: u16 },
    Session,
    Nas,
    Subscriber,
}

/// Bytes that are no record of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They end too early, are longer than a record may be, or hold what the encoding has no meaning for.
    #[error("the record is not in the encoding of version 1")]
    Encoding,
    /// Bytes follow the record.
    #[error("{0} bytes follow the record")]
    TrailingBytes(usize),
    /// A kind that this version does not know.
    #[error("the record's kind is {0}, which this version does not know")]
    Kind(u8),
    /// A time quality that this version does not know.
    #[error("the record's time quality is {0}, which this version does not know")]
    Quality(u8),
    /// A prefix longer than an address of its family.
    #[error("the record's prefix length is {0}")]
    PrefixLen(u8),
    /// A port range that ends before it begins.
    #[error("the record's ports run from {0} to {1}")]
    Ports(u16, u16),
}

/// The bytes of a record, before they are sealed. `None` if there are more than [`MAX_RECORD_BYTES`].
///
/// Instants are kept to the millisecond; a lease end before the record's instant is kept as that instant.
pub fn encode(record: &Record) -> Option<Vec<u8>> {
    let value = RecordV1 {
        kind: record.kind.number(),
        quality: record.quality.number(),
        subject: SubjectV1::of(&record.subject),
        session: record.session.0,
        source: &record.source.0,
        nas: &record.nas.0,
        subscriber: record.subscriber.as_ref().map(SubscriberId::as_str),
        mac: record.line.mac.map(|mac| mac.0),
        circuit_id: record.line.circuit_id.as_ref().map(CircuitId::as_str),
        remote_id: record.line.remote_id.as_ref().map(RemoteId::as_str),
        nas_port: record.line.nas_port.as_ref().map(NasPort::as_str),
        receive_delay_ms: millis_of(record.receive_delay),
        lease_ms: record.lease_end.map(|end| millis_of(end.since(record.at))),
        terminate_cause: record.terminate_cause,
        inside: record.inside.as_ref().map(InsideV1::of),
        named_earlier: record.named_earlier,
    };
    bincode::encode_to_vec(value, CONFIG).ok().filter(|bytes| bytes.len() <= MAX_RECORD_BYTES)
}

/// The record that [`encode`] wrote, at the instant its key names.
pub fn decode(bytes: &[u8], at: Timestamp) -> Result<Record, DecodeError> {
    let (value, consumed) =
        bincode::borrow_decode_from_slice::<RecordV1<'_>, _>(bytes, CONFIG).map_err(|_| DecodeError::Encoding)?;
    match bytes.len().saturating_sub(consumed) {
        0 => value.to_record(at),
        left => Err(DecodeError::TrailingBytes(left)),
    }
}

impl RecordV1<'_> {
    fn to_record(&self, at: Timestamp) -> Result<Record, DecodeError> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Ok(Record {
            at,
            kind: Kind::from_number(self.kind).ok_or(DecodeError::Kind(self.kind))?,
            subject: self.subject.to_subject()?,
            source: SourceName(self.source.to_owned()),
            nas: NasId(self.nas.to_owned()),
            session: SessionTag(self.session),
            subscriber: text(self.subscriber).map(SubscriberId),
            line: Line {
                mac: self.mac.map(Mac),
                circuit_id: text(self.circuit_id).map(CircuitId),
                remote_id: text(self.remote_id).map(RemoteId),
                nas_port: text(self.nas_port).map(NasPort),
            },
            quality: TimeQuality::from_number(self.quality).ok_or(DecodeError::Quality(self.quality))?,
            receive_delay: Duration::from_millis(self.receive_delay_ms),
            lease_end: self.lease_ms.map(|ms| at.plus(Duration::from_millis(ms))),
            terminate_cause: self.terminate_cause,
            inside: self.inside.as_ref().map(InsideV1::to_inside).transpose()?,
            named_earlier: self.named_earlier,
        })
    }
}

impl<'a> InsideV1<'a> {
    fn of(inside: &'a Inside) -> Self {
        let (Realm(realm), prefix_len) = (&inside.realm, inside.network.prefix_len());
        match inside.network.address() {
            IpAddr::V4(address) => Self::V4 { realm, address: address.octets(), prefix_len },
            IpAddr::V6(address) => Self::V6 { realm, address: address.octets(), prefix_len },
        }
    }

    fn to_inside(&self) -> Result<Inside, DecodeError> {
        let (realm, address, prefix_len) = match *self {
            Self::V4 { realm, address, prefix_len } => (realm, IpAddr::from(address), prefix_len),
            Self::V6 { realm, address, prefix_len } => (realm, IpAddr::from(address), prefix_len),
        };
        let network = Network::around(address, prefix_len).ok_or(DecodeError::PrefixLen(prefix_len))?;
        Ok(Inside { realm: Realm(realm.to_owned()), network })
    }
}

impl<'a> SubjectV1<'a> {
    fn of(subject: &'a Subject) -> Self {
        match subject {
            Subject::Assignment { realm: Realm(realm), network, ports } => {
                let (prefix_len, first_port, last_port) = (network.prefix_len(), ports.first(), ports.last());
                match network.address() {
                    IpAddr::V4(address) => {
                        Self::V4 { realm, address: address.octets(), prefix_len, first_port, last_port }
                    }
                    IpAddr::V6(address) => {
                        Self::V6 { realm, address: address.octets(), prefix_len, first_port, last_port }
                    }
                }
            }
            Subject::Session => Self::Session,
            Subject::Nas => Self::Nas,
            Subject::Subscriber => Self::Subscriber,
        }
    }

    fn to_subject(&self) -> Result<Subject, DecodeError> {
        match *self {
            Self::V4 { realm, address, prefix_len, first_port, last_port } => {
                assignment(realm, address.into(), prefix_len, first_port, last_port)
            }
            Self::V6 { realm, address, prefix_len, first_port, last_port } => {
                assignment(realm, address.into(), prefix_len, first_port, last_port)
            }
            Self::Session => Ok(Subject::Session),
            Self::Nas => Ok(Subject::Nas),
            Self::Subscriber => Ok(Subject::Subscriber),
        }
    }
}

fn assignment(realm: &str, address: IpAddr, prefix_len: u8, first: u16, last: u16) -> Result<Subject, DecodeError> {
    Ok(Subject::Assignment {
        realm: Realm(realm.to_owned()),
        network: Network::around(address, prefix_len).ok_or(DecodeError::PrefixLen(prefix_len))?,
        ports: Ports::new(first, last).ok_or(DecodeError::Ports(first, last))?,
    })
}
