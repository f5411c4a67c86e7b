//! Records become rows: found by keyed hashes, readable with their bucket's key only.

use std::sync::Arc;

use super::noted::Frontier;
use crate::domain::address::Family;
use crate::domain::identity::{Entity, Mac, NasId, SessionId, SessionTag, SubscriberId};
use crate::domain::record::{Kind, Record, Subject};
use crate::domain::time::{Bucket, BucketWidth, Timestamp};
use crate::store::engine::{Column, Write};
use crate::store::keyring::{KeyOf, Keys};
use crate::store::rows::BucketKeys;
use crate::store::rows::envelope;
use crate::store::rows::keys::{KEY_BYTES, RowKey, Tag};
use crate::store::rows::records::{self, MAX_RECORD_BYTES};

/// Why a record cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The bucket has no key: it lies before the window, too far ahead, or where a later bucket has taken its slot.
    #[error("bucket {} has no key", number(.0))]
    NoKey(Bucket),
    /// The bucket's slot of the keyring is damaged, and a bucket never gets a second key.
    #[error("the key of bucket {} is damaged", number(.0))]
    Unreadable(Bucket),
    /// A statement about a subscriber that names none.
    #[error("the record is about a subscriber and names none")]
    NoSubscriber,
    /// The record has more than [`MAX_RECORD_BYTES`] bytes.
    #[error("the record has more than {MAX_RECORD_BYTES} bytes")]
    TooLarge,
    /// The cipher refused. It refuses texts of more than 64 GiB only.
    #[error("the cipher refused the record")]
    Cipher,
}

fn number(bucket: &Bucket) -> u32 {
    bucket.0
}

/// Seals records and makes the hashes that stand for sessions and people. Cheap to clone; its clones share the keys.
#[derive(Clone)]
pub struct Sealer(Arc<Keys>);

/// A record as rows, ready for a [`Batch`](crate::store::Batch).
#[derive(Clone)]
pub struct Sealed {
    /// The record's instant.
    pub(super) at: Timestamp,
    pub(super) by_address: Option<Row>,
    pub(super) by_subscriber: Option<Row>,
    pub(super) prefix_len: Option<(Family, u8)>,
    /// The bucket, if it is a reset of a NAS.
    pub(super) reset: Option<Bucket>,
    /// Can it change what other statements mean?
    pub(super) weighs: bool,
}

impl Sealed {
    /// Does it come after its bucket was settled, and can it change what was found there?
    pub(super) fn is_late(&self, width: BucketWidth, frontier: Frontier) -> bool {
        self.weighs && frontier.has_begun(width.bucket_of(self.at))
    }

    pub(super) fn into_rows(self) -> impl Iterator<Item = Write> {
        let row = |column, (key, value): Row| Write { column, key: key.to_vec(), value };
        let by_address = self.by_address.map(|found| row(Column::ByAddress, found));
        let by_subscriber = self.by_subscriber.map(|found| row(Column::BySubscriber, found));
        by_address.into_iter().chain(by_subscriber)
    }
}

/// A key and its value in one of the record families.
pub(super) type Row = ([u8; KEY_BYTES], Vec<u8>);

impl Sealer {
    pub(in crate::store) fn new(keys: Arc<Keys>) -> Self {
        Self(keys)
    }

    /// The tag of a session that its NAS has given an id. The same for as long as the store lives.
    pub fn session_tag(&self, nas: &NasId, session: &SessionId) -> SessionTag {
        self.0.lifetime().session_tag(nas, session)
    }

    /// The tag of a session without an id: the line is taken for the session, by its subscriber and MAC.
    pub fn line_tag(&self, nas: &NasId, subscriber: Option<&SubscriberId>, mac: Option<Mac>) -> SessionTag {
        self.0.lifetime().line_tag(nas, subscriber, mac)
    }

    /// What stands for an actor in ledger entries: always the same, and nothing to those without the keyring.
    pub fn actor_pseudonym(&self, name: &str) -> [u8; 8] {
        self.0.lifetime().actor_pseudonym(name)
    }

    /// Seals a record under the key of its bucket. `entity` is the part of the ISP whose subscriber names these are.
    pub fn seal(&self, record: &Record, entity: &Entity) -> Result<Sealed, SealError> {
        let bucket = self.0.width().bucket_of(record.at);
        let keys = match self.0.key_of(bucket) {
            KeyOf::Live(keys) => keys,
            KeyOf::Damaged => return Err(SealError::Unreadable(bucket)),
            KeyOf::NeverMade | KeyOf::Gone => return Err(SealError::NoKey(bucket)),
        };
        let id = keys.record_id(record);
        let key = |tag: Tag| RowKey { bucket, tag, at: record.at, id }.to_bytes();
        let plain = records::encode(record).ok_or(SealError::TooLarge)?;
        let sealed_at = |tag: Tag| -> Result<Row, SealError> {
            let key = key(tag);
            envelope::seal(&keys.cipher, &key, &plain).map(|value| (key, value)).map_err(|_| SealError::Cipher)
        };
        let subscriber_tag = record.subscriber.as_ref().map(|subscriber| keys.subscriber_tag(entity, subscriber));

        if record.subject == Subject::Subscriber {
            // A logon names no address: its list entry is the record itself.
            let row = sealed_at(subscriber_tag.ok_or(SealError::NoSubscriber)?)?;
            return Ok(Sealed {
                at: record.at,
                by_address: None,
                by_subscriber: Some(row),
                prefix_len: None,
                reset: None,
                weighs: false,
            });
        }
        let tag = home(&keys, record);
        let (listed, prefix_len) = match &record.subject {
            Subject::Assignment { network, .. } => {
                let entry = subscriber_tag.map(|subscriber| (key(subscriber), tag.to_vec()));
                (entry, Some((network.family(), network.prefix_len())))
            }
            Subject::Session | Subject::Nas | Subject::Subscriber => (None, None),
        };
        let reset = (record.subject == Subject::Nas).then_some(bucket);
        let weighs = record.kind != Kind::InferredStart;
        Ok(Sealed {
            at: record.at,
            by_address: Some(sealed_at(tag)?),
            by_subscriber: listed,
            prefix_len,
            reset,
            weighs,
        })
    }
}

impl Sealer {
    /// Seals what a record became for the place where it stands; with an `entity`, also its entry in the list of its
    /// subscriber.
    pub(super) fn seal_again(
        &self,
        place: &[u8; KEY_BYTES],
        record: &Record,
        entity: Option<&Entity>,
    ) -> Result<(Vec<u8>, Option<Sealed>), SealError> {
        let bucket = self.0.width().bucket_of(record.at);
        let (Some(key), KeyOf::Live(keys)) = (RowKey::from_bytes(place), self.0.key_of(bucket)) else {
            return Err(SealError::NoKey(bucket));
        };
        let plain = records::encode(record).ok_or(SealError::TooLarge)?;
        let value = envelope::seal(&keys.cipher, place, &plain).map_err(|_| SealError::Cipher)?;
        let listed = entity.zip(record.subscriber.as_ref()).map(|(entity, subscriber)| {
            let tag = keys.subscriber_tag(entity, subscriber);
            let entry = (RowKey { tag, ..key }.to_bytes(), key.tag.to_vec());
            let by_subscriber = Some(entry);
            Sealed { at: record.at, by_address: None, by_subscriber, prefix_len: None, reset: None, weighs: false }
        });
        Ok((value, listed))
    }
}

/// The tag of the place that a record is found in.
fn home(keys: &BucketKeys, record: &Record) -> Tag {
    match &record.subject {
        Subject::Assignment { realm, network, .. } => keys.address_tag(realm, *network),
        Subject::Nas => keys.nas_tag(&record.nas),
        Subject::Session | Subject::Subscriber => keys.session_tag(&record.nas, record.session),
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(..)")
    }
}
