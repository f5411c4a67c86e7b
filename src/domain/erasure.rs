//! What overwriting a file in place means where the file lies.

use std::fmt;
use std::str::FromStr;

/// How sure it is that overwritten bytes are gone. The later is the better.
///
/// None of them says anything about the inside of a drive, earlier snapshots, or copies of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErasureClass {
    /// The old bytes are likely to stay: something on the way writes elsewhere, or writes twice.
    Degraded,
    /// The file lies in memory: it is gone at the latest with the power, and so are all records that its keys open. What of it
    /// was swapped out is not overwritten.
    Memory,
    /// In place as far as this machine can tell; what the layer below does is not known.
    Unsure,
    /// In place, on a disk of this machine with nothing in between.
    InPlace,
}

impl ErasureClass {
    /// All, the worst first.
    pub const ALL: [Self; 4] = [Self::Degraded, Self::Memory, Self::Unsure, Self::InPlace];

    /// The name in reports and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Memory => "memory",
            Self::Unsure => "C?",
            Self::InPlace => "C",
        }
    }

    /// What it is worth, in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::InPlace => "overwritten in place on a bare disk",
            Self::Memory => "in memory, gone at the latest with the power",
            Self::Unsure => "overwritten in place; what lies below is not known",
            Self::Degraded => "DEGRADED: the file system writes elsewhere and may keep the old bytes",
        }
    }
}

impl fmt::Display for ErasureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no erasure class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected C, C?, memory or degraded")]
pub struct UnknownErasureClass;

impl FromStr for ErasureClass {
    type Err = UnknownErasureClass;

    fn from_str(text: &str) -> Result<Self, UnknownErasureClass> {
        Self::ALL.into_iter().find(|class| class.name() == text).ok_or(UnknownErasureClass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_better_is_later() {
        for class in ErasureClass::ALL {
            assert_eq!(class.name().parse(), Ok(class));
        }
        assert!(ErasureClass::ALL.is_sorted());
        assert_eq!("B".parse::<ErasureClass>(), Err(UnknownErasureClass));
    }
}
