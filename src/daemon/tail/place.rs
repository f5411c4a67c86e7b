//! How far a lease file was read: what is written down with the rows before it.

use crate::domain::time::Timestamp;

/// The version of the bytes; `docs/format.md` has them.
const VERSION: u8 = 1;

/// How much of a file's beginning tells it from another with the same inode.
pub(super) const HEAD: u64 = 256;

/// Which file it is, as the file system knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
    /// When it was made, in nanoseconds since 1970; 0 where the file system does not know.
    pub(super) born: u64,
}

/// A place in a file: all before it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: FileId,
    pub(super) offset: u64,
    /// The newest instant that was read of.
    pub(super) heard: Timestamp,
    /// A keyed hash of the file's beginning, as long as the place is deep and [`HEAD`] at most.
    pub(super) head: [u8; 8],
}

impl Place {
    /// How long the beginning is that is hashed.
    pub(super) fn head_len(offset: u64) -> u16 {
        u16::try_from(offset.min(HEAD)).unwrap_or(0)
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let FileId { device, inode, born } = self.file;
        let numbers = [device, inode, born, self.offset, self.heard.millis()].map(u64::to_be_bytes);
        let length = Self::head_len(self.offset).to_be_bytes();
        [&[VERSION], numbers.as_flattened(), &length, &self.head].concat()
    }

    /// `None` for bytes of another version.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (numbers, rest) = rest.split_first_chunk::<40>()?;
        let (_, head) = rest.split_first_chunk::<2>()?;
        let [device, inode, born, offset, heard] = numbers.as_chunks::<8>().0 else { return None };
        let [device, inode, born, offset, heard] = [device, inode, born, offset, heard].map(|n| u64::from_be_bytes(*n));
        let place = Self {
            file: FileId { device, inode, born },
            offset,
            heard: Timestamp::from_millis(heard),
            head: head.try_into().ok()?,
        };
        (*version == VERSION).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_its_bytes_are_those_of_the_format() {
        let file = FileId { device: 1, inode: 2, born: 3 };
        let place = Place { file, offset: 300, heard: Timestamp::from_millis(5), head: *b"8 bytes." };
        let bytes = place.to_bytes();
        assert_eq!(bytes.len(), 51);
        assert_eq!((bytes[0], &bytes[41..43], &bytes[43..]), (1, [1, 0].as_slice(), b"8 bytes.".as_slice()));
        assert_eq!(Place::from_bytes(&bytes), Some(place));
        assert_eq!(Place::from_bytes(&bytes[..50]), None);
        assert_eq!(Place::from_bytes(b""), None);
    }
}
