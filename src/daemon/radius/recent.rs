//! Recent requests, so that a retransmission is answered and not stored again (RFC 5080, section 2.2.2).
//!
//! The same peer, port and identifier with another authenticator is another request: the identifier has only 256 values.
//! Bounded by two generations; what is forgotten too early is stored a second time under the same key, which is harmless.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::time::Timestamp;

/// How long a generation lasts; a request is remembered for one to two of them.
const GENERATION: Duration = Duration::from_secs(15);
/// How many requests a generation holds.
const GENERATION_SIZE: usize = 32_768;

type Key = (SocketAddr, u8);

struct Remembered {
    authenticator: [u8; 16],
    reply: Option<Arc<[u8]>>,
}

/// What is known of a request.
pub(super) enum Seen {
    /// It was not seen before; it is remembered now.
    New,
    /// It is being stored.
    Pending,
    /// It was answered so.
    Answered(Arc<[u8]>),
}

/// Recent requests and their replies.
#[derive(Default)]
pub(super) struct Recent {
    current: HashMap<Key, Remembered>,
    previous: HashMap<Key, Remembered>,
    since: Timestamp,
}

impl Recent {
    /// Was this request seen before?
    pub(super) fn see(
        &mut self,
        peer: SocketAddr,
        (identifier, authenticator): (u8, [u8; 16]),
        now: Timestamp,
    ) -> Seen {
        if now.distance(self.since) > GENERATION || self.current.len() >= GENERATION_SIZE {
            self.previous = std::mem::take(&mut self.current);
            self.since = now;
        }
        let key = (peer, identifier);
        let known = self.current.get(&key).or_else(|| self.previous.get(&key));
        if let Some(known) = known.filter(|known| known.authenticator == authenticator) {
            return known.reply.as_ref().map_or(Seen::Pending, |reply| Seen::Answered(Arc::clone(reply)));
        }
        self.current.insert(key, Remembered { authenticator, reply: None });
        Seen::New
    }

    /// Remembers the reply to a request.
    pub(super) fn answered(
        &mut self,
        peer: SocketAddr,
        (identifier, authenticator): (u8, [u8; 16]),
        reply: &Arc<[u8]>,
    ) {
        let key = (peer, identifier);
        let known = self.current.get_mut(&key).or_else(|| self.previous.get_mut(&key));
        if let Some(known) = known.filter(|known| known.authenticator == authenticator) {
            known.reply = Some(Arc::clone(reply));
        }
    }

    /// Forgets a request that was not answered, so that its retransmission is tried anew.
    pub(super) fn forget(&mut self, peer: SocketAddr, identifier: u8) {
        self.current.remove(&(peer, identifier));
        self.previous.remove(&(peer, identifier));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddr {
        "192.0.2.1:40000".parse().unwrap()
    }

    #[test]
    fn the_same_identifier_with_another_authenticator_is_another_request() {
        let mut recent = Recent::default();
        let now = Timestamp::from_millis(1_000_000);
        assert!(matches!(recent.see(peer(), (7, [1; 16]), now), Seen::New));
        assert!(matches!(recent.see(peer(), (7, [1; 16]), now), Seen::Pending));
        let reply: Arc<[u8]> = Arc::from(&b"reply"[..]);
        recent.answered(peer(), (7, [1; 16]), &reply);
        assert!(matches!(recent.see(peer(), (7, [1; 16]), now), Seen::Answered(_)));
        assert!(matches!(recent.see(peer(), (7, [2; 16]), now), Seen::New));
    }

    #[test]
    fn requests_are_forgotten_after_two_generations() {
        let mut recent = Recent::default();
        let mut now = Timestamp::from_millis(1_000_000);
        assert!(matches!(recent.see(peer(), (7, [1; 16]), now), Seen::New));
        for _ in 0..2 {
            now = now.plus(GENERATION).plus(Duration::from_secs(1));
            recent.see(peer(), (8, [1; 16]), now);
        }
        assert!(matches!(recent.see(peer(), (7, [1; 16]), now), Seen::New));
    }
}
