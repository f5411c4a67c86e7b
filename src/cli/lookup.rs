//! `lapse lookup`.

use crate::api::{LOOKUPS, LookupAnswer, LookupRequest};

use super::answers::{self, Format};
use super::page::Look;
use super::{Connection, Ending, client, say, tell};

/// Arguments of `lapse lookup`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  lapse lookup 203.0.113.7 --at 2026-11-21T14:03:22-07:00 --process subpoena \\
        --case 24-CR-1022 --authority 'Example District Court'

An access entry is made durable before the answer is given. It holds no address and no name. What the kind of process does
not release is not in the answer; `lapse policy show` lists the kinds. Asked like this, a subpoena can be answered, its
authority standing for its statute; what needs more on file than a case and an authority is named and not answered.")]
pub(super) struct Args {
    /// The address, IPv4 or IPv6.
    address: String,
    /// The instant, as the paper has it: RFC 3339 with an offset.
    #[arg(long, value_name = "RFC3339")]
    at: String,
    /// The source port; needed where several subscribers share an address.
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Which of several equal address spaces; the public one if absent.
    #[arg(long, value_name = "R")]
    realm: Option<String>,
    /// The kind of legal process; `lapse policy show` lists them.
    #[arg(long, value_name = "TYPE")]
    process: String,
    /// The asker's case number.
    #[arg(long, value_name = "REF")]
    case: String,
    /// The court, agency or statute.
    #[arg(long, value_name = "TEXT")]
    authority: String,
    /// How the answer is printed; docs/answers.md says what is in each form.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Asks, prints the answer, and ends as the verdict says.
pub(super) fn lookup(connection: &Connection, args: &Args) -> Ending {
    let request = LookupRequest {
        address: args.address.clone(),
        at: args.at.clone(),
        port: args.port,
        realm: args.realm.clone(),
        process: args.process.clone(),
        case: args.case.clone(),
        authority: args.authority.clone(),
    };
    let answer: LookupAnswer = match client::ask(connection, LOOKUPS, Some(&request)) {
        Ok(answer) => answer,
        Err(ending) => return ending,
    };
    let text = match answers::render(&answer, args.output, Look::here()) {
        Ok(text) => answers::header(args.output) + &text,
        Err(error) => {
            tell(&format!("lapse: cannot write the answer: {error}"));
            return Ending::Fault;
        }
    };
    match say(&text) {
        Ok(()) => Ending::of_verdict(answer.verdict),
        Err(_) => Ending::Fault,
    }
}
