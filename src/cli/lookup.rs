//! `lapse lookup`.

use std::path::PathBuf;

use crate::api::{Answers, AnswersRequest, LOOKUPS, LookupAnswer, LookupRequest};

use super::answers::{self, Format};
use super::audit::receipt;
use super::page::Look;
use super::{Connection, Ending, client, say, tell};

/// Arguments of `lapse lookup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse lookup 203.0.113.7 --at 2026-11-21T14:03:22-07:00 --process subpoena \\
        --case 24-CR-1022 --authority 'Example District Court'
  lapse lookup --request 7b3c... --all
  lapse lookup --request 7b3c... --item 3 -o json

An access entry is made durable before the answer is given. It holds no address and no name. What the kind of process does \
not release is not in the answer; `lapse policy show` lists the kinds. Asked like this, a subpoena can be answered, its \
authority standing for its statute; what needs more on file than a case and an authority is named and not answered.")]
pub(super) struct Args {
    /// The address, IPv4 or IPv6.
    #[arg(required_unless_present = "request")]
    address: Option<String>,
    /// A request on file, whose items are answered.
    #[arg(long, value_name = "ID", conflicts_with_all = ["address", "at", "port", "realm", "process", "case", "authority"])]
    request: Option<String>,
    /// One item of the request, by its number; can be given several times.
    #[arg(long, value_name = "N", requires = "request")]
    item: Vec<u32>,
    /// All items of the request.
    #[arg(long, requires = "request", conflicts_with = "item")]
    all: bool,
    /// The instant, as the paper has it: RFC 3339 with an offset.
    #[arg(long, value_name = "RFC3339", required_unless_present = "request")]
    at: Option<String>,
    /// The source port; needed where several subscribers share an address.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Which of several equal address spaces; the public one if absent.
    #[arg(long, value_name = "R")]
    realm: Option<String>,
    /// The kind of legal process; `lapse policy show` lists them.
    #[arg(long, value_name = "TYPE", required_unless_present = "request")]
    process: Option<String>,
    /// The asker's case number.
    #[arg(long, value_name = "REF", required_unless_present = "request")]
    case: Option<String>,
    /// The court, agency or statute.
    #[arg(long, value_name = "TEXT", required_unless_present = "request")]
    authority: Option<String>,
    /// Where the receipt of the access is written: it proves that the entry is in the ledger (`lapse audit prove`).
    #[arg(long, value_name = "FILE", conflicts_with = "request")]
    receipt: Option<PathBuf>,
    /// How the answer is printed; docs/answers.md says what is in each form.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Asks, prints the answer, and ends as the verdict says; of several, as the worst.
pub(super) fn lookup(connection: &Connection, args: &Args) -> Ending {
    let answers = match &args.request {
        Some(request) => of_request(connection, args, request),
        None => one(connection, args).map(|answer| vec![answer]),
    };
    let answers = match answers {
        Ok(answers) => answers,
        Err(ending) => return ending,
    };
    let rendered: Result<Vec<String>, _> =
        answers.iter().map(|answer| answers::render(answer, args.output, Look::here())).collect();
    let text = rendered.map(|sheets| {
        let between = if args.output == Format::Text { "\n" } else { "" };
        answers::header(args.output) + &sheets.join(between)
    });
    let said = match text {
        Ok(text) => say(&text),
        Err(error) => {
            tell(&format!("lapse: cannot write the answer: {error}"));
            return Ending::Fault;
        }
    };
    if let (Some(file), [answer]) = (&args.receipt, &answers[..]) {
        // What was answered stands; the receipt can be fetched later.
        match receipt::receipt(connection, answer.ledger.index, file) {
            Ending::Ok => {}
            ending => return ending,
        }
    }
    match said {
        Ok(()) => answers.iter().map(|answer| Ending::of_verdict(answer.verdict)).fold(Ending::Ok, Ending::or_worse),
        Err(_) => Ending::Fault,
    }
}

/// A question that comes alone, with its papers.
fn one(connection: &Connection, args: &Args) -> Result<LookupAnswer, Ending> {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let request = LookupRequest {
        address: text(&args.address),
        at: text(&args.at),
        port: args.port,
        realm: args.realm.clone(),
        process: text(&args.process),
        case: text(&args.case),
        authority: text(&args.authority),
    };
    client::ask(connection, LOOKUPS, Some(&request))
}

/// Items of a request on file.
fn of_request(connection: &Connection, args: &Args, request: &str) -> Result<Vec<LookupAnswer>, Ending> {
    if args.item.is_empty() && !args.all {
        tell("lapse: say which items: --item N, or --all");
        return Err(Ending::Usage);
    }
    let which = AnswersRequest { items: (!args.all).then(|| args.item.clone()) };
    let answers: Answers = client::ask(connection, &super::request::path(request, "/answers")?, Some(&which))?;
    Ok(answers.answers)
}
