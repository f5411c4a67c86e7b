//! Made-up evidence: thirty days of a store, and accesses.

use std::time::Duration;

use lapsed::audit::{Access, Entry, HoldAct, Papers, RequestAct, Salt};
use lapsed::domain::actor::{Principal, Role};
use lapsed::domain::finding::Finding;
use lapsed::domain::process::{ProcessType, ProcessTypes};
use lapsed::domain::time::{Bucket, Timestamp};
use lapsed::domain::verdict::Verdict;
use lapsed::evidence::{Check, Evidence, Outcome, Read};
use lapsed::ledger::checkpoint::Checkpoint;
use lapsed::ledger::merkle::Hash;
use lapsed::purge::{DoubtEnd, DoubtReason, Exception, KeyDestroyed, Kind, Report, Setting};

use crate::purge_entries::{BEGIN, at, clean};

/// A bucket of time in milliseconds.
pub(crate) const BUCKET: u64 = 600_000;

/// A check that counts.
pub(crate) fn check(name: &'static str, result: Outcome, detail: &str) -> Check {
    Check { name, result, detail: detail.to_owned(), counts: true }
}

/// Evidence of these reports and no access, with two checks that held.
pub(crate) fn evidence(reports: Vec<Report>) -> Evidence {
    let checkpoint = |origin: &str, size: usize| {
        let size = u64::try_from(size).unwrap();
        Some(Checkpoint { origin: origin.to_owned(), size, root: Hash([0x3c; 32]) })
    };
    let checks = vec![
        check("purge-signature", Outcome::Pass, "the checkpoint is signed by lapsed.example.net/purge"),
        check("purge-root", Outcome::Pass, "the root is that of the entries"),
        Check { counts: false, ..check("history-fixed", Outcome::Unknown, "no earlier checkpoint was given") },
    ];
    Evidence {
        purge: Read { checkpoint: checkpoint("lapsed.example.net/purge", reports.len()), entries: reports },
        access: Read { checkpoint: checkpoint("lapsed.example.net/access", 0), entries: Vec::new() },
        checks,
    }
}

/// The report of the n-th bucket of time, with one key destroyed and nothing out of the ordinary.
pub(crate) fn bucket(number: u64) -> Report {
    let mut report = clean();
    (report.sequence, report.from, report.to) = (number, at(number * BUCKET), at((number + 1) * BUCKET));
    let bucket = Bucket(u32::try_from((BEGIN + number * BUCKET - 172_800_000) / BUCKET - 1).unwrap());
    report.keys.destroyed = report
        .keys
        .destroyed
        .iter()
        .map(|key| KeyDestroyed { bucket, at: at(number * BUCKET + 30_000), ..*key })
        .collect();
    // The traffic of a day: the least at four in the morning.
    let hour = (number / 6 + 20) % 24;
    let busy = 1200 + 150 * ((hour + 20) % 24).min((28 - hour.min(27)) % 24);
    report.standing.taken = busy + number * 37 % 101;
    report.classes.assignments.max_age = Some(Duration::from_millis(172_800_000 + 40_000 + number * 7919 % 21_000));
    report.listings.max_age = report.classes.assignments.max_age;
    report.standing.holds = 2 + number / 900 - u64::from(number > 3000) * 2;
    report
}

/// Thirty days of buckets, with a purge that was late within its bound, an outage, a doubt about the clock and a change of policy.
pub(crate) fn month() -> Evidence {
    let mut reports: Vec<_> = (0..4320).map(bucket).collect();
    for report in &mut reports[1000..1020] {
        report.standing.taken = 0;
    }
    reports[2000].runs.late = 1;
    let late = Duration::from_millis(2500);
    reports[2000].exceptions.push(Exception::LateRun { at: at(2000 * BUCKET + 70_000), late });
    let (begun, who) = (at(2500 * BUCKET + 1000), [0xab; 8]);
    let by = Duration::from_secs(7200);
    reports[2500].kind = Kind::Exception;
    reports[2500].exceptions = vec![
        Exception::ClockDoubtBegun { at: begun, reason: DoubtReason::JumpedForward, by },
        Exception::ClockDoubtAccepted { at: begun.plus(Duration::from_secs(60)), who },
        Exception::ClockDoubtEnded { at: begun.plus(Duration::from_secs(60)), by: DoubtEnd::Accepted },
    ];
    let old = Duration::from_secs(172_800);
    let new = Duration::from_secs(36 * 3600);
    reports[3600].kind = Kind::Policy;
    let change =
        Exception::PolicyChanged { at: at(3600 * BUCKET + 5), setting: Setting::Window, old, new, who: Some(who) };
    reports[3600].exceptions.push(change);
    for report in &mut reports[3600..] {
        report.terms.window = new;
    }
    for report in &mut reports[3601..] {
        let earlier = |age: Option<Duration>| age.map(|age| age - (old - new));
        report.classes.assignments.max_age = earlier(report.classes.assignments.max_age);
        report.listings.max_age = earlier(report.listings.max_age);
        for key in &mut report.keys.destroyed {
            key.bucket = key.bucket.later(72);
        }
    }
    let mut evidence = evidence(reports);
    evidence.access.entries = (0..5000).map(access).collect();
    evidence
}

/// The n-th of many accesses of every kind.
fn access(number: u64) -> Entry {
    let process = [ProcessType::Subpoena, ProcessType::Emergency, ProcessType::Customer];
    let process = process[usize::try_from(number * 7 % 11 / 4).unwrap()];
    let papers = Papers { process, case: format!("24-CR-{number}"), authority: "Example Court".into() };
    let principal = Principal::new("desk-1", Role::Analyst);
    let (time, actor) = (at(number * BUCKET / 2), [0xcd; 8]);
    let access = Access::new(time, actor, &principal, [2; 16], &papers, &Salt([3; 32]), &ProcessTypes::default());
    match number % 20 {
        0 => Entry::Subscriber { access, finding: Finding::Found, logons: 1, assignments: 4 },
        1 => Entry::Request { access, act: RequestAct::Opened, items: 3, captured: 2 },
        2 => Entry::Request { access, act: RequestAct::Closed, items: 3, captured: 0 },
        3 => Entry::Hold { access, act: HoldAct::Placed, hold: [9; 16], records: 4 },
        4 => Entry::TokenMinted { at: time, actor, role: Role::Analyst },
        5..=13 => Entry::Lookup { access, verdict: Verdict::Purged },
        14..=16 => Entry::Lookup { access, verdict: Verdict::Attributed },
        17 => Entry::Lookup { access, verdict: Verdict::Uncertain },
        18 => Entry::Lookup { access, verdict: Verdict::NoCoverage },
        _ => Entry::Lookup { access, verdict: Verdict::NotOurs },
    }
}

/// When the page is made: an hour after the last report of [`month`].
pub(crate) fn made() -> Timestamp {
    at(4320 * BUCKET + 3_600_000)
}
