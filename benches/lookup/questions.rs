//! What is asked, and what the answer has to be.

use std::time::Duration;

use lapsed::domain::address::Realm;
use lapsed::domain::identity::SubscriberId;
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::Verdict;
use lapsed::lookup::{Answer, Question, Reach};

use crate::sessions::{Session, Sessions};
use crate::support::place::NOW;
use crate::support::population::{ADDRESSES, address, subscriber};
use crate::support::rng::Rng;

/// How many different questions each case has.
const QUESTIONS: usize = 1000;

/// A kind of question.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Hit,
    Evidence,
    Miss,
    LongSession,
    FullEvidence,
}

/// A question with its answer.
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) reach: Reach,
    verdict: Verdict,
    holder: Option<SubscriberId>,
}

impl Case {
    pub(crate) const ALL: [Self; 5] = [Self::Hit, Self::Evidence, Self::Miss, Self::LongSession, Self::FullEvidence];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Evidence => "evidence",
            Self::Miss => "miss",
            Self::LongSession => "long_session",
            Self::FullEvidence => "full_evidence",
        }
    }

    /// Questions of this kind, the same every time.
    pub(crate) fn questions(self, sessions: &Sessions) -> Vec<Asked> {
        let mut rng = Rng::new(3);
        let mut next = |below: usize| usize::try_from(rng.between(0, u64::try_from(below).unwrap())).unwrap();
        let (long, short): (Vec<Session>, Vec<Session>) = sessions.all.iter().partition(|session| session.is_long());
        let short: Vec<_> = short.iter().filter(|session| session.from < NOW.minus(Duration::from_secs(600))).collect();
        let mut one = || match self {
            Self::Hit | Self::Evidence => {
                let session = short.get(next(short.len())).unwrap();
                // Not within the margin of a boundary, and not after now.
                let latest = session.until.min(NOW).since(session.from).min(Duration::from_secs(7200));
                let into = 120 + next(usize::try_from(latest.as_secs().saturating_sub(240)).unwrap());
                let at = session.from.plus(Duration::from_secs(u64::try_from(into).unwrap()));
                let reach = if matches!(self, Self::Evidence) { Reach::Evidence } else { Reach::Verdict };
                Asked { reach, ..Asked::of(session, at) }
            }
            Self::Miss => {
                let known = sessions.all.iter().map(|session| session.address).max().unwrap_or_default() + 1;
                let unknown = known + u32::try_from(next(usize::try_from(ADDRESSES - known).unwrap())).unwrap();
                let ago = Duration::from_secs(u64::try_from(3600 + next(40 * 3600)).unwrap());
                Asked::nobody(unknown, NOW.minus(ago))
            }
            Self::LongSession | Self::FullEvidence => {
                let session = long.get(next(long.len())).unwrap();
                let middle = session.from.plus(session.until.since(session.from) / 2);
                let reach = if matches!(self, Self::FullEvidence) { Reach::Everything } else { Reach::Verdict };
                Asked { reach, ..Asked::of(session, middle) }
            }
        };
        (0..QUESTIONS).map(|_| one()).collect()
    }
}

impl Asked {
    fn of(session: &Session, at: Timestamp) -> Self {
        let holder = Some(subscriber(session.number));
        Self { holder, verdict: Verdict::Attributed, ..Self::nobody(session.address, at) }
    }

    fn nobody(number: u32, at: Timestamp) -> Self {
        let question = Question { address: address(number), at, port: None, realm: Realm::default() };
        Self { question, reach: Reach::Verdict, verdict: Verdict::NoCoverage, holder: None }
    }

    /// A quick wrong answer is not worth measuring.
    pub(crate) fn check(&self, answer: &Answer) {
        let holder = answer.holder.as_ref().and_then(|holder| holder.subscriber.clone());
        assert_eq!((answer.verdict, holder), (self.verdict, self.holder.clone()), "at {}", self.question.at);
    }
}
