//! A DHCP server and one client, both Debian's, each in a network of its own with a cable in between: no packet leaves them, and
//! nothing of them stays.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The client's MAC address.
pub(crate) const MAC: &str = "02:00:5e:10:00:01";

/// Both networks. The shell's is the server's; the client's hangs on a process that sleeps.
const CABLE: &str = "{ unshare --net sleep 600 & } && inside=$! && ip link set lo up \
    && ip link add server type veth peer name client address 02:00:5e:10:00:01 \
    && until ip link set client netns $inside 2>/dev/null && ! ip link show client >/dev/null 2>&1; do kill -0 $inside || break; done \
    && ip addr add 10.77.0.1/24 dev server && ip link set server up \
    && nsenter --target $inside --net sh -c 'ip link set lo up && ip link set client up'";

/// Configures the client's interface as udhcpc asks, and writes down what became of it.
const CLIENT: &str = "#!/bin/sh\ncase $1 in\n\
    deconfig) ip addr flush dev client ;;\n\
    bound | renew) ip addr replace \"$ip/$mask\" dev client ;;\nesac\n\
    echo \"$1 ${ip-}\" >>\"${0%/*}/client.log\"\n";

/// A shell in the server's network.
pub(crate) struct Rig {
    shell: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    dir: PathBuf,
}

impl Rig {
    /// Lays the cable. An error says why this machine cannot.
    pub(crate) fn start(dir: &Path) -> Result<Self, String> {
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("client"), CLIENT).unwrap();
        fs::set_permissions(dir.join("client"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut shell = Command::new("unshare")
            .args(["--map-root-user", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", "bash"])
            .current_dir(dir)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare(1): {error}"))?;
        let orders = shell.stdin.take().unwrap();
        let answers = BufReader::new(shell.stdout.take().unwrap());
        let mut rig = Self { shell, orders, answers, dir: dir.to_owned() };
        if rig.run(CABLE) != "0" {
            let mut said = String::new();
            let _ = rig.shell.kill();
            rig.shell.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            return Err(format!("no network of its own: {said}"));
        }
        Ok(rig)
    }

    /// Starts a server and waits until its log has this in it.
    pub(crate) fn serve(&mut self, command: &str, ready: &str) {
        self.start_and_wait(command, "server", ready);
        assert_eq!(self.run("server=$last"), "0");
    }

    /// Ends the server as an operator would.
    pub(crate) fn end_server(&mut self) {
        assert_eq!(self.run("kill $server; timeout 20 tail --pid=$server -f /dev/null"), "0");
    }

    /// Lets a client ask for a lease, with more arguments for udhcpc, and returns the address.
    pub(crate) fn lease(&mut self, arguments: &str) -> String {
        let udhcpc =
            format!("nsenter --target $inside --net busybox udhcpc -f -i client -s ./client -t 20 -T 1 {arguments}");
        self.start_and_wait(&udhcpc, "client", "^bound ");
        assert_eq!(self.run("client=$last"), "0");
        let log = fs::read_to_string(self.dir.join("client.log")).unwrap();
        log.lines().rev().find_map(|line| line.strip_prefix("bound ")).unwrap().to_owned()
    }

    /// Lets the client renew its lease.
    pub(crate) fn renew(&mut self) {
        assert_eq!(self.run("echo >client.log; kill -USR1 $client"), "0");
        self.wait_for("client", "^renew ", "client");
    }

    /// Lets the client give its lease back.
    pub(crate) fn release(&mut self) {
        assert_eq!(self.run("echo >client.log; kill -USR2 $client"), "0");
        self.wait_for("client", "^deconfig", "client");
    }

    fn start_and_wait(&mut self, command: &str, name: &str, ready: &str) {
        assert_eq!(self.run(&format!("{command} >{name}.talk 2>&1 </dev/null & last=$!")), "0");
        self.wait_for(name, ready, "last");
    }

    /// Waits for a line in a log, as long as a process runs and for at most half a minute.
    pub(crate) fn wait_for(&mut self, name: &str, line: &str, process: &str) {
        let log = if name == "client" { "client.log" } else { "server.talk" };
        // grep(1) ends with the first match; tail(1) ends with the process, or later with the network.
        let wait = format!("timeout 30 grep -qm1 '{line}' < <(exec tail -n +1 -F {log} --pid=${process} 2>/dev/null)");
        let ended = self.run(&wait);
        let said = |file: &str| fs::read_to_string(self.dir.join(file)).unwrap_or_default();
        assert_eq!(ended, "0", "no {line}:\n{}\n{}\n{}", said("server.talk"), said("client.talk"), said("client.log"));
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
}

impl Drop for Rig {
    fn drop(&mut self) {
        // unshare(1) takes everything with it that runs inside. Both fail only if it has ended already.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}
