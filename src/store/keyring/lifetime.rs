//! Keys that last as long as the store: for hashes that mean the same in every bucket.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::identity::{Mac, NasId, SessionId, SessionTag, SubscriberId};
use crate::store::rows::fields::Fields;

/// Derived from the secret in the keyring's header. The tags made with them stand inside sealed records only.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(in crate::store) struct LifetimeKeys {
    session: [u8; 32],
    actor: [u8; 32],
}

impl LifetimeKeys {
    pub(super) fn of_secret(secret: &[u8; 32]) -> Self {
        Self {
            session: blake3::derive_key("lapsed 2026-11 store v1: tags of sessions for the store's lifetime", secret),
            actor: blake3::derive_key("lapsed 2026-11 store v1: pseudonyms of actors", secret),
        }
    }

    pub(in crate::store) fn session_tag(&self, nas: &NasId, session: &SessionId) -> SessionTag {
        SessionTag(Fields::of("session").and(nas.0.as_bytes()).and(&session.0).keyed_hash(&self.session))
    }

    pub(in crate::store) fn line_tag(
        &self,
        nas: &NasId,
        subscriber: Option<&SubscriberId>,
        mac: Option<Mac>,
    ) -> SessionTag {
        let fields = Fields::of("line")
            .and(nas.0.as_bytes())
            .and_maybe(subscriber.map(|subscriber| subscriber.as_str().as_bytes()))
            .and_maybe(mac.as_ref().map(|mac| mac.0.as_slice()));
        SessionTag(fields.keyed_hash(&self.session))
    }

    pub(in crate::store) fn actor_pseudonym(&self, name: &str) -> [u8; 8] {
        Fields::of("actor").and(name.as_bytes()).keyed_hash(&self.actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_not_taken_for_a_session_nor_for_another_line() {
        let keys = LifetimeKeys::of_secret(&[1; 32]);
        let nas = NasId("bng-1".into());
        let name = SubscriberId("alice".into());
        let mac = Mac([2, 0, 0, 0, 0, 1]);
        let tags = [
            keys.session_tag(&nas, &SessionId(b"alice".to_vec())),
            keys.line_tag(&nas, Some(&name), None),
            keys.line_tag(&nas, Some(&name), Some(mac)),
            keys.line_tag(&nas, None, Some(mac)),
            keys.line_tag(&NasId("bng-2".into()), Some(&name), None),
        ];
        for (index, tag) in tags.iter().enumerate() {
            assert!(!tags[..index].contains(tag));
        }
    }
}
