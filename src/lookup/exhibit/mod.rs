//! What a hold seals: all that lookups of one address need, at any instant of some spans, to be answered when the store has
//! forgotten.
//!
//! An [`Exhibit`] is a small ground of its own (`replay`): the rows about every prefix around the address, in the whole window
//! as it was, what was written of their sessions and NASes, and who was heard when. An answer from it is computed as one from
//! the store is, with the cutoff and the time of the sealing. `seal` gathers it; `needed` says which names, lines and sessions
//! an answer can show, and `others` puts pseudonyms in the place of the rest; `bytes` has its form on disk.
//!
//! Nothing here encrypts or keeps anything, or knows which process an exhibit belongs to.

mod bytes;
mod needed;
mod others;
mod replay;
mod seal;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::config::Config;
use crate::domain::address::{Network, Realm};
use crate::domain::coverage::Coverage;
use crate::domain::identity::{NasId, SubscriberId};
use crate::domain::record::{Record, Subject};
use crate::domain::session::Said;
use crate::domain::time::{Bucket, Timestamp};
use crate::domain::verdict::Verdict;

use super::timeline::{SessionKey, Trust};
use super::{Answer, Question, Reach, ask, is_not_ours, join};
use replay::Replay;

/// What an exhibit of one address is to answer: any question about it at an instant in `[from, to)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The address.
    pub address: IpAddr,
    /// Which of several equal address spaces.
    pub realm: Realm,
    /// The first instant.
    pub from: Timestamp,
    /// The first instant that is not asked for any more.
    pub to: Timestamp,
}

/// The statements of one address or prefix that lookups at the instants of some spans rest on.
///
/// Two that were sealed of the same statements at the same time are equal, and so are their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    realm: Realm,
    network: Network,
    /// Half-open, in order, none touching another.
    spans: Vec<(Timestamp, Timestamp)>,
    /// As it was at the sealing.
    horizon: Timestamp,
    /// When it was sealed.
    now: Timestamp,
    settled_through: Option<Bucket>,
    written_through: Option<Bucket>,
    /// What is said of each prefix, in the order in which the store has it: that of time.
    rows: BTreeMap<(Realm, Network), Vec<(Record, Trust)>>,
    /// The markers of sessions, in the order of time.
    ends: BTreeMap<SessionKey, Vec<Record>>,
    /// The markers of NASes, in the order of time.
    resets: BTreeMap<NasId, Vec<Record>>,
    /// Who spoke with which name when, where that decides whether a start is inferred.
    spoken: BTreeSet<(SessionKey, SubscriberId, Timestamp)>,
    coverage: Coverage,
}

impl Exhibit {
    /// The answer that `lookup::look_up` would have given at the sealing, reading for the evidence.
    ///
    /// `None` if the question is not about this address, in this realm, at an instant of the spans. Any port may be asked. Of an
    /// exhibit of a prefix, any address in it may; the answer then knows of longer prefixes inside it only those that the
    /// same subscriber had, and those around its first address.
    ///
    /// `config` is the one of the sealing: another may ask for what was not gathered.
    pub fn answer(&self, config: &Config, question: &Question) -> Option<Answer> {
        let about_this = question.realm == self.realm && self.network.contains(question.address);
        if !about_this || !self.spans.iter().any(|(from, to)| (*from..*to).contains(&question.at)) {
            return None;
        }
        let not_ours = |question: &Question| is_not_ours(config, question.address);
        let refused = || Answer::bare(Verdict::NotOurs, self.horizon);
        if not_ours(question) {
            return Some(refused());
        }
        let Ok(answer) = join::through_nats(config, question, self.horizon, |question| {
            if not_ours(question) {
                return Ok(refused());
            }
            let mut replay = Replay(self);
            ask(&mut replay, config, &self.coverage, question, Reach::Evidence, self.horizon, self.now)
        });
        Some(answer)
    }

    /// The address, or the prefix.
    pub const fn network(&self) -> Network {
        self.network
    }

    /// The realm it lies in.
    pub const fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The spans `[from, to)` whose instants may be asked about, in order.
    pub fn spans(&self) -> &[(Timestamp, Timestamp)] {
        &self.spans
    }

    /// How many statements of sources are in it; what was derived from them is not counted.
    pub fn records(&self) -> usize {
        let real = |(record, _): &&(Record, Trust)| Said::of(record.kind).is_some_and(Said::is_real);
        self.rows.values().flatten().filter(real).count()
    }

    /// The markers of sessions, then those of NASes.
    fn marks(&self) -> impl Iterator<Item = &Record> {
        self.ends.values().chain(self.resets.values()).flatten()
    }

    /// Takes a marker. Those of one session, or one NAS, come in the order of time.
    fn take_mark(&mut self, mark: Record) {
        if mark.subject == Subject::Nas {
            self.resets.entry(mark.nas.clone()).or_default().push(mark);
        } else {
            self.ends.entry((mark.nas.clone(), mark.session)).or_default().push(mark);
        }
    }
}
