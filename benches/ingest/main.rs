//! Events a second into the store, and beside it the same rows written by RocksDB alone.
//!
//! `cargo bench --profile release --bench ingest`. The profile matters: with another one, RocksDB is compiled again.
//!
//! An event is a statement about one IPv4 address: two rows, a sealed record of about 180 bytes and its entry in the list
//! of its subscriber. Batches have 1, 100 and 1000 events, and each is synced.
//!
//! - `lapsed`: records are encoded and sealed on one thread, queued, and committed on another by
//!   [`Store::commit`](lapsed::store::Store::commit), as in the daemon.
//! - `bare`: one thread puts the same keys and values, sealed beforehand, into a `WriteBatch` and writes it. The database
//!   was made by the store and is opened with the options that the store left in it: families, compression, filters,
//!   memtables, log. What is missing is all the rest: encoding, sealing, the queue, the store's own types.
//!
//! After criterion's report both are run in turn, for the ratio of their medians: the mood of a disk changes between the
//! minutes in which criterion measures the one and the other. Beside the rates stands the processor time of each thread,
//! which the disk does not change. `-- none` leaves out criterion's part.
#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "its report is what it is for")]

mod bare;
mod events;
mod sealed;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};

use bare::Bare;
use events::Events;
use sealed::Sealing;
use support::figures::{Took, percentile};
use support::sealing::BothTook;

/// Events in a batch, and batches in a run of the comparison: a few tenths of a second.
const SIZES: [(usize, usize); 3] = [(1, 300), (100, 200), (1000, 60)];
const PAIRS: usize = 21;

fn main() {
    let measuring = support::measuring();
    let events = Events::made(if measuring { 400_000 } else { 2_000 });
    println!("{events}");
    let mut criterion = Criterion::default().configure_from_args();
    report(&mut criterion, &events);
    criterion.final_summary();
    if measuring {
        println!("\nin turn, medians of {PAIRS} runs each:");
        SIZES.iter().for_each(|(batch, batches)| compare(&events, *batch, *batches));
    }
}

fn report(criterion: &mut Criterion, events: &Events) {
    let mut group = criterion.benchmark_group("ingest");
    group.sample_size(20).measurement_time(Duration::from_secs(8));
    for (batch, _) in SIZES {
        group.throughput(Throughput::Elements(u64::try_from(batch).unwrap()));
        let (mut sealing, mut bare) = (Sealing::new(events), Bare::new(events));
        group.bench_function(BenchmarkId::new("lapsed", batch), |bencher| {
            bencher.iter_custom(|batches| sealing.run(batch, usize::try_from(batches).unwrap()).committing.wall);
        });
        group.bench_function(BenchmarkId::new("bare", batch), |bencher| {
            bencher.iter_custom(|batches| bare.run(batch, usize::try_from(batches).unwrap()).wall);
        });
    }
    group.finish();
}

/// Runs both in turn, so that what disturbs the one disturbs the other, and prints medians and their ratio.
fn compare(events: &Events, batch: usize, batches: usize) {
    let (mut sealing, mut bare) = (Sealing::new(events), Bare::new(events));
    let count = f64::from(u32::try_from(batch * batches).unwrap());
    // The first run of each grows what is empty, and does not count.
    sealing.run(batch, batches);
    bare.run(batch, batches);
    let pairs: Vec<(BothTook, Took)> =
        (0..PAIRS).map(|_| (sealing.run(batch, batches), bare.run(batch, batches))).collect();
    let median =
        |of: &dyn Fn(&(BothTook, Took)) -> f64| percentile(&pairs.iter().map(of).collect::<Vec<_>>(), 50).unwrap();
    let ours = median(&|(ours, _)| count / ours.committing.wall.as_secs_f64());
    let theirs = median(&|(_, bare)| count / bare.wall.as_secs_f64());
    let of_pairs = median(&|(ours, bare)| bare.wall.as_secs_f64() / ours.committing.wall.as_secs_f64());
    println!(
        "batch {batch:>4}: lapsed {ours:>7.0} events/s, bare {theirs:>7.0} events/s, ratio {:.0} % (of pairs {:.0} %)",
        100.0 * ours / theirs,
        100.0 * of_pairs,
    );
    let micros = |processor: Duration| processor.as_secs_f64() * 1e6 / count;
    println!(
        "            processor time an event: sealing {:.2} us, committing {:.2} us; bare {:.2} us",
        median(&|(ours, _)| micros(ours.sealing.processor)),
        median(&|(ours, _)| micros(ours.committing.processor)),
        median(&|(_, bare)| micros(bare.processor)),
    );
}
