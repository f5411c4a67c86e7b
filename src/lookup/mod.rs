//! Who held an address at an instant: gather the statements, settle them, judge.
//!
//! `gather` reads the store, only as far as the answer needs; `timeline` turns what was read into spans; `judge`
//! decides; the last two are pure. `join` goes on to the inside of a NAT where the holder is known there only. `subscriber`
//! goes the other way, from a name to addresses. `exhibit` keeps what lookups of one address need, to answer them when the
//! store has forgotten: what it has kept is a `ground` to read from, as the store is. `answer_bytes` and `exhibit` have a form
//! in bytes (`bytes`). Nothing here knows who asks or why: that is the business of `audit` and the API.

mod answer_bytes;
mod bytes;
mod coverage;
mod exhibit;
mod gather;
mod ground;
mod join;
mod judge;
mod subscriber;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::config::Config;
use crate::domain::address::{Network, Realm};
use crate::domain::coverage::Coverage;
use crate::domain::identity::{Entity, Line, NasId, SessionTag, SourceName, SubscriberId};
use crate::domain::nat::Inside;
use crate::domain::session::{Edge, Rules};
use crate::domain::time::{Cutoff, Timestamp};
use crate::domain::verdict::{Caution, Verdict};
use crate::store::{ReadError, Store};

pub use bytes::BytesError;
pub use exhibit::{Exhibit, Extent};
pub use subscriber::{Assignment, History, Logon, SubscriberQuestion, look_up_subscriber};

use coverage::Watch;
use ground::Ground;
use judge::{Evidences, NEAR_HORIZON};

/// "Who held this address at this instant?"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The address.
    pub address: IpAddr,
    /// The instant.
    pub at: Timestamp,
    /// The source port; needed where several subscribers share an address.
    pub port: Option<u16>,
    /// Which of several equal address spaces.
    pub realm: Realm,
}

/// How much of what can be known is read. The verdict and the holder are the same whichever is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No more than the verdict needs. The end, and cautions about what came before and after, are not looked for.
    Verdict,
    /// And the evidence around it: until when it was held, and whether the holder before closed its session.
    Evidence,
    /// The whole window. The yardstick of the other two.
    Everything,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The outcome.
    pub verdict: Verdict,
    /// The one holder, where the verdict names one.
    pub holder: Option<Holder>,
    /// What a NAT translated to the address and port, where a statement or the configuration says so.
    pub inside: Option<Inside>,
    /// Since when it has been held.
    pub since: Option<Edge>,
    /// Until when it was held; `None` if nothing says that it ended.
    pub until: Option<Edge>,
    /// How long before and after the instant the session was heard.
    pub heard: Heard,
    /// How many subscribers are known to have held the address, or the port; behind a NAT that computes what it translates, how
    /// many inside addresses share it.
    pub sharing: usize,
    /// Why to be careful.
    pub cautions: BTreeSet<Caution>,
    /// The sources whose statements it rests on.
    pub sources: BTreeSet<SourceName>,
    /// The first instant that is still readable.
    pub horizon: Timestamp,
}

impl Answer {
    /// An answer that names nobody.
    pub fn bare(verdict: Verdict, horizon: Timestamp) -> Self {
        Self {
            verdict,
            holder: None,
            inside: None,
            since: None,
            until: None,
            heard: Heard::default(),
            sharing: 0,
            cautions: BTreeSet::new(),
            sources: BTreeSet::new(),
            horizon,
        }
    }
}

/// Who held it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The subscriber, as the newest statement at or before the instant names it.
    pub subscriber: Option<SubscriberId>,
    /// The session.
    pub session: SessionTag,
    /// The NAS of the session.
    pub nas: NasId,
    /// Where the session entered the network.
    pub line: Line,
    /// The address or prefix that was assigned.
    pub network: Network,
}

/// Distance from the instant to the nearest statements of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The newest at or before it.
    pub before: Option<Duration>,
    /// The oldest after it.
    pub after: Option<Duration>,
}

/// What a lookup must know of the configuration.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How statements are settled.
    pub rules: Rules,
    /// The margin of the address asked for.
    pub margin: Duration,
    /// Do several subscribers share the address?
    pub shared: bool,
    /// Whose subscriber names the address is assigned to.
    pub entity: Entity,
    /// For how long a statement speaks.
    pub carry_interval: Duration,
    /// Per source: after how many buckets a silent session counts as ended (`None`: never), and whether it reports its
    /// open sessions regularly.
    pub sources: BTreeMap<SourceName, SourcePolicy>,
    /// The same for a source that is no longer configured.
    pub other_sources: SourcePolicy,
}

/// How one source speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePolicy {
    /// After how many buckets a silent session counts as ended; `None`: never.
    pub silence: Option<u32>,
    /// Does it report its open sessions regularly?
    pub interims: bool,
}

impl Policy {
    /// The policy for one address.
    pub fn for_address(config: &Config, address: IpAddr) -> Self {
        let width = config.retention.bucket;
        let network = config.network_of(address);
        let shared = network.is_some_and(|network| network.shared);
        let silence = |max: Option<Duration>| config.retention.silent_buckets(max);
        Self {
            rules: Rules { width, carry_buckets: config.retention.carry_buckets() },
            margin: if shared { config.lookup.shared_margin } else { config.lookup.margin },
            shared,
            entity: Entity(network.map(|network| network.entity.clone()).unwrap_or_default()),
            carry_interval: config.retention.carry_interval,
            sources: config
                .sources()
                .map(|source| {
                    let policy = SourcePolicy { silence: silence(source.max_silence), interims: source.interims };
                    (SourceName(source.name.clone()), policy)
                })
                .collect(),
            other_sources: SourcePolicy { silence: silence(config.retention.max_silence), interims: false },
        }
    }

    fn of(&self, source: &SourceName) -> SourcePolicy {
        self.sources.get(source).copied().unwrap_or(self.other_sources)
    }
}

/// Answers a question from what is readable at `now`: what `cutoff`, the published one, does not hide.
///
/// `coverage` says who was heard when: on it rests that nobody held an address. The order of the refusals matters: what
/// lies before the horizon is `purged` whatever the address, so that the answer says nothing else.
///
/// # Errors
///
/// If the store cannot be read, or a record does not open under its key. Nothing is answered around damage.
pub fn look_up(
    store: &Store,
    config: &Config,
    coverage: &Coverage,
    question: &Question,
    reach: Reach,
    cutoff: Cutoff,
    now: Timestamp,
) -> Result<Answer, ReadError> {
    // What was hidden once stays hidden, also after the clock went back a little.
    let cutoff = cutoff.or_later(store.cutoff());
    let horizon = cutoff.horizon();
    let refusal =
        |question: &Question| foregone(config, question, cutoff, now).map(|verdict| Answer::bare(verdict, horizon));
    if let Some(refused) = refusal(question) {
        return Ok(refused);
    }
    join::through_nats(config, question, horizon, |question| match refusal(question) {
        Some(refused) => Ok(refused),
        None => ask(&mut store.observations(cutoff), config, coverage, question, reach, horizon, now),
    })
}

/// Answers about one address from what there is to read. Knows nothing of NATs, and refuses nothing.
fn ask<G: Ground>(
    ground: &mut G,
    config: &Config,
    coverage: &Coverage,
    question: &Question,
    reach: Reach,
    horizon: Timestamp,
    now: Timestamp,
) -> Result<Answer, G::Error> {
    let policy = Policy::for_address(config, question.address);
    let timelines = gather::gather(ground, &policy, question, reach, horizon, now)?;
    let watch = Watch::over(config, coverage, question);
    Ok(Evidences { timelines: &timelines, policy: &policy, question, watch, horizon, now }.judge())
}

/// The verdict that needs no record, if there is one.
fn foregone(config: &Config, question: &Question, cutoff: Cutoff, now: Timestamp) -> Option<Verdict> {
    if cutoff.hides(question.at) {
        Some(Verdict::Purged)
    } else if question.at > now {
        Some(Verdict::Future)
    } else if is_not_ours(config, question.address) {
        Some(Verdict::NotOurs)
    } else {
        None
    }
}

/// Are there networks, and does the address lie in none of them?
fn is_not_ours(config: &Config, address: IpAddr) -> bool {
    !config.networks.is_empty() && config.network_of(address).is_none()
}
