//! Roots and proofs of any size that a log has had, from its complete subtrees.

use super::{Hash, complete, joined, peaks};

/// The complete subtrees of a log, wherever they are kept.
pub trait Subtrees {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of the complete subtree over the leaves `[index << level, (index + 1) << level)`.
    ///
    /// # Errors
    ///
    /// If it is not there, or cannot be read.
    fn hash(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Why there is no proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError<E> {
    /// The log of this size does not have the leaf.
    #[error("a log of {size} entries has no entry {index}")]
    NoSuchLeaf {
        /// The leaf.
        index: u64,
        /// The log.
        size: u64,
    },
    /// The first log is longer than the second.
    #[error("a log of {new} entries has no log of {old} at its beginning")]
    Shrinks {
        /// The size of the first log.
        old: u64,
        /// The size of the second log.
        new: u64,
    },
    /// A hash is missing.
    #[error(transparent)]
    Subtree(#[from] E),
}

/// The root of the log when it had this size (RFC 6962, section 2.1).
///
/// # Errors
///
/// If a subtree cannot be had.
pub fn root_at<S: Subtrees>(subtrees: &S, size: u64) -> Result<Hash, S::Error> {
    over(subtrees, 0, size)
}

/// The hashes that lead from a leaf to the root of the log of this size, from the leaf upward (RFC 6962, section 2.1.1): 64 at most.
///
/// # Errors
///
/// If the log has no such leaf, or a subtree cannot be had.
pub fn inclusion_proof<S: Subtrees>(subtrees: &S, index: u64, size: u64) -> Result<Vec<Hash>, ProofError<S::Error>> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let mut proof = Vec::new();
    let (mut begin, mut end) = (0, size);
    while let Some(middle) = middle(begin, end) {
        if index < middle {
            proof.push(over(subtrees, middle, end)?);
            end = middle;
        } else {
            proof.push(over(subtrees, begin, middle)?);
            begin = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show that the log of size `old` is the beginning of that of size `new` (RFC 6962, section 2.1.2): 65 at most.
///
/// None where `old` is 0, since everything begins with nothing, and none where the sizes are equal.
///
/// # Errors
///
/// If `old` is larger than `new`, or a subtree cannot be had.
pub fn consistency_proof<S: Subtrees>(subtrees: &S, old: u64, new: u64) -> Result<Vec<Hash>, ProofError<S::Error>> {
    if old > new {
        return Err(ProofError::Shrinks { old, new });
    }
    let mut proof = Vec::new();
    if old == 0 {
        return Ok(proof);
    }
    let (mut begin, mut end) = (0, new);
    while old < end
        && let Some(middle) = middle(begin, end)
    {
        if old <= middle {
            proof.push(over(subtrees, middle, end)?);
            end = middle;
        } else {
            proof.push(over(subtrees, begin, middle)?);
            begin = middle;
        }
    }
    // What is left ends where the old log ends. If it is all of the old log, then whoever checks has its hash: the old root.
    if begin > 0 {
        proof.push(over(subtrees, begin, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Where the leaves `[begin, end)` are divided: after as many as the largest power of two that is smaller than their number. Not where
/// there are fewer than two.
fn middle(begin: u64, end: u64) -> Option<u64> {
    let last = end.checked_sub(begin)?.checked_sub(1)?;
    begin.checked_add(1_u64.checked_shl(last.checked_ilog2()?)?)
}

/// The hash over the leaves `[begin, end)`, where `begin` is the beginning of a subtree that they would fit into.
fn over<S: Subtrees>(subtrees: &S, begin: u64, end: u64) -> Result<Hash, S::Error> {
    let inside = peaks(end.saturating_sub(begin));
    let placed = inside.map(|(level, index)| (level, complete(begin, level).saturating_add(index)));
    let mut hashes = placed.map(|(level, index)| subtrees.hash(level, index)).collect::<Result<Vec<_>, _>>()?;
    hashes.reverse();
    Ok(joined(hashes.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has every subtree, and all of them are the same.
    struct Zeroes;

    impl Subtrees for Zeroes {
        type Error = std::convert::Infallible;

        fn hash(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
            assert!(u128::from(index) << level < u128::from(u64::MAX), "no subtree begins beyond the log");
            Ok(Hash([0; 32]))
        }
    }

    #[test]
    fn leaves_are_divided_as_the_rfc_says() {
        let divided = [(0, 0), (0, 1), (0, 2), (0, 3), (4, 7), (0, 8), (0, 9), (8, 13)].map(|(b, e)| middle(b, e));
        assert_eq!(divided, [None, None, Some(1), Some(2), Some(6), Some(4), Some(8), Some(12)]);
        assert_eq!(middle(0, u64::MAX), Some(1 << 63));
    }

    #[test]
    fn what_there_is_no_proof_of_is_named() {
        for (index, size) in [(0, 0), (7, 7), (u64::MAX, u64::MAX)] {
            assert_eq!(inclusion_proof(&Zeroes, index, size), Err(ProofError::NoSuchLeaf { index, size }));
        }
        assert_eq!(consistency_proof(&Zeroes, 2, 1), Err(ProofError::Shrinks { old: 2, new: 1 }));
        assert_eq!(consistency_proof(&Zeroes, 0, 7), Ok(Vec::new()));
    }

    #[test]
    fn the_longest_log_has_the_longest_proofs() {
        assert_eq!(inclusion_proof(&Zeroes, 0, u64::MAX).map(|proof| proof.len()), Ok(64));
        assert_eq!(inclusion_proof(&Zeroes, u64::MAX - 1, u64::MAX).map(|proof| proof.len()), Ok(63));
        assert_eq!(consistency_proof(&Zeroes, (1 << 63) - 1, u64::MAX).map(|proof| proof.len()), Ok(65));
        assert_eq!(consistency_proof(&Zeroes, 1, u64::MAX).map(|proof| proof.len()), Ok(64));
        assert!(root_at(&Zeroes, u64::MAX).is_ok());
    }
}
