//! `lapse emergency`: requests where somebody may die before a court is awake.

use std::fmt::Write as _;

use clap::Subcommand;

use crate::api::{Done, EMERGENCIES, EmergencyLine, EmergencyList, FollowUpRequest};

use super::escape::escape;
use super::{Connection, Ending, Output, client, request, say};

/// Arguments of `lapse emergency`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapse emergency open --file request.toml
  lapse emergency confirm 7b3c... --set call-back-proof='+1 303 555 0100 of the switchboard, 03:12, Sgt. Example' \\
        --set nature-of-harm='a child is missing' --set follow-up-due=2026-11-24
  lapse request approve 7b3c...
  lapse lookup --request 7b3c... --all
  lapse emergency follow-up 7b3c... --request 51de...
  lapse emergency list --overdue

Open first: what can still be answered is captured at once, whatever is missing. Nothing is answered before all needs are on file \
and somebody else has approved them. docs/emergencies.md has the whole way.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// File an emergency and capture its items, also where something is missing. Prints its id. The papers are those of `lapse request
    /// open`, and need not say the type.
    Open(request::OpenArgs),
    /// Add what was missing: call-back-proof, nature-of-harm, follow-up-due. What is on file is not changed.
    Confirm {
        /// The emergency.
        id: String,
        /// One field.
        #[arg(long = "set", value_name = "FIELD=TEXT", required = true)]
        set: Vec<String>,
    },
    /// List the emergencies for which no legal process is named yet; what is overdue stands first.
    List {
        /// Only those that are overdue.
        #[arg(long)]
        overdue: bool,
        /// How they are printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Name the legal process that followed.
    FollowUp {
        /// The emergency.
        id: String,
        /// The process: a request on file of the same agency, of a type that compels an answer.
        #[arg(long, value_name = "ID")]
        request: String,
    },
}

pub(super) fn emergency(connection: &Connection, args: &Args) -> Ending {
    let done = match &args.command {
        Command::Open(args) => request::open(connection, args, Some("emergency")),
        Command::Confirm { id, set } => request::set(connection, id, set),
        Command::List { overdue, output } => list(connection, *overdue, *output),
        Command::FollowUp { id, request } => follow_up(connection, id, request),
    };
    match done.map(|text| say(&text)) {
        Ok(Ok(())) => Ending::Ok,
        Ok(Err(_)) => Ending::Fault,
        Err(ending) => ending,
    }
}

fn follow_up(connection: &Connection, id: &str, followed_by: &str) -> Result<String, Ending> {
    let asked = FollowUpRequest { request: followed_by.to_owned() };
    let Done { id, ledger } = client::ask(connection, &request::path(id, "/follow-up")?, Some(&asked))?;
    Ok(format!("{id} was followed; entry {ledger} of the access ledger\n"))
}

fn list(connection: &Connection, overdue: bool, output: Output) -> Result<String, Ending> {
    let mut list: EmergencyList = client::ask(connection, EMERGENCIES, None::<&()>)?;
    list.emergencies.retain(|line| line.overdue || !overdue);
    match output {
        Output::Table if list.emergencies.is_empty() => {
            Ok(if overdue { "no emergency is overdue\n" } else { "no emergency waits for its process\n" }.to_owned())
        }
        Output::Table => Ok(list.emergencies.iter().map(line_of).collect()),
        Output::Json => request::json(&list),
    }
}

fn line_of(line: &EmergencyLine) -> String {
    let EmergencyLine { id, state, case, agency, items, answered, .. } = line;
    let mut text = format!("{id}  {:<15}  {}, {}\n", state.name(), escape(case), escape(agency));
    let due = line.follow_up_due.as_ref().map_or_else(|| "nobody has said when".to_owned(), |due| format!("due {due}"));
    let overdue = if line.overdue { "OVERDUE, " } else { "" };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "    {overdue}{due}; {answered} of {items} items answered");
    if !line.missing.is_empty() {
        let _ = writeln!(text, "    missing: {}", line.missing.join(", "));
    }
    text
}
