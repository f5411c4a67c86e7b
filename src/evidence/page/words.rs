//! Numbers, instants and durations as people read them.

use std::time::Duration;

use crate::domain::time::{Timestamp, millis_of};

/// An instant to the second, in UTC.
pub(super) fn when(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A number, with a comma before every three digits.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    digits.char_indices().fold(String::new(), |mut text, (place, digit)| {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

/// So many of something.
pub(super) fn many(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { more })
}

/// The length of a list.
pub(super) fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// A duration in hours, minutes and seconds, exact to the millisecond: `48 h 1 min 5 s`, `0.25 s`.
pub(super) fn spelled(duration: Duration) -> String {
    let millis = millis_of(duration);
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, rest) = (millis / 1000 % 60, millis % 1000);
    let mut parts = Vec::new();
    if hours > 0 {
        parts.push(format!("{} h", number(hours)));
    }
    if minutes > 0 {
        parts.push(format!("{minutes} min"));
    }
    if rest > 0 {
        let part = format!("{seconds}.{rest:03}");
        parts.push(format!("{} s", part.trim_end_matches('0')));
    } else if seconds > 0 || parts.is_empty() {
        parts.push(format!("{seconds} s"));
    }
    parts.join(" ")
}

/// A name as it stands at the beginning of a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spelled_to_the_millisecond() {
        let cases = [
            (0, "0 s"),
            (250, "0.25 s"),
            (65_000, "1 min 5 s"),
            (172_865_000, "48 h 1 min 5 s"),
            (172_800_000, "48 h"),
            (3_600_001, "1 h 0.001 s"),
            (36_000_000_000, "10,000 h"),
        ];
        for (millis, text) in cases {
            assert_eq!(spelled(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn numbers_have_a_comma_before_every_three_digits() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(count), text);
        }
        assert_eq!(many(1, "report", "reports"), "1 report");
    }
}
