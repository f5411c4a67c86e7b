//! Our tree and the crate `ct-merkle`, which is not ours, say the same of random logs; and no proof survives a change.
//!
//! `LAPSED_PROPTEST_CASES` sets how many logs each test makes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

use std::collections::BTreeMap;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use lapsed::ledger::merkle::{
    Frontier, Hash, Subtrees, consistency_holds, consistency_proof, inclusion_holds, inclusion_proof, root_at,
};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2_of_ct_merkle::Sha256;

#[expect(clippy::disallowed_methods, reason = "a test has no configuration")]
fn config() -> ProptestConfig {
    let cases = std::env::var("LAPSED_PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A log as we keep it.
struct Kept {
    frontier: Frontier,
    hashes: BTreeMap<(u8, u64), Hash>,
}

impl Kept {
    fn of(entries: &[Vec<u8>]) -> Self {
        let (mut frontier, mut hashes) = (Frontier::empty(), BTreeMap::new());
        for entry in entries {
            for (level, index, hash) in frontier.append(Hash::of_leaf(entry)) {
                assert_eq!(hashes.insert((level, index), hash), None, "each subtree is completed once");
            }
        }
        Self { frontier, hashes }
    }
}

impl Subtrees for Kept {
    type Error = (u8, u64);

    fn hash(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        self.hashes.get(&(level, index)).copied().ok_or((level, index))
    }
}

/// The same log as the other keeps it.
fn theirs(entries: &[Vec<u8>]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    entries.iter().for_each(|entry| tree.push(entry.clone()));
    tree
}

fn joined(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

/// Entries of a log, many of them around a power of two.
fn log() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let around_a_power = (0_u32..10, -1_i64..=1).prop_map(|(power, beside)| (1_i64 << power) + beside);
    let size = prop_oneof![around_a_power, 0_i64..700].prop_map(|size| usize::try_from(size).unwrap());
    (size, vec(any::<u8>(), 0..40)).prop_map(|(size, bytes)| {
        // Entries of all lengths, no two alike but by chance; the empty one too.
        let entry = |number: usize| {
            let mut entry = bytes[..number % (bytes.len() + 1)].to_vec();
            if !number.is_multiple_of(7) {
                entry.extend(number.to_be_bytes());
            }
            entry
        };
        (0..size).map(entry).collect()
    })
}

/// Every proof that differs from this one by a bit, by a hash more, by a hash less, or by its order.
fn spoilt(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut spoilt = Vec::new();
    for at in 0..proof.len() {
        for bit in 0..256 {
            let mut other = proof.to_vec();
            other[at].0[bit / 8] ^= 1 << (bit % 8);
            spoilt.push(other);
        }
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        spoilt.push(shorter);
        let mut exchanged = proof.to_vec();
        exchanged.swap(at, 0);
        spoilt.extend((exchanged != proof).then_some(exchanged));
    }
    for at in 0..=proof.len() {
        for more in [Hash([0; 32]), Hash::of_nothing()].into_iter().chain(proof.first().copied()) {
            let mut longer = proof.to_vec();
            longer.insert(at, more);
            spoilt.push(longer);
        }
    }
    spoilt
}

fn flipped(hash: Hash) -> Hash {
    let mut other = hash;
    other.0[31] ^= 1;
    other
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn roots_and_proofs_are_those_of_another_library(entries in log(), picks in vec(any::<prop::sample::Index>(), 4)) {
        let (ours, tree) = (Kept::of(&entries), theirs(&entries));
        let size = entries.len() as u64;
        let root = ours.frontier.root();
        prop_assert_eq!(root.0.to_vec(), tree.root().as_bytes().to_vec());
        prop_assert_eq!(root_at(&ours, size), Ok(root));
        for pick in picks {
            let old = pick.index(entries.len() + 1);
            let old_root = Hash(theirs(&entries[..old]).root().as_bytes()[..].try_into().unwrap());
            prop_assert_eq!(root_at(&ours, old as u64), Ok(old_root));
            let consistency = consistency_proof(&ours, old as u64, size).unwrap();
            if old > 0 {
                let theirs = tree.prove_consistency(entries.len() - old);
                prop_assert_eq!(joined(&consistency), theirs.as_bytes());
            }
            prop_assert!(consistency_holds(old as u64, old_root, size, root, &consistency));
            if old < entries.len() {
                let proof = inclusion_proof(&ours, old as u64, size).unwrap();
                let theirs = tree.prove_inclusion(old);
                prop_assert_eq!(joined(&proof), theirs.as_bytes());
                prop_assert!(inclusion_holds(Hash::of_leaf(&entries[old]), old as u64, size, &proof, root));
            }
        }
    }

    #[test]
    fn no_changed_proof_of_inclusion_holds(entries in log(), pick in any::<prop::sample::Index>()) {
        prop_assume!(!entries.is_empty());
        let ours = Kept::of(&entries);
        let (size, index, root) = (entries.len() as u64, pick.index(entries.len()), ours.frontier.root());
        let (leaf, index) = (Hash::of_leaf(&entries[index]), index as u64);
        let proof = inclusion_proof(&ours, index, size).unwrap();
        prop_assert!(inclusion_holds(leaf, index, size, &proof, root));
        for other in spoilt(&proof) {
            prop_assert!(!inclusion_holds(leaf, index, size, &other, root));
        }
        prop_assert!(!inclusion_holds(flipped(leaf), index, size, &proof, root));
        prop_assert!(!inclusion_holds(leaf, index, size, &proof, flipped(root)));
        prop_assert!(!inclusion_holds(leaf, size, size, &proof, root));
        for other in (0..size).filter(|other| *other != index) {
            prop_assert!(!inclusion_holds(leaf, other, size, &proof, root) || ours.hashes[&(0, other)] == leaf);
        }
    }

    #[test]
    fn no_changed_proof_of_consistency_holds(entries in log(), pick in any::<prop::sample::Index>()) {
        prop_assume!(!entries.is_empty());
        let ours = Kept::of(&entries);
        let (old, size, root) = (1 + pick.index(entries.len()) as u64, entries.len() as u64, ours.frontier.root());
        let old_root = root_at(&ours, old).unwrap();
        let proof = consistency_proof(&ours, old, size).unwrap();
        prop_assert!(consistency_holds(old, old_root, size, root, &proof));
        for other in spoilt(&proof) {
            prop_assert!(!consistency_holds(old, old_root, size, root, &other));
        }
        prop_assert!(!consistency_holds(old, flipped(old_root), size, root, &proof));
        prop_assert!(!consistency_holds(old, old_root, size, flipped(root), &proof));
    }

    #[test]
    fn no_proof_of_any_shape_stops_the_checks(
        sizes in (any::<u64>(), any::<u64>()), proof in vec(any::<[u8; 32]>().prop_map(Hash), 0..70),
    ) {
        let hash = Hash::of_nothing();
        prop_assert!(!inclusion_holds(hash, sizes.0, sizes.1, &proof, hash) || proof.is_empty());
        prop_assert!(!consistency_holds(sizes.0, hash, sizes.1, hash, &proof) || proof.is_empty());
    }
}
