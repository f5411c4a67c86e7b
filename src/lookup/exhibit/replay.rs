//! An exhibit as a ground to read from: the same rows in the same order as the store had them.

use std::collections::BTreeSet;
use std::convert::Infallible;

use crate::domain::address::{Family, Network, Realm};
use crate::domain::identity::{Entity, NasId, SubscriberId};
use crate::domain::record::Record;
use crate::domain::time::{Bucket, BucketWidth, Timestamp};

use super::Exhibit;
use crate::lookup::ground::Ground;
use crate::lookup::timeline::{SessionKey, Trust};

/// Reads an exhibit.
pub(super) struct Replay<'a>(pub(super) &'a Exhibit);

impl Replay<'_> {
    fn in_bucket<'a, T>(&self, rows: &'a [T], at: impl Fn(&T) -> Timestamp, bucket: Bucket) -> &'a [T] {
        let width: BucketWidth = self.0.coverage.width();
        let first = rows.partition_point(|row| width.bucket_of(at(row)) < bucket);
        let end = rows.partition_point(|row| width.bucket_of(at(row)) <= bucket);
        rows.get(first..end).unwrap_or_default()
    }

    fn marks_in(&self, records: Option<&Vec<Record>>, bucket: Bucket) -> Vec<Record> {
        let records = records.map_or(&[][..], Vec::as_slice);
        self.in_bucket(records, |record| record.at, bucket).to_vec()
    }
}

impl Ground for Replay<'_> {
    type Error = Infallible;

    /// Those with rows. A prefix of which nothing is said changes no answer.
    fn prefix_lens(&self, family: Family) -> Vec<u8> {
        let networks = self.0.rows.keys().map(|(_, network)| network);
        let lens: BTreeSet<u8> =
            networks.filter(|network| network.family() == family).map(Network::prefix_len).collect();
        lens.into_iter().rev().collect()
    }

    fn settled_through(&self) -> Option<Bucket> {
        self.0.settled_through
    }

    fn written_through(&self) -> Option<Bucket> {
        self.0.written_through
    }

    fn of_network(
        &mut self,
        realm: &Realm,
        network: Network,
        bucket: Bucket,
    ) -> Result<Vec<(Record, Trust)>, Infallible> {
        let rows = self.0.rows.get(&(realm.clone(), network)).map_or(&[][..], Vec::as_slice);
        Ok(self.in_bucket(rows, |(record, _)| record.at, bucket).to_vec())
    }

    fn of_session(&mut self, session: &SessionKey, bucket: Bucket) -> Result<Vec<Record>, Infallible> {
        Ok(self.marks_in(self.0.ends.get(session), bucket))
    }

    fn of_nas(&mut self, nas: &NasId, bucket: Bucket) -> Result<Vec<Record>, Infallible> {
        Ok(self.marks_in(self.0.resets.get(nas), bucket))
    }

    /// What was sealed of it is of the one entity whose subscribers the address is assigned to.
    fn spoken(
        &mut self,
        _: &Entity,
        subscriber: &SubscriberId,
        session: &SessionKey,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, Infallible> {
        let own = self.0.spoken.iter().filter(|(key, name, _)| key == session && name == subscriber);
        Ok(own.map(|(_, _, at)| *at).filter(|at| (from..until).contains(at)).collect())
    }
}
