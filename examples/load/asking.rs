//! Questions at a steady rate while statements arrive, each timed by the daemon and from here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use lapsed::api::{LOOKUPS, LookupAnswer, LookupRequest};
use lapsed::domain::time::Timestamp;

use super::api::Api;
use super::population;
use super::stopwatch::Stopwatch;
use crate::simulator::clock;

/// How old the instants are that are asked for.
const AGE: Duration = Duration::from_secs(20);
/// Beside statements that are forgotten, questions begin when statements of that age are there.
pub(crate) const BEGINS: Duration = Duration::from_secs(30);
const REST: Duration = Duration::from_millis(1);

/// A question that was answered.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    /// When it was asked, and when its answer was here.
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    /// From the request to the whole answer, by this side's stopwatch.
    pub(crate) whole: Duration,
    /// Reading the store and judging, by the daemon's.
    pub(crate) read: Duration,
    /// Making the ledger's entry durable, by the daemon's: it waits for the writer and its sync.
    pub(crate) record: Duration,
}

/// All questions.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) asked: Vec<Asked>,
    /// How many came to each verdict.
    pub(crate) verdicts: BTreeMap<String, u64>,
}

/// How fast one asks.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// So many a second, shared with others.
    ASecond {
        /// Of all together.
        rate: u64,
        /// How many share it.
        of: u64,
    },
    /// So many, each as soon as the last was answered.
    Count(u64),
}

impl Pace {
    /// Is the question with this number due?
    fn is_due(self, number: u64, since: Duration) -> bool {
        match self {
            Self::ASecond { rate, of } => {
                since.as_millis() * u128::from(rate) >= u128::from(number) * 1000 * u128::from(of)
            }
            Self::Count(_) => true,
        }
    }
}

/// Asks one question after the other, from `begins` on, until told to stop or until all are asked.
pub(crate) fn ask(api: &mut Api, pace: Pace, begins: Duration, stop: &AtomicBool) -> anyhow::Result<Answers> {
    let watch = Stopwatch::start();
    let mut answers = Answers::default();
    let mut number = 0_u64;
    while !stop.load(Ordering::Relaxed) && !matches!(pace, Pace::Count(all) if number >= all) {
        let since = watch.elapsed().saturating_sub(begins);
        if watch.elapsed() < begins || !pace.is_due(number, since) {
            sleep(REST);
            continue;
        }
        number += 1;
        let from = clock::now();
        let request = LookupRequest {
            address: population::address(number.wrapping_mul(7_919)).to_string(),
            at: from.minus(AGE).to_string(),
            port: None,
            realm: None,
            process: "subpoena".to_owned(),
            case: "LOAD-1".to_owned(),
            authority: "Example County Court".to_owned(),
        };
        let body = serde_json::to_string(&request)?;
        let asking = Stopwatch::start();
        let reply = api.ask(LOOKUPS, Some(&body))?;
        let whole = asking.elapsed();
        let answer: LookupAnswer = reply.read()?;
        *answers.verdicts.entry(answer.verdict.to_string()).or_default() += 1;
        let part = |name| reply.took(name).ok_or_else(|| anyhow::anyhow!("the daemon does not say what it took"));
        answers.asked.push(Asked { from, until: clock::now(), whole, read: part("read")?, record: part("record")? });
    }
    Ok(answers)
}
