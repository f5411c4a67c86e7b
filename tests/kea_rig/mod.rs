//! Debian's Kea and perfdhcp in a network of their own, on its loopback interface: no packet leaves it, and nothing of it stays.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// A shell in the network, in which Kea runs.
pub(crate) struct Kea {
    family: Family,
    shell: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    dir: PathBuf,
}

impl Kea {
    /// Starts Kea with its lease file in a directory. An error says why this machine cannot.
    pub(crate) fn start(family: Family, dir: &Path) -> Result<Self, String> {
        Self::start_with(family, dir, "")
    }

    /// Starts it with this in its configuration too.
    pub(crate) fn start_with(family: Family, dir: &Path, more: &str) -> Result<Self, String> {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("kea.conf"), configuration(family, dir, more)).unwrap();
        let mut shell = Command::new("unshare")
            .args(["--map-root-user", "--net", "--pid", "--fork", "--kill-child", "bash"])
            .env("KEA_LOCKFILE_DIR", dir)
            .env("KEA_PIDFILE_DIR", dir)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare(1): {error}"))?;
        let orders = shell.stdin.take().unwrap();
        let answers = BufReader::new(shell.stdout.take().unwrap());
        let mut kea = Self { family, shell, orders, answers, dir: dir.to_owned() };
        // DHCPv6 needs an interface with multicast, and its addresses at once.
        let pair = "ip link set lo up && ip addr add 127.0.0.2/8 dev lo && ip link add server type veth peer name clients \
                    && for end in server clients; do ip link set $end addrgenmode none up; done \
                    && ip addr add fe80::1/64 dev server nodad && ip addr add fe80::2/64 dev clients nodad";
        if kea.run(pair) != "0" {
            let mut said = String::new();
            let _ = kea.shell.kill();
            kea.shell.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            return Err(format!("no network of its own: {said}"));
        }
        kea.serve();
        Ok(kea)
    }

    /// Starts the server, and waits until it says that it serves.
    fn serve(&mut self) {
        let (binary, log) = match self.family {
            Family::V4 => ("kea-dhcp4", "DHCP4_STARTED"),
            Family::V6 => ("kea-dhcp6", "DHCP6_STARTED"),
        };
        let dir = self.dir.display();
        // The server's log is a pipe until it has started; then a reader takes the rest, and forgets all but a hook's complaints.
        let order = format!(
            "exec 3< <(exec {binary} -c {dir}/kea.conf 2>&1); server=$!; \
             while read -t 20 -r line <&3; do case $line in *{log}*) break;; esac; done; \
             grep -a '^lapsed-hook' <&3 >>{dir}/complaints & reader=$!; true"
        );
        assert_eq!(self.run(&order), "0");
    }

    /// Stops the server, waits for what it started, and returns what hooks complained of.
    pub(crate) fn end(&mut self) -> String {
        // Hooks have Kea's log for their stderr: it ends with the last of them.
        assert_ne!(self.run("kill $server; wait $reader"), "gone");
        fs::read_to_string(self.dir.join("complaints")).unwrap()
    }

    /// Stops the server as an operator would, and starts it again.
    pub(crate) fn restart(&mut self) {
        assert_eq!(self.run("kill $server; tail --pid=$server -f /dev/null"), "0");
        self.serve();
    }

    /// Lets so many clients ask for leases and returns how many exchanges there were.
    pub(crate) fn perfdhcp(&mut self, arguments: &str) {
        let which = match self.family {
            Family::V4 => "-4 -l 127.0.0.2",
            Family::V6 => "-6 -l clients",
        };
        let server = match self.family {
            Family::V4 => "127.0.0.1",
            Family::V6 => "",
        };
        let dir = self.dir.display();
        // It ends with 3 where some exchanges were not completed, as releases never are: they have no answer.
        let ended = self.run(&format!("timeout 60 perfdhcp {which} {arguments} {server} >{dir}/perfdhcp 2>&1"));
        let said = fs::read_to_string(self.dir.join("perfdhcp")).unwrap();
        assert!(ended == "0" || ended == "3", "{ended}: {said}");
    }

    /// Lets a client decline its address (RFC 8415, section 18.2.8), and waits for Kea's row.
    pub(crate) fn decline(&mut self) -> IpAddr {
        let rows = self.generations().concat();
        // An address has lease type 0, a prefix 2.
        let mut rows = rows.lines().map(|row| row.split(',').collect::<Vec<_>>());
        let row = rows.find(|row| row[2] == "3600" && row[6] == "0").unwrap();
        let address: Ipv6Addr = row[0].parse().unwrap();
        let server = fs::read_to_string(self.dir.join("kea-dhcp6-serverid")).unwrap();
        // IA Address (5) in IA_NA (3), whose IAID is the row's and whose times say nothing.
        let held = option(5, &[&address.octets(), [0; 8].as_slice()].concat());
        let ia = [row[7].parse::<u32>().unwrap().to_be_bytes().as_slice(), &[0; 8], &held].concat();
        let options = [option(1, &octets(row[1])), option(2, &octets(&server)), option(3, &ia)].concat();
        let decline = [[9, 1, 2, 3].as_slice(), &options].concat();
        // cat(1) writes it at once; printf(1) would begin another packet after each line feed in it.
        fs::write(self.dir.join("decline"), decline).unwrap();
        let sent = self.run(&format!("cat {}/decline >/dev/udp/ff02::1:2%clients/547", self.dir.display()));
        assert_eq!(sent, "0");
        let written = format!("until grep -qs '^{address},00,' {}*; do :; done", self.leases().display());
        assert_eq!(self.run(&format!("timeout 30 bash -c \"{written}\"")), "0");
        address.into()
    }

    /// Runs a command and returns its exit code.
    pub(crate) fn run(&mut self, command: &str) -> String {
        writeln!(self.orders, "{command}\necho \"ended $?\"").unwrap();
        let mut line = String::new();
        while !line.starts_with("ended ") {
            line.clear();
            if self.answers.read_line(&mut line).unwrap() == 0 {
                return String::from("gone");
            }
        }
        line["ended ".len()..].trim().to_owned()
    }

    /// The lease file.
    pub(crate) fn leases(&self) -> PathBuf {
        self.dir.join("leases.csv")
    }

    /// What is in the file, and before that in what was before it.
    fn generations(&self) -> Vec<String> {
        let path = |ending| format!("{}{ending}", self.leases().display());
        [".2", ".1", ""].into_iter().filter_map(|ending| fs::read_to_string(path(ending)).ok()).collect()
    }

    /// The rows of the file and of what was before it that are leases now: address, client, and when the client spoke last.
    pub(crate) fn granted(&self) -> BTreeMap<IpAddr, Granted> {
        let mut granted = BTreeMap::new();
        for text in self.generations() {
            let mut lines = text.lines();
            let header: Vec<&str> = lines.next().unwrap().split(',').collect();
            let place = |name: &str| header.iter().position(|known| *known == name);
            let lifetime = place("valid_lifetime").unwrap();
            let client = place("client_id").or(place("duid")).unwrap();
            for line in lines {
                let values: Vec<&str> = line.split(',').collect();
                let number = |place: usize| values[place].parse::<u64>().unwrap();
                let address = values[0].parse().unwrap();
                let lease = Granted { client: values[client].replace(':', ""), released: number(lifetime) == 0 };
                granted.insert(address, lease);
            }
        }
        granted
    }
}

/// An option of DHCPv6.
fn option(code: u8, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [[0, code].as_slice(), &length.to_be_bytes(), value].concat()
}

/// Octets in hex with colons in between.
fn octets(text: &str) -> Vec<u8> {
    text.trim().split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect()
}

/// The last that Kea wrote of an address.
pub(crate) struct Granted {
    /// The client identifier in hex.
    pub(crate) client: String,
    /// Was it given back?
    pub(crate) released: bool,
}

/// What starts Kea in the networks of `dhcp_rig` on [`on_the_cable`], in `kea.conf`.
pub(crate) const KEA: &str = "KEA_LOCKFILE_DIR=$PWD KEA_PIDFILE_DIR=$PWD kea-dhcp4 -c kea.conf";

/// What it says when it serves.
pub(crate) const SERVES: &str = "DHCP4_STARTED";

/// A configuration for the networks of `dhcp_rig`, with these keys too.
pub(crate) fn on_the_cable(keys: &str) -> String {
    format!(
        r#"{{ "Dhcp4": {{ {keys}, "valid-lifetime": 3600, "interfaces-config": {{ "interfaces": ["server"] }},
           "loggers": [ {{ "name": "*", "severity": "INFO", "output_options": [ {{ "output": "stdout" }} ] }} ],
           "subnet4": [ {{ "subnet": "10.77.0.0/24", "pools": [ {{ "pool": "10.77.0.10 - 10.77.0.20" }} ] }} ] }} }}"#
    )
}

/// The keys in a file that we ship.
pub(crate) fn keys_of(shipped: &str) -> &str {
    let (_, keys) = shipped.split_once("\"Dhcp4\": {").unwrap();
    keys.rsplit_once("  }\n}").unwrap().0
}

impl Drop for Kea {
    fn drop(&mut self) {
        // unshare(1) takes everything with it that runs inside. Both fail only if it has ended already.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn configuration(family: Family, dir: &Path, more: &str) -> String {
    let dir = dir.display();
    let leases = format!(
        r#""lease-database": {{ "type": "memfile", "persist": true, "name": "{dir}/leases.csv", "lfc-interval": 2 }},
           "store-extended-info": true, "valid-lifetime": 3600,
           "loggers": [ {{ "name": "*", "severity": "INFO", "output_options": [ {{ "output": "stdout" }} ] }} ],"#
    );
    match family {
        Family::V4 => format!(
            r#"{{ "Dhcp4": {{ {leases} {more} "interfaces-config": {{ "interfaces": ["lo/127.0.0.1"], "dhcp-socket-type": "udp" }},
               "subnet4": [ {{ "subnet": "10.64.0.0/16", "pools": [ {{ "pool": "10.64.0.10 - 10.64.255.250" }} ],
                               "relay": {{ "ip-addresses": ["127.0.0.2"] }} }} ] }} }}"#
        ),
        Family::V6 => format!(
            r#"{{ "Dhcp6": {{ {leases} {more} "data-directory": "{dir}", "interfaces-config": {{ "interfaces": ["server"] }},
               "subnet6": [ {{ "subnet": "2001:db8::/32", "interface": "server", "pools": [ {{ "pool": "2001:db8:1::/64" }} ],
                               "pd-pools": [ {{ "prefix": "2001:db8:100::", "prefix-len": 40, "delegated-len": 56 }} ] }} ] }} }}"#
        ),
    }
}
