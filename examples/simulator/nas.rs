//! A NAS at its socket: sends, waits, sends again with the same identifier, and gives up in the end.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::ops::AddAssign;
use std::time::Duration;

use anyhow::Context as _;
use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::client::verify_reply;
use lapsed::wire::radius::packet::Packet;

use super::evening::{Cue, Fate, Site};

/// After how long without an acknowledgement a request is sent again.
const TIMEOUT: Duration = Duration::from_millis(700);
/// How often it is sent at most.
const TRIES: u32 = 4;

/// What became of the requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Statements made.
    pub(crate) said: u64,
    /// Statements acknowledged.
    pub(crate) acknowledged: u64,
    /// Datagrams and acknowledgements lost on the way.
    pub(crate) lost: u64,
    /// Datagrams sent again.
    pub(crate) repeated: u64,
    /// Statements given up.
    pub(crate) given_up: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.said += other.said;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.given_up += other.given_up;
    }
}

/// A NAS that is up.
pub(crate) struct Nas {
    site: Site,
    socket: UdpSocket,
    secret: Vec<u8>,
    next_identifier: u8,
    waiting: BTreeMap<u8, Waiting>,
    /// What became of its requests so far.
    pub(crate) tally: Tally,
}

/// A request without its acknowledgement.
struct Waiting {
    datagram: Vec<u8>,
    sent_at: Timestamp,
    tries: u32,
    fate: Fate,
}

impl Nas {
    /// A NAS that speaks from its own loopback address to `server`.
    pub(crate) fn connect(site: Site, server: SocketAddr, secret: &[u8]) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((site.speaks_from, 0)).with_context(|| format!("bind {}", site.speaks_from))?;
        socket.connect(server).with_context(|| format!("connect to {server}"))?;
        socket.set_nonblocking(true).context("make a socket non-blocking")?;
        let secret = secret.to_vec();
        Ok(Self { site, socket, secret, next_identifier: 0, waiting: BTreeMap::new(), tally: Tally::default() })
    }

    /// Says something that happened at `happened`, now.
    pub(crate) fn say(&mut self, cue: &Cue, happened: Timestamp, now: Timestamp) -> anyhow::Result<()> {
        let identifier =
            self.free_identifier().context("255 requests wait for an acknowledgement: is the daemon up?")?;
        let datagram = cue.statement.datagram(identifier, happened.minus(self.site.slow), &self.secret)?;
        self.tally.said += 1;
        match cue.fate {
            Fate::Delivered | Fate::AckLost => self.send(&datagram)?,
            Fate::Lost | Fate::Never => self.tally.lost += 1,
        }
        self.waiting.insert(identifier, Waiting { datagram, sent_at: now, tries: 1, fate: cue.fate });
        Ok(())
    }

    /// Takes in the acknowledgements that came, and repeats what has waited for too long.
    pub(crate) fn attend(&mut self, now: Timestamp) -> anyhow::Result<()> {
        self.hear();
        let mut due = std::mem::take(&mut self.waiting);
        due.retain(|_, waiting| {
            if now.since(waiting.sent_at) >= TIMEOUT && waiting.tries == TRIES {
                self.tally.given_up += 1;
                return false;
            }
            true
        });
        for waiting in due.values_mut().filter(|waiting| now.since(waiting.sent_at) >= TIMEOUT) {
            waiting.tries += 1;
            waiting.sent_at = now;
            if waiting.fate == Fate::Never {
                self.tally.lost += 1;
                continue;
            }
            self.tally.repeated += 1;
            self.send(&waiting.datagram)?;
        }
        self.waiting = due;
        Ok(())
    }

    /// Does any request wait for its acknowledgement?
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn hear(&mut self) {
        let mut buffer = [0; 4096];
        // Nothing there ends it, and so does "connection refused" from a daemon that is gone; the caller watches for that.
        while let Ok(length) = self.socket.recv(&mut buffer) {
            let Some(reply) = buffer.get(..length) else { return };
            let Some(identifier) = reply.get(1).copied() else { continue };
            let Some(waiting) = self.waiting.get_mut(&identifier) else { continue };
            let Ok(request) = Packet::parse(&waiting.datagram) else { continue };
            if verify_reply(reply, &request.authenticator(), &self.secret).is_err() {
                continue;
            }
            if waiting.fate == Fate::AckLost && waiting.tries == 1 {
                self.tally.lost += 1;
                continue;
            }
            self.waiting.remove(&identifier);
            self.tally.acknowledged += 1;
        }
    }

    fn send(&self, datagram: &[u8]) -> anyhow::Result<()> {
        match self.socket.send(datagram) {
            // What the kernel cannot take now is lost like any other datagram, and repeated.
            Err(error) if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused) => {
                Err(error).context("send a datagram")
            }
            _ => Ok(()),
        }
    }

    /// The next identifier that no waiting request has.
    fn free_identifier(&mut self) -> Option<u8> {
        for _ in 0..=u8::MAX {
            let identifier = self.next_identifier;
            self.next_identifier = identifier.wrapping_add(1);
            if !self.waiting.contains_key(&identifier) {
                return Some(identifier);
            }
        }
        None
    }
}
