//! What the benches share: a made-up population, a store on a temporary directory, and how figures are summed up.

pub(crate) mod figures;
pub(crate) mod place;
pub(crate) mod population;
#[path = "../../examples/simulator/rng.rs"]
pub(crate) mod rng;
pub(crate) mod sealing;

/// Is this a measurement (`cargo bench`), or only a look whether the bench still runs (`cargo test --benches`)?
pub(crate) fn measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
