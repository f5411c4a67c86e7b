//! Dates and bytes as ISC dhcpd writes them (dhcpd.leases(5)).

use chrono::NaiveDate;

use super::{Flaw, hex};
use crate::domain::time::Timestamp;

/// A date; `None`: never.
pub(super) type When = Option<Timestamp>;

/// `6 2026/11/21 18:17:03`, in UTC, `epoch 1795285023`, or `never`.
pub(super) fn when(text: &str) -> Result<When, Flaw> {
    if text == "never" {
        return Ok(None);
    }
    let mut words = text.split_whitespace();
    let instant = match (words.next(), words.next(), words.next(), words.next()) {
        (Some("epoch"), Some(secs), None, None) => secs.parse::<u64>().ok().map(|secs| secs.saturating_mul(1000)),
        (Some(_weekday), Some(date), Some(time), None) => civil(date, time),
        _ => None,
    };
    instant.map(|millis| Some(Timestamp::from_millis(millis))).ok_or(Flaw::Time)
}

/// Milliseconds since 1970.
fn civil(date: &str, time: &str) -> Option<u64> {
    let [year, month, day] = three(date, '/')?;
    let [hour, minute, second] = three(time, ':')?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    u64::try_from(date.and_hms_opt(hour, minute, second)?.and_utc().timestamp_millis()).ok()
}

fn three(text: &str, separator: char) -> Option<[u32; 3]> {
    let mut parts = text.split(separator).map(|part| part.parse().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// A text in quotation marks with octal escapes, or octets in hex separated by colons.
pub(super) fn bytes(text: &str) -> Result<Vec<u8>, Flaw> {
    match text.strip_prefix('"') {
        Some(rest) => hex::limited(rest.strip_suffix('"').and_then(quoted)),
        None => hex::colons(text),
    }
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'"', _) => return None,
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                let digit = |byte: &u8| byte & 7;
                bytes.push((digit(a) << 6) | (digit(b) << 3) | digit(c));
                rest = after;
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                rest = after;
            }
            (b'\\', []) => return None,
            (plain, _) => bytes.push(*plain),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_in_three_spellings() {
        let at = Some(Timestamp::from_millis(1_795_285_023_000));
        assert_eq!(when("6 2026/11/21 18:17:03"), Ok(at));
        assert_eq!(when("epoch 1795285023"), Ok(at));
        assert_eq!(when("never"), Ok(None));
        for text in ["", "6 2026/11/31 18:17:03", "2026/11/21 18:17:03", "6 1969/11/21 18:17:03", "epoch -1", "epoch"] {
            assert_eq!(when(text), Err(Flaw::Time), "{text}");
        }
    }

    #[test]
    fn bytes_are_a_text_with_escapes_or_hex() {
        assert_eq!(bytes(r#""\001\002\000^\020a;\"\\""#), Ok(b"\x01\x02\x00^\x10a;\"\\".to_vec()));
        assert_eq!(bytes("0:4:ff"), Ok(vec![0, 4, 255]));
        for text in ["\"", "\"a", "\"a\"b\"", "\"\\\"", "a b", "é"] {
            assert_eq!(bytes(text), Err(Flaw::Identity), "{text}");
        }
    }
}
