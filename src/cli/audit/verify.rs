//! `lapse audit verify`.

use std::fmt::Write as _;

use crate::cli::escape::escape;
use crate::cli::{Ending, Output, request, say};
use crate::evidence::{Evidence, Outcome, Verdict};

use super::given::Given;

/// Arguments of `lapse audit verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse audit verify evidence --purge-vkey purge.vkey --access-vkey access.vkey \\
      --known purge.checkpoint.2026-11

Take the keys from somewhere else than the directory, and keep the checkpoints that you are given: without an earlier one nobody can tell \
whether the ledgers were rewritten before you saw them.

A ledger shows that what was reported is consistent and was not changed. It does not show that it is true.

Exit codes: 0 valid, 1 proven invalid, 2 cannot tell.")]
pub(super) struct Args {
    #[command(flatten)]
    given: Given,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

/// Verifies, prints every check, and ends as they say.
pub(super) fn verify(args: &Args) -> Ending {
    let evidence = match args.given.evidence() {
        Ok(evidence) => evidence,
        Err(ending) => return ending,
    };
    let text = match args.output {
        Output::Table => Ok(table(&evidence)),
        Output::Json => request::json(&Verdict::from(&evidence)),
    };
    match text.map(|text| say(&text)) {
        Ok(Ok(())) => ending(evidence.valid()),
        // What nobody could read is not said.
        Ok(Err(_)) | Err(_) => Ending::CannotTell,
    }
}

pub(super) const fn ending(valid: Option<bool>) -> Ending {
    match valid {
        Some(true) => Ending::Ok,
        Some(false) => Ending::ProvenInvalid,
        None => Ending::CannotTell,
    }
}

fn table(evidence: &Evidence) -> String {
    let mut text = match evidence.valid() {
        Some(true) => "VALID: every check that counts held\n",
        Some(false) => "INVALID: a check that counts is proven not to hold\n",
        None => "CANNOT TELL: something is missing\n",
    }
    .to_owned();
    for check in &evidence.checks {
        let result = match check.result {
            Outcome::Pass => "pass",
            Outcome::Fail => "FAIL",
            Outcome::Unknown => "unknown",
        };
        let name = if check.counts { check.name.to_owned() } else { format!("{}*", check.name) };
        let detail = escape(&check.detail).replace("; ", &format!("\n{:31}", ""));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {result:<8} {name:<19} {detail}");
    }
    text + "* is told and does not count. That a ledger is valid does not make what it says true.\n"
}
