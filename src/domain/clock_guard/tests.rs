//! What a clock can do, and what becomes of it.
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const WINDOW: Duration = hours(48);
const RULES: Rules = Rules { max_step: Duration::from_secs(300), carry_interval: hours(4) };

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A machine whose clocks are moved by hand, and its guard.
struct Machine {
    reading: Reading,
    guard: ClockGuard,
}

impl Machine {
    fn new() -> Self {
        let reading = Reading { wall: NOW, since_boot: hours(100), boot: BootId([1; 16]) };
        let mut guard = ClockGuard::new(RULES, None);
        assert_eq!(guard.observe(reading), []);
        Self { reading, guard }
    }

    fn look(&mut self) -> Vec<Change> {
        self.guard.observe(self.reading)
    }

    /// Both clocks go on.
    fn pass(&mut self, by: Duration) -> Vec<Change> {
        self.reading.wall = self.reading.wall.plus(by);
        self.reading.since_boot += by;
        self.look()
    }

    /// The wall clock stands still.
    fn freeze(&mut self, by: Duration) -> Vec<Change> {
        self.reading.since_boot += by;
        self.look()
    }

    fn set(&mut self, wall: Timestamp) -> Vec<Change> {
        self.reading.wall = wall;
        self.look()
    }

    /// The daemon starts again, and knows what it wrote down.
    fn restart(&mut self) -> Vec<Change> {
        let remembered = self.guard.to_remember().copied();
        self.restart_with(remembered)
    }

    fn restart_with(&mut self, remembered: Option<Trust>) -> Vec<Change> {
        self.guard = ClockGuard::new(RULES, remembered);
        self.look()
    }

    /// The machine starts again, and shows this time.
    fn reboot(&mut self, wall: Timestamp) -> Vec<Change> {
        let remembered = self.guard.to_remember().copied();
        self.reading = Reading { wall, since_boot: secs(20), boot: BootId([2; 16]) };
        self.restart_with(remembered)
    }

    fn reason(&self) -> Option<Reason> {
        self.guard.doubt().map(|doubt| doubt.reason)
    }

    fn horizon(&self) -> Timestamp {
        self.guard.cutoff(WINDOW).horizon()
    }

    fn check(&self, number: u64, role: Role) -> Result<(), NotAccepted> {
        self.guard.check_accept(number, role).map(|_| ())
    }

    fn number(&self) -> u64 {
        self.guard.doubt().map_or(0, |doubt| doubt.number)
    }
}

fn three_days_on() -> Timestamp {
    NOW.plus(hours(72))
}

fn a_day_ago() -> Timestamp {
    NOW.minus(hours(24))
}

#[test]
fn a_clock_that_keeps_pace_is_trusted_for_ever() {
    let mut machine = Machine::new();
    for _ in 0..10_000 {
        assert_eq!(machine.pass(secs(60)), []);
    }
    assert_eq!(machine.horizon(), machine.reading.wall.minus(WINDOW));
}

#[test]
fn live_jumps_are_in_doubt_and_move_no_cutoff() {
    use Reason::{BeforeThisProgram, JumpedForward, WentBack};
    for (wall, reason) in
        [(three_days_on(), JumpedForward), (a_day_ago(), WentBack), (Timestamp::EPOCH, BeforeThisProgram)]
    {
        let mut machine = Machine::new();
        let step = Step::between(NOW, wall);
        assert_eq!(machine.set(wall), [Change::Began(reason, step)]);
        assert_eq!(machine.horizon(), NOW.minus(WINDOW));
        assert_eq!(machine.guard.to_remember(), None, "doubt is not written down");
        assert_eq!(machine.pass(secs(1800)), []);
        assert_eq!(machine.horizon(), NOW.minus(WINDOW));
        assert_eq!(machine.guard.estimate(&machine.reading), Some(NOW.plus(secs(1800))));
        assert_eq!(machine.set(NOW.plus(secs(1800))), [Change::Ended(End::Agreed)]);
        assert_eq!(machine.horizon(), NOW.plus(secs(1800)).minus(WINDOW));
    }
}

#[test]
fn a_frozen_clock_is_in_doubt_after_max_step_and_nothing_speaks_for_it_while_it_stands() {
    let mut machine = Machine::new();
    assert_eq!(machine.freeze(secs(300)), []);
    let step = Step::Behind(secs(301));
    assert_eq!(machine.freeze(secs(1)), [Change::Began(Reason::WentBack, step)]);
    for _ in 0..400 {
        machine.freeze(secs(1));
        assert_eq!(machine.guard.kernel_says(machine.reading, Synchronised::Yes), None);
        assert_eq!(machine.guard.hear(&source("bng-1"), machine.reading.wall, machine.reading), None);
    }
    assert_eq!(machine.reason(), Some(Reason::WentBack));
    assert_eq!(machine.guard.doubt().map(|doubt| doubt.step), Some(Step::Behind(secs(701))));
}

#[test]
fn a_paused_machine_stops_both_clocks_and_the_catching_up_is_a_jump() {
    let mut machine = Machine::new();
    // Two hours pass outside.
    assert_eq!(machine.look(), []);
    let now = NOW.plus(hours(2));
    assert_eq!(machine.set(now), [Change::Began(Reason::JumpedForward, Step::Ahead(hours(2)))]);
    assert_eq!(machine.guard.kernel_says(machine.reading, Synchronised::Yes), None, "it has to run for a moment");
    assert_eq!(machine.pass(secs(1)), []);
    assert_eq!(machine.guard.kernel_says(machine.reading, Synchronised::Yes), Some(Change::Ended(End::Kernel)));
    assert_eq!(machine.horizon(), now.plus(secs(1)).minus(WINDOW));
}

#[test]
fn a_restart_in_the_same_boot_sees_what_a_running_guard_would_see() {
    let mut machine = Machine::new();
    let trust = machine.guard.to_remember().copied();
    for (wall, reason) in [
        (three_days_on(), Some(Reason::JumpedForward)),
        (a_day_ago(), Some(Reason::WentBack)),
        (Timestamp::EPOCH, Some(Reason::BeforeThisProgram)),
        (NOW.plus(secs(3600)), None),
        // Frozen, or a machine that was paused and has noticed nothing but CLOCK_BOOTTIME.
        (NOW, Some(Reason::WentBack)),
    ] {
        machine.reading = Reading { wall, since_boot: hours(101), boot: BootId([1; 16]) };
        machine.restart_with(trust);
        assert_eq!(machine.reason(), reason, "{wall}");
    }
}

#[test]
fn a_new_boot_is_in_doubt_only_behind_the_last_trusted_instant() {
    for (wall, reason) in [
        (a_day_ago(), Some(Reason::BehindLastTrusted)),
        (Timestamp::EPOCH, Some(Reason::BeforeThisProgram)),
        // The slack of a clock that lost a little, and a long power-off: what a clock that is ahead looks like.
        (NOW.minus(secs(200)), None),
        (three_days_on(), None),
    ] {
        let mut machine = Machine::new();
        machine.reboot(wall);
        assert_eq!(machine.reason(), reason, "{wall}");
    }
}

#[test]
fn a_new_boot_cannot_be_earlier_than_the_trust_and_the_time_since_that_boot() {
    let mut machine = Machine::new();
    let trust = machine.guard.to_remember().copied();
    machine.reading = Reading { wall: NOW.plus(hours(1)), since_boot: hours(10), boot: BootId([2; 16]) };
    machine.restart_with(trust);
    assert_eq!(machine.reason(), Some(Reason::BehindLastTrusted));
}

#[test]
fn after_a_reboot_in_doubt_a_clock_that_is_set_needs_someone_to_speak_for_it() {
    let mut machine = Machine::new();
    machine.reboot(Timestamp::EPOCH);
    assert_eq!(machine.check(1, Role::Operator), Err(NotAccepted::Impossible));
    let later = NOW.plus(hours(5));
    let expected = Step::between(NOW.plus(secs(20)), later);
    assert_eq!(machine.set(later), [Change::Moved(Reason::JumpedForward, expected)]);
    assert_eq!(machine.pass(secs(30)), []);
    assert_eq!(machine.guard.doubt().unwrap().needs(), [Role::Operator, Role::Approver]);
    assert_eq!(machine.guard.kernel_says(machine.reading, Synchronised::No), None);
    assert_eq!(machine.guard.kernel_says(machine.reading, Synchronised::Unknown), None);
    let ended = machine.guard.kernel_says(machine.reading, Synchronised::Yes);
    assert_eq!(ended, Some(Change::Ended(End::Kernel)));
}

#[test]
fn a_first_start_before_this_program_waits_for_a_possible_time() {
    let mut machine = Machine::new();
    machine.reading.wall = Timestamp::from_secs(60);
    machine.restart_with(None);
    assert_eq!(machine.reason(), Some(Reason::BeforeThisProgram));
    assert_eq!(machine.guard.overdue_cutoff(&machine.reading, WINDOW), None, "nothing was ever trusted");
    assert_eq!(machine.set(NOW).last(), Some(&Change::Ended(End::Agreed)));
}

#[test]
fn small_steps_are_followed_and_the_cutoff_waits() {
    let mut machine = Machine::new();
    assert_eq!(machine.set(NOW.minus(secs(200))), []);
    assert_eq!(machine.horizon(), NOW.minus(WINDOW), "what was hidden stays hidden");
    assert_eq!(machine.pass(secs(300)), []);
    assert_eq!(machine.horizon(), NOW.plus(secs(100)).minus(WINDOW));
}

#[test]
fn many_small_steps_add_up_also_over_restarts() {
    for restarts in [false, true] {
        let mut machine = Machine::new();
        let mut steps = 0;
        while machine.reason().is_none() {
            steps += 1;
            machine.set(machine.reading.wall.plus(secs(100)));
            if restarts && machine.reason().is_none() {
                machine.restart();
            }
            machine.pass(secs(60));
        }
        assert_eq!(steps, 4);
    }
}

#[test]
fn one_step_across_the_whole_band_is_one_step_too_far() {
    let mut machine = Machine::new();
    assert_eq!(machine.set(NOW.plus(secs(250))), []);
    assert_eq!(machine.set(NOW.minus(secs(250))), [Change::Began(Reason::WentBack, Step::Behind(secs(500)))]);
}

fn source(name: &str) -> SourceName {
    SourceName(name.to_owned())
}

#[test]
fn all_live_sources_end_a_doubt_and_one_of_them_does_not() {
    let mut machine = Machine::new();
    machine.set(three_days_on());
    let wrong = NOW;
    assert_eq!(machine.guard.hear(&source("bng-1"), wrong, machine.reading), None);
    machine.pass(secs(5));
    let right = machine.reading.wall.minus(secs(290));
    assert_eq!(machine.guard.hear(&source("bng-2"), right, machine.reading), None);
    assert_eq!(machine.guard.doubt().map(Doubt::sources), Some((2, 1)));
    // An old packet sent again does not take back what a newer one said, and a newer one mends it.
    let ended = machine.guard.hear(&source("bng-1"), right, machine.reading);
    assert_eq!(ended, Some(Change::Ended(End::Sources)));
}

#[test]
fn what_was_said_of_a_clock_before_it_moved_again_is_not_said_of_it_now() {
    let mut machine = Machine::new();
    machine.set(three_days_on());
    machine.guard.hear(&source("bng-1"), three_days_on(), machine.reading);
    assert_eq!(
        machine.guard.accept(machine.reading, 1, Role::Operator),
        Ok((Accepted::NeedsAlso(vec![Role::Approver]), None))
    );
    machine.set(three_days_on().plus(hours(1)));
    assert_eq!(machine.guard.doubt().map(Doubt::sources), Some((0, 0)));
    assert_eq!(machine.guard.accept(machine.reading, 1, Role::Approver), Err(NotAccepted::OtherDoubt));
    assert_eq!(machine.guard.doubt().unwrap().needs(), [Role::Operator, Role::Approver]);
}

#[test]
fn far_ahead_takes_two_roles_in_either_order_and_the_rest_an_operator() {
    for order in [[Role::Operator, Role::Approver], [Role::Approver, Role::Operator]] {
        let mut machine = Machine::new();
        machine.set(three_days_on());
        for role in [Role::Analyst, Role::Auditor, Role::Source] {
            assert_eq!(machine.check(1, role), Err(NotAccepted::NotAsked(role)));
        }
        let [first, second] = order;
        assert_eq!(machine.guard.accept(machine.reading, 1, first), Ok((Accepted::NeedsAlso(vec![second]), None)));
        assert_eq!(machine.guard.accept(machine.reading, 1, first), Err(NotAccepted::NotAsked(first)));
        let accepted = machine.guard.accept(machine.reading, 1, second);
        assert_eq!(accepted, Ok((Accepted::Trusted, Some(Change::Ended(End::Accepted)))));
        assert_eq!(machine.horizon(), three_days_on().minus(WINDOW));
    }
    for wall in [a_day_ago(), NOW.plus(hours(4))] {
        let mut machine = Machine::new();
        machine.set(wall);
        assert_eq!(machine.check(1, Role::Approver), Err(NotAccepted::NotAsked(Role::Approver)));
        let number = machine.number();
        let accepted = machine.guard.accept(machine.reading, number, Role::Operator);
        assert_eq!(accepted, Ok((Accepted::Trusted, Some(Change::Ended(End::Accepted)))));
        assert!(machine.horizon() >= NOW.minus(WINDOW));
        assert_eq!(machine.restart(), [], "what was accepted is remembered");
    }
    assert_eq!(Machine::new().check(1, Role::Operator), Err(NotAccepted::NoDoubt));
}

#[test]
fn doubt_held_up_for_ever_still_ends_in_destruction() {
    let mut machine = Machine::new();
    machine.set(a_day_ago());
    assert_eq!(machine.guard.overdue_cutoff(&machine.reading, WINDOW), Some(Cutoff::of(NOW.minus(OVERDUE), WINDOW)));
    let mut said = Vec::new();
    for _ in 0..100 {
        said.extend(machine.pass(secs(1801)));
    }
    assert_eq!(said, [Change::Long, Change::Breach]);
    let reached = NOW.plus(secs(100 * 1801));
    assert_eq!(
        machine.guard.overdue_cutoff(&machine.reading, WINDOW),
        Some(Cutoff::of(reached.minus(OVERDUE), WINDOW))
    );
    // Also when the machine is started again: the time that it was off is missing, the time since is not.
    let trust = Trust::from(Reading { wall: NOW, since_boot: hours(100), boot: BootId([1; 16]) });
    machine.reading = Reading { wall: a_day_ago(), since_boot: hours(60), boot: BootId([9; 16]) };
    machine.restart_with(Some(trust));
    let overdue = machine.guard.overdue_cutoff(&machine.reading, WINDOW);
    assert_eq!(overdue, Some(Cutoff::of(NOW.plus(hours(59)), WINDOW)));
    let trusting = Machine::new();
    assert_eq!(trusting.guard.overdue_cutoff(&trusting.reading, WINDOW), None);
    assert_eq!(trusting.guard.due_cutoff(&trusting.reading, WINDOW), Some(Cutoff::of(NOW, WINDOW)));
    assert_eq!(machine.guard.due_cutoff(&machine.reading, WINDOW), overdue);
}

/// What can happen to a machine.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Passes(u64),
    Freezes(u64),
    Jumps(i64),
    Restarts,
    Synchronises,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (1..7200_u64).prop_map(Happens::Passes),
        1 => (1..900_u64).prop_map(Happens::Freezes),
        2 => (-400_000..400_000_i64).prop_map(Happens::Jumps),
        2 => (-299..299_i64).prop_map(Happens::Jumps),
        1 => Just(Happens::Restarts),
        1 => Just(Happens::Synchronises),
    ]
}

proptest! {
    /// Whatever happens, the cutoff never moves back and stays in doubt, and what is destroyed by CLOCK_BOOTTIME alone is
    /// past by it. A clock that is trusted without anybody's word is within one step of it, per hour.
    #[test]
    fn no_history_moves_the_cutoff_back_or_in_doubt(history in proptest::collection::vec(happens(), 1..60)) {
        let mut machine = Machine::new();
        let mut remembered = machine.guard.to_remember().copied();
        let mut before = machine.horizon();
        for event in history {
            let changes = match event {
                Happens::Passes(by) => machine.pass(secs(by)),
                Happens::Freezes(by) => machine.freeze(secs(by)),
                Happens::Jumps(by) if by < 0 => machine.set(machine.reading.wall.minus(secs(by.unsigned_abs()))),
                Happens::Jumps(by) => machine.set(machine.reading.wall.plus(secs(by.unsigned_abs()))),
                Happens::Restarts => machine.restart_with(remembered),
                Happens::Synchronises => machine.guard.kernel_says(machine.reading, Synchronised::Yes).into_iter().collect(),
            };
            let horizon = machine.horizon();
            prop_assert!(horizon >= before, "{event:?}");
            match machine.guard.doubt() {
                Some(_) => {
                    prop_assert_eq!(horizon, before);
                    prop_assert_eq!(machine.guard.to_remember(), None);
                    let overdue = machine.guard.overdue_cutoff(&machine.reading, WINDOW).unwrap();
                    let trust = remembered.unwrap();
                    prop_assert_eq!(overdue.horizon(), trust.last.wall.plus(machine.reading.elapsed_since(&trust.last)).minus(OVERDUE).minus(WINDOW));
                }
                None => {
                    let spoken_for = changes.iter().any(|change| matches!(change, Change::Ended(_)));
                    let step = machine.reading.step_since(&remembered.unwrap().last).size();
                    prop_assert!(spoken_for || step <= RULES.max_step, "{event:?} moved it by {step:?}");
                    remembered = machine.guard.to_remember().copied();
                }
            }
            before = horizon;
        }
    }
}
