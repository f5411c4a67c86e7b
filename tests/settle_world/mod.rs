//! A store in which time goes by, and the customers whose addresses it records.

mod site;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lapsed::config::{Config, RadiusClient, Secret, Source};
use lapsed::domain::event::Event;
use lapsed::domain::record::Record;
use lapsed::domain::retention::Retention;
use lapsed::domain::selection::Selection;
use lapsed::domain::time::{BucketWidth, Cutoff};
use lapsed::ingest::admit;
use lapsed::settle::Settler;
use lapsed::store::{Batch, Opening, Store};

use crate::random::Random;
pub(crate) use site::{Site, Told, instant};

pub(crate) const BASE: u64 = 1_790_000_000;
pub(crate) const WIDTH: u32 = 10;
pub(crate) const WINDOW: u64 = 300;
pub(crate) const CARRY: u32 = 3;
/// The last instant of a history, in seconds after the base.
pub(crate) const END: u64 = 800;

/// One source, `bng-1`; no margins.
pub(crate) fn config() -> Config {
    let seconds = Duration::from_secs;
    let retention = Retention {
        window: seconds(WINDOW),
        bucket: BucketWidth::from_secs(WIDTH).unwrap(),
        purge_interval: seconds(10),
        carry_interval: seconds(u64::from(CARRY * WIDTH)),
        max_silence: Some(seconds(60)),
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
    config.lookup.shared_margin = Duration::ZERO;
    config.radius.clients.push(client);
    config
}

/// The store, and what goes on around it.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) store: Arc<Store>,
    settler: Settler,
    pub(crate) sites: Vec<Site>,
    /// What was heard of each site.
    pub(crate) heard: Vec<Vec<Record>>,
    pub(crate) random: Random,
    /// What the source adds to an event of a site.
    adds: fn(&Site, &Told, &mut Event),
    lagging: u64,
    /// How many answers were compared.
    pub(crate) answers: u64,
}

impl World {
    /// A store for the sites of these numbers.
    pub(crate) fn new(
        dir: &Path,
        config: Config,
        numbers: std::ops::Range<u32>,
        adds: fn(&Site, &Told, &mut Event),
    ) -> Self {
        let opening = Opening::at(instant(0), &config.retention);
        let store = Arc::new(Store::open(dir, dir, &config.retention, opening).unwrap());
        let random = Random(u64::from(numbers.start) ^ 7);
        let sites: Vec<Site> = numbers.map(Site::random).collect();
        let heard = sites.iter().map(|_| Vec::new()).collect();
        let settler = Settler::new(Arc::clone(&store), &config);
        Self { config, store, settler, sites, heard, random, adds, lagging: 0, answers: 0 }
    }

    /// Lets all time go by, in steps, in each of which there is something to do.
    pub(crate) fn go(&mut self, mut each: impl FnMut(&mut Self, u64)) {
        let mut before = 0;
        while before < END + WINDOW {
            let now = before + 1 + self.random.below(19);
            self.store.make_keys(instant(now)).unwrap();
            self.hear(before, now);
            self.settle(now);
            self.forget(now);
            each(self, now);
            before = now;
        }
        assert!(self.answers > 0);
    }

    pub(crate) fn cutoff(&self, now: u64) -> Cutoff {
        self.config.retention.cutoff(instant(now))
    }

    fn hear(&mut self, before: u64, now: u64) {
        let sealer = self.store.sealer();
        let source = &self.config.radius.clients[0].source;
        let cutoff = self.cutoff(now);
        let mut batch = Batch::new();
        for (site, heard) in self.sites.iter().zip(&mut self.heard) {
            for told in site.told.iter().filter(|told| before < told.arrives && told.arrives <= now) {
                let mut event = site.event(told);
                (self.adds)(site, told, &mut event);
                let admission = admit(&event, source, &self.config, &sealer, instant(now), cutoff);
                for (record, entity) in admission.records {
                    batch.record(sealer.seal(&record, &entity).unwrap());
                    heard.push(record);
                }
            }
        }
        self.store.commit(batch).unwrap();
    }

    /// Now and then the pass is begun anew, or lags behind for a while.
    fn settle(&mut self, now: u64) {
        if self.random.below(12) == 0 {
            self.settler = Settler::new(Arc::clone(&self.store), &self.config);
        }
        let falls_behind = self.lagging == 0 && self.random.below(15) == 0;
        self.lagging = if falls_behind { 1 + self.random.below(6) } else { self.lagging.saturating_sub(1) };
        if self.lagging == 0 {
            self.settler.catch_up(instant(now)).unwrap();
        }
    }

    /// Hides what is past and destroys its keys; now and then unlinks it, and looks whether it is gone.
    fn forget(&mut self, now: u64) {
        let cutoff = self.cutoff(now);
        self.store.hide(cutoff);
        self.store.destroy_keys(cutoff).unwrap();
        if self.random.below(10) == 0 {
            self.store.flush_expired(instant(now)).unwrap();
            self.store.drop_hidden();
            self.store.unlink(self.store.bucket_of(cutoff.horizon())).unwrap();
            assert_eq!(self.store.doomed().unwrap().total(), 0, "at {now}");
            let bounds = self.store.bounds().unwrap();
            assert!(bounds.expired.is_empty() && bounds.tombstones.is_empty(), "at {now}: {bounds:?}");
        }
    }
}
