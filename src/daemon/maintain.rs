//! Keeps the keyring in step with time: keys made ahead of need, keys of expired buckets destroyed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::time::Bucket;
use crate::store::{Maintained, Store};

use super::counters::Counters;
use super::purge_view::PurgeView;

/// Runs until told to stop. A failure is said and tried again: without fresh keys no event is acknowledged, and what is
/// expired is hidden all the same.
pub(super) async fn run(
    store: Arc<Store>,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    purge: PurgeView,
    mut stopping: watch::Receiver<bool>,
) {
    let shortest = config.retention.purge_interval.min(config.retention.bucket.duration());
    let mut ticks = interval((shortest / 2).clamp(Duration::from_millis(250), Duration::from_secs(30)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let (store, now) = (Arc::clone(&store), clock.now());
        match tokio::task::spawn_blocking(move || store.maintain(now)).await {
            Ok(Ok(maintained)) => {
                counters.keys_made.add(count(&maintained.made));
                counters.keys_destroyed.add(count(&maintained.destroyed));
                purge.show(|seen| seen.live_keys = u32::try_from(maintained.live).unwrap_or(u32::MAX));
                report(&maintained);
            }
            Ok(Err(error)) => tracing::error!(%error, "the keyring could not be brought up to date; trying again"),
            Err(error) => tracing::error!(%error, "maintenance was cut short"),
        }
    }
}

/// Says which buckets have no key that works. They are said again as long as they last: somebody has to look.
fn report(maintained: &Maintained) {
    if !maintained.unreadable.is_empty() {
        tracing::error!(
            buckets = maintained.unreadable.len(),
            "buckets with a damaged key: their records cannot be read"
        );
    }
    if !maintained.refused.is_empty() {
        let buckets = maintained.refused.len();
        tracing::error!(buckets, "buckets that get no key, for the clock went back: their events are not acknowledged");
    }
}

fn count(buckets: &[Bucket]) -> u64 {
    u64::try_from(buckets.len()).unwrap_or(u64::MAX)
}
