//! What settling costs: a bucket in which every session speaks, one in which all are carried, and the index in memory.
//!
//! `cargo bench --locked --profile release --bench settle`. The profile matters: with another one, RocksDB is compiled again.
//!
//! A million sessions, each on an address of its own, speak once in each of the first buckets of 10 minutes and never again.
//! The pass is [`lapsed::settle::Settler`], as the daemon makes it, on one thread; time is moved by hand.
//!
//! - `first`: everybody starts. The index is made.
//! - `speaking`: everybody goes on. By a record, this is what each event costs; 20,000 events a second are 12 million a bucket.
//! - `silent`: nobody has said anything for a carry interval, and all are carried.
//! - `waking`: the index is made anew, as at a start.
//!
//! Where it only looks whether it still runs, everything is a thousand times smaller.
#![expect(clippy::unwrap_used, reason = "a bench stops at what it did not expect")]
#![expect(clippy::print_stdout, reason = "its report is what it is for")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "what is shared has parts for the other benches")]
mod support;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use lapsed::config::Config;
use lapsed::domain::address::{Network, Ports, Realm};
use lapsed::domain::record::{Kind, Record, Subject};
use lapsed::domain::time::{Bucket, Timestamp};
use lapsed::settle::Settler;
use lapsed::store::Store;

use support::figures::{Took, took};
use support::place::{NOW, Place, retention};
use support::population::Statement;

/// How many buckets everybody speaks in.
const SPOKEN: u32 = 4;

fn main() {
    let sessions = if support::measuring() { 1_000_000 } else { 1000 };
    let place = Place::new();
    let store = Arc::new(place.store());
    let (width, carry) = (retention().bucket, retention().carry_buckets());
    let first = width.bucket_of(NOW).earlier(3 * carry);
    let loaded = took(|| load(&store, first, sessions));
    println!("{sessions} sessions, {SPOKEN} statements each, loaded in {:.0?}", loaded.wall);
    let due = |bucket: Bucket| width.start_of(bucket.later(carry));
    let mut settler = Settler::new(Arc::clone(&store), &Config::default());
    settler.catch_up(due(first.earlier(1))).unwrap();
    for number in 0..SPOKEN {
        let name = if number == 0 { "first" } else { "speaking" };
        report(name, sessions, took(|| settler.catch_up(due(first.later(number))).unwrap()));
    }
    settler.catch_up(due(first.later(SPOKEN - 1 + carry).earlier(1))).unwrap();
    let before = settler.work().derived;
    report("silent", sessions, took(|| settler.catch_up(due(first.later(SPOKEN - 1 + carry))).unwrap()));
    assert_eq!(settler.work().derived - before, u64::from(sessions), "not everybody was carried");
    let size = settler.index_size();
    println!("index: {} addresses, {} sessions, {} bytes each", size.sites, size.runs, size.bytes / size.runs);
    let mut settler = Settler::new(Arc::clone(&store), &Config::default());
    report("waking", sessions, took(|| while settler.step(due(first.later(SPOKEN - 1 + carry))).unwrap() {}));
}

fn load(store: &Store, first: Bucket, sessions: u32) {
    for number in 0..SPOKEN {
        let from = retention().bucket.start_of(first.later(number));
        let kind = if number == 0 { Kind::Start } else { Kind::Update };
        let records = (0..sessions).map(|session| record(session, from.plus(spread(session, sessions)), kind));
        support::sealing::seal_and_commit(store, records, 1000);
    }
}

/// When a session speaks in its bucket.
fn spread(session: u32, sessions: u32) -> Duration {
    Duration::from_millis(u64::from(session) * 599_000 / u64::from(sessions))
}

fn record(session: u32, at: Timestamp, kind: Kind) -> Record {
    let address = Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 0).to_bits() | session);
    let subject =
        Subject::Assignment { realm: Realm::default(), network: Network::single(address.into()), ports: Ports::ALL };
    Record { subject, ..Statement { at, kind, address: session, session }.record() }
}

fn report(name: &str, sessions: u32, took: Took) {
    let each = took.processor / sessions;
    println!("{name:>10}  {:>8.2?} wall  {:>8.2?} processor  {each:>8.2?} each", took.wall, took.processor);
}
