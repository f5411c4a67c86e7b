//! The daemon's API over its Unix socket, one connection for all questions that follow one another. HTTP/1.1 as the daemon speaks it,
//! and no more.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::de::DeserializeOwned;

/// An open connection.
pub(crate) struct Api {
    socket: PathBuf,
    stream: BufReader<UnixStream>,
    token: String,
}

/// What came back with status 200.
pub(crate) struct Reply {
    body: Vec<u8>,
    timing: String,
}

impl Api {
    /// Connects to `socket`; every request carries `token`.
    pub(crate) fn open(socket: &Path, token: &str) -> anyhow::Result<Self> {
        Ok(Self { socket: socket.to_owned(), stream: connect(socket)?, token: token.to_owned() })
    }

    /// Posts a body, or gets if there is none.
    pub(crate) fn ask(&mut self, path: &str, body: Option<&str>) -> anyhow::Result<Reply> {
        let (method, body) = (if body.is_some() { "POST" } else { "GET" }, body.unwrap_or_default());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: lapsed\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        if self.stream.get_mut().write_all(request.as_bytes()).is_err() {
            // The daemon closes a connection on which nothing was asked for a while.
            self.stream = connect(&self.socket)?;
            self.stream.get_mut().write_all(request.as_bytes()).context("ask the daemon")?;
        }
        let status = self.line()?;
        let (mut length, mut timing) = (0, String::new());
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().context("read the length of an answer")?,
                "server-timing" => value.trim().clone_into(&mut timing),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).context("read an answer")?;
        ensure!(status.contains(" 200 "), "{path}: {status}: {}", String::from_utf8_lossy(&body));
        Ok(Reply { body, timing })
    }

    /// Gets JSON.
    pub(crate) fn get<T: DeserializeOwned>(&mut self, path: &str) -> anyhow::Result<T> {
        self.ask(path, None)?.read()
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).context("read an answer")?;
        ensure!(line.ends_with("\r\n"), "the daemon closed the connection");
        Ok(line.trim_end().to_owned())
    }
}

fn connect(socket: &Path) -> anyhow::Result<BufReader<UnixStream>> {
    let stream = UnixStream::connect(socket).with_context(|| format!("connect to {}", socket.display()))?;
    Ok(BufReader::new(stream))
}

impl Reply {
    /// The body as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).context("read an answer")
    }

    /// What the daemon says that a part of the answer took (W3C Server Timing).
    pub(crate) fn took(&self, part: &str) -> Option<Duration> {
        let parts = self.timing.split(',').map(str::trim);
        let millis: f64 =
            parts.filter_map(|text| text.strip_prefix(part)?.strip_prefix(";dur=")).next()?.parse().ok()?;
        Duration::try_from_secs_f64(millis / 1000.0).ok()
    }
}
