//! Spools: directories in which hook programs of DHCP servers and the like leave events, a file at a time.
//!
//! A thread looks into each a few times a second. A file is taken whole, its records are made durable, and only then is
//! it unlinked. A crash before that leaves a file whose events are stored already: taking it again writes the same rows
//! over themselves. What is no event is counted, its reason said without a word of it, and dropped with the file, for a
//! spool is no place where personal data may stay; what is older than the window goes unread.

mod directory;
mod file;

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config::Spool;

use super::radius::Context;
use directory::{Directory, Found};
use file::NotTaken;

/// How often the directories are looked into.
const LOOK: Duration = Duration::from_millis(250);

/// The thread that empties the spools.
pub(super) struct Spooler {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Spooler {
    /// Starts, if there is a spool to empty.
    pub(super) fn start(context: Context) -> io::Result<Option<Self>> {
        if context.config.spools.is_empty() {
            return Ok(None);
        }
        let (stop, stopping) = mpsc::channel();
        let thread = thread::Builder::new().name("spool".into()).spawn(move || run(&context, &stopping))?;
        Ok(Some(Self { stop, thread }))
    }

    /// Stops after the piece at hand; what is left of a file is taken by the next daemon.
    pub(super) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the spool's thread panicked");
        }
    }
}

fn run(context: &Context, stopping: &mpsc::Receiver<()>) {
    let spools = &context.config.spools;
    // What is wrong with a spool is said when it begins, not four times a second.
    let mut well = vec![true; spools.len()];
    loop {
        for (spool, well) in spools.iter().zip(&mut well) {
            let emptied = empty(context, spool, stopping);
            match &emptied {
                Err(error) if *well => tracing::error!(source = spool.source.name, %error, "a spool cannot be emptied"),
                Ok(true) if !*well => tracing::info!(source = spool.source.name, "the spool is emptied again"),
                Ok(_) | Err(_) => {}
            }
            *well = emptied.is_ok();
        }
        match stopping.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Takes the files that are there. `false` if nothing can be taken now.
fn empty(context: &Context, spool: &Spool, stopping: &mpsc::Receiver<()>) -> io::Result<bool> {
    let directory = Directory::new(&spool.path);
    let found = directory.look()?;
    for left in found {
        let Ok(present) = context.time.present() else { return Ok(false) };
        if present.cutoff.hides(left.written) {
            directory.remove(&left)?;
            context.counters.spool_files_expired.bump();
            tracing::warn!(source = spool.source.name, "a file in the spool was older than the window: removed unread");
            continue;
        }
        if !left.complete {
            continue;
        }
        let Some(taken) = directory.take(left)? else { continue };
        match take(context, spool, &directory, &taken, stopping) {
            Ok(()) => {}
            Err(NotTaken::Io(error)) => return Err(error),
            Err(NotTaken::NotNow) => return Ok(false),
        }
    }
    Ok(true)
}

/// Takes one file. A crash before the last step leaves it, and it is taken again; after it, nothing is left to do.
fn take(
    context: &Context,
    spool: &Spool,
    directory: &Directory<'_>,
    taken: &Found,
    stopping: &mpsc::Receiver<()>,
) -> Result<(), NotTaken> {
    let summary = file::take(context, spool, &directory.path_of(taken), taken.written, stopping)?;
    directory.remove(taken).map_err(NotTaken::Io)?;
    context.counters.spool_files.bump();
    let (lines, source) = (summary.lines, &spool.source.name);
    match summary.dropped {
        None => tracing::debug!(source, lines, "a file was taken from the spool"),
        Some((dropped, line, reason)) => {
            tracing::warn!(
                source,
                lines,
                dropped,
                line,
                reason,
                "lines of a file in the spool were dropped; the first and why"
            );
        }
    }
    Ok(())
}
