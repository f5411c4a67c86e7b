//! Keys of the record families: `bucket (4) | tag (12) | t in ms (6) | id (4)`, all big endian, 26 bytes.
//!
//! Time stands in clear on purpose: what drops expired rows needs no secret, and neither does who checks that they are gone.

use crate::domain::time::{Bucket, Timestamp};

/// Length of a key.
pub(in crate::store) const KEY_BYTES: usize = 26;
/// Length of what a lookup seeks: the bucket and the tag.
pub(in crate::store) const PREFIX_BYTES: usize = 16;

/// Length of a tag.
pub(in crate::store) const TAG_BYTES: usize = 12;

/// Keyed hash of what a row is filed under: an address, a session, a NAS or a subscriber. It means nothing without its bucket's key.
pub(in crate::store) type Tag = [u8; TAG_BYTES];

/// Tells apart the statements about one address in one millisecond; the same statement twice has the same one.
pub(super) type RowId = [u8; 4];

/// A key in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct RowKey {
    pub(in crate::store) bucket: Bucket,
    pub(in crate::store) tag: Tag,
    pub(in crate::store) at: Timestamp,
    pub(in crate::store) id: RowId,
}

impl RowKey {
    /// The bytes on disk.
    pub(in crate::store) fn to_bytes(self) -> [u8; KEY_BYTES] {
        // A Timestamp is below 2^48, so the two bytes left out are 0.
        let [_, _, at @ ..] = self.at.millis().to_be_bytes();
        let parts = self.bucket.0.to_be_bytes().into_iter().chain(self.tag).chain(at).chain(self.id);
        let mut bytes = [0; KEY_BYTES];
        for (byte, part) in bytes.iter_mut().zip(parts) {
            *byte = part;
        }
        bytes
    }

    /// Reads a key; `None` if it has another length.
    pub(in crate::store) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (bucket, rest) = bytes.split_first_chunk::<4>()?;
        let (tag, rest) = rest.split_first_chunk::<12>()?;
        let (at, id) = rest.split_first_chunk::<6>()?;
        let [a, b, c, d, e, f] = *at;
        Some(Self {
            bucket: Bucket(u32::from_be_bytes(*bucket)),
            tag: *tag,
            at: Timestamp::from_millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f])),
            id: id.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_and_sorts_by_bucket_tag_and_time() {
        let key = RowKey { bucket: Bucket(7), tag: [9; 12], at: Timestamp::from_millis(4_200_001), id: [1, 2, 3, 4] };
        assert_eq!(RowKey::from_bytes(&key.to_bytes()), Some(key));
        let later = RowKey { at: Timestamp::from_millis(4_200_256), id: [0; 4], ..key };
        assert!(key.to_bytes() < later.to_bytes());
        assert!(later.to_bytes() < RowKey { bucket: Bucket(8), tag: [0; 12], ..key }.to_bytes());
    }

    #[test]
    fn another_length_is_no_key() {
        assert_eq!(RowKey::from_bytes(&[0; 25]), None);
        assert_eq!(RowKey::from_bytes(&[0; 27]), None);
    }
}
