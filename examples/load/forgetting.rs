//! The steady state in which as much is destroyed as arrives, beside the same load of which nothing is destroyed.

use std::fmt;
use std::time::Duration;

use lapsed::config::Written;
use lapsed::purge::{Counted, Report, Verdict};

use super::asking::Asked;
use super::leg::{self, Leg};
use super::report::MEMORY_LIMIT;
use super::sender::Plan;
use crate::CLIENT;
use crate::simulator::interrupt::Interrupt;

/// Per cent of the rate that forgetting may cost.
const COSTS: u64 = 5;
/// The daemon reads and judges 99 of 100 questions in less, while a purge runs.
const ANSWERED: Duration = Duration::from_millis(2);

/// The terms of the daemon that forgets, as its configuration has them.
pub(crate) struct Terms<'a> {
    pub(crate) window: &'a str,
    pub(crate) bucket: &'a str,
    pub(crate) purge_interval: &'a str,
}

/// A part of what an answer took, and its words.
type Part = (&'static str, fn(&Asked) -> Duration);

/// Both legs.
pub(crate) struct Outcome {
    forgetting: Leg,
    keeping: Leg,
}

/// Runs the leg that forgets, then the shorter one that has nothing to forget: its window is the usual 48 hours.
pub(crate) fn run(
    terms: &Terms<'_>,
    plan: &Plan,
    shorter: Duration,
    lookups: u64,
    interrupt: &Interrupt,
) -> anyhow::Result<Outcome> {
    let Terms { window, bucket, purge_interval } = terms;
    let short = format!(
        "[retention]\nwindow = \"{window}\"\nbucket = \"{bucket}\"\npurge-interval = \"{purge_interval}\"\n\
         carry-interval = \"15s\"\n\n[lookup]\nmargin = \"1s\"\n{CLIENT}"
    );
    let forgetting = leg::run(&short, plan, lookups, interrupt)?;
    let long = format!("[lookup]\nmargin = \"1s\"\n{CLIENT}");
    let keeping = leg::run(&long, &Plan { duration: shorter, ..*plan }, lookups, interrupt)?;
    Ok(Outcome { forgetting, keeping })
}

impl Outcome {
    /// Why this is no success; none if it is.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let Self { forgetting, keeping } = self;
        for leg in [forgetting, keeping] {
            check(leg.sent.lost == 0, format!("{} statements were not acknowledged", leg.sent.lost));
            check(leg.peak < MEMORY_LIMIT, format!("the daemon took {} MiB of memory", leg.peak >> 10));
        }
        for report in &forgetting.reports {
            let number = report.sequence;
            check(report.verdict() != Verdict::Failed, format!("purge report {number} says that it failed"));
            let late = ages(report).any(|(age, bound)| age > bound);
            check(!late, format!("purge report {number} has something that was destroyed too late"));
        }
        check(forgetting.purges.failed == 0, format!("{} purge runs failed", forgetting.purges.failed));
        let unlinked: u64 = forgetting.reports.iter().map(unlinked).sum();
        check(unlinked > 0, "nothing was unlinked".to_owned());
        let destroyed = forgetting.reports.iter().any(|report| report.key_max_age().is_some());
        check(destroyed, "no key was destroyed".to_owned());
        let (with, without) = (forgetting.sent.acknowledged_rate(), keeping.sent.acknowledged_rate());
        check(with * 100 >= without * (100 - COSTS), format!("{with} a second were taken, {without} without a purge"));
        let during = forgetting.while_purging();
        check(!during.is_empty(), "no question was asked while a purge ran".to_owned());
        let slow = quantile(&during, 99, |asked| asked.read);
        check(slow < ANSWERED, format!("reading took {} (p99) while a purge ran", millis(slow)));
        faults
    }
}

impl Leg {
    fn while_purging(&self) -> Vec<Asked> {
        let meets = |asked: &&Asked| self.purges.during(asked.from, asked.until);
        self.answers.asked.iter().filter(meets).copied().collect()
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = &self.sent;
        let [half, most] = [500, 990].map(|per_mille| millis(sent.latencies.quantile(per_mille)));
        writeln!(f, "  taken           {} a second; {} sent, {} lost", sent.acknowledged_rate(), sent.sent, sent.lost)?;
        writeln!(
            f,
            "  acknowledged    after {half} (p50), {most} (p99), {} at most",
            millis(sent.latencies.longest())
        )?;
        writeln!(f, "  memory          {} MiB at its peak", self.peak >> 10)?;
        let verdicts: Vec<String> =
            self.answers.verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        writeln!(f, "  answers         {}", verdicts.join(", "))?;
        let busy = self.while_purging();
        for (when, asked) in [("at any time", &self.answers.asked), ("while a purge ran", &busy)] {
            writeln!(f, "  {} questions {when}:", asked.len())?;
            let lines: [Part; 3] = [
                ("reading and judging, by the daemon", |asked| asked.read),
                ("making the access durable, by the daemon", |asked| asked.record),
                ("request to answer, by the asker", |asked| asked.whole),
            ];
            for (what, of) in lines {
                let [half, most] = [50, 99].map(|percent| millis(quantile(asked, percent, of)));
                writeln!(f, "    {what:<42} p50 {half:>9}   p99 {most:>9}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { forgetting, keeping } = self;
        writeln!(f, "With a window in which as much goes as comes:")?;
        forgetting.write(f)?;
        let reports = &forgetting.reports;
        let rows: u64 = reports.iter().map(unlinked).sum();
        let keys: usize = reports.iter().map(|report| report.keys.destroyed.len()).sum();
        writeln!(
            f,
            "  purge           {} runs seen, {rows} rows unlinked, {keys} keys destroyed",
            forgetting.purges.runs.len()
        )?;
        let took = forgetting.purges.runs.iter().map(|(began, ended)| ended.since(*began)).max().unwrap_or_default();
        writeln!(f, "  longest run     {}", millis(took))?;
        let of = |verdict| reports.iter().filter(|report| report.verdict() == verdict).count();
        let [clean, exceptions, failed] = [Verdict::Clean, Verdict::Exceptions, Verdict::Failed].map(of);
        writeln!(f, "  reports         {clean} clean, {exceptions} with exceptions, {failed} failed")?;
        if let Some((age, bound)) = reports.iter().flat_map(unlinking_ages).max() {
            writeln!(f, "  unlinked        at an age of {} at most; the bound is {}", Written(age), Written(bound))?;
        }
        if let Some((age, bound)) = reports.iter().filter_map(key_age).max() {
            writeln!(f, "  keys destroyed  at an age of {} at most; the bound is {}", Written(age), Written(bound))?;
        }
        writeln!(f, "With the usual window, of which nothing was due:")?;
        keeping.write(f)
    }
}

fn unlinked(report: &Report) -> u64 {
    report.counted().map(|(_, class)| class.filtered).sum()
}

/// Ages with their bounds, of what goes with the window.
fn unlinking_ages(report: &Report) -> impl Iterator<Item = (Duration, Duration)> {
    let with_bound = |(counted, age): (Counted, Option<Duration>)| Some((age?, report.bound_of(counted)?));
    report.counted().map(|(counted, class)| (counted, class.max_age)).filter_map(with_bound)
}

fn key_age(report: &Report) -> Option<(Duration, Duration)> {
    Some((report.key_max_age()?, report.key_bound()))
}

fn ages(report: &Report) -> impl Iterator<Item = (Duration, Duration)> {
    unlinking_ages(report).chain(key_age(report))
}

/// What `percent` of a hundred questions did not exceed; nothing of none.
fn quantile(asked: &[Asked], percent: usize, of: impl Fn(&Asked) -> Duration) -> Duration {
    let mut sorted: Vec<Duration> = asked.iter().map(of).collect();
    sorted.sort();
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

fn millis(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}
