//! Lapsed records who held which IP address, answers "who held address X (port P) at time T" under a legal process, and
//! forgets everything older than its window.
//!
//! A tour, from the bottom up. Arrows point down only, and `tests/architecture.rs` checks it.
//!
//! - [`domain`]: the nouns and the rules that need neither IO nor a clock. Begin with [`domain::record`], what is stored,
//!   and [`domain::session`], which turns statements about instants into spans of time. Will never read a clock.
//! - [`clock`]: the machine's clocks, injected. Whether they are believed is [`domain::clock_guard`]'s rule.
//! - [`wire`]: bytes of protocols to events, without IO; any bytes in, no panic. Will never decide what is kept.
//! - [`sources`]: text that DHCP servers write for themselves to events, without IO. Will never decide what is kept.
//! - [`config`]: one file and its table of process types, checked whole, every fault with its place.
//! - [`written`]: times, addresses and lists of items as papers write them; what can be read in two ways is refused with both.
//!   Will never choose, and never reads a clock.
//! - [`api`]: the contract that daemon and client share.
//! - [`desk`]: what is pointed out of a request's items before anything is answered. Will never read a record.
//! - [`store`]: sealed records in buckets whose keys can be destroyed; the only module that names RocksDB. Will never give
//!   out a record without a cutoff.
//! - [`canonical`]: text of which each meaning has one form: what entries of the ledgers are written in. Knows no entry.
//! - [`ledger`]: the append-only logs: hash tree, signed checkpoints, tiles and receipts, as C2SP lays them out. Knows nothing of leases.
//! - [`ingest`]: from an event to the records that are kept of it.
//! - [`settle`]: the pass that writes down what statements mean, so that forgetting changes no answer. Will never disclose.
//! - [`lookup`]: gathers statements, settles them, judges; from an address to who held it, and from a subscriber to what they
//!   had. Will never know who asks.
//! - [`purge`]: the plan of a purge, its run and its reports; besides the run itself, plain data about buckets, counts and
//!   instants. Will never know an address, and never reports what it has not verified.
//! - [`desk`]: requests on file, as papers have them and as they are understood. Seals nothing and reads no record.
//! - [`shown`]: foreign text made harmless, and what stands beside an answer wherever it is printed. Withholds nothing.
//! - [`package`]: what a requester is given: the files of a response and the words of a certificate. Reads no record and signs nothing
//!   in anybody's name.
//! - [`audit`]: what the access ledger says of an access. [`tokens`]: who may come in.
//! - [`watch`]: what stands out in how those who may ask make use of it. Will never name whom they asked about.
//! - [`evidence`]: what an auditor makes of the two ledgers, and the page that tells it. Needs no daemon and no store, and never says that what was reported is true.
//! - [`daemon`]: threads, sockets and the order in which they start and stop; home of tokio.
//! - [`cli`]: the command lines of `lapsed` and `lapse`.
//!
//! Three paths are worth following: a packet, from `daemon::radius` through [`ingest::radius`] and [`store::Sealer`] to the
//! one thread in `daemon::writer`, which acknowledges after the sync; a question, from `daemon::http::lookups` through
//! [`lookup::look_up`] to the ledger entry that must be durable before the answer leaves; and a record's end, from `daemon::purge`
//! through [`purge::Purger::run`], whose steps stand in one file, to [`store::Store::unlink`] and the purge ledger.
//! [`store::inspect`] then looks at the files as a stranger would.

pub mod api;
pub mod audit;
pub mod canonical;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod desk;
pub mod domain;
pub mod evidence;
pub mod ingest;
pub mod ledger;
pub mod lookup;
pub mod package;
pub mod purge;
pub mod settle;
pub mod shown;
pub mod sources;
pub mod store;
pub mod tokens;
pub mod watch;
pub mod wire;
pub mod written;
