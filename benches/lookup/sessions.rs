//! Two days in the life of some thousand addresses.

use std::time::Duration;

use lapsed::domain::record::Kind;
use lapsed::domain::time::Timestamp;

use crate::support::place::{NOW, retention};
use crate::support::population::Statement;
use crate::support::rng::Rng;

const INTERIM: Duration = Duration::from_secs(600);
const HOUR: u64 = 3_600_000;

/// A session: who had which address from when to when.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    /// Its number, and that of its subscriber.
    pub(crate) number: u32,
    pub(crate) address: u32,
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// Sessions, one after the other on each of the first addresses.
pub(crate) struct Sessions {
    pub(crate) all: Vec<Session>,
}

impl Sessions {
    /// From the horizon to now. Sessions last one to five hours, with up to five minutes between them; one address in a
    /// hundred has one of 40 hours that ends an hour ago.
    pub(crate) fn made(addresses: u32) -> Self {
        let (mut rng, mut all) = (Rng::new(2), Vec::new());
        let horizon = retention().cutoff(NOW).horizon();
        for address in 0..addresses {
            let mut from = horizon.plus(Duration::from_millis(rng.between(1, 5 * HOUR)));
            let long = address == 0 || rng.chance(1);
            let lasts = |rng: &mut Rng| rng.between(HOUR, 5 * HOUR);
            while from < NOW {
                let millis =
                    if long && from.plus(Duration::from_millis(40 * HOUR)) < NOW { 40 * HOUR } else { lasts(&mut rng) };
                let until = from.plus(Duration::from_millis(millis));
                all.push(Session { number: u32::try_from(all.len()).unwrap(), address, from, until });
                from = until.plus(Duration::from_millis(rng.between(1_000, 300_000)));
            }
        }
        Self { all }
    }

    /// What is said of them up to now, in the order of time: as it would have arrived.
    pub(crate) fn statements(&self) -> Vec<Statement> {
        let mut statements: Vec<Statement> = self.all.iter().flat_map(Session::statements).collect();
        statements.retain(|statement| statement.at <= NOW);
        statements.sort_by_key(|statement| statement.at);
        statements
    }
}

impl Session {
    pub(crate) fn is_long(&self) -> bool {
        self.until.since(self.from) >= Duration::from_millis(40 * HOUR)
    }

    fn statements(&self) -> Vec<Statement> {
        let say = |at, kind| Statement { at, kind, address: self.address, session: self.number };
        let mut statements = vec![say(self.from, Kind::Start)];
        let mut at = self.from.plus(INTERIM);
        while at < self.until {
            statements.push(say(at, Kind::Update));
            at = at.plus(INTERIM);
        }
        // A stop ends the session on its address and, by its marker, as a whole.
        statements.extend([say(self.until, Kind::Stop), say(self.until, Kind::SessionEnd)]);
        statements
    }
}
