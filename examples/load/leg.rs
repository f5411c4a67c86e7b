//! One leg of a steady state: a daemon of its own, statements, questions, and a look at the purge all the while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::anyhow;
use lapsed::purge::Report;

use super::api::Api;
use super::asking::{self, Answers, BEGINS, Pace};
use super::report;
use super::sender::{self, Plan, Sent};
use super::watching::{self, Purges};
use crate::simulator::daemon::{Daemon, SECRET};
use crate::simulator::interrupt::Interrupt;

/// What came of it.
pub(crate) struct Leg {
    pub(crate) sent: Sent,
    pub(crate) answers: Answers,
    pub(crate) purges: Purges,
    pub(crate) reports: Vec<Report>,
    /// The most memory the daemon has had, in KiB.
    pub(crate) peak: u64,
}

/// Runs a daemon on `settings`, sends what is planned (to that daemon) and asks `lookups` questions a second meanwhile.
pub(crate) fn run(settings: &str, plan: &Plan, lookups: u64, interrupt: &Interrupt) -> anyhow::Result<Leg> {
    let mut daemon = Daemon::start(settings)?;
    let plan = Plan { target: daemon.radius, ..*plan };
    let open = |name: &str, role: &str| Api::open(&daemon.socket(), &daemon.token(name, role)?);
    let (mut analyst, mut auditor) = (open("load-analyst", "analyst")?, open("load-auditor", "auditor")?);
    let stop = AtomicBool::new(false);
    let (sent, answers, purges) = thread::scope(|scope| {
        let asking = scope.spawn(|| asking::ask(&mut analyst, Pace::ASecond { rate: lookups, of: 1 }, BEGINS, &stop));
        let watching = scope.spawn(|| watching::watch(&mut auditor, &stop));
        let sent = sender::send(&plan, SECRET, interrupt);
        stop.store(true, Ordering::Relaxed);
        (sent, asking.join(), watching.join())
    });
    daemon.check()?;
    let answers = answers.map_err(|_| anyhow!("the questions ended in a panic"))??;
    let purges = purges.map_err(|_| anyhow!("watching the purge ended in a panic"))??;
    let reports = watching::reports(&mut auditor)?;
    Ok(Leg { sent: sent?, answers, purges, reports, peak: report::peak_memory(daemon.pid())? })
}
