//! One socket with its 256 identifiers: sends and receives many datagrams a system call.

use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use anyhow::Context as _;
use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::client::verify_reply;
use lapsed::wire::radius::packet::{Authenticator, Packet};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};

use super::latency::Latencies;
use super::population;

/// Datagrams a system call.
const AT_ONCE: usize = 32;
/// An acknowledgement has no attributes where the request has no Proxy-State; what is longer is none.
const REPLY_LEN: usize = 64;
/// A statement whose acknowledgement is later than this is lost.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// Room for the acknowledgements of all identifiers.
const RECEIVE_BUFFER: usize = 1 << 20;

/// A socket and what it waits for.
pub(super) struct Lane {
    socket: UdpSocket,
    waiting: Vec<Option<Waiting>>,
    next: u8,
    datagrams: Vec<Vec<u8>>,
    replies: [[u8; REPLY_LEN]; AT_ONCE],
    sending: MultiHeaders<SockaddrStorage>,
    receiving: MultiHeaders<SockaddrStorage>,
    /// Statements that will not be acknowledged any more.
    pub(super) lost: u64,
}

#[derive(Clone, Copy)]
struct Waiting {
    authenticator: Authenticator,
    since: Duration,
}

impl Lane {
    /// A socket to `target`.
    pub(super) fn open(target: SocketAddr) -> anyhow::Result<Self> {
        let any = if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0)).context("bind a socket")?;
        socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER).context("ask for a receive buffer")?;
        socket.connect(target).with_context(|| format!("connect to {target}"))?;
        Ok(Self {
            socket,
            waiting: vec![None; 256],
            next: 0,
            datagrams: Vec::with_capacity(AT_ONCE),
            replies: [[0; REPLY_LEN]; AT_ONCE],
            sending: MultiHeaders::preallocate(AT_ONCE, None),
            receiving: MultiHeaders::preallocate(AT_ONCE, None),
            lost: 0,
        })
    }

    /// Sends up to `wanted` statements from number `first` on, as far as there are identifiers; says how many it sent.
    pub(super) fn send(
        &mut self,
        (first, wanted): (u64, u64),
        (now, stamp): (Duration, Timestamp),
        secret: &[u8],
    ) -> anyhow::Result<u64> {
        self.datagrams.clear();
        let mut sent = 0;
        while sent < wanted && self.datagrams.len() < AT_ONCE {
            let Some(waiting) = self.waiting.get_mut(usize::from(self.next)) else { break };
            match waiting {
                Some(old) if now.saturating_sub(old.since) < PATIENCE => break,
                Some(_) => self.lost += 1,
                None => {}
            }
            let datagram = population::statement(first + sent).datagram(self.next, stamp, secret)?;
            *waiting = Some(Waiting { authenticator: Packet::parse(&datagram)?.authenticator(), since: now });
            self.datagrams.push(datagram);
            self.next = self.next.wrapping_add(1);
            sent += 1;
        }
        if self.datagrams.is_empty() {
            return Ok(0);
        }
        let slices: Vec<[IoSlice<'_>; 1]> = self.datagrams.iter().map(|datagram| [IoSlice::new(datagram)]).collect();
        let nobody = [None::<SockaddrStorage>; AT_ONCE];
        // A datagram that the kernel does not take is not acknowledged either, and so counted as lost.
        sendmmsg(self.socket.as_raw_fd(), &mut self.sending, &slices, nobody, [], MsgFlags::empty())
            .context("send: is the daemon up?")?;
        Ok(sent)
    }

    /// Takes in what acknowledgements there are; says how many were right.
    pub(super) fn receive(&mut self, now: Duration, secret: &[u8], latencies: &mut Latencies) -> anyhow::Result<u64> {
        let mut acknowledged = 0;
        loop {
            let mut lengths = [0; AT_ONCE];
            let mut slices = self.replies.each_mut().map(|reply| [IoSliceMut::new(reply)]);
            let flags = MsgFlags::MSG_DONTWAIT;
            let came = match recvmmsg(self.socket.as_raw_fd(), &mut self.receiving, &mut slices, flags, None) {
                Ok(messages) => {
                    lengths.iter_mut().zip(messages).map(|(length, message)| *length = message.bytes).count()
                }
                Err(Errno::EAGAIN) => return Ok(acknowledged),
                Err(error) => return Err(error).context("receive: is the daemon up?"),
            };
            for (reply, length) in self.replies.iter().zip(lengths).take(came) {
                let Some(reply) = reply.get(..length) else { continue };
                let Some(place) = reply.get(1).and_then(|identifier| self.waiting.get_mut(usize::from(*identifier)))
                else {
                    continue;
                };
                let genuine = |waiting: &Waiting| verify_reply(reply, &waiting.authenticator, secret).is_ok();
                if let Some(waiting) = place.take_if(|waiting| genuine(waiting)) {
                    latencies.add(now.saturating_sub(waiting.since));
                    acknowledged += 1;
                }
            }
            if came < AT_ONCE {
                return Ok(acknowledged);
            }
        }
    }

    /// How many statements wait for their acknowledgement.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.iter().flatten().map(|_| 1).sum()
    }
}
