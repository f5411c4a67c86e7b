//! `lapse audit sample`.

use crate::cli::{Ending, say, tell};
use crate::evidence::sample;

use super::given::Given;

/// Arguments of `lapse audit sample`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse audit sample evidence --purge-vkey purge.vkey --access-vkey access.vkey \\
      --percent 20 --seed 4711 >worksheet.csv

Choose the seed yourself, and after you have fetched the ledgers: nobody can then have known which accesses you compare. Ask for the papers \
of each line, and for the salt of its answer; `lapse audit prove` holds them against the entry.")]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// How many in a hundred.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u64).range(1..=100))]
    percent: u64,
    /// Any number. The same one draws the same accesses again.
    #[arg(long, value_name = "NUMBER")]
    seed: u64,
}

/// Draws, and prints a worksheet, unless the access ledger is not valid. Papers can be compared with it whatever the purge ledger says.
pub(super) fn sample(args: &Args) -> Ending {
    let evidence = match args.given.evidence() {
        Ok(evidence) => evidence,
        Err(ending) => return ending,
    };
    match evidence.accesses_hold() {
        Some(true) => {}
        Some(false) => {
            tell("lapse: this access ledger is not valid, and papers are not compared with it: see lapse audit verify");
            return Ending::Nobody;
        }
        None => {
            tell("lapse: whether this access ledger is valid cannot be told: see lapse audit verify");
            return Ending::CannotTell;
        }
    }
    let entries = &evidence.access.entries;
    let drawn = sample::sample(entries, args.percent, args.seed);
    let accesses = entries.iter().filter(|entry| entry.access().is_some()).count();
    tell(&format!("lapse: {} of {accesses} accesses", drawn.len()));
    say(&sample::worksheet(&drawn)).map_or(Ending::Fault, |()| Ending::Ok)
}
