//! Debian's FreeRADIUS on the configuration that we ship, in a directory of the test and on loopback; and NAS of `radclient`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper that fails fails its test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::support::PATIENCE;
use crate::support::radius::SECRET;

/// The parts of the shipped configuration.
const SHIPPED: [&str; 4] =
    ["proxy.conf", "mods-enabled/lapsed", "mods-config/attr_filter/lapsed", "sites-enabled/lapsed"];

/// A FreeRADIUS. It is killed when this is dropped.
pub(crate) struct FreeRadius {
    child: Child,
    lines: Receiver<String>,
    dir: PathBuf,
    /// Where it listens to NAS.
    pub(crate) address: SocketAddr,
}

impl FreeRadius {
    /// Starts it with all that is its own in a new directory, in front of a daemon. Returns when it listens.
    pub(crate) fn start(dir: &Path, lapsed: SocketAddr) -> Self {
        let address = free_address();
        configure(dir, lapsed, address);
        let mut child = Command::new("/usr/sbin/freeradius")
            .args(["-f", "-l", "stdout", "-d"])
            .arg(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("freeradius, of Debian's freeradius");
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (line, lines) = mpsc::channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        let radius = Self { child, lines, dir: dir.to_owned(), address };
        let mut talk = String::new();
        while !talk.contains("Ready to process requests") {
            let said = radius.lines.recv_timeout(PATIENCE);
            talk.push_str(&said.unwrap_or_else(|error| unreachable!("{error}: FreeRADIUS said:\n{talk}")));
            talk.push('\n');
        }
        radius
    }

    /// Waits until it says something, at most a moment: to look again at what it does in between.
    pub(crate) fn listen(&self) {
        let said = self.lines.recv_timeout(Duration::from_millis(100));
        assert_ne!(said, Err(RecvTimeoutError::Disconnected), "FreeRADIUS has ended");
    }

    /// The text of all files in its spool.
    pub(crate) fn spool(&self) -> String {
        let entries = fs::read_dir(self.dir.join("radacct/lapsed")).into_iter().flatten().flatten();
        // One that the reader has just finished is not there any more.
        let texts = entries.filter_map(|entry| fs::read(entry.path()).ok());
        texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
    }

    /// Is nothing left in its spool?
    pub(crate) fn spool_is_empty(&self) -> bool {
        fs::read_dir(self.dir.join("radacct/lapsed")).map_or(true, |mut entries| entries.next().is_none())
    }
}

impl Drop for FreeRadius {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address with a port that nobody has at the moment.
fn free_address() -> SocketAddr {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// Writes what Debian's package would have around our files, and our files with the test's ports and secret.
fn configure(dir: &Path, lapsed: SocketAddr, address: SocketAddr) {
    let filled = [
        ("port = 18130\n", format!("port = {}\n", lapsed.port())),
        ("secret = change-me\n", format!("secret = \"{SECRET}\"\n")),
        ("ipaddr = *\n", format!("ipaddr = {}\n", address.ip())),
        ("port = 1813\n", format!("port = {}\n", address.port())),
    ];
    let mut replaced = 0;
    for name in SHIPPED {
        let mut text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/freeradius").join(name)).unwrap();
        for (from, to) in &filled {
            replaced += text.matches(from).count();
            text = text.replace(from, to);
        }
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    assert_eq!(replaced, filled.len(), "each of these stands once in what is shipped");
    fs::create_dir(dir.join("radacct")).unwrap();
    for name in ["hints", "huntgroups"] {
        fs::write(dir.join(name), "").unwrap();
    }
    fs::write(dir.join("radiusd.conf"), surroundings(dir)).unwrap();
}

fn surroundings(dir: &Path) -> String {
    format!(
        r#"
name = radiusd
prefix = /usr
confdir = "{dir}"
modconfdir = ${{confdir}}/mods-config
radacctdir = ${{confdir}}/radacct
run_dir = ${{confdir}}
libdir = /usr/lib/freeradius
pidfile = ${{run_dir}}/radiusd.pid
proxy_requests = yes
$INCLUDE proxy.conf
client nas {{
	ipaddr = 127.0.0.1
	secret = "{SECRET}"
}}
modules {{
	preprocess {{
		huntgroups = ${{confdir}}/huntgroups
		hints = ${{confdir}}/hints
	}}
	$INCLUDE mods-enabled/
}}
$INCLUDE sites-enabled/
"#,
        dir = dir.display()
    )
}

/// A NAS that sends what it has to say through `radclient`, several statements at once, and each again until it is answered.
pub(crate) struct Nas {
    child: Child,
    log: PathBuf,
}

impl Nas {
    /// Begins to send packets, given as `radclient` reads them with an empty line between them, so many a second at most.
    pub(crate) fn send(dir: &Path, name: &str, to: SocketAddr, packets: &str, rate: u32) -> Self {
        let (said, log) = (dir.join(format!("{name}.packets")), dir.join(format!("{name}.log")));
        fs::write(&said, packets).unwrap();
        let child = Command::new("radclient")
            .args(["-x", "-p", "10", "-r", "30", "-t", "2", "-n", &rate.to_string(), "-f"])
            .arg(said)
            .args([&to.to_string(), "acct", SECRET])
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("radclient, of Debian's freeradius-utils");
        Self { child, log }
    }

    /// Does it still send?
    pub(crate) fn sends(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it ends. Returns what was acknowledged: session and status type.
    pub(crate) fn acknowledged(mut self) -> BTreeSet<(String, String)> {
        self.child.wait().unwrap();
        acknowledged(&String::from_utf8_lossy(&fs::read(&self.log).unwrap()))
    }
}

impl Drop for Nas {
    fn drop(&mut self) {
        // Both fail only if it has been waited for already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `radclient -x` saw acknowledged. A response belongs to what was last sent from its port with its identifier.
fn acknowledged(log: &str) -> BTreeSet<(String, String)> {
    let mut sent: BTreeMap<(String, String), (String, String)> = BTreeMap::new();
    let mut acknowledged = BTreeSet::new();
    let mut last = (String::new(), String::new());
    for line in log.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let port = |word: &str| word.rsplit(':').next().unwrap().to_owned();
        match words.as_slice() {
            ["Sent", _, "Id", id, "from", from, ..] => last = (port(from), (*id).to_owned()),
            ["Received", "Accounting-Response", "Id", id, "from", _, "to", to, ..] => {
                acknowledged.insert(sent[&(port(to), (*id).to_owned())].clone());
            }
            ["Acct-Session-Id", "=", session] => {
                sent.entry(last.clone()).or_default().0 = session.trim_matches('"').into()
            }
            ["Acct-Status-Type", "=", status] => sent.entry(last.clone()).or_default().1 = (*status).into(),
            _ => {}
        }
    }
    acknowledged
}
