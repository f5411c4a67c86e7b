//! `lapse audit prove`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::audit::{Entry, Papers, Salt};
use crate::cli::{Ending, escape, say, tell};
use crate::domain::process::ProcessType;
use crate::ledger::receipt::Receipt;

use super::given::key;

/// Arguments of `lapse audit prove`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The receipt, as `lapse audit receipt` wrote it.
    #[arg(value_name = "RECEIPT")]
    receipt: PathBuf,
    /// The access ledger's public key, or a file that holds it.
    #[arg(long, value_name = "KEY")]
    access_vkey: String,
    /// The entry that is proven, if it does not travel with the receipt.
    #[arg(long, value_name = "FILE")]
    entry: Option<PathBuf>,
    #[command(flatten)]
    papers: Option<PapersArgs>,
}

/// The papers that the entry commits to, to be held against it.
#[derive(Debug, clap::Args)]
struct PapersArgs {
    /// The salt that went out with the answer (`ledger.salt`): with it, the papers below are held against the entry.
    #[arg(long, value_name = "HEX", required = false, requires = "process", requires = "case", requires = "authority")]
    salt: Salt,
    /// The kind of process, as the question named it.
    #[arg(long, value_name = "TYPE", required = false, requires = "salt")]
    process: ProcessType,
    /// The case number, as the question named it.
    #[arg(long, required = false, requires = "salt")]
    case: String,
    /// The court, agency or statute, as the question named it.
    #[arg(long, required = false, requires = "salt")]
    authority: String,
}

/// Why a receipt proves nothing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("cannot read {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("--access-vkey: {0}")]
    Key(String),
    #[error("no entry travels with this receipt; --entry names it")]
    NoEntry,
    #[error(transparent)]
    Receipt(#[from] crate::ledger::receipt::ReceiptError),
    #[error("the entry is proven, and is of no papers, or not of these")]
    OtherPapers,
    #[error("what is proven is no entry of an access ledger: {0}")]
    Entry(#[from] crate::audit::ParseError),
}

pub(super) fn prove(args: &Args) -> Ending {
    match proven(args) {
        Ok(text) => say(&text).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => {
            tell(&format!("lapse: {}: {}", args.receipt.display(), escape::escape(&error.to_string())));
            match error {
                Failed::Receipt(_) | Failed::Entry(_) | Failed::OtherPapers => Ending::Nobody,
                Failed::Io { .. } | Failed::Key(_) | Failed::NoEntry => Ending::Usage,
            }
        }
    }
}

fn proven(args: &Args) -> Result<String, Failed> {
    let key = key(&args.access_vkey).map_err(Failed::Key)?;
    let receipt = Receipt::parse(&read(&args.receipt)?)?;
    let entry = match (&args.entry, &receipt.extra) {
        (Some(path), _) => read(path)?,
        (None, Some(entry)) => entry.clone(),
        (None, None) => return Err(Failed::NoEntry),
    };
    let checkpoint = receipt.verify(&key, &entry)?;
    let entry = Entry::parse(&entry)?;
    let opened = match &args.papers {
        None => "",
        Some(PapersArgs { salt, process, case, authority }) => {
            let papers = Papers { process: *process, case: case.clone(), authority: authority.clone() };
            let committed = entry.access().map(|access| access.papers);
            if committed != Some(papers.commitment(salt)) {
                return Err(Failed::OtherPapers);
            }
            ", and of these papers"
        }
    };
    let place = format!("entry {} of {} of {}", receipt.index, checkpoint.size, checkpoint.origin);
    let text = String::from_utf8_lossy(&entry.to_bytes()).into_owned();
    Ok(format!("proven: {place}, signed by {}{opened}\n\n{text}", key.id()))
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    fs::read(path).map_err(|source| Failed::Io { path: path.to_owned(), source })
}
