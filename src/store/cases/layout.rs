//! The bytes of the file `case-keys`: a header page, a table with an entry for each slot, the slots. All numbers are big endian.

use super::{CaseClass, CaseId};
use crate::domain::time::Timestamp;
use crate::store::rows::fields::first_bytes;

/// Bytes of a slot and of the header.
pub(super) const PAGE: usize = 4096;
/// Bytes of a table entry: 64 of them make a page, and none lies in two sectors.
pub(super) const ENTRY_BYTES: usize = 64;
/// How many cases can be live at once: requests twice (with what is captured for them), and holds.
pub(super) const MOST_CASES: u32 = 16_384;

const PAGE_LENGTH: u64 = 4096;
const TABLE_PAGES: u64 = 256;
const MAGIC: [u8; 16] = *b"lapsed casekeys\n";
const VERSION: u32 = 1;
const CHECKED_HEADER_BYTES: usize = 36;

/// The header page for the store with this id.
pub(super) fn header(store_id: &[u8; 16]) -> Vec<u8> {
    let mut page = Vec::with_capacity(PAGE);
    page.extend_from_slice(&MAGIC);
    page.extend_from_slice(&VERSION.to_be_bytes());
    page.extend_from_slice(store_id);
    let checksum = blake3::derive_key("lapsed 2026-11 case keys v1: checksum of the header", &page);
    page.extend_from_slice(&checksum);
    page.resize(PAGE, 0);
    page
}

/// The id of the store that a header page is of; `None` if it is no header of this version.
pub(super) fn store_of(page: &[u8]) -> Option<[u8; 16]> {
    let (checked, rest) = page.split_at_checked(CHECKED_HEADER_BYTES)?;
    let (checksum, _) = rest.split_first_chunk::<32>()?;
    if blake3::derive_key("lapsed 2026-11 case keys v1: checksum of the header", checked) != *checksum {
        return None;
    }
    let rest = checked.strip_prefix(&MAGIC)?.strip_prefix(&VERSION.to_be_bytes())?;
    rest.try_into().ok()
}

/// What the table says of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nothing, or a case that is over: another may take the slot.
    Free,
    /// The key of a case.
    Live(LiveEntry),
}

/// A live case in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LiveEntry {
    pub(super) id: CaseId,
    pub(super) class: CaseClass,
    /// From when on it is destroyed.
    pub(super) expires: Timestamp,
    /// The hash that shows that the slot has its key.
    pub(super) commitment: [u8; 32],
}

impl Entry {
    /// The bytes of the entry for the slot `slot`.
    pub(super) fn to_bytes(self, slot: u32) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENTRY_BYTES);
        match self {
            Self::Free => bytes.resize(58, 0),
            Self::Live(LiveEntry { id, class, expires, commitment }) => {
                bytes.extend_from_slice(&[1, class.number()]);
                bytes.extend_from_slice(&expires.millis().to_be_bytes());
                bytes.extend_from_slice(&id.0);
                bytes.extend_from_slice(&commitment);
            }
        }
        let checksum = checksum(slot, &bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// `None` if the bytes are not an entry for this slot. Zeros are: the table begins with them.
    pub(super) fn from_bytes(slot: u32, bytes: &[u8]) -> Option<Self> {
        if bytes.len() == ENTRY_BYTES && bytes.iter().all(|byte| *byte == 0) {
            return Some(Self::Free);
        }
        let (checked, of_it) = bytes.split_last_chunk::<6>()?;
        if checksum(slot, checked) != *of_it {
            return None;
        }
        let (state, rest) = checked.split_first_chunk::<2>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (id, commitment) = rest.split_first_chunk::<16>()?;
        match *state {
            [0, 0] => Some(Self::Free),
            [1, class] => Some(Self::Live(LiveEntry {
                id: CaseId(*id),
                class: CaseClass::of_number(class)?,
                expires: Timestamp::from_millis(u64::from_be_bytes(*expires)),
                commitment: commitment.try_into().ok()?,
            })),
            _ => None,
        }
    }
}

fn checksum(slot: u32, bytes: &[u8]) -> [u8; 6] {
    let mut hasher = blake3::Hasher::new_derive_key("lapsed 2026-11 case keys v1: checksum of a table entry");
    hasher.update(&slot.to_be_bytes()).update(bytes);
    first_bytes(&hasher.finalize())
}

/// Where the table's entry for a slot begins.
pub(super) fn entry_offset(slot: u32) -> u64 {
    PAGE_LENGTH.saturating_add(u64::from(slot).saturating_mul(64))
}

/// Where a slot begins.
pub(super) fn slot_offset(slot: u32) -> u64 {
    u64::from(slot).saturating_add(1 + TABLE_PAGES).saturating_mul(PAGE_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_for_its_own_slot_only() {
        let live = Entry::Live(LiveEntry {
            id: CaseId([7; 16]),
            class: CaseClass::Hold,
            expires: Timestamp::from_millis(1_700_000_000_123),
            commitment: [3; 32],
        });
        for entry in [Entry::Free, live] {
            let bytes = entry.to_bytes(7);
            assert_eq!(bytes.len(), ENTRY_BYTES);
            assert_eq!(Entry::from_bytes(7, &bytes), Some(entry));
            assert_eq!(Entry::from_bytes(8, &bytes), None);
        }
        assert_eq!(Entry::from_bytes(3, &[0; ENTRY_BYTES]), Some(Entry::Free));
        let mut changed = live.to_bytes(7);
        changed[9] ^= 1;
        assert_eq!(Entry::from_bytes(7, &changed), None);
    }

    #[test]
    fn a_header_says_whose_it_is() {
        let page = header(&[9; 16]);
        assert_eq!((page.len(), store_of(&page)), (PAGE, Some([9; 16])));
        assert_eq!(store_of(&[0; PAGE]), None);
        let mut changed = page;
        changed[30] ^= 1;
        assert_eq!(store_of(&changed), None);
    }

    #[test]
    fn slots_follow_the_table() {
        assert_eq!((entry_offset(0), entry_offset(MOST_CASES)), (4096, slot_offset(0)));
    }
}
