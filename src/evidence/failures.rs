//! That whatever a report says has failed was made good by a later run. Whether in time, the ages say.

use super::Check;
use super::log::Log;
use super::periods::in_order;
use crate::purge::{Exception, Extents, LastRun, ReadBack, Report, Verdict};

/// A run that was verified leaves nothing of what failed before it; a key that may be left somewhere, and a doubt that lasted too long,
/// no run makes good.
pub(super) fn failures(log: &Log<Report>) -> Check {
    let (mut found, mut made_good) = (log.rule(), 0_usize);
    let reports = &log.read.entries;
    let verified = |report: &Report| report.verdict() != Verdict::Failed && report.runs.last == LastRun::Verified;
    let last_verified = reports.iter().rposition(verified);
    for (index, _, report) in in_order(reports).filter(|(_, _, report)| report.verdict() == Verdict::Failed) {
        let (mut left, mut unread) = (None, None);
        for key in &report.keys.destroyed {
            match (key.read_back, key.extents) {
                (ReadBack::Differs, _) | (_, Extents::Moved) => left = Some(key.bucket),
                (ReadBack::Unread, _) => unread = Some(key.bucket),
                (ReadBack::Device | ReadBack::CacheDropped, Extents::Same | Extents::Unknown) => {}
            }
        }
        if let Some(bucket) = left {
            found.fail(format!("entry {index}: the key of bucket {} may still be where it was", bucket.0));
        } else if report.exceptions.iter().any(Exception::is_a_breach) {
            found.fail(format!("entry {index}: the clock was in doubt for too long"));
        } else if let Some(bucket) = unread {
            found.unknown(format!("entry {index}: the slot of bucket {} was not read back", bucket.0));
        } else if last_verified.is_none_or(|last| last < index) {
            found.unknown(format!("entry {index} says that something failed, and no run was verified since"));
        } else {
            made_good = made_good.saturating_add(1);
        }
    }
    found.check(
        "failures",
        match made_good {
            0 => "none is reported".to_owned(),
            count => format!("made good by a later run, each of {count} entries that tell of one"),
        },
    )
}
