//! The threads that answer lookups: few, and ahead of all others.
//!
//! A lookup is half a millisecond of work and comes once in a while; what it waits for is a processor. So these threads go first,
//! where the system lets them. They never take all processors, so that records are taken in whatever is asked.

use std::sync::Once;

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, spawn_blocking};

/// The nice value of a thread that reads (setpriority(2)).
const NICE: i32 = -20;

/// The threads.
pub(super) struct Readers {
    /// Used for its pool of threads alone: no task runs on it. `None` only while it is dropped.
    pool: Option<Runtime>,
}

impl Readers {
    /// As many as there are processors, less one; each is started when it is needed.
    pub(super) fn start() -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism()?.get().saturating_sub(1).max(1);
        let pool = Builder::new_current_thread()
            .thread_name("lookup")
            .max_blocking_threads(threads)
            .on_thread_start(go_first)
            .build()?;
        Ok(Self { pool: Some(pool) })
    }

    /// Reads, on one of the threads. Fails only if `read` panics.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        match &self.pool {
            Some(pool) => pool.spawn_blocking(read).await,
            None => spawn_blocking(read).await,
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        // A runtime that is dropped among tasks would wait for its threads, and must not.
        if let Some(pool) = self.pool.take() {
            pool.shutdown_background();
        }
    }
}

/// Lets this thread go first. Without the right to (`LimitNICE=` in the unit), it takes its turn like the others.
fn go_first() {
    static SAID: Once = Once::new();
    // On Linux this is the thread's alone.
    if let Err(error) = setpriority_process(None, NICE) {
        SAID.call_once(
            || tracing::info!(%error, "lookups take their turn: the limit on nice values lets them not go first"),
        );
    }
}
