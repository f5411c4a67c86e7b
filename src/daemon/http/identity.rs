//! Who asks: a bearer token, else the socket's peer credentials or the certificate that was shown.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use nix::unistd::{Gid, Group, Uid, User};
use rustls::pki_types::CertificateDer;

use crate::api::Problem;
use crate::audit::Entry;
use crate::config;
use crate::domain::actor::Principal;
use crate::domain::lockout::Origin;
use crate::store::Number;
use crate::tokens::{Deed, NotCounted, Recorded, Stamp, Tokens};

use super::{App, Refusal, tls};

/// The other end of a connection, as far as the connection itself tells.
#[derive(Clone, Debug)]
pub(in crate::daemon) enum Peer {
    /// A process of this machine, with the uid and gid that the kernel vouches for.
    Process(Option<(u32, u32)>),
    /// A desk elsewhere, with the names in the certificate it has shown, if it has.
    Desk { address: IpAddr, names: Arc<[String]> },
}

impl Peer {
    pub(super) fn process(ids: Option<(u32, u32)>) -> Self {
        Self::Process(ids)
    }

    /// A desk at this address with this verified chain of certificates, its own first.
    pub(super) fn desk(address: IpAddr, chain: Option<&[CertificateDer<'_>]>) -> Self {
        let names = chain.and_then(<[_]>::first).map(tls::names).unwrap_or_default();
        Self::Desk { address, names: names.into() }
    }

    /// Where it is.
    pub(super) fn origin(&self) -> Origin {
        match self {
            Self::Process(ids) => Origin::User(ids.map(|(uid, _)| uid)),
            Self::Desk { address, .. } => Origin::address(*address),
        }
    }

    /// Whom the connection itself stands for.
    fn principal(&self, principals: &[config::Principal]) -> Option<Principal> {
        match self {
            Self::Process(ids) => peer_principal(principals, (*ids)?),
            Self::Desk { names, .. } => {
                let named = |principal: &&config::Principal| {
                    principal.certificate.as_ref().is_some_and(|certificate| names.contains(certificate))
                };
                let mut found = principals.iter().filter(named);
                // A certificate with the names of two is nobody's.
                let (found, None) = (found.next()?, found.next()) else { return None };
                Some(Principal::new(&found.name, found.role))
            }
        }
    }

    /// What to say of it where it stands for nobody.
    fn has_no_role(&self) -> String {
        let token = "send a token (LAPSE_TOKEN; `lapsed token mint` makes one)";
        match self {
            Self::Process(Some((uid, _))) => {
                format!("uid {uid} has no role here: {token}, or name the uid or its group in a [[principal]]")
            }
            Self::Process(None) => format!("this process has no role here: {token}"),
            Self::Desk { names, .. } if names.is_empty() => {
                format!("no certificate was shown: {token}, or show one that a [[principal]] names")
            }
            Self::Desk { .. } => {
                format!("the certificate is that of no [[principal]], or of several: {token}, or name it in one")
            }
        }
    }
}

/// The authenticated asker; a request without one is answered 401.
#[derive(Clone)]
pub(super) struct Asker(pub(super) Principal);

impl FromRequestParts<Arc<App>> for Asker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        // The gate has established it already.
        match parts.extensions.get::<Self>() {
            Some(asker) => Ok(asker.clone()),
            None => app.identify(parts).await,
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    token.map(Some).ok_or_else(|| Refusal(Problem::unauthenticated("the Authorization header is no `Bearer TOKEN`")))
}

/// The principal of a uid, by itself or through a group.
fn peer_principal(principals: &[config::Principal], (uid, gid): (u32, u32)) -> Option<Principal> {
    let named = |principal: &&config::Principal| {
        principal.uid == Some(uid) || principal.group.as_deref().is_some_and(|group| is_member(group, uid, gid))
    };
    // A uid says more than a group.
    let by_uid = principals.iter().find(|principal| principal.uid == Some(uid));
    let found = by_uid.or_else(|| principals.iter().find(named))?;
    Some(Principal::new(&found.name, found.role))
}

fn is_member(group: &str, uid: u32, gid: u32) -> bool {
    let Ok(Some(group)) = Group::from_name(group) else { return false };
    let listed =
        || User::from_uid(Uid::from_raw(uid)).ok().flatten().is_some_and(|user| group.mem.contains(&user.name));
    group.gid == Gid::from_raw(gid) || listed()
}

impl App {
    /// Who asks: whose token it is, else whom the connection stands for.
    pub(super) async fn identify(&self, parts: &Parts) -> Result<Asker, Refusal> {
        let peer = parts.extensions.get::<Peer>().unwrap_or(&Peer::Process(None));
        let principal = peer.principal(&self.config.principals);
        if let Some(token) = bearer(&parts.headers)? {
            let holder = self.token_principal(token).await?;
            // Whoever has a token and a connection of another name is both where two people must agree.
            let also = principal.map(|peer| peer.name).filter(|name| *name != holder.name);
            return Ok(Asker(Principal { also, ..holder }));
        }
        principal.map(Asker).ok_or_else(|| Refusal(Problem::unauthenticated(peer.has_no_role())))
    }

    /// Whose token it is. Before it counts, the token file is looked at: a line may have been added a moment ago.
    async fn token_principal(&self, token: &str) -> Result<Principal, Refusal> {
        self.follow_tokens().await?;
        let principal = self.holder(token).map_err(|why| Refusal(Problem::unauthenticated(why.to_string())))?;
        let configured = self.config.principals.iter().find(|configured| configured.name == principal.name);
        match configured.filter(|configured| configured.role != principal.role) {
            None => Ok(principal),
            Some(config::Principal { name, role, .. }) => {
                let detail = format!(
                    "the token is of `{name}` as {}, and the configuration has `{name}` as {role}: one principal has one role",
                    principal.role
                );
                Err(Refusal(Problem::unauthenticated(detail)))
            }
        }
    }

    fn holder(&self, token: &str) -> Result<Principal, NotCounted> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.holder(token, self.time.believed()).map(|token| Principal::new(&token.name, token.role))
    }

    /// Reads the tokens again if their file has changed since.
    async fn follow_tokens(&self) -> Result<(), Refusal> {
        let known = self.tokens.read().unwrap_or_else(PoisonError::into_inner).stamp();
        match Stamp::of(&self.config.state_dir) {
            Ok(found) if found == known => Ok(()),
            // What cannot be looked at cannot be read either, and reading it says why.
            Ok(_) | Err(_) => self.read_tokens().await,
        }
    }

    /// Reads the tokens and gives every new line its ledger entry, before any of them counts.
    pub(in crate::daemon) async fn read_tokens(&self) -> Result<(), Refusal> {
        let _one_at_a_time = self.recording_tokens.lock().await;
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "cannot read the tokens");
            Refusal(Problem::unavailable("the tokens cannot be read; the daemon's log says why"))
        };
        let tokens = Tokens::read(&self.config.state_dir).map_err(|error| failed(&error))?;
        let recorded = self.store.number(Number::TokensRecorded).map_err(|error| failed(&error))?.unwrap_or(0);
        let fresh = tokens.recorded().iter().zip(1_u64..).filter(|(_, line)| *line > recorded);
        for (Recorded { deed, name, role }, line) in fresh {
            self.has_room().await?;
            let (at, actor, role) = (self.time.believed(), self.sealer.actor_pseudonym(name), *role);
            let entry = match deed {
                Deed::Minted => Entry::TokenMinted { at, actor, role },
                Deed::Revoked => Entry::TokenRevoked { at, actor, role },
            };
            let counted = Some((Number::TokensRecorded, line));
            self.queue.append(entry.to_bytes(), counted).await.map_err(|error| failed(&error))?;
        }
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        Ok(())
    }

    /// What stands in ledgers for each name that a person goes by, the one they act under first. What must be confirmed by
    /// somebody else keeps all of these, and is not confirmed by who shares one.
    pub(super) fn pseudonyms(&self, principal: &Principal) -> Vec<[u8; 8]> {
        principal.names().map(|name| self.sealer.actor_pseudonym(name)).collect()
    }
}
