//! One file of a spool, from its lines to durable records.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::{self, TryRecvError};

use nix::libc;

use crate::config::Spool;
use crate::daemon::radius::Context;
use crate::daemon::writer::{WORK_RECORDS, Work};
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;
use crate::ingest::events::{Arrival, Outcome, Speaker};
use crate::store::Sealed;
use crate::wire::events::{Line, LineError, Lines};

/// Read at a time.
const CHUNK: usize = 64 << 10;

/// Why a file stays where it is.
pub(super) enum NotTaken {
    /// It cannot be read.
    Io(io::Error),
    /// The clock is in doubt, the disk full, or the daemon is stopping: later, or by the next daemon.
    NotNow,
}

/// What was in a file.
#[derive(Default)]
pub(super) struct Summary {
    pub(super) lines: u64,
    /// How many lines were dropped, the first of them, and why that one was.
    pub(super) dropped: Option<(u64, u64, String)>,
}

/// One file on its way.
struct Taking<'a> {
    context: &'a Context,
    spool: &'a Spool,
    source: SourceName,
    written: Timestamp,
    summary: Summary,
    sealed: Vec<Sealed>,
    /// Every instant that was spoken of, not the newest alone: who was silent for how long is told from them.
    heard: Vec<(SourceName, Timestamp)>,
    done: mpsc::Sender<()>,
    handed_over: usize,
}

/// Makes all of a file durable. Events without a time happened when the file was `written`: it may have lain there
/// while no daemon ran.
pub(super) fn take(
    context: &Context,
    spool: &Spool,
    path: &Path,
    written: Timestamp,
    stopping: &mpsc::Receiver<()>,
) -> Result<Summary, NotTaken> {
    // Neither what a link points to nor a pipe that nobody writes to.
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    let mut file = opened.map_err(NotTaken::Io)?;
    let (done, durable) = mpsc::channel();
    let summary = Summary::default();
    let source = SourceName(spool.source.name.clone());
    let (sealed, heard) = (Vec::new(), Vec::new());
    let mut taking = Taking { context, spool, source, written, summary, sealed, heard, done, handed_over: 0 };
    let (mut lines, mut buffer) = (Lines::default(), vec![0; CHUNK]);
    loop {
        let length = file.read(&mut buffer).map_err(NotTaken::Io)?;
        let mut rest = buffer.get(..length).unwrap_or_default();
        if length == 0 {
            break;
        }
        while let Some(line) = lines.next(&mut rest) {
            taking.take(line)?;
        }
        if !matches!(stopping.try_recv(), Err(TryRecvError::Empty)) {
            return Err(NotTaken::NotNow);
        }
    }
    if let Some(line) = lines.finish() {
        taking.take(line)?;
    }
    taking.hand_over()?;
    let Taking { summary, done, handed_over, .. } = taking;
    // Without this sender, the wait ends too if the writer drops what it was given: that is not durable.
    drop(done);
    for _ in 0..handed_over {
        durable.recv().map_err(|_| NotTaken::NotNow)?;
    }
    Ok(summary)
}

impl Taking<'_> {
    fn take(&mut self, line: Line<'_>) -> Result<(), NotTaken> {
        let Context { config, time, sealer, counters, room, queue, ears } = self.context;
        let present = time.present().map_err(|_| NotTaken::NotNow)?;
        if room.is_short() || !queue.accepting() {
            return Err(NotTaken::NotNow);
        }
        let arrival = Arrival { unstamped: self.written.min(present.now), ..Arrival::from(present) };
        let taken = Speaker { source: &self.spool.source, config, sealer }.take(line, arrival);
        let taken = taken.map_err(|_| NotTaken::NotNow)?;
        counters.line(&taken.outcome);
        ears.took(&self.source, &taken, present.now);
        self.summary.lines = self.summary.lines.saturating_add(1);
        self.note(&taken.outcome);
        self.sealed.extend(taken.sealed);
        self.heard.extend(taken.heard);
        if self.sealed.len() >= WORK_RECORDS { self.hand_over() } else { Ok(()) }
    }

    fn note(&mut self, outcome: &Outcome) {
        let reason = match outcome {
            Outcome::Kept | Outcome::Expired | Outcome::ResetIgnored => return,
            // The name of the field came with the line, and nobody knows what it says.
            Outcome::Malformed(LineError::UnknownField { .. }) => "unknown field".to_owned(),
            Outcome::Malformed(error) => error.to_string(),
            Outcome::Quarantined(reason) => reason.name().to_owned(),
        };
        let (count, _, _) = self.summary.dropped.get_or_insert((0, self.summary.lines, reason));
        *count = count.saturating_add(1);
    }

    fn hand_over(&mut self) -> Result<(), NotTaken> {
        if self.sealed.is_empty() {
            return Ok(());
        }
        let done = self.done.clone();
        let once_durable = Box::new(move || {
            // Whoever waited has been told to stop.
            let _ = done.send(());
        });
        let (sealed, heard) = (std::mem::take(&mut self.sealed), std::mem::take(&mut self.heard));
        let work = Work::Records { sealed, heard, once_durable };
        self.handed_over = self.handed_over.saturating_add(1);
        self.context.queue.send_blocking(work).map_err(|_| NotTaken::NotNow)
    }
}
