//! What reports cannot say without being found out: each history here is signed as it stands, and keeps every other rule that it can.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "other tests use the rest")]
mod evidence_rig;
mod random;

use std::time::Duration;

use lapsed::evidence::{Check, Evidence, Outcome};
use lapsed::purge::{ClassReport, Exception, LastRun, PerClass, ReadBack, Report, Setting};

use evidence_rig::{Event, Ledgers, World};

const HOUR: Duration = Duration::from_secs(3600);

/// Some hours of a store with nothing out of the ordinary.
fn hours() -> Ledgers {
    let mut world = World::new(7);
    world.go_on_until(40, 0);
    world.ledgers()
}

/// What comes of reports to which this was done.
fn told(spoil: impl FnOnce(&mut Vec<Report>)) -> Evidence {
    let mut ledgers = hours();
    assert_eq!(ledgers.verified().valid(), Some(true));
    spoil(&mut ledgers.purge);
    ledgers.verified()
}

fn check<'a>(evidence: &'a Evidence, name: &str) -> &'a Check {
    evidence.checks.iter().find(|check| check.name == name).unwrap()
}

fn fails(evidence: &Evidence, name: &str, detail: &str) {
    assert_eq!(evidence.valid(), Some(false));
    let found = check(evidence, name);
    assert_eq!(found.result, Outcome::Fail, "{:#?}", evidence.checks);
    assert!(found.detail.contains(detail), "{found:?}");
}

#[test]
fn a_host_that_stops_destroying_is_found_out_though_it_says_that_every_run_was_verified() {
    let evidence = told(|reports| {
        let cutoff = reports[20].cutoff;
        for report in &mut reports[21..] {
            (report.cutoff, report.classes, report.listings) = (cutoff, PerClass::default(), ClassReport::default());
        }
    });
    fails(&evidence, "unlink-age", "all is verified to be unlinked up to");
    let failed: Vec<_> =
        evidence.checks.iter().filter(|of| of.counts && of.result == Outcome::Fail).map(|of| of.name).collect();
    assert_eq!(failed, ["unlink-age"]);
    assert_eq!(evidence.accesses_hold(), Some(true), "papers can be compared with the accesses all the same");
}

#[test]
fn a_key_that_nobody_ever_destroys_is_found_out() {
    let evidence = told(|reports| {
        let mut kept = 0;
        for report in reports {
            kept += u32::try_from(report.keys.destroyed.len()).unwrap();
            report.keys.destroyed.clear();
            report.keys.live += kept;
        }
    });
    fails(&evidence, "key-age", "is not destroyed");
}

#[test]
fn a_change_that_begins_with_what_was_not_in_force_bounds_nothing() {
    let years = HOUR * 24 * 365 * 2;
    let evidence = told(|reports| {
        let at = reports[20].from;
        let new = reports[20].terms.window;
        reports[20].classes.assignments.max_age = Some(years);
        reports[20].exceptions.push(Exception::PolicyChanged {
            at,
            setting: Setting::Window,
            old: years,
            new,
            who: Some([9; 8]),
        });
    });
    fails(&evidence, "system", "and that was not in force");
}

#[test]
fn only_what_holds_a_report_up_excuses_a_long_period_and_for_no_longer_than_that() {
    let merged = |exception: fn(&Report) -> Exception| {
        told(|reports| {
            let left_out: Vec<_> = reports.drain(15..30).collect();
            let merged = &mut reports[15];
            merged.from = left_out[0].from;
            for report in left_out.into_iter().rev() {
                merged.keys.opened.splice(0..0, report.keys.opened);
                merged.keys.destroyed.splice(0..0, report.keys.destroyed);
            }
            merged.exceptions.push(exception(merged));
            (0..).zip(reports).for_each(|(sequence, report)| report.sequence = sequence);
        })
    };
    fails(&merged(|report| Exception::Swept { at: report.from, keys: 3 }), "heartbeats", "entry 15 is a period");
    fails(
        &merged(|report| Exception::LateRun { at: report.from, late: HOUR / 2 }),
        "heartbeats",
        "entry 15 is a period",
    );
    let late = merged(|report| Exception::LateRun { at: report.from, late: HOUR * 5 });
    assert_eq!(check(&late, "heartbeats").result, Outcome::Pass, "{:#?}", late.checks);
}

#[test]
fn rows_that_were_dropped_have_an_age() {
    let evidence = told(|reports| {
        let class = &mut reports[20].classes.assignments;
        (class.scanned, class.filtered, class.max_age) = (1_000_000, 1_000_000, None);
    });
    fails(&evidence, "purge-entries", "unlinked");
}

#[test]
fn what_failed_is_not_proven_until_a_run_was_verified() {
    let failed = |place: usize| {
        told(|reports| {
            reports[place].classes.logons.remaining = 3;
            reports[place].runs.last = LastRun::Failed;
        })
    };
    let made_good = failed(20);
    assert_eq!(made_good.valid(), Some(true), "{:#?}", made_good.checks);
    assert!(check(&made_good, "failures").detail.contains("each of 1 entries"));
    let last = failed(39);
    assert_eq!((last.valid(), check(&last, "failures").result), (None, Outcome::Unknown));
    let unread = |read_back| {
        told(|reports| {
            let report = reports.iter_mut().find(|report| !report.keys.destroyed.is_empty()).unwrap();
            report.keys.destroyed[0].read_back = read_back;
        })
    };
    assert_eq!(unread(ReadBack::Unread).valid(), None);
    fails(&unread(ReadBack::Differs), "failures", "may still be where it was");
}

#[test]
fn a_doubt_excuses_what_it_held_up_and_no_more() {
    let doubt = |lasted: Duration| {
        told(|reports| {
            let report = &mut reports[20];
            let by = Duration::from_secs(900);
            let begun =
                Exception::ClockDoubtBegun { at: report.from, reason: lapsed::purge::DoubtReason::WentBack, by };
            let ended = Exception::ClockDoubtEnded { at: report.to, by: lapsed::purge::DoubtEnd::Agreed };
            report.exceptions.extend([begun, ended]);
            report.classes.assignments.max_age = Some(report.terms.window + lasted);
        })
    };
    let short = doubt(HOUR * 5);
    assert_eq!(short.valid(), Some(true), "{:#?}", short.checks);
    assert!(check(&short, "unlink-age").detail.contains("as the clock was in doubt"));
    fails(&doubt(HOUR * 7), "unlink-age", "assignments had an age of");
    let breach = told(|reports| {
        let at = reports[20].from;
        reports[20].exceptions.push(Exception::ClockDoubtLasted { at, lasted: HOUR * 7 });
    });
    fails(&breach, "failures", "in doubt for too long");
}

#[test]
fn a_doubt_of_whose_end_nobody_told_excuses_nothing_after_the_next_report() {
    let late = |place: usize| {
        told(|reports| {
            let (at, by) = (reports[20].to, Duration::from_secs(900));
            let reason = lapsed::purge::DoubtReason::WentBack;
            reports[20].exceptions.push(Exception::ClockDoubtBegun { at, reason, by });
            reports[place].classes.assignments.max_age = Some(reports[place].terms.window + HOUR);
        })
    };
    assert_eq!(late(21).valid(), Some(true));
    fails(&late(22), "unlink-age", "entry 22: assignments had an age of");
}

#[test]
fn a_start_excuses_rows_and_no_keys() {
    let mut world = World::new(7);
    world.go_on_until(20, 0);
    world.meet(Event::Restart);
    let evidence = world.ledgers().verified();
    assert_eq!(check(&evidence, "unlink-age").result, Outcome::Pass, "{:#?}", evidence.checks);
    assert!(check(&evidence, "unlink-age").detail.contains("as nobody ran"));
    assert_eq!((evidence.valid(), check(&evidence, "key-age").result), (world.truth(), Outcome::Fail));
}
