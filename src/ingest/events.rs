//! What to do with one line of an event stream or of a spool. Pure; the loops around it own the connection and the
//! files.

use crate::config::{Config, Source};
use crate::domain::event::Quarantine;
use crate::domain::identity::{NasId, SourceName};
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::{Sealed, Sealer};
use crate::wire::events::{self, Line, LineError};

use super::admit;
use super::radius::NotKept;

/// One source that speaks in lines.
pub struct Speaker<'a> {
    /// Who it is.
    pub source: &'a Source,
    /// What is ours, and who may speak of it.
    pub config: &'a Config,
    /// Seals what is kept.
    pub sealer: &'a Sealer,
}

/// When a line arrived, and what was past then.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The instant.
    pub received: Timestamp,
    /// The instant of an event that names none: the same, unless the line lay somewhere before.
    pub unstamped: Timestamp,
    /// What is past for good.
    pub expired: Cutoff,
    /// The published cutoff, which hides more than that only where the clock was set back.
    pub cutoff: Cutoff,
}

/// What became of one line. Each is final: what is not taken now never will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept, once its records are durable.
    Kept,
    /// It was older than the window when it arrived: taken and not stored.
    Expired,
    /// A reset from a source whose resets mean nothing.
    ResetIgnored,
    /// It is no event.
    Malformed(LineError),
    /// It is an event, and not one that this source may state or that is of any use.
    Quarantined(Quarantine),
}

/// One line, judged.
pub struct Taken {
    /// To be stored; empty unless it is kept.
    pub sealed: Vec<Sealed>,
    /// When the source says it happened.
    pub heard: Option<(SourceName, Timestamp)>,
    /// The source's own stamp, believed or not.
    pub stamp: Option<Timestamp>,
    /// What became of it.
    pub outcome: Outcome,
}

impl Speaker<'_> {
    /// Reads, judges and seals a line. An event that names two things of which one may not be kept is not kept at all.
    ///
    /// # Errors
    ///
    /// If what should be kept cannot be. That is no fault of the line: it must be sent again.
    pub fn take(&self, line: Line<'_>, arrival: Arrival) -> Result<Taken, NotKept> {
        let bare = |outcome| Taken { sealed: Vec::new(), heard: None, stamp: None, outcome };
        let event = match self.read(line) {
            Ok(event) => event,
            Err(error) => return Ok(bare(Outcome::Malformed(error))),
        };
        let Arrival { received, unstamped, expired, cutoff } = arrival;
        let received = if event.time.stamp.is_some() { received } else { unstamped };
        let admission = admit(&event, self.source, self.config, self.sealer, received, expired);
        if let Some(reason) = admission.quarantined.first() {
            return Ok(bare(Outcome::Quarantined(*reason)));
        }
        if admission.expired_on_arrival {
            return Ok(bare(Outcome::Expired));
        }
        if admission.records.is_empty() {
            return Ok(bare(Outcome::ResetIgnored));
        }
        if cutoff.hides(admission.at) {
            return Err(NotKept::Hidden);
        }
        let sealed = admission.records.iter().map(|(record, entity)| self.sealer.seal(record, entity));
        let sealed = sealed.collect::<Result<_, _>>()?;
        let heard = Some((SourceName(self.source.name.clone()), admission.at));
        Ok(Taken { sealed, heard, stamp: event.time.stamp, outcome: Outcome::Kept })
    }

    /// What a line says of the time, also where nothing else is taken of it.
    pub fn stamp(&self, line: Line<'_>) -> Option<Timestamp> {
        self.read(line).ok()?.time.stamp
    }

    fn read(&self, line: Line<'_>) -> Result<crate::domain::event::Event, LineError> {
        match line {
            Line::Whole(line) => events::read(line, &NasId(self.source.name.clone())),
            Line::TooLong => Err(LineError::TooLong),
        }
    }
}

/// What a source is told of an event that is not kept.
pub const fn words(reason: Quarantine) -> &'static str {
    match reason {
        Quarantine::NoStatusType => "no status type",
        Quarantine::OtherStatusType => "no statement about a session",
        Quarantine::NoSession => "nothing tells its session from another",
        Quarantine::NoAddress => "it names no address",
        Quarantine::NoSubscriber => "it names no subscriber",
        Quarantine::NotOurs => "the address lies in no configured network",
        Quarantine::ForeignSource => "the address lies in a network that names other sources",
        Quarantine::TooLate => "it happened longer ago than max-delay allows",
    }
}
