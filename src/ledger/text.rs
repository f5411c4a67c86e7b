//! Numbers and bytes in the texts of a ledger: each has one form, and no other is read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;

/// A decimal number without leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let plain = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| plain && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Base64 (RFC 4648, section 4) with its padding, and with zeros in the bits that stand for nothing.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The base64 of 32 bytes.
pub(super) fn hash(text: &str) -> Option<Hash> {
    base64(text)?.try_into().ok().map(Hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "18446744073709551616", "٣", "1e3", "0x1"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn base64_has_one_form() {
        assert_eq!(base64("AQ=="), Some(vec![1]));
        assert_eq!(base64(""), Some(Vec::new()));
        for text in ["AQ", "AQ=", "AR==", "AQ==\n", "A Q==", "AQ===", "-_==", "AQ==AQ=="] {
            assert_eq!(base64(text), None, "{text:?}");
        }
        let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert_eq!(hash(zero), Some(Hash([0; 32])));
        assert_eq!(hash("AAAA"), None);
    }
}
