//! `lapsed token`: mint, list, revoke.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;

use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, duration};
use crate::domain::actor::Role;
use crate::domain::time::Timestamp;
use crate::tokens::{self, Token, TokenError, Tokens};

use super::{Ending, Output, say, tell};

/// Shorter than any use of it, and longer than anybody means to trust a token.
const LIFETIMES: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3650 * 86_400));

/// `lapsed token`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    mint: Option<Mint>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Mint a token and print it. It is printed once; only its hash is kept.
    Mint(Mint),
    /// Show every token there ever was: whose, as what, from when to when; never the token.
    List {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "/etc/lapsed/lapsed.toml")]
        config: PathBuf,
        /// How to print it.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Output,
    },
    /// Revoke all tokens of a name. A running daemon refuses them from their next use on.
    Revoke {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "/etc/lapsed/lapsed.toml")]
        config: PathBuf,
        /// Whose.
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Mint {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lapsed/lapsed.toml")]
    config: PathBuf,
    /// For whom. A name that a [[principal]] has means that principal.
    #[arg(long)]
    name: String,
    /// As what: source, analyst, approver, auditor or operator.
    #[arg(long)]
    role: Role,
    /// For how long it counts, from 1m to 3650d.
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = lifetime)]
    expires: Duration,
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let found = duration::parse(text).map_err(|error| error.to_string())?;
    let (least, most) = LIFETIMES;
    if (least..=most).contains(&found) { Ok(found) } else { Err("it must be from 1m to 3650d".to_owned()) }
}

/// Runs the command.
pub(super) fn token(args: &Args) -> Ending {
    match (&args.command, &args.mint) {
        (Some(Command::Mint(args)), _) | (None, Some(args)) => mint(args),
        (Some(Command::List { config, output }), _) => with_config(config, |config| list(config, *output)),
        (Some(Command::Revoke { config, name }), _) => with_config(config, |config| revoke(config, name)),
        (None, None) => {
            tell("lapsed: `token` needs --name and --role, or `list`, or `revoke NAME`; see --help");
            Ending::Usage
        }
    }
}

fn with_config(file: &Path, act: impl FnOnce(&Config) -> Result<String, TokenError>) -> Ending {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => {
            tell(&error.to_string());
            return Ending::Usage;
        }
    };
    match act(&config) {
        Ok(text) => say(&text).map_or(Ending::Fault, |()| Ending::Ok),
        Err(error) => {
            tell(&format!("lapsed: {error}"));
            match error {
                TokenError::OtherRole { .. } | TokenError::BadName(_) | TokenError::NothingToRevoke(_) => Ending::Usage,
                TokenError::Io { .. } | TokenError::BadLine { .. } | TokenError::NoRandom(_) => Ending::Nobody,
            }
        }
    }
}

fn mint(Mint { config, name, role, expires }: &Mint) -> Ending {
    with_config(config, |config| {
        let token = tokens::mint(config, name, *role, SystemClock.now(), *expires)?;
        Ok(format!("{token}\n"))
    })
}

fn revoke(config: &Config, name: &str) -> Result<String, TokenError> {
    let count = tokens::revoke(config, name, SystemClock.now())?;
    let tokens = if count == 1 { "1 token".to_owned() } else { format!("{count} tokens") };
    Ok(format!("{tokens} of {name} revoked\n"))
}

fn list(config: &Config, output: Output) -> Result<String, TokenError> {
    let tokens = Tokens::read(&config.state_dir)?;
    Ok(match output {
        Output::Table => table(tokens.all()),
        Output::Json => format!("{}\n", serde_json::Value::from_iter(tokens.all().iter().map(json))),
    })
}

/// One line a token, in columns that are as wide as what is in them.
fn table(tokens: &[Token]) -> String {
    let or_dash = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let head = ["NAME", "ROLE", "MINTED", "EXPIRES", "REVOKED"].map(str::to_owned);
    let rows = tokens.iter().map(|Token { name, role, term, revoked }| {
        let (minted, expires) = (term.map(|term| term.minted), term.map(|term| term.expires));
        [name.clone(), role.to_string(), or_dash(minted), or_dash(expires), or_dash(*revoked)]
    });
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn json(Token { name, role, term, revoked }: &Token) -> serde_json::Value {
    serde_json::json!({
        "name": name,
        "role": role,
        "minted": term.map(|term| term.minted.to_string()),
        "expires": term.map(|term| term.expires.to_string()),
        "revoked": revoked.map(|at| at.to_string()),
    })
}
