//! Which report covers an instant: the first that says that everything older than something later is destroyed.

use crate::domain::time::Timestamp;

use super::report::{Report, Verdict};

/// What of a report decides which instants it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The end of its period.
    pub to: Timestamp,
    /// Up to where assignments were destroyed.
    pub cutoff: Option<Timestamp>,
    /// Was something not destroyed, or not verified?
    pub failed: bool,
}

impl Reach {
    /// That of a report.
    pub fn of(report: &Report) -> Self {
        Self { to: report.to, cutoff: report.cutoff, failed: report.verdict() == Verdict::Failed }
    }

    /// Does it say that what is dated so is destroyed?
    fn covers(&self, at: Timestamp) -> bool {
        !self.failed && self.cutoff.is_some_and(|cutoff| at < cutoff)
    }
}

/// For each instant, the number of the first report that covers it; `None` if none does yet.
///
/// Reports are numbered from 0 to `count`, and `read` gives one of them. Periods follow one another, so that those which ended before
/// the earliest instant are passed over without being read one by one.
///
/// # Errors
///
/// The first of `read`.
pub fn covering<E>(
    count: u64,
    instants: &[Timestamp],
    mut read: impl FnMut(u64) -> Result<Reach, E>,
) -> Result<Vec<Option<u64>>, E> {
    let mut found = vec![None; instants.len()];
    let Some(earliest) = instants.iter().min() else { return Ok(found) };
    let (mut first, mut end) = (0, count);
    while first < end {
        let middle = first.midpoint(end);
        if read(middle)?.to > *earliest {
            end = middle;
        } else {
            first = middle.saturating_add(1);
        }
    }
    for number in first..count {
        if found.iter().all(Option::is_some) {
            break;
        }
        let reach = read(number)?;
        for (at, found) in instants.iter().zip(&mut found) {
            if found.is_none() && reach.covers(*at) {
                *found = Some(number);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn ask(reports: &[Reach], instants: &[u32]) -> Vec<Option<u64>> {
        let instants: Vec<Timestamp> = instants.iter().map(|secs| at(*secs)).collect();
        let count = u64::try_from(reports.len()).unwrap();
        let read = |number: u64| Ok::<_, Infallible>(reports[usize::try_from(number).unwrap()]);
        covering(count, &instants, read).unwrap()
    }

    #[test]
    fn the_first_report_whose_cutoff_lies_beyond_the_instant_covers_it() {
        let report = |to: u32| Reach { to: at(to), cutoff: Some(at(to - 100)), failed: false };
        let mut reports: Vec<Reach> = (0..50).map(|number| report(110 + 10 * number)).collect();
        assert_eq!(
            ask(&reports, &[0, 9, 10, 480, 499, 500, 600]),
            [0, 0, 1, 48, 49, 50, 60].map(|number| (number < 50).then_some(number))
        );
        // One that failed, or had no run yet, covers nothing.
        reports[1].failed = true;
        reports[2].cutoff = None;
        assert_eq!(ask(&reports, &[10]), [Some(3)]);
        assert_eq!(ask(&[], &[10]), [None]);
        assert_eq!(ask(&reports, &[]), []);
    }
}
