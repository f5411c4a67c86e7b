//! Paces the lanes: one thread that sends what is due, takes in what came, and rests.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use super::lane::{Lane, PATIENCE};
use super::latency::Latencies;
use super::stopwatch::Stopwatch;
use crate::simulator::clock;
use crate::simulator::interrupt::Interrupt;

/// How long it rests between two looks; a latency can be this much too long.
const REST: Duration = Duration::from_micros(500);

/// What became of the statements.
pub(crate) struct Sent {
    /// Statements sent.
    pub(crate) sent: u64,
    /// Statements acknowledged.
    pub(crate) acknowledged: u64,
    /// Statements not acknowledged within five seconds.
    pub(crate) lost: u64,
    /// How often a statement was due and every identifier still in use.
    pub(crate) held_back: u64,
    /// From the first to the last one sent.
    pub(crate) took: Duration,
    /// How late the acknowledgements were.
    pub(crate) latencies: Latencies,
}

impl Sent {
    /// Statements acknowledged a second, while they were sent.
    pub(crate) fn acknowledged_rate(&self) -> u64 {
        u64::try_from(u128::from(self.acknowledged) * 1000 / self.took.as_millis().max(1)).unwrap_or(u64::MAX)
    }
}

/// What is to be sent.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// To whom.
    pub(crate) target: SocketAddr,
    /// Statements a second.
    pub(crate) rate: u64,
    /// For how long.
    pub(crate) duration: Duration,
    /// From how many sockets.
    pub(crate) sockets: u16,
}

/// Sends what is planned, then waits for the last acknowledgements.
pub(crate) fn send(plan: &Plan, secret: &[u8], interrupt: &Interrupt) -> anyhow::Result<Sent> {
    let Plan { target, rate, duration, sockets } = *plan;
    let mut lanes = (0..sockets).map(|_| Lane::open(target)).collect::<Result<Vec<Lane>, _>>()?;
    let all = rate * duration.as_secs();
    let mut so_far =
        Sent { sent: 0, acknowledged: 0, lost: 0, held_back: 0, took: Duration::ZERO, latencies: Latencies::new() };
    let watch = Stopwatch::start();
    let mut turn = 0_usize;
    while so_far.sent < all && watch.elapsed() < duration + PATIENCE {
        interrupt.check()?;
        receive(&mut lanes, &watch, secret, &mut so_far)?;
        let mut refused = 0;
        loop {
            let now = watch.elapsed();
            let due = u64::try_from(u128::from(rate) * now.as_nanos() / 1_000_000_000).unwrap_or(u64::MAX).min(all);
            if due <= so_far.sent {
                break;
            }
            if refused == lanes.len() {
                so_far.held_back += 1;
                break;
            }
            turn = (turn + 1) % lanes.len();
            let Some(lane) = lanes.get_mut(turn) else { break };
            let count = lane.send((so_far.sent, due - so_far.sent), (now, clock::now()), secret)?;
            refused = if count == 0 { refused + 1 } else { 0 };
            so_far.sent += count;
            so_far.took = now;
        }
        sleep(REST);
    }
    let end = watch.elapsed();
    while lanes.iter().any(|lane| lane.waiting() > 0) && watch.elapsed() < end + PATIENCE {
        interrupt.check()?;
        receive(&mut lanes, &watch, secret, &mut so_far)?;
        sleep(REST);
    }
    so_far.lost = lanes.iter().map(|lane| lane.lost + lane.waiting()).sum();
    Ok(so_far)
}

fn receive(lanes: &mut [Lane], watch: &Stopwatch, secret: &[u8], so_far: &mut Sent) -> anyhow::Result<()> {
    for lane in lanes {
        so_far.acknowledged += lane.receive(watch.elapsed(), secret, &mut so_far.latencies)?;
    }
    Ok(())
}
