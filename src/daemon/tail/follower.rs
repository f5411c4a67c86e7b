//! Follows one lease file through its generations. Reads files and nothing else: it is told what time it is, and what is read
//! is kept by others.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use crate::config::LeaseFile;
use crate::domain::event::Event;
use crate::domain::lease::LeaseFormat;
use crate::domain::time::Timestamp;
use crate::sources::{Flaw, Memory, Naming, Said};

use super::generation::{Generation, Row};
use super::names::{self, Present};
use super::place::Place;

/// Events given out at once. Each becomes two records at most, and a piece of work carries 64.
const MOST_EVENTS: usize = 32;

/// Generations held open at once. More have to wait for their turn, and may be gone by then.
const MOST_GENERATIONS: usize = 64;

/// Rows that were lost: written between these instants, and gone before they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// What was read, up to a place.
pub(super) struct Taken {
    pub(super) events: Vec<Event>,
    pub(super) flaws: Vec<Flaw>,
    pub(super) rows: u64,
    pub(super) place: Place,
}

/// A follower. `hash` is keyed: a place must not tell what stands at a file's beginning.
pub(super) struct Follower<H> {
    path: PathBuf,
    format: LeaseFormat,
    hash: H,
    /// The oldest first: that one is being read.
    open: VecDeque<Generation>,
    /// Read of the first, and not given out yet.
    rows: VecDeque<Row>,
    memory: Memory,
    heard: Timestamp,
    /// Where the last that was given out ended.
    placed: Option<Place>,
}

impl<H: Fn(&[u8]) -> [u8; 8]> Follower<H> {
    /// Goes on where `place` is, or begins with the oldest that is there. What was before it is read for the memory alone.
    pub(super) fn start(
        file: &LeaseFile,
        place: Option<Place>,
        hash: H,
        naming: &Naming,
        now: Timestamp,
    ) -> io::Result<(Self, Option<Lost>)> {
        let Present { files, digest } = names::open_all(&file.path, file.format)?;
        let mut follower = Self {
            path: file.path.clone(),
            format: file.format,
            hash,
            open: files.into(),
            rows: VecDeque::new(),
            memory: Memory::default(),
            heard: place.map_or(Timestamp::EPOCH, |place| place.heard),
            placed: place,
        };
        let Some(place) = place else { return Ok((follower, None)) };
        let mut found = None;
        for (index, generation) in follower.open.iter().enumerate() {
            let is_it = generation.id == place.file
                && generation.len()? >= place.offset
                && generation.head(place.offset, &follower.hash)? == place.head;
            found = found.or(is_it.then_some(index));
        }
        let Some(found) = found else {
            // A digest has everything that was written before it was begun, save what was given up meanwhile.
            let digested = follower.open.front().filter(|_| digest).and_then(Generation::written);
            let until = digested.unwrap_or(now).min(now).max(place.heard);
            return Ok((follower, Some(Lost { from: place.heard, until })));
        };
        for _ in 0..found {
            let Some(mut earlier) = follower.open.pop_front() else { break };
            follower.recall(&mut earlier, u64::MAX, naming, now)?;
        }
        if let Some(mut current) = follower.open.pop_front() {
            follower.recall(&mut current, place.offset, naming, now)?;
            follower.open.push_front(current);
        }
        Ok((follower, None))
    }

    /// Reads rows that were given out before, for what they say of later ones.
    fn recall(&mut self, of: &mut Generation, limit: u64, naming: &Naming, now: Timestamp) -> io::Result<()> {
        let latest = of.written().map_or(now, |written| written.min(now));
        loop {
            let rows = of.rows(limit)?;
            if rows.is_empty() {
                return Ok(());
            }
            for lease in rows.into_iter().filter_map(|row| row.read.ok()) {
                drop(self.memory.event(lease, latest, naming));
            }
        }
    }

    /// Looks whether the file was renamed or cut off. To be called often, also while nothing can be taken: a generation that is
    /// held open is not lost.
    pub(super) fn watch(&mut self, now: Timestamp) -> io::Result<Option<Lost>> {
        let known = |open: &VecDeque<Generation>, other: &Generation| open.iter().any(|one| one.id == other.id);
        let cut_off = match self.open.back() {
            Some(newest) => newest.is_cut_off()?,
            None => false,
        };
        if cut_off {
            let from = self.heard;
            if self.open.len() == 1 {
                self.rows.clear();
            }
            self.open.back_mut().into_iter().for_each(Generation::rewind);
            self.memory.clear();
            return Ok(Some(Lost { from, until: now.max(from) }));
        }
        let Some(current) = Generation::open(&self.path, self.format)? else { return Ok(None) };
        if known(&self.open, &current) || self.open.len() >= MOST_GENERATIONS {
            return Ok(None);
        }
        // Renamed twice since the last look: the one in between is still there, or was made part of a digest.
        if let Some(between) = names::previous(&self.path, self.format)?
            && !self.open.is_empty()
            && !known(&self.open, &between)
            && between.id != current.id
        {
            self.open.push_back(between);
        }
        self.open.push_back(current);
        Ok(None)
    }

    /// Takes what comes next; `None` if there is nothing new.
    pub(super) fn take(&mut self, now: Timestamp, naming: &Naming) -> io::Result<Option<Taken>> {
        self.fill()?;
        let Some(generation) = self.open.front() else { return Ok(None) };
        let written = generation.written().map_or(now, |written| written.min(now));
        let mut taken = (Vec::new(), Vec::new(), 0_u64);
        let mut rest = None;
        while taken.0.len() < MOST_EVENTS
            && let Some(row) = self.rows.pop_front()
        {
            rest = Some(row.rest);
            taken.2 = taken.2.saturating_add(1);
            match row.read {
                Err(flaw) => taken.1.push(flaw),
                Ok(lease) => {
                    // Rows are written in their order: this one, before the next one's client spoke.
                    let next = self.rows.iter().find_map(held_at).unwrap_or(written);
                    let event = self.memory.event(lease, written.min(next).max(self.heard.min(written)), naming);
                    let stamp = event.as_ref().and_then(|event| event.time.stamp);
                    self.heard = stamp.map_or(self.heard, |stamp| stamp.min(now).max(self.heard));
                    taken.0.extend(event);
                }
            }
        }
        // What says nothing by itself, such as a header, is behind the last row.
        let offset = if self.rows.is_empty() { generation.rest } else { rest.unwrap_or(generation.rest) };
        let (events, flaws, rows) = taken;
        let is_new = self.placed.is_none_or(|placed| placed.file != generation.id || placed.offset != offset);
        if rows == 0 && (!is_new || offset == 0) {
            return Ok(None);
        }
        let place =
            Place { file: generation.id, offset, heard: self.heard, head: generation.head(offset, &self.hash)? };
        self.placed = Some(place);
        Ok(Some(Taken { events, flaws, rows, place }))
    }

    /// Reads ahead, so that a row that needs the next one's time has it; goes on to the next generation once one is at its end.
    fn fill(&mut self) -> io::Result<()> {
        while self.rows.len() < MOST_EVENTS.saturating_mul(2) {
            let Some(generation) = self.open.front_mut() else { return Ok(()) };
            let more = generation.rows(u64::MAX)?;
            if !more.is_empty() {
                self.rows.extend(more);
            } else if self.rows.is_empty() && self.open.len() > 1 {
                // Its successor was there before its end was read: nobody writes to it any more.
                drop(self.open.pop_front());
            } else {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn held_at(row: &Row) -> Option<Timestamp> {
    match row.read.as_ref().ok()?.said {
        Said::Held { at, .. } => Some(at),
        Said::Released(_) | Said::Declined(_) | Said::Expired => None,
    }
}
