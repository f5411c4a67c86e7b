//! The keyring's bytes: a header page, a table with an entry for each slot, the slots. All numbers are big endian.

use crate::domain::time::{Bucket, BucketWidth, millis_of};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::store::rows::fields::first_bytes;

/// Bytes of a slot and of the header: a page, so that a slot is overwritten without reading what is beside it.
pub(super) const PAGE: usize = 4096;
/// Bytes of a table entry: 64 of them make a page, and none lies in two sectors.
pub(super) const ENTRY_BYTES: usize = 64;
/// Slots beyond what the window needs: buckets whose keys are made before the first record comes.
pub(super) const AHEAD: u32 = 4;

const MAGIC: [u8; 16] = *b"lapsed keyring\r\n";
/// Version 1 had one header, a slot for each bucket of the window and no more, and no state 3.
const VERSION: u32 = 2;
const CHECKED_HEADER_BYTES: usize = 84;
/// The most whole or partial buckets that a window can have.
const MOST_BUCKETS: u32 = 4097;
/// A keyring is read whole at start, so it stays below 300 MB.
const MOST_SLOTS: u32 = 1 << 16;
/// Slots that no window may use up: two because it begins and ends inside a bucket, and those made ahead of need.
const SPARE: u32 = 2 + AHEAD;

/// How many slots a new keyring gets: enough for a window four times as long, or of 4096 buckets if that is less, so that a
/// change of the window rewrites the header and moves no key. `None` if the window has too many buckets.
pub(super) fn slots_for(window: Duration, bucket: BucketWidth) -> Option<u32> {
    let buckets = bucket.buckets_in(window);
    let room = buckets.saturating_mul(4).min(4096).max(buckets);
    (buckets <= MOST_BUCKETS).then_some(room.saturating_add(SPARE))
}

/// The longest window for which every bucket that is live at the same time has a slot of its own: bucket `b` has slot
/// `b mod N`.
pub(super) fn longest_window(slots: u32, bucket: BucketWidth) -> Duration {
    bucket.duration().saturating_mul(slots.saturating_sub(SPARE))
}

/// The header page.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) store_id: [u8; 16],
    pub(super) window: Duration,
    pub(super) bucket: BucketWidth,
    pub(super) slots: u32,
    /// What the store-lifetime keys are derived from.
    pub(super) secret: Zeroizing<[u8; 32]>,
}

/// What a page is that is not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHeader {
    /// All zero: the file was never finished.
    Unfinished,
    /// It does not begin with our mark.
    Foreign,
    /// A version above ours.
    Newer(u32),
    /// A version before the first that anybody was to use.
    Older(u32),
    /// The checksum is wrong, or a number cannot be.
    Damaged,
}

impl Header {
    pub(super) fn to_page(&self) -> Zeroizing<Vec<u8>> {
        let mut page = Zeroizing::new(Vec::with_capacity(PAGE));
        page.extend_from_slice(&MAGIC);
        page.extend_from_slice(&VERSION.to_be_bytes());
        page.extend_from_slice(&self.store_id);
        page.extend_from_slice(&millis_of(self.window).to_be_bytes());
        page.extend_from_slice(&self.bucket.secs().to_be_bytes());
        page.extend_from_slice(&self.slots.to_be_bytes());
        page.extend_from_slice(&*self.secret);
        let checksum = checksum_of_header(&page);
        page.extend_from_slice(&checksum);
        page.resize(PAGE, 0);
        page
    }

    pub(super) fn from_page(page: &[u8]) -> Result<Self, NoHeader> {
        if page.iter().all(|byte| *byte == 0) {
            return Err(NoHeader::Unfinished);
        }
        let rest = page.strip_prefix(&MAGIC).ok_or(NoHeader::Foreign)?;
        Self::read(page, rest).unwrap_or(Err(NoHeader::Damaged))
    }

    /// `None` if the page is too short.
    fn read(page: &[u8], rest: &[u8]) -> Option<Result<Self, NoHeader>> {
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let version = u32::from_be_bytes(*version);
        // A newer version may put its checksum elsewhere, so its number is believed as it stands.
        if version > VERSION {
            return Some(Err(NoHeader::Newer(version)));
        }
        if version < VERSION {
            return Some(Err(NoHeader::Older(version)));
        }
        let (store_id, rest) = rest.split_first_chunk::<16>()?;
        let (window, rest) = rest.split_first_chunk::<8>()?;
        let (bucket, rest) = rest.split_first_chunk::<4>()?;
        let (slots, rest) = rest.split_first_chunk::<4>()?;
        let (secret, rest) = rest.split_first_chunk::<32>()?;
        let (checksum, _) = rest.split_first_chunk::<32>()?;
        let (checked, _) = page.split_at_checked(CHECKED_HEADER_BYTES)?;
        if checksum_of_header(checked) != *checksum {
            return None;
        }
        let slots = u32::from_be_bytes(*slots);
        Some(Ok(Self {
            store_id: *store_id,
            window: Duration::from_millis(u64::from_be_bytes(*window)),
            bucket: BucketWidth::from_secs(u32::from_be_bytes(*bucket))?,
            slots: (1..=MOST_SLOTS).contains(&slots).then_some(slots)?,
            secret: Zeroizing::new(*secret),
        }))
    }
}

fn checksum_of_header(bytes: &[u8]) -> [u8; 32] {
    blake3::derive_key("lapsed 2026-11 keyring v1: checksum of the header", bytes)
}

/// A hash over a slot: it shows which key a slot held, and tells nothing about it.
pub(super) type Commitment = [u8; 32];

/// What the table says of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// No bucket has used it yet.
    Unused,
    /// It is the key of a bucket, and this is the commitment to its bytes.
    Live(Bucket, Commitment),
    /// It was the key of a bucket, and is overwritten. What it had committed to stays, if that was known: a report can say
    /// which key it was long after nobody can have it.
    Destroyed(Bucket, Option<Commitment>),
    /// The bucket's key was lost with an earlier keyring. It gets no other.
    Lost(Bucket),
}

impl Entry {
    /// The bucket it speaks of.
    pub(super) fn bucket(self) -> Option<Bucket> {
        match self {
            Self::Unused => None,
            Self::Live(bucket, _) | Self::Destroyed(bucket, _) | Self::Lost(bucket) => Some(bucket),
        }
    }

    /// The bytes of the entry for the slot `slot`.
    pub(super) fn to_bytes(self, slot: u32) -> Vec<u8> {
        let (state, bucket, commitment) = match self {
            Self::Unused => (0, Bucket(0), [0; 32]),
            Self::Live(bucket, commitment) => (1, bucket, commitment),
            Self::Destroyed(bucket, commitment) => (2, bucket, commitment.unwrap_or_default()),
            Self::Lost(bucket) => (3, bucket, [0; 32]),
        };
        let mut bytes = Vec::with_capacity(ENTRY_BYTES);
        bytes.extend_from_slice(&[state, 0, 0, 0]);
        bytes.extend_from_slice(&bucket.0.to_be_bytes());
        bytes.extend_from_slice(&commitment);
        bytes.extend_from_slice(&[0; 8]);
        let checksum = checksum_of_entry(slot, &bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// `None` if the bytes are not an entry for this slot. A page of zeros is none: it may be one that a disk has lost.
    pub(super) fn from_bytes(slot: u32, bytes: &[u8]) -> Option<Self> {
        let (checked, checksum) = bytes.split_last_chunk::<16>()?;
        if checksum_of_entry(slot, checked) != *checksum {
            return None;
        }
        let (state, rest) = checked.split_first_chunk::<4>()?;
        let (bucket, rest) = rest.split_first_chunk::<4>()?;
        let (commitment, _) = rest.split_first_chunk::<32>()?;
        let bucket = Bucket(u32::from_be_bytes(*bucket));
        match state {
            [0, 0, 0, 0] => Some(Self::Unused),
            [1, 0, 0, 0] => Some(Self::Live(bucket, *commitment)),
            [2, 0, 0, 0] => Some(Self::Destroyed(bucket, (*commitment != [0; 32]).then_some(*commitment))),
            [3, 0, 0, 0] => Some(Self::Lost(bucket)),
            _ => None,
        }
    }
}

fn checksum_of_entry(slot: u32, bytes: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("lapsed 2026-11 keyring v1: checksum of a table entry");
    hasher.update(&slot.to_be_bytes()).update(bytes);
    first_bytes(&hasher.finalize())
}

/// Where the table's entry for a slot begins.
pub(super) fn entry_offset(slot: u32) -> u64 {
    offset(1).saturating_add(u64::from(slot).saturating_mul(64))
}

/// Where a slot begins in a keyring of `slots` slots.
pub(super) fn slot_offset(slots: u32, slot: u32) -> u64 {
    let table_pages = slots.div_ceil(64);
    offset(1_u64.saturating_add(u64::from(table_pages)).saturating_add(u64::from(slot)))
}

/// Where the header's copy begins: behind the last slot.
pub(super) fn copy_offset(slots: u32) -> u64 {
    slot_offset(slots, slots)
}

/// How long a keyring of `slots` slots is.
pub(super) fn file_bytes(slots: u32) -> u64 {
    copy_offset(slots).saturating_add(4096)
}

fn offset(page: u64) -> u64 {
    page.saturating_mul(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            store_id: [9; 16],
            window: Duration::from_secs(172_800),
            bucket: BucketWidth::from_secs(600).unwrap(),
            slots: 1158,
            secret: Zeroizing::new([5; 32]),
        }
    }

    #[test]
    fn a_header_reads_back() {
        let page = header().to_page();
        let read = Header::from_page(&page).unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!((read.store_id, read.window, read.slots), ([9; 16], Duration::from_secs(172_800), 1158));
        assert_eq!(*read.secret, [5; 32]);
    }

    #[test]
    fn what_is_not_a_header_says_why() {
        let fault = |page: &[u8]| Header::from_page(page).map(|_| ()).unwrap_err();
        let page = header().to_page();
        assert_eq!(fault(&[0; PAGE]), NoHeader::Unfinished);
        assert_eq!(fault(&[1; PAGE]), NoHeader::Foreign);
        assert_eq!(fault(&page[..60]), NoHeader::Damaged);
        for at in 20..116 {
            let mut changed = page.clone();
            changed[at] ^= 1;
            assert_eq!(fault(&changed), NoHeader::Damaged, "byte {at}");
        }
        let mut newer = page.clone();
        newer[19] = 3;
        assert_eq!(fault(&newer), NoHeader::Newer(3));
        newer[19] = 1;
        assert_eq!(fault(&newer), NoHeader::Older(1));
    }

    #[test]
    fn an_entry_reads_back_for_its_own_slot_only() {
        let bucket = Bucket(7);
        let destroyed = [Entry::Destroyed(bucket, None), Entry::Destroyed(bucket, Some([3; 32]))];
        for entry in [Entry::Unused, Entry::Live(bucket, [3; 32]), Entry::Lost(bucket)].into_iter().chain(destroyed) {
            let bytes = entry.to_bytes(7);
            assert_eq!(bytes.len(), ENTRY_BYTES);
            assert_eq!(Entry::from_bytes(7, &bytes), Some(entry));
            assert_eq!(Entry::from_bytes(8, &bytes), None);
        }
        assert_eq!(Entry::from_bytes(7, &[0; ENTRY_BYTES]), None);
    }

    #[test]
    fn a_window_has_room_to_grow_fourfold_and_never_above_the_bound() {
        let width = BucketWidth::from_secs(600).unwrap();
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        assert_eq!(slots_for(hours(48), width), Some(4 * 288 + 6));
        assert_eq!(longest_window(4 * 288 + 6, width), hours(4 * 48));
        assert_eq!(slots_for(hours(500), width), Some(4096 + 6));
        assert_eq!(slots_for(Duration::from_secs(600 * 4096 + 1), width), Some(4097 + 6));
        assert_eq!(slots_for(Duration::from_secs(600 * 4097 + 1), width), None);
    }

    #[test]
    fn slots_follow_the_table() {
        assert_eq!((entry_offset(0), entry_offset(65)), (4096, 8256));
        assert_eq!((slot_offset(64, 0), slot_offset(65, 0), slot_offset(65, 2)), (8192, 12_288, 20_480));
    }
}
