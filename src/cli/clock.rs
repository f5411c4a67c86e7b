//! `lapse clock`.

use crate::api::{AcceptAnswer, AcceptRequest, CLOCK, CLOCK_ACCEPT, ClockStatus};

use super::{Connection, Ending, Output, client, render, say, tell};

/// Arguments of `lapse clock`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse clock status
  lapse clock accept

While the clock is in doubt, nothing is acknowledged, answered or destroyed. The doubt ends by itself when a time server \
or the sources agree with the clock. Accepting it is for a clock that is right and has nobody else to say so: by an \
operator, and where it is ahead by more than the carry-interval by an approver too, in either order.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the clock, and whether it is believed.
    Status {
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Accept the clock as it is; leaves an entry in the access ledger.
    Accept {
        /// How the clock is printed afterwards.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
}

/// Asks, and prints the answer.
pub(super) fn clock(connection: &Connection, args: &Args) -> Ending {
    let done = match args.command {
        Command::Status { output } => status(connection).and_then(|clock| print(&clock, output)),
        Command::Accept { output } => accept(connection).and_then(|answer| print(&answer.clock, output)),
    };
    done.map_or_else(|ending| ending, |()| Ending::Ok)
}

fn status(connection: &Connection) -> Result<ClockStatus, Ending> {
    client::ask(connection, CLOCK, None::<&()>)
}

/// Accepts the clock that is shown here first, and no other.
fn accept(connection: &Connection) -> Result<AcceptAnswer, Ending> {
    let before = status(connection)?;
    let Some(doubt) = before.doubt else {
        tell("lapse: the clock is not in doubt; there is nothing to accept");
        return Err(Ending::Usage);
    };
    tell(&render::clock_sheet(&before));
    let answer: AcceptAnswer = client::ask(connection, CLOCK_ACCEPT, Some(&AcceptRequest { doubt }))?;
    let needs = render::roles(&answer.clock.needs);
    match answer.clock.doubt {
        Some(_) => tell(&format!("accepted (access entry {}); it still needs: {needs}", answer.index)),
        None => tell(&format!("accepted (access entry {}); the clock is trusted", answer.index)),
    }
    Ok(answer)
}

fn print(clock: &ClockStatus, output: Output) -> Result<(), Ending> {
    let text = match output {
        Output::Table => render::clock_sheet(clock),
        Output::Json => serde_json::to_string(clock).map_err(|_| Ending::Fault)? + "\n",
    };
    say(&text).map_err(|_| Ending::Fault)
}
