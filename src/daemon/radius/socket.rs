//! UDP in batches: many datagrams a system call, the kernel's drop counter, and replies from the address that was asked.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrLike as _, SockaddrStorage, recvmmsg, sendmsg,
    setsockopt, sockopt,
};
use socket2::{Domain, Socket, Type};

/// The longest RADIUS packet (RFC 2865, section 3).
const MAX_PACKET: usize = 4096;
/// Datagrams taken with one system call.
const BATCH: usize = 64;
/// How long a receive waits before it looks whether to stop.
const WAIT: Duration = Duration::from_millis(200);

/// The local address that a datagram was sent to, so that the reply leaves from it: a client accepts no other.
#[derive(Clone, Copy)]
pub(super) enum Local {
    V4(in_pktinfo),
    V6(in6_pktinfo),
}

/// A datagram and where it came from.
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) peer: SocketAddr,
    pub(super) local: Option<Local>,
}

/// Opens a socket for RADIUS; `receive_buffer` is a wish that the kernel may cut down.
pub(super) fn bind(address: SocketAddr, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Beyond the system's limit only with the right to; the plain wish is cut down to the limit.
    if setsockopt(&socket, sockopt::RcvBufForce, &receive_buffer).is_err() {
        socket.set_recv_buffer_size(receive_buffer)?;
    }
    setsockopt(&socket, sockopt::RxqOvfl, &1)?;
    if address.ip().is_unspecified() {
        match address.ip() {
            IpAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?,
            IpAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?,
        }
    }
    socket.set_read_timeout(Some(WAIT))?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Buffers for one batch of datagrams.
pub(super) struct Receiver {
    headers: MultiHeaders<SockaddrStorage>,
    buffers: Vec<u8>,
    /// The kernel's drop counter as last seen.
    dropped: u32,
}

impl Receiver {
    pub(super) fn new() -> Self {
        let control = cmsg_space!(u32, in_pktinfo, in6_pktinfo);
        Self {
            headers: MultiHeaders::preallocate(BATCH, Some(control)),
            buffers: vec![0; MAX_PACKET.saturating_mul(BATCH)],
            dropped: 0,
        }
    }

    /// Waits for datagrams, gives each to `take`, and returns how many the kernel dropped since the last call.
    pub(super) fn receive(&mut self, socket: &UdpSocket, mut take: impl FnMut(Datagram<'_>)) -> io::Result<u64> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.buffers.chunks_mut(MAX_PACKET).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let flags = MsgFlags::MSG_WAITFORONE;
        let received = match recvmmsg(socket.as_raw_fd(), &mut self.headers, slices.iter_mut(), flags, None) {
            Ok(received) => received,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(0),
            Err(errno) => return Err(errno.into()),
        };
        let mut dropped = self.dropped;
        for message in received {
            let mut local = None;
            for control in message.cmsgs().map_err(io::Error::from)? {
                match control {
                    ControlMessageOwned::RxqOvfl(count) => dropped = count,
                    ControlMessageOwned::Ipv4PacketInfo(info) => local = Some(Local::V4(info)),
                    ControlMessageOwned::Ipv6PacketInfo(info) => local = Some(Local::V6(info)),
                    _ => {}
                }
            }
            let Some(peer) = message.address.as_ref().and_then(peer_of) else { continue };
            // An empty datagram has no slice; it is one all the same, and counted.
            let bytes = message.iovs().next().unwrap_or_default();
            take(Datagram { bytes, peer, local });
        }
        let since = dropped.wrapping_sub(self.dropped);
        self.dropped = dropped;
        Ok(u64::from(since))
    }
}

fn peer_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4(SocketAddrV4::new(v4.ip(), v4.port())));
    v4.or_else(|| {
        let v6 = address.as_sockaddr_in6()?;
        Some(SocketAddr::V6(SocketAddrV6::new(v6.ip(), v6.port(), v6.flowinfo(), v6.scope_id())))
    })
}

/// Sends a reply from the address that was asked.
pub(super) fn reply(socket: &UdpSocket, peer: SocketAddr, local: Option<Local>, bytes: &[u8]) -> io::Result<()> {
    let Some(local) = local else { return socket.send_to(bytes, peer).map(|_| ()) };
    let control = match &local {
        Local::V4(info) => ControlMessage::Ipv4PacketInfo(info),
        Local::V6(info) => ControlMessage::Ipv6PacketInfo(info),
    };
    let to = SockaddrStorage::from(peer);
    debug_assert!(to.family().is_some());
    sendmsg(socket.as_raw_fd(), &[IoSlice::new(bytes)], &[control], MsgFlags::empty(), Some(&to))?;
    Ok(())
}
