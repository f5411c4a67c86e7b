//! `lapse triage`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::api::{RowFault, TRIAGE, TriageAnswer, TriageRequest};
use crate::written::items;

use super::escape::escape;
use super::page::Look;
use super::{Connection, Ending, client, render_triage, say, tell};

/// Arguments of `lapse triage`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse triage items.csv
  lapse triage - --received 2026-11-21T14:00:00-07:00 -o csv <items.csv

The list is a CSV with the columns line, address, port, protocol, at, zone, uncertainty and realm; address and at suffice. \
No process is needed, no record is read and nothing is written down: the daemon's clock and configuration say it all. \
Rows that cannot be understood are named on standard error, and the others are shown all the same.

Exit codes: 0 every row was understood, 2 not every row, 4 the role may not ask, 69 daemon unreachable or its clock in doubt.")]
pub(super) struct Args {
    /// The list; - for standard input.
    file: PathBuf,
    /// When the paper was issued: a time with a zone. Times that do not fit it are pointed out.
    #[arg(long, value_name = "TIME")]
    issued: Option<String>,
    /// When the paper was received; now if absent.
    #[arg(long, value_name = "TIME")]
    received: Option<String>,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

/// How a triage is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Asks what of the list dies first, and prints it.
pub(super) fn triage(connection: &Connection, args: &Args) -> Ending {
    let bytes = match read(&args.file) {
        Ok(bytes) => bytes,
        Err(error) => {
            tell(&format!("lapse: cannot read {}: {error}", args.file.display()));
            return Ending::Usage;
        }
    };
    // Rows are read in one place, by the daemon; what is no text at all cannot be sent to it.
    let list = match items::text(&bytes) {
        Ok(text) => text.to_owned(),
        Err(faults) => {
            tell(&format!("lapse: {}: {faults}", args.file.display()));
            return Ending::Usage;
        }
    };
    let request = TriageRequest { list, issued: args.issued.clone(), received: args.received.clone() };
    let answer: TriageAnswer = match client::ask(connection, TRIAGE, Some(&request)) {
        Ok(answer) => answer,
        Err(ending) => return ending,
    };
    let text = match args.output {
        Output::Text => Ok(render_triage::text(&answer, Look::here())),
        Output::Json => serde_json::to_string(&answer).map(|json| json + "\n"),
        Output::Csv => Ok(render_triage::csv(&answer, Look::here())),
    };
    if text.map_or(true, |text| say(&text).is_err()) {
        return Ending::Fault;
    }
    answer.faults.iter().for_each(|fault| complain(&args.file, fault));
    if answer.faults.is_empty() { Ending::Ok } else { Ending::Usage }
}

/// Says what is wrong and where, over several lines where a time has several readings.
fn complain(file: &Path, fault: &RowFault) {
    let line = fault.file_line.map(|line| format!("line {line}")).unwrap_or_default();
    let field = fault.field.as_ref().map(|field| format!(", {field}")).unwrap_or_default();
    let place = if line.is_empty() { String::new() } else { format!(" {line}{field}:") };
    let problem: Vec<String> = fault.problem.lines().map(escape).collect();
    tell(&format!("lapse: {}:{place} {}", escape(&file.display().to_string()), problem.join("\n")));
}

/// The bytes of a file, or of standard input; one more than a list may have, so that it shows.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let most = u64::try_from(items::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
