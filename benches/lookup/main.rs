//! How long an answer takes, from the question to the verdict, without the API around it.
//!
//! `cargo bench --profile release --bench lookup`. The profile matters: with another one, RocksDB is compiled again.
//!
//! The store has a window of 48 hours in buckets of 10 minutes, all of it full: 8,000 addresses, each held by one session
//! after another, with an interim every 10 minutes; about 2.4 million statements. A few addresses are held by one session
//! for 40 hours. All but the last carry interval is settled, as it is in a daemon. Everything is in the caches of the store or
//! the kernel.
//!
//! - `hit`: the verdict on an instant up to two hours after the start of a session.
//! - `evidence`: the same with its boundaries, as the daemon answers.
//! - `miss`: an address that nobody ever spoke of.
//! - `long_session`: the middle of a session of 40 hours.
//! - `full_evidence`: the same, with all that is known of the address in the window.
//!
//! Every answer is checked once before it is measured. After criterion's report, questions are timed one by one, for the
//! percentiles that a mean does not show; `-- none` leaves out criterion's part.
#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "its report is what it is for")]

mod questions;
mod sessions;
#[path = "../support/mod.rs"]
mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::Criterion;
use lapsed::config::Config;
use lapsed::domain::coverage::Coverage;
use lapsed::lookup::{Answer, look_up};
use lapsed::settle::Settler;
use lapsed::store::Store;
use rocksdb::perf::{PerfContext, PerfStatsLevel, set_perf_stats};

use questions::{Asked, Case};
use sessions::Sessions;
use support::figures::{Took, percentile, took};
use support::place::{NOW, Place};
use support::population::source;
use support::sealing::seal_and_commit;

/// How many questions the percentiles are made of.
const SAMPLES: usize = 3_000;

fn main() {
    let measuring = support::measuring();
    let sessions = Sessions::made(if measuring { 8_000 } else { 200 });
    let place = Place::new();
    let desk = Desk::new(place.store());
    let statements = sessions.statements();
    let records = statements.iter().map(|statement| statement.record());
    let loading = seal_and_commit(&desk.store, records, 1000);
    let (stored, sealing) = (loading.committing.wall, loading.sealing.processor);
    println!("{} statements of {} sessions", statements.len(), sessions.all.len());
    println!("stored in {stored:.1?}, of which sealing kept a processor busy for {sealing:.1?}");
    let mut settler = Settler::new(Arc::clone(&desk.store), &desk.config);
    let settling = took(|| settler.catch_up(NOW).unwrap());
    println!("settled in {:.1?} of a processor", settling.processor);
    let cases = Case::ALL.map(|case| (case, case.questions(&sessions)));
    cases.iter().flat_map(|(_, asked)| asked).for_each(|asked| asked.check(&desk.answer(asked)));

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("lookup");
    for (case, asked) in &cases {
        let mut next = asked.iter().cycle();
        group.bench_function(case.name(), |bencher| bencher.iter(|| desk.answer(black_box(next.next().unwrap()))));
    }
    group.finish();
    criterion.final_summary();
    if measuring {
        println!();
        cases.iter().for_each(|(case, asked)| desk.time_each(*case, asked));
    }
}

/// Where questions are answered.
struct Desk {
    store: Arc<Store>,
    config: Config,
    coverage: Coverage,
}

impl Desk {
    fn new(store: Store) -> Self {
        let config = Config::default();
        let mut coverage = Coverage::new(config.retention.bucket);
        coverage.hear(&source(), NOW);
        Self { store: Arc::new(store), config, coverage }
    }

    fn answer(&self, asked: &Asked) -> Answer {
        look_up(
            &self.store,
            &self.config,
            &self.coverage,
            &asked.question,
            asked.reach,
            self.config.retention.cutoff(NOW),
            NOW,
        )
        .unwrap()
    }

    /// Prints percentiles of single answers.
    fn time_each(&self, case: Case, asked: &[Asked]) {
        let single = |asked| {
            took(|| {
                black_box(self.answer(asked));
            })
        };
        let times: Vec<Took> = asked.iter().cycle().take(SAMPLES).map(single).collect();
        let wall: Vec<_> = times.iter().map(|took| took.wall).collect();
        let processor: Vec<_> = times.iter().map(|took| took.processor).collect();
        let [p50, p99] = [50, 99].map(|percent| percentile(&wall, percent).unwrap());
        let busy = percentile(&processor, 50).unwrap();
        println!(
            "{:<14} {:>4.0} seeks   p50 {p50:>9.1?}   p99 {p99:>9.1?}   processor p50 {busy:>9.1?}",
            case.name(),
            self.seeks(asked)
        );
    }

    /// How often an answer seeks in the database, on the average: its price, whatever else the machine does.
    fn seeks(&self, asked: &[Asked]) -> f64 {
        let mut context = PerfContext::default();
        context.reset();
        set_perf_stats(PerfStatsLevel::EnableCount);
        asked.iter().for_each(|asked| {
            black_box(self.answer(asked));
        });
        set_perf_stats(PerfStatsLevel::Disable);
        let report = context.report(true);
        let seeks = report.split(", ").find_map(|metric| metric.strip_prefix("iter_seek_count = ")).unwrap_or("0");
        seeks.parse::<f64>().unwrap() / f64::from(u32::try_from(asked.len()).unwrap())
    }
}
