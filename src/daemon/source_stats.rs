//! What every source does, in figures: for those who look after them. They name no one, and are not kept.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::event::Quarantine;
use crate::domain::identity::SourceName;
use crate::domain::time::{Timestamp, millis_of};

use super::coverage::{Arrival, UNDELAYED};

/// Over how many minutes a rate is taken.
const MINUTES: u64 = 5;
/// From how many events the offset of a clock is taken.
const OFFSETS: usize = 63;

/// Figures of all sources.
#[derive(Debug, Default)]
pub(super) struct SourceStats(Mutex<BTreeMap<SourceName, Known>>);

/// Figures of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Events that arrived in the last whole minutes and this one.
    pub(super) lately: u64,
    /// How long those minutes have been, in seconds.
    pub(super) over: u64,
    /// By how much its clock is ahead of ours, in milliseconds: the median of what came undelayed.
    pub(super) ahead: Option<i64>,
    /// When something of it arrived last.
    pub(super) arrived: Option<Timestamp>,
    /// Requests of it that were left unanswered.
    pub(super) lost: u64,
    /// What was taken and not kept, by reason.
    pub(super) quarantined: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Known {
    /// Minutes since the epoch, and what arrived in each.
    minutes: VecDeque<(u64, u64)>,
    since: Option<Timestamp>,
    arrived: Option<Timestamp>,
    offsets: VecDeque<i64>,
    lost: u64,
    quarantined: BTreeMap<&'static str, u64>,
}

impl SourceStats {
    pub(super) fn arrived(&self, arrival: &Arrival<'_>) {
        self.change(arrival.source, |known| known.arrived(arrival));
    }

    pub(super) fn lost(&self, source: &SourceName) {
        self.change(source, |known| known.lost = known.lost.saturating_add(1));
    }

    pub(super) fn quarantined(&self, source: &SourceName, reason: Quarantine) {
        self.change(source, |known| {
            let count = known.quarantined.entry(reason.name()).or_default();
            *count = count.saturating_add(1);
        });
    }

    /// The figures of a source at `now`.
    pub(super) fn of(&self, source: &SourceName, now: Timestamp) -> Figures {
        self.all().get(source).map(|known| known.figures(now)).unwrap_or_default()
    }

    fn change(&self, source: &SourceName, change: impl FnOnce(&mut Known)) {
        let mut all = self.all();
        match all.get_mut(source) {
            Some(known) => change(known),
            None => change(all.entry(source.clone()).or_default()),
        }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<SourceName, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn arrived(&mut self, arrival: &Arrival<'_>) {
        let minute = arrival.received.millis() / 60_000;
        match self.minutes.back_mut() {
            Some((last, count)) if *last == minute => *count = count.saturating_add(1),
            _ => self.minutes.push_back((minute, 1)),
        }
        while self.minutes.front().is_some_and(|(first, _)| first.saturating_add(MINUTES) <= minute) {
            self.minutes.pop_front();
        }
        self.since.get_or_insert(arrival.received);
        self.arrived = Some(arrival.received);
        if let Some(stamp) = arrival.stamp.filter(|stamp| arrival.received.since(*stamp) <= UNDELAYED) {
            let millis = |later: Timestamp, earlier| i64::try_from(millis_of(later.since(earlier))).unwrap_or(i64::MAX);
            self.offsets.push_back(millis(stamp, arrival.received).saturating_sub(millis(arrival.received, stamp)));
            if self.offsets.len() > OFFSETS {
                self.offsets.pop_front();
            }
        }
    }

    fn figures(&self, now: Timestamp) -> Figures {
        let minute = now.millis() / 60_000;
        let recent = self.minutes.iter().filter(|(when, _)| when.saturating_add(MINUTES) > minute);
        let lately = recent.map(|(_, count)| *count).fold(0, u64::saturating_add);
        let begin = Timestamp::from_millis(minute.saturating_sub(MINUTES.saturating_sub(1)).saturating_mul(60_000));
        let mut offsets: Vec<i64> = self.offsets.iter().copied().collect();
        offsets.sort_unstable();
        Figures {
            lately,
            over: now.since(self.since.map_or(begin, |since| since.max(begin))).as_secs().max(1),
            ahead: offsets.get(offsets.len() / 2).copied(),
            arrived: self.arrived,
            lost: self.lost,
            quarantined: self.quarantined.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn a_clock_that_is_ahead_is_told_from_one_that_is_behind_and_a_backlog_says_nothing_of_either() {
        let stats = SourceStats::default();
        let (north, south) = (SourceName("north".into()), SourceName("south".into()));
        let secs = Duration::from_secs;
        for (source, stamp) in [
            (&north, NOW.plus(secs(400))),
            (&north, NOW.plus(secs(401))),
            (&north, NOW.minus(secs(7200))),
            (&north, NOW.plus(secs(402))),
            (&south, NOW.minus(secs(3))),
        ] {
            stats.arrived(&Arrival { source, at: stamp.min(NOW), stamp: Some(stamp), received: NOW });
        }
        assert_eq!(stats.of(&north, NOW).ahead, Some(401_000));
        assert_eq!(stats.of(&south, NOW).ahead, Some(-3000));
        assert_eq!(stats.of(&SourceName("east".into()), NOW), Figures::default());
    }

    #[test]
    fn a_rate_is_that_of_the_last_minutes() {
        let stats = SourceStats::default();
        let source = SourceName("north".into());
        for second in 0..1200 {
            let received = NOW.plus(Duration::from_secs(second));
            stats.arrived(&Arrival { source: &source, at: received, stamp: None, received });
        }
        let now = NOW.plus(Duration::from_secs(1200));
        let figures = stats.of(&source, now);
        assert_eq!((figures.lately, figures.over), (240, 240));
        assert_eq!(stats.of(&source, now.plus(Duration::from_secs(600))).lately, 0);
    }
}
