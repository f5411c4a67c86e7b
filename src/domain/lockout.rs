//! Who failed to show who they are too often is not listened to for a while. The lock is on where they come from, never on
//! whom they claim to be: or anybody could lock out anybody else.
//!
//! Time is how long the caller's stopwatch runs; nothing here outlives a restart.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// So many failures within [`SPAN`] lock.
const MOST_FAILURES: u32 = 10;
/// The time in which failures count together.
const SPAN: Duration = Duration::from_secs(60);
/// The first lock; each that follows soon is twice as long.
const FIRST: Duration = Duration::from_secs(60);
/// The longest lock, and how long after its end a lock is forgotten.
const LONGEST: Duration = Duration::from_secs(900);
/// Origins that are remembered; beyond them the one that was quiet for longest is forgotten.
const MOST_ORIGINS: usize = 4096;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A user of this machine; `None` if the kernel does not say which.
    User(Option<u32>),
    /// An address; of IPv6 its /64, which one machine has all of.
    Address(IpAddr),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(Some(uid)) => write!(f, "uid {uid}"),
            Self::User(None) => f.write_str("an unknown user"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

impl Origin {
    /// The origin of a connection from this address.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// A lock that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// How many failures led to it.
    pub failures: u32,
    /// For how long nothing of this origin is answered.
    pub lasts: Duration,
}

/// What is remembered of an origin.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    failures: u32,
    /// The first of those failures.
    began: Duration,
    /// The end of the last lock, and how long it was.
    until: Duration,
    lasted: Duration,
    /// The last failure.
    latest: Duration,
}

/// All that failed lately.
#[derive(Debug, Default)]
pub struct Lockout {
    origins: BTreeMap<Origin, Record>,
}

impl Lockout {
    /// For how much longer an origin is locked; `None`: it is not.
    pub fn left(&self, origin: Origin, now: Duration) -> Option<Duration> {
        let left = self.origins.get(&origin)?.until.checked_sub(now)?;
        (!left.is_zero()).then_some(left)
    }

    /// A request from this origin showed a token that does not count. Returns the lock if this was one too many.
    pub fn failed(&mut self, origin: Origin, now: Duration) -> Option<Locked> {
        self.make_room(origin, now);
        let record = self.origins.entry(origin).or_default();
        if record.failures == 0 || now.saturating_sub(record.began) >= SPAN {
            (record.failures, record.began) = (0, now);
        }
        record.failures = record.failures.saturating_add(1);
        record.latest = now;
        if record.failures < MOST_FAILURES {
            return None;
        }
        let is_soon = !record.lasted.is_zero() && now.saturating_sub(record.until) < LONGEST;
        let lasts = if is_soon { record.lasted.saturating_mul(2).min(LONGEST) } else { FIRST };
        let failures = record.failures;
        *record = Record { failures: 0, until: now.saturating_add(lasts), lasted: lasts, ..*record };
        Some(Locked { failures, lasts })
    }

    /// Forgets who was quiet for long; if that is not enough, who was for longest.
    fn make_room(&mut self, origin: Origin, now: Duration) {
        if self.origins.len() < MOST_ORIGINS || self.origins.contains_key(&origin) {
            return;
        }
        self.origins.retain(|_, record| now.saturating_sub(record.until.max(record.latest)) < LONGEST);
        if self.origins.len() >= MOST_ORIGINS {
            let quietest = self.origins.iter().min_by_key(|(_, record)| record.until.max(record.latest));
            if let Some(quietest) = quietest.map(|(origin, _)| *origin) {
                self.origins.remove(&quietest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Origin = Origin::User(Some(1001));
    const OTHER: Origin = Origin::User(Some(1002));

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// Fails ten times at one instant.
    fn burst(lockout: &mut Lockout, now: Duration) -> Locked {
        assert!((0..9).all(|_| lockout.failed(ONE, now).is_none()));
        lockout.failed(ONE, now).unwrap()
    }

    #[test]
    fn ten_failures_in_a_minute_lock_their_origin_and_no_other() {
        let mut lockout = Lockout::default();
        assert_eq!(burst(&mut lockout, secs(5)), Locked { failures: 10, lasts: secs(60) });
        assert_eq!(lockout.left(ONE, secs(6)), Some(secs(59)));
        assert_eq!(lockout.left(OTHER, secs(6)), None);
        assert_eq!(lockout.left(ONE, secs(65)), None);
    }

    #[test]
    fn failures_that_are_far_apart_do_not_add_up() {
        let mut lockout = Lockout::default();
        assert!((0..100).all(|number| lockout.failed(ONE, secs(7 * number)).is_none()));
    }

    #[test]
    fn locks_double_up_to_a_quarter_of_an_hour_and_are_forgotten_after_one() {
        let mut lockout = Lockout::default();
        let mut now = secs(1);
        for lasts in [60, 120, 240, 480, 900, 900] {
            let locked = burst(&mut lockout, now);
            assert_eq!(locked.lasts, secs(lasts));
            now += locked.lasts;
        }
        assert_eq!(burst(&mut lockout, now + secs(900)).lasts, secs(60));
    }

    #[test]
    fn many_origins_take_no_more_room() {
        let mut lockout = Lockout::default();
        for uid in 0..10_000 {
            lockout.failed(Origin::User(Some(uid)), secs(u64::from(uid)));
        }
        assert!(lockout.origins.len() <= MOST_ORIGINS);
    }

    #[test]
    fn a_machine_is_its_64_of_ipv6() {
        let [one, same, other] =
            ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"].map(|text| text.parse().unwrap());
        assert_eq!(Origin::address(one), Origin::address(same));
        assert_ne!(Origin::address(one), Origin::address(other));
    }
}
