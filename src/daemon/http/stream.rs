//! One stream of events: read line by line, made durable piece by piece, answered in order.
//!
//! Reading and answering are two halves that run side by side. The reader judges and seals as many lines as are there,
//! up to a piece, and hands them to the writer without waiting; the answerer waits for each piece in turn. What waits
//! for an answer is kept as runs of equal outcomes, so that a client may send a great deal before it reads anything;
//! beyond a budget the reader waits, and with it the client.

use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt as _;
use http_body_util::channel::Sender;
use hyper::body::Bytes;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::api::{EventAck, Problem, StreamEnd};
use crate::config::Source;
use crate::daemon::writer::{WORK_RECORDS, Work};
use crate::domain::coverage::Trouble;
use crate::domain::identity::SourceName;
use crate::domain::time::Timestamp;
use crate::ingest::events::{Arrival, Outcome, Speaker, words};
use crate::store::Sealed;
use crate::wire::events::{Line, Lines};

use super::App;

/// Lines in one piece; refused ones have no records, and are answered a piece at a time all the same.
const PIECE_LINES: u64 = 256;
/// Runs of outcomes, of all pieces, that may wait for their answers. A run takes some hundred bytes.
const WAITING_RUNS: usize = 1 << 16;
/// An answer is sent when it has so many bytes.
const ANSWER_BYTES: usize = 16 << 10;

/// Lines with the same outcome, one after the other.
struct Run {
    outcome: Outcome,
    lines: u64,
}

/// Lines that become durable together.
#[derive(Default)]
struct Piece {
    runs: Vec<Run>,
    lines: u64,
    sealed: Vec<Sealed>,
    /// Every instant that was spoken of, not the newest alone: who was silent for how long is told from them.
    heard: Vec<(SourceName, Timestamp)>,
}

impl Piece {
    fn add(&mut self, outcome: Outcome) {
        self.lines = self.lines.saturating_add(1);
        match self.runs.last_mut() {
            Some(run) if run.outcome == outcome => run.lines = run.lines.saturating_add(1),
            _ => self.runs.push(Run { outcome, lines: 1 }),
        }
    }

    fn is_full(&self) -> bool {
        self.sealed.len() >= WORK_RECORDS || self.lines >= PIECE_LINES
    }
}

/// A piece that was handed over.
struct Due {
    runs: Vec<Run>,
    /// Resolves when it is durable; fails if it never will be. `None`: nothing has to be.
    durable: Option<oneshot::Receiver<()>>,
}

/// One stream.
pub(super) struct Stream<'a> {
    app: &'a App,
    source: Source,
    name: SourceName,
    first: u64,
    budget: Arc<Semaphore>,
}

/// How the answering ended.
enum Answered {
    /// All that was handed over is answered.
    All,
    /// The writer is gone: what is not answered may be durable or not.
    Broken,
    /// The client is gone.
    Unheard,
}

impl<'a> Stream<'a> {
    pub(super) fn new(app: &'a App, source: Source, first: u64) -> Self {
        let name = SourceName(source.name.clone());
        Self { app, source, name, first, budget: Arc::new(Semaphore::new(WAITING_RUNS)) }
    }

    /// Takes lines until the body ends, the daemon stops or nothing can be taken. Each line that was handed over is
    /// answered; if others were left, the last line says why.
    pub(super) async fn run(&self, body: Body, mut answers: Sender<Bytes>) {
        let (pieces, due) = mpsc::unbounded_channel();
        let mut stopping = self.app.stopping.clone();
        let reading = async move {
            tokio::select! {
                end = self.read(body, &pieces) => end,
                _ = stopping.wait_for(|stop| *stop) => Some(Problem::unavailable("the daemon is stopping")),
            }
        };
        let (end, answered) = tokio::join!(reading, self.answer(due, &mut answers));
        let problem = match answered {
            Answered::All => end,
            Answered::Broken => Some(Problem::unavailable("the store failed, and takes no more events")),
            Answered::Unheard => None,
        };
        if let Some(problem) = problem {
            // Nobody may be left to read it.
            let _ = answers.send_data(line_of(&StreamEnd { problem }).into()).await;
        }
    }

    /// Hands over what comes, until it ends. Returns why it ended early, if it did and the client is there to be told.
    async fn read(&self, mut body: Body, pieces: &mpsc::UnboundedSender<Due>) -> Option<Problem> {
        let mut lines = Lines::default();
        loop {
            let data = match body.frame().await {
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                // The connection broke: a line whose end did not come is not one.
                Some(Err(_)) => return None,
                None => break,
            };
            let mut rest = &data[..];
            while !rest.is_empty() {
                if let Err(problem) = self.take_piece(&mut lines, &mut rest, pieces).await {
                    return problem;
                }
            }
        }
        let last = lines.finish()?;
        let mut piece = Piece::default();
        let taken = match self.app.can_take(&self.name) {
            Ok(present) => self.take(last, Arrival::from(present), &mut piece),
            Err(problem) => Err(problem),
        };
        match taken {
            Ok(()) => self.hand_over(piece, pieces).await.err().flatten(),
            Err(problem) => Some(problem),
        }
    }

    /// Takes lines up to a piece, and hands them over.
    async fn take_piece(
        &self,
        lines: &mut Lines,
        rest: &mut &[u8],
        pieces: &mpsc::UnboundedSender<Due>,
    ) -> Result<(), Option<Problem>> {
        // Asked once a piece: a clock that jumps is noticed before the next.
        let arrival = Arrival::from(self.app.can_take(&self.name).map_err(Some)?);
        let mut piece = Piece::default();
        let mut ended = Ok(());
        // The lines borrow what is left of the data only until they are judged.
        let mut left = *rest;
        while !piece.is_full() {
            let Some(line) = lines.next(&mut left) else { break };
            ended = self.take(line, arrival, &mut piece);
            if ended.is_err() {
                break;
            }
        }
        *rest = left;
        self.hand_over(piece, pieces).await?;
        ended.map_err(Some)
    }

    fn take(&self, line: Line<'_>, arrival: Arrival, piece: &mut Piece) -> Result<(), Problem> {
        let speaker = Speaker { source: &self.source, config: &self.app.config, sealer: &self.app.sealer };
        let taken = speaker.take(line, arrival).map_err(|error| {
            self.app.counters.refused.bump();
            self.app.ears.lost(Some(&self.name), arrival.received, Trouble::Refused);
            Problem::unavailable(format!("an event cannot be kept now: {error}"))
        })?;
        self.app.counters.line(&taken.outcome);
        self.app.ears.took(&self.name, &taken, arrival.received);
        piece.add(taken.outcome);
        piece.sealed.extend(taken.sealed);
        piece.heard.extend(taken.heard);
        Ok(())
    }

    /// Gives a piece to the writer, and its outcomes to the answerer, in this order and without a wait between them:
    /// what the answerer knows of is on its way.
    async fn hand_over(&self, piece: Piece, pieces: &mpsc::UnboundedSender<Due>) -> Result<(), Option<Problem>> {
        if piece.runs.is_empty() {
            return Ok(());
        }
        let runs = u32::try_from(piece.runs.len()).unwrap_or(u32::MAX);
        // Closed when the client is gone.
        self.budget.acquire_many(runs).await.map_err(|_| None)?.forget();
        let mut due = Due { runs: piece.runs, durable: None };
        if !piece.sealed.is_empty() {
            let (done, durable) = oneshot::channel();
            let once_durable = Box::new(move || {
                // The client may be gone; the records stand.
                let _ = done.send(());
            });
            let work = Work::Records { sealed: piece.sealed, heard: piece.heard, once_durable };
            if self.app.queue.send(work).await.is_err() {
                self.app.ears.lost(Some(&self.name), self.app.time.believed(), Trouble::Refused);
                return Err(Some(Problem::unavailable("the store takes no events")));
            }
            due.durable = Some(durable);
        }
        pieces.send(due).map_err(|_| None)
    }

    /// Answers each piece once it is durable.
    async fn answer(&self, mut due: mpsc::UnboundedReceiver<Due>, answers: &mut Sender<Bytes>) -> Answered {
        let mut number = self.first;
        while let Some(Due { runs, durable }) = due.recv().await {
            if let Some(durable) = durable
                && durable.await.is_err()
            {
                self.budget.close();
                return Answered::Broken;
            }
            let mut text = Vec::new();
            for run in &runs {
                for _ in 0..run.lines {
                    text.extend(line_of(&ack(number, &run.outcome)));
                    number = number.saturating_add(1);
                    let is_full = text.len() >= ANSWER_BYTES;
                    if is_full && answers.send_data(std::mem::take(&mut text).into()).await.is_err() {
                        self.budget.close();
                        return Answered::Unheard;
                    }
                }
            }
            if !text.is_empty() && answers.send_data(text.into()).await.is_err() {
                self.budget.close();
                return Answered::Unheard;
            }
            self.budget.add_permits(runs.len());
        }
        Answered::All
    }
}

fn ack(line: u64, outcome: &Outcome) -> EventAck {
    let taken = |note: Option<&str>| EventAck { line, ok: true, note: note.map(str::to_owned), error: None };
    let refused = |error: String| EventAck { line, ok: false, note: None, error: Some(error) };
    match outcome {
        Outcome::Kept => taken(None),
        Outcome::Expired => taken(Some("expired-on-arrival")),
        Outcome::ResetIgnored => taken(Some("reset-ignored")),
        Outcome::Malformed(error) => refused(error.to_string()),
        Outcome::Quarantined(reason) => refused(format!("{}: {}", reason.name(), words(*reason))),
    }
}

fn line_of(value: &impl Serialize) -> Vec<u8> {
    // Structs of texts and numbers always have a JSON.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

impl From<crate::daemon::time::Present> for Arrival {
    fn from(present: crate::daemon::time::Present) -> Self {
        Self { received: present.now, unstamped: present.now, expired: present.expired, cutoff: present.cutoff }
    }
}
