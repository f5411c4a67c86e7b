//! A report of the purge ledger, and every kind of exception.

use std::time::Duration;

use lapsed::domain::erasure::ErasureClass;
use lapsed::domain::time::{Bucket, BucketWidth, Timestamp};
use lapsed::purge::{
    ClassReport, ClockSource, ClockStanding, Counted, DoubtEnd, DoubtReason, Erasure, Exception, Explanation, Extents,
    Failure, KeyDestroyed, Keys, Kind, LastRun, Line, Outcome, PerClass, ReadBack, Reason, Report, Runs, Setting,
    Standing, Step, Terms, Told, Unlinking, policy_digest,
};
use proptest::prelude::ProptestConfig;

/// 2026-11-21T20:40:00Z: the beginning of a bucket of ten minutes.
pub(crate) const BEGIN: u64 = 1_795_293_600_000;

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(BEGIN + millis)
}

pub(crate) fn terms() -> Terms {
    Terms {
        window: Duration::from_secs(48 * 3600),
        bucket: BucketWidth::from_secs(600).unwrap(),
        purge_interval: Duration::from_secs(60),
    }
}

/// What a store of nothing but assignments reports when all is well.
pub(crate) fn clean() -> Report {
    let age = Duration::from_secs(48 * 3600 + 61);
    let assignments = ClassReport { scanned: 1200, filtered: 1200, max_age: Some(age), ..ClassReport::default() };
    let bucket = Bucket(u32::try_from((BEGIN - 172_800_000) / 600_000 - 1).unwrap());
    let destroyed = KeyDestroyed { bucket, at: at(30_000), read_back: ReadBack::Device, extents: Extents::Same };
    Report {
        sequence: 12,
        kind: Kind::Bucket,
        from: at(0),
        to: at(600_000),
        system: [0x5e; 16],
        software: Line::of("0.1.0"),
        policy: policy_digest(b"format = 1\n"),
        terms: terms(),
        clock: ClockStanding {
            source: ClockSource::System,
            synchronised: Told::Yes,
            offset_micros: Some(-120),
            steps: 0,
        },
        runs: Runs { count: 10, late: 0, failed: 0, last: LastRun::Verified },
        standing: Standing { taken: 1250, holds: 2, accesses: 96 },
        cutoff: Some(at(540_000).minus(Duration::from_secs(172_800))),
        classes: PerClass { assignments, ..PerClass::default() },
        listings: ClassReport { scanned: 1100, filtered: 1100, ..assignments },
        keys: Keys {
            opened: vec![(Bucket(2_992_160), [0x0a; 32])],
            destroyed: vec![destroyed],
            live: 294,
            unreadable: 0,
        },
        erasure: Erasure {
            class: ErasureClass::Unsure,
            stack: Line::of("ext4 on vda1 on vda (virtio)"),
            same_device: Told::Yes,
        },
        unlinking: Unlinking { files_removed: 3, manifests_rolled: 10, wal_oldest: Some(at(1_000)) },
        checks: [Outcome::Passed; 10],
        exceptions: Vec::new(),
        left_out: 0,
    }
}

/// Every kind of exception, with the words after its instant.
pub(crate) fn exceptions() -> Vec<(Exception, &'static str)> {
    let (at, who) = (at(5), [0xab; 8]);
    let hour = Duration::from_secs(3600);
    vec![
        (Exception::LateRun { at, late: Duration::from_millis(1500) }, "late-run T 1500"),
        (
            Exception::FailedRun { at, failure: Failure { step: Step::Compact, reason: Reason::NoSpace } },
            "failed-run T compact no-space",
        ),
        (
            Exception::CountsDiffer {
                at,
                counted: Counted::Listings,
                scanned: 5,
                filtered: 7,
                explanation: Explanation::RepeatedCompaction,
            },
            "counts-differ T listings 5 7 repeated-compaction",
        ),
        (
            Exception::ClockDoubtBegun { at, reason: DoubtReason::JumpedForward, by: hour },
            "clock-doubt-begun T jumped-forward 3600000",
        ),
        (
            Exception::ClockDoubtMoved { at, reason: DoubtReason::WentBack, by: hour },
            "clock-doubt-moved T went-back 3600000",
        ),
        (Exception::ClockForgotten { at }, "clock-forgotten T"),
        (Exception::ClockDoubtLasted { at, lasted: hour }, "clock-doubt-lasted T 3600000"),
        (Exception::ClockDoubtEnded { at, by: DoubtEnd::Sources }, "clock-doubt-ended T sources"),
        (Exception::ClockDoubtAccepted { at, who }, "clock-doubt-accepted T abababababababab"),
        (
            Exception::PolicyChanged { at, setting: Setting::Window, old: hour * 72, new: hour * 48, who: Some(who) },
            "policy-changed T window 259200000 172800000 abababababababab",
        ),
        (Exception::KeyringLost { at }, "keyring-lost T"),
        (Exception::KeyUnreadable { at, bucket: Bucket(7) }, "key-unreadable T 7"),
        (Exception::Swept { at, keys: 3 }, "swept T 3"),
        (Exception::Restored { at }, "restored T"),
    ]
}

/// No file of failures: what was found becomes a test with a name.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() }
}
