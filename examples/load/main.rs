//! A paced stream of RADIUS accounting over UDP, and what came back: the rate, what was lost, how late the
//! acknowledgements were, and the daemon's memory.
//!
//! `load --rate 20000 --seconds 60` starts `bin/lapsed` itself on a temporary directory with a window of 48 hours;
//! `load --target 127.0.0.1:1813 --secret-file F ...` speaks to one that runs. Nothing is ever sent twice: a statement
//! without its acknowledgement is lost. It fails if one was lost, if the rate was missed by more than one per cent, or
//! if the daemon took 512 MiB or more.
//!
//! `load --desks 8 --lookups 200 --rate 10000` asks: first one question after the other at rest, then from several desks while
//! statements come in. It fails if half of the lookups at rest took a millisecond or longer, if one in a hundred questions was not
//! answered, or if a statement was lost.
//!
//! `load --window 60s` is a steady state in which as much is destroyed as arrives: questions are asked and the purge is
//! watched meanwhile, and a shorter leg with the usual window follows, of which nothing is due. It also fails if a purge
//! report shows anything that was destroyed later than its bound, if less was taken than without a purge (5 per cent), or
//! if reading the store for an answer took 2 ms or more (p99) while a purge ran.
#![expect(clippy::print_stdout, reason = "its report is what it is for")]

#[path = "../simulator/mod.rs"]
#[expect(dead_code, reason = "the load shares the subscribers and the daemon with the demo, and plays no evening")]
mod simulator;

mod api;
mod asking;
mod desk;
mod forgetting;
mod lane;
mod latency;
mod leg;
mod population;
mod report;
mod sender;
mod stopwatch;
mod watching;

use std::io::{Write as _, stderr};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use report::Report;
use sender::Plan;
use simulator::daemon::{Daemon, SECRET};
use simulator::interrupt::Interrupt;

/// What the daemon runs on when the load starts it itself: everything else at its default.
const CLIENT: &str = r#"
[[radius.client]]
network = "127.0.0.0/8"
name = "load"
secret-file = "nas.secret"
"#;

/// Sends RADIUS accounting at a steady rate and reports what came back.
#[derive(Parser)]
struct Arguments {
    /// Where a daemon listens; without it, one is started on a temporary directory.
    #[arg(long, requires = "secret_file")]
    target: Option<SocketAddr>,
    /// The file with the shared secret of that daemon.
    #[arg(long, requires = "target")]
    secret_file: Option<PathBuf>,
    /// The process id of that daemon, to report its memory.
    #[arg(long, requires = "target")]
    pid: Option<u32>,
    /// Statements a second.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// For how long.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How many sockets they come from; each can wait for 256 acknowledgements.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    sockets: u16,
    /// The window of a steady state, such as 60s: the daemon forgets as much as it takes.
    #[arg(long, conflicts_with = "target")]
    window: Option<String>,
    /// In a steady state, how much time shares a key.
    #[arg(long, default_value = "5s", requires = "window")]
    bucket: String,
    /// In a steady state, how often a purge runs.
    #[arg(long, default_value = "5s", requires = "window")]
    purge_interval: String,
    /// How many desks ask while statements come in, after one has asked a daemon at rest.
    #[arg(long, conflicts_with_all = ["target", "window"], value_parser = clap::value_parser!(u64).range(1..))]
    desks: Option<u64>,
    /// In a steady state or with desks, how many questions a second are asked.
    #[arg(long, default_value_t = 50)]
    lookups: u64,
    /// In a steady state, for how many seconds the same is done with a window of 48 hours.
    #[arg(long, default_value_t = 60, requires = "window", value_parser = clap::value_parser!(u64).range(1..))]
    baseline: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.window {
        Some(window) => forget(&arguments, window),
        None => match arguments.desks {
            Some(desks) => ask(&arguments, desks),
            None => run(&arguments).map(|report| (report.to_string(), report.faults())),
        },
    };
    match outcome {
        Ok((report, faults)) => {
            println!("{report}");
            for fault in &faults {
                let _ = writeln!(stderr(), "load: {fault}");
            }
            if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _ = writeln!(stderr(), "load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    let interrupt = Interrupt::watch()?;
    // Until the end of this function, or it would be gone before its memory is read.
    let mut own = None;
    let (target, secret, pid) = match (arguments.target, &arguments.secret_file) {
        (Some(target), Some(path)) => {
            let secret = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
            (target, secret.trim_ascii_end().to_vec(), arguments.pid)
        }
        _ => {
            let daemon = own.insert(Daemon::start(CLIENT)?);
            (daemon.radius, SECRET.to_vec(), Some(daemon.pid()))
        }
    };
    let duration = Duration::from_secs(arguments.seconds);
    let plan = Plan { target, rate: arguments.rate, duration, sockets: arguments.sockets };
    let sent = sender::send(&plan, &secret, &interrupt)?;
    if let Some(daemon) = &mut own {
        daemon.check()?;
    }
    let peak = pid.map(report::peak_memory).transpose()?;
    Ok(Report { rate: arguments.rate, duration, sockets: arguments.sockets, sent, peak })
}

fn ask(arguments: &Arguments, desks: u64) -> anyhow::Result<(String, Vec<String>)> {
    let interrupt = Interrupt::watch()?;
    let Arguments { rate, seconds, sockets, lookups, .. } = arguments;
    let nobody = SocketAddr::from(([0; 4], 0));
    let plan = Plan { target: nobody, rate: *rate, duration: Duration::from_secs(*seconds), sockets: *sockets };
    let outcome = desk::run(&plan, *lookups, desks, &interrupt)?;
    Ok((outcome.to_string(), outcome.faults()))
}

fn forget(arguments: &Arguments, window: &str) -> anyhow::Result<(String, Vec<String>)> {
    let interrupt = Interrupt::watch()?;
    let Arguments { bucket, purge_interval, rate, seconds, sockets, lookups, baseline, .. } = arguments;
    let terms = forgetting::Terms { window, bucket, purge_interval };
    // Whom it goes to is known when each leg's daemon has started.
    let nobody = SocketAddr::from(([0; 4], 0));
    let plan = Plan { target: nobody, rate: *rate, duration: Duration::from_secs(*seconds), sockets: *sockets };
    let outcome = forgetting::run(&terms, &plan, Duration::from_secs(*baseline), *lookups, &interrupt)?;
    Ok((outcome.to_string(), outcome.faults()))
}
