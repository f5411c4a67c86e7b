//! `lapse audit verify`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::evidence::{self, Evidence, Keys, Outcome, Verdict};
use crate::ledger::note::VerifierKey;

use super::escape::escape;
use super::{Ending, Output, request, say, tell};

/// Arguments of `lapse audit verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse audit verify evidence --purge-vkey purge.vkey --access-vkey access.vkey --known purge.checkpoint.2026-11

Take the keys from somewhere else than the directory, and keep the checkpoints that you are given: without an earlier one nobody can tell
whether the ledgers were rewritten before you saw them.

A ledger shows that what was reported is consistent and was not changed. It does not show that it is true.

Exit codes: 0 valid, 1 proven invalid, 2 cannot tell.")]
pub(super) struct Args {
    /// The directory that was fetched: it has `purge` and `access` in it.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The key of the purge ledger, NAME+ID+KEY, or a file that has it.
    #[arg(long, value_name = "KEY")]
    purge_vkey: String,
    /// The key of the access ledger, likewise.
    #[arg(long, value_name = "KEY")]
    access_vkey: String,
    /// A signed checkpoint of either ledger that you kept; as often as you have one.
    #[arg(long, value_name = "FILE")]
    known: Vec<PathBuf>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

/// Verifies, prints every check, and ends as they say.
pub(super) fn verify(args: &Args) -> Ending {
    let evidence = match evidence_of(args) {
        Ok(evidence) => evidence,
        Err(error) => {
            tell(&format!("lapse: {}", escape(&error)));
            return Ending::CannotTell;
        }
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

const fn ending(valid: Option<bool>) -> Ending {
    match valid {
        Some(true) => Ending::Ok,
        Some(false) => Ending::ProvenInvalid,
        None => Ending::CannotTell,
    }
}

fn evidence_of(args: &Args) -> Result<Evidence, String> {
    let purge = key(&args.purge_vkey).map_err(|error| format!("--purge-vkey: {error}"))?;
    let access = key(&args.access_vkey).map_err(|error| format!("--access-vkey: {error}"))?;
    let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("--known {}: {error}", path.display()));
    let known: Vec<Vec<u8>> = args.known.iter().map(read).collect::<Result<_, _>>()?;
    evidence::verify(&args.dir, &Keys { purge, access }, &known).map_err(|error| error.to_string())
}

/// The key that is this text, or that is in the file of this name. Neither is repeated: it may be a secret one by mistake.
fn key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text).or_else(|error| match fs::read_to_string(text) {
        Ok(held) => VerifierKey::parse(held.trim_end()).map_err(|error| format!("in the file: {error}")),
        Err(_) => Err(format!("no file of this name can be read, and {error}")),
    })
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
