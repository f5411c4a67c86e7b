//! Connections: how many there may be, how long each may take to say what it wants, and how they end when the daemon does.
//!
//! Does not know what is asked: the router does. A connection beyond the limit is closed at once, for one that waits would
//! look like a daemon that hangs.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower_service::Service as _;

use super::identity::Peer;
use super::tls::Keys;

/// Connections on the Unix socket.
const MOST_LOCAL: usize = 1024;
/// Connections over TLS.
const MOST_REMOTE: usize = 256;
/// Connections over TLS from one address, so that no desk takes the place of all others.
const MOST_OF_ONE: usize = 64;
/// How long the head of a request may take, from the end of the one before.
const HEAD: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long to wait when the kernel has no connection to give, which is when descriptors have run out.
const BREATH: Duration = Duration::from_millis(100);

/// Serves the Unix socket until the daemon stops and every request that has begun is answered.
pub(in crate::daemon) async fn local(listener: UnixListener, router: Router, mut stopping: watch::Receiver<bool>) {
    let (room, graceful) = (Arc::new(Semaphore::new(MOST_LOCAL)), GracefulShutdown::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Some((stream, _)) = accepted_or_breath(accepted).await else { continue };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else { continue };
        let peer = Peer::process(stream.peer_cred().ok().map(|cred| (cred.uid(), cred.gid())));
        let (router, watcher) = (router.clone(), graceful.watcher());
        tokio::spawn(async move {
            converse(stream, peer, router, watcher).await;
            drop(permit);
        });
    }
    graceful.shutdown().await;
}

/// Serves TLS, the same way.
pub(in crate::daemon) async fn remote(
    listener: TcpListener,
    keys: Arc<Keys>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let (room, graceful) = (Arc::new(Places::default()), GracefulShutdown::new());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Some((stream, from)) = accepted_or_breath(accepted).await else { continue };
        let address = from.ip().to_canonical();
        let Some(place) = room.take(address) else { continue };
        let (acceptor, router, watcher) = (keys.acceptor(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let peer = Peer::desk(address, stream.get_ref().1.peer_certificates());
                    converse(stream, peer, router, watcher).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
            drop(place);
        });
    }
    graceful.shutdown().await;
}

async fn accepted_or_breath<T>(accepted: io::Result<T>) -> Option<T> {
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be taken");
            sleep(BREATH).await;
            None
        }
    }
}

/// One connection, request by request.
async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, peer: Peer, router: Router, watcher: Watcher) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut router, peer) = (router.clone(), peer.clone());
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended in the middle");
    }
}

/// The places for connections over TLS.
struct Places {
    all: Arc<Semaphore>,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

impl Default for Places {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(MOST_REMOTE)), taken: Mutex::default() }
    }
}

/// One of them; free again when this is dropped.
struct Place {
    places: Arc<Places>,
    address: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_default();
        if *count >= MOST_OF_ONE {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place { places: Arc::clone(self), address, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_places_for_others_and_gives_its_own_back() {
        let places = Arc::new(Places::default());
        let [one, other] = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2])];
        let mut held: Vec<Place> = (0..MOST_OF_ONE).map(|_| places.take(one).unwrap()).collect();
        assert!(places.take(one).is_none() && places.take(other).is_some());
        held.pop();
        assert!(places.take(one).is_some());
        drop(held);
        assert!(places.taken.lock().unwrap().is_empty());
        assert_eq!(places.all.available_permits(), MOST_REMOTE);
    }
}
