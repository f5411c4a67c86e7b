//! `lapse audit report`.

use std::fs;
use std::path::PathBuf;

use crate::cli::{Ending, tell};
use crate::clock::{Clock as _, SystemClock};
use crate::evidence::page;

use super::given::Given;

/// Arguments of `lapse audit report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse audit report evidence --purge-vkey purge.vkey --access-vkey access.vkey -o report.html

The page needs nothing but itself: no script, no network. It ends as `lapse audit verify` does: 0 valid, 1 proven invalid, 2 cannot tell; \
the page is written in each case, and says which.")]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// Where the page is written.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Verifies, and writes the page.
pub(super) fn report(args: &Args) -> Ending {
    let evidence = match args.given.evidence() {
        Ok(evidence) => evidence,
        Err(ending) => return ending,
    };
    match fs::write(&args.output, page(&evidence, SystemClock.now())) {
        Ok(()) => super::verify::ending(evidence.valid()),
        Err(error) => {
            tell(&format!("lapse: cannot write {}: {error}", args.output.display()));
            Ending::CannotTell
        }
    }
}
