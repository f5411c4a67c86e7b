//! Bytes written as hex.

use super::{Flaw, LONGEST_IDENTITY};

/// Octets in hex, separated by `:`; each may have one digit or two. An empty text is no octets.
pub(super) fn colons(text: &str) -> Result<Vec<u8>, Flaw> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let octet = |part: &str| match part.as_bytes() {
        [low] => digit(*low),
        [high, low] => pair(*high, *low),
        _ => None,
    };
    limited(text.split(':').map(octet).collect::<Option<Vec<u8>>>())
}

/// An even number of hex digits, after `0x` or not.
pub(super) fn digits(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text).as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| pair(*high, *low)).collect()
}

/// One octet.
pub(super) fn pair(high: u8, low: u8) -> Option<u8> {
    Some((digit(high)? << 4) | digit(low)?)
}

/// What is no identity because it is too long, or was none before.
pub(super) fn limited(bytes: Option<Vec<u8>>) -> Result<Vec<u8>, Flaw> {
    bytes.filter(|bytes| bytes.len() <= LONGEST_IDENTITY).ok_or(Flaw::Identity)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_may_be_unpadded() {
        assert_eq!(colons("2:0:0a:ff"), Ok(vec![2, 0, 10, 255]));
        assert_eq!(colons(""), Ok(vec![]));
        for text in [":", "1:", "100", "g", "+1", "1 2"] {
            assert_eq!(colons(text), Err(Flaw::Identity), "{text}");
        }
        assert_eq!(colons(&["aa"; 256].join(":")), Err(Flaw::Identity));
    }

    #[test]
    fn digits_come_in_pairs() {
        assert_eq!(digits("0x0104AAbb"), Some(vec![1, 4, 0xaa, 0xbb]));
        assert_eq!(digits("0x1"), None);
        assert_eq!(digits("é"), None);
    }
}
