//! The event stream as a program speaks it: HTTP by hand over the daemon's socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use lapsed::api::{EVENTS, EventAck};
use lapsed::domain::time::Timestamp;

use super::PATIENCE;

/// A start of a session with an address and a subscriber of its own, as a line.
pub(crate) fn start(number: u32, at: Timestamp) -> String {
    let (address, subscriber) = (address(number), subscriber(number));
    format!(
        r#"{{"kind":"start","time":"{at}","address":"{address}","subscriber":"{subscriber}","session":"s-{number}"}}"#
    )
}

/// The address of an event's number.
pub(crate) fn address(number: u32) -> String {
    std::net::Ipv6Addr::from((0x2001_0db8_u128 << 96) | u128::from(number)).to_string()
}

/// The subscriber of an event's number.
pub(crate) fn subscriber(number: u32) -> String {
    format!("subscriber-{number}")
}

/// An open request.
pub(crate) struct Stream {
    stream: UnixStream,
}

/// What came back.
pub(crate) struct Answers {
    stream: BufReader<UnixStream>,
    /// The status line and the headers.
    pub(crate) head: String,
    left: usize,
    ended: bool,
}

impl Stream {
    /// Sends the head of a request whose body is sent in chunks.
    pub(crate) fn open(socket: &Path, token: &str, query: &str) -> Self {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST {EVENTS}{query} HTTP/1.1\r\nhost: lapsed\r\nauthorization: Bearer {token}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self { stream }
    }

    /// Sends bytes of the body. `false` if the daemon is gone.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> bool {
        let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        bytes.is_empty() || self.stream.write_all(&chunk).is_ok()
    }

    /// Ends the body.
    pub(crate) fn end(&mut self) {
        // The daemon may have ended its answer already.
        let _ = self.stream.write_all(b"0\r\n\r\n");
    }

    /// Cuts the connection for what is still to be sent, in the middle of the body.
    pub(crate) fn cut(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The answers, beside which more may be sent.
    pub(crate) fn answers(&self) -> Answers {
        Answers { stream: BufReader::new(self.stream.try_clone().unwrap()), head: String::new(), left: 0, ended: false }
    }
}

impl Answers {
    /// Reads the head.
    pub(crate) fn begin(&mut self) -> &str {
        while !self.head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut self.head).unwrap_or(0) == 0 {
                break;
            }
        }
        &self.head
    }

    /// The next line of the answer, or `None` where it or the connection ends.
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            if self.left == 0 && !self.chunk() {
                return None;
            }
            let mut piece = Vec::new();
            let limit = u64::try_from(self.left).unwrap();
            let read = (&mut self.stream).take(limit).read_until(b'\n', &mut piece).unwrap_or(0);
            if read == 0 {
                return None;
            }
            self.left -= read;
            line.extend(piece);
        }
        Some(String::from_utf8(line).unwrap())
    }

    /// The next acknowledgement.
    pub(crate) fn ack(&mut self) -> Option<EventAck> {
        serde_json::from_str(&self.line()?).ok()
    }

    /// Was the answer ended in order?
    pub(crate) fn is_whole(&self) -> bool {
        self.ended
    }

    fn chunk(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let mut size = String::new();
        while size.trim().is_empty() {
            if self.stream.read_line(&mut size).unwrap_or(0) == 0 {
                return false;
            }
        }
        self.left = usize::from_str_radix(size.trim(), 16).unwrap();
        self.ended = self.left == 0;
        !self.ended
    }
}

/// Sends a whole body and reads every line of the answer.
pub(crate) fn exchange(socket: &Path, token: &str, body: &[u8]) -> Vec<String> {
    let mut stream = Stream::open(socket, token, "");
    let mut answers = stream.answers();
    for chunk in body.chunks(60_000) {
        assert!(stream.send(chunk));
    }
    stream.end();
    assert!(answers.begin().starts_with("HTTP/1.1 200 "), "{}", answers.head);
    let lines: Vec<String> = std::iter::from_fn(|| answers.line()).collect();
    assert!(answers.is_whole());
    lines
}
