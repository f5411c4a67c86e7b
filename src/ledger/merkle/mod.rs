//! The hash tree of an append-only log: RFC 6962, section 2.1, with SHA-256.
//!
//! Leaves are counted from 0. A *complete subtree* `(level, index)` covers the leaves `[index << level, (index + 1) << level)`; its hash
//! never changes once its last leaf is there. Everything here is made of hashes of complete subtrees, wherever they are kept.
//!
//! Keeps nothing, reads nothing, and does not know what the entries say.

mod check;
mod frontier;
mod prove;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

pub use check::{consistency_holds, inclusion_holds};
pub use frontier::Frontier;
pub use prove::{ProofError, Subtrees, consistency_proof, inclusion_proof, root_at};

/// Before the bytes of an entry, so that no entry passes for two hashes (RFC 6962, section 2.1).
const LEAF: [u8; 1] = [0];
/// Before two hashes.
const NODE: [u8; 1] = [1];

/// A hash of the tree: 32 bytes of SHA-256. Displayed in base64, as checkpoints and receipts write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of a leaf: of a zero byte and the entry.
    pub fn of_leaf(entry: &[u8]) -> Self {
        Self(Sha256::new().chain_update(LEAF).chain_update(entry).finalize().into())
    }

    /// The hash of a node: of a one byte and the two hashes below it.
    pub fn of_node(left: &Self, right: &Self) -> Self {
        Self(Sha256::new().chain_update(NODE).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// The root of a log without entries: the hash of no bytes.
    pub fn of_nothing() -> Self {
        Self(Sha256::digest([]).into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

/// The hash of a complete subtree, from those of its complete subtrees of some level below. None unless their number is a power of two.
pub fn folded(mut hashes: Vec<Hash>) -> Option<Hash> {
    if !hashes.len().is_power_of_two() {
        return None;
    }
    while hashes.len() > 1 {
        hashes = hashes.as_chunks().0.iter().map(|[left, right]| Hash::of_node(left, right)).collect();
    }
    hashes.pop()
}

/// How many complete subtrees of a level a log of this size has.
const fn complete(size: u64, level: u8) -> u64 {
    if level < 64 { size >> level } else { 0 }
}

/// The maximal complete subtrees of a log, from the left, which is from the highest: one for each bit that the size has.
fn peaks(size: u64) -> impl Iterator<Item = (u8, u64)> {
    let counted = (0..64).rev().map(move |level| (level, complete(size, level)));
    // The last complete subtree of a level belongs to no higher one exactly if the levels' subtrees are odd in number.
    counted.filter(|(_, count)| count & 1 == 1).map(|(level, count)| (level, count & !1))
}

/// One hash over those of maximal complete subtrees, which come from the right.
fn joined(from_the_right: impl Iterator<Item = Hash>) -> Hash {
    from_the_right.reduce(|right, left| Hash::of_node(&left, &right)).unwrap_or_else(Hash::of_nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn leaves_nodes_and_nothing_are_hashed_apart() {
        // Each was computed with sha256sum.
        assert_eq!(hex(Hash::of_nothing()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(Hash::of_leaf(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(Hash::of_leaf(b"").to_string(), "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=");
        let (left, right) = (Hash::of_leaf(b""), Hash::of_nothing());
        let together: Vec<u8> = left.0.into_iter().chain(right.0).collect();
        assert_ne!(Hash::of_node(&left, &right), Hash::of_leaf(&together));
        assert_ne!(Hash::of_node(&left, &right), Hash::of_node(&right, &left));
    }

    #[test]
    fn a_complete_subtree_is_folded_from_any_level_below() {
        let [one, two, three] = [b"1", b"2", b"3"].map(|entry| Hash::of_leaf(entry));
        assert_eq!(folded(vec![one]), Some(one));
        let node = Hash::of_node(&one, &two);
        assert_eq!(folded(vec![one, two]), Some(node));
        assert_eq!(folded(vec![one, two, three, one]), Some(Hash::of_node(&node, &Hash::of_node(&three, &one))));
        assert_eq!([folded(vec![]), folded(vec![one, two, three])], [None, None]);
    }

    #[test]
    fn the_maximal_complete_subtrees_cover_a_log_once() {
        assert_eq!(peaks(0).count(), 0);
        assert_eq!(peaks(6).collect::<Vec<_>>(), [(2, 0), (1, 2)]);
        for size in [1, 2, 3, 255, 256, 257, 1 << 40, u64::MAX - 1, u64::MAX] {
            let mut next = 0_u128;
            for (level, index) in peaks(size) {
                assert_eq!(u128::from(index) << level, next);
                next += 1_u128 << level;
            }
            assert_eq!(next, u128::from(size));
        }
    }
}
