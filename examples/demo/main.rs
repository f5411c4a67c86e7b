//! `make demo`: an evening of a small ISP in half a minute, six questions about it, and proof that nothing is left after
//! the window.
//!
//! It starts the real daemon with a window of 30 seconds on a temporary directory, speaks RADIUS to it over UDP, asks
//! through the real `lapse`, and compares every answer with what the simulated ISP knows to be true. It fails if one of
//! them disagrees, if a report of the purge is not clean, or if anything that should have gone is in a file.
#![expect(clippy::print_stdout, reason = "it is a show")]

#[path = "../simulator/mod.rs"]
mod simulator;

mod forgetting;
mod progress;
mod questions;
mod reading;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use anyhow::ensure;
use lapsed::domain::time::{Timestamp, millis_of};
use progress::Line;
use questions::Question;
use simulator::daemon::{Daemon, SECRET};
use simulator::evening::Evening;
use simulator::interrupt::Interrupt;
use simulator::{clock, play};

/// The evening that is played.
const SEED: u64 = 20_261_121;
const WINDOW: Duration = Duration::from_secs(30);
const SETTINGS: &str = r#"
[retention]
window = "30s"
bucket = "1s"
purge-interval = "1s"

[lookup]
margin = "1s"
shared-margin = "1s"

[[radius.client]]
network = "127.0.0.2/32"
name = "bng-1"
secret-file = "nas.secret"

[[radius.client]]
network = "127.0.0.3/32"
name = "bng-2"
secret-file = "nas.secret"

[[network]]
prefix = "203.0.113.0/24"

[[network]]
prefix = "198.51.100.0/24"

[[network]]
prefix = "2001:db8::/32"
"#;

const INTRODUCTION: &str = "\
Lapsed in one minute. A made-up ISP with two hundred subscribers on two access servers (NAS) plays an evening in 22
seconds and reports every logon to a real daemon on this machine: RADIUS over UDP, with lost packets, a reboot and a
clock that is wrong. Its window is 30 seconds here; it would be 48 hours. Then we ask it who held an address when,
and at last what is left of the evening once it is older than the window.
";

fn main() -> ExitCode {
    match show() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(&format!("demo: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn show() -> anyhow::Result<()> {
    println!("{INTRODUCTION}");
    let interrupt = Interrupt::watch()?;
    let mut daemon = Daemon::start(SETTINGS)?;
    let token = daemon.token("demo-analyst", "analyst")?;
    println!("The daemon is process {}, and takes RADIUS accounting at {}.\n", daemon.pid(), daemon.radius);
    let evening = Evening::new(SEED);
    let begin = play_evening(&evening, &mut daemon, &interrupt)?;

    let questions = questions::about(&evening)?;
    let Some(first) = questions.first() else { return Ok(()) };
    println!(
        "Six questions. The token of an analyst is in LAPSE_TOKEN; times are UTC. Each is asked twice, for you as a"
    );
    println!(
        "table and for the comparison as JSON, and every asking stands in the access ledger before it is answered."
    );
    let mut disagreed = 0;
    for (index, question) in questions.iter().enumerate() {
        interrupt.check()?;
        disagreed += u32::from(!ask(&daemon, &token, &evening, begin, (index + 1, question))?);
    }
    wait_for_the_window(begin, first, &mut daemon, &interrupt)?;
    let forgotten = first.once_more();
    disagreed += u32::from(!ask(&daemon, &token, &evening, begin, (questions.len() + 1, &forgotten))?);
    show_status(&daemon, &token)?;
    ensure!(disagreed == 0, "{disagreed} of the answers disagree with what happened");
    forgetting::show(&daemon)?;
    println!("All answers agree with what happened, and nothing is left of what is older than the window.");
    Ok(())
}

/// Plays the evening; says when it began.
fn play_evening(evening: &Evening, daemon: &mut Daemon, interrupt: &Interrupt) -> anyhow::Result<Timestamp> {
    // It begins on a full second, because what a NAS says of the time has no less.
    let began = clock::now().millis() / 1000 * 1000 + 1000;
    let begin = Timestamp::from_millis(began);
    let mut line = Line::new();
    let radius = daemon.radius;
    let tally = play::play(evening, begin, radius, SECRET, |progress| {
        interrupt.check()?;
        daemon.check()?;
        line.show(progress.at, &progress::of_evening(progress));
        Ok(())
    })?;
    line.end();
    println!(
        "{} statements were made; {} datagrams or acknowledgements were lost on the way and {} sent again.\n\
         {} statements are acknowledged, {} never arrived.\n",
        tally.said, tally.lost, tally.repeated, tally.acknowledged, tally.given_up
    );
    Ok(begin)
}

/// Asks one question and says whether the answer agrees with what happened.
fn ask(
    daemon: &Daemon,
    token: &str,
    evening: &Evening,
    begin: Timestamp,
    (number, question): (usize, &Question),
) -> anyhow::Result<bool> {
    println!("\n{number}. {}\n", question.words);
    let arguments = question.arguments(begin);
    let table = daemon.lapse(token, &arguments)?;
    reading::print(&format!("lapse {}", reading::as_typed(&arguments)), &table);
    let json = daemon.lapse(token, &[arguments, vec!["-o".to_owned(), "json".to_owned()]].concat())?;
    let faults = question.faults(evening, (&table, &json));
    for fault in &faults {
        println!("   DISAGREES: {fault}");
    }
    if faults.is_empty() {
        println!("   Agrees. {}", question.shows);
    }
    Ok(faults.is_empty())
}

/// Waits until the instant of a question is older than the window.
fn wait_for_the_window(
    begin: Timestamp,
    question: &Question,
    daemon: &mut Daemon,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let hidden = begin.plus(Duration::from_millis(question.at)).plus(WINDOW);
    let mut line = Line::new();
    let asked = clock::now();
    println!();
    while clock::now() <= hidden {
        interrupt.check()?;
        daemon.check()?;
        let left = hidden.since(clock::now());
        let passed = millis_of(clock::now().since(asked));
        line.show(passed, &format!("the first question's instant leaves the window in {} s", left.as_secs() + 1));
        sleep(Duration::from_millis(20));
    }
    line.end();
    Ok(())
}

fn show_status(daemon: &Daemon, token: &str) -> anyhow::Result<()> {
    println!("\nAnd the daemon's own account of itself, without a name or an address in it:\n");
    let status = daemon.lapse(token, &["status".to_owned()])?;
    reading::print("lapse status", &status);
    ensure!(status.status.success(), "lapse status ended with {}", status.status);
    Ok(())
}
