//! What a purge costs: rows a second, and one run on stores that hold more and more that stays.
//!
//! `cargo bench --locked --profile release --bench purge`. The profile matters: with another one, RocksDB is compiled again.
//!
//! The store has a window of 48 hours in buckets of 10 minutes. Records have about 180 bytes when sealed, and two rows each.
//! Time is moved by hand; a run is [`lapsed::purge::Purger::run`], as the daemon makes it, on one thread.
//!
//! - `whole`: each run finds four buckets that are wholly past. Rows are counted, their keys destroyed, their files unlinked.
//! - `cut`: each run finds another tenth of one bucket past. What stays of the bucket is counted past, rewritten and read
//!   again: that is what a run costs by the rows of the bucket which the cutoff cuts through.
//! - `interval`: 20,000 rows are due, of a bucket of 200,000, in a store of 2 million and one of 20 million live records.
//! - `empty`: nothing is due, on the same stores.
//!
//! The first run after loading does not count: it takes apart tables that loading wrote across many buckets, which events that
//! come as time goes by do not make.
//!
//! Where it only looks whether it still runs, everything is a thousand times smaller. Loading 20 million records takes one to two minutes.
#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "its report is what it is for")]

mod runs;
mod stock;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "what is shared has parts for the other benches")]
mod support;

use runs::{Runs, Summary};
use stock::{Span, Stock};

/// Minutes in a bucket.
const BUCKET: u64 = 10;
/// The last minute of the window.
const END: u64 = 48 * 60;

fn main() {
    let scale = if support::measuring() { 1 } else { 1000 };
    Summary::head();
    destroy(scale);
    for live in [2_000_000, 20_000_000] {
        keep(live / scale, scale);
    }
}

/// Much is due, and little stays.
fn destroy(scale: u64) {
    // One bucket of half a million records, then five times four buckets of 100,000 each.
    let cut = Span { from: 0, until: BUCKET, records: 500_000 / scale };
    let whole = Span { from: BUCKET, until: 21 * BUCKET, records: 2_000_000 / scale };
    let stock = Stock::load(&[cut, whole]);
    let mut runs = Runs::of(&stock);
    runs.run(1);
    let parts: Vec<_> = (2..BUCKET).map(|minute| runs.run(minute)).collect();
    runs.run(BUCKET);
    Summary::of("cut", &parts).print();
    Summary::of("cut", &parts).print_by_rows();
    let whole: Vec<_> = (1..=5).map(|turn| runs.run(BUCKET + turn * 4 * BUCKET)).collect();
    Summary::of("whole", &whole).print();
    Summary::of("whole", &whole).print_by_rows();
}

/// Little is due, and `live` records stay.
fn keep(live: u64, scale: u64) {
    // Two buckets in which the due part is the same whatever the size of the rest.
    let dense = 2 * BUCKET;
    let due = Span { from: 0, until: dense, records: 10_000 * dense / scale };
    let stock = Stock::load(&[due, Span { from: dense, until: END, records: live }]);
    let mut runs = Runs::of(&stock);
    runs.run(1);
    let empty: Vec<_> = (0..15).map(|_| runs.run(1)).collect();
    let interval: Vec<_> = (2..dense).map(|minute| runs.run(minute)).collect();
    Summary::of(&format!("interval, {live} live"), &interval).print();
    Summary::of(&format!("empty, {live} live"), &empty).print();
    println!("{:>28}  loaded in {:.0?}", "", stock.took);
}
