//! `lapse audit`: what auditors look at, and what they check without us.

mod anomalies;
mod fetch;
mod given;
mod keys;
mod prove;
pub(super) mod receipt;
mod report;
mod sample;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;

use super::{Connection, Ending, Output, context, tell};

/// Arguments of `lapse audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapse audit keys
  lapse audit fetch /srv/audit/lapsed
  lapse audit verify /srv/audit/lapsed --purge-vkey purge.vkey --access-vkey access.vkey \\
      --known checkpoint.last-month
  lapse audit report /srv/audit/lapsed --purge-vkey purge.vkey \\
      --access-vkey access.vkey -o report.html
  lapse audit sample /srv/audit/lapsed --purge-vkey purge.vkey --access-vkey access.vkey \\
      --percent 20 --seed 4711
  lapse audit receipt 17 receipt.tlog-proof
  lapse audit prove receipt.tlog-proof --access-vkey access.vkey
  lapse audit anomalies -o json

keys, fetch, receipt and anomalies ask the daemon; verify, report, sample and prove need neither daemon nor token. \
Take the keys once, over a way that you trust, and keep every checkpoint that you have seen: only who remembers can \
tell that a history was changed.
anomalies counts, by the pseudonym that the access ledger has, and names nobody: no address, no subscriber, no case. \
That something stands out is a reason to ask, and no proof. The thresholds are those of [watch] in the configuration.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the public keys that the ledgers are signed with.
    Keys {
        /// How they are printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Fetch both ledgers into a directory, or what is new of them. Auditors only.
    Fetch {
        /// The directory; it is made if it is not there.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Check both ledgers as they were fetched. Needs no daemon and no token.
    Verify(verify::Args),
    /// Write a page of what both ledgers show, to be read and printed. Needs no daemon and no token.
    Report(report::Args),
    /// Draw accesses to be compared with the papers, and print a worksheet in CSV. Needs no daemon and no token.
    Sample(sample::Args),
    /// Fetch the receipt of one access: that its entry is in the ledger can then be proven without the ledger.
    Receipt {
        /// The number of the entry, as an answer names it.
        #[arg(value_name = "INDEX")]
        index: u64,
        /// Where it is written.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Check that a receipt proves an entry of the access ledger, and show the entry.
    Prove(prove::Args),
    /// Show what stands out in how rights were used within the last seven days. Auditors only.
    Anomalies {
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
}

/// Only some of it asks the daemon: where that is, is looked up only then.
pub(super) fn audit(place: &context::Place, args: &Args) -> Ending {
    let asking = |ask: &dyn Fn(&Connection) -> Ending| match context::resolve(place) {
        Ok(connection) => ask(&connection),
        Err(error) => {
            tell(&format!("lapse: {error}"));
            Ending::Usage
        }
    };
    match &args.command {
        Command::Keys { output } => asking(&|connection| keys::keys(connection, *output)),
        Command::Fetch { dir } => asking(&|connection| fetch::fetch(connection, dir)),
        Command::Anomalies { output } => asking(&|connection| anomalies::anomalies(connection, *output)),
        Command::Receipt { index, file } => asking(&|connection| receipt::receipt(connection, *index, file)),
        Command::Verify(args) => verify::verify(args),
        Command::Report(args) => report::report(args),
        Command::Sample(args) => sample::sample(args),
        Command::Prove(args) => prove::prove(args),
    }
}
