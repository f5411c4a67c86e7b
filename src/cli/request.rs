//! `lapse request`: legal processes on file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;

use crate::api::{
    Done, FieldsAdded, FieldsPaper, ItemReading, ItemsPaper, REQUESTS, REQUESTS_PREVIEW, RequestList, RequestOpened,
    RequestPaper, RequestPreview, RequestSheet, Warning,
};
use crate::written::items::MAX_BYTES;

use super::escape::escape;
use super::{Connection, Ending, Output, certificate, client, package, render_request, say, tell};

/// Arguments of `lapse request`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lapse request open --file request.toml
  lapse request open --file request.toml --items items.csv
  lapse request list
  lapse request show 7b3c...
  lapse request add 7b3c... items.csv
  lapse request set 7b3c... statute='18 USC 2703(c)(2)'
  lapse lookup --request 7b3c... --all
  lapse request package 7b3c... 24-CR-1022
  lapse request certificate 7b3c...
  lapse request close 7b3c...

`request open` prints the request's id alone on stdout; what should be looked at first goes to stderr. A request file:

  type = \"subpoena\"
  statute = \"18 USC 2703(c)(2)\"
  authority = \"Example District Court\"
  agency = \"Example Police Department\"
  officer = \"Det. R. Example\"
  officer-contact = \"+1 303 555 0100\"
  case = \"24-CR-1022\"
  issued = 2026-11-20
  received = 2026-11-21T09:00:00-07:00
  return-by = 2026-12-01
  [[item]]
  address = \"203.0.113.7\"
  port = 51515
  at = \"2026-11-21T14:03:22-07:00\"")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What is filed: of `lapse request open` and of `lapse emergency open`.
#[derive(Debug, clap::Args)]
pub(super) struct OpenArgs {
    /// The papers, TOML or JSON; - is standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Items as a CSV: line,address,port,protocol,at,zone,uncertainty,realm; address and at suffice.
    #[arg(long, value_name = "CSV")]
    items: Option<PathBuf>,
    /// One field, in the place of the file's.
    #[arg(long = "set", value_name = "FIELD=TEXT")]
    set: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// File a legal process. On a terminal, what is missing is asked for, and what was understood is shown and confirmed.
    Open(OpenArgs),
    /// List what is on file.
    List {
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Show one request with its items and what became of them.
    Show {
        /// The request.
        id: String,
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Add items to an open request; all of them or none.
    Add {
        /// The request.
        id: String,
        /// The items, CSV; - is standard input.
        items: PathBuf,
    },
    /// Add fields that the papers lacked, such as a statute. What is on file is not changed.
    Set {
        /// The request.
        id: String,
        /// The fields.
        #[arg(value_name = "FIELD=TEXT", required = true)]
        fields: Vec<String>,
    },
    /// Approve a request that somebody else opened. Approvers only.
    Approve {
        /// The request.
        id: String,
    },
    /// Write the answers that were given into a new directory, with what is needed to check and to sign them.
    Package {
        /// The request.
        id: String,
        /// The directory; one that is there must be empty.
        dir: PathBuf,
    },
    /// Certify that nothing is readable of the items that were answered purged or not-ours, for a signature. Approvers who did not
    /// open the request only.
    Certificate {
        /// The request.
        id: String,
        /// How it is printed.
        #[arg(short, long, value_enum, default_value = "text")]
        output: certificate::Form,
    },
    /// Close a request: what was captured for it and the sealed answers are destroyed.
    Close {
        /// The request.
        id: String,
    },
}

pub(super) fn request(connection: &Connection, args: &Args) -> Ending {
    let done = match &args.command {
        Command::Open(args) => open(connection, args, None),
        Command::Set { id, fields } => set(connection, id, fields),
        Command::List { output } => list(connection, *output),
        Command::Show { id, output } => show(connection, id, *output),
        Command::Add { id, items } => add(connection, id, items),
        Command::Approve { id } => act(connection, id, "approve", "approved"),
        Command::Package { id, dir } => path(id, "/package").and_then(|path| package::package(connection, &path, dir)),
        Command::Certificate { id, output } => {
            path(id, "/certificate").and_then(|path| certificate::certificate(connection, &path, *output))
        }
        Command::Close { id } => act(connection, id, "close", "closed"),
    };
    match done {
        Ok(text) => match say(&text) {
            Ok(()) => Ending::Ok,
            Err(_) => Ending::Fault,
        },
        Err(ending) => ending,
    }
}

/// The path of a request. An id from a command line is no part of a path before it is one.
pub(super) fn path(id: &str, what: &str) -> Result<String, Ending> {
    if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(format!("{REQUESTS}/{id}{what}"));
    }
    Err(wrong(&format!("`{id}` is no id of a request: it has 32 hexadecimal digits; `lapse request list` shows them")))
}

fn wrong(what: &str) -> Ending {
    tell(&format!("lapse: {}", escape(what)));
    Ending::Usage
}

/// Files a request; `kind` is its type, if only one is possible.
pub(super) fn open(connection: &Connection, args: &OpenArgs, kind: Option<&str>) -> Result<String, Ending> {
    let OpenArgs { file, items, set } = args;
    let mut paper = file.as_deref().map_or_else(|| Ok(RequestPaper::default()), read_paper)?;
    for pair in set {
        let (name, text) = field_of(pair)?;
        if name == "type" {
            paper.process = Some(text.to_owned());
        } else {
            paper.fields.insert(name.to_owned(), text.to_owned());
        }
    }
    if let Some(kind) = kind {
        let other = paper.process.as_deref().filter(|process| *process != kind);
        if let Some(other) = other {
            return Err(wrong(&format!("the type is `{other}`, not {kind}: `lapse request open` files it")));
        }
        paper.process = Some(kind.to_owned());
    }
    if let Some(items) = items {
        paper.items_csv = Some(read_text(items)?);
    }
    // Without somebody at a terminal, nothing waits: what is pointed out is pointed out afterwards.
    if io::stdin().is_terminal() {
        ask_for_missing(&mut paper)?;
        confirm(connection, &paper)?;
    }
    let opened: RequestOpened = client::ask(connection, REQUESTS, Some(&paper))?;
    point_out(&opened.warnings);
    Ok(format!("{}\n", opened.id))
}

/// Asks for the fields that every request has.
fn ask_for_missing(paper: &mut RequestPaper) -> Result<(), Ending> {
    let asked = |name: &str| -> Result<Option<String>, Ending> {
        let _ = write!(io::stderr().lock(), "{name}: ");
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.map_err(|error| wrong(&format!("cannot read from the terminal: {error}")))?;
        Ok(Some(line.trim().to_owned()).filter(|line| !line.is_empty()))
    };
    if paper.process.is_none() {
        paper.process = asked("type")?;
    }
    for name in ["authority", "agency", "officer", "officer-contact", "case", "issued", "received"] {
        if !paper.fields.contains_key(name)
            && let Some(text) = asked(name)?
        {
            paper.fields.insert(name.to_owned(), text);
        }
    }
    Ok(())
}

/// Shows how every address and time was read, and what looks like a mistake, and asks whether that is meant.
fn confirm(connection: &Connection, paper: &RequestPaper) -> Result<(), Ending> {
    let RequestPreview { items, warnings, zones } = client::ask(connection, REQUESTS_PREVIEW, Some(paper))?;
    for ItemReading { item, written, address, port, at } in &items {
        let (was, at_was) = (escape(&written.address), escape(&written.at));
        let port = port.map_or_else(String::new, |port| format!(" port {port}"));
        tell(&format!("item {item}: `{was}` is {}{port}, `{at_was}` is {at}", escape(address)));
    }
    tell(&format!("(zones as the IANA time zone database {zones} has them)"));
    point_out(&warnings);
    let _ = write!(io::stderr().lock(), "File it so? [y/N] ");
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| wrong(&format!("cannot read from the terminal: {error}")))?;
    if matches!(line.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(wrong("nothing was filed")) }
}

/// Adds fields to the papers of a request.
pub(super) fn set(connection: &Connection, id: &str, fields: &[String]) -> Result<String, Ending> {
    let mut paper = FieldsPaper::default();
    for pair in fields {
        let (name, text) = field_of(pair)?;
        if paper.set.insert(name.to_owned(), text.to_owned()).is_some() {
            return Err(wrong(&format!("`{name}` comes twice")));
        }
    }
    let added: FieldsAdded = client::ask(connection, &path(id, "/fields")?, Some(&paper))?;
    if !added.missing.is_empty() {
        tell(&format!("lapse: still missing: {}", added.missing.join(", ")));
    }
    Ok(format!("{} has {} more fields; entry {} of the access ledger\n", added.id, paper.set.len(), added.ledger))
}

fn field_of(pair: &str) -> Result<(&str, &str), Ending> {
    pair.split_once('=').ok_or_else(|| wrong(&format!("`{pair}` is not FIELD=TEXT")))
}

fn read_text(path: &Path) -> Result<String, Ending> {
    let unreadable = |error: &dyn std::fmt::Display| wrong(&format!("cannot read {}: {error}", path.display()));
    if path == Path::new("-") {
        return io::read_to_string(io::stdin().lock()).map_err(|error| unreadable(&error));
    }
    let length = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if usize::try_from(length).is_ok_and(|length| length > MAX_BYTES) {
        return Err(wrong(&format!("{} is longer than {MAX_BYTES} bytes", path.display())));
    }
    fs::read_to_string(path).map_err(|error| unreadable(&error))
}

/// Reads papers: JSON if it begins like it, else TOML. Dates of TOML become text.
fn read_paper(path: &Path) -> Result<RequestPaper, Ending> {
    let text = read_text(path)?;
    let of_file = |error: &dyn std::fmt::Display| wrong(&format!("{}: {error}", path.display()));
    let value = if text.trim_start().starts_with('{') {
        serde_json::from_str(&text).map_err(|error| of_file(&error))?
    } else {
        let table: toml::Table = toml::from_str(&text).map_err(|error| of_file(&error))?;
        json_of(toml::Value::Table(table))
    };
    serde_json::from_value(value).map_err(|error| of_file(&error))
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(written) => Value::String(written.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json_of).collect()),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, json_of(value))).collect(),
    }
}

fn point_out(warnings: &[Warning]) {
    for Warning { item, text, .. } in warnings {
        let place = item.map_or_else(String::new, |item| format!("item {item}: "));
        tell(&format!("lapse: {place}{}", escape(text)));
    }
}

fn list(connection: &Connection, output: Output) -> Result<String, Ending> {
    let list: RequestList = client::ask(connection, REQUESTS, None::<&()>)?;
    match output {
        Output::Table => Ok(render_request::list(&list)),
        Output::Json => json(&list),
    }
}

fn show(connection: &Connection, id: &str, output: Output) -> Result<String, Ending> {
    let sheet: RequestSheet = client::ask(connection, &path(id, "")?, None::<&()>)?;
    match output {
        Output::Table => Ok(render_request::sheet(&sheet)),
        Output::Json => json(&sheet),
    }
}

fn add(connection: &Connection, id: &str, items: &Path) -> Result<String, Ending> {
    let paper = ItemsPaper { items: Vec::new(), items_csv: Some(read_text(items)?) };
    let opened: RequestOpened = client::ask(connection, &path(id, "/items")?, Some(&paper))?;
    point_out(&opened.warnings);
    Ok(format!("the request has {} items\n", opened.items))
}

fn act(connection: &Connection, id: &str, act: &str, done: &str) -> Result<String, Ending> {
    let nothing: BTreeMap<String, String> = BTreeMap::new();
    let Done { id, ledger } = client::ask(connection, &path(id, &format!("/{act}"))?, Some(&nothing))?;
    Ok(format!("{id} {done}; entry {ledger} of the access ledger\n"))
}

pub(super) fn json(value: &impl Serialize) -> Result<String, Ending> {
    let written = serde_json::to_string(value);
    written.map(|json| json + "\n").map_err(|error| {
        tell(&format!("lapse: cannot write the answer: {error}"));
        Ending::Fault
    })
}
