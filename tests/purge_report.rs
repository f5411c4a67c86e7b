//! Entries of the purge ledger: their bytes, that no other bytes are taken, and what a report may claim.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod purge_entries;

use std::time::Duration;

use lapsed::domain::erasure::ErasureClass;
use lapsed::domain::time::{Bucket, BucketWidth, Timestamp};
use lapsed::purge::{
    ClassReport, ClockSource, ClockStanding, Erasure, Exception, Extents, KeyDestroyed, Keys, Kind, LONGEST_DOUBT,
    LastRun, Line, Outcome, ParseError, PerClass, ReadBack, Report, Runs, Setting, Standing, Terms, Told, Unlinking,
    Verdict,
};
use proptest::prelude::*;
use proptest::sample::select;

use purge_entries::{clean, config, exceptions};

#[test]
fn the_bytes_of_a_report_are_fixed() {
    let expected = "\
lapsed-purge-v1 report
sequence 12
kind bucket
from 2026-11-21T20:40:00.000Z
to 2026-11-21T20:50:00.000Z
system 5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e
software 0.1.0
policy a1af1bccf46862c1ce45d1064094b00a0808329540e06a44bcedd8c921849f1e
terms-ms window 172800000 bucket 600000 purge-interval 60000
clock system synchronised yes offset-us -120 steps 0
runs 10 late 0 failed 0 last verified
standing taken 1250 holds 2 accesses 96
cutoff 2026-11-19T20:49:00.000Z
unlinked assignments 1200 1200 0 172861000
unlinked listings 1100 1100 0 172861000
key-opened 2992160 CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo=
key-destroyed 2991867 2026-11-21T20:40:30.000Z device same
keys live 294 unreadable 0 max-age-ms 173430000
bounds-ms unlinked 172865000 key 173465000
erasure C? same-device yes ext4 on vda1 on vda (virtio)
files removed 3 manifests 10 wal-oldest 2026-11-21T20:40:01.000Z
checks passed
result clean
";
    let text = String::from_utf8(clean().to_bytes()).unwrap();
    assert_eq!(text, expected);
    assert_eq!(Report::parse(text.as_bytes()), Ok(clean()));
}

#[test]
fn a_period_of_a_large_provider_takes_less_than_a_kibibyte() {
    let mut report = clean();
    report.sequence = 999_999;
    report.standing = Standing { taken: 12_000_000, holds: 400, accesses: 999_999 };
    for class in [&mut report.classes.assignments, &mut report.classes.logons, &mut report.listings] {
        *class = ClassReport { scanned: 12_000_000, filtered: 12_000_000, ..*class };
        class.max_age = Some(Duration::from_millis(172_861_000));
    }
    // With its hash in the tree, and those above it.
    let bytes = report.to_bytes().len() + 33;
    assert!(bytes < 1024, "{bytes}");
}

#[test]
fn the_lines_of_exceptions_are_fixed() {
    for (exception, words) in exceptions() {
        let report = Report { exceptions: vec![exception], ..clean() };
        let text = String::from_utf8(report.to_bytes()).unwrap();
        let line = format!("\nexception {}\n", words.replace('T', "2026-11-21T20:40:00.005Z"));
        assert!(text.contains(&line), "{line} in {text}");
        assert_eq!(Report::parse(text.as_bytes()), Ok(report));
    }
}

#[test]
fn what_is_no_report_says_why() {
    use ParseError as E;
    let good = String::from_utf8(clean().to_bytes()).unwrap();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        Report::parse(good.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    assert_eq!(Report::parse(b""), Err(E::Unended));
    assert_eq!(Report::parse(b"\xff\n"), Err(E::NotText));
    assert_eq!(Report::parse(&vec![b'a'; 65_536]), Err(E::TooLong(65_536)));
    assert_eq!(Report::parse(good.trim_end().as_bytes()), Err(E::Unended));
    assert_eq!(with("purge-v1", "purge-v2"), E::Name { line: 1, expected: "lapsed-purge-v1" });
    assert_eq!(with("kind bucket\n", ""), E::Name { line: 3, expected: "kind" });
    assert_eq!(with("kind bucket", "kind bucket "), E::MoreWords { line: 3 });
    assert_eq!(with("kind bucket", "kind Bucket"), E::Word { line: 3, expected: "a kind of report" });
    assert_eq!(with("sequence 12", "sequence 012"), E::Word { line: 2, expected: "a number" });
    assert_eq!(with("20:50:00.000Z", "20:50:00Z"), E::Word { line: 5, expected: "an instant" });
    assert_eq!(with("last verified", "last"), E::Missing { line: 11, expected: "last" });
    assert_eq!(with("late 0 failed 0", "failed 0 late 0"), E::Word { line: 11, expected: "late" });
    assert_eq!(with("result clean\n", "result clean\nresult clean\n"), E::MoreLines { line: 24 });
    assert_eq!(with("to 2026", "to 2025"), E::Derived("to"));
    assert_eq!(with("unlinked 172865000", "unlinked 172866000"), E::Derived("bounds-ms"));
    assert_eq!(with("max-age-ms 173430000", "max-age-ms 1"), E::Derived("max-age-ms"));
    assert_eq!(with("key 173465000", "key 173465001"), E::Derived("bounds-ms"));
    assert_eq!(with("result clean", "result exceptions"), E::Derived("result"));
    assert_eq!(with("yes ext4", "yes  ext4"), E::Word { line: 20, expected: "printable text" });
    let exception = with("result", "exception gossip 2026-11-21T20:40:00.000Z\nresult");
    assert_eq!(exception, E::Word { line: 23, expected: "an exception" });
}

#[test]
fn nothing_that_failed_or_was_late_is_called_clean() {
    let verdict = |change: fn(&mut Report)| {
        let mut report = clean();
        change(&mut report);
        assert_eq!(Report::parse(&report.to_bytes()).as_ref(), Ok(&report));
        report.verdict()
    };
    assert_eq!(verdict(|_| {}), Verdict::Clean);
    let failed: [fn(&mut Report); 14] = [
        |report| report.checks[0] = Outcome::Failed,
        |report| report.checks[7] = Outcome::NotMade,
        |report| report.checks[8] = Outcome::Failed,
        |report| report.checks[8] = Outcome::NotMade,
        |report| report.checks[9] = Outcome::Failed,
        |report| report.runs.last = LastRun::Failed,
        |report| report.classes.assignments.remaining = 1,
        |report| report.listings.remaining = 1,
        |report| report.classes.assignments.filtered = 1199,
        |report| report.listings.filtered = 0,
        |report| report.keys.destroyed[0].read_back = ReadBack::Differs,
        |report| report.keys.destroyed[0].read_back = ReadBack::Unread,
        |report| report.keys.destroyed[0].extents = Extents::Moved,
        |report| {
            let lasted = LONGEST_DOUBT;
            report.exceptions.push(Exception::ClockDoubtLasted { at: report.to, lasted });
        },
    ];
    for (place, change) in failed.into_iter().enumerate() {
        assert_eq!(verdict(change), Verdict::Failed, "{place}");
    }
    let exceptional: [fn(&mut Report); 8] = [
        |report| report.classes.assignments.max_age = Some(Duration::from_millis(172_865_001)),
        |report| report.listings.max_age = Some(Duration::from_millis(172_865_001)),
        |report| report.keys.destroyed[0].at = report.keys.destroyed[0].at.plus(Duration::from_millis(35_001)),
        |report| report.runs.late = 1,
        |report| report.runs.failed = 1,
        |report| report.runs = Runs { count: 0, late: 0, failed: 0, last: LastRun::None },
        |report| report.keys.unreadable = 1,
        |report| report.left_out = 1,
    ];
    for (place, change) in exceptional.into_iter().enumerate() {
        assert_eq!(verdict(change), Verdict::Exceptions, "{place}");
    }
    for (exception, words) in exceptions() {
        let report = Report { exceptions: vec![exception], ..clean() };
        assert_eq!(report.verdict(), Verdict::Exceptions, "{words}");
    }
}

#[test]
fn where_the_file_system_does_not_tell_extents_a_report_can_be_clean() {
    let mut report = clean();
    report.checks[9] = Outcome::NotMade;
    report.keys.destroyed[0].extents = Extents::Unknown;
    assert_eq!(report.verdict(), Verdict::Clean);
}

#[test]
fn in_the_period_of_a_change_the_longer_window_bounds_the_ages() {
    let mut report = clean();
    report.classes.assignments.max_age = Some(Duration::from_secs(72 * 3600));
    let hour = Duration::from_secs(3600);
    report.exceptions.push(Exception::PolicyChanged {
        at: report.from,
        setting: Setting::Window,
        old: 72 * hour,
        new: 48 * hour,
        who: None,
    });
    assert_eq!(report.unlink_bound(), 72 * hour + Duration::from_secs(65));
    assert!(!report.in_words().contains("OVER"));
    report.exceptions.clear();
    assert!(report.in_words().contains("OVER its bound of 48h1m5s"));
}

#[test]
fn in_words_a_report_fits_a_page() {
    let words = clean().in_words();
    assert!(
        words.starts_with("Purge report 12: clean: everything due was destroyed in time and verified\n"),
        "{words}"
    );
    for said in
        ["1200 counted, 1200 dropped, none left; oldest 48h1m1s of at most 48h1m5s", "10; none late, none failed"]
    {
        assert!(words.contains(said), "{said} in {words}");
    }
    let mut failed = clean();
    failed.exceptions = exceptions().into_iter().map(|(exception, _)| exception).collect();
    failed.checks[2] = Outcome::Failed;
    let words = failed.in_words();
    for said in ["Purge report 12: FAILED", "NOT VERIFIED  no-tombstones\n", "the run failed at compact: no-space"] {
        assert!(words.contains(said), "{said} in {words}");
    }
    assert!(clean().in_words().contains("or in any file of the store") && !words.contains("or in any file"), "{words}");
    let widest = words.lines().map(str::len).max().unwrap();
    assert!(widest <= 100, "{widest} columns: {words}");
}

/// Instants that a year of four digits can name.
fn instant() -> impl Strategy<Value = Timestamp> {
    (0_u64..253_402_300_800_000).prop_map(Timestamp::from_millis)
}

fn millis() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_millis)
}

fn class() -> impl Strategy<Value = ClassReport> {
    let counts = prop_oneof![Just([0; 3]), any::<[u64; 3]>()];
    (counts, proptest::option::of(millis())).prop_map(|([scanned, filtered, remaining], max_age)| ClassReport {
        scanned,
        filtered,
        remaining,
        // What was scanned has an oldest.
        max_age: max_age.or((scanned > 0).then_some(Duration::ZERO)),
    })
}

fn exception() -> impl Strategy<Value = Exception> {
    let all: Vec<_> = exceptions().into_iter().map(|(exception, _)| exception).collect();
    select(all)
}

fn destroyed() -> impl Strategy<Value = KeyDestroyed> {
    let (read_back, extents) = (select(ReadBack::ALL), select(Extents::ALL));
    (any::<u32>(), instant(), read_back, extents).prop_map(|(bucket, at, read_back, extents)| KeyDestroyed {
        bucket: Bucket(bucket),
        at,
        read_back,
        extents,
    })
}

prop_compose! {
    fn keys()(
        opened in proptest::collection::vec((any::<u32>().prop_map(Bucket), any::<[u8; 32]>()), 0..4),
        destroyed in proptest::collection::vec(destroyed(), 0..4),
        live in any::<u32>(),
        unreadable in any::<u32>(),
    ) -> Keys {
        Keys { opened, destroyed, live, unreadable }
    }
}

prop_compose! {
    fn report()(
        (sequence, kind, from, length) in (any::<u64>(), select(Kind::ALL), instant(), 0_u64..1_000_000_000),
        (system, policy) in (any::<[u8; 16]>(), any::<[u8; 32]>()),
        (software, stack) in (".{0,20}", ".{0,900}"),
        (window, width, purge_interval) in (millis(), 1..=u32::MAX, millis()),
        (synchronised, offset_micros, steps) in (select(Told::ALL), any::<Option<i64>>(), any::<u64>()),
        ([count, late, failed], last) in (any::<[u64; 3]>(), select(LastRun::ALL)),
        ([taken, held, accesses], cutoff) in (any::<[u64; 3]>(), proptest::option::of(instant())),
        [assignments, logons, captures, holds, answers, listings] in proptest::array::uniform6(class()),
        keys in keys(),
        (erasure, same_device) in (select(&ErasureClass::ALL[..]), select(Told::ALL)),
        ([files_removed, manifests_rolled], wal_oldest) in (any::<[u64; 2]>(), proptest::option::of(instant())),
        checks in proptest::array::uniform10(select(Outcome::ALL)),
        (exceptions, left_out) in (proptest::collection::vec(exception(), 0..5), any::<u64>()),
    ) -> Report {
        Report {
            sequence,
            kind,
            from,
            to: from.plus(Duration::from_millis(length)).min(Timestamp::from_millis(253_402_300_799_999)),
            system,
            software: Line::of(&software),
            policy,
            terms: Terms { window, bucket: BucketWidth::from_secs(width).unwrap(), purge_interval },
            clock: ClockStanding { source: ClockSource::System, synchronised, offset_micros, steps },
            runs: Runs { count, late, failed, last },
            standing: Standing { taken, holds: held, accesses },
            cutoff,
            classes: PerClass { assignments, logons, captures, holds, answers },
            listings,
            keys,
            erasure: Erasure { class: erasure, stack: Line::of(&stack), same_device },
            unlinking: Unlinking { files_removed, manifests_rolled, wal_oldest },
            checks,
            exceptions,
            left_out,
        }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_report_reads_back(report in report()) {
        let bytes = report.to_bytes();
        prop_assert_eq!(Report::parse(&bytes), Ok(report.clone()));
        // Bounds saturate here and there; telling must not fail for it.
        prop_assert!(report.in_words().lines().count() > 10);
    }

    #[test]
    fn any_bytes_are_an_error_or_exactly_those_of_a_report(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(report) = Report::parse(&bytes) {
            prop_assert_eq!(report.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_changed_report_is_refused_or_another_one(
        report in report(),
        place in any::<proptest::sample::Index>(),
        byte in prop_oneof![select(b" \n0129azA-+.:".to_vec()), any::<u8>()],
    ) {
        let good = report.to_bytes();
        let mut bytes = good.clone();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(other) = Report::parse(&bytes) {
            prop_assert_eq!(other.to_bytes(), bytes);
            prop_assert_eq!(other == report, byte == good[place]);
        }
    }
}
