//! `lapse purge`: how the purge is doing, what it would do, a run now, its reports, and the window.

use std::str::FromStr;

use clap::{Subcommand, ValueEnum};

use crate::api::{
    PURGE_PLAN, PURGE_REPORTS, PURGE_RUN, PURGE_STATUS, PURGE_WINDOW, PlanAnswer, PurgeReports, PurgeStatus, RunAnswer,
    WindowAnswer, WindowRequest,
};
use crate::config::duration;
use crate::purge::Report;

use super::{Connection, Ending, Output, client, escape, render_purge, say, tell};

/// Arguments of `lapse purge`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapse purge status
  lapse purge plan
  lapse purge plan --window 24h
  lapse purge run
  lapse purge report list
  lapse purge report show last
  lapse purge report show 12
  lapse purge report show 12 -o text > report-12.txt
  lapse purge window 24h --confirm 24h")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the oldest record's age, the last run and the next.
    #[command(after_help = "Example:\n  lapse purge status -o json")]
    Status {
        /// How the status is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Show what a purge would do now, or after a change of the window; does nothing.
    #[command(after_help = "Examples:\n  lapse purge plan\n  lapse purge plan --window 24h")]
    Plan {
        /// The window to plan by, such as 24h; the window in force if absent.
        #[arg(long, value_name = "W")]
        window: Option<String>,
        /// How the plan is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Purge now, without waiting for the interval, and show what went. Exits with 1 if the run failed.
    #[command(after_help = "Examples:\n  lapse purge run\n  lapse purge run -o json")]
    Run {
        /// How the run is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Show the reports in the purge ledger.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Change for how long records are readable. Without --confirm, only shows what would be lost.
    #[command(after_help = "Examples:
  lapse purge window 24h                  shows the plan
  lapse purge window 24h --confirm 24h    does it

A shorter window destroys what is older at once, and nothing brings it back. A longer one revives nothing.")]
    Window {
        /// The new window, such as 24h.
        #[arg(value_name = "NEW")]
        window: String,
        /// The new window once more, to say that it is meant.
        #[arg(long, value_name = "NEW")]
        confirm: Option<String>,
        /// How the outcome is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// List reports, the oldest first.
    #[command(
        after_help = "Examples:\n  lapse purge report list\n  lapse purge report list --from 0 --limit 1000 -o json"
    )]
    List {
        /// The first number; the newest reports if absent.
        #[arg(long, value_name = "N")]
        from: Option<u64>,
        /// How many at most.
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
        limit: u64,
        /// How the list is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Show a report: in words, or its canonical text, which is what the ledger holds.
    #[command(
        after_help = "Examples:\n  lapse purge report show 12\n  lapse purge report show last\n  lapse purge report show 12 -o text | sha256sum"
    )]
    Show {
        /// Its number, or `last`.
        #[arg(value_name = "N")]
        sequence: Which,
        /// How the report is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Form,
    },
}

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Last,
    Number(u64),
}

impl FromStr for Which {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "last" => Ok(Self::Last),
            number => number.parse().map(Self::Number).map_err(|_| "expected a number or `last`"),
        }
    }
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// In words.
    Table,
    /// The canonical text.
    Text,
}

/// Runs `lapse purge`.
pub(super) fn purge(connection: &Connection, args: &Args) -> Ending {
    let done = match &args.command {
        Command::Status { output } => get::<PurgeStatus>(connection, PURGE_STATUS, *output, render_purge::status_sheet),
        Command::Plan { window, output } => {
            plan_path(window.as_deref()).and_then(|path| get::<PlanAnswer>(connection, &path, *output, plan_text))
        }
        Command::Report(ReportCommand::List { from, limit, output }) => {
            let from = from.map_or_else(String::new, |from| format!("from={from}&"));
            let path = format!("{PURGE_REPORTS}?{from}limit={limit}");
            get::<PurgeReports>(connection, &path, *output, render_purge::report_table)
        }
        Command::Report(ReportCommand::Show { sequence, output }) => {
            number(connection, *sequence).and_then(|sequence| show(connection, sequence, *output))
        }
        Command::Run { output } => run(connection, *output),
        Command::Window { window, confirm, output } => change(connection, window, confirm.as_deref(), *output),
    };
    done.map_or_else(|ending| ending, |()| Ending::Ok)
}

fn get<T: serde::Serialize + serde::de::DeserializeOwned>(
    connection: &Connection,
    path: &str,
    output: Output,
    sheet: fn(&T) -> String,
) -> Result<(), Ending> {
    let answer: T = client::ask(connection, path, None::<&()>)?;
    print(&answer, output, sheet)
}

fn print<T: serde::Serialize>(answer: &T, output: Output, sheet: fn(&T) -> String) -> Result<(), Ending> {
    let text = match output {
        Output::Table => sheet(answer),
        Output::Json => serde_json::to_string(answer).map_err(|_| Ending::Fault)? + "\n",
    };
    say(&text).map_err(|_| Ending::Fault)
}

/// The path of a plan. What is no duration does not come into a path.
fn plan_path(window: Option<&str>) -> Result<String, Ending> {
    let Some(window) = window else { return Ok(PURGE_PLAN.to_owned()) };
    check(window)?;
    Ok(format!("{PURGE_PLAN}?window={window}"))
}

fn check(window: &str) -> Result<(), Ending> {
    duration::parse(window).map(|_| ()).map_err(|error| {
        tell(&format!("lapse: window: {}", escape::escape(&error.to_string())));
        Ending::Usage
    })
}

fn plan_text(plan: &PlanAnswer) -> String {
    plan.text.lines().map(|line| escape::escape(line) + "\n").collect()
}

/// Has a run made, and says what it did.
fn run(connection: &Connection, output: Output) -> Result<(), Ending> {
    let answer: RunAnswer = client::ask(connection, PURGE_RUN, Some(&()))?;
    print(&answer, output, render_purge::run_sheet)?;
    if answer.run.failures.is_empty() && answer.run.result == "verified" { Ok(()) } else { Err(Ending::Nobody) }
}

/// The number of a report.
fn number(connection: &Connection, which: Which) -> Result<u64, Ending> {
    if let Which::Number(number) = which {
        return Ok(number);
    }
    let newest: PurgeReports = client::ask(connection, &format!("{PURGE_REPORTS}?limit=1"), None::<&()>)?;
    newest.reports.last().map(|report| report.sequence).ok_or_else(|| {
        tell("lapse: there is no purge report yet");
        Ending::Nobody
    })
}

fn show(connection: &Connection, sequence: u64, form: Form) -> Result<(), Ending> {
    let bytes = client::fetch(connection, &format!("{PURGE_REPORTS}/{sequence}"))?;
    let report = Report::parse(&bytes).map_err(|error| {
        tell(&format!("lapse: purge report {sequence} cannot be read: {error}"));
        Ending::Fault
    })?;
    let text = match form {
        Form::Table => report.in_words(),
        // What parses is exactly what it writes.
        Form::Text => String::from_utf8_lossy(&report.to_bytes()).into_owned(),
    };
    say(&text).map_err(|_| Ending::Fault)
}

fn change(connection: &Connection, window: &str, confirm: Option<&str>, output: Output) -> Result<(), Ending> {
    let Some(confirm) = confirm else {
        get::<PlanAnswer>(connection, &plan_path(Some(window))?, output, plan_text)?;
        tell(&format!("lapse: nothing is changed yet; to do this: lapse purge window {window} --confirm {window}"));
        return Err(Ending::Nobody);
    };
    check(window)?;
    if confirm != window {
        tell(&format!("lapse: --confirm must repeat the new window letter by letter: --confirm {window}"));
        return Err(Ending::Usage);
    }
    let request = WindowRequest { window: window.to_owned(), confirm: confirm.to_owned() };
    let answer: WindowAnswer = client::ask(connection, PURGE_WINDOW, Some(&request))?;
    print(&answer, output, render_purge::window_sheet)
}
