//! The command lines of `lapsed` and `lapse`: one command, one file. stdout is data, stderr is talk.

pub mod answers;
mod audit;
mod certificate;
mod check_config;
mod client;
mod clock;
mod completions;
mod connect;
mod context;
mod decommission;
mod emergency;
mod ending;
mod hold;
mod init;
mod lookup;
mod man;
mod openapi;
mod package;
pub mod page;
mod policy;
mod progress;
mod purge;
mod render;
mod render_lookup;
mod render_policy;
mod render_purge;
mod render_request;
mod render_sources;
mod render_subscriber;
pub mod render_triage;
mod request;
mod run;
mod send;
mod status;
mod subscriber;
mod sweep;
mod token;
mod triage;
mod verify_store;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

pub use ending::Ending;

use crate::daemon::Flags;
use crate::shown::{cells, escape};

/// Lapsed: IP-assignment records that are kept for a window, answered under legal process, and destroyed.
#[derive(Debug, Parser)]
#[command(
    name = "lapsed",
    version,
    about,
    max_term_width = 100,
    after_help = "Examples:
  lapsed check-config /etc/lapsed/lapsed.toml
  lapsed run --config /etc/lapsed/lapsed.toml
  lapsed token mint --name desk-1 --role analyst --expires 90d
  lapsed token list
  lapsed token revoke desk-1
  lapsed verify-store /var/lib/lapsed"
)]
struct LapsedArgs {
    #[command(subcommand)]
    command: LapsedCommand,
}

#[derive(Debug, Subcommand)]
enum LapsedCommand {
    /// Run the daemon in the foreground; makes the state directory and the keyring when they are not there yet.
    Run {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "/etc/lapsed/lapsed.toml")]
        config: PathBuf,
        /// Replace a keyring that is missing or damaged by a new one; what the old one opened is lost.
        #[arg(long)]
        new_keyring: bool,
        /// Go on with a store that was put back from a copy, or whose signing keys or newest checkpoints are lost: its ledgers are
        /// older than what was handed out, or nobody can say. They get new keys and new names, and the next purge report says to every
        /// auditor that it was restored.
        #[arg(long)]
        after_restore: bool,
    },
    /// Make the keys that sign the ledgers and packages, if they are not there, and print the public ones: for auditors, before the first
    /// start. `lapsed run` makes them too.
    Init {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "/etc/lapsed/lapsed.toml")]
        config: PathBuf,
        /// Where the keys are made; without it in `ledger-keys-dir` of the configuration. With it, the configuration is not read.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// The generation of the ledgers that the keys are for. Later ones than the first are made only where others give the keys to
        /// the daemon: it makes its own after a restore where it can.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        generation: u32,
    },
    /// Check a configuration file and say everything that is wrong with it.
    CheckConfig {
        /// The configuration file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Mint, list and revoke bearer tokens; works before the daemon runs and while it runs. Mints when nothing else is said.
    Token(token::Args),
    /// Destroy the keys that are due, while no daemon runs; for a timer. Does nothing while one does.
    Sweep {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "/etc/lapsed/lapsed.toml")]
        config: PathBuf,
    },
    /// Destroy every key and remove the store for good.
    Decommission {
        /// The configuration file.
        #[arg(long, value_name = "FILE", default_value = "/etc/lapsed/lapsed.toml")]
        config: PathBuf,
        /// The name of the state directory, the last part of its path; without it, it is asked for.
        #[arg(long, value_name = "NAME")]
        confirm: Option<String>,
    },
    /// Check from outside that nothing expired is left in a state directory, or in a copy of one.
    VerifyStore(verify_store::Args),
    /// Print the API as an OpenAPI 3.1 document.
    Openapi,
    /// Write the manual, one page for each command of lapsed and lapse.
    Man {
        /// The directory; it is made if it is not there.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Print what makes a shell complete the commands of lapsed.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Ask a Lapsed daemon who held an address.
#[derive(Debug, Parser)]
#[command(
    name = "lapse",
    version,
    about,
    max_term_width = 100,
    after_help = "Examples:
  lapse status
  lapse policy show
  lapse send events.ndjson
  lapse triage items.csv
  lapse purge status
  lapse purge report show 12
  lapse lookup 203.0.113.7 --at 2026-11-21T14:03:22-07:00 --process subpoena \\
        --case 24-CR-1022 --authority 'Example District Court'
  lapse lookup 2001:db8:17::5 --at 2026-11-21T21:03:22Z --port 51515 --process subpoena \\
        --case 24-CR-1022 --authority 'Example District Court' -o json
  lapse subscriber alice@example.net --from 2026-11-21T00:00:00Z --to 2026-11-21T12:00:00Z \\
        --process subpoena --case 24-CR-1022 --authority 'Example District Court'

LAPSE_TOKEN holds the bearer token; without one the daemon goes by who you are on this machine, or by the certificate \
that is shown. Where it is, flags say, else the environment, else `lapse context`.

Exit codes of lookup: 0 attributed, 1 nobody held it, 2 usage or a time in the future, 3 ambiguous or uncertain, \
4 refused, 5 purged, 6 no coverage, 69 daemon unreachable or its clock in doubt, 70 a fault of Lapsed.
Of subscriber: 0 something found, 1 nothing found, and the same otherwise."
)]
struct LapseArgs {
    #[command(flatten)]
    place: context::Place,
    #[command(subcommand)]
    command: LapseCommand,
}

/// How the daemon is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Connection {
    /// Over its Unix socket.
    Socket(PathBuf),
    /// Over TLS.
    Tls {
        /// Its name or address, which its certificate must have.
        host: String,
        /// Its port.
        port: u16,
        /// The file of those who signed its certificate.
        ca: PathBuf,
        /// The files of a certificate to show it, and of its key.
        pair: Option<(PathBuf, PathBuf)>,
    },
}

/// The bearer token; without one, the daemon goes by who owns this process. It is no argument: those can be seen by all.
#[expect(clippy::disallowed_methods, reason = "a secret that is neither configuration nor may be an argument")]
fn token() -> Option<String> {
    std::env::var("LAPSE_TOKEN").ok().filter(|token| !token.is_empty())
}

#[derive(Debug, Subcommand)]
enum LapseCommand {
    /// Ask who held an address at an instant, under a legal process.
    Lookup(lookup::Args),
    /// File legal processes, and see what is on file.
    Request(request::Args),
    /// File emergencies, confirm them, and see which of them wait for their legal process.
    Emergency(emergency::Args),
    /// Preserve what is there for a process that may follow.
    Hold(hold::Args),
    /// Ask what one subscriber had over a span, under a legal process: logons and assignments. Approvers only.
    Subscriber(subscriber::Args),
    /// Show which items of a list can still be answered, and for how long. Needs no process and reads no record.
    Triage(triage::Args),
    /// Send events from a file or a pipe, one JSON object a line.
    Send(send::Args),
    /// Show how the daemon is doing; no personal data.
    Status(status::Args),
    /// Show what is kept, for how long, who may ask, and under which legal process; no personal data.
    Policy(policy::Args),
    /// Show what stands out in how rights are used. Auditors only.
    Audit(audit::Args),
    /// Show the daemon's clock, or accept it when it is in doubt.
    Clock(clock::Args),
    /// Show what is destroyed, what will be, and the reports of it; change the window.
    Purge(purge::Args),
    /// Remember where the daemon is, so that flags need not say it each time.
    Context(context::Args),
    /// Print what makes a shell complete the commands of lapse.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Runs `lapsed` with a command line.
pub fn lapsed(args: impl IntoIterator<Item = OsString>) -> Ending {
    match LapsedArgs::try_parse_from(args) {
        Err(error) => usage(&error),
        Ok(LapsedArgs { command: LapsedCommand::Run { config, new_keyring, after_restore } }) => {
            run::run(&config, Flags { new_keyring, after_restore })
        }
        Ok(LapsedArgs { command: LapsedCommand::Init { config, dir, generation } }) => {
            init::init(&config, dir, generation)
        }
        Ok(LapsedArgs { command: LapsedCommand::CheckConfig { file } }) => check_config::check(&file),
        Ok(LapsedArgs { command: LapsedCommand::Token(args) }) => token::token(&args),
        Ok(LapsedArgs { command: LapsedCommand::Sweep { config } }) => sweep::sweep(&config),
        Ok(LapsedArgs { command: LapsedCommand::Decommission { config, confirm } }) => {
            decommission::decommission(&config, confirm)
        }
        Ok(LapsedArgs { command: LapsedCommand::VerifyStore(args) }) => verify_store::verify(&args),
        Ok(LapsedArgs { command: LapsedCommand::Openapi }) => openapi::openapi(),
        Ok(LapsedArgs { command: LapsedCommand::Man { dir } }) => man::man(&dir),
        Ok(LapsedArgs { command: LapsedCommand::Completions { shell } }) => {
            completions::completions(LapsedArgs::command(), shell)
        }
    }
}

/// Runs `lapse` with a command line.
pub fn lapse(args: impl IntoIterator<Item = OsString>) -> Ending {
    let LapseArgs { place, command } = match LapseArgs::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    // What is remembered may be what is wrong.
    if let LapseCommand::Context(args) = &command {
        return context::context(&place, args);
    }
    if let LapseCommand::Completions { shell } = command {
        return completions::completions(LapseArgs::command(), shell);
    }
    if let LapseCommand::Audit(args) = &command {
        return audit::audit(&place, args);
    }
    match context::resolve(&place) {
        Ok(connection) => ask(&connection, command, &place),
        Err(error) => {
            tell(&format!("lapse: {error}"));
            Ending::Usage
        }
    }
}

fn ask(connection: &Connection, command: LapseCommand, place: &context::Place) -> Ending {
    match command {
        LapseCommand::Lookup(args) => lookup::lookup(connection, &args),
        LapseCommand::Request(args) => request::request(connection, &args),
        LapseCommand::Emergency(args) => emergency::emergency(connection, &args),
        LapseCommand::Hold(args) => hold::hold(connection, args),
        LapseCommand::Triage(args) => triage::triage(connection, &args),
        LapseCommand::Subscriber(args) => subscriber::subscriber(connection, &args),
        LapseCommand::Send(args) => send::send(connection, &args),
        LapseCommand::Status(args) => status::status(connection, &args),
        LapseCommand::Policy(args) => policy::policy(connection, &args),
        LapseCommand::Audit(args) => audit::audit(place, &args),
        LapseCommand::Clock(args) => clock::clock(connection, &args),
        LapseCommand::Purge(args) => purge::purge(connection, &args),
        LapseCommand::Context(args) => context::context(place, &args),
        LapseCommand::Completions { shell } => completions::completions(LapseArgs::command(), shell),
    }
}

/// Help and version are data that was asked for; anything else is a wrong command line.
fn usage(error: &clap::Error) -> Ending {
    // Nowhere is left to say that printing failed.
    let _ = error.print();
    if error.use_stderr() { Ending::Usage } else { Ending::Ok }
}

/// Prints data.
fn say(text: &str) -> Result<(), std::io::Error> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Talks to the person at the terminal.
fn tell(text: &str) {
    // Nowhere is left to say that talking failed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
