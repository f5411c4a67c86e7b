//! A chart on the page: its caption, its legend, what stands beside its axes, and the picture.

use std::time::Duration;

use super::series::Extent;
use super::svg::Drawing;
use super::words::spelled;
use crate::shown::html::plain;

/// A chart without its picture. All texts are as they are read.
pub(super) struct Chart {
    /// Its name in the page: letters and hyphens.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it shows, and how it is to be read.
    pub(super) caption: String,
    /// What it shows, for those who do not see it.
    pub(super) told: String,
    /// The class of a sign, and what it stands for.
    pub(super) legend: Vec<(&'static str, String)>,
    pub(super) scale: Scale,
    /// What stands below: where, as a share of the width, and the text.
    pub(super) below: Vec<(f64, String)>,
}

/// What stands beside a chart: values from 0 to the top, and their unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    top: f64,
    durations: bool,
}

/// Upper edges in seconds. The half of each is a round number too.
const ROUND: [f64; 14] =
    [2.0, 4.0, 10.0, 20.0, 60.0, 120.0, 240.0, 600.0, 1200.0, 3600.0, 7200.0, 14_400.0, 43_200.0, 86_400.0];

impl Scale {
    /// Of counts: the upper edge is round, and so is its half.
    pub(super) fn of_counts(most: f64) -> Self {
        let mut unit = 1.0;
        loop {
            for times in [2.0, 4.0, 6.0, 8.0] {
                if times * unit >= most {
                    return Self { top: times * unit, durations: false };
                }
            }
            unit *= 10.0;
        }
    }

    /// Of durations, in seconds.
    pub(super) fn of_seconds(most: f64) -> Self {
        let mut top = ROUND.into_iter().find(|top| *top >= most).unwrap_or(172_800.0);
        while top < most {
            top *= 2.0;
        }
        Self { top, durations: true }
    }

    /// A drawing on this scale.
    pub(super) fn drawing(self) -> Drawing {
        Drawing::new(self.top)
    }

    fn label(self, value: f64) -> String {
        if self.durations {
            spelled(Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX))
        } else if value >= 1e9 {
            format!("{} bn", value / 1e9)
        } else if value >= 1e6 {
            format!("{} M", value / 1e6)
        } else if value >= 1e4 {
            format!("{} k", value / 1e3)
        } else {
            value.to_string()
        }
    }
}

/// The dates below a chart over time.
pub(super) fn dates(extent: Extent) -> Vec<(f64, String)> {
    let date = |(place, quarters)| {
        let at = extent.quarter(quarters).to_utc();
        (place, at.format("%Y-%m-%d\n%H:%M").to_string())
    };
    [(0.0, 0), (0.5, 2), (1.0, 4)].map(date).to_vec()
}

impl Chart {
    /// The figure, with the picture in it.
    pub(super) fn figure(&self, drawing: Drawing) -> String {
        let (title, caption) = (plain(self.title), plain(&self.caption));
        let picture = drawing.finish(self.id, &title, &plain(&self.told));
        let sign = |(class, text): &(&str, String)| {
            format!("<li><span class=\"sign {class}\" aria-hidden=\"true\"></span>{}</li>", plain(text))
        };
        let legend: String = self.legend.iter().map(sign).collect();
        let beside: String = [(0.0, "low"), (0.5, "middle"), (1.0, "high")]
            .into_iter()
            .map(|(share, class)| {
                format!("<span class=\"{class}\">{}</span>", self.scale.label(self.scale.top * share))
            })
            .collect();
        let below: String = self.below.iter().map(|(place, text)| label_below(*place, text)).collect();
        format!(
            "<figure>\n<figcaption><h3>{title}</h3><p>{caption}</p></figcaption>\n<ul class=\"legend\">{legend}</ul>\n\
             <div class=\"chart\"><div class=\"beside\">{beside}</div><div class=\"plot\">{picture}</div>\
             <div class=\"below\">{below}</div></div>\n</figure>\n"
        )
    }
}

/// A text below the chart that stays within it.
fn label_below(place: f64, text: &str) -> String {
    let class = if place < 0.05 {
        "first"
    } else if place > 0.95 {
        "last"
    } else {
        "between"
    };
    let lines: Vec<_> = text.lines().map(plain).collect();
    format!("<span class=\"{class}\" style=\"left:{:.2}%\">{}</span>", place * 100.0, lines.join("<br/>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_numbers() {
        for (most, top, half) in [(0.0, "2", "1"), (7.0, "8", "4"), (9.0, "20", "10"), (123_456.0, "200 k", "100 k")] {
            let scale = Scale::of_counts(most);
            assert_eq!((scale.label(scale.top).as_str(), scale.label(scale.top / 2.0).as_str()), (top, half));
        }
        for (most, top, half) in [(65.0, "2 min", "1 min"), (0.0, "2 s", "1 s"), (400_000.0, "192 h", "96 h")] {
            let scale = Scale::of_seconds(most);
            assert_eq!((scale.label(scale.top).as_str(), scale.label(scale.top / 2.0).as_str()), (top, half));
        }
    }
}
