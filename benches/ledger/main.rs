//! What a ledger's hash tree costs: appending an entry, and proving that it is there.
//!
//! `cargo bench --locked --profile release --bench ledger`. The profile matters: with another one, RocksDB is compiled again.
//!
//! Entries of 600 bytes, as those of the access ledger are; one thread, all in memory. Each figure is the median of a thousand batches,
//! by the thread's processor time, divided by the batch.
//!
//! - `append`: hashing the entry, and what [`Frontier::append`] completes; the log grows to a million.
//! - `prove`: an inclusion proof of a random entry of that log, from hashes in a map.
//! - `check`: whether it holds, the entry's hash included.
//!
//! Where it only looks whether it still runs, everything is a thousand times smaller.
#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "its report is what it is for")]

#[path = "../support/figures.rs"]
#[expect(dead_code, reason = "what is shared has parts for the other benches")]
mod figures;

use std::collections::HashMap;

use lapsed::ledger::merkle::{Frontier, Hash, Subtrees, inclusion_holds, inclusion_proof};

use figures::{percentile, took};

const ENTRY_BYTES: usize = 600;

struct Kept(HashMap<(u8, u64), Hash>);

impl Subtrees for Kept {
    type Error = (u8, u64);

    fn hash(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        self.0.get(&(level, index)).copied().ok_or((level, index))
    }
}

fn main() {
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let (batches, batch) = if measuring { (1000, 1000) } else { (10, 100) };
    let (mut frontier, mut kept) = (Frontier::empty(), Kept(HashMap::new()));
    let mut appends = Vec::new();
    for number in 0..batches {
        let entries: Vec<_> = (number * batch..(number + 1) * batch).map(entry).collect();
        let mut completed = Vec::new();
        let took = took(|| completed = entries.iter().map(|entry| frontier.append(Hash::of_leaf(entry))).collect());
        appends.push(took.processor);
        kept.0.extend(completed.into_iter().flatten().map(|(level, index, hash)| ((level, index), hash)));
    }
    let (size, root) = (frontier.size(), frontier.root());
    let (mut proves, mut checks) = (Vec::new(), Vec::new());
    for number in 0..batches {
        // Far apart, and each once: the step has no divisor in common with the size.
        let indices: Vec<_> = (0..batch).map(|at| (number * batch + at) * 7_368_787 % size).collect();
        let mut proofs = Vec::new();
        let took_to_prove = took(|| {
            proofs = indices.iter().map(|index| inclusion_proof(&kept, *index, size).unwrap()).collect();
        });
        proves.push(took_to_prove.processor);
        let entries: Vec<_> = indices.iter().map(|index| entry(*index)).collect();
        checks.push(
            took(|| {
                for ((index, entry), proof) in indices.iter().zip(&entries).zip(&proofs) {
                    assert!(inclusion_holds(Hash::of_leaf(entry), *index, size, proof, root));
                }
            })
            .processor,
        );
    }
    for (name, batches) in [("append", appends), ("prove", proves), ("check", checks)] {
        let median = percentile(&batches, 50).unwrap().as_nanos() / u128::from(batch);
        println!("{name}: {median} ns each, of {size} entries of {ENTRY_BYTES} bytes");
    }
}

fn entry(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().cycle().take(ENTRY_BYTES).collect()
}
