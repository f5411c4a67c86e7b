//! Who was heard when, with the real daemon on clocks that are moved by hand: nobody is said to have held an address unless
//! everybody who would know was heard; and operators see who was not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lapsed::api::{GapText, LookupAnswer, SourceStatus};
use lapsed::clock::ManualClock;
use lapsed::config::Config;
use lapsed::daemon::{Daemon, Flags};
use lapsed::domain::time::Timestamp;
use lapsed::domain::verdict::{Caution, Verdict};
use lapsed::wire::radius::accounting::StatusType;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use support::radius::{Nas, request, signed};
use support::{Site, TWO_NAS, code, text};

/// 2027-01-15T08:00:00Z, at the edge of a bucket.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const STEP: Duration = Duration::from_secs(30);
const MINUTE: Duration = Duration::from_secs(60);

/// A daemon on clocks that are moved by hand; north reports its open sessions, and alone knows 192.0.2.0/24.
struct Place {
    site: Site,
    clock: Arc<ManualClock>,
    runtime: Runtime,
    running: Option<(SocketAddr, oneshot::Sender<()>, JoinHandle<()>)>,
    now: Timestamp,
    /// When the daemon was started last.
    started: Timestamp,
    sent: u8,
    analyst: String,
    operator: String,
}

impl Place {
    /// Buckets of a minute, a window of an hour, a carry-interval of five minutes.
    fn new() -> Self {
        let tables = TWO_NAS.replace("name = \"bng-north\"", "name = \"bng-north\"\ninterims = true");
        let networks = "[[network]]\nprefix = \"192.0.2.0/24\"\nentity = \"North Example Ltd\"\n\
             sources = [\"bng-north\"]\n[[network]]\nprefix = \"198.51.100.0/24\"\n";
        let site = Site::new(&format!("{}{networks}", tables.replace("\"10s\"", "\"1s\"")));
        let [analyst, operator] = ["analyst", "operator"].map(|role| site.token(&format!("the-{role}"), role));
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let mut place =
            Self { site, clock, runtime, running: None, now: NOW, started: NOW, sent: 0, analyst, operator };
        place.start();
        place
    }

    fn start(&mut self) {
        let config = Config::read(&self.site.path("lapsed.toml")).unwrap();
        let daemon = self.runtime.block_on(Daemon::start(config, self.clock.clone(), Flags::default())).unwrap();
        let radius = daemon.radius_addresses()[0];
        let (stop, stopped) = oneshot::channel();
        let ended = self.runtime.spawn(async move {
            daemon.serve(async { stopped.await.unwrap() }).await.unwrap();
        });
        self.started = self.now;
        self.running = Some((radius, stop, ended));
    }

    fn stop(&mut self) {
        let (_, stop, ended) = self.running.take().unwrap();
        stop.send(()).unwrap();
        self.runtime.block_on(ended).unwrap();
    }

    /// Time passes. A running daemon has made the keys for it when this returns, as it would long before.
    fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
        let minutes = |now: Timestamp| now.millis() / 60_000;
        let edge = minutes(self.now) < minutes(self.now.plus(time));
        self.now = self.now.plus(time);
        let needed = minutes(self.now) - minutes(self.started);
        let made = || self.site.status(&self.operator).counters["keys-made"];
        let ready = !edge || self.running.is_none() || (0..5_000).any(|_| made() >= needed);
        assert!(ready, "never: {needed} keys are made");
    }

    /// North reports a session of its own at this instant, and is acknowledged.
    fn report(&mut self, at: Timestamp) {
        self.sent = self.sent.wrapping_add(1);
        let update = request(self.sent, StatusType::InterimUpdate, "65000000-1", at).user_name("alice");
        let nas = Nas::at("127.0.0.1", self.running.as_ref().unwrap().0);
        nas.ask(&signed(update.framed_ip([192, 0, 2, 7].into())));
    }

    /// So many minutes pass, in which north reports at once, twice a minute.
    fn report_for(&mut self, minutes: u32) {
        for _ in 0..2 * minutes {
            self.pass(STEP);
            self.report(self.now);
        }
    }

    fn ask(&self, address: &str, ago: Duration) -> LookupAnswer {
        self.site.lookup(&self.analyst, address, self.now.minus(ago)).1
    }

    /// Who held an address that is nobody's.
    fn nobody(&self, ago: Duration) -> Verdict {
        self.ask("192.0.2.8", ago).verdict
    }

    fn sources(&self) -> Vec<SourceStatus> {
        let output = self.site.lapse(Some(&self.operator), &["status", "--sources", "-o", "json"]);
        assert_eq!(code(&output), 0, "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn gaps(&self) -> Vec<GapText> {
        self.sources().remove(0).gaps
    }
}

fn gap(from: Timestamp, until: Timestamp, why: &[&str]) -> GapText {
    let why = why.iter().map(|why| (*why).to_owned()).collect();
    GapText { from: from.to_string(), until: until.to_string(), why }
}

#[test]
fn nobody_held_it_once_its_source_was_heard_for_a_carry_interval_and_silence_takes_that_back() {
    let mut place = Place::new();
    place.report(NOW);
    assert_eq!(place.nobody(Duration::ZERO), Verdict::NoCoverage);
    place.report_for(7);
    let answer = place.ask("192.0.2.8", MINUTE);
    assert_eq!((answer.verdict, answer.sources), (Verdict::Unassigned, vec!["bng-north".to_owned()]));
    assert_eq!(answer.entity.as_deref(), Some("North Example Ltd"));
    assert_eq!(answer.cautions, [Caution::StatuteMissing]);
    assert_eq!(place.nobody(6 * MINUTE), Verdict::NoCoverage, "it was not heard for five minutes by then");
    assert_eq!(place.ask("192.0.2.7", MINUTE).verdict, Verdict::Attributed);
    // South says nothing, and promises nothing.
    let other = place.ask("198.51.100.8", MINUTE);
    assert_eq!((other.verdict, other.entity), (Verdict::NoCoverage, None));
    assert_eq!(place.gaps(), []);

    // North goes silent; south does not, so that the daemon knows that it was there.
    let before = place.now;
    for _ in 0..6 {
        place.pass(STEP);
        let south = Nas::at("127.0.0.2", place.running.as_ref().unwrap().0);
        let update = request(1, StatusType::InterimUpdate, "65000000-2", place.now).user_name("bob");
        south.ask(&signed(update.framed_ip([198, 51, 100, 7].into())));
    }
    assert_eq!(place.nobody(Duration::ZERO), Verdict::NoCoverage);
    place.report_for(3);
    let at = |at: Timestamp| place.nobody(place.now.since(at));
    assert_eq!(at(before.minus(MINUTE)), Verdict::Unassigned);
    assert_eq!(at(before.plus(MINUTE)), Verdict::NoCoverage);
    assert_eq!(at(place.now.minus(MINUTE)), Verdict::NoCoverage);
    assert_eq!(place.gaps(), [], "a silence is none of ours");
    place.stop();
}

#[test]
fn a_daemon_that_was_away_does_not_know_until_the_backlog_is_drained_and_a_carry_interval_has_passed() {
    let mut place = Place::new();
    place.report(NOW);
    place.report_for(7);
    let stopped = place.now;
    assert_eq!(place.nobody(MINUTE), Verdict::Unassigned);
    place.stop();
    place.pass(3 * MINUTE);
    place.start();
    let started = place.now;
    assert_eq!(place.gaps(), [gap(stopped, started.plus(MINUTE), &["away"])]);
    // What was known before is known still.
    assert_eq!(place.nobody(5 * MINUTE), Verdict::Unassigned);

    // What north kept comes two minutes late, and then no more: until then everything is in doubt.
    for late in [180, 150, 120] {
        place.pass(STEP);
        place.report(place.now.minus(Duration::from_secs(late)));
    }
    let drained = place.now;
    place.report_for(1);
    let bucket = |at: Timestamp| Timestamp::from_millis(at.millis() - at.millis() % 60_000);
    let backlog: Vec<_> = place.gaps().into_iter().filter(|gap| gap.why.contains(&"backlog".to_owned())).collect();
    assert_eq!(backlog.last().unwrap().until, bucket(drained).plus(MINUTE).to_string());
    let answer = place.ask("192.0.2.8", MINUTE);
    assert_eq!(answer.verdict, Verdict::NoCoverage);
    assert!(answer.cautions.contains(&Caution::Gap), "{:?}", answer.cautions);

    // A carry-interval after the gap has ended, everything that is open has been said again.
    place.report_for(4);
    assert_eq!(place.nobody(STEP), Verdict::NoCoverage);
    place.report_for(3);
    assert_eq!(place.nobody(STEP), Verdict::Unassigned);

    // And all of this outlives another end, which is a gap of its own.
    let before = place.gaps();
    // Not in the bucket of the end, which is in doubt as a whole.
    let asked = place.now.minus(3 * STEP);
    place.stop();
    place.pass(STEP);
    place.start();
    assert_eq!(place.nobody(place.now.since(asked)), Verdict::Unassigned);
    let after = place.gaps();
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.len(), before.len() + 1);
    assert_eq!(after.last().unwrap().why, ["away"]);
    place.stop();
}

#[test]
fn a_machine_that_slept_was_away_and_marks_go_with_the_window() {
    let mut place = Place::new();
    place.report(NOW);
    place.report_for(2);
    let asleep = place.now;
    place.pass(10 * MINUTE);
    place.report(place.now);
    assert_eq!(place.gaps(), [gap(asleep, place.now.plus(MINUTE), &["away"])]);
    // Longer than the window later, nothing of it is known any more, and nothing on disk tells.
    place.stop();
    place.pass(70 * MINUTE);
    place.start();
    let gaps = place.gaps();
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].from >= place.now.minus(60 * MINUTE).to_string(), "{gaps:?}");
    place.stop();
    let config = Config::read(&place.site.path("lapsed.toml")).unwrap();
    let opening = lapsed::store::Opening::at(place.now, &config.retention);
    let store = lapsed::store::Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening).unwrap();
    let first = store.bucket_of(place.now.minus(60 * MINUTE));
    assert!(store.marks().unwrap().iter().all(|(bucket, _, _)| *bucket >= first));
}

#[test]
fn operators_see_every_source_and_no_subscriber() {
    let mut place = Place::new();
    place.report(NOW.plus(Duration::from_secs(20)));
    place.report(NOW.plus(Duration::from_secs(20)));
    // A statement that names no address is of no use, and counted for its source.
    let nas = Nas::at("127.0.0.1", place.running.as_ref().unwrap().0);
    nas.ask(&signed(request(200, StatusType::InterimUpdate, "65000000-3", NOW).user_name("carol")));
    let [north, south] = place.sources().try_into().unwrap();
    assert_eq!((north.name.as_str(), north.interims, north.max_silence), ("bng-north", true, Some(1800)));
    assert_eq!((north.heard.as_deref(), north.heard_ago), (Some("2027-01-15T08:00:00.000Z"), Some(0)));
    assert_eq!((north.clock_ahead, north.events, north.lost), (Some(20_000), 3, 0));
    assert_eq!(north.quarantined.into_iter().collect::<Vec<_>>(), [("no-address".to_owned(), 1)]);
    assert_eq!((south.name.as_str(), south.heard, south.events, south.clock_ahead), ("bng-south", None, 0, None));

    let sheet = place.site.lapse(Some(&place.operator), &["status", "--sources"]);
    let sheet = text(&sheet.stdout);
    for expected in [
        "bng-north\n  newest event  2027-01-15T08:00:00.000Z (0 s ago)\n",
        "  clock         20.000 s ahead\n",
        "  quarantine    no-address 1\n",
        "  gaps          none known in the window\n",
        "bng-south\n  newest event  never\n",
    ] {
        assert!(sheet.contains(expected), "{expected:?} in\n{sheet}");
    }
    for name in ["alice", "carol", "192.0.2."] {
        assert!(!sheet.contains(name));
    }
    place.stop();
}
