//! Figures over time, made small enough to be drawn.

use crate::domain::time::Timestamp;
use crate::purge::Report;

/// The most points that a chart has.
pub(super) const MOST: u64 = 300;

/// From when to when a chart goes, in milliseconds; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Extent {
    /// The whole time of the reports; `None` if there are none.
    pub(super) fn of(reports: &[Report]) -> Option<Self> {
        let from = reports.iter().map(|report| report.from.millis()).min()?;
        let to = reports.iter().map(|report| report.to.millis()).max()?;
        Some(Self { from, to: to.max(from.saturating_add(1)) })
    }

    /// Its length in milliseconds.
    pub(super) const fn millis(self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    /// The instant at the given share of it, in quarters.
    pub(super) fn quarter(self, quarters: u64) -> Timestamp {
        Timestamp::from_millis(self.from.saturating_add(self.millis() / 4 * quarters))
    }

    /// Where an instant lies: 0 at the beginning, 1 at the end.
    pub(super) fn place(self, at: u64) -> f64 {
        share(at.saturating_sub(self.from), self.millis())
    }
}

/// One number as a share of another, which is not 0.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// One value over a part of the chart's width, each end a share of it; `None` where there is nothing to tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) value: Option<f64>,
}

/// A value of a period, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) value: Option<f64>,
}

impl Period {
    /// The value of a report.
    pub(super) fn of(report: &Report, value: Option<f64>) -> Self {
        Self { from: report.from.millis(), to: report.to.millis(), value }
    }

    const fn touches(&self, from: u64, to: u64) -> bool {
        let inside = self.from < to && self.to > from;
        inside || (self.from == self.to && self.from >= from && self.from < to)
    }
}

/// Which of two values is told where only one can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worst {
    /// The greater.
    Most,
    /// The lesser.
    Least,
}

/// The periods as steps; where there are more than [`MOST`], the worst value of each of as many equal spans. Time of which no
/// period tells has no value.
pub(super) fn steps(periods: &[Period], extent: Extent, worst: Worst) -> Vec<Step> {
    if u64::try_from(periods.len()).is_ok_and(|count| count <= MOST) {
        let step = |period: &Period| Step {
            left: extent.place(period.from),
            right: extent.place(period.to),
            value: period.value,
        };
        return periods.iter().map(step).collect();
    }
    let edge = |number: u64| extent.from.saturating_add(extent.millis().saturating_mul(number) / MOST);
    let merge = |number: u64| {
        let (from, to) = (edge(number), edge(number.saturating_add(1)));
        let values = periods.iter().filter(|period| period.touches(from, to)).filter_map(|period| period.value);
        let value = match worst {
            Worst::Most => values.reduce(f64::max),
            Worst::Least => values.reduce(f64::min),
        };
        Step { left: share(number, MOST), right: share(number.saturating_add(1), MOST), value }
    };
    (0..MOST).map(merge).collect()
}

/// What a caption says where [`steps`] merged.
pub(super) fn merged(count: usize, extent: Extent, worst: &str) -> String {
    if u64::try_from(count).is_ok_and(|count| count <= MOST) {
        return String::new();
    }
    let minutes = extent.millis() / MOST / 60_000;
    format!(" Each point stands for about {minutes} minutes and shows the {worst} value in them.")
}

/// Counts of the periods, spread evenly over equal spans; of each span the count, and how many milliseconds of it were told of.
pub(super) fn spread(counts: &[(u64, u64, u64)], extent: Extent, width: u64) -> Vec<(f64, u64)> {
    let bins = extent.millis().div_ceil(width);
    let bin = |number: u64| {
        let from = extent.from.saturating_add(width.saturating_mul(number));
        let to = from.saturating_add(width).min(extent.to);
        let (mut count, mut told) = (0.0, 0_u64);
        for (begin, end, taken) in counts {
            let overlap = to.min(*end).saturating_sub(from.max(*begin));
            told = told.saturating_add(overlap);
            if overlap > 0 {
                count += *taken as f64 * share(overlap, end.saturating_sub(*begin));
            } else if begin == end && *begin >= from && *begin < to {
                count += *taken as f64;
            }
        }
        (count, told)
    };
    (0..bins).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENT: Extent = Extent { from: 0, to: 6000 };

    #[test]
    fn a_point_stands_for_the_worst_of_many() {
        let period = |number: u64| Period { from: number * 10, to: number * 10 + 10, value: Some(number as f64) };
        let periods: Vec<_> = (0..600).map(period).collect();
        let most = steps(&periods, EXTENT, Worst::Most);
        assert_eq!(most.len(), 300);
        assert_eq!((most[0].value, most[299].value), (Some(1.0), Some(599.0)));
        let least = steps(&periods, EXTENT, Worst::Least);
        assert_eq!((least[0].value, least[299].value), (Some(0.0), Some(598.0)));
        assert_eq!(steps(&periods[..300], EXTENT, Worst::Most).len(), 300);
    }

    #[test]
    fn time_of_which_nothing_tells_has_no_value() {
        let period = |number: u64| Period { from: number * 5, to: number * 5 + 5, value: Some(1.0) };
        let periods: Vec<_> = (0..600).map(period).collect();
        let steps = steps(&periods, EXTENT, Worst::Most);
        assert!(steps[..150].iter().all(|step| step.value == Some(1.0)));
        assert!(steps[150..].iter().all(|step| step.value.is_none()));
    }

    #[test]
    fn counts_are_spread_and_none_is_lost() {
        let bins = spread(&[(0, 1500, 30), (1500, 1500, 7), (3000, 6000, 60)], EXTENT, 1000);
        let counts: Vec<_> = bins.iter().map(|(count, _)| *count).collect();
        assert_eq!(counts, [20.0, 17.0, 0.0, 20.0, 20.0, 20.0]);
        assert_eq!(bins.iter().map(|(_, told)| *told).collect::<Vec<_>>(), [1000, 500, 0, 1000, 1000, 1000]);
    }
}
