//! A wall clock that lies: nothing acknowledged, nothing disclosed, nothing destroyed that is not due, and every way out.
//!
//! The daemon is the real one, on clocks that are moved by hand; RADIUS comes over UDP, questions from the real `lapse`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::io::{Read as _, Write as _};
use std::ops::Deref;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use lapsed::api::{CLOCK, ClockState, ClockStatus, READYZ};
use lapsed::clock::ManualClock;
use lapsed::domain::clock_guard::{Reason, Synchronised};
use lapsed::domain::time::Timestamp;
use lapsed::wire::radius::accounting::StatusType;
use lapsed::wire::radius::client::RequestBuilder;

use support::by_hand::{ByHand, until};
use support::radius::{Nas, SECRET, request, signed};
use support::{Site, TWO_NAS, code, subpoena, talk_of, text};

/// 2027-01-15T08:00:00Z, at the edge of a bucket.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A daemon on clocks that are moved by hand, and everybody who talks to it.
struct Place {
    by_hand: ByHand,
    analyst: String,
    operator: String,
    approver: String,
}

impl Deref for Place {
    type Target = ByHand;

    fn deref(&self) -> &ByHand {
        &self.by_hand
    }
}

impl Place {
    fn new() -> Self {
        Self::with("")
    }

    /// With more tables in the configuration.
    fn with(tables: &str) -> Self {
        // A window of an hour; the carry-interval is five minutes.
        let site = Site::new(&format!("{}{tables}", TWO_NAS.replace("\"10s\"", "\"1s\"")));
        let [analyst, operator, approver] =
            ["analyst", "operator", "approver"].map(|role| site.token(&format!("the-{role}"), role));
        Self { by_hand: ByHand::start_on(site, NOW), analyst, operator, approver }
    }

    /// With one event of five minutes ago, acknowledged.
    fn with_alice() -> Self {
        let place = Self::new();
        place.north().ask(&alice());
        assert_eq!(place.ask_for_alice(), 0);
        place
    }

    /// Stops the daemon, lets something happen to the clocks, and starts it again.
    fn restart(&mut self, meanwhile: impl FnOnce(&ManualClock)) {
        self.by_hand.restart(meanwhile);
    }

    fn north(&self) -> Nas {
        self.nas("127.0.0.1")
    }

    fn south(&self) -> Nas {
        self.nas("127.0.0.2")
    }

    /// Asks who held alice's address when she held it; the exit code.
    fn ask_for_alice(&self) -> i32 {
        let at = NOW.minus(4 * MINUTE).to_string();
        let output = self.site.lapse(Some(&self.analyst), &subpoena("192.0.2.7", &at));
        let named = text(&output.stdout).contains("alice");
        assert_eq!(named, code(&output) == 0, "{output:?}");
        if code(&output) == 69 {
            assert!(output.stdout.is_empty() && talk_of(&output).contains("the clock is in doubt"), "{output:?}");
        }
        code(&output)
    }

    fn status(&self) -> ClockStatus {
        let output = self.site.lapse(Some(&self.operator), &["clock", "status", "-o", "json"]);
        assert_eq!(code(&output), 0, "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Accepts the clock; the exit code.
    fn accept(&self, token: &str) -> i32 {
        code(&self.site.lapse(Some(token), &["clock", "accept"]))
    }

    fn count(&self, name: &str) -> u64 {
        self.site.status(&self.operator).counters[name]
    }

    fn reports(&self) -> Vec<serde_json::Value> {
        let output = self.site.lapse(Some(&self.operator), &["purge", "report", "list", "-o", "json"]);
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        list["reports"].as_array().unwrap().clone()
    }

    fn trusted(&self) -> bool {
        self.status().state == ClockState::Trusted
    }

    /// Status of a `GET` without a token.
    fn get(&self, path: &str) -> String {
        let mut stream = UnixStream::connect(self.site.path("api.sock")).unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nhost: lapsed\r\nconnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    /// Nothing is acknowledged, disclosed or destroyed.
    fn refuses(&self, reason: Reason) {
        let nas = self.north();
        let dropped = self.count("clock-in-doubt");
        let destroyed = self.count("keys-destroyed");
        // A stamp of years ago speaks for no clock.
        nas.send(&signed(request(9, StatusType::Start, "0009", Timestamp::from_secs(86_400)).user_name("mallory")));
        nas.send(&RequestBuilder::status_server(10, [7; 16]).sign(SECRET.as_bytes()).unwrap());
        until("both are dropped", || self.count("clock-in-doubt") == dropped + 2);
        assert_eq!(nas.arrived(), Vec::<Vec<u8>>::new(), "{reason}");
        assert_eq!(self.ask_for_alice(), 69, "{reason}");
        assert_eq!(self.get(READYZ), "503", "{reason}");
        let status = self.status();
        assert_eq!((status.state, status.reason), (ClockState::InDoubt, Some(reason)));
        assert!(!self.site.status(&self.operator).accepting);
        for arguments in [["purge", "run"].as_slice(), &["purge", "window", "30m", "--confirm", "30m"]] {
            let output = self.site.lapse(Some(&self.operator), arguments);
            assert!(code(&output) == 69 && talk_of(&output).contains("the clock is in doubt"), "{reason}: {output:?}");
        }
        assert_eq!(self.count("keys-destroyed"), destroyed, "{reason}");
    }
}

fn alice() -> Vec<u8> {
    signed(
        request(1, StatusType::Start, "0001", NOW.minus(5 * MINUTE))
            .user_name("alice")
            .framed_ip([192, 0, 2, 7].into()),
    )
}

type Lie = fn(&ManualClock);

/// What a live clock can do, and why it is in doubt then.
const LIES: [(&str, Lie, Reason); 4] = [
    ("three days forward", |clock| clock.set(NOW.plus(Duration::from_secs(3 * 86_400))), Reason::JumpedForward),
    ("a day back", |clock| clock.set(NOW.minus(DAY)), Reason::WentBack),
    ("frozen", |clock| clock.freeze(6 * MINUTE), Reason::WentBack),
    ("1970", |clock| clock.set(Timestamp::from_secs(60)), Reason::BeforeThisProgram),
];

#[test]
fn a_live_jump_stops_everything_and_the_right_time_starts_it_again() {
    for (name, lie, reason) in LIES {
        let place = Place::with_alice();
        lie(&place.clock);
        place.refuses(reason);
        // What was acknowledged is still there when the clock is right again, and what was not is taken now.
        let passed = if name == "frozen" { 6 * MINUTE } else { Duration::ZERO };
        place.clock.set(NOW.plus(passed));
        assert_eq!(place.ask_for_alice(), 0, "{name}");
        place.north().ask(&signed(
            request(2, StatusType::InterimUpdate, "0001", NOW).user_name("alice").framed_ip([192, 0, 2, 7].into()),
        ));
        assert_eq!(place.get(READYZ), "200", "{name}");
        if passed.is_zero() {
            assert_eq!(place.count("keys-destroyed"), 0, "{name}");
        }
    }
}

#[test]
fn a_restart_in_the_same_boot_is_no_way_out() {
    for (name, lie, reason) in LIES {
        let mut place = Place::with_alice();
        // The daemon is down when it happens, and again while it lasts.
        place.restart(lie);
        place.refuses(reason);
        place.restart(|_| {});
        place.refuses(reason);
        place.restart(|clock| clock.set(NOW.plus(if name == "frozen" { 6 * MINUTE } else { Duration::ZERO })));
        assert_eq!(place.ask_for_alice(), 0, "{name}");
    }
}

#[test]
fn a_new_boot_behind_the_last_trusted_instant_is_in_doubt_and_a_long_power_off_is_not() {
    for (wall, reason) in
        [(NOW.minus(DAY), Reason::BehindLastTrusted), (Timestamp::from_secs(60), Reason::BeforeThisProgram)]
    {
        let mut place = Place::with_alice();
        place.restart(|clock| clock.reboot(wall));
        place.refuses(reason);
        // Set right by hand, which the kernel does not vouch for.
        place.clock.set(NOW.plus(MINUTE));
        assert_eq!(place.ask_for_alice(), 69);
        place.clock.advance(MINUTE);
        place.clock.say(Synchronised::Yes);
        assert_eq!(place.ask_for_alice(), 0);
    }
    let mut place = Place::with_alice();
    place.restart(|clock| clock.reboot(NOW.plus(3 * DAY)));
    assert_eq!(place.ask_for_alice(), 5);
    place.north().ask(&signed(
        request(2, StatusType::Start, "0002", NOW.plus(3 * DAY)).user_name("bob").framed_ip([192, 0, 2, 8].into()),
    ));
}

#[test]
fn a_paused_machine_catches_up_when_the_kernel_says_so_and_what_was_due_meanwhile_is_not_disclosed() {
    let place = Place::with_alice();
    // Two hours pass outside, and both clocks stand; then a time server puts the wall clock right.
    place.clock.set(NOW.plus(2 * HOUR));
    place.refuses(Reason::JumpedForward);
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(place.ask_for_alice(), 69);
    place.clock.say(Synchronised::Yes);
    assert_eq!(place.ask_for_alice(), 5);
    until("the keys that fell due are destroyed", || place.count("keys-destroyed") >= 60);
}

#[test]
fn the_sources_end_a_doubt_with_packets_that_nobody_acknowledged() {
    let place = Place::with_alice();
    let (later, made) = (NOW.plus(20 * MINUTE), place.count("keys-made"));
    place.clock.set(later);
    assert_eq!(place.ask_for_alice(), 69);
    place.clock.advance(Duration::from_secs(5));
    let update = |identifier, at| {
        signed(
            request(identifier, StatusType::InterimUpdate, "0003", at)
                .user_name("carol")
                .framed_ip([192, 0, 2, 9].into()),
        )
    };
    let (north, south) = (place.north(), place.south());
    // One source's clock is wrong: not all agree.
    south.send(&update(1, NOW.minus(DAY)));
    until("south is heard", || place.status().sources_heard == 1);
    north.send(&update(2, later));
    until("north is heard", || place.status().sources_heard == 2);
    let status = place.status();
    assert_eq!((status.state, status.sources_agreeing, status.offset), (ClockState::InDoubt, 1, Some(1200)));
    south.send(&update(3, later));
    until("both agree", || place.trusted());
    assert!(north.arrived().is_empty() && south.arrived().is_empty());
    // They have kept what they sent. It is taken once the keys are made of the buckets that the doubt passed over.
    until("keys are made", || place.count("keys-made") > made);
    north.ask(&update(2, later));
    south.ask(&update(3, later));
    assert_eq!(place.ask_for_alice(), 0);
}

#[test]
fn a_clock_that_is_behind_is_accepted_by_an_operator_and_discloses_nothing_that_was_hidden() {
    let place = Place::with_alice();
    place.clock.advance(58 * MINUTE);
    assert_eq!(place.ask_for_alice(), 5);
    let entries = place.site.status(&place.operator).access_entries;
    place.clock.set(NOW.minus(10 * MINUTE));
    assert_eq!(place.ask_for_alice(), 69);
    assert_eq!(place.accept(&place.approver), 2, "nobody asked an approver");
    assert_eq!(place.accept(&place.analyst), 4);
    assert_eq!(place.accept(&place.operator), 0);
    assert!(place.trusted());
    assert_eq!(place.site.status(&place.operator).access_entries, entries + 1);
    assert_eq!(place.ask_for_alice(), 5, "the cutoff does not move back");
    assert_eq!(place.accept(&place.operator), 2, "there is nothing left to accept");
    // By this clock it happened just now; a record of it would be destroyed at once, so it is not acknowledged.
    let nas = place.north();
    let start = |identifier, at| {
        signed(request(identifier, StatusType::Start, "0002", at).user_name("bob").framed_ip([192, 0, 2, 8].into()))
    };
    nas.send(&start(2, NOW.minus(10 * MINUTE)));
    until("it is refused", || place.count("refused") == 1);
    place.clock.advance(10 * MINUTE);
    nas.ask(&start(3, NOW.minus(MINUTE)));
}

#[test]
fn a_clock_that_is_far_ahead_is_accepted_by_two_in_either_order() {
    for first_is_operator in [true, false] {
        let mut place = Place::with_alice();
        place.clock.set(NOW.plus(30 * MINUTE));
        let status = place.status();
        assert_eq!(serde_json::to_value(&status.needs).unwrap(), serde_json::json!(["operator", "approver"]));
        let (first, second) =
            if first_is_operator { (&place.operator, &place.approver) } else { (&place.approver, &place.operator) };
        assert_eq!(place.accept(first), 0);
        assert_eq!(place.ask_for_alice(), 69);
        assert_eq!(place.accept(first), 2, "one person, once");
        assert_eq!(place.accept(second), 0);
        assert_eq!(place.ask_for_alice(), 0);
        // What was accepted is remembered.
        place.restart(|_| {});
        assert_eq!(place.ask_for_alice(), 0);
    }
}

#[test]
fn one_person_with_an_approvers_token_is_not_two() {
    let uid = nix::unistd::geteuid();
    let place = Place::with(&format!("[[principal]]\nname = \"the-operator\"\nuid = {uid}\nrole = \"operator\"\n"));
    place.clock.set(NOW.plus(30 * MINUTE));
    assert_eq!(code(&place.site.lapse(None, &["clock", "accept"])), 0);
    let refused = place.site.lapse(Some(&place.approver), &["clock", "accept"]);
    assert!(code(&refused) == 2 && talk_of(&refused).contains("another person must"), "{refused:?}");
    assert!(!place.trusted());
}

#[test]
fn doubt_held_up_for_ever_ends_in_destruction_by_the_time_since_the_machine_started() {
    let mut place = Place::with_alice();
    place.clock.set(NOW.minus(DAY));
    place.refuses(Reason::WentBack);
    place.restart(|_| {});
    // A window of 60 buckets and an hour on top: half an hour more, and half of the buckets are past.
    place.clock.freeze(HOUR);
    assert_eq!(place.count("keys-destroyed"), 0);
    place.clock.freeze(HOUR / 2);
    until("30 keys are destroyed", || place.count("keys-destroyed") == 30);
    assert_eq!(place.ask_for_alice(), 69);
    let status = place.status();
    assert_eq!((status.state, status.age), (ClockState::InDoubt, Some(5400)));
    place.clock.freeze(HOUR);
    until("all are destroyed", || place.count("keys-destroyed") == 65);
}

#[test]
fn the_report_after_a_long_doubt_has_all_of_it_across_a_restart_and_calls_a_breach_a_failure() {
    let mut place = Place::with_alice();
    place.clock.set(NOW.minus(DAY));
    place.refuses(Reason::WentBack);
    place.clock.advance(HOUR + MINUTE);
    assert_eq!(place.status().age, Some(3660));
    until("the oldest key is destroyed", || place.count("keys-destroyed") == 1);
    // What happened until here is kept by a daemon that stops in doubt. The next one begins to count anew.
    place.restart(|_| {});
    place.clock.advance(7 * HOUR);
    assert_eq!(place.status().age, Some(7 * 3600));
    until("all others are destroyed", || place.count("keys-destroyed") == 64);
    let reports = place.reports();
    assert_eq!(reports.last().unwrap()["kind"], "start", "in doubt there is none: {reports:?}");

    place.clock.set(NOW.plus(8 * HOUR + MINUTE));
    until("it is reported", || place.reports().len() > reports.len());
    let output = place.site.lapse(Some(&place.operator), &["purge", "report", "show", "last", "-o", "text"]);
    let report = text(&output.stdout);
    let exceptions: Vec<_> = report.lines().filter_map(|line| line.strip_prefix("exception clock-doubt-")).collect();
    let events: Vec<_> = exceptions
        .iter()
        .map(|line| line.split(' ').filter(|word| !word.contains('T')).collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "begun went-back 86400000",
        "lasted 3600000",
        "begun went-back 86400000",
        "lasted 3600000",
        "lasted 21600001",
        "ended agreed",
    ];
    assert_eq!(events, expected, "{report}");
    assert!(report.contains("\nkind exception\n") && report.ends_with("\nresult failed\n"), "{report}");
    // Destroyed in doubt, by the time since the machine started: when, and read back.
    let destroyed: Vec<_> = report.lines().filter_map(|line| line.strip_prefix("key-destroyed ")).collect();
    assert_eq!(destroyed.len(), 65, "{report}");
    assert!(destroyed.iter().all(|line| !line.contains("unread")), "{report}");
    // Also those whose slots serve later buckets by now: whoever adds up all reports comes to the keys that are live.
    let sum = |name: &str| place.reports().iter().map(|report| report[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("keys-opened") - sum("keys-destroyed"), 65);
    assert!(report.contains("\nkeys live 65 "), "{report}");
}

#[test]
fn a_daemon_that_starts_in_doubt_makes_its_keys_when_the_doubt_ends() {
    let mut place = Place::with_alice();
    place.restart(|clock| {
        clock.advance(3 * HOUR);
        clock.set(Timestamp::from_secs(60));
    });
    assert_eq!(place.count("keys-made"), 0);
    // All that BOOTTIME alone proves past is destroyed at once, and no more.
    until("overdue keys are destroyed", || place.count("keys-destroyed") == 65);
    let now = NOW.plus(3 * HOUR);
    place.clock.set(now);
    until("keys are made", || place.count("keys-made") > 0);
    place
        .north()
        .ask(&signed(request(2, StatusType::Start, "0002", now).user_name("bob").framed_ip([192, 0, 2, 8].into())));
}

#[test]
fn who_may_look_at_the_clock() {
    let place = Place::new();
    let auditor = place.site.token("the-auditor", "auditor");
    for (token, exit) in [(&place.operator, 0), (&place.approver, 0), (&auditor, 0), (&place.analyst, 4)] {
        assert_eq!(code(&place.site.lapse(Some(token), &["clock", "status"])), exit);
    }
    assert_eq!(place.get(CLOCK), "401");
    let shown = place.site.lapse(Some(&auditor), &["clock", "status"]);
    assert!(text(&shown.stdout).starts_with("TRUSTED"), "{shown:?}");
    assert_eq!(code(&place.site.lapse(Some(&auditor), &["clock", "accept"])), 2, "nothing is in doubt");
}
