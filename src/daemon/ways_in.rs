//! The ways in that have threads of their own: RADIUS, the lease files of DHCP servers, and spools.

use std::net::SocketAddr;

use crate::store::Store;

use super::DaemonError;
use super::radius::{Context, Listener};
use super::spool::Spooler;
use super::tail::Tail;

/// All of them, running.
pub(super) struct WaysIn {
    listeners: Vec<Listener>,
    tails: Vec<Tail>,
    spooler: Option<Spooler>,
}

impl WaysIn {
    /// Starts what is configured. Lease files go on where the store says that they were read to.
    pub(super) fn start(context: &Context, store: &Store) -> Result<Self, DaemonError> {
        let mut listeners = Vec::new();
        for address in &context.config.radius.listen {
            let listener = Listener::start(*address, context.clone());
            listeners.push(listener.map_err(|source| DaemonError::Radius { address: *address, source })?);
        }
        let mut tails = Vec::new();
        for file in &context.config.dhcp.leases {
            let place = store.followed(&file.name)?;
            tails.push(Tail::start(file, place.as_deref(), context.clone()).map_err(DaemonError::Thread)?);
        }
        let spooler = Spooler::start(context.clone()).map_err(DaemonError::Thread)?;
        Ok(Self { listeners, tails, spooler })
    }

    /// The RADIUS addresses, in the order of the configuration.
    pub(super) fn radius_addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.address).collect()
    }

    /// Stops them, and waits until what they received is in the queue.
    pub(super) fn stop(self) {
        self.listeners.into_iter().for_each(Listener::stop);
        self.tails.into_iter().for_each(Tail::stop);
        self.spooler.into_iter().for_each(Spooler::stop);
    }
}
