//! `lapsed sweep`.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::domain::clock_guard::{ClockGuard, Reading, Reason, Rules, Step};
use crate::domain::time::{Cutoff, Timestamp};
use crate::store::{Destruction, Extents, Remembered, Sweeper, Swept, TrustedClock, TrustedClockError};

use super::{Ending, say, tell};

/// How long a clock in doubt is looked at: a little longer than the guard asks of one that runs.
const LOOK_AGAIN: Duration = Duration::from_millis(1100);

/// Destroys the keys that are due. While the daemon has the keyring, there is nothing to do, and that is no failure.
pub(super) fn sweep(file: &Path) -> Ending {
    match Config::read(file) {
        Ok(config) => sweep_by(&config, &SystemClock, sleep),
        Err(error) => {
            tell(&error.to_string());
            Ending::Usage
        }
    }
}

fn sweep_by(config: &Config, clock: &dyn Clock, wait: impl Fn(Duration)) -> Ending {
    let sweeper = match Sweeper::open(&config.keyring_dir, clock.now()) {
        Ok(Swept::Free(sweeper)) => sweeper,
        Ok(Swept::InUse) => {
            return said("the keyring is in use: the daemon destroys keys itself\n");
        }
        Err(error) => return failed(&error),
    };
    // With the keyring's lock, so that no daemon writes down what it trusts meanwhile.
    let judged = match judge(config, sweeper.window(), clock, wait) {
        Ok(judged) => judged,
        Err(error) => return failed(&error),
    };
    if let Some((reason, step)) = judged.doubt {
        tell(&format!(
            "lapsed: the clock is in doubt ({reason}, by {} s): only what is past in any case is destroyed",
            step.secs()
        ));
    }
    let destruction = match judged.cutoff.map(|cutoff| sweeper.sweep(cutoff, judged.now)).transpose() {
        Ok(destruction) => destruction.unwrap_or_default(),
        Err(error) => return failed(&error),
    };
    // The same proof: what is past by the cutoff is past.
    let proven = judged.cutoff.map(|cutoff| cutoff.horizon().plus(sweeper.window()));
    match proven.map_or(Ok(0), |now| sweeper.sweep_cases(now)) {
        Ok(0) => {}
        Ok(cases) => {
            tell(&format!("lapsed: the keys of {cases} requests, captures and holds that expired are destroyed"))
        }
        Err(error) => {
            tell(&format!("lapsed: a key of a request, a capture or a hold is due and not destroyed: {error}"));
            return Ending::Nobody;
        }
    }
    for (bucket, error) in &destruction.failed {
        tell(&format!("lapsed: the key of bucket {} is due and not destroyed: {error}", bucket.0));
    }
    match said(&sentence(&destruction)) {
        Ending::Ok if !destruction.failed.is_empty() => Ending::Nobody,
        // What the clock says to be due, and nothing else proves, is still there: somebody has to look.
        Ending::Ok if judged.doubt.is_some() => Ending::Unreachable,
        ending => ending,
    }
}

/// What the clock is good for.
struct Judged {
    /// The best that is known of the current instant.
    now: Timestamp,
    /// Below this, keys may be destroyed; `None`: nothing proves that any is due.
    cutoff: Option<Cutoff>,
    /// Why the clock is not believed, and how far it is off.
    doubt: Option<(Reason, Step)>,
}

/// Holds the clock against what was trusted last. One in doubt gets the time to show that it runs, and then the kernel is
/// asked whether it keeps it: asked after the reading, for whoever sets the clock takes the kernel's word away.
fn judge(
    config: &Config,
    window: Duration,
    clock: &dyn Clock,
    wait: impl Fn(Duration),
) -> Result<Judged, TrustedClockError> {
    let trust = match TrustedClock::read(&config.keyring_dir)? {
        Remembered::Trust(trust) => Some(trust),
        Remembered::Nothing => None,
        Remembered::Damaged => {
            tell("lapsed: what was remembered of the trusted clock is damaged: the wall clock is believed as it is");
            None
        }
    };
    let carry_interval = config.retention.under(window).carry_interval;
    let rules = Rules { max_step: config.clock.max_step, carry_interval };
    let mut guard = ClockGuard::new(rules, trust);
    let mut reading = clock.reading();
    // What changed between two looks, nobody asks here.
    let _ = guard.observe(reading);
    if guard.doubt().is_some() {
        wait(LOOK_AGAIN);
        reading = clock.reading();
        let _ = guard.observe(reading);
    }
    if guard.doubt().is_some() {
        let _ = guard.kernel_says(reading, clock.synchronised());
    }
    Ok(judged(&guard, &reading, window))
}

fn judged(guard: &ClockGuard, reading: &Reading, window: Duration) -> Judged {
    let doubt = guard.doubt().map(|doubt| (doubt.reason, doubt.step));
    let now = doubt.and_then(|_| guard.estimate(reading)).unwrap_or(reading.wall);
    Judged { now, cutoff: guard.due_cutoff(reading, window), doubt }
}

fn failed(error: &dyn std::fmt::Display) -> Ending {
    tell(&format!("lapsed: {error}"));
    Ending::Nobody
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::clock_guard::{Synchronised, Trust};
    use crate::store::{KeyState, Opening, Store};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    /// A store with a window of an hour and the keys of 65 minutes around it, whose daemon died at `NOW`.
    fn dead_daemon(clock: &ManualClock) -> (tempfile::TempDir, Config) {
        let dir = tempfile::tempdir().unwrap();
        let text = "version = 1\nstate-dir = \"state\"\n[retention]\nwindow = \"1h\"\nbucket = \"1m\"\n";
        let config = Config::parse(text, "lapsed.toml", dir.path(), |_| unreachable!()).unwrap();
        drop(open(&config, NOW));
        let (mut file, _) = TrustedClock::open(&config.keyring_dir).unwrap();
        file.write(&Trust::from(clock.reading())).unwrap();
        (dir, config)
    }

    fn open(config: &Config, now: Timestamp) -> Store {
        let opening = Opening { destroy: None, make_keys: now == NOW, ..Opening::at(now, &config.retention) };
        Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening).unwrap()
    }

    /// How many keys are destroyed, and how many notes of sweeps there are.
    fn destroyed(config: &Config) -> (usize, usize) {
        let store = open(config, NOW.plus(MINUTE));
        let gone = store.key_records().iter().filter(|record| record.state == KeyState::Destroyed).count();
        (gone, store.sweep_notes().unwrap().len())
    }

    /// Sweeps with clocks that run on while it waits.
    fn sweep_on(config: &Config, clock: &ManualClock) -> Ending {
        sweep_by(config, clock, |by| clock.advance(by))
    }

    #[test]
    fn a_clock_that_is_trusted_destroys_what_is_due_and_one_that_jumped_destroys_nothing() {
        for (jump, ending, gone) in [
            (Duration::ZERO, Ending::Ok, (30, 1)),
            (3 * 24 * HOUR, Ending::Unreachable, (0, 0)),
            (6 * MINUTE, Ending::Unreachable, (0, 0)),
        ] {
            let clock = ManualClock::at(NOW);
            let (_dir, config) = dead_daemon(&clock);
            clock.advance(30 * MINUTE);
            clock.set(clock.now().plus(jump));
            assert_eq!((sweep_on(&config, &clock), destroyed(&config)), (ending, gone), "{jump:?}");
            // Somebody keeps it right, and says so: then it was the truth, and all of it is due.
            clock.say(Synchronised::Yes);
            assert_eq!(sweep_on(&config, &clock), Ending::Ok);
            let all = if jump > HOUR { 65 } else { gone.0.max(30 + usize::from(!jump.is_zero()) * 6) };
            assert_eq!(destroyed(&config).0, all, "{jump:?}");
        }
    }

    #[test]
    fn in_doubt_a_sweep_destroys_what_the_time_since_the_machine_started_proves_and_no_more() {
        for lie in [NOW.minus(24 * HOUR), Timestamp::from_secs(60), NOW.plus(240 * HOUR)] {
            let clock = ManualClock::at(NOW);
            let (_dir, config) = dead_daemon(&clock);
            clock.advance(HOUR + 30 * MINUTE);
            clock.set(lie);
            // Window and an hour on top: half an hour of buckets.
            assert_eq!((sweep_on(&config, &clock), destroyed(&config)), (Ending::Unreachable, (30, 1)), "{lie}");
        }
    }

    #[test]
    fn a_clock_that_stands_still_is_not_believed_whatever_the_kernel_says() {
        let clock = ManualClock::at(NOW);
        let (_dir, config) = dead_daemon(&clock);
        clock.freeze(20 * MINUTE);
        clock.set(NOW.plus(24 * HOUR));
        clock.say(Synchronised::Yes);
        assert_eq!(sweep_by(&config, &clock, |by| clock.freeze(by)), Ending::Unreachable);
        assert_eq!(destroyed(&config), (0, 0));
    }
}
