//! Who was heard when: what makes "nobody held it" more than "nothing was heard". Pure, and without personal data.
//!
//! Of every source and bucket there is a [`Mark`]: the first and the last instant that it spoke of, and what may have kept
//! us from hearing the rest. Instants are those that events speak of, not those of their arrival: a source that stores and
//! forwards fills in what it said while nobody listened. Troubles are noted at our own time, from when they may have begun,
//! and stay: that something is complete again after a loss is what nobody can know. Both are forgotten with their bucket.

mod mark;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::identity::SourceName;
use super::time::{Bucket, BucketWidth, Timestamp};

pub use mark::{Mark, Trouble, Troubles};

/// Whom a mark is of: a source, or all of them.
pub type Whose = Option<SourceName>;

/// Why a source cannot be said to have been heard throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hole {
    /// It said nothing of the time at or before the beginning, as far as is known.
    #[error("it was not heard before")]
    NotBefore,
    /// It has said nothing yet of the time after the end.
    #[error("it was not heard since")]
    NotSince,
    /// It was silent for longer than a bucket.
    #[error("it was silent for longer than a bucket")]
    Silent,
    /// Something may have been lost.
    #[error("something of it may have been lost")]
    Troubled(Troubles),
}

/// A stretch of buckets in which something may have been lost. `[from, until)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The start of its first bucket.
    pub from: Timestamp,
    /// The end of its last bucket.
    pub until: Timestamp,
    /// Why, the same in all its buckets.
    pub troubles: Troubles,
}

/// Who was heard when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    width: BucketWidth,
    marks: BTreeMap<Whose, BTreeMap<Bucket, Mark>>,
    newest: BTreeMap<SourceName, Timestamp>,
}

impl Coverage {
    /// Nobody was ever heard.
    pub const fn new(width: BucketWidth) -> Self {
        Self { width, marks: BTreeMap::new(), newest: BTreeMap::new() }
    }

    /// A source spoke of an instant. Returns the bucket if that changed its mark.
    pub fn hear(&mut self, source: &SourceName, at: Timestamp) -> Option<Bucket> {
        self.hear_newest(source, at);
        let bucket = self.width.bucket_of(at);
        let offset = at.since(self.width.start_of(bucket));
        self.mark(&Some(source.clone()), bucket).hear(offset).then_some(bucket)
    }

    /// The newest instant that a source ever spoke of, where the mark of it may be forgotten.
    pub fn hear_newest(&mut self, source: &SourceName, at: Timestamp) {
        match self.newest.get_mut(source) {
            Some(newest) => *newest = at.max(*newest),
            None => drop(self.newest.insert(source.clone(), at)),
        }
    }

    /// Something may have been lost of what a source, or any, said in `[from, until]`. Returns the buckets whose marks changed.
    pub fn trouble(&mut self, whose: &Whose, from: Timestamp, until: Timestamp, trouble: Trouble) -> Vec<Bucket> {
        let (first, last) = (self.width.bucket_of(from), self.width.bucket_of(until));
        let buckets = (first.0..=last.0).map(Bucket);
        buckets.filter(|bucket| self.mark(whose, *bucket).troubles.add(trouble)).collect()
    }

    /// Takes a mark as it was kept.
    pub fn recall(&mut self, whose: &Whose, bucket: Bucket, mark: Mark) {
        if let (Some(source), Some((_, last))) = (whose, mark.heard) {
            self.hear_newest(source, self.width.start_of(bucket).plus(last));
        }
        *self.mark(whose, bucket) = mark;
    }

    /// Forgets the marks of earlier buckets. When a source was last heard at all is kept.
    pub fn forget_before(&mut self, first: Bucket) {
        for marks in self.marks.values_mut() {
            *marks = marks.split_off(&first);
        }
    }

    /// As much of this as is needed to say of some sources what can be said of instants in `[from, to]`: the marks of those
    /// buckets, the nearest in which each was heard before and after, and the newest instant each spoke of.
    #[must_use]
    pub fn excerpt(&self, sources: &BTreeSet<SourceName>, from: Timestamp, to: Timestamp) -> Self {
        let (first, last) = (self.width.bucket_of(from), self.width.bucket_of(to));
        let concerns = |whose: &Whose| whose.as_ref().is_none_or(|source| sources.contains(source));
        let mut excerpt = Self::new(self.width);
        for (whose, marks) in self.marks.iter().filter(|(whose, _)| concerns(whose)) {
            let heard = |mark: &(&Bucket, &Mark)| mark.1.heard.is_some();
            let before = marks.range(..first).rfind(heard);
            let after = marks.range(last.later(1)..).find(heard);
            for (bucket, mark) in before.into_iter().chain(marks.range(first..=last)).chain(after) {
                *excerpt.mark(whose, *bucket) = *mark;
            }
        }
        let newest = self.newest.iter().filter(|(source, _)| sources.contains(*source));
        excerpt.newest = newest.map(|(source, at)| (source.clone(), *at)).collect();
        excerpt
    }

    /// How long a bucket is.
    pub const fn width(&self) -> BucketWidth {
        self.width
    }

    /// Every mark, in an order that depends on nothing else.
    pub fn marks(&self) -> impl Iterator<Item = (&Whose, Bucket, Mark)> {
        self.marks.iter().flat_map(|(whose, marks)| marks.iter().map(move |(bucket, mark)| (whose, *bucket, *mark)))
    }

    /// The newest instant that each source spoke of.
    pub fn newest_of_all(&self) -> impl Iterator<Item = (&SourceName, Timestamp)> {
        self.newest.iter().map(|(source, at)| (source, *at))
    }

    /// The bucket of an instant.
    pub fn bucket_of(&self, at: Timestamp) -> Bucket {
        self.width.bucket_of(at)
    }

    /// Is there a mark of a bucket before this one?
    pub fn reaches_before(&self, first: Bucket) -> bool {
        self.marks.values().any(|marks| marks.first_key_value().is_some_and(|(bucket, _)| *bucket < first))
    }

    /// The mark of a bucket.
    pub fn mark_of(&self, whose: &Whose, bucket: Bucket) -> Mark {
        self.marks.get(whose).and_then(|marks| marks.get(&bucket)).copied().unwrap_or_default()
    }

    /// The newest instant that a source spoke of.
    pub fn newest(&self, source: &SourceName) -> Option<Timestamp> {
        self.newest.get(source).copied()
    }

    /// Was a source heard throughout `[from, to]`, and since?
    ///
    /// It was if it spoke of instants at or before the beginning and after the end, never fell silent in between for longer
    /// than a bucket, which is as finely as marks see, and nothing of all this time may have been lost.
    ///
    /// # Errors
    ///
    /// The first reason why not.
    pub fn throughout(&self, source: &SourceName, from: Timestamp, to: Timestamp) -> Result<(), Hole> {
        let instants = self.instants(source);
        let before = instants.range(..=from).next_back().ok_or(Hole::NotBefore)?;
        let since = instants.range(to.plus(Duration::from_millis(1))..).next().ok_or(Hole::NotSince)?;
        let longest = self.width.duration();
        let mut earlier = *before;
        for instant in instants.range(*before..=*since) {
            if instant.since(earlier) > longest {
                return Err(Hole::Silent);
            }
            earlier = *instant;
        }
        let troubles = self.troubles(source, from, to);
        if troubles.is_empty() { Ok(()) } else { Err(Hole::Troubled(troubles)) }
    }

    /// Is it known that a source spoke of an instant in `[from, to]`? Where both lie in one bucket, it may be taken as heard
    /// between its first and its last instant.
    pub fn heard_within(&self, source: &SourceName, from: Timestamp, to: Timestamp) -> bool {
        let Some(marks) = self.marks.get(&Some(source.clone())) else { return false };
        marks.range(self.width.bucket_of(from)..=self.width.bucket_of(to)).any(|(bucket, mark)| {
            let start = self.width.start_of(*bucket);
            mark.heard.is_some_and(|(first, last)| start.plus(first) <= to && from <= start.plus(last))
        })
    }

    /// What may have been lost of a source in the buckets of `[from, to]`.
    pub fn troubles(&self, source: &SourceName, from: Timestamp, to: Timestamp) -> Troubles {
        let (first, last) = (self.width.bucket_of(from), self.width.bucket_of(to.max(from)));
        let both = [None, Some(source.clone())];
        let marks = both.iter().filter_map(|whose| self.marks.get(whose));
        let troubles = marks.flat_map(|marks| marks.range(first..=last)).map(|(_, mark)| mark.troubles);
        troubles.fold(Troubles::default(), Troubles::and)
    }

    /// The stretches in which something of a source may have been lost, the oldest first.
    pub fn gaps(&self, source: &SourceName) -> Vec<Gap> {
        let mut troubled: BTreeMap<Bucket, Troubles> = BTreeMap::new();
        for marks in [None, Some(source.clone())].iter().filter_map(|whose| self.marks.get(whose)) {
            for (bucket, mark) in marks.iter().filter(|(_, mark)| !mark.troubles.is_empty()) {
                let known = troubled.entry(*bucket).or_default();
                *known = known.and(mark.troubles);
            }
        }
        let mut gaps: Vec<Gap> = Vec::new();
        for (bucket, troubles) in troubled {
            let (from, until) = (self.width.start_of(bucket), self.width.start_of(bucket.later(1)));
            match gaps.last_mut() {
                Some(gap) if gap.until == from && gap.troubles == troubles => gap.until = until,
                _ => gaps.push(Gap { from, until, troubles }),
            }
        }
        gaps
    }

    /// The first and last instants of every bucket of a source. No two that follow each other in one bucket hide a silence
    /// that is longer than a bucket.
    fn instants(&self, source: &SourceName) -> BTreeSet<Timestamp> {
        let marks = self.marks.get(&Some(source.clone())).into_iter().flatten();
        let heard = marks.filter_map(|(bucket, mark)| Some((self.width.start_of(*bucket), mark.heard?)));
        heard.flat_map(|(start, (first, last))| [start.plus(first), start.plus(last)]).collect()
    }

    fn mark(&mut self, whose: &Whose, bucket: Bucket) -> &mut Mark {
        self.marks.entry(whose.clone()).or_default().entry(bucket).or_default()
    }
}
