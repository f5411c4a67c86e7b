//! Watches the purge while statements arrive, and reads its reports at the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context as _;
use lapsed::api::{PURGE_REPORTS, PURGE_STATUS, PurgeReports, PurgeStatus};
use lapsed::domain::rfc3339;
use lapsed::domain::time::Timestamp;
use lapsed::purge::Report;

use super::api::Api;

/// Between two looks; no run begins and ends unseen unless two begin within it.
const PAUSE: Duration = Duration::from_millis(200);
/// As many reports as are asked for at once.
const PAGE: u64 = 1000;

/// What was seen of the purge.
#[derive(Default)]
pub(crate) struct Purges {
    /// Runs: when each began, and when it had unlinked everything.
    pub(crate) runs: BTreeMap<Timestamp, Timestamp>,
    /// Runs that were not verified.
    pub(crate) failed: u64,
}

impl Purges {
    /// Was a run under way at some moment of this span?
    pub(crate) fn during(&self, from: Timestamp, until: Timestamp) -> bool {
        self.runs.range(..=until).next_back().is_some_and(|(_, ended)| *ended >= from)
    }
}

/// Looks until told to stop.
pub(crate) fn watch(api: &mut Api, stop: &AtomicBool) -> anyhow::Result<Purges> {
    let mut purges = Purges::default();
    while !stop.load(Ordering::Relaxed) {
        let status: PurgeStatus = api.get(PURGE_STATUS)?;
        if let Some(run) = status.last_run {
            let (began, ended) = (rfc3339::parse(&run.began)?, rfc3339::parse(&run.ended)?);
            let new = purges.runs.insert(began, ended).is_none();
            purges.failed += u64::from(new && run.result != "verified");
        }
        sleep(PAUSE);
    }
    Ok(purges)
}

/// Every report of the purge ledger.
pub(crate) fn reports(api: &mut Api) -> anyhow::Result<Vec<Report>> {
    let mut reports = Vec::new();
    loop {
        let first = reports.len();
        let page: PurgeReports = api.get(&format!("{PURGE_REPORTS}?from={first}&limit={PAGE}"))?;
        for line in &page.reports {
            let reply = api.ask(&format!("{PURGE_REPORTS}/{}", line.sequence), None)?;
            reports.push(Report::parse(reply.bytes()).with_context(|| format!("read report {}", line.sequence))?);
        }
        if page.reports.is_empty() {
            return Ok(reports);
        }
    }
}
