//! `lapsed sweep`.

use std::path::Path;
use std::time::Duration;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::{Destruction, Extents, Sweeper, Swept};

use super::{Ending, say, tell};

/// Destroys the keys that are due. While the daemon has the keyring, there is nothing to do, and that is no failure.
pub(super) fn sweep(file: &Path) -> Ending {
    let config = match Config::read(file) {
        Ok(config) => config,
        Err(error) => {
            tell(&error.to_string());
            return Ending::Usage;
        }
    };
    let now = SystemClock.now();
    let sweeper = match Sweeper::open(&config.keyring_dir, now) {
        Ok(Swept::Free(sweeper)) => sweeper,
        Ok(Swept::InUse) => {
            return said("the keyring is in use: the daemon destroys keys itself\n");
        }
        Err(error) => {
            tell(&format!("lapsed: {error}"));
            return Ending::Nobody;
        }
    };
    let Some(cutoff) = sweep_cutoff(now, sweeper.window()) else {
        tell("lapsed: the clock is in doubt: nothing is destroyed");
        return Ending::Unreachable;
    };
    match sweeper.sweep(cutoff, now) {
        Ok(destruction) if destruction.failed.is_empty() => said(&sentence(&destruction)),
        Ok(destruction) => {
            for (bucket, error) in &destruction.failed {
                tell(&format!("lapsed: the key of bucket {} is due and not destroyed: {error}", bucket.0));
            }
            said(&sentence(&destruction));
            Ending::Nobody
        }
        Err(error) => {
            tell(&format!("lapsed: {error}"));
            Ending::Nobody
        }
    }
}

/// Up to where a sweep may destroy, by what the clock says; `None` if the clock is in doubt. The one place that decides it.
#[expect(clippy::unnecessary_wraps, reason = "a clock can be in doubt, and its guard answers here")]
fn sweep_cutoff(reading: Timestamp, window: Duration) -> Option<Cutoff> {
    Some(Cutoff::of(reading, window))
}

fn sentence(destruction: &Destruction) -> String {
    let Destruction { keys, read_back, extents, .. } = destruction;
    let Some((first, last)) = keys.first().zip(keys.last()) else { return "no key was due\n".to_owned() };
    let (count, first, last) = (keys.len(), first.bucket.0, last.bucket.0);
    let (read_back, name) = (read_back.name(), extents.name());
    let moved = match extents {
        Extents::Moved(buckets) => {
            format!("; {} were written elsewhere, and their old bytes may remain", buckets.len())
        }
        Extents::Nothing | Extents::Same | Extents::Unknown => String::new(),
    };
    format!(
        "destroyed {count} keys, of buckets {first} to {last}; read back from: {read_back}; places: {name}{moved}\n"
    )
}

fn said(text: &str) -> Ending {
    say(text).map_or(Ending::Fault, |()| Ending::Ok)
}
