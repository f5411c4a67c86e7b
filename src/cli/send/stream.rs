//! The lines on their way: what has no answer is kept, and goes out again on the next connection.

use std::collections::VecDeque;
use std::convert::Infallible;

use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;

use crate::api::{EVENTS, EventAck, NDJSON, Problem, StreamEnd};
use crate::cli::connect::ConnectError;
use crate::cli::{Connection, Ending, say, tell, token};

use super::input::Input;
use crate::cli::progress::Progress;

/// Lines that may wait for their answers.
const MOST_LINES: usize = 1 << 14;
/// The same, in bytes.
const MOST_BYTES: usize = 8 << 20;
/// So much goes out at a time.
const LOT: usize = 64 << 10;
/// The longest problem document that is read.
const MOST_PROBLEM: usize = 64 << 10;

/// Why an attempt ended before everything was answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the connection to the daemon broke: {0}")]
    Broken(String),
    #[error("{}: {}", .0.title, .0.detail)]
    Problem(Problem),
    #[error("the daemon's answer cannot be understood: {0}")]
    Answer(String),
    #[error("the input cannot be read any further: {0}")]
    Input(std::io::Error),
    #[error("the answers cannot be printed: {0}")]
    Output(std::io::Error),
}

impl Trouble {
    /// May it be gone after a while?
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Connect(error) => error.passes(),
            Self::Broken(_) => true,
            Self::Problem(problem) => matches!(problem.status, 429 | 503),
            Self::Answer(_) | Self::Input(_) | Self::Output(_) => false,
        }
    }

    pub(super) fn ending(&self) -> Ending {
        match self {
            Self::Connect(error) => error.ending(),
            Self::Broken(_) => Ending::Unreachable,
            Self::Problem(problem) => Ending::of_problem(problem),
            Self::Input(_) => Ending::Usage,
            Self::Answer(_) | Self::Output(_) => Ending::Fault,
        }
    }
}

/// What is sent, over all connections.
pub(super) struct Sending {
    input: Input,
    progress: Progress,
    /// Lines without an answer, in their order.
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    /// How many of them went out on this connection.
    sent: usize,
    input_ended: bool,
    answered: u64,
    refused: u64,
    was_connected: bool,
}

/// One connection's request.
struct Exchange {
    body: Option<Sender<Bytes>>,
    response: JoinHandle<Result<Response<Incoming>, hyper::Error>>,
    driver: JoinHandle<Result<(), hyper::Error>>,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.response.abort();
        self.driver.abort();
    }
}

impl Sending {
    pub(super) fn new(input: Input, progress: Progress) -> Self {
        let waiting = VecDeque::new();
        Self {
            input,
            progress,
            waiting,
            bytes: 0,
            sent: 0,
            input_ended: false,
            answered: 0,
            refused: 0,
            was_connected: false,
        }
    }

    /// Lines that were answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered
    }

    /// Those of them that were refused.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// Has a daemon ever begun to answer?
    pub(super) fn was_connected(&self) -> bool {
        self.was_connected
    }

    /// Says something beside the progress.
    pub(super) fn tell(&self, text: &str) {
        self.progress.suspend(|| tell(text));
    }

    /// Takes the progress away.
    pub(super) fn finish(&self) {
        self.progress.finish();
    }

    /// One connection: sends what has no answer, then what comes, until all is answered.
    pub(super) async fn attempt(&mut self, connection: &Connection) -> Result<(), Trouble> {
        self.sent = 0;
        let mut exchange = self.connect(connection).await?;
        let mut lot: Option<(Bytes, usize)> = None;
        let mut answers = loop {
            self.prepare(&mut lot, &mut exchange);
            tokio::select! {
                response = &mut exchange.response => break self.begun(response).await?,
                went = self.go(&mut lot, &mut exchange.body) => self.went(went, &mut lot, &mut exchange)?,
            }
        };
        let mut text = Vec::new();
        loop {
            self.prepare(&mut lot, &mut exchange);
            tokio::select! {
                frame = answers.frame() => match frame {
                    Some(Ok(frame)) => self.hear(&frame.into_data().unwrap_or_default(), &mut text)?,
                    Some(Err(error)) => return Err(Trouble::Broken(error.to_string())),
                    None if self.input_ended && self.waiting.is_empty() => return Ok(()),
                    None => return Err(Trouble::Broken("it ended before every line was answered".to_owned())),
                },
                went = self.go(&mut lot, &mut exchange.body) => self.went(went, &mut lot, &mut exchange)?,
            }
        }
    }

    async fn connect(&self, connection: &Connection) -> Result<Exchange, Trouble> {
        let stream = connection.open().await?;
        let broken = |error: hyper::Error| Trouble::Broken(error.to_string());
        let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let (body, channel) = Channel::<Bytes, Infallible>::new(1);
        let first = self.answered.saturating_add(1);
        let mut request = Request::builder().method(Method::POST).uri(format!("{EVENTS}?first={first}"));
        request = request.header(header::HOST, "lapsed").header(header::CONTENT_TYPE, NDJSON);
        if let Some(token) = token() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(channel).map_err(|error| Trouble::Broken(error.to_string()))?;
        Ok(Exchange {
            body: Some(body),
            driver: tokio::spawn(driver),
            response: tokio::spawn(async move { sender.send_request(request).await }),
        })
    }

    /// The next lot of lines that have not gone out; ends the body when there will be no more.
    fn prepare(&self, lot: &mut Option<(Bytes, usize)>, exchange: &mut Exchange) {
        if lot.is_some() {
            return;
        }
        let (mut bytes, mut lines) = (Vec::new(), 0);
        for line in self.waiting.iter().skip(self.sent) {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
            lines += 1;
            if bytes.len() >= LOT {
                break;
            }
        }
        if lines > 0 {
            *lot = Some((bytes.into(), lines));
        } else if self.input_ended {
            exchange.body = None;
        }
    }

    /// Sends a lot, or waits for more lines. Nothing is lost if this is dropped half-way.
    async fn go(&mut self, lot: &mut Option<(Bytes, usize)>, body: &mut Option<Sender<Bytes>>) -> Went {
        if let (Some((bytes, _)), Some(body)) = (lot.as_ref(), body.as_mut()) {
            return match body.send_data(bytes.clone()).await {
                Ok(()) => Went::Out,
                // The response says why, or the connection's end.
                Err(_) => Went::Nowhere,
            };
        }
        let is_full = self.waiting.len() >= MOST_LINES || self.bytes >= MOST_BYTES;
        if self.input_ended || is_full || body.is_none() {
            return std::future::pending().await;
        }
        Went::In(self.input.recv().await)
    }

    fn went(&mut self, went: Went, lot: &mut Option<(Bytes, usize)>, exchange: &mut Exchange) -> Result<(), Trouble> {
        match went {
            Went::Out => {
                self.sent = self.sent.saturating_add(lot.take().map_or(0, |(_, lines)| lines));
            }
            Went::Nowhere => exchange.body = None,
            Went::In(None) => self.input_ended = true,
            Went::In(Some(lines)) => {
                for line in lines.map_err(Trouble::Input)? {
                    self.bytes = self.bytes.saturating_add(line.len());
                    self.waiting.push_back(line);
                }
            }
        }
        Ok(())
    }

    async fn begun(
        &mut self,
        response: Result<Result<Response<Incoming>, hyper::Error>, tokio::task::JoinError>,
    ) -> Result<Incoming, Trouble> {
        let response = response.map_err(|error| Trouble::Broken(error.to_string()))?;
        let response = response.map_err(|error| Trouble::Broken(error.to_string()))?;
        if response.status() == StatusCode::OK {
            self.was_connected = true;
            return Ok(response.into_body());
        }
        let document = Limited::new(response.into_body(), MOST_PROBLEM).collect().await;
        let document = document.map_err(|error| Trouble::Broken(error.to_string()))?.to_bytes();
        let problem = serde_json::from_slice(&document).map_err(|error| Trouble::Answer(error.to_string()))?;
        Err(Trouble::Problem(problem))
    }

    /// Prints the whole lines of what came, exactly as they are, and lets go of what they answer.
    fn hear(&mut self, data: &[u8], text: &mut Vec<u8>) -> Result<(), Trouble> {
        text.extend_from_slice(data);
        let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
        let rest = text.split_off(end + 1);
        let whole = std::mem::replace(text, rest);
        let mut printed = 0;
        let mut ended = Ok(());
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            ended = self.settle(line);
            if ended.is_err() {
                break;
            }
            printed += line.len();
        }
        let printed = String::from_utf8_lossy(whole.get(..printed).unwrap_or_default());
        say(&printed).map_err(Trouble::Output)?;
        ended
    }

    fn settle(&mut self, line: &[u8]) -> Result<(), Trouble> {
        if let Ok(StreamEnd { problem }) = serde_json::from_slice(line) {
            return Err(Trouble::Problem(problem));
        }
        let ack: EventAck = serde_json::from_slice(line).map_err(|error| Trouble::Answer(error.to_string()))?;
        let expected = self.answered.saturating_add(1);
        let sent = self.waiting.pop_front().filter(|_| ack.line == expected && self.sent > 0);
        let Some(sent) = sent else {
            return Err(Trouble::Answer(format!("line {} was answered where {expected} was due", ack.line)));
        };
        self.sent -= 1;
        self.bytes = self.bytes.saturating_sub(sent.len());
        self.answered = expected;
        self.refused = self.refused.saturating_add(u64::from(!ack.ok));
        self.progress.answered(sent.len() + 1, self.answered);
        Ok(())
    }
}

/// What happened while the answer was waited for.
enum Went {
    /// A lot went out.
    Out,
    /// The connection takes no more.
    Nowhere,
    /// Lines came in, or their end.
    In(Option<std::io::Result<Vec<Vec<u8>>>>),
}
