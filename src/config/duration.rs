//! Durations as people write them: `48h`, `10m`, `90s`, `500ms`, `1h30m`.

use std::fmt;
use std::time::Duration;

/// The units, largest first, with their length in milliseconds. Months and years have no fixed length, and weeks no
/// use here.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing was written.
    #[error("an empty text is no duration: write a number and a unit, such as 90s")]
    Empty,
    /// A number stands alone. Seconds are not assumed: a window of 48 would be a window of nothing.
    #[error("`{number}` has no unit: write {number}s, {number}m or {number}h")]
    NoUnit {
        /// The number as written.
        number: String,
    },
    /// No number, or no plain one, stands where one belongs.
    #[error("a number was expected at `{at}`: write a number and a unit, such as 90s")]
    NoNumber {
        /// The text from there on.
        at: String,
    },
    /// A unit that is none of ours.
    #[error("unknown unit `{unit}`: the units are d, h, m, s and ms")]
    UnknownUnit {
        /// The unit as written.
        unit: String,
    },
    /// A unit comes twice, or after a smaller one.
    #[error("`{unit}` comes twice or after a smaller unit: write the larger unit first, such as 1h30m")]
    UnitOrder {
        /// The unit as written.
        unit: String,
    },
    /// More milliseconds than a number holds.
    #[error("this is longer than any time Lapsed can count")]
    TooLong,
}

/// Reads a duration: whole numbers, each with its unit, the larger unit first, without spaces.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, tail) = split(rest, |c| c.is_ascii_digit());
        if number.is_empty() {
            return Err(DurationError::NoNumber { at: rest.to_owned() });
        }
        let (unit, tail) = split(tail, |c| !c.is_ascii_digit());
        let Some((_, known)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let (number, unit) = (number.to_owned(), unit.to_owned());
            return Err(if unit.is_empty() {
                DurationError::NoUnit { number }
            } else {
                DurationError::UnknownUnit { unit }
            });
        };
        // What the iterator has passed can no longer follow.
        if !units.any(|(name, _)| *name == unit) {
            return Err(DurationError::UnitOrder { unit: unit.to_owned() });
        }
        let part = number.parse::<u64>().ok().and_then(|count| count.checked_mul(*known));
        total = part.and_then(|part| total.checked_add(part)).ok_or(DurationError::TooLong)?;
        rest = tail;
    }
    Ok(Duration::from_millis(total))
}

/// The longest head of which every character satisfies `belongs`, and what follows it.
fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Prints a duration so that [`parse`] reads it back: whole days only from three on, so that `48h` stays `48h`; what is
/// finer than a millisecond is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written(pub Duration);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if left == 0 {
            return f.write_str("0s");
        }
        for (unit, length) in UNITS {
            let count = left / length;
            let whole_days = left % length == 0 && count >= 3;
            if count > 0 && (unit != "d" || whole_days) {
                write!(f, "{count}{unit}")?;
                left %= length;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed_back() {
        let cases = [
            ("48h", 172_800_000),
            ("10m", 600_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("366d", 31_622_400_000),
            ("2h5ms", 7_200_005),
            ("0s", 0),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(Written(Duration::from_millis(millis)).to_string(), text);
        }
        assert_eq!(parse("90s"), parse("1m30s"));
        assert_eq!(parse("2d"), parse("48h"));
    }

    #[test]
    fn what_is_no_duration_says_why() {
        use DurationError as E;
        let cases = [
            ("", E::Empty),
            ("48", E::NoUnit { number: "48".into() }),
            ("1h30", E::NoUnit { number: "30".into() }),
            ("h", E::NoNumber { at: "h".into() }),
            ("-5s", E::NoNumber { at: "-5s".into() }),
            (" 5s", E::NoNumber { at: " 5s".into() }),
            ("5 s", E::UnknownUnit { unit: " s".into() }),
            ("1.5h", E::UnknownUnit { unit: ".".into() }),
            ("2w", E::UnknownUnit { unit: "w".into() }),
            ("30m1h", E::UnitOrder { unit: "h".into() }),
            ("1h1h", E::UnitOrder { unit: "h".into() }),
            ("99999999999999999999s", E::TooLong),
            ("18446744073709551615d", E::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
