//! A store whose time is moved by hand: events come in, the pass settles, what is past is hidden and its keys are destroyed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lapsed::config::{Config, RadiusClient, Secret, Source};
use lapsed::domain::address::{Network, Realm};
use lapsed::domain::coverage::Coverage;
use lapsed::domain::event::{Assigned, Event, EventKind, EventTime};
use lapsed::domain::identity::{Line, NasId, SessionId, SourceName, SubscriberId};
use lapsed::domain::retention::Retention;
use lapsed::domain::selection::Selection;
use lapsed::domain::time::{Bucket, BucketWidth, Timestamp};
use lapsed::ingest::admit;
use lapsed::lookup::{Answer, Question, Reach, look_up};
use lapsed::settle::Settler;
use lapsed::store::{Batch, Opening, Store};

/// The first instant, in seconds since the epoch: the beginning of a bucket of any width used here.
pub(crate) const BASE: u64 = 1_790_640_000;

/// A store, and what goes with it.
pub(crate) struct Rig {
    pub(crate) config: Config,
    pub(crate) store: Arc<Store>,
    pub(crate) settler: Settler,
}

/// Seconds after the base.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis((BASE + seconds) * 1000)
}

/// One source, `bng-1`; 10-minute buckets, and what follows from the window.
pub(crate) fn config(window: Duration) -> Config {
    let bucket = BucketWidth::from_secs(600).unwrap();
    let retention = Retention {
        window,
        bucket,
        purge_interval: Duration::from_secs(60),
        carry_interval: Retention::default_carry_interval(window, bucket),
        max_silence: Some(Retention::default_max_silence(window)),
    };
    let client = RadiusClient {
        network: "127.0.0.0/8".parse().unwrap(),
        source: Source::named("bng-1", &retention),
        secret: Secret::from_bytes(b"made-up").unwrap(),
        secret_file: "none".into(),
        secret_exposed: false,
        selection: Selection::default(),
    };
    let mut config = Config { retention, ..Config::default() };
    config.lookup.margin = Duration::ZERO;
    config.radius.clients.push(client);
    config
}

/// What a source says of one address.
pub(crate) fn says(kind: EventKind, seconds: u64, session: &str, who: &str, address: &str) -> Event {
    let network = Network::single(address.parse().unwrap());
    Event {
        kind,
        time: EventTime { stamp: Some(at(seconds)), delay: None },
        nas: NasId("nas-1".into()),
        session: Some(SessionId(session.as_bytes().to_vec())),
        session_time: None,
        assigned: vec![Assigned::whole(network)],
        subscriber: Some(SubscriberId(who.into())),
        line: Line::default(),
        terminate_cause: None,
        lease_end: None,
    }
}

impl Rig {
    pub(crate) fn new(dir: &Path, window: Duration) -> Self {
        let config = config(window);
        let opening = Opening::at(at(0), &config.retention);
        let store = Arc::new(Store::open(dir, dir, &config.retention, opening).unwrap());
        let settler = Settler::new(Arc::clone(&store), &config);
        Self { config, store, settler }
    }

    /// Commits what was said, as it arrives at `now`.
    pub(crate) fn hear(&self, events: &[Event], now: u64) {
        let (sealer, source) = (self.store.sealer(), &self.config.radius.clients[0].source);
        let mut batch = Batch::new();
        for event in events {
            let cutoff = self.config.retention.cutoff(at(now));
            for (record, entity) in admit(event, source, &self.config, &sealer, at(now), cutoff).records {
                batch.record(sealer.seal(&record, &entity).unwrap());
            }
        }
        self.store.commit(batch).unwrap();
    }

    /// Settles what is due, then hides what is past and destroys its keys.
    pub(crate) fn pass(&mut self, now: u64) {
        self.store.make_keys(at(now)).unwrap();
        self.settler.catch_up(at(now)).unwrap();
        let cutoff = self.config.retention.cutoff(at(now));
        self.store.hide(cutoff);
        self.store.destroy_keys(cutoff).unwrap();
    }

    pub(crate) fn ask(&self, address: &str, seconds: u64, now: u64) -> Answer {
        let question =
            Question { address: address.parse().unwrap(), at: at(seconds), port: None, realm: Realm::default() };
        let mut heard = Coverage::new(self.config.retention.bucket);
        heard.hear(&SourceName("bng-1".into()), at(now));
        let cutoff = self.config.retention.cutoff(at(now));
        look_up(&self.store, &self.config, &heard, &question, Reach::Evidence, cutoff, at(now)).unwrap()
    }

    /// Everything that stands in the buckets of a span, one line a record.
    pub(crate) fn dump(&self, from: u64, until: u64) -> Vec<String> {
        let width = self.config.retention.bucket;
        let mut lines = Vec::new();
        for bucket in (width.bucket_of(at(from)).0..=width.bucket_of(at(until)).0).map(Bucket) {
            let told = self.store.visit_bucket(bucket, |_, record| {
                lines.push(format!(
                    "{} {:?} {:?} {:?}",
                    record.at,
                    record.kind,
                    record.subject,
                    record.subscriber.map(|name| name.0)
                ));
            });
            told.unwrap();
        }
        lines.sort();
        lines
    }
}
