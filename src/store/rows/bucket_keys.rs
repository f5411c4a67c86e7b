//! The keys of one bucket, all derived from its slot of the keyring, and the hashes made with them.

use aes_gcm_siv::{Aes256GcmSiv, Key, KeyInit};
use zeroize::{Zeroize as _, Zeroizing};

use super::fields::Fields;
use super::keys::{RowId, Tag};
use crate::domain::address::{Network, Realm};
use crate::domain::identity::{Entity, NasId, SessionTag, SubscriberId};
use crate::domain::record::{Kind, Record, Subject};

/// What one slot of the keyring opens. Forgotten when dropped.
pub(in crate::store) struct BucketKeys {
    address: [u8; 32],
    subscriber: [u8; 32],
    id: [u8; 32],
    commitment: [u8; 32],
    pub(in crate::store) cipher: Aes256GcmSiv,
}

impl BucketKeys {
    /// Derives the keys from the whole slot, so that overwriting any part of it destroys them all.
    pub(in crate::store) fn of_slot(slot: &[u8]) -> Self {
        let bucket = Zeroizing::new(blake3::derive_key("lapsed 2026-11 store v1: bucket key of a slot", slot));
        let derive = |context| Zeroizing::new(blake3::derive_key(context, &*bucket));
        let sealing = derive("lapsed 2026-11 store v1: sealing of records");
        Self {
            address: *derive("lapsed 2026-11 store v1: tags of addresses, sessions and NASes"),
            subscriber: *derive("lapsed 2026-11 store v1: tags of subscribers"),
            id: *derive("lapsed 2026-11 store v1: ids of records"),
            commitment: *derive("lapsed 2026-11 store v1: commitment to a slot"),
            cipher: Aes256GcmSiv::new(Key::<Aes256GcmSiv>::from_slice(&*sealing)),
        }
    }

    /// What the keyring's table says about the slot: shows that it is unchanged, and tells nothing about the keys.
    pub(in crate::store) fn commitment(&self) -> [u8; 32] {
        self.commitment
    }

    /// Where statements about an address lie. The realm tells equal address spaces apart.
    pub(in crate::store) fn address_tag(&self, realm: &Realm, network: Network) -> Tag {
        with_network(Fields::of("address").and(realm.0.as_bytes()), network).keyed_hash(&self.address)
    }

    /// Where the markers of a session lie.
    pub(in crate::store) fn session_tag(&self, nas: &NasId, session: SessionTag) -> Tag {
        Fields::of("session").and(nas.0.as_bytes()).and(&session.0).keyed_hash(&self.address)
    }

    /// Where the markers of a NAS lie.
    pub(in crate::store) fn nas_tag(&self, nas: &NasId) -> Tag {
        Fields::of("nas").and(nas.0.as_bytes()).keyed_hash(&self.address)
    }

    /// Where the statements that name a subscriber are listed.
    pub(in crate::store) fn subscriber_tag(&self, entity: &Entity, subscriber: &SubscriberId) -> Tag {
        Fields::of("subscriber")
            .and(entity.0.as_bytes())
            .and(subscriber.as_str().as_bytes())
            .keyed_hash(&self.subscriber)
    }

    /// The id of a record: the same for the same event sent twice, whatever settling has made of its kind since.
    pub(in crate::store) fn record_id(&self, record: &Record) -> RowId {
        let fields = Fields::of("record")
            .and(record.source.0.as_bytes())
            .and(record.nas.0.as_bytes())
            .and(&record.session.0)
            .and(&[kind_as_said(record.kind).number()]);
        let fields = match &record.subject {
            // The realm too: one subscriber can hold the same address in two of them at once, listed under one tag.
            Subject::Assignment { realm, network, ports } => with_network(fields.and(realm.0.as_bytes()), *network)
                .and(&ports.first().to_be_bytes())
                .and(&ports.last().to_be_bytes()),
            Subject::Session | Subject::Nas | Subject::Subscriber => fields,
        };
        fields.keyed_hash(&self.id)
    }
}

impl Drop for BucketKeys {
    fn drop(&mut self) {
        // The cipher's round keys are wiped by the cipher itself, if its crate is built with `zeroize`.
        self.address.zeroize();
        self.subscriber.zeroize();
        self.id.zeroize();
        self.commitment.zeroize();
    }
}

fn with_network(fields: Fields, network: Network) -> Fields {
    let fields = fields.and(&[network.family().number()]).and(&[network.prefix_len()]);
    match network.address() {
        std::net::IpAddr::V4(address) => fields.and(&address.octets()),
        std::net::IpAddr::V6(address) => fields.and(&address.octets()),
    }
}

/// The kind that the source's words had, before settling gave it its place among the others.
///
/// `Withdrawn` is the one kind that forgets it; whoever withdraws a record writes that under the key it was read from.
const fn kind_as_said(kind: Kind) -> Kind {
    match kind {
        Kind::First | Kind::Resumed | Kind::Void => Kind::Update,
        Kind::Lone => Kind::Stop,
        Kind::Start
        | Kind::Update
        | Kind::Stop
        | Kind::Logon
        | Kind::SessionEnd
        | Kind::Reset
        | Kind::InferredStart
        | Kind::Carry
        | Kind::Lapsed
        | Kind::Vacated
        | Kind::LeaseEnd
        | Kind::Withdrawn => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(byte: u8) -> BucketKeys {
        BucketKeys::of_slot(&[byte; 4096])
    }

    #[test]
    fn a_tag_depends_on_realm_length_and_bucket() {
        let network = Network::single("192.0.2.1".parse().unwrap());
        let public = keys(1).address_tag(&Realm::default(), network);
        assert_eq!(public, keys(1).address_tag(&Realm::default(), network));
        assert_ne!(public, keys(1).address_tag(&Realm("inside".into()), network));
        assert_ne!(public, keys(2).address_tag(&Realm::default(), network));
        let wider = Network::around("192.0.2.0".parse().unwrap(), 24).unwrap();
        let widest = Network::around("192.0.2.0".parse().unwrap(), 23).unwrap();
        assert_ne!(keys(1).address_tag(&Realm::default(), wider), keys(1).address_tag(&Realm::default(), widest));
    }

    #[test]
    fn every_byte_of_the_slot_counts() {
        let mut slot = [1; 4096];
        slot[4095] = 2;
        assert_ne!(BucketKeys::of_slot(&slot).commitment(), keys(1).commitment());
    }

    #[test]
    fn an_entity_and_a_subscriber_do_not_run_together() {
        let keys = keys(1);
        let a = keys.subscriber_tag(&Entity("north".into()), &SubscriberId("west".into()));
        let b = keys.subscriber_tag(&Entity("northwest".into()), &SubscriberId(String::new()));
        assert_ne!(a, b);
    }
}
