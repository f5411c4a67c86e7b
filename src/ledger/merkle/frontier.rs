//! The right edge of a log: all that is needed to append to it and to say its root.

use super::{Hash, joined, peaks};

/// The hashes of the maximal complete subtrees of a log of some size: 64 at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frontier {
    size: u64,
    /// From the left.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// That of a log without entries.
    pub const fn empty() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// That of a log of this size, whose hashes of complete subtrees `hash(level, index)` reads.
    ///
    /// # Errors
    ///
    /// The first one of `hash`.
    pub fn read<E>(size: u64, mut hash: impl FnMut(u8, u64) -> Result<Hash, E>) -> Result<Self, E> {
        let peaks = peaks(size).map(|(level, index)| hash(level, index)).collect::<Result<_, _>>()?;
        Ok(Self { size, peaks })
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the log as it is now.
    pub fn root(&self) -> Hash {
        joined(self.peaks.iter().rev().copied())
    }

    /// Appends a leaf. Gives the complete subtrees that it completes, as level, index and hash: itself at level 0, and then upward.
    ///
    /// A log of 2^64 - 1 leaves is full: then this changes nothing and gives nothing.
    pub fn append(&mut self, leaf: Hash) -> Vec<(u8, u64, Hash)> {
        let Some(grown) = self.size.checked_add(1) else { return Vec::new() };
        let (mut level, mut index, mut hash) = (0_u8, self.size, leaf);
        let mut completed = vec![(level, index, hash)];
        // A subtree of odd index has its left neighbour as the last peak: together they are one of the next level.
        while index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            (level, index, hash) = (level.saturating_add(1), index >> 1, Hash::of_node(&left, &hash));
            completed.push((level, index, hash));
        }
        self.peaks.push(hash);
        self.size = grown;
        completed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_leaf_completes_itself_and_what_ends_with_it() {
        let mut frontier = Frontier::empty();
        assert_eq!((frontier.size(), frontier.root()), (0, Hash::of_nothing()));
        let leaves: Vec<_> = (0..4_u8).map(|entry| Hash::of_leaf(&[entry])).collect();
        let completed: Vec<_> = leaves.iter().map(|leaf| frontier.append(*leaf)).collect();
        let pairs = [Hash::of_node(&leaves[0], &leaves[1]), Hash::of_node(&leaves[2], &leaves[3])];
        let all = Hash::of_node(&pairs[0], &pairs[1]);
        assert_eq!(completed[0], [(0, 0, leaves[0])]);
        assert_eq!(completed[1], [(0, 1, leaves[1]), (1, 0, pairs[0])]);
        assert_eq!(completed[2], [(0, 2, leaves[2])]);
        assert_eq!(completed[3], [(0, 3, leaves[3]), (1, 1, pairs[1]), (2, 0, all)]);
        assert_eq!((frontier.size(), frontier.root()), (4, all));
    }

    #[test]
    fn what_was_kept_gives_the_same_frontier_at_every_size() {
        let mut kept = BTreeMap::new();
        let mut frontier = Frontier::empty();
        for size in 0..=300_u64 {
            let read = Frontier::read(size, |level, index| kept.get(&(level, index)).copied().ok_or((level, index)));
            assert_eq!(read.as_ref(), Ok(&frontier));
            for (level, index, hash) in frontier.append(Hash::of_leaf(&size.to_be_bytes())) {
                assert_eq!(kept.insert((level, index), hash), None, "each subtree is completed once");
            }
        }
        assert_eq!(Frontier::read(301, |level, index| Err((level, index))), Err::<Frontier, _>((8, 0)));
    }

    #[test]
    fn a_full_log_stays_as_it_is() {
        let zero = Hash([0; 32]);
        let mut frontier = Frontier::read(u64::MAX - 1, |_, _| Ok::<_, ()>(zero)).unwrap();
        assert_eq!(frontier.append(zero), [(0, u64::MAX - 1, zero)]);
        let full = frontier.clone();
        assert_eq!(frontier.append(zero), []);
        assert_eq!(frontier, full);
    }
}
