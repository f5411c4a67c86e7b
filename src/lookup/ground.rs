//! What a lookup reads from: the store, or what an exhibit has kept of it.
//!
//! Both are read by the same code and in the same steps, so that an exhibit's answer is that of the store by construction.

use crate::domain::address::{Family, Network, Realm};
use crate::domain::identity::{Entity, NasId, SubscriberId};
use crate::domain::record::{Kind, Record};
use crate::domain::session::Said;
use crate::domain::time::{Bucket, Timestamp};
use crate::store::{Observations, Place, ReadError};

use super::timeline::{SessionKey, Trust};

/// Records to read, of which nothing older than the horizon is left.
pub(super) trait Ground {
    /// Why something could not be read.
    type Error;

    /// The prefix lengths in use in a family, the longest first.
    fn prefix_lens(&self, family: Family) -> Vec<u8>;

    /// The newest bucket whose statements have their settled meaning.
    fn settled_through(&self) -> Option<Bucket>;

    /// The newest bucket that was settled, whatever came late since.
    fn written_through(&self) -> Option<Bucket>;

    /// What is said of a prefix in one bucket, in the order of time, and what each record's kind is worth.
    fn of_network(
        &mut self,
        realm: &Realm,
        network: Network,
        bucket: Bucket,
    ) -> Result<Vec<(Record, Trust)>, Self::Error>;

    /// The markers of a session in one bucket.
    fn of_session(&mut self, session: &SessionKey, bucket: Bucket) -> Result<Vec<Record>, Self::Error>;

    /// The markers of a NAS in one bucket.
    fn of_nas(&mut self, nas: &NasId, bucket: Bucket) -> Result<Vec<Record>, Self::Error>;

    /// The instants in `[from, until)` at which a session spoke, or logged on, with a subscriber's name, of whatever address.
    fn spoken(
        &mut self,
        entity: &Entity,
        subscriber: &SubscriberId,
        session: &SessionKey,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, Self::Error>;
}

impl Ground for Observations<'_> {
    type Error = ReadError;

    fn prefix_lens(&self, family: Family) -> Vec<u8> {
        Observations::prefix_lens(self, family)
    }

    fn settled_through(&self) -> Option<Bucket> {
        Observations::settled_through(self)
    }

    fn written_through(&self) -> Option<Bucket> {
        Observations::written_through(self)
    }

    fn of_network(
        &mut self,
        realm: &Realm,
        network: Network,
        bucket: Bucket,
    ) -> Result<Vec<(Record, Trust)>, ReadError> {
        let within = |through: Option<Bucket>| through.is_some_and(|through| bucket <= through);
        let trust = match (within(self.settled_through()), within(self.written_through())) {
            (true, _) => Trust::Settled,
            (false, true) => Trust::Doubtful,
            (false, false) => Trust::Raw,
        };
        let rows = self.rows_in_bucket(&Place::Address { realm, network }, bucket)?;
        let trusted = rows.into_iter().map(|(row, record)| {
            let late = trust == Trust::Doubtful && self.is_late(&row);
            (record, if late { Trust::Raw } else { trust })
        });
        Ok(trusted.collect())
    }

    fn of_session(&mut self, (nas, session): &SessionKey, bucket: Bucket) -> Result<Vec<Record>, ReadError> {
        self.in_bucket(&Place::Session { nas, session: *session }, bucket)
    }

    fn of_nas(&mut self, nas: &NasId, bucket: Bucket) -> Result<Vec<Record>, ReadError> {
        self.in_bucket(&Place::Nas { nas }, bucket)
    }

    fn spoken(
        &mut self,
        entity: &Entity,
        subscriber: &SubscriberId,
        (nas, session): &SessionKey,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, ReadError> {
        let said = self.of_subscriber(entity, subscriber, from, until)?;
        let own = said.iter().filter(|record| {
            record.session == *session
                && record.nas == *nas
                && (record.kind == Kind::Logon || Said::of(record.kind).is_some_and(Said::is_real))
        });
        Ok(own.map(|record| record.at).collect())
    }
}
