//! The names of tiles and bundles.

use std::fmt;
use std::str::FromStr;

use super::super::text;
use super::{FULL, LEVELS};

/// The highest level that a name may have. A log of 2^64 - 1 entries has tiles up to level 7.
const MAX_LEVEL: u8 = 63;

/// What a file of the layout holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TileKind {
    /// Entries.
    Entries,
    /// Hashes of the tree's level 8 `level`.
    Hashes {
        /// From 0 to 63.
        level: u8,
    },
}

/// The name of a tile or a bundle: `tile/0/x001/x234/067`, `tile/entries/000.p/17`. Displayed and parsed in its one form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TilePath {
    /// What it holds.
    pub kind: TileKind,
    /// Its number from the left.
    pub index: u64,
    /// How many hashes or entries it holds: from 1 to 256, where 256 is full, and anything else partial.
    pub width: u16,
}

/// Why a text is no name of a tile or a bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TilePathError {
    /// It does not begin with `tile/` and another part.
    #[error("a tile is named tile/LEVEL/INDEX or tile/entries/INDEX")]
    Parts,
    /// The level is not a number from 0 to 63.
    #[error("a tile's level is a number from 0 to 63 without leading zeros, or `entries`")]
    Level,
    /// The index is not written in groups of three digits.
    #[error("a tile's index is written in groups of three digits, x before each but the last, and no group too many")]
    Index,
    /// The width is not a number from 1 to 255.
    #[error("a partial tile's width is a number from 1 to 255 without leading zeros")]
    Width,
}

impl TilePath {
    /// The tile or bundle of this index in a log of this size, partial if the log's end is in it; none if it would be empty.
    pub fn at(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let left = hashes_in(kind, size).checked_sub(index.checked_mul(u64::from(FULL))?)?;
        let width = u16::try_from(left).unwrap_or(FULL).min(FULL);
        (width > 0).then_some(Self { kind, index, width })
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => write!(f, "tile/entries/")?,
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
        }
        let above =
            std::iter::successors(Some(self.index / 1000), |left| Some(left / 1000)).take_while(|left| *left > 0);
        let mut groups: Vec<_> = above.map(|left| format!("x{:03}/", left % 1000)).collect();
        groups.reverse();
        write!(f, "{}{:03}", groups.concat(), self.index % 1000)?;
        if self.width == FULL { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rest = text.strip_prefix("tile/").ok_or(TilePathError::Parts)?;
        let (kind, rest) = rest.split_once('/').ok_or(TilePathError::Parts)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes { level: read_level(level).ok_or(TilePathError::Level)? },
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, FULL),
            Some((index, width)) => (index, read_width(width).ok_or(TilePathError::Width)?),
        };
        let index = read_index(index).ok_or(TilePathError::Index)?;
        Ok(Self { kind, index, width })
    }
}

fn read_level(text: &str) -> Option<u8> {
    text::decimal(text)?.try_into().ok().filter(|level| *level <= MAX_LEVEL)
}

fn read_width(text: &str) -> Option<u16> {
    text::decimal(text)?.try_into().ok().filter(|width| (1..FULL).contains(width))
}

fn read_index(text: &str) -> Option<u64> {
    let mut groups = text.split('/').rev();
    let last = groups.next()?;
    let before: Vec<_> = groups.rev().map(|group| group.strip_prefix('x')).collect::<Option<_>>()?;
    // A first group of zeros would be one too many, unless it is the only one.
    if before.first().is_some_and(|first| *first == "000") {
        return None;
    }
    before.into_iter().chain([last]).try_fold(0_u64, |index, group| {
        let digits = group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
        index.checked_mul(1000)?.checked_add(group.parse().ok().filter(|_| digits)?)
    })
}

/// Every tile and bundle of a log of this size: the bundles, then the tiles of each level that has a hash, each from the left. The last one
/// of a kind is partial if its place is not filled; none is empty.
pub fn paths_of(size: u64) -> impl Iterator<Item = TilePath> {
    kinds_of(size).flat_map(move |kind| (0..).map_while(move |index| TilePath::at(kind, index, size)))
}

/// How many [`paths_of`] gives.
pub fn count_of(size: u64) -> u64 {
    kinds_of(size).map(|kind| hashes_in(kind, size).div_ceil(u64::from(FULL))).sum()
}

/// What a log of this size has files of.
fn kinds_of(size: u64) -> impl Iterator<Item = TileKind> {
    let levels = (0..=MAX_LEVEL).map(|level| TileKind::Hashes { level });
    std::iter::once(TileKind::Entries).chain(levels).take_while(move |kind| hashes_in(*kind, size) > 0)
}

/// How many entries, or hashes of a level, a log of this size has.
fn hashes_in(kind: TileKind, size: u64) -> u64 {
    match kind {
        TileKind::Entries => size,
        TileKind::Hashes { level } => size.checked_shr(u32::from(level).saturating_mul(LEVELS.into())).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(level: u8, index: u64, width: u16) -> TilePath {
        TilePath { kind: TileKind::Hashes { level }, index, width }
    }

    #[test]
    fn names_are_those_of_the_specification() {
        let named = [
            ("tile/0/x001/x234/067", hashes(0, 1_234_067, FULL)),
            ("tile/0/000", hashes(0, 0, FULL)),
            ("tile/63/999.p/255", hashes(63, 999, 255)),
            ("tile/1/x001/000.p/1", hashes(1, 1000, 1)),
            ("tile/entries/x001/x000/000", TilePath { kind: TileKind::Entries, index: 1_000_000, width: FULL }),
            ("tile/entries/000.p/17", TilePath { kind: TileKind::Entries, index: 0, width: 17 }),
            ("tile/2/x018/x446/x744/x073/x709/x551/615", hashes(2, u64::MAX, FULL)),
        ];
        for (text, path) in named {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
    }

    #[test]
    fn other_forms_of_a_name_are_refused() {
        let wrong = [
            ("", TilePathError::Parts),
            ("tile/0", TilePathError::Parts),
            ("/tile/0/000", TilePathError::Parts),
            ("tile//000", TilePathError::Level),
            ("tile/00/000", TilePathError::Level),
            ("tile/64/000", TilePathError::Level),
            ("tile/data/000", TilePathError::Level),
            ("tile/0/", TilePathError::Index),
            ("tile/0/0", TilePathError::Index),
            ("tile/0/x067", TilePathError::Index),
            ("tile/0/001/067", TilePathError::Index),
            ("tile/0/x000/067", TilePathError::Index),
            ("tile/0/x001/+67", TilePathError::Index),
            ("tile/0/x001/067/", TilePathError::Index),
            ("tile/0/x018/x446/x744/x073/x709/x551/616", TilePathError::Index),
            ("tile/0/../067", TilePathError::Index),
            ("tile/0/000.p/", TilePathError::Width),
            ("tile/0/000.p/0", TilePathError::Width),
            ("tile/0/000.p/01", TilePathError::Width),
            ("tile/0/000.p/256", TilePathError::Width),
            ("tile/0/000.p/1.p/1", TilePathError::Width),
            ("tile/0/000.p", TilePathError::Index),
        ];
        for (text, error) in wrong {
            assert_eq!(text.parse::<TilePath>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_log_has_the_tiles_of_the_specification() {
        let names = |size| paths_of(size).map(|path| path.to_string()).collect::<Vec<_>>();
        assert_eq!(names(0), Vec::<String>::new());
        assert_eq!(names(1), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
        assert_eq!(names(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(names(257).len(), 5);
        // The example of the specification: 70,000 entries.
        let of = |level| paths_of(70_000).filter(move |path| path.kind == TileKind::Hashes { level });
        assert_eq!(of(0).filter(|path| path.width == FULL).count(), 273);
        assert_eq!(of(0).last(), Some(hashes(0, 273, 112)));
        assert_eq!(of(1).collect::<Vec<_>>(), [hashes(1, 0, FULL), hashes(1, 1, 17)]);
        assert_eq!(of(2).collect::<Vec<_>>(), [hashes(2, 0, 1)]);
        assert_eq!(of(3).count(), 0);
        assert_eq!(paths_of(70_000).filter(|path| path.kind == TileKind::Entries).count(), 274);
        for size in [0, 1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537] {
            assert!(paths_of(size).all(|path| path.to_string().parse() == Ok(path)));
            assert_eq!(usize::try_from(count_of(size)), Ok(paths_of(size).count()));
        }
    }

    #[test]
    fn the_longest_log_has_its_last_tiles() {
        let last = u64::MAX / 256;
        assert_eq!(TilePath::at(TileKind::Entries, last, u64::MAX).map(|path| path.width), Some(255));
        assert_eq!(TilePath::at(TileKind::Entries, last + 1, u64::MAX), None);
        assert_eq!(TilePath::at(TileKind::Hashes { level: 7 }, 0, u64::MAX), Some(hashes(7, 0, 255)));
        assert_eq!(TilePath::at(TileKind::Hashes { level: 8 }, 0, u64::MAX), None);
        assert_eq!(paths_of(u64::MAX).take(3).count(), 3);
        // Bundles: 2^56. Tiles: for the 2^64 hashes of the lowest level as many, and of each level above a 256th of those below.
        assert_eq!(count_of(u64::MAX), 0x0201_0101_0101_0101);
    }
}
