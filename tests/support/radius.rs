//! RADIUS as a NAS speaks it: datagrams by hand, and Debian's `radclient`.

use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Command, Output, Stdio};

use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::client::{RequestBuilder, verify_reply};

use super::PATIENCE;

/// The secret of every configured NAS.
pub(crate) const SECRET: &str = "a made-up shared secret";

/// A socket of a NAS.
pub(crate) struct Nas {
    socket: UdpSocket,
}

impl Nas {
    /// One at this address of ours, which sends to the daemon and hears only it.
    pub(crate) fn at(address: &str, daemon: SocketAddr) -> Self {
        let socket = UdpSocket::bind((address.parse::<IpAddr>().unwrap(), 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(daemon).unwrap();
        Self { socket }
    }

    /// Sends a datagram.
    pub(crate) fn send(&self, datagram: &[u8]) {
        assert_eq!(self.socket.send(datagram).unwrap(), datagram.len());
    }

    /// Waits for the next datagram.
    pub(crate) fn receive(&self) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    /// What has arrived already; never waits. A socket whose daemon is dead may say so first.
    pub(crate) fn arrived(&self) -> Vec<Vec<u8>> {
        self.socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 4096];
        let mut datagrams = Vec::new();
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(length) => datagrams.push(buffer[..length].to_vec()),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => break,
            }
        }
        self.socket.set_nonblocking(false).unwrap();
        datagrams
    }

    /// Sends a request, whose answer must be the next to arrive and acknowledge it. Returns the answer.
    pub(crate) fn ask(&self, request: &[u8]) -> Vec<u8> {
        self.send(request);
        let reply = self.receive();
        assert_eq!(acknowledged(&reply, request), Some(request[1]));
        reply
    }
}

/// The identifier of a request that `reply` acknowledges, if it is this one.
pub(crate) fn acknowledged(reply: &[u8], request: &[u8]) -> Option<u8> {
    let authenticator = request[4..20].try_into().unwrap();
    verify_reply(reply, &authenticator, SECRET.as_bytes()).ok()
}

/// The beginning of an accounting request.
pub(crate) fn request(identifier: u8, status: StatusType, session: &str, at: Timestamp) -> RequestBuilder {
    RequestBuilder::accounting(identifier).status(status).session(session.as_bytes()).event_timestamp(at)
}

/// The datagram, signed with the secret.
pub(crate) fn signed(request: RequestBuilder) -> Vec<u8> {
    request.sign(SECRET.as_bytes()).unwrap()
}

/// Runs `radclient` once with one packet; waits a second for its answer.
pub(crate) fn radclient(daemon: SocketAddr, command: &str, secret: &str, attributes: &[&str]) -> Output {
    let mut child = Command::new("radclient")
        .args(["-x", "-r", "1", "-t", "1", &daemon.to_string(), command, secret])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("radclient, of Debian's freeradius-utils");
    child.stdin.take().unwrap().write_all(attributes.join("\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
