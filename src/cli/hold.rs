//! `lapse hold`: what is preserved for a process that may follow.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Subcommand;
use serde::Serialize;

use crate::api::{AttachRequest, Done, HOLDS, HoldList, HoldRequest, HoldSheet};

use super::render::Sheet;
use super::{Connection, Ending, Output, client, say, tell};

/// Arguments of `lapse hold`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapse hold place --request 7b3c... --address 203.0.113.7 --from 2026-11-21T00:00:00Z \\
      --to 2026-11-21T12:00:00Z
  lapse hold place --request 7b3c... --subscriber alice@example.net
  lapse hold approve 90ab...
  lapse hold attach 90ab... --request 51de...
  lapse hold show 90ab... -o json

`hold place` prints the hold's id alone on stdout. A hold is a sealed copy of what is there when it is placed; the records themselves \
go on time. Without an approver it is destroyed within a day.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Preserve an address over a span, everything of a subscriber, or the items of the request.
    Place {
        /// The request that preserves.
        #[arg(long, value_name = "ID")]
        request: String,
        /// The address.
        #[arg(long, value_name = "A", conflicts_with = "subscriber")]
        address: Option<String>,
        /// Which of several equal address spaces.
        #[arg(long, value_name = "R", requires = "address")]
        realm: Option<String>,
        /// The subscriber.
        #[arg(long, value_name = "S")]
        subscriber: Option<String>,
        /// Whose subscriber, where several entities are configured.
        #[arg(long, value_name = "E", requires = "subscriber")]
        entity: Option<String>,
        /// The first instant; as far back as anything is readable if absent.
        #[arg(long, value_name = "T")]
        from: Option<String>,
        /// The last instant; now if absent.
        #[arg(long, value_name = "T")]
        to: Option<String>,
    },
    /// Approve a hold that somebody else placed. Approvers only.
    Approve {
        /// The hold.
        id: String,
    },
    /// Let a request be answered from a hold, as the same matter. Approvers only.
    Attach {
        /// The hold.
        id: String,
        /// The request.
        #[arg(long, value_name = "ID")]
        request: String,
    },
    /// Show a hold by counts and spans, without names.
    Show {
        /// The hold.
        id: String,
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Keep a hold for longer, as often as its kind of process allows. Approvers only.
    Renew {
        /// The hold.
        id: String,
    },
    /// Destroy a hold before its time. Approvers only.
    Release {
        /// The hold.
        id: String,
    },
    /// List the holds.
    List {
        /// How they are printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
}

pub(super) fn hold(connection: &Connection, args: Args) -> Ending {
    let done = match args.command {
        Command::Place { request, address, realm, subscriber, entity, from, to } => {
            let asked = HoldRequest { request, address, realm, subscriber, entity, from, to };
            client::ask(connection, HOLDS, Some(&asked)).map(|HoldSheet { id, .. }| format!("{id}\n"))
        }
        Command::Approve { id } => act(connection, &id, "approve", "approved"),
        Command::Renew { id } => act(connection, &id, "renew", "renewed"),
        Command::Release { id } => act(connection, &id, "release", "destroyed"),
        Command::Attach { id, request } => path(&id, "/attach").and_then(|path| {
            let Done { id, ledger } = client::ask(connection, &path, Some(&AttachRequest { request }))?;
            Ok(format!("{id} attached; entry {ledger} of the access ledger\n"))
        }),
        Command::Show { id, output } => path(&id, "").and_then(|path| {
            let sheet: HoldSheet = client::ask(connection, &path, None::<&()>)?;
            print(&sheet, output, sheet_of)
        }),
        Command::List { output } => client::ask(connection, HOLDS, None::<&()>)
            .and_then(|list: HoldList| print(&list, output, |list| list.holds.iter().map(line_of).collect())),
    };
    match done.map(|text| say(&text)) {
        Ok(Ok(())) => Ending::Ok,
        Ok(Err(_)) => Ending::Fault,
        Err(ending) => ending,
    }
}

fn path(id: &str, what: &str) -> Result<String, Ending> {
    if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(format!("{HOLDS}/{id}{what}"));
    }
    tell("lapse: that is no id of a hold: it has 32 hexadecimal digits; `lapse hold list` shows them");
    Err(Ending::Usage)
}

fn act(connection: &Connection, id: &str, act: &str, done: &str) -> Result<String, Ending> {
    let nothing: BTreeMap<String, String> = BTreeMap::new();
    let Done { id, ledger } = client::ask(connection, &path(id, &format!("/{act}"))?, Some(&nothing))?;
    Ok(format!("{id} {done}; entry {ledger} of the access ledger\n"))
}

fn print<T: Serialize>(value: &T, output: Output, text: impl FnOnce(&T) -> String) -> Result<String, Ending> {
    match output {
        Output::Table => Ok(text(value)),
        Output::Json => serde_json::to_string(value).map(|json| json + "\n").map_err(|error| {
            tell(&format!("lapse: cannot write the answer: {error}"));
            Ending::Fault
        }),
    }
}

fn line_of(hold: &HoldSheet) -> String {
    format!("{}  {:<15}  {} records, until {}\n", hold.id, hold.state.name(), hold.records, hold.expires)
}

fn sheet_of(hold: &HoldSheet) -> String {
    let mut sheet = Sheet(format!("HOLD {}: {}\n", hold.id, hold.state.name()));
    sheet.line("request", &hold.request);
    hold.attached.iter().for_each(|request| sheet.line("attached", request));
    sheet.line("records", &hold.records.to_string());
    sheet.line("placed", &format!("{} by {}", hold.placed, hold.placed_by));
    sheet.maybe("approved", hold.approved_by.as_ref().map(|name| format!("by {name}")).as_deref());
    sheet.line("until", &hold.expires);
    sheet.line("renewed", &format!("{} of {} times", hold.renewed, hold.renewals));
    let mut text = sheet.0;
    for span in &hold.spans {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {:<13} {} to {}", "span", span.from, span.to);
    }
    text
}
