//! Lapsed: an IP-assignment log store with enforced retention.

pub mod api;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod domain;
pub mod ingest;
pub mod ledger;
pub mod lookup;
pub mod store;
pub mod tokens;
pub mod wire;
