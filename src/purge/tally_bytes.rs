//! The tally as bytes: a version, then `TallyV2` in bincode's legacy encoding (little endian, fixed widths, lengths as u64).

use std::time::Duration;

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};

use crate::domain::time::{Bucket, Timestamp, millis_of};

use super::exception::Exception;
use super::report::LastRun;
use super::run::{Extents, KeyDestroyed, PerClass, ReadBack};
use super::tally::{CheckCount, Count, Tally};
use crate::canonical::{ParseError, Words};

const VERSION: u8 = 2;
/// Room for the keys of the largest keyring, opened and destroyed in one period.
const LIMIT: usize = 8 << 20;
const CONFIG: Configuration<LittleEndian, Fixint, Limit<LIMIT>> = bincode::config::legacy().with_limit::<LIMIT>();

/// Why bytes are no tally, or a tally has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// A version that this one does not know; `None`: there is nothing at all.
    #[error("the tally of the purge has version {0:?}, which this version does not know")]
    Version(Option<u8>),
    /// The bytes end too early, are too many, or hold what the encoding has no meaning for.
    #[error("the tally of the purge is not in the encoding of version 2")]
    Encoding,
    /// Bytes follow it.
    #[error("{0} bytes follow the tally of the purge")]
    TrailingBytes(usize),
    /// A number that stands for nothing.
    #[error("the tally of the purge has an unknown {0}")]
    Number(&'static str),
    /// An exception that is none.
    #[error("the tally of the purge has an exception that is none: {0}")]
    Exception(ParseError),
    /// It is more than a tally may be.
    #[error("the tally of the purge is larger than {LIMIT} bytes")]
    TooLarge,
}

#[derive(bincode::Encode, bincode::Decode)]
struct TallyV2 {
    sequence: u64,
    from: u64,
    last_began: Option<u64>,
    cutoff: Option<u64>,
    live_keys: u32,
    unreadable: Vec<u32>,
    wal_oldest: Option<u64>,
    runs: [u64; 3],
    taken: u64,
    last: u8,
    /// The classes in the order of reports, then the listings.
    counts: [CountV2; 6],
    opened: Vec<(u32, [u8; 32])>,
    destroyed: Vec<KeyDestroyedV2>,
    files_removed: u64,
    manifests_rolled: u64,
    /// Held, failed, missed.
    checks: [[u64; 3]; 10],
    /// As in a report, without the line's name.
    exceptions: Vec<String>,
    left_out: u64,
}

#[derive(bincode::Encode, bincode::Decode)]
struct CountV2 {
    scanned: u64,
    filtered: u64,
    remaining: u64,
    max_age_ms: Option<u64>,
}

#[derive(bincode::Encode, bincode::Decode)]
struct KeyDestroyedV2 {
    bucket: u32,
    at: u64,
    read_back: u8,
    extents: u8,
}

impl Tally {
    /// The bytes that are kept in `meta`.
    ///
    /// # Errors
    ///
    /// If there are more of them than [`Tally::parse`] takes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TallyError> {
        let millis = |at: Option<Timestamp>| at.map(Timestamp::millis);
        let PerClass { assignments, logons, captures, holds, answers } = &self.classes;
        let value = TallyV2 {
            sequence: self.sequence,
            from: self.from.millis(),
            last_began: millis(self.last_began),
            cutoff: millis(self.cutoff),
            live_keys: self.live_keys,
            unreadable: self.unreadable.iter().map(|bucket| bucket.0).collect(),
            wal_oldest: millis(self.wal_oldest),
            runs: [self.count, self.late, self.failed],
            taken: self.taken,
            last: number_of(LastRun::ALL, self.last),
            counts: [assignments, logons, captures, holds, answers, &self.listings].map(CountV2::of),
            opened: self.opened.iter().map(|(bucket, commitment)| (bucket.0, *commitment)).collect(),
            destroyed: self.destroyed.iter().map(KeyDestroyedV2::of).collect(),
            files_removed: self.files_removed,
            manifests_rolled: self.manifests_rolled,
            checks: self.checks.map(|count| [count.held, count.failed, count.missed]),
            exceptions: self.exceptions.iter().map(ToString::to_string).collect(),
            left_out: self.left_out,
        };
        let encoded = bincode::encode_to_vec(value, CONFIG).map_err(|_| TallyError::TooLarge)?;
        if encoded.len() > LIMIT {
            return Err(TallyError::TooLarge);
        }
        Ok([&[VERSION], &encoded[..]].concat())
    }

    /// The tally that [`Tally::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// If the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, TallyError> {
        let encoded = match bytes.split_first() {
            Some((&VERSION, encoded)) => encoded,
            other => return Err(TallyError::Version(other.map(|(version, _)| *version))),
        };
        let (value, consumed) =
            bincode::decode_from_slice::<TallyV2, _>(encoded, CONFIG).map_err(|_| TallyError::Encoding)?;
        match encoded.len().saturating_sub(consumed) {
            0 => value.to_tally(),
            left => Err(TallyError::TrailingBytes(left)),
        }
    }
}

impl TallyV2 {
    fn to_tally(&self) -> Result<Tally, TallyError> {
        let instant = |millis: Option<u64>| millis.map(Timestamp::from_millis);
        let [assignments, logons, captures, holds, answers, listings] = self.counts.each_ref().map(CountV2::to_count);
        let [count, late, failed] = self.runs;
        Ok(Tally {
            sequence: self.sequence,
            from: Timestamp::from_millis(self.from),
            last_began: instant(self.last_began),
            cutoff: instant(self.cutoff),
            live_keys: self.live_keys,
            unreadable: self.unreadable.iter().copied().map(Bucket).collect(),
            wal_oldest: instant(self.wal_oldest),
            count,
            late,
            failed,
            taken: self.taken,
            last: numbered(LastRun::ALL, self.last).ok_or(TallyError::Number("outcome of a run"))?,
            classes: PerClass { assignments, logons, captures, holds, answers },
            listings,
            opened: self.opened.iter().map(|(bucket, commitment)| (Bucket(*bucket), *commitment)).collect(),
            destroyed: self.destroyed.iter().map(KeyDestroyedV2::to_key).collect::<Result<_, _>>()?,
            files_removed: self.files_removed,
            manifests_rolled: self.manifests_rolled,
            checks: self.checks.map(|[held, failed, missed]| CheckCount { held, failed, missed }),
            exceptions: self.exceptions.iter().map(|text| exception(text)).collect::<Result<_, _>>()?,
            left_out: self.left_out,
        })
    }
}

impl CountV2 {
    fn of(count: &Count) -> Self {
        let Count { scanned, filtered, remaining, max_age } = *count;
        Self { scanned, filtered, remaining, max_age_ms: max_age.map(millis_of) }
    }

    fn to_count(&self) -> Count {
        let max_age = self.max_age_ms.map(Duration::from_millis);
        Count { scanned: self.scanned, filtered: self.filtered, remaining: self.remaining, max_age }
    }
}

impl KeyDestroyedV2 {
    fn of(key: &KeyDestroyed) -> Self {
        Self {
            bucket: key.bucket.0,
            at: key.at.millis(),
            read_back: number_of(ReadBack::ALL, key.read_back),
            extents: number_of(Extents::ALL, key.extents),
        }
    }

    fn to_key(&self) -> Result<KeyDestroyed, TallyError> {
        Ok(KeyDestroyed {
            bucket: Bucket(self.bucket),
            at: Timestamp::from_millis(self.at),
            read_back: numbered(ReadBack::ALL, self.read_back).ok_or(TallyError::Number("read-back"))?,
            extents: numbered(Extents::ALL, self.extents).ok_or(TallyError::Number("place of extents"))?,
        })
    }
}

fn exception(text: &str) -> Result<Exception, TallyError> {
    Exception::read(&mut Words::of(text)).map_err(TallyError::Exception)
}

/// The place in the list of all.
fn number_of<T: PartialEq>(all: &[T], value: T) -> u8 {
    let place = all.iter().position(|one| *one == value);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
}

fn numbered<T: Copy>(all: &[T], number: u8) -> Option<T> {
    all.get(usize::from(number)).copied()
}
