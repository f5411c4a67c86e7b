//! `lapse policy`.

use clap::ValueEnum;

use crate::api::{POLICY, PolicyAnswer};

use super::{Connection, Ending, client, render_policy, say};

/// Arguments of `lapse policy`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse policy show
  lapse policy show -o json | jq -cj .policy | sha256sum

It is made from the daemon's configuration and the window in force alone, holds no personal data, and every role may read \
it. The second example prints the policy's digest.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show what is kept, for how long, who may ask, and under which legal process.
    Show {
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "text")]
        output: Output,
    },
}

/// How the policy is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Asks for the policy and prints it.
pub(super) fn policy(connection: &Connection, args: &Args) -> Ending {
    let Command::Show { output } = args.command;
    let answer: PolicyAnswer = match client::ask(connection, POLICY, None::<&()>) {
        Ok(answer) => answer,
        Err(ending) => return ending,
    };
    let text = match output {
        Output::Text => Ok(render_policy::text(&answer)),
        Output::Json => serde_json::to_string(&answer).map(|json| json + "\n"),
    };
    text.map_or(Ending::Fault, |text| say(&text).map_or(Ending::Fault, |()| Ending::Ok))
}
