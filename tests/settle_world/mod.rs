//! A store in which time goes by, the customers whose addresses it records, and a reference that forgets nothing.

mod reference;
mod site;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lapsed::config::{Config, RadiusClient, Secret, Source};
use lapsed::domain::address::{Network, Realm};
use lapsed::domain::coverage::Coverage;
use lapsed::domain::identity::SourceName;
use lapsed::domain::record::Record;
use lapsed::domain::retention::Retention;
use lapsed::domain::selection::Selection;
use lapsed::domain::time::{Bucket, BucketWidth, Cutoff};
use lapsed::domain::verdict::Verdict;
use lapsed::ingest::admit;
use lapsed::lookup::{Answer, Question, Reach, look_up};
use lapsed::settle::Settler;
use lapsed::store::{Batch, Opening, Place, Store};

use crate::random::Random;
use reference::holders;
use site::{Site, instant};

const BASE: u64 = 1_790_000_000;
const WIDTH: u32 = 10;
const WINDOW: u64 = 300;
const CARRY: u32 = 3;
/// The last instant of a history, in seconds after the base.
const END: u64 = 800;

fn config() -> Config {
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
    config: Config,
    store: Arc<Store>,
    settler: Settler,
    sites: Vec<Site>,
    /// What was heard of each site.
    heard: Vec<Vec<Record>>,
    random: Random,
    lagging: u64,
    /// How many answers were compared.
    pub(crate) answers: u64,
}

impl World {
    /// A store for the sites of these numbers.
    pub(crate) fn new(dir: &Path, numbers: std::ops::Range<u32>) -> Self {
        let config = config();
        let opening = Opening::at(instant(0), &config.retention);
        let store = Arc::new(Store::open(dir, dir, &config.retention, opening).unwrap());
        let random = Random(u64::from(numbers.start) ^ 7);
        let sites: Vec<Site> = numbers.map(Site::random).collect();
        let heard = sites.iter().map(|_| Vec::new()).collect();
        let settler = Settler::new(Arc::clone(&store), &config);
        Self { config, store, settler, sites, heard, random, lagging: 0, answers: 0 }
    }

    /// Lets all time go by, in steps.
    pub(crate) fn go(&mut self) {
        let mut before = 0;
        while before < END + WINDOW {
            let now = before + 1 + self.random.below(19);
            self.store.make_keys(instant(now)).unwrap();
            self.hear(before, now);
            self.settle(now);
            self.forget(now);
            for _ in 0..self.sites.len() / 10 + 1 {
                self.ask(now);
            }
            before = now;
        }
        assert!(self.answers > 0);
    }

    fn cutoff(&self, now: u64) -> Cutoff {
        self.config.retention.cutoff(instant(now))
    }

    fn hear(&mut self, before: u64, now: u64) {
        let sealer = self.store.sealer();
        let source = &self.config.radius.clients[0].source;
        let cutoff = self.cutoff(now);
        let mut batch = Batch::new();
        for (site, heard) in self.sites.iter().zip(&mut self.heard) {
            for told in site.told.iter().filter(|told| before < told.arrives && told.arrives <= now) {
                let admission = admit(&site.event(told), source, &self.config, &sealer, instant(now), cutoff);
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

    fn ask(&mut self, now: u64) {
        let index = usize::try_from(self.random.below(self.sites.len() as u64)).unwrap();
        let (address, around) = self.sites[index].address(&mut self.random);
        let oldest = now.saturating_sub(WINDOW);
        let at = match self.random.below(4) {
            0 => now - self.random.below(60).min(now),
            // Where evidence is going.
            1 => (oldest + self.random.below(35)).min(now),
            _ => oldest + self.random.below(now - oldest + 1),
        };
        let port = [None, Some(80), Some(1500), Some(3000)][usize::try_from(self.random.below(4)).unwrap()];
        let question = Question { address, at: instant(at), port, realm: Realm::default() };
        let expected: Vec<String> = holders(&self.heard[index], &around, port, instant(at)).into_iter().collect();
        let mut coverage = Coverage::new(self.config.retention.bucket);
        coverage.hear(&SourceName("bng-1".into()), instant(now));
        for reach in [Reach::Verdict, Reach::Evidence, Reach::Everything] {
            let answer =
                look_up(&self.store, &self.config, &coverage, &question, reach, self.cutoff(now), instant(now))
                    .unwrap();
            assert!(agrees(&answer, &expected), "{}", {
                let site = format!(
                    "site {}: port {port:?} of {address} at {at}, now {now}, by {reach:?}",
                    self.sites[index].number
                );
                format!("{site}\nexpected {expected:?}, not {answer:?}\n{}", self.story(index, &around, now))
            });
            self.answers += 1;
        }
    }

    /// What was heard of a site, and what stands of it in the store.
    fn story(&self, index: usize, around: &[Network], now: u64) -> String {
        let line = |record: &Record| {
            let (at, end) = (record.at.millis() / 1000 - BASE, record.lease_end.map(|end| end.millis() / 1000 - BASE));
            let name = record.subscriber.as_ref().map(|name| &name.0);
            format!("{at} {:?} {} {:?} until {end:?} {name:?}", record.kind, record.session, record.subject)
        };
        let mut lines = vec![format!("settled through {:?}; heard:", self.store.settled_through())];
        lines.extend(self.heard[index].iter().map(line));
        lines.push("stands:".to_owned());
        let mut observations = self.store.observations(self.cutoff(now));
        let width = self.config.retention.bucket;
        let first = width.bucket_of(observations.cutoff().horizon());
        for bucket in (first.0..=width.bucket_of(instant(now)).0).map(Bucket) {
            for network in around {
                let place = Place::Address { realm: &Realm::default(), network: *network };
                lines.extend(observations.in_bucket(&place, bucket).unwrap().iter().map(line));
            }
        }
        lines.join("\n")
    }
}

/// Does an answer name whom it should? Who was not named by then is named by what followed, where that was read.
fn agrees(answer: &Answer, expected: &[String]) -> bool {
    let nobody = matches!(answer.verdict, Verdict::Unassigned | Verdict::NoCoverage);
    if nobody != expected.is_empty() || expected.iter().any(|name| name.starts_with('(')) {
        return nobody == expected.is_empty();
    }
    let named = answer.holder.as_ref().and_then(|holder| holder.subscriber.as_ref()).map(|name| &name.0);
    let names = expected.len() != 1 || answer.verdict == Verdict::Ambiguous || named == expected.first();
    answer.sharing == expected.len() && names
}
