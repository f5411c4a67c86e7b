//! The rules, one by one.

use super::*;

const RULES: Rules = Rules { width: BucketWidth::from_secs(10).unwrap(), carry_buckets: 3 };

fn at(secs: u64) -> Timestamp {
    Timestamp::from_millis(secs.saturating_mul(1000))
}

fn run(session: u32) -> Run {
    Run { session, ports: Ports::ALL, silence: Some(6) }
}

fn says(secs: u64, run: usize, said: Said) -> Statement {
    Statement { at: at(secs), said, run, lease_end: None, meaning: None, hint: None }
}

fn read(from: Timestamp, through: Timestamp) -> Read {
    Read { from, settled_through: None, hinted_through: None, through }
}

/// The runs open at an instant, of statements that nothing older than second 0 precedes.
fn open(runs: &[Run], statements: &[Statement], secs: u64) -> Vec<usize> {
    let heard: Vec<Statement> = statements.iter().filter(|s| s.at <= at(secs)).copied().collect();
    let settled = settle_read(runs, &heard, RULES, read(Timestamp::EPOCH, at(secs))).settled;
    spans(&settled).iter().filter(|held| held.covers(at(secs))).map(|held| held.run).collect()
}

#[test]
fn a_silent_session_is_carried_and_lapses_after_its_silence() {
    let said = [says(100, 0, Said::Start)];
    assert_eq!(open(&[run(0)], &said, 189), vec![0]);
    assert_eq!(open(&[run(0)], &said, 190), Vec::<usize>::new());
}

#[test]
fn a_late_stop_of_an_old_session_does_not_close_a_new_one() {
    let said = [says(100, 0, Said::Start), says(110, 1, Said::Start), says(120, 0, Said::Stop)];
    assert_eq!(open(&[run(0), run(1)], &said, 105), vec![0]);
    assert_eq!(open(&[run(0), run(1)], &said, 125), vec![1]);
}

#[test]
fn two_that_speak_after_the_other_opened_are_both_open() {
    let said = [says(100, 0, Said::Start), says(110, 1, Said::Start), says(115, 0, Said::Update)];
    assert_eq!(open(&[run(0), run(1)], &said, 114), vec![1]);
    assert_eq!(open(&[run(0), run(1)], &said, 116), vec![1, 0]);
}

#[test]
fn an_opening_at_the_instant_of_a_carry_ends_what_was_carried() {
    let said = [says(100, 0, Said::Start), says(130, 1, Said::Start)];
    assert_eq!(open(&[run(0), run(1)], &said, 130), vec![1]);
}

#[test]
fn an_update_after_its_own_stop_means_nothing() {
    let said = [says(100, 0, Said::Start), says(105, 0, Said::Stop), says(107, 0, Said::Update)];
    assert_eq!(open(&[run(0)], &said, 108), Vec::<usize>::new());
}

#[test]
fn a_reset_ends_what_is_open_and_what_speaks_again_is_resumed() {
    let said = [says(100, 0, Said::Start), says(105, 0, Said::Reset), says(107, 0, Said::Update)];
    assert_eq!(open(&[run(0)], &said, 106), Vec::<usize>::new());
    assert_eq!(open(&[run(0)], &said, 108), vec![0]);
}

#[test]
fn the_first_statement_after_the_horizon_tells_what_was_open_at_it() {
    let said = [says(107, 0, Said::Update), says(109, 1, Said::Start)];
    let settled = settle_read(&[run(0), run(1)], &said, RULES, read(at(103), at(115))).settled;
    let first = spans(&settled);
    assert_eq!(first[0].from, Edge { at: at(103), evidence: Evidence::BeyondHorizon });
    assert_eq!(first[0].until, Some(Edge { at: at(109), evidence: Evidence::Inferred }));
    assert_eq!(first[1].from, Edge { at: at(109), evidence: Evidence::Observed });
}

#[test]
fn a_stop_with_its_length_hints_at_a_start_that_a_real_statement_refutes() {
    let alone = [says(100, 0, Said::InferredStart), says(140, 0, Said::Stop)];
    assert_eq!(inferred_spans(&[run(0)], &alone).len(), 1);
    let refuted = [says(96, 0, Said::Start), says(100, 0, Said::InferredStart), says(140, 0, Said::Stop)];
    assert_eq!(inferred_spans(&[run(0)], &refuted).len(), 0);
}

#[test]
fn who_once_spoke_again_ends_nobody_at_the_horizon() {
    let said = [
        Statement { hint: Some(Kind::Resumed), ..says(108, 0, Said::Update) },
        Statement { hint: Some(Kind::Carry), ..says(110, 1, Said::Carry) },
    ];
    let read = Read { hinted_through: Some(Bucket(20)), ..read(at(84), at(112)) };
    let settled = settle_read(&[run(0), run(1)], &said, RULES, read).settled;
    let mut open: Vec<usize> =
        spans(&settled).iter().filter(|held| held.covers(at(109))).map(|held| held.run).collect();
    open.sort_unstable();
    assert_eq!(open, vec![0, 1]);
}
