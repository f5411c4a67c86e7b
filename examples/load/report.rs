//! The outcome, as a table and as reasons to fail.

use std::fmt;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;

use super::sender::Sent;

/// The daemon's memory must stay below this, in KiB.
pub(crate) const MEMORY_LIMIT: u64 = 512 << 10;
/// Per cent of the rate that may be missing.
const TOLERANCE: u64 = 1;

/// What was asked for and what came of it.
pub(crate) struct Report {
    /// Statements a second that were asked for.
    pub(crate) rate: u64,
    /// For how long.
    pub(crate) duration: Duration,
    /// From how many sockets.
    pub(crate) sockets: u16,
    /// What became of them.
    pub(crate) sent: Sent,
    /// The most memory the daemon has had (VmHWM, proc(5)), in KiB.
    pub(crate) peak: Option<u64>,
}

impl Report {
    /// Statements a second that were really sent.
    fn achieved(&self) -> u64 {
        let millis = self.sent.took.as_millis().max(1);
        u64::try_from(u128::from(self.sent.sent) * 1000 / millis).unwrap_or(u64::MAX)
    }

    /// Why this is no success; none if it is.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.sent.lost > 0 {
            faults.push(format!("{} statements were not acknowledged", self.sent.lost));
        }
        let all = self.rate * self.duration.as_secs();
        if self.sent.sent < all || self.achieved() * 100 < self.rate * (100 - TOLERANCE) {
            faults.push(format!("{} statements a second were sent instead of {}", self.achieved(), self.rate));
        }
        if let Some(peak) = self.peak.filter(|peak| *peak >= MEMORY_LIMIT) {
            faults.push(format!("the daemon took {} MiB of memory", peak >> 10));
        }
        faults
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sent { sent, acknowledged, lost, held_back, took, latencies } = &self.sent;
        let (rate, sockets) = (self.rate, self.sockets);
        let late = |latency: Duration| format!("{:.2} ms", latency.as_secs_f64() * 1000.0);
        writeln!(f, "asked for      {rate}/s for {} s from {sockets} sockets", self.duration.as_secs())?;
        writeln!(f, "sent           {sent} in {:.1} s: {}/s", took.as_secs_f64(), self.achieved())?;
        writeln!(f, "acknowledged   {acknowledged}")?;
        writeln!(f, "lost           {lost}")?;
        writeln!(f, "held back      {held_back} times, every identifier being in use")?;
        let [half, most] = [500, 990].map(|per_mille| late(latencies.quantile(per_mille)));
        writeln!(f, "acknowledged after  p50 {half}, p99 {most}, at most {}", late(latencies.longest()))?;
        match self.peak {
            Some(peak) => write!(f, "daemon's memory     {} MiB at its peak", peak >> 10),
            None => write!(f, "daemon's memory     unknown: no --pid was given"),
        }
    }
}

/// The most memory a process has had, in KiB (proc(5), `VmHWM`).
pub(crate) fn peak_memory(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in it")?;
    let number = line.split_whitespace().next().context("VmHWM has no number")?;
    number.parse().context("read VmHWM")
}
