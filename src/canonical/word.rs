//! Words of an entry: each value is written in one way only, and read in no other.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize as _;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::domain::actor::Role;
use crate::domain::clock_guard::Reason as DoubtReason;
use crate::domain::erasure::ErasureClass;
use crate::domain::finding::Finding;
use crate::domain::process::Class;
use crate::domain::rfc3339;
use crate::domain::time::{Bucket, BucketWidth, Timestamp, millis_of};
use crate::domain::verdict::Verdict;

/// A value that is one word of a line.
pub(crate) trait Word: Sized {
    /// The word; it has no space and no line end.
    fn word(&self) -> String;

    /// What the word may mean. May be lenient: [`Word::read`] is what counts.
    fn guess(text: &str) -> Option<Self>;

    /// The value that is written as this word, and as no other.
    fn read(text: &str) -> Option<Self> {
        Self::guess(text).filter(|value| value.word() == text)
    }
}

/// Numbers in decimal, without leading zeros and without a plus.
macro_rules! decimal {
    ($($number:ty),+) => {$(
        impl Word for $number {
            fn word(&self) -> String {
                self.to_string()
            }

            fn guess(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )+};
}

decimal!(u32, u64, usize, i64);

/// RFC 3339 in UTC with milliseconds.
impl Word for Timestamp {
    fn word(&self) -> String {
        self.to_string()
    }

    fn guess(text: &str) -> Option<Self> {
        rfc3339::parse(text).ok()
    }
}

/// Whole milliseconds.
impl Word for Duration {
    fn word(&self) -> String {
        millis_of(*self).to_string()
    }

    fn guess(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::from_millis)
    }
}

/// Milliseconds that are whole seconds.
impl Word for BucketWidth {
    fn word(&self) -> String {
        self.duration().word()
    }

    fn guess(text: &str) -> Option<Self> {
        let seconds = Duration::guess(text)?.as_secs();
        Self::from_secs(u32::try_from(seconds).ok()?)
    }
}

impl Word for Bucket {
    fn word(&self) -> String {
        self.0.to_string()
    }

    fn guess(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Word for bool {
    fn word(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }

    fn guess(text: &str) -> Option<Self> {
        match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }
}

impl Word for ErasureClass {
    fn word(&self) -> String {
        self.name().to_owned()
    }

    fn guess(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// Lower-case hex.
impl<const N: usize> Word for [u8; N] {
    fn word(&self) -> String {
        self.iter().fold(String::with_capacity(N.saturating_mul(2)), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn guess(text: &str) -> Option<Self> {
        if text.len() != N.saturating_mul(2) {
            return None;
        }
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(bytes)
    }
}

/// What may be absent is `none` then.
impl<T: Word> Word for Option<T> {
    fn word(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Word::word)
    }

    fn guess(text: &str) -> Option<Self> {
        if text == "none" { Some(None) } else { T::read(text).map(Some) }
    }
}

/// Names of the domain, as serde has them.
macro_rules! domain_names {
    ($($name:ty),+) => {$(
        impl Word for $name {
            fn word(&self) -> String {
                self.name().to_owned()
            }

            fn guess(text: &str) -> Option<Self> {
                Self::deserialize(StrDeserializer::<ValueError>::new(text)).ok()
            }
        }
    )+};
}

domain_names!(Class, DoubtReason, Finding, Role, Verdict);

/// An enum whose variants have a name in entries and, by their order, a number in the tally: whoever adds one adds it at the end.
macro_rules! named {
    ($(#[$doc:meta])* pub enum $Name:ident { $($(#[$about:meta])* $Variant:ident = $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name {
            $($(#[$about])* $Variant,)+
        }

        impl $Name {
            /// Every one, in the order of the format.
            pub const ALL: &'static [Self] = &[$(Self::$Variant,)+];

            /// The name in entries.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl $crate::canonical::Word for $Name {
            fn word(&self) -> String {
                self.name().to_owned()
            }

            fn guess(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == text)
            }
        }
    };
}

pub(crate) use named;

/// Text on one line: printable ASCII, 1 to 500 characters, no space at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// The most characters.
    const LONGEST: usize = 500;

    /// The text, with `?` for every character that is not printable ASCII, cut off where it is too long; `unknown` for an
    /// empty one.
    pub fn of(text: &str) -> Self {
        let plain = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
        let cut: String = text.trim().chars().map(plain).take(Self::LONGEST).collect();
        match cut.trim() {
            "" => Self("unknown".to_owned()),
            cut => Self(cut.to_owned()),
        }
    }

    /// The text, if it is such a line already.
    pub(crate) fn read(text: &str) -> Option<Self> {
        Some(Self::of(text)).filter(|line| line.0 == text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_word() {
        assert_eq!(u64::read("7"), Some(7));
        assert_eq!(i64::read("-7"), Some(-7));
        for text in ["07", "+7", "", " 7", "7 ", "-0", "18446744073709551616"] {
            assert_eq!((u64::read(text), i64::read(text)), (None, None), "{text:?}");
        }
        assert_eq!(<[u8; 2]>::read("0aff"), Some([10, 255]));
        for text in ["0aFF", "0af", "0aff0", "+aff", "0a\u{e9}"] {
            assert_eq!(<[u8; 2]>::read(text), None, "{text:?}");
        }
        assert_eq!(Timestamp::read("2026-11-21T20:40:33.745Z"), Some(Timestamp::from_millis(1_795_293_633_745)));
        for text in ["2026-11-21T20:40:33Z", "2026-11-21T20:40:33.745+00:00", "2026-11-21T20:40:33.7450Z"] {
            assert_eq!(Timestamp::read(text), None, "{text}");
        }
        assert_eq!(BucketWidth::read("600000"), BucketWidth::from_secs(600));
        assert_eq!((BucketWidth::read("600001"), BucketWidth::read("0")), (None, None));
        assert_eq!((<Option<bool>>::read("none"), <Option<bool>>::read("maybe")), (Some(None), None));
    }

    #[test]
    fn a_line_cannot_hold_another_line() {
        assert_eq!(Line::of(" ext4 on vda1\nresult clean\u{1b}").as_str(), "ext4 on vda1?result clean?");
        assert_eq!(Line::of(" \n ").as_str(), "unknown");
        assert_eq!(Line::of(&"x".repeat(9000)).as_str().len(), 500);
        assert_eq!(Line::read("a b"), Some(Line("a b".into())));
        assert_eq!((Line::read(" a"), Line::read(""), Line::read("\u{e9}")), (None, None, None));
    }
}
