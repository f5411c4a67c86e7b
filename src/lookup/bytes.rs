//! What exhibits and answers have in common as bytes: a version byte, then bincode's legacy encoding (little endian, fixed
//! widths, lengths as u64), and nothing after it.
//!
//! Equal content has equal bytes, so that a digest of them tells whether anything changed. Nothing here encrypts.

use std::net::IpAddr;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};

use crate::domain::address::{Network, Realm};
use crate::domain::nat::Inside;
use crate::store::DecodeError;

/// The most bytes an exhibit or an answer may have. Two days of the busiest shared address take a few million.
const MAX_BYTES: usize = 64 << 20;

/// Without the limit, a corrupt length would make bincode ask for that much memory.
const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_BYTES>> =
    bincode::config::legacy().with_limit::<MAX_BYTES>();

/// Bytes that are no exhibit, or no answer, of this version; or content that has no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// There is more than fits.
    #[error(
        "it would have more than {MAX_BYTES} bytes, or a record of it more than {} bytes",
        crate::store::MAX_RECORD_BYTES
    )]
    TooLong,
    /// There is not even a version byte.
    #[error("it is empty")]
    Empty,
    /// Another version.
    #[error("it is of version {0}, which this version does not know")]
    Version(u8),
    /// They end too early, or hold what the encoding has no meaning for.
    #[error("it is not in the encoding of its version")]
    Encoding,
    /// Bytes follow.
    #[error("{0} bytes follow it")]
    TrailingBytes(usize),
    /// A record in it is malformed.
    #[error("a record in it is malformed: {0}")]
    Record(#[from] DecodeError),
    /// A prefix longer than an address of its family.
    #[error("a prefix length in it is {0}")]
    PrefixLen(u8),
    /// A number that stands for nothing.
    #[error("its {what} is {number}, which this version does not know")]
    Number {
        /// What it is the number of.
        what: &'static str,
        /// The number.
        number: u8,
    },
    /// A value that has no number in this version.
    #[error("its {0} has no number")]
    Unnumbered(&'static str),
    /// A bucket has no width.
    #[error("its buckets have no width")]
    NoWidth,
}

/// A version byte and a value.
pub(super) fn encode(version: u8, value: impl bincode::Encode) -> Result<Vec<u8>, BytesError> {
    let mut bytes = vec![version];
    bytes.extend(bincode::encode_to_vec(value, CONFIG).map_err(|_| BytesError::TooLong)?);
    if bytes.len() <= MAX_BYTES { Ok(bytes) } else { Err(BytesError::TooLong) }
}

/// The value that [`encode`] wrote with this version.
pub(super) fn decode<'a, T: bincode::BorrowDecode<'a, ()>>(version: u8, bytes: &'a [u8]) -> Result<T, BytesError> {
    let (found, body) = bytes.split_first().ok_or(BytesError::Empty)?;
    if *found != version {
        return Err(BytesError::Version(*found));
    }
    let (value, consumed) = bincode::borrow_decode_from_slice(body, CONFIG).map_err(|_| BytesError::Encoding)?;
    match body.len().saturating_sub(consumed) {
        0 => Ok(value),
        left => Err(BytesError::TrailingBytes(left)),
    }
}

/// An address or prefix. The order is the number on disk.
#[derive(bincode::Encode, bincode::BorrowDecode)]
pub(super) enum NetworkV1 {
    V4 { address: [u8; 4], prefix_len: u8 },
    V6 { address: [u8; 16], prefix_len: u8 },
}

impl NetworkV1 {
    pub(super) fn of(network: Network) -> Self {
        let prefix_len = network.prefix_len();
        match network.address() {
            IpAddr::V4(address) => Self::V4 { address: address.octets(), prefix_len },
            IpAddr::V6(address) => Self::V6 { address: address.octets(), prefix_len },
        }
    }

    pub(super) fn to_network(&self) -> Result<Network, BytesError> {
        let (address, prefix_len) = match *self {
            Self::V4 { address, prefix_len } => (IpAddr::from(address), prefix_len),
            Self::V6 { address, prefix_len } => (IpAddr::from(address), prefix_len),
        };
        Network::around(address, prefix_len).ok_or(BytesError::PrefixLen(prefix_len))
    }
}

/// What lies inside of a NAT.
#[derive(bincode::Encode, bincode::BorrowDecode)]
pub(super) struct InsideV1<'a> {
    realm: &'a str,
    network: NetworkV1,
}

impl<'a> InsideV1<'a> {
    pub(super) fn of(inside: &'a Inside) -> Self {
        Self { realm: &inside.realm.0, network: NetworkV1::of(inside.network) }
    }

    pub(super) fn to_inside(&self) -> Result<Inside, BytesError> {
        Ok(Inside { realm: Realm(self.realm.to_owned()), network: self.network.to_network()? })
    }
}
