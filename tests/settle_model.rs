//! Forgetting never changes an answer: a store that is settled and forgets agrees, at every moment of asking, with a reference
//! that has heard the same and forgets nothing.
//!
//! A history is a customer site: an IPv4 address, a delegated /56, a /64 and an address inside it, and up to four sessions
//! that hold some of them, or some ports. What a source says of it is lost, doubled, late and out of order; leases end,
//! stops name no address, NASes are reset and addresses declined. Time goes by in steps; in each, what has arrived by then is
//! committed, some buckets are settled or none, keys of what is past are destroyed, the pass is begun anew now and then, and
//! questions are asked. The number of histories is `LAPSED_SETTLED_HISTORIES`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod random;
mod settle_answers;
mod settle_world;

use settle_world::World;

/// Histories that share a store.
const TOGETHER: u32 = 1000;

#[expect(clippy::disallowed_methods, reason = "the size of a test is no setting of the product")]
fn number_of_histories() -> u32 {
    std::env::var("LAPSED_SETTLED_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(2 * TOGETHER)
}

#[test]
fn forgetting_never_changes_an_answer() {
    let starts: Vec<u32> = (0..number_of_histories()).step_by(usize::try_from(TOGETHER).unwrap()).collect();
    let answers: u64 = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| starts.iter().copied().skip(half).step_by(2).collect::<Vec<_>>());
        let threads = halves.map(|half| {
            scope.spawn(move || {
                let of = |start: u32| {
                    let dir = tempfile::tempdir().unwrap();
                    let config = settle_world::config();
                    let mut world = World::new(dir.path(), config, start..start + TOGETHER, |_, _, _| {});
                    world.go(|world, now| {
                        for _ in 0..world.sites.len() / 10 + 1 {
                            settle_answers::ask(world, now);
                        }
                    });
                    world.answers
                };
                half.into_iter().map(of).sum::<u64>()
            })
        });
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(answers > 10_000 * starts.len() as u64, "{answers} answers");
}
