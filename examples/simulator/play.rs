//! Plays an evening in real time.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use lapsed::domain::time::{Timestamp, millis_of};

use super::clock;
use super::evening::{Evening, NAS};
use super::nas::{Nas, Tally};

/// How long nothing is done between two looks at the sockets.
const PAUSE: Duration = Duration::from_millis(5);

/// How far an evening has got.
pub(crate) struct Progress {
    /// Milliseconds since it began.
    pub(crate) at: u64,
    /// Sessions that are up.
    pub(crate) online: usize,
    /// What became of the statements so far.
    pub(crate) tally: Tally,
}

/// Plays the evening, which begins at `begin`, until every statement is acknowledged or given up. `watch` is called
/// often; its error ends the play.
pub(crate) fn play(
    evening: &Evening,
    begin: Timestamp,
    server: SocketAddr,
    secret: &[u8],
    mut watch: impl FnMut(&Progress) -> anyhow::Result<()>,
) -> anyhow::Result<Tally> {
    let mut sites = Vec::new();
    for site in NAS {
        sites.push(Nas::connect(site, server, secret)?);
    }
    let mut cues = evening.cues.iter().peekable();
    loop {
        let now = clock::now();
        let at = millis_of(now.since(begin));
        while let Some(cue) = cues.next_if(|cue| begin.plus(Duration::from_millis(cue.at)) <= now) {
            if let Some(nas) = sites.get_mut(cue.nas) {
                nas.say(cue, begin.plus(Duration::from_millis(cue.at)), now)?;
            }
        }
        let mut tally = Tally::default();
        let mut waiting = cues.peek().is_some();
        for nas in &mut sites {
            nas.attend(now)?;
            waiting |= nas.is_waiting();
            tally += nas.tally;
        }
        watch(&Progress { at, online: evening.online(at), tally })?;
        if !waiting {
            return Ok(tally);
        }
        sleep(PAUSE);
    }
}
