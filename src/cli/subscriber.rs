//! `lapse subscriber`.

use clap::ValueEnum;
use serde::Serialize;

use crate::api::{AssignmentText, LogonText, SUBSCRIBERS, SubscriberAnswer, SubscriberRequest};

use super::{Connection, Ending, client, render_subscriber, say, tell};

/// Arguments of `lapse subscriber`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapse subscriber alice@example.net --from 2026-11-21T00:00:00Z --to 2026-11-21T12:00:00Z \\
        --process subpoena --case 24-CR-1022 --authority 'Example District Court'
  lapse subscriber 0x0004ff --entity north --from 2026-11-21T00:00:00Z --to 2026-11-21T12:00:00Z \\
        --process subpoena --case 24-CR-1022 --authority 'Example District Court' -o jsonl

Only an approver may ask. What lies outside the span, before the horizon or after the present is not told; each \
end says so. An access entry is made durable before the answer is given. It holds no name and no address.

Exit codes: 0 something found, 1 nothing found, 2 usage or a span to come, 4 refused, 5 the whole span is purged, \
69 daemon unreachable or its clock in doubt, 70 a fault of Lapsed.")]
pub(super) struct Args {
    /// The subscriber, as lookups name them: text, or 0x and hex where it is not printable.
    #[arg(value_name = "ID")]
    subscriber: String,
    /// Whose subscriber it is; needed where there are several entities.
    #[arg(long, value_name = "E")]
    entity: Option<String>,
    /// The first instant of the span, as the paper has it: RFC 3339 with an offset.
    #[arg(long, value_name = "RFC3339")]
    from: String,
    /// The first instant after the span.
    #[arg(long, value_name = "RFC3339")]
    to: String,
    /// The kind of legal process; `lapse policy show` lists those that may ask this.
    #[arg(long, value_name = "TYPE")]
    process: String,
    /// The asker's case number.
    #[arg(long, value_name = "REF")]
    case: String,
    /// The court, agency or statute.
    #[arg(long, value_name = "TEXT")]
    authority: String,
    /// How the answer is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Listing,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Listing {
    /// For people.
    Table,
    /// For programs: one object.
    Json,
    /// For programs: the answer without its lists in the first line, then a line for each logon and each assignment.
    Jsonl,
}

/// A line of JSON, by what it is.
#[derive(Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
enum Line<'a> {
    Answer(&'a SubscriberAnswer),
    Logon(&'a LogonText),
    Assignment(&'a AssignmentText),
}

/// Asks, prints the answer, and ends as the finding says.
pub(super) fn subscriber(connection: &Connection, args: &Args) -> Ending {
    let request = SubscriberRequest {
        subscriber: args.subscriber.clone(),
        entity: args.entity.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        process: args.process.clone(),
        case: args.case.clone(),
        authority: args.authority.clone(),
    };
    let answer: SubscriberAnswer = match client::ask(connection, SUBSCRIBERS, Some(&request)) {
        Ok(answer) => answer,
        Err(ending) => return ending,
    };
    let finding = answer.finding;
    let text = match args.output {
        Listing::Table => Ok(render_subscriber::sheet(&answer)),
        Listing::Json => serde_json::to_string(&answer).map(|json| json + "\n"),
        Listing::Jsonl => lines(answer),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            tell(&format!("lapse: cannot write the answer: {error}"));
            return Ending::Fault;
        }
    };
    match say(&text) {
        Ok(()) => Ending::of_finding(finding),
        Err(_) => Ending::Fault,
    }
}

fn lines(mut answer: SubscriberAnswer) -> Result<String, serde_json::Error> {
    let (logons, assignments) = (std::mem::take(&mut answer.logons), std::mem::take(&mut answer.assignments));
    let items = logons.iter().map(Line::Logon).chain(assignments.iter().map(Line::Assignment));
    std::iter::once(Line::Answer(&answer)).chain(items).map(|line| Ok(serde_json::to_string(&line)? + "\n")).collect()
}
