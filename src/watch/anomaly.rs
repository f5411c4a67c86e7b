//! The rule: counts of an hour, held against thresholds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::{Actor, Deed, Glance, Tags, hour_of, start_of};
use crate::config::Watch;
use crate::domain::time::Timestamp;

/// How far back is looked.
pub const LOOKBACK: Duration = Duration::from_secs(7 * 86_400);

/// What stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Many addresses of one /24 or /56 within an hour.
    Sweep,
    /// Many questions within an hour.
    ManyItems,
    /// One subscriber in many cases within a day.
    SameSubscriber,
    /// Many questions past the horizon within an hour.
    PurgedProbes,
    /// Emergencies that no legal process has followed.
    EmergencyOverdue,
    /// Many attempts within an hour to approve what they may not.
    FailedApprovals,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Sweep,
        Self::ManyItems,
        Self::SameSubscriber,
        Self::PurgedProbes,
        Self::EmergencyOverdue,
        Self::FailedApprovals,
    ];

    /// The name in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::ManyItems => "many-items",
            Self::SameSubscriber => "same-subscriber",
            Self::PurgedProbes => "purged-probes",
            Self::EmergencyOverdue => "emergency-overdue",
            Self::FailedApprovals => "failed-approvals",
        }
    }

    /// From which count on it stands out.
    pub const fn threshold(self, watch: &Watch) -> u64 {
        match self {
            Self::Sweep => watch.sweep,
            Self::ManyItems => watch.many_items,
            Self::SameSubscriber => watch.same_subscriber,
            Self::PurgedProbes => watch.purged_probes,
            Self::EmergencyOverdue => watch.emergency_overdue,
            Self::FailedApprovals => watch.failed_approvals,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An emergency that is overdue: who opened it, and since when it is.
pub type Overdue = (Actor, Timestamp);

/// One thing that stands out. It names nobody who was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: Kind,
    /// The hour, by its first instant.
    pub hour: Timestamp,
    /// How many.
    pub count: u64,
    /// From how many on it stands out.
    pub threshold: u64,
}

/// What stands out, the latest first.
pub fn anomalies(
    glances: impl IntoIterator<Item = Glance>,
    tags: &Tags,
    overdue: &[Overdue],
    watch: &Watch,
) -> Vec<Anomaly> {
    let mut counts: BTreeMap<(u64, Actor, Kind), u64> = BTreeMap::new();
    let mut plus = |actor: Actor, hour: u64, kind: Kind, by: u64| {
        let count = counts.entry((hour, actor, kind)).or_default();
        *count = count.saturating_add(by);
    };
    for Glance { at, actor, deed } in glances {
        let hour = hour_of(at);
        match deed {
            Deed::Asked { purged } => {
                plus(actor, hour, Kind::ManyItems, 1);
                plus(actor, hour, Kind::PurgedProbes, purged.into());
            }
            Deed::ApprovalRefused => plus(actor, hour, Kind::FailedApprovals, 1),
            Deed::Other => {}
        }
    }
    tags.sweeps().for_each(|(actor, hour, count)| plus(actor, hour, Kind::Sweep, count));
    tags.repeated().for_each(|(actor, hour, count)| plus(actor, hour, Kind::SameSubscriber, count));
    overdue.iter().for_each(|(actor, due)| plus(*actor, hour_of(*due), Kind::EmergencyOverdue, 1));
    let anomaly = |((hour, actor, kind), count): ((u64, Actor, Kind), u64)| Anomaly {
        actor,
        kind,
        hour: start_of(hour),
        count,
        threshold: kind.threshold(watch),
    };
    let stands_out = |anomaly: &Anomaly| anomaly.count >= anomaly.threshold;
    counts.into_iter().rev().map(anomaly).filter(stands_out).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_014_400_000);
    const WATCH: Watch = Watch {
        sweep: 3,
        many_items: 5,
        same_subscriber: 2,
        purged_probes: 2,
        emergency_overdue: 1,
        failed_approvals: 2,
    };

    fn asked(actor: u8, minutes: u32, purged: bool) -> Glance {
        let at = NOON.plus(Duration::from_secs(60).saturating_mul(minutes));
        Glance { at, actor: [actor; 8], deed: Deed::Asked { purged } }
    }

    #[test]
    fn an_hour_is_counted_by_actor_and_below_the_threshold_nothing_stands_out() {
        let mut glances: Vec<Glance> = (0..5).map(|minute| asked(1, minute, false)).collect();
        glances.extend((0..4).map(|minute| asked(2, minute, false)));
        // Five over two hours are not five in one.
        glances.extend((58..63).map(|minute| asked(3, minute, false)));
        glances.extend([asked(2, 90, true), asked(2, 91, true)]);
        let found = anomalies(glances, &Tags::new([0; 32]), &[], &WATCH);
        let found: Vec<_> = found.iter().map(|found| (found.actor[0], found.kind, found.count)).collect();
        assert_eq!(found, [(2, Kind::PurgedProbes, 2), (1, Kind::ManyItems, 5)]);
    }

    #[test]
    fn refused_approvals_and_overdue_emergencies_stand_out() {
        let refused = Glance { at: NOON, actor: [1; 8], deed: Deed::ApprovalRefused };
        let found = anomalies([refused, refused], &Tags::new([0; 32]), &[([2; 8], NOON)], &WATCH);
        let kinds: Vec<Kind> = found.iter().map(|found| found.kind).collect();
        assert_eq!(kinds, [Kind::EmergencyOverdue, Kind::FailedApprovals]);
        assert_eq!(found[0].hour, NOON);
    }
}
