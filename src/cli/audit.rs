//! `lapse audit`: what auditors look at.

use std::fmt::Write as _;

use clap::Subcommand;

use crate::api::{ANOMALIES, AnomaliesAnswer};

use super::{Connection, Ending, Output, audit_verify, client, request, say};

/// Arguments of `lapse audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse audit anomalies
  lapse audit anomalies -o json

It counts, by the pseudonym that the access ledger has, and names nobody: no address, no subscriber, no case. That something stands
out is a reason to ask, and no proof. The thresholds are those of [watch] in the configuration.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what stands out in how rights were used within the last seven days. Auditors only.
    Anomalies {
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Check both ledgers as they were fetched. Needs no daemon and no token.
    Verify(audit_verify::Args),
}

/// What needs no daemon; none if the command is another.
pub(super) fn offline(args: &Args) -> Option<Ending> {
    match &args.command {
        Command::Verify(args) => Some(audit_verify::verify(args)),
        Command::Anomalies { .. } => None,
    }
}

pub(super) fn audit(connection: &Connection, args: &Args) -> Ending {
    match &args.command {
        Command::Anomalies { output } => anomalies(connection, *output),
        Command::Verify(args) => audit_verify::verify(args),
    }
}

fn anomalies(connection: &Connection, output: Output) -> Ending {
    let found: AnomaliesAnswer = match client::ask(connection, ANOMALIES, None::<&()>) {
        Ok(found) => found,
        Err(ending) => return ending,
    };
    let text = match output {
        Output::Table => Ok(table(&found)),
        Output::Json => request::json(&found),
    };
    match text.map(|text| say(&text)) {
        Ok(Ok(())) => Ending::Ok,
        Ok(Err(_)) => Ending::Fault,
        Err(ending) => ending,
    }
}

fn table(found: &AnomaliesAnswer) -> String {
    let mut text = format!("since {}; sweep and same-subscriber since {}\n", found.since, found.seen_since);
    for (kind, hours) in &found.hours {
        let threshold = found.thresholds.get(kind).copied().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {kind:<18} stands out in {hours} hours (from {threshold} on)");
    }
    for anomaly in &found.anomalies {
        let _ = writeln!(text, "{}  {:<18}  {:>6}  {}", anomaly.hour, anomaly.kind, anomaly.count, anomaly.actor);
    }
    text
}
