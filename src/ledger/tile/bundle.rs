//! The bytes of a bundle: each entry's length in two bytes, the higher one first, and the entry.

use super::FULL;

/// Why entries are no bundle, or bytes are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BundleError {
    /// There is no entry.
    #[error("a bundle has an entry at least")]
    Empty,
    /// There are more than 256 entries.
    #[error("a bundle has at most {FULL} entries")]
    TooMany,
    /// An entry is longer than its length could say.
    #[error("entry {place} of the bundle has {bytes} bytes, and at most 65535 fit")]
    TooLong {
        /// Which one, counted from 0.
        place: usize,
        /// Its length.
        bytes: usize,
    },
    /// The bytes end before the entry does.
    #[error("the bundle ends within entry {place}")]
    CutShort {
        /// Which one, counted from 0.
        place: usize,
    },
}

/// The entries of a bundle, in their order: from 1 to 256, each of at most 65,535 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bundle {
    /// The entries.
    pub entries: Vec<Vec<u8>>,
}

impl Bundle {
    /// The bundle's bytes.
    ///
    /// # Errors
    ///
    /// If there are too few entries, too many, or one is too long.
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        check_count(self.entries.len())?;
        let mut bytes = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            let len = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong { place, bytes: entry.len() })?;
            bytes.extend(len.to_be_bytes());
            bytes.extend(entry);
        }
        Ok(bytes)
    }

    /// Reads a bundle's bytes, all of them.
    ///
    /// # Errors
    ///
    /// If they end within an entry, or hold too few or too many.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let (mut entries, mut left) = (Vec::new(), bytes);
        while !left.is_empty() {
            check_count(entries.len().saturating_add(1))?;
            let cut_short = BundleError::CutShort { place: entries.len() };
            let (len, rest) = left.split_first_chunk().ok_or(cut_short)?;
            let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*len).into()).ok_or(cut_short)?;
            entries.push(entry.to_vec());
            left = rest;
        }
        check_count(entries.len())?;
        Ok(Self { entries })
    }
}

fn check_count(entries: usize) -> Result<(), BundleError> {
    match entries {
        0 => Err(BundleError::Empty),
        _ if entries > usize::from(FULL) => Err(BundleError::TooMany),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_written_and_read() {
        let bundle = Bundle { entries: vec![b"one".to_vec(), Vec::new(), vec![7; 0xffff]] };
        let bytes = bundle.encode().unwrap();
        assert_eq!(&bytes[..9], b"\x00\x03one\x00\x00\xff\xff");
        assert_eq!(Bundle::decode(&bytes), Ok(bundle));
    }

    #[test]
    fn every_cut_is_seen() {
        let bundle = Bundle { entries: vec![b"one".to_vec(), Vec::new(), b"three".to_vec()] };
        let bytes = bundle.encode().unwrap();
        for end in 1..bytes.len() {
            match (end, Bundle::decode(&bytes[..end])) {
                (5 | 7, read) => assert_eq!(read.unwrap().entries[..], bundle.entries[..(end - 3) / 2]),
                (_, read) => assert!(matches!(read, Err(BundleError::CutShort { .. })), "{end}: {read:?}"),
            }
        }
        assert_eq!(Bundle::decode(b""), Err(BundleError::Empty));
        assert_eq!(Bundle::decode(&[0; 2 * 256]).map(|bundle| bundle.entries.len()), Ok(256));
        assert_eq!(Bundle::decode(&[0; 2 * 257]), Err(BundleError::TooMany));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let of = |entries| Bundle { entries }.encode();
        assert_eq!(of(vec![]), Err(BundleError::Empty));
        assert_eq!(of(vec![vec![]; 257]), Err(BundleError::TooMany));
        assert_eq!(of(vec![vec![], vec![0; 65_536]]), Err(BundleError::TooLong { place: 1, bytes: 65_536 }));
    }
}
