//! `lapse status`.

use crate::api::{STATUS, StatusAnswer};

use super::{Connection, Ending, Output, client, render, say};

/// Arguments of `lapse status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How the status is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

/// Asks for the status and prints it.
pub(super) fn status(connection: &Connection, args: &Args) -> Ending {
    let status: StatusAnswer = match client::ask(connection, STATUS, None::<&()>) {
        Ok(status) => status,
        Err(ending) => return ending,
    };
    let text = match args.output {
        Output::Table => render::status_sheet(&status),
        Output::Json => match serde_json::to_string(&status) {
            Ok(json) => json + "\n",
            Err(_) => return Ending::Fault,
        },
    };
    say(&text).map_or(Ending::Fault, |()| Ending::Ok)
}
