//! Reading records. There is no way to do it without a cutoff.

use std::sync::Arc;

use rocksdb::DBRawIterator;

use super::Sealer;
use super::settling::Row;
use crate::domain::address::{Family, Network, Realm};
use crate::domain::identity::{Entity, NasId, SessionTag, SubscriberId};
use crate::domain::record::Record;
use crate::domain::time::{Bucket, Cutoff, Timestamp};
use crate::store::Store;
use crate::store::engine::{Column, EngineError};
use crate::store::keyring::KeyOf;
use crate::store::rows::BucketKeys;
use crate::store::rows::envelope;
use crate::store::rows::keys::{PREFIX_BYTES, RowKey, Tag};
use crate::store::rows::records::{self, DecodeError};

/// Where statements are found.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// Statements about an address or prefix; exactly this prefix, not those around it.
    Address {
        /// Which of several equal address spaces.
        realm: &'a Realm,
        /// The address or prefix.
        network: Network,
    },
    /// The markers of a session.
    Session {
        /// The NAS that named it.
        nas: &'a NasId,
        /// Its tag.
        session: SessionTag,
    },
    /// The markers of a NAS.
    Nas {
        /// The NAS.
        nas: &'a NasId,
    },
}

/// Why records could not be read. None of these means that there are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bucket's slot of the keyring is damaged.
    #[error("the key of bucket {} is damaged: its records cannot be read", number(.0))]
    Unreadable(Bucket),
    /// The bucket's key was destroyed, although the cutoff does not hide all of the bucket: the clock went back.
    #[error("the key of bucket {} was destroyed", number(.0))]
    Destroyed(Bucket),
    /// A record does not open under its bucket's key.
    #[error("a record of bucket {} does not open under its key", number(.0))]
    NotOpened(Bucket),
    /// A record opened, and is not in the format.
    #[error("a record of bucket {} is not in the format: {}", number(.0), .1)]
    Malformed(Bucket, DecodeError),
    /// A key of another length than the format's.
    #[error("a row of bucket {} has no key of the format", number(.0))]
    BadKey(Bucket),
    /// A statement is listed under its subscriber and missing under its address.
    #[error("a record of bucket {} is listed under its subscriber and not found under its address", number(.0))]
    NotFound(Bucket),
    /// The engine failed.
    #[error("the database could not be read: {0}")]
    Engine(#[from] EngineError),
}

fn number(bucket: &Bucket) -> u32 {
    bucket.0
}

/// A view of the records that one cutoff does not hide, as they were when it was made.
pub struct Observations<'a> {
    store: &'a Store,
    cutoff: Cutoff,
    settled_through: Option<Bucket>,
    written_through: Option<Bucket>,
    // Made before `by_address`: so whatever is listed here is found there.
    by_subscriber: Result<DBRawIterator<'a>, EngineError>,
    by_address: Result<DBRawIterator<'a>, EngineError>,
}

/// Rows of one prefix, with the values as they are stored.
type KeysAndValues = Vec<(RowKey, Vec<u8>)>;

impl<'a> Observations<'a> {
    pub(in crate::store) fn new(store: &'a Store, cutoff: Cutoff) -> Self {
        // What is settled only grows while nothing late comes. What was late before the view was made may be settled again
        // after; what comes after it may be seen in it. Neither is taken as settled.
        let (before, written_through) = (store.settled_for_readers(), store.settled_through());
        let by_subscriber = store.engine.view(Column::BySubscriber);
        let by_address = store.engine.view(Column::ByAddress);
        // What was hidden once stays hidden, whatever the asker's clock or window says now.
        let cutoff = cutoff.or_later(store.cutoff());
        let settled_through = before.min(store.settled_for_readers());
        Self { store, cutoff, settled_through, written_through, by_subscriber, by_address }
    }

    /// The cutoff of this view.
    pub fn cutoff(&self) -> Cutoff {
        self.cutoff
    }

    /// What makes the tags that a [`Place`] needs.
    pub fn sealer(&self) -> Sealer {
        self.store.sealer()
    }

    /// The prefix lengths in use in a family, longest first.
    pub fn prefix_lens(&self, family: Family) -> Vec<u8> {
        self.store.noted().prefix_lens(family)
    }

    /// The newest bucket whose statements have their settled meaning, with all that follows from them.
    pub fn settled_through(&self) -> Option<Bucket> {
        self.settled_through
    }

    /// The newest bucket that was settled, whatever came late since: what its records' kinds say is the best guess.
    pub fn written_through(&self) -> Option<Bucket> {
        self.written_through
    }

    /// Is it known that this record came after its bucket was settled, and was it not settled again yet?
    pub fn is_late(&self, row: &Row) -> bool {
        self.store.is_late(row)
    }

    /// The statements of one bucket about a place, in the order of time. A bucket that never had a key holds none.
    pub fn in_bucket(&mut self, place: &Place<'_>, bucket: Bucket) -> Result<Vec<Record>, ReadError> {
        Ok(self.rows_in_bucket(place, bucket)?.into_iter().map(|(_, record)| record).collect())
    }

    /// The same, each with the place where it stands.
    pub fn rows_in_bucket(&mut self, place: &Place<'_>, bucket: Bucket) -> Result<Vec<(Row, Record)>, ReadError> {
        if matches!(place, Place::Nas { .. }) && !self.store.noted().has_reset(bucket) {
            return Ok(Vec::new());
        }
        let Some(keys) = self.keys_of(bucket)? else { return Ok(Vec::new()) };
        let tag = match place {
            Place::Address { realm, network } => keys.address_tag(realm, *network),
            Place::Session { nas, session } => keys.session_tag(nas, *session),
            Place::Nas { nas } => keys.nas_tag(nas),
        };
        let from = self.first_instant(bucket);
        let rows = rows(&mut self.by_address, bucket, tag, from)?;
        let readable = rows.iter().filter(|(key, _)| !self.cutoff.hides(key.at));
        readable.map(|(key, value)| Ok((Row(key.to_bytes()), open(&keys, *key, value)?))).collect()
    }

    /// The statements that name a subscriber, in the span `[span_from, until)`, bucket by bucket in the order of time.
    pub fn of_subscriber(
        &mut self,
        entity: &Entity,
        subscriber: &SubscriberId,
        span_from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Record>, ReadError> {
        let width = self.store.keyring.keys().width();
        let first = width.bucket_of(span_from.max(self.cutoff.horizon()));
        // A span may run to the end of time; keys do not.
        let last = self.store.keyring.keys().newest().map_or(Bucket(0), |newest| newest.min(width.bucket_of(until)));
        let mut records = Vec::new();
        for bucket in (first.0..=last.0).map(Bucket) {
            let Some(keys) = self.keys_of(bucket)? else { continue };
            let tag = keys.subscriber_tag(entity, subscriber);
            let from = self.first_instant(bucket).max(span_from);
            for (key, value) in rows(&mut self.by_subscriber, bucket, tag, from)? {
                if self.cutoff.hides(key.at) || until <= key.at {
                    continue;
                }
                let record = match Tag::try_from(value.as_slice()) {
                    Ok(tag) => self.find(&keys, RowKey { tag, ..key })?,
                    Err(_) => open(&keys, key, &value)?,
                };
                // The same statement, sent again with another name, has overwritten the record and not the list.
                if record.subscriber.as_ref() == Some(subscriber) {
                    records.push(record);
                }
            }
        }
        Ok(records)
    }

    /// The record at exactly this key.
    fn find(&mut self, keys: &BucketKeys, key: RowKey) -> Result<Record, ReadError> {
        let by_address = self.by_address.as_mut().map_err(|error| error.clone())?;
        let bytes = key.to_bytes();
        by_address.seek(bytes);
        by_address.status().map_err(EngineError::from)?;
        match by_address.item() {
            Some((found, value)) if found == bytes => open(keys, key, value),
            Some(_) | None => Err(ReadError::NotFound(key.bucket)),
        }
    }

    /// The keys of a bucket; `None` if there is nothing to read in it.
    fn keys_of(&self, bucket: Bucket) -> Result<Option<Arc<BucketKeys>>, ReadError> {
        if self.store.keyring.keys().is_past(bucket, self.cutoff) {
            return Ok(None);
        }
        match self.store.keyring.keys().key_of(bucket) {
            KeyOf::Live(keys) => Ok(Some(keys)),
            KeyOf::NeverMade => Ok(None),
            KeyOf::Damaged => Err(ReadError::Unreadable(bucket)),
            // The cutoff has moved since this view was made, and hides the whole bucket by now.
            KeyOf::Gone if self.store.keyring.keys().is_past(bucket, self.store.cutoff()) => Ok(None),
            KeyOf::Gone => Err(ReadError::Destroyed(bucket)),
        }
    }

    fn first_instant(&self, bucket: Bucket) -> Timestamp {
        self.store.keyring.keys().width().start_of(bucket).max(self.cutoff.horizon())
    }
}

/// The rows of one bucket and tag from an instant on.
fn rows(
    view: &mut Result<DBRawIterator<'_>, EngineError>,
    bucket: Bucket,
    tag: Tag,
    from: Timestamp,
) -> Result<KeysAndValues, ReadError> {
    let view = view.as_mut().map_err(|error| error.clone())?;
    let start = RowKey { bucket, tag, at: from, id: [0; 4] }.to_bytes();
    let (prefix, _) = start.split_at(PREFIX_BYTES);
    let mut rows = KeysAndValues::new();
    view.seek(start);
    while let Some((key, value)) = view.item().filter(|(key, _)| key.starts_with(prefix)) {
        rows.push((RowKey::from_bytes(key).ok_or(ReadError::BadKey(bucket))?, value.to_vec()));
        view.next();
    }
    view.status().map_err(EngineError::from)?;
    Ok(rows)
}

pub(super) fn open(keys: &BucketKeys, key: RowKey, value: &[u8]) -> Result<Record, ReadError> {
    let plain = envelope::open(&keys.cipher, &key.to_bytes(), value).map_err(|_| ReadError::NotOpened(key.bucket))?;
    records::decode(&plain, key.at).map_err(|error| ReadError::Malformed(key.bucket, error))
}
