//! What a desk sees: one question after the other on a daemon that is at rest, then several desks while statements come in.
//!
//! Every answer waits for its ledger entry, which is synced; so the disk's own sync is measured beside, on the same file system.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;

use super::CLIENT;
use super::api::Api;
use super::asking::{self, Answers, Pace};
use super::latency::Latencies;
use super::sender::{self, Plan, Sent};
use super::stopwatch::Stopwatch;
use crate::simulator::daemon::{Daemon, SECRET};
use crate::simulator::interrupt::Interrupt;

/// How many questions are asked at rest.
const AT_REST: u64 = 2_000;
/// How many syncs are timed.
const SYNCS: u64 = 1_000;
/// What the median of a whole lookup may take at rest, beyond nothing.
const MEDIAN: Duration = Duration::from_millis(1);
/// The share of the questions that must be answered, per mille.
const SUSTAINED: u64 = 990;

/// What came of it.
pub(crate) struct Outcome {
    sync: Latencies,
    rest: Latencies,
    desks: u64,
    lookups: u64,
    duration: Duration,
    busy: Latencies,
    answered: u64,
    sent: Sent,
    rate: u64,
}

/// Runs both parts on one daemon: at rest, and then `lookups` questions a second from `desks` connections beside the plan.
pub(crate) fn run(plan: &Plan, lookups: u64, desks: u64, interrupt: &Interrupt) -> anyhow::Result<Outcome> {
    let mut daemon = Daemon::start(CLIENT)?;
    let seconds = |secs| Duration::from_secs(secs);
    // Something to find.
    let seed = Plan { target: daemon.radius, duration: seconds(2), rate: 5_000, ..*plan };
    sender::send(&seed, SECRET, interrupt)?;
    let token = daemon.token("load-analyst", "analyst")?;
    let sync = syncs(daemon.directory())?;
    let mut desk = Api::open(&daemon.socket(), &token)?;
    let rest = wholes(&[asking::ask(&mut desk, Pace::Count(AT_REST), Duration::ZERO, &AtomicBool::new(false))?]);

    let stop = AtomicBool::new(false);
    let plan = Plan { target: daemon.radius, ..*plan };
    let each = Pace::ASecond { rate: lookups, of: desks };
    let mut open = (0..desks).map(|_| Api::open(&daemon.socket(), &token)).collect::<anyhow::Result<Vec<Api>>>()?;
    let (sent, answers) = thread::scope(|scope| {
        let asking: Vec<_> =
            open.iter_mut().map(|api| scope.spawn(|| asking::ask(api, each, Duration::ZERO, &stop))).collect();
        let sent = sender::send(&plan, SECRET, interrupt);
        stop.store(true, Ordering::Relaxed);
        let answers: Vec<_> = asking.into_iter().map(thread::ScopedJoinHandle::join).collect();
        (sent, answers)
    });
    daemon.check()?;
    let answers = answers.into_iter().map(|answers| answers.map_err(|_| anyhow!("a desk ended in a panic"))?);
    let answers = answers.collect::<anyhow::Result<Vec<Answers>>>()?;
    let answered = answers.iter().map(|answers| u64::try_from(answers.asked.len()).unwrap_or(u64::MAX)).sum();
    let (duration, rate) = (plan.duration, plan.rate);
    Ok(Outcome { sync, rest, desks, lookups, duration, busy: wholes(&answers), answered, sent: sent?, rate })
}

/// How long the disk takes to make a few bytes durable.
fn syncs(directory: &Path) -> anyhow::Result<Latencies> {
    let path = directory.join("sync-probe");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut latencies = Latencies::new();
    for _ in 0..SYNCS {
        let watch = Stopwatch::start();
        file.write_all(&[7; 300])?;
        file.sync_data()?;
        latencies.add(watch.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(latencies)
}

fn wholes(answers: &[Answers]) -> Latencies {
    let mut latencies = Latencies::new();
    answers.iter().flat_map(|answers| &answers.asked).for_each(|asked| latencies.add(asked.whole));
    latencies
}

impl Outcome {
    fn wanted(&self) -> u64 {
        self.lookups * self.duration.as_secs()
    }

    /// What was not as it should be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.rest.quantile(500) >= MEDIAN {
            faults.push(format!("at rest, half of all lookups took {:?} or longer", self.rest.quantile(500)));
        }
        if self.answered * 1000 < self.wanted() * SUSTAINED {
            faults.push(format!("{} of {} questions were answered", self.answered, self.wanted()));
        }
        if self.sent.lost > 0 {
            faults.push(format!("{} statements were lost", self.sent.lost));
        }
        if self.sent.acknowledged_rate() * 100 < self.rate * 99 {
            faults.push(format!("{} statements a second were acknowledged", self.sent.acknowledged_rate()));
        }
        faults
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = |latencies: &Latencies| {
            let [half, most] = [500, 990].map(|per_mille| latencies.quantile(per_mille));
            format!("p50 {half:?}, p99 {most:?}, longest {:?}", latencies.longest())
        };
        writeln!(f, "a sync of the disk      {}", line(&self.sync))?;
        writeln!(f, "a lookup at rest        {} ({AT_REST} of them, each with its entry synced)", line(&self.rest))?;
        writeln!(f, "lookups under load      {}", line(&self.busy))?;
        let (answered, wanted, desks) = (self.answered, self.wanted(), self.desks);
        writeln!(f, "  answered              {answered} of {wanted} in {:?}, from {desks} desks", self.duration)?;
        let Sent { sent, acknowledged, lost, .. } = &self.sent;
        write!(f, "  statements beside     {sent} sent, {acknowledged} acknowledged, {lost} lost")
    }
}
