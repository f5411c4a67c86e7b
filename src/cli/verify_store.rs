//! `lapsed verify-store`.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::{Clock as _, SystemClock};
use crate::domain::rfc3339;
use crate::domain::time::Timestamp;
use crate::store::inspect::{self, Finding, Inspection, Kind, Outcome, Progress, Remark};

use super::escape::escape;
use super::{Ending, Output, say, tell};

/// The version of the JSON.
const VERSION: u32 = 1;
/// After how many bytes, or rows, the terminal hears of it.
const TALK: u64 = 64 << 20;

/// Arguments of `lapsed verify-store`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapsed verify-store /var/lib/lapsed
  lapsed verify-store /mnt/copy --at 2026-11-21T21:03:22Z -o json

It needs no key and no daemon, and changes nothing. The directory may be a copy, or that of a running daemon. \
A copy is measured by the time at which it is checked, unless --at says when it was made. \
A keyring outside of the directory is not looked at, nor is the disk below the files.

Exit codes: 0 clean, 1 expired data found, 2 cannot tell.")]
pub(super) struct Args {
    /// The state directory, or a copy of it: it has the file POLICY in it.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The instant to measure by; now if absent.
    #[arg(long, value_name = "RFC3339", value_parser = rfc3339::parse)]
    at: Option<Timestamp>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

/// Inspects, prints what came of it, and ends as it says.
pub(super) fn verify(args: &Args) -> Ending {
    let at = args.at.unwrap_or_else(|| SystemClock.now());
    let mut talk = Talk::default();
    let inspected = inspect::inspect(&args.dir, at, &mut |progress| talk.hear(progress));
    talk.end();
    let (outcome, why) = match &inspected {
        Ok(inspection) => (inspection.outcome(), why(inspection)),
        Err(error) => (Outcome::CannotTell, error.to_string()),
    };
    let text = match args.output {
        Output::Table => sheet(outcome, &why, at, inspected.as_ref().ok()),
        Output::Json => as_json(&args.dir, outcome, &why, at, inspected.as_ref().ok()).to_string() + "\n",
    };
    match say(&text) {
        Ok(()) => ending(outcome),
        Err(error) => {
            tell(&format!("lapsed: cannot print the result: {error}"));
            Ending::CannotTell
        }
    }
}

const fn ending(outcome: Outcome) -> Ending {
    match outcome {
        Outcome::Clean => Ending::Ok,
        Outcome::ExpiredDataFound => Ending::ExpiredDataFound,
        Outcome::CannotTell => Ending::CannotTell,
    }
}

/// Says on a terminal how far it is, in one line that is written over.
#[derive(Default)]
struct Talk {
    rows: u64,
    bytes: u64,
    said: u64,
}

impl Talk {
    fn hear(&mut self, progress: Progress) {
        match progress {
            Progress::Rows(rows) => self.rows = self.rows.saturating_add(rows),
            Progress::Bytes(bytes) => self.bytes = self.bytes.saturating_add(bytes),
        }
        // A row counts as some bytes.
        let done = self.bytes.saturating_add(self.rows.saturating_mul(64)) / TALK;
        if done > self.said && stderr().is_terminal() {
            self.said = done;
            // Nowhere is left to say that talking failed.
            let _ = write!(stderr().lock(), "\r{} rows read, {} searched ", self.rows, size(self.bytes));
        }
    }

    fn end(&self) {
        if self.said > 0 {
            tell("");
        }
    }
}

/// The outcome in one sentence.
fn why(inspection: &Inspection) -> String {
    let expired: Vec<&Finding> = inspection.findings.iter().filter(|found| found.kind.is_expired()).collect();
    let oldest = expired.iter().filter_map(|found| found.oldest).min();
    match (inspection.outcome(), oldest) {
        (Outcome::Clean, _) => format!("nothing in {} files is dated before {}", inspection.files, inspection.limit),
        (Outcome::ExpiredDataFound, Some(oldest)) => {
            let places = expired.len();
            let places = if places == 1 { "one place".to_owned() } else { format!("{places} places") };
            format!(
                "{places}, the oldest dated {oldest}, {} s before the limit",
                inspection.limit.since(oldest).as_secs()
            )
        }
        (Outcome::ExpiredDataFound, None) => "files are left that the database let go of".to_owned(),
        (Outcome::CannotTell, _) if inspection.incomplete.is_empty() => {
            "there are things of which nobody can say how old they are".to_owned()
        }
        (Outcome::CannotTell, _) => "not everything could be looked at".to_owned(),
    }
}

const fn headline(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Clean => "CLEAN",
        Outcome::ExpiredDataFound => "EXPIRED DATA FOUND",
        Outcome::CannotTell => "CANNOT TELL",
    }
}

fn sheet(outcome: Outcome, why: &str, at: Timestamp, inspection: Option<&Inspection>) -> String {
    let mut lines = vec![format!("{}: {}", headline(outcome), escape(why))];
    let mut line = |name: &str, value: &str| lines.push(format!("  {name:<13} {}", escape(value)));
    line("measured at", &at.to_string());
    if let Some(inspection) = inspection {
        line("window", &format!("{} s: readable from {}", seconds(inspection.window), inspection.horizon));
        let limit =
            format!("{} s: expired is what is dated before {}", seconds(inspection.tolerance), inspection.limit);
        line("tolerance", &limit);
        line("in use", if inspection.live { "yes: what was only passing is left out" } else { "no" });
        line("searched", &format!("{} files, {}", inspection.files, size(inspection.bytes)));
        let oldest = inspection.oldest.map_or_else(String::new, |oldest| format!(", the oldest dated {oldest}"));
        line("rows read", &format!("{}{oldest}", inspection.rows));
        for finding in &inspection.findings {
            line("finding", &finding_text(finding));
        }
        for incomplete in &inspection.incomplete {
            line("not looked at", &incomplete.to_string());
        }
        for remark in &inspection.remarks {
            line("remark", &remark_text(remark));
        }
    }
    lines.join("\n") + "\n"
}

fn finding_text(finding: &Finding) -> String {
    let what = match finding.kind {
        Kind::ExpiredRow => "expired rows",
        Kind::ExpiredBound => "expired bounds of a table",
        Kind::ExpiredBytes => "expired keys as bytes",
        Kind::ExpiredHex => "expired keys in hexadecimal digits",
        Kind::UnusedFile => "a file that the database let go of",
        Kind::OverdueCase => "keys of requests, captures or holds beyond their expiry",
        Kind::Deletions => "deletions, which may be of expired keys",
        Kind::NotAKey => "keys that are none of the format",
        Kind::Misfiled => "keys in another bucket than their instant's",
    };
    let count = if finding.kind == Kind::UnusedFile { String::new() } else { format!("{} ", finding.count) };
    let offset = finding.offset.map_or_else(String::new, |offset| format!(", the first at byte {offset}"));
    let oldest = finding.oldest.map_or_else(String::new, |oldest| format!(", the oldest dated {oldest}"));
    format!("{}: {count}{what}{offset}{oldest}", finding.place)
}

fn remark_text(remark: &Remark) -> String {
    match remark {
        Remark::UnknownName(name) => format!("{name}: not of the store; it was searched like the rest"),
        Remark::NotAFile(name) => format!("{name}: neither file nor directory; it was not opened"),
        Remark::YoungTable(name) => format!("{name}: a table that is being written or about to go"),
    }
}

fn as_json(dir: &Path, outcome: Outcome, why: &str, at: Timestamp, inspection: Option<&Inspection>) -> Value {
    let verdict = match outcome {
        Outcome::Clean => "clean",
        Outcome::ExpiredDataFound => "expired-data-found",
        Outcome::CannotTell => "cannot-tell",
    };
    let mut value = json!({
        "version": VERSION,
        "verdict": verdict,
        "why": why,
        "directory": dir.to_string_lossy(),
        "at": at.to_string(),
    });
    let Some(inspection) = inspection else { return value };
    let findings = inspection.findings.iter().map(|finding| {
        json!({
            "kind": finding.kind.name(),
            "place": finding.place,
            "count": finding.count,
            "offset": finding.offset,
            "oldest": finding.oldest.map(|at| at.to_string()),
        })
    });
    let remarks = inspection.remarks.iter().map(|remark| {
        let (kind, name) = match remark {
            Remark::UnknownName(name) => ("unknown-name", name),
            Remark::NotAFile(name) => ("not-a-file", name),
            Remark::YoungTable(name) => ("young-table", name),
        };
        json!({ "kind": kind, "place": name })
    });
    let rest = json!({
        "window-seconds": exact(inspection.window),
        "horizon": inspection.horizon.to_string(),
        "tolerance-seconds": exact(inspection.tolerance),
        "expired-before": inspection.limit.to_string(),
        "in-use": inspection.live,
        "files": inspection.files,
        "bytes": inspection.bytes,
        "rows": inspection.rows,
        "oldest": inspection.oldest.map(|at| at.to_string()),
        "findings": findings.collect::<Vec<_>>(),
        "remarks": remarks.collect::<Vec<_>>(),
        "incomplete": inspection.incomplete.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    if let (Value::Object(value), Value::Object(rest)) = (&mut value, rest) {
        value.extend(rest);
    }
    value
}

/// Seconds as a number: whole where they are.
fn exact(duration: Duration) -> Value {
    if duration.subsec_millis() == 0 { json!(duration.as_secs()) } else { json!(duration.as_secs_f64()) }
}

fn seconds(duration: Duration) -> String {
    exact(duration).to_string()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_485_760 => format!("{bytes} bytes"),
        10_485_760..10_737_418_240 => format!("{} MiB", bytes >> 20),
        10_737_418_240.. => format!("{} GiB", bytes >> 30),
    }
}
