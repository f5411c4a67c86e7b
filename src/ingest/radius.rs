//! What to do with one RADIUS datagram. Pure: the loop around it owns the socket.

use std::net::IpAddr;

use crate::config::{Config, RadiusClient};
use crate::domain::event::Quarantine;
use crate::domain::identity::SourceName;
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::{SealError, Sealed, Sealer};
use crate::wire::radius::request::{Request, RequestKind, Silent};

use super::admit;

/// A datagram that came from a configured client and authenticated.
pub struct Incoming<'a> {
    client: &'a RadiusClient,
    request: Request<'a>,
    peer: IpAddr,
}

/// Why a datagram gets no answer. An attacker learns nothing from silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It comes from no configured network.
    UnknownClient,
    /// It does not authenticate, or is no request.
    Silent(Silent),
}

/// What a request asks for.
pub enum Asked {
    /// Status-Server (RFC 5997): to be answered only while the store takes events.
    Alive,
    /// An accounting request.
    Accounting(Accounting),
}

/// What becomes of an accounting request.
#[derive(Default)]
pub struct Accounting {
    /// To be stored before the request is acknowledged; may be empty.
    pub sealed: Vec<Sealed>,
    /// When the source says it happened.
    pub heard: Option<(SourceName, Timestamp)>,
    /// Event-Timestamp as it was sent (RFC 2869, section 5.3), believed or not.
    pub stamp: Option<Timestamp>,
    /// Why something was not kept.
    pub quarantined: Vec<Quarantine>,
    /// It was too old to be kept when it arrived.
    pub expired_on_arrival: bool,
    /// Attributes that were passed over as malformed.
    pub flaws: u64,
}

/// Why a request cannot be acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// A record cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It is inside the window by the clock as it is now, and was hidden by the clock as it was: a record of it would be
    /// destroyed at once.
    #[error("its instant is hidden already, and the clock was set back since")]
    Hidden,
}

impl<'a> Incoming<'a> {
    /// Checks who sent a datagram.
    ///
    /// # Errors
    ///
    /// The reason why it is not heard.
    pub fn authenticate(datagram: &'a [u8], peer: IpAddr, config: &'a Config) -> Result<Self, Unheard> {
        let client = config.source_for(peer).ok_or(Unheard::UnknownClient)?;
        let request = Request::authenticate(datagram, client.secret.as_bytes()).map_err(Unheard::Silent)?;
        Ok(Self { client, request, peer })
    }

    /// Identifier and authenticator, by which a retransmission is recognised.
    pub fn sameness(&self) -> (u8, [u8; 16]) {
        (self.request.identifier(), self.request.authenticator())
    }

    /// The source it came from.
    pub fn source(&self) -> SourceName {
        SourceName(self.client.source.name.clone())
    }

    /// The source, and the stamp it gives its statement: what it says of the time, also where nothing else is taken of it.
    pub fn stamp(&self) -> Option<(SourceName, Timestamp)> {
        let (event, _) = self.request.event(self.peer, &self.client.selection).ok()?;
        event.time.stamp.map(|stamp| (SourceName(self.client.source.name.clone()), stamp))
    }

    /// The acknowledgement. It may leave only once everything it acknowledges is durable.
    pub fn reply(&self) -> Vec<u8> {
        self.request.reply(self.client.secret.as_bytes())
    }

    /// Reads and seals what is asked, as of its arrival. What `expired` hides is acknowledged and not kept. `cutoff` is the
    /// published one, which never moves back: it hides more only where the clock was set back.
    ///
    /// # Errors
    ///
    /// If something that should be kept cannot be; then the request must not be acknowledged.
    pub fn asked(
        &self,
        config: &Config,
        sealer: &Sealer,
        received: Timestamp,
        expired: Cutoff,
        cutoff: Cutoff,
    ) -> Result<Asked, NotKept> {
        if self.request.kind() == RequestKind::StatusServer {
            return Ok(Asked::Alive);
        }
        let mut accounting = Accounting::default();
        match self.request.event(self.peer, &self.client.selection) {
            Err(reason) => accounting.quarantined.push(reason),
            Ok((event, flaws)) => {
                let admission = admit(&event, &self.client.source, config, sealer, received, expired);
                if cutoff.hides(admission.at) && !admission.records.is_empty() {
                    return Err(NotKept::Hidden);
                }
                for (record, entity) in &admission.records {
                    accounting.sealed.push(sealer.seal(record, entity)?);
                }
                accounting.flaws = u64::from(flaws.count());
                accounting.stamp = event.time.stamp;
                accounting.heard = Some((SourceName(self.client.source.name.clone()), admission.at));
                accounting.quarantined = admission.quarantined;
                accounting.expired_on_arrival = admission.expired_on_arrival;
            }
        }
        Ok(Asked::Accounting(accounting))
    }
}
