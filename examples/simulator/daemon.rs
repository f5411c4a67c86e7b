//! The daemon under show: `bin/lapsed` as a child, on a temporary directory that goes with it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

/// Where `make build` puts the two binaries.
const BIN: &str = "bin";
/// The shared secret of every NAS here.
pub(crate) const SECRET: &[u8] = b"a made-up shared secret";

const PAUSE: Duration = Duration::from_millis(25);
/// How often readiness is asked for at most: half a minute.
const PATIENCE: u32 = 1200;

/// A running daemon. It is ended, and its directory removed, when this is dropped.
pub(crate) struct Daemon {
    child: Child,
    directory: tempfile::TempDir,
    /// Where it listens for RADIUS accounting.
    pub(crate) radius: SocketAddr,
}

impl Daemon {
    /// Starts it with the tables of `settings` (retention, clients, networks) and waits until it serves.
    ///
    /// A client's `secret-file` is `nas.secret`.
    pub(crate) fn start(settings: &str) -> anyhow::Result<Self> {
        let lapsed = binary("lapsed")?;
        let directory = tempfile::Builder::new().prefix("lapsed-").tempdir().context("make a temporary directory")?;
        let radius = free_port()?;
        let config = format!(
            "version = 1\nstate-dir = \"state\"\n{settings}\n[store]\nballast = \"1MiB\"\n[listen]\napi-socket = \"api.sock\"\n\
             [api]\nrequests-per-second = 1000000\n\
             [[radius.listen]]\naddress = \"{radius}\"\n"
        );
        write_private(&directory.path().join("nas.secret"), SECRET)?;
        write_private(&directory.path().join("lapsed.toml"), config.as_bytes())?;
        let log = File::create(directory.path().join("lapsed.log")).context("create the daemon's log")?;
        let child = Command::new(lapsed)
            .args(["run", "--config"])
            .arg(directory.path().join("lapsed.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("start lapsed")?;
        let mut daemon = Self { child, directory, radius };
        for _ in 0..PATIENCE {
            daemon.check()?;
            if UnixStream::connect(daemon.socket()).is_ok() {
                return Ok(daemon);
            }
            sleep(PAUSE);
        }
        bail!("lapsed does not serve its API after half a minute; it says:\n{}", daemon.log())
    }

    /// Fails, with what it said last, if it has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait().context("watch lapsed")? {
            Some(status) => bail!("lapsed ended with {status}; it said:\n{}", self.log()),
            None => Ok(()),
        }
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Mints a bearer token.
    pub(crate) fn token(&self, name: &str, role: &str) -> anyhow::Result<String> {
        let output = Command::new(binary("lapsed")?)
            .args(["token", "mint", "--config"])
            .arg(self.directory().join("lapsed.toml"))
            .args(["--name", name, "--role", role])
            .output()
            .context("run lapsed token")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "lapsed token ended with {}: {said}", output.status);
        let printed = String::from_utf8(output.stdout).context("read the token")?;
        printed.split_whitespace().last().map(str::to_owned).context("lapsed token printed nothing")
    }

    /// Runs `lapse` against it.
    pub(crate) fn lapse(&self, token: &str, arguments: &[String]) -> anyhow::Result<Output> {
        Command::new(binary("lapse")?)
            .args(arguments)
            .env("LAPSE_SOCKET", self.socket())
            .env("LAPSE_TOKEN", token)
            .stdin(Stdio::null())
            .output()
            .context("run lapse")
    }

    /// Its state directory.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.directory().join("state")
    }

    /// Looks through its state directory from outside, as it is now.
    pub(crate) fn verify_store(&self) -> anyhow::Result<Output> {
        let mut command = Command::new(binary("lapsed")?);
        let command = command.arg("verify-store").arg(self.state_dir()).stdin(Stdio::null());
        command.output().context("run lapsed verify-store")
    }

    /// Where it serves its API.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory().join("api.sock")
    }

    /// The last lines of its log.
    fn log(&self) -> String {
        let log = fs::read_to_string(self.directory().join("lapsed.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
    }
}

/// It keeps its promises through kill -9, and what it kept here is removed with the directory.
impl Drop for Daemon {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new(BIN).join(name);
    ensure!(path.exists(), "{} is not there: type `make build` at the top of the repository first", path.display());
    Ok(path)
}

/// A UDP port that nobody has. Somebody could take it before the daemon does; then the daemon says so.
fn free_port() -> anyhow::Result<SocketAddr> {
    let socket = UdpSocket::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).context("find a free UDP port")?;
    socket.local_addr().context("ask for a port's number")
}

fn write_private(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(contents).with_context(|| format!("write {}", path.display()))
}
