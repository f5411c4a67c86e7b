//! The API by hand over one kept connection: for tests that ask thousands, or what `lapse` does not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use lapsed::api::{LOOKUPS, LookupAnswer, LookupRequest};
use lapsed::domain::time::Timestamp;

use super::{PATIENCE, text};

/// A connection to the daemon's socket.
pub(crate) struct Api {
    stream: BufReader<UnixStream>,
    token: String,
}

impl Api {
    /// Connects.
    pub(crate) fn connect(socket: &Path, token: &str) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream: BufReader::new(stream), token: token.to_owned() }
    }

    /// Looks an address up under a subpoena.
    pub(crate) fn lookup(&mut self, address: &str, at: Timestamp) -> LookupAnswer {
        let request = LookupRequest {
            address: address.to_owned(),
            at: at.to_string(),
            port: None,
            realm: None,
            process: "subpoena".to_owned(),
            case: "24-CR-1022".to_owned(),
            authority: "Example District Court".to_owned(),
        };
        let body = serde_json::to_vec(&request).unwrap();
        let (head, body) = self.ask("POST", LOOKUPS, &[], &body);
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}{}", text(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// Sends a request with further headers, and reads the head and the body of what comes. Without a token, none is shown.
    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (String, Vec<u8>) {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: lapsed\r\ncontent-type: application/json\r\n");
        if !self.token.is_empty() {
            head += &format!("authorization: Bearer {}\r\n", self.token);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", body.len());
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat()).unwrap();
        self.response()
    }

    fn response(&mut self) -> (String, Vec<u8>) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.stream.read_line(&mut head).unwrap(), 0, "the connection ended after {head:?}");
        }
        let body = match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
            Some(length) => self.exactly(length.parse().unwrap()),
            None => self.chunks(),
        };
        (head, body)
    }

    fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        body
    }

    /// A body in chunks (RFC 9112, section 7.1).
    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let mut size = String::new();
            self.stream.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
            body.extend(self.exactly(size));
            assert_eq!(self.exactly(2), b"\r\n");
            if size == 0 {
                return body;
            }
        }
    }
}
