//! The purge as a person reads it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::api::{PurgeReports, PurgeStatus, ReportLine, RunAnswer, RunText, WindowAnswer};
use crate::config::Written;

use super::escape::escape;
use super::render::Sheet;

fn written(millis: u64) -> Written {
    Written(Duration::from_millis(millis))
}

/// How the purge is doing.
pub(super) fn status_sheet(status: &PurgeStatus) -> String {
    let headline = match (status.consecutive_failures, &status.last_run) {
        (0, None) => "no purge has run yet".to_owned(),
        (0, Some(_)) => "the last purge was verified".to_owned(),
        (1, _) => "the last purge FAILED".to_owned(),
        (failures, _) => format!("the last {failures} purges FAILED"),
    };
    let mut sheet = Sheet(format!("{headline}\n"));
    sheet.line("now", &status.now);
    sheet.line(
        "cutoff",
        &format!("{} (window {}); nothing older is readable", status.cutoff, written(status.window_ms)),
    );
    match &status.oldest {
        Some(oldest) => {
            sheet.line("oldest", &format!("{}, {} old", oldest.time, written(oldest.age_ms)));
            sheet.line("lag", &format!("{} behind the cutoff", written(status.lag_ms)));
        }
        None => sheet.line("oldest", "no record is known to be on disk"),
    }
    if let Some(run) = &status.last_run {
        sheet.line("last run", &run_words(run));
        for failure in &run.failures {
            sheet.line("", failure);
        }
    }
    sheet.line("next run", status.next_run.as_deref().unwrap_or("not known yet"));
    let unreadable = match status.unreadable_keys {
        0 => String::new(),
        count => format!(", {count} UNREADABLE"),
    };
    sheet.line("keys", &format!("{} live{unreadable}", status.live_keys));
    if let Some(erasure) = &status.erasure {
        let device = match erasure.same_device.as_str() {
            "yes" => "on the database's device",
            "no" => "on a device of their own",
            _ => "on a device that is not known",
        };
        sheet.line("erasure", &format!("{}: {}; keys {device}", erasure.class, erasure.stack));
    }
    sheet.line("reports", &status.reports.to_string());
    sheet.0
}

fn run_words(run: &RunText) -> String {
    let RunText { began, trigger, result, unlinked, keys_destroyed, .. } = run;
    format!("{began} ({trigger}): {result}, {unlinked} records unlinked, {keys_destroyed} keys destroyed")
}

/// A run that was asked for.
pub(super) fn run_sheet(answer: &RunAnswer) -> String {
    let RunAnswer { cutoff, run, remaining, files_removed } = answer;
    let RunText { began, ended, result, failures, unlinked, keys_destroyed, .. } = run;
    let mut sheet = Sheet(match result.as_str() {
        "verified" => "the purge was verified: nothing older than the cutoff is left\n".to_owned(),
        _ => "the purge FAILED; it is tried again\n".to_owned(),
    });
    sheet.line("cutoff", cutoff);
    sheet.line("began", began);
    sheet.line("ended", ended);
    sheet.line("unlinked", &format!("{unlinked} records, {files_removed} files"));
    sheet.line("destroyed", &format!("{keys_destroyed} keys"));
    if *remaining > 0 {
        sheet.line("REMAINING", &format!("{remaining} expired rows"));
    }
    for failure in failures {
        sheet.line("failure", failure);
    }
    sheet.0
}

/// Reports, one a line.
pub(super) fn report_table(answer: &PurgeReports) -> String {
    let mut table = format!(
        "{:>7}  {:<9}  {:<24}  {:>6}  {:>10}  {:>5}  {:>10}  result\n",
        "report", "kind", "until", "runs", "unlinked", "keys", "exceptions"
    );
    for line in &answer.reports {
        let ReportLine { sequence, kind, to, runs, unlinked, keys_destroyed, exceptions, result, .. } = line;
        let (kind, to, result) = (escape(kind), escape(to), escape(result));
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "{sequence:>7}  {kind:<9}  {to:<24}  {runs:>6}  {unlinked:>10}  {keys_destroyed:>5}  {exceptions:>10}  {result}"
        );
    }
    if answer.reports.is_empty() {
        table.push_str("no report\n");
    }
    table
}

/// A window that was changed.
pub(super) fn window_sheet(answer: &WindowAnswer) -> String {
    let (old, new) = (written(answer.old_ms), written(answer.new_ms));
    let mut sheet = Sheet(format!("the window is {new} now; it was {old}\n"));
    sheet.line("cutoff", &format!("{} (nothing older is readable)", answer.cutoff));
    sheet.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{ErasureText, OldestText};

    const NOW: &str = "2026-11-21T20:50:10.000Z";
    const BEGAN: &str = "2026-11-21T20:50:00.000Z";

    fn status() -> PurgeStatus {
        PurgeStatus {
            now: NOW.into(),
            window_ms: 172_800_000,
            cutoff: "2026-11-19T20:50:10.000Z".into(),
            oldest: Some(OldestText { time: "2026-11-19T20:50:00.500Z".into(), age_ms: 172_809_500 }),
            lag_ms: 9_500,
            last_run: Some(RunText {
                began: BEGAN.into(),
                ended: BEGAN.into(),
                trigger: "interval".into(),
                result: "verified".into(),
                failures: Vec::new(),
                unlinked: 1200,
                keys_destroyed: 1,
            }),
            next_run: Some("2026-11-21T20:51:00.000Z".into()),
            consecutive_failures: 0,
            live_keys: 294,
            unreadable_keys: 0,
            erasure: Some(ErasureText {
                class: "C?".into(),
                stack: "ext4 on vda (virtio)".into(),
                same_device: "yes".into(),
            }),
            reports: 13,
        }
    }

    #[test]
    fn a_status_is_told_in_lines() {
        assert_eq!(
            status_sheet(&status()),
            "\
the last purge was verified
  now           2026-11-21T20:50:10.000Z
  cutoff        2026-11-19T20:50:10.000Z (window 48h); nothing older is readable
  oldest        2026-11-19T20:50:00.500Z, 48h9s500ms old
  lag           9s500ms behind the cutoff
  last run      2026-11-21T20:50:00.000Z (interval): verified, 1200 records unlinked, 1 keys destroyed
  next run      2026-11-21T20:51:00.000Z
  keys          294 live
  erasure       C?: ext4 on vda (virtio); keys on the database's device
  reports       13
"
        );
    }

    #[test]
    fn failures_and_lost_keys_are_loud_and_foreign_text_is_escaped() {
        let mut status = status();
        status.consecutive_failures = 3;
        status.unreadable_keys = 2;
        status.last_run.as_mut().unwrap().failures = vec!["compact: no-space\u{1b}[2J".into()];
        let sheet = status_sheet(&status);
        assert!(
            sheet.starts_with("the last 3 purges FAILED\n") && sheet.contains("294 live, 2 UNREADABLE\n"),
            "{sheet}"
        );
        assert!(sheet.contains("compact: no-space\\u{1b}[2J\n"), "{sheet}");
    }

    #[test]
    fn a_run_that_was_asked_for_says_what_went_and_what_did_not() {
        let run = status().last_run.unwrap();
        let mut answer = RunAnswer { cutoff: NOW.into(), run, remaining: 0, files_removed: 2 };
        assert_eq!(
            run_sheet(&answer),
            "\
the purge was verified: nothing older than the cutoff is left
  cutoff        2026-11-21T20:50:10.000Z
  began         2026-11-21T20:50:00.000Z
  ended         2026-11-21T20:50:00.000Z
  unlinked      1200 records, 2 files
  destroyed     1 keys
"
        );
        answer.run.result = "failed".into();
        answer.run.failures = vec!["verify: check-failed".into()];
        answer.remaining = 3;
        let sheet = run_sheet(&answer);
        assert!(sheet.starts_with("the purge FAILED") && sheet.contains("REMAINING     3 expired rows\n"), "{sheet}");
        assert!(sheet.contains("failure       verify: check-failed\n"), "{sheet}");
    }

    #[test]
    fn before_the_first_run_little_is_known() {
        let blank = PurgeStatus {
            oldest: None,
            last_run: None,
            next_run: None,
            erasure: None,
            lag_ms: 0,
            reports: 0,
            ..status()
        };
        let sheet = status_sheet(&blank);
        assert!(
            sheet.starts_with("no purge has run yet\n") && sheet.contains("next run      not known yet\n"),
            "{sheet}"
        );
    }

    #[test]
    fn reports_stand_in_columns() {
        let line = ReportLine {
            sequence: 12,
            kind: "bucket".into(),
            from: "2026-11-21T20:40:00.000Z".into(),
            to: BEGAN.into(),
            runs: 10,
            unlinked: 1200,
            keys_opened: 1,
            keys_destroyed: 1,
            exceptions: 0,
            result: "clean".into(),
        };
        let other = ReportLine {
            sequence: 13,
            kind: "exception".into(),
            exceptions: 2,
            result: "failed".into(),
            ..line.clone()
        };
        let table = report_table(&PurgeReports { reports: vec![line, other], next: 14 });
        assert_eq!(
            table,
            " report  kind       until                       runs    unlinked   keys  exceptions  result
     12  bucket     2026-11-21T20:50:00.000Z      10        1200      1           0  clean
     13  exception  2026-11-21T20:50:00.000Z      10        1200      1           2  failed
"
        );
        assert!(report_table(&PurgeReports { reports: Vec::new(), next: 0 }).ends_with("no report\n"));
    }

    #[test]
    fn a_changed_window_is_said_with_the_old_one() {
        let answer = WindowAnswer { old_ms: 172_800_000, new_ms: 86_400_000, cutoff: NOW.into() };
        assert!(window_sheet(&answer).starts_with("the window is 24h now; it was 48h\n"));
    }
}
