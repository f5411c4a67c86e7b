//! The questions: found in the truth of the evening, so that another seed asks other addresses.

use std::net::{IpAddr, Ipv6Addr};
use std::process::Output;
use std::time::Duration;

use anyhow::Context as _;
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::{Caution, Verdict};

use super::reading::Reading;
use super::simulator::evening::{Evening, REBOOT_AT, STOP_LOST_AT, TAKEN_OVER_AT};
use super::simulator::life::{End, Life};

/// A question with the verdict it should come to; who it should name is asked of the evening.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    /// The question, as a person would ask it.
    pub(crate) words: &'static str,
    /// What a right answer shows.
    pub(crate) shows: &'static str,
    address: IpAddr,
    /// Milliseconds since the evening began.
    pub(crate) at: u64,
    verdict: Verdict,
    caution: Option<Caution>,
}

/// The questions that are asked while their instants are in the window.
pub(crate) fn about(evening: &Evening) -> anyhow::Result<Vec<Question>> {
    let handed_over = life(evening, |life| life.end == End::LostStop)?;
    let stays = |life: &&Life| life.nas == 0 && life.interims && life.end == End::Stays;
    let ordinary = life(evening, |life| stays(&life) && (1_000..5_000).contains(&life.from))?;
    let with_ipv6 = |life: &Life| life.nas == 1 && life.from < 4_000 && life.end == End::Reboot;
    let routed = life(evening, |life| with_ipv6(life) && life.addresses.v6.is_some())?;
    let gone = life(evening, |life| {
        let nobody = (life.until..life.until + 3_000).all(|at| evening.holder(life.addresses.v4.into(), at).is_none());
        life.nas == 0 && life.end == End::Stop && (6_000..15_000).contains(&life.until) && nobody
    })?;
    let delegated = routed.addresses.v6.context("the session has no IPv6")?.delegated.address();
    Ok(vec![
        Question {
            words: "Who held this address in the middle of the evening?",
            shows: "One subscriber, with the line, and how long before and after the session was heard of.",
            address: ordinary.addresses.v4.into(),
            at: 9_300,
            verdict: Verdict::Attributed,
            caution: None,
        },
        Question {
            words: "The Stop of this address's first holder was lost, and soon after it went to another. Who held it then?",
            shows: "The second holder; that the first one never reported an end is said, not hidden.",
            address: handed_over.addresses.v4.into(),
            at: TAKEN_OVER_AT + 2_500,
            verdict: Verdict::Attributed,
            caution: Some(Caution::UnclosedPredecessor),
        },
        Question {
            words: "The same address, half a second after it changed hands: is the answer still sure?",
            shows: "No: within the margin (1 s here) a clock may decide whose name is given, so the answer is called uncertain.",
            address: handed_over.addresses.v4.into(),
            at: TAKEN_OVER_AT + 500,
            verdict: Verdict::Uncertain,
            caution: Some(Caution::NearBoundary),
        },
        Question {
            words: "An IPv6 address that no statement ever named, from behind a subscriber's own router?",
            shows: "It lies in the prefix that was delegated to the subscriber. That NAS's clock is 3 s slow, and it rebooted later.",
            address: host_behind(delegated),
            at: (routed.from + REBOOT_AT) / 2,
            verdict: Verdict::Attributed,
            caution: None,
        },
        Question {
            words: "An address two seconds after its holder hung up?",
            shows: "Nobody, on evidence: the Stop was heard, and its NAS was heard of later instants since.",
            address: gone.addresses.v4.into(),
            at: gone.until + 2_000,
            verdict: Verdict::Unassigned,
            caution: None,
        },
    ])
}

impl Question {
    /// The same question, after its instant has left the window.
    pub(crate) const fn once_more(&self) -> Self {
        Self {
            words: "The first question again, word for word. Its instant is now more than 30 seconds ago.",
            shows: "Purged: not \"nobody\", and not an answer. From the millisecond it left the window nobody can ask for it.",
            verdict: Verdict::Purged,
            caution: None,
            ..*self
        }
    }

    /// What is given to `lapse`.
    pub(crate) fn arguments(&self, begin: Timestamp) -> Vec<String> {
        let at = begin.plus(Duration::from_millis(self.at)).to_string();
        let address = self.address.to_string();
        let words = ["lookup", &address, "--at", &at, "--process", "subpoena", "--case", "DEMO-1"];
        words.into_iter().chain(["--authority", "Example County Court"]).map(str::to_owned).collect()
    }

    /// In what the answers, as a table and as JSON, disagree with what happened.
    pub(crate) fn faults(&self, evening: &Evening, (table, json): (&Output, &Output)) -> Vec<String> {
        let reading = match Reading::of(json) {
            Ok(reading) => reading,
            Err(error) => return vec![format!("the JSON answer cannot be read: {error:#}")],
        };
        let named = matches!(self.verdict, Verdict::Attributed | Verdict::Uncertain);
        let holder = evening.holder(self.address, self.at).map(|subscriber| subscriber.name());
        let expected = if self.verdict == Verdict::Purged { None } else { holder };
        let printed = String::from_utf8_lossy(&table.stdout);
        let mut faults = Vec::new();
        let mut check = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        check(
            reading.verdict == self.verdict.name(),
            format!("the verdict is {}, not {}", reading.verdict, self.verdict),
        );
        check(reading.subscriber == expected, format!("it names {:?}, but it was {expected:?}", reading.subscriber));
        check(named == expected.is_some(), format!("the truth, {expected:?}, does not fit the question"));
        for answer in [table, json] {
            let code = answer.status.code();
            check(
                code == Some(exit_code(self.verdict)),
                format!("the exit code {code:?} does not say {}", self.verdict),
            );
        }
        let in_table = expected.as_ref().is_none_or(|name| printed.contains(name.as_str()));
        check(in_table, "the table does not name the subscriber".to_owned());
        check(named || !printed.contains("@example.net"), "the table names somebody".to_owned());
        if let Some(caution) = self.caution {
            let given = reading.cautions.iter().any(|given| given == caution.name());
            check(given, format!("the caution {} is missing", caution.name()));
        }
        faults
    }
}

/// A story address changes hands, so its two holders must not be the same.
const _: () = assert!(STOP_LOST_AT < TAKEN_OVER_AT, "the second holder comes after the first");

fn life(evening: &Evening, wanted: impl Fn(&Life) -> bool) -> anyhow::Result<&Life> {
    evening.lives.iter().find(|life| wanted(life)).context("this evening has no such session: take another seed")
}

/// Some host in the 66th of a delegated prefix's networks.
fn host_behind(delegated: IpAddr) -> IpAddr {
    match delegated {
        IpAddr::V6(prefix) => Ipv6Addr::from_bits(prefix.to_bits() | (0x42 << 64) | 0x17).into(),
        IpAddr::V4(_) => delegated,
    }
}

/// What `lapse lookup` ends with.
const fn exit_code(verdict: Verdict) -> i32 {
    match verdict {
        Verdict::Attributed => 0,
        Verdict::Unassigned | Verdict::NotOurs => 1,
        Verdict::Future => 2,
        Verdict::Uncertain | Verdict::Ambiguous => 3,
        Verdict::Refused => 4,
        Verdict::Purged => 5,
        Verdict::NoCoverage => 6,
    }
}
