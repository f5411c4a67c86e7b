//! RFC 3339 as a paper must give it: strict, and never without a zone.

use chrono::{DateTime, Utc};

use super::time::Timestamp;

/// Why a text is no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTime {
    /// It does not have the shape of RFC 3339, section 5.6.
    #[error("`{0}` is no RFC 3339 time: write it as 2026-11-21T14:03:22-07:00 or 2026-11-21T21:03:22Z")]
    Shape(String),
    /// It has no offset, and a time without one is an hour's worth of suspects.
    #[error("`{0}` has no zone: end it with Z or an offset such as -07:00")]
    NoZone(String),
    /// It has the shape, and names no instant, such as the 31st of June or the 61st second.
    #[error("`{0}` names no instant")]
    NoInstant(String),
    /// It lies before 1970.
    #[error("`{0}` lies before 1970")]
    TooEarly(String),
}

/// Reads an instant; fractions of a second beyond milliseconds are cut off.
///
/// # Errors
///
/// If the text is anything but RFC 3339 with `T` and an offset: no space, no leap second, no missing zone.
pub fn parse(text: &str) -> Result<Timestamp, BadTime> {
    let bad = |of: fn(String) -> BadTime| of(text.to_owned());
    let (date_time, rest) = text.split_at_checked(19).ok_or_else(|| bad(BadTime::Shape))?;
    if !fits(date_time, "dddd-dd-ddTdd:dd:dd") {
        return Err(bad(BadTime::Shape));
    }
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            let digits = fraction.len().saturating_sub(zone.len());
            if !(1..=9).contains(&digits) {
                return Err(bad(BadTime::Shape));
            }
            zone
        }
        None => rest,
    };
    match zone {
        "" => return Err(bad(BadTime::NoZone)),
        "Z" => {}
        offset if fits(offset, "+dd:dd") || fits(offset, "-dd:dd") => {}
        _ => return Err(bad(BadTime::Shape)),
    }
    if date_time.ends_with(":60") {
        return Err(bad(BadTime::NoInstant));
    }
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| bad(BadTime::NoInstant))?;
    Timestamp::from_utc(time.with_timezone(&Utc)).ok_or_else(|| bad(BadTime::TooEarly))
}

/// Does the text have this shape, where `d` stands for a digit?
fn fits(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            _ => byte == wanted,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_fractions_are_read() {
        let expected = Timestamp::from_millis(1_795_294_982_000);
        let later = Timestamp::from_millis(1_795_294_982_123);
        assert_eq!(parse("2026-11-21T21:03:02Z"), Ok(expected));
        assert_eq!(parse("2026-11-21T14:03:02-07:00"), Ok(expected));
        assert_eq!(parse("2026-11-21T21:03:02.123999Z"), Ok(later));
    }

    #[test]
    fn what_a_lenient_reader_would_take_is_refused() {
        let shape = |text: &str| BadTime::Shape(text.to_owned());
        for text in [
            "2026-11-21 21:03:02Z",
            "2026-11-21T21:03Z",
            "26-11-21T21:03:02Z",
            "2026-11-21T21:03:02\u{2212}07:00",
            "",
            "now",
            "2026-11-21T21:03:02.Z",
            "2026-11-21T21:03:02z",
            "2026-11-21T21:03:02+0700",
        ] {
            assert_eq!(parse(text), Err(shape(text)), "{text}");
        }
        assert_eq!(parse("2026-11-21T21:03:02"), Err(BadTime::NoZone("2026-11-21T21:03:02".into())));
        assert_eq!(parse("2026-06-31T21:03:02Z"), Err(BadTime::NoInstant("2026-06-31T21:03:02Z".into())));
        assert_eq!(parse("2026-06-30T23:59:60Z"), Err(BadTime::NoInstant("2026-06-30T23:59:60Z".into())));
        assert_eq!(parse("1969-12-31T23:59:59Z"), Err(BadTime::TooEarly("1969-12-31T23:59:59Z".into())));
    }
}
