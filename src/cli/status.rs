//! `lapse status`.

use crate::api::{STATUS, StatusAnswer};

use super::{Connection, Ending, Output, client, render, render_sources, say};

/// Arguments of `lapse status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How the status is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,

    /// Only the sources, and all that is known of each.
    #[arg(long)]
    sources: bool,
}

/// Asks for the status and prints it.
pub(super) fn status(connection: &Connection, args: &Args) -> Ending {
    let status: StatusAnswer = match client::ask(connection, STATUS, None::<&()>) {
        Ok(status) => status,
        Err(ending) => return ending,
    };
    let json = |written: serde_json::Result<String>| written.map(|json| json + "\n");
    let text = match (args.output, args.sources) {
        (Output::Table, false) => Ok(render::status_sheet(&status)),
        (Output::Table, true) => Ok(render_sources::sheet(&status.sources)),
        (Output::Json, false) => json(serde_json::to_string(&status)),
        (Output::Json, true) => json(serde_json::to_string(&status.sources)),
    };
    let Ok(text) = text else { return Ending::Fault };
    say(&text).map_or(Ending::Fault, |()| Ending::Ok)
}
