//! Whether a proof holds: RFC 9162, sections 2.1.3.2 and 2.1.4.2. Nothing is believed of what a proof says about itself.

use super::Hash;

/// A node's index in its level, and the index of that level's last node.
#[derive(Clone, Copy)]
struct Place {
    index: u64,
    last: u64,
}

impl Place {
    const fn up(self) -> Self {
        Self { index: self.index >> 1, last: self.last >> 1 }
    }

    const fn is_right(self) -> bool {
        self.index & 1 == 1
    }

    /// Whether the next hash of a proof stands to the left: that of a right child does, and so does that of the last node, which
    /// is carried up until it is one.
    const fn has_left(self) -> bool {
        self.is_right() || self.index == self.last
    }

    /// The level at which this node, which is the last of its level, is a right child; the root if it never is.
    const fn carried(mut self) -> Self {
        while !self.is_right() && self.index != 0 {
            self = self.up();
        }
        self
    }
}

/// Whether `proof` leads from the hash of a leaf to the root of a log of this size. It must be neither longer nor shorter than it is.
pub fn inclusion_holds(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> bool {
    let Some(last) = size.checked_sub(1).filter(|last| index <= *last) else { return false };
    let (mut place, mut hash) = (Place { index, last }, leaf);
    for beside in proof {
        if place.last == 0 {
            return false;
        }
        if place.has_left() {
            hash = Hash::of_node(beside, &hash);
            place = place.carried();
        } else {
            hash = Hash::of_node(&hash, beside);
        }
        place = place.up();
    }
    place.last == 0 && hash == root
}

/// Whether `proof` shows that a log of size `old_size` and `old_root` is the beginning of one of `new_size` and `new_root`.
///
/// Of a log without entries the root alone is checked, and the proof must be empty; likewise where the sizes are equal, where the
/// roots must be too.
pub fn consistency_holds(old_size: u64, old_root: Hash, new_size: u64, new_root: Hash, proof: &[Hash]) -> bool {
    let (Some(index), Some(last)) = (old_size.checked_sub(1), new_size.checked_sub(1)) else {
        let new_agrees = new_size > 0 || new_root == Hash::of_nothing();
        return old_size == 0 && old_root == Hash::of_nothing() && new_agrees && proof.is_empty();
    };
    if old_size >= new_size {
        return old_size == new_size && old_root == new_root && proof.is_empty();
    }
    let mut place = Place { index, last };
    while place.is_right() {
        place = place.up();
    }
    // The subtree that ends the old log: the old root itself, which no proof repeats, or else the proof's first hash.
    let (first, rest) = match proof.split_first() {
        _ if old_size.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let (mut old, mut new) = (first, first);
    for beside in rest {
        if place.last == 0 {
            return false;
        }
        if place.has_left() {
            old = Hash::of_node(beside, &old);
            new = Hash::of_node(beside, &new);
            place = place.carried();
        } else {
            new = Hash::of_node(&new, beside);
        }
        place = place.up();
    }
    place.last == 0 && old == old_root && new == new_root
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Hash = Hash([1; 32]);
    const B: Hash = Hash([2; 32]);

    #[test]
    fn a_log_of_one_is_its_leaf() {
        assert!(inclusion_holds(A, 0, 1, &[], A));
        assert!(!inclusion_holds(A, 0, 1, &[], B));
        assert!(!inclusion_holds(A, 0, 1, &[B], Hash::of_node(&A, &B)), "a proof that goes on beyond the root");
        for (index, size) in [(0, 0), (1, 1), (u64::MAX, u64::MAX)] {
            assert!(!inclusion_holds(A, index, size, &[], A), "a leaf that is not there");
        }
    }

    #[test]
    fn nothing_is_the_beginning_of_everything() {
        let nothing = Hash::of_nothing();
        assert!(consistency_holds(0, nothing, 0, nothing, &[]));
        assert!(consistency_holds(0, nothing, 7, A, &[]));
        assert!(!consistency_holds(0, A, 7, A, &[]));
        assert!(!consistency_holds(0, nothing, 0, A, &[]));
        assert!(!consistency_holds(0, nothing, 7, A, &[A]));
        assert!(!consistency_holds(7, A, 0, nothing, &[]));
    }

    #[test]
    fn a_log_is_its_own_beginning_and_never_that_of_a_shorter_one() {
        assert!(consistency_holds(7, A, 7, A, &[]));
        assert!(!consistency_holds(7, A, 7, B, &[]));
        assert!(!consistency_holds(7, A, 7, A, &[A]));
        assert!(!consistency_holds(8, A, 7, A, &[]));
        assert!(consistency_holds(1, A, 2, Hash::of_node(&A, &B), &[B]));
        for proof in [&[][..], &[A], &[B, B]] {
            assert!(!consistency_holds(1, A, 2, Hash::of_node(&A, &B), proof), "{proof:?}");
        }
    }

    #[test]
    fn the_largest_sizes_are_checked_without_a_panic() {
        for proof in [vec![], vec![A; 64], vec![A; 65], vec![A; 70]] {
            for size in [1, 2, 1 << 63, u64::MAX - 1, u64::MAX] {
                assert!(!inclusion_holds(A, size - 1, size, &proof, B));
                assert!(!inclusion_holds(A, 0, size, &proof, B));
                assert!(!consistency_holds(size - 1, A, size, B, &proof));
                assert!(!consistency_holds(1, A, size, B, &proof));
            }
        }
    }
}
