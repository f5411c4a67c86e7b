//! `[watch]`: from which counts on the use of rights stands out.

use super::check::inner;
use super::reader::{At, Reader};

/// From which counts on the use of rights stands out, of one actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Addresses of one /24 or /56 within an hour.
    pub sweep: u64,
    /// Questions within an hour.
    pub many_items: u64,
    /// Cases in which one subscriber is met within a day.
    pub same_subscriber: u64,
    /// Questions past the horizon within an hour.
    pub purged_probes: u64,
    /// Emergencies that no legal process followed in time.
    pub emergency_overdue: u64,
    /// Attempts within an hour to approve what they may not.
    pub failed_approvals: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            sweep: 16,
            many_items: 200,
            same_subscriber: 3,
            purged_probes: 50,
            emergency_overdue: 1,
            failed_approvals: 3,
        }
    }
}

/// `[watch]` as it was typed.
pub(super) struct WatchTable {
    sweep: Option<At<u64>>,
    many_items: Option<At<u64>>,
    same_subscriber: Option<At<u64>>,
    purged_probes: Option<At<u64>>,
    emergency_overdue: Option<At<u64>>,
    failed_approvals: Option<At<u64>>,
}

impl WatchTable {
    pub(super) fn read(table: &Reader<'_, '_, '_>) -> Self {
        let count = |key: &'static str| table.number(key, 1, 1_000_000);
        Self {
            sweep: count("sweep"),
            many_items: count("many-items"),
            same_subscriber: count("same-subscriber"),
            purged_probes: count("purged-probes"),
            emergency_overdue: count("emergency-overdue"),
            failed_approvals: count("failed-approvals"),
        }
    }
}

pub(super) fn check(table: WatchTable) -> Watch {
    let default = Watch::default();
    Watch {
        sweep: inner(table.sweep).unwrap_or(default.sweep),
        many_items: inner(table.many_items).unwrap_or(default.many_items),
        same_subscriber: inner(table.same_subscriber).unwrap_or(default.same_subscriber),
        purged_probes: inner(table.purged_probes).unwrap_or(default.purged_probes),
        emergency_overdue: inner(table.emergency_overdue).unwrap_or(default.emergency_overdue),
        failed_approvals: inner(table.failed_approvals).unwrap_or(default.failed_approvals),
    }
}
