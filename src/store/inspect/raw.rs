//! The search of a file's bytes for expired keys, whatever the file is. Memory is bounded by one chunk.
//!
//! It finds keys as they are stored, and keys written in hexadecimal digits, as RocksDB's log writes them. It sees no key that
//! is compressed away: in a table it sees the first key of most blocks and what else the compression left literal, and the
//! other keys are read by iteration.

use std::io::{self, Read};

use super::expired::Expired;
use crate::domain::time::Timestamp;
use crate::store::rows::keys::KEY_BYTES;

/// How RocksDB cuts its logs (WAL and MANIFEST): what does not fit into a block goes on behind the next one's header.
const LOG_BLOCK: usize = 32 * 1024;
const LOG_HEADER: usize = 7;
/// A whole number of log blocks, so that their edges lie at the same place in each chunk.
const CHUNK: usize = 32 * LOG_BLOCK;
/// The length of a key in hexadecimal digits.
const HEX: usize = 2 * KEY_BYTES;
/// What a key may have in common with the chunk after it.
const CARRY: usize = HEX - 1;
const BINARY_CARRY: usize = KEY_BYTES - 1;

/// What was found in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hits {
    /// How many.
    pub(super) count: u64,
    /// Where the first begins.
    pub(super) offset: u64,
    /// The oldest instant.
    pub(super) oldest: Timestamp,
}

/// Hits in a file, by how they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) binary: Option<Hits>,
    pub(super) hex: Option<Hits>,
}

/// Searches all that `file` gives, and tells `progress` how many bytes more were read.
pub(super) fn search(mut file: impl Read, expired: &Expired, progress: &mut dyn FnMut(u64)) -> io::Result<Found> {
    let mut found = Found::default();
    let mut buffer: Vec<u8> = Vec::with_capacity(CARRY.saturating_add(CHUNK));
    let mut read: u64 = 0;
    loop {
        // What is kept of the chunk before; its beginnings have been looked at, its ends have not.
        let kept = buffer.len().min(CARRY);
        buffer.drain(..buffer.len().saturating_sub(kept));
        let begin = read.saturating_sub(wide(kept));
        let fresh = wide(file.by_ref().take(wide(CHUNK)).read_to_end(&mut buffer)?);
        if fresh == 0 {
            return Ok(found);
        }
        read = read.saturating_add(fresh);
        progress(fresh);

        let skipped = kept.saturating_sub(BINARY_CARRY);
        if let Some(bytes) = buffer.get(skipped..) {
            search_binary(bytes, expired, begin.saturating_add(wide(skipped)), &mut found.binary);
        }
        search_seams(&buffer, kept, expired, begin, &mut found.binary);
        search_hex(&buffer, expired, begin, &mut found.hex);
    }
}

fn search_binary(bytes: &[u8], expired: &Expired, begin: u64, hits: &mut Option<Hits>) {
    for (place, window) in bytes.windows(KEY_BYTES).enumerate() {
        if let Some(at) = expired.begins(window) {
            note(hits, begin.saturating_add(wide(place)), at);
        }
    }
}

/// Keys that a log has cut in two: the ends of two blocks, without the header between them. In other files these are just
/// some more places.
fn search_seams(buffer: &[u8], chunk: usize, expired: &Expired, begin: u64, hits: &mut Option<Hits>) {
    for edge in (chunk..buffer.len()).step_by(LOG_BLOCK) {
        let from = edge.saturating_sub(BINARY_CARRY);
        let after = edge.saturating_add(LOG_HEADER);
        let until = after.saturating_add(BINARY_CARRY).min(buffer.len());
        let (Some(head), Some(tail)) = (buffer.get(from..edge), buffer.get(after..until)) else { continue };
        for (place, window) in [head, tail].concat().windows(KEY_BYTES).enumerate() {
            // With the header as a part of it, it can be a key as well, if the cut goes through what tells little of its age:
            // then it has been counted.
            let place = from.saturating_add(place);
            let counted = buffer.get(place..).and_then(|bytes| expired.begins(bytes)).is_some();
            if let (Some(at), false) = (expired.begins(window), counted) {
                note(hits, begin.saturating_add(wide(place)), at);
            }
        }
    }
}

fn search_hex(buffer: &[u8], expired: &Expired, begin: u64, hits: &mut Option<Hits>) {
    let mut from: usize = 0;
    while let Some(window) = buffer.get(from..from.saturating_add(HEX)) {
        match window.iter().rposition(|byte| !byte.is_ascii_hexdigit()) {
            // No key reaches over a byte that is no digit: in most files this jumps from one such byte to the next.
            Some(last) => from = from.saturating_add(last).saturating_add(1),
            None => {
                if let Some(at) = decode(window).and_then(|key| expired.begins(&key)) {
                    note(hits, begin.saturating_add(wide(from)), at);
                }
                from = from.saturating_add(1);
            }
        }
    }
}

fn decode(digits: &[u8]) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

fn note(hits: &mut Option<Hits>, offset: u64, at: Timestamp) {
    *hits = Some(match *hits {
        None => Hits { count: 1, offset, oldest: at },
        Some(known) => Hits {
            count: known.count.saturating_add(1),
            offset: known.offset.min(offset),
            oldest: known.oldest.min(at),
        },
    });
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::expired::FLOOR;
    use super::super::expired::tests::{LIMIT, expired, key};
    use super::*;

    fn random(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new_derive_key("a test's random bytes").finalize_xof().fill(&mut bytes);
        bytes
    }

    fn search_all(bytes: &[u8]) -> Found {
        search(bytes, &expired(), &mut |_| {}).unwrap()
    }

    #[test]
    fn a_quarter_of_a_gigabyte_of_random_bytes_has_no_chance_hit() {
        // The documented rate is one in 5 * 10^12 places: for these bytes, one hit in 20,000 tries.
        let places = (1_u128 << 80) / u128::from(LIMIT - FLOOR.millis());
        assert!((5_000_000_000_000..6_000_000_000_000).contains(&places), "{places}");
        let bytes = random(64 << 20);
        for _ in 0..4 {
            assert_eq!(search_all(&bytes), Found::default());
        }
    }

    #[test]
    fn a_key_that_a_log_cut_in_two_is_found() {
        let at = LIMIT - 1;
        let key = key(at / 600_000, at);
        for edge in [LOG_BLOCK, CHUNK - LOG_BLOCK, CHUNK, CHUNK + LOG_BLOCK] {
            for before in 1..KEY_BYTES {
                let mut bytes = vec![0xaa; edge - before];
                bytes.extend(&key[..before]);
                bytes.extend([0xbb; LOG_HEADER]);
                bytes.extend(&key[before..]);
                let offset = wide(edge - before);
                let hits = Some(Hits { count: 1, offset, oldest: Timestamp::from_millis(at) });
                assert_eq!(search_all(&bytes).binary, hits, "{edge} {before}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_key_is_found_once_wherever_it_begins(
            near in prop_oneof![Just(0), Just(CHUNK), Just(2 * CHUNK)],
            shift in 0..120_usize,
            age in 1..150_000_000_000_u64,
            upper in any::<bool>(),
        ) {
            let at = LIMIT.saturating_sub(age);
            let key = key(at / 600_000, at);
            let offset = usize::saturating_add(near, shift).saturating_sub(60);
            let hits = Some(Hits { count: 1, offset: wide(offset), oldest: Timestamp::from_millis(at) });
            let mut bytes = random(2 * CHUNK + 200);
            bytes[offset..][..KEY_BYTES].copy_from_slice(&key);
            prop_assert_eq!(search_all(&bytes), Found { binary: hits, hex: None });

            let digit = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
            let text: String = key.iter().map(digit).collect();
            let mut bytes = vec![b'\''; 2 * CHUNK + 200];
            bytes[offset..][..HEX].copy_from_slice(text.as_bytes());
            prop_assert_eq!(search_all(&bytes), Found { binary: None, hex: hits });
        }
    }
}
