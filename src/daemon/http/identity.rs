//! Who asks: a bearer token, else the socket's peer credentials.

use std::sync::{Arc, PoisonError};

use axum::extract::FromRequestParts;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::serve::IncomingStream;
use nix::unistd::{Gid, Group, Uid, User};
use tokio::net::UnixListener;

use crate::api::Problem;
use crate::audit::Entry;
use crate::config;
use crate::domain::actor::Principal;
use crate::store::Number;
use crate::tokens::{Deed, NotCounted, Recorded, Stamp, Tokens};

use super::{App, Refusal};

/// The process on the other end of a connection, as the kernel vouches for it.
#[derive(Clone, Copy, Debug)]
pub(in crate::daemon) struct Peer {
    ids: Option<(u32, u32)>,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self { ids: stream.io().peer_cred().ok().map(|cred| (cred.uid(), cred.gid())) }
    }
}

/// The authenticated asker; a request without one is answered 401.
pub(super) struct Asker(pub(super) Principal);

impl FromRequestParts<Arc<App>> for Asker {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().and_then(|info| info.0.ids);
        let principal = peer.and_then(|ids| peer_principal(&app.config.principals, ids));
        if let Some(token) = bearer(&parts.headers)? {
            let holder = app.token_principal(token).await?;
            // Whoever has a token and a connection of another name is both where two people must agree.
            let also = principal.map(|peer| peer.name).filter(|name| *name != holder.name);
            return Ok(Self(Principal { also, ..holder }));
        }
        let named = peer.map_or_else(|| "this process".to_owned(), |(uid, _)| format!("uid {uid}"));
        principal.map(Self).ok_or_else(|| {
            let detail = format!("{named} has no role here: send a token (LAPSE_TOKEN; `lapsed token mint` makes one), or name the uid or its group in a [[principal]]");
            Refusal(Problem::unauthenticated(detail))
        })
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
