//! What the tests of the running daemon share: a directory with a configuration, the daemon on it, and ways to talk to
//! it. Nothing here sleeps: readiness and endings are lines of the daemon's talk.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

pub(crate) mod api;
pub(crate) mod by_hand;
pub(crate) mod old_store;
pub(crate) mod radius;
pub(crate) mod sample;
pub(crate) mod small_disk;
pub(crate) mod snapshot;
pub(crate) mod stream;
pub(crate) mod traces;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use lapsed::api::{LookupAnswer, StatusAnswer};
use lapsed::clock::{Clock as _, SystemClock};
use lapsed::config::Config;
use lapsed::domain::identity::{Entity, SubscriberId};
use lapsed::domain::record::Record;
use lapsed::domain::retention::Retention;
use lapsed::domain::time::Timestamp;
use lapsed::store::{Log, Opening, Store};

use radius::SECRET;
use small_disk::SmallDisk;

/// How long anything may take before the test is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A window of an hour, and two NAS that are told apart by their addresses.
pub(crate) const TWO_NAS: &str = r#"
[retention]
window = "1h"
bucket = "1m"
purge-interval = "10s"
[[radius.client]]
network = "127.0.0.1"
name = "bng-north"
secret-file = "nas.secret"
[[radius.client]]
network = "127.0.0.2"
name = "bng-south"
secret-file = "nas.secret"
"#;

/// A whole second, this long before the present.
pub(crate) fn ago(secs: u64) -> Timestamp {
    let now = SystemClock.now().millis();
    Timestamp::from_millis(now - now % 1000).minus(Duration::from_secs(secs))
}

/// A directory with a configuration. The daemon on it may come and go.
pub(crate) struct Site {
    dir: tempfile::TempDir,
    disk: Option<SmallDisk>,
}

impl Site {
    /// A configuration with these tables. Its state is in `state`, its socket is `api.sock`, its RADIUS port any.
    pub(crate) fn new(tables: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let site = Self { dir, disk: None };
        site.write("nas.secret", SECRET);
        let general =
            "version = 1\nstate-dir = \"state\"\n[store]\nballast = \"1MiB\"\n[listen]\napi-socket = \"api.sock\"\n";
        // Tests ask faster than people.
        let rate = if tables.contains("[api]") { "" } else { "[api]\nrequests-per-second = 1000000\n" };
        site.write("lapsed.toml", &format!("{general}{rate}[[radius.listen]]\naddress = \"127.0.0.1:0\"\n{tables}"));
        site
    }

    /// The same, with its state on a file system of so many MiB and with a ballast of so many. Nothing may run there yet.
    /// An error says why this machine cannot have one.
    pub(crate) fn on_small_disk(tables: &str, size: u64, ballast: u64) -> Result<Self, String> {
        let mut site = Self::new(tables);
        let config = fs::read_to_string(site.path("lapsed.toml")).unwrap();
        site.write("lapsed.toml", &config.replace("\"1MiB\"", &format!("\"{ballast}MiB\"")));
        fs::create_dir(site.path("state")).unwrap();
        site.disk = Some(SmallDisk::mount(&site.path("state"), size)?);
        Ok(site)
    }

    /// The small disk.
    pub(crate) fn disk(&self) -> &SmallDisk {
        self.disk.as_ref().unwrap()
    }

    /// The daemon's command line, where it sees the small disk if there is one.
    pub(crate) fn lapsed(&self, arguments: &[&str]) -> Command {
        self.disk.as_ref().map_or_else(|| lapsed(arguments), |disk| disk.inside(&lapsed(arguments)))
    }

    /// A path in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that others may not read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(self.path(name));
        std::io::Write::write_all(&mut file.unwrap(), text.as_bytes()).unwrap();
    }

    /// Starts the daemon and waits until it serves.
    pub(crate) fn start(&self) -> Daemon {
        self.start_with("lapsed.toml", None)
    }

    /// Starts the daemon on another configuration of this directory, or with another verbosity.
    pub(crate) fn start_with(&self, config: &str, verbosity: Option<&str>) -> Daemon {
        Self::ready(self.spawn(config, verbosity))
    }

    /// Starts the daemon with these arguments before its configuration.
    pub(crate) fn start_as(&self, arguments: &[&str]) -> Daemon {
        Self::ready(Self::spawned(self.command(arguments)))
    }

    /// The daemon's command line with these arguments before its configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.lapsed(arguments);
        command.arg("--config").arg(self.path("lapsed.toml"));
        command
    }

    /// Waits until a daemon serves.
    pub(crate) fn ready(mut daemon: Daemon) -> Daemon {
        let ended = daemon.until("ready socket=").is_none();
        assert!(!ended, "the daemon did not start:\n{}", daemon.talk);
        let address = daemon.talk.split("listening for RADIUS accounting address=").nth(1);
        daemon.radius = address.unwrap().split_whitespace().next().unwrap().parse().unwrap();
        daemon
    }

    /// Starts the daemon and waits for nothing.
    pub(crate) fn spawn(&self, config: &str, verbosity: Option<&str>) -> Daemon {
        let mut command = self.lapsed(&["run", "--config"]);
        command.arg(self.path(config));
        if let Some(verbosity) = verbosity {
            command.env("RUST_LOG", verbosity);
        }
        Self::spawned(command)
    }

    /// Starts a daemon by its command line, and waits for nothing.
    pub(crate) fn spawned(mut command: Command) -> Daemon {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (line, lines) = mpsc::channel();
        thread::spawn(move || stderr.split(b'\n').map_while(Result::ok).try_for_each(|bytes| line.send(bytes)));
        Daemon { child, lines, talk: String::new(), radius: SocketAddr::from(([0, 0, 0, 0], 0)) }
    }

    /// Mints a bearer token that lasts, whatever a test does to the clock.
    pub(crate) fn token(&self, name: &str, role: &str) -> String {
        let config = self.path("lapsed.toml");
        let minting = ["token", "mint", "--name", name, "--role", role, "--expires", "3650d", "--config"];
        let output = self.lapsed(&minting).arg(config).output().unwrap();
        assert!(output.status.success(), "{}", talk_of(&output));
        text(&output.stdout).trim().to_owned()
    }

    /// Runs `lapse`, with a token or without.
    pub(crate) fn lapse(&self, token: Option<&str>, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
        command.args(arguments).env_remove("LAPSE_TOKEN").env("LAPSE_SOCKET", self.path("api.sock"));
        if let Some(token) = token {
            command.env("LAPSE_TOKEN", token);
        }
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs `lapse lookup` under a subpoena, and returns its exit code with its answer.
    pub(crate) fn lookup(&self, token: &str, address: &str, at: Timestamp) -> (i32, LookupAnswer) {
        let at = at.to_string();
        let output = self.lapse(Some(token), &subpoena(address, &at));
        let answer = serde_json::from_slice(&output.stdout);
        (code(&output), answer.unwrap_or_else(|error| unreachable!("{error}: {}", talk_of(&output))))
    }

    /// What the store has of a subscriber, as it lies there, for facts that no answer releases. The daemon must have ended.
    pub(crate) fn records_of(&self, subscriber: &str) -> Vec<Record> {
        let (store, retention, now) = self.store();
        let mut observations = store.observations(retention.cutoff(now));
        let (entity, name) = (Entity::default(), SubscriberId(subscriber.to_owned()));
        observations.of_subscriber(&entity, &name, now.minus(retention.window), now).unwrap()
    }

    /// The entries of the access ledger, in their order. The daemon must have ended.
    pub(crate) fn access_entries(&self) -> Vec<String> {
        let entries = self.store().0.entries(Log::Access, 0, 100_000).unwrap();
        entries.into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect()
    }

    fn store(&self) -> (Store, Retention, Timestamp) {
        let config = Config::read(&self.path("lapsed.toml")).unwrap();
        let now = SystemClock.now();
        let opening = Opening::at(now, &config.retention);
        let store = Store::open(&config.state_dir, &config.keyring_dir, &config.retention, opening).unwrap();
        (store, config.retention, now)
    }

    /// Runs `lapse status`.
    pub(crate) fn status(&self, token: &str) -> StatusAnswer {
        let output = self.lapse(Some(token), &["status", "-o", "json"]);
        assert!(output.status.success(), "{}", talk_of(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The arguments of a lookup under a subpoena.
pub(crate) fn subpoena<'a>(address: &'a str, at: &'a str) -> Vec<&'a str> {
    let papers = ["--process", "subpoena", "--case", "24-CR-1022", "--authority", "Example District Court"];
    [["lookup", address, "--at", at].as_slice(), &papers, &["-o", "json"]].concat()
}

/// A daemon's process. It is killed, if it still runs, when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    lines: Receiver<Vec<u8>>,
    /// What it has said so far.
    pub(crate) talk: String,
    /// Where it listens for RADIUS accounting.
    pub(crate) radius: SocketAddr,
}

impl Daemon {
    /// Waits for a line with this in it; `None` if the daemon ends before it says so.
    pub(crate) fn until(&mut self, mark: &str) -> Option<()> {
        let begun = SystemClock.now();
        loop {
            // It may say other things all the time.
            let left = (PATIENCE * 3).saturating_sub(SystemClock.now().since(begun));
            match self.lines.recv_timeout(left.min(PATIENCE)) {
                Ok(line) => {
                    let line = String::from_utf8_lossy(&line);
                    self.talk.push_str(&line);
                    self.talk.push('\n');
                    if line.contains(mark) {
                        return Some(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => unreachable!("no `{mark}` in:\n{}", self.talk),
            }
        }
    }

    /// Asks it to end, and waits. Returns how it ended and all it said.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.ending()
    }

    /// Waits until it ends by itself. Returns how it ended and all it said.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        self.ending()
    }

    /// The most memory it ever had, in KiB (VmHWM, proc(5)).
    pub(crate) fn most_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Stops every thread of it where it is, and waits until each has: a signal is sent in no time and taken in some.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
        let tasks = format!("/proc/{}/task", self.child.id());
        // The state is the first word after the name, which is in brackets: proc(5). One that has ended stands, too.
        let stands = |stat: String| stat.contains(") T ") || stat.contains(") Z ");
        let has_stopped = |task: &Path| fs::read_to_string(task.join("stat")).is_ok_and(stands);
        let begun = SystemClock.now();
        while !fs::read_dir(&tasks).unwrap().all(|task| has_stopped(&task.unwrap().path())) {
            assert!(SystemClock.now().since(begun) < PATIENCE, "it does not stop within {PATIENCE:?}");
            thread::yield_now();
        }
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Does it still run?
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it at once, as a power cut would as far as the process can tell.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn ending(&mut self) -> (ExitStatus, String) {
        // No line has this in it: so this reads to the end.
        assert!(self.until("\n").is_none());
        (self.child.wait().unwrap(), std::mem::take(&mut self.talk))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let ended = self.child.try_wait();
        // Both fail only if it has been waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.say_more(&ended);
        }
    }
}

impl Daemon {
    /// What a test that fails would like to know: did the daemon end before, and what did it say?
    #[expect(clippy::print_stderr, reason = "it is shown with the test that failed")]
    fn say_more(&self, ended: &std::io::Result<Option<ExitStatus>>) {
        eprintln!("the daemon had ended: {ended:?}; it said:\n{}", self.talk);
        while let Ok(line) = self.lines.try_recv() {
            eprintln!("{}", String::from_utf8_lossy(&line));
        }
    }
}

/// The daemon's command line, free of what the surroundings may have set.
pub(crate) fn lapsed(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapsed"));
    command.args(arguments).env_remove("RUST_LOG").env_remove("NO_COLOR");
    command
}

/// The exit code; that of a signal is none.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// What a command said on stderr.
pub(crate) fn talk_of(output: &Output) -> &str {
    text(&output.stderr)
}

/// Text that must be UTF-8.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Every file below a directory that is still there when it is looked at.
pub(crate) fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
