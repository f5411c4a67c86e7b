//! Desks on other machines: the real daemon with certificates that openssl made, the real `lapse` over TLS.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[expect(dead_code, reason = "every test uses its part of it")]
mod support;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use support::{Daemon, Site, code, lapsed, talk_of, text};

const TABLES: &str = "[api]\ntls-listen = \"127.0.0.1:0\"\ntls-certificate = \"daemon.crt\"\ntls-key = \"daemon.key\"\n\
    tls-client-ca = \"desks.crt\"\n[[principal]]\nname = \"amy\"\ncertificate = \"amy.example.net\"\nrole = \"operator\"\n\
    [[principal]]\nname = \"bob\"\ncertificate = \"Bob of Desk 1\"\nrole = \"operator\"\n";

/// A daemon that serves TLS, and the places it does it at.
struct Desk {
    site: Site,
    daemon: Daemon,
    address: SocketAddr,
}

fn openssl(site: &Site, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(site.path(".")).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", talk_of(&output));
}

/// A pair that signs.
fn authority(site: &Site, name: &str) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(site, &format!("req -x509 {key} -days 30 -subj /CN={name} -keyout {name}.key -out {name}.crt"));
}

/// A pair with this subject and alternative names, signed by an authority.
fn signed(site: &Site, by: &str, name: &str, subject: &str, alternative: &str) {
    let subject = format!("/CN={subject}");
    let key = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split(' ');
    let files = [format!("{name}.key"), format!("{name}.csr")];
    let request = key.chain(["-subj", &subject, "-keyout", &files[0], "-out", &files[1]]);
    let made = Command::new("openssl").args(request).current_dir(site.path(".")).output().unwrap();
    assert!(made.status.success(), "{}", talk_of(&made));
    site.write(&format!("{name}.ext"), &format!("basicConstraints=CA:FALSE\n{alternative}\n"));
    openssl(
        site,
        &format!(
            "x509 -req -in {name}.csr -CA {by}.crt -CAkey {by}.key -CAcreateserial -days 30 -extfile {name}.ext -out {name}.crt"
        ),
    );
}

impl Desk {
    fn new() -> Self {
        let site = Site::new(TABLES);
        authority(&site, "authority");
        authority(&site, "desks");
        signed(&site, "authority", "daemon", "lapsed", "subjectAltName=DNS:localhost,IP:127.0.0.1");
        signed(&site, "desks", "amy", "whoever", "subjectAltName=DNS:amy.example.net");
        signed(&site, "desks", "bob", "Bob of Desk 1", "");
        signed(&site, "desks", "eve", "eve", "");
        signed(&site, "authority", "stranger", "stranger", "subjectAltName=DNS:amy.example.net");
        let daemon = site.start();
        let address = daemon.talk.split("listening for TLS address=").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap().parse().unwrap();
        Self { site, daemon, address }
    }

    fn path(&self, name: &str) -> String {
        self.site.path(name).display().to_string()
    }

    /// Runs `lapse` over TLS, with a certificate of this name or without.
    fn lapse(&self, certificate: Option<&str>, token: Option<&str>, arguments: &[&str]) -> Output {
        let mut command = bare(&self.site);
        command.args(["--url", &format!("https://{}", self.address), "--ca", &self.path("authority.crt")]);
        if let Some(name) = certificate {
            let [certificate, key] = ["crt", "key"].map(|end| self.path(&format!("{name}.{end}")));
            command.args(["--certificate", &certificate, "--key", &key]);
        }
        command.envs(token.map(|token| ("LAPSE_TOKEN", token)));
        command.args(arguments).output().unwrap()
    }
}

/// `lapse` with nothing in its environment that says where the daemon is.
fn bare(site: &Site) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapse"));
    for name in ["LAPSE_TOKEN", "LAPSE_SOCKET", "LAPSE_URL", "LAPSE_CA", "LAPSE_CERTIFICATE", "LAPSE_KEY"] {
        command.env_remove(name);
    }
    command.env("XDG_CONFIG_HOME", site.path("home")).stdin(Stdio::null());
    command
}

#[test]
fn a_certificate_or_a_token_says_who_asks_and_nothing_else_does() {
    let desk = Desk::new();
    let token = desk.site.token("ops", "operator");
    for (certificate, token) in
        [(Some("amy"), None), (Some("bob"), None), (None, Some(&*token)), (Some("eve"), Some(&token))]
    {
        let output = desk.lapse(certificate, token, &["status"]);
        assert_eq!(code(&output), 0, "{certificate:?} {output:?}");
    }
    for (certificate, said) in
        [(None, "no certificate was shown"), (Some("eve"), "the certificate is that of no [[principal]]")]
    {
        let output = desk.lapse(certificate, None, &["status"]);
        assert!(code(&output) == 4 && talk_of(&output).contains(said), "{output:?}");
    }
    // Signed by somebody who signs for the daemon, and not for desks.
    assert_eq!(code(&desk.lapse(Some("stranger"), None, &["status"])), 69);
    assert!(desk.daemon.stop().0.success());
}

#[test]
fn a_daemon_that_cannot_prove_its_name_is_told_nothing() {
    let desk = Desk::new();
    let url = format!("https://{}", desk.address);
    let output = bare(&desk.site).args(["--url", &url, "--ca", &desk.path("desks.crt"), "status"]).output().unwrap();
    assert!(code(&output) == 69 && talk_of(&output).contains("UnknownIssuer"), "{output:?}");
    let missing = bare(&desk.site).args(["--url", &url, "--ca", "/nowhere/ca.crt", "status"]).output().unwrap();
    assert!(code(&missing) == 2 && talk_of(&missing).contains("/nowhere/ca.crt"), "{missing:?}");
}

#[test]
fn a_renewed_certificate_is_shown_to_the_next_connection_and_a_broken_one_to_nobody() {
    let mut desk = Desk::new();
    let serial = |desk: &Desk| {
        let address = desk.address.to_string();
        let shown =
            Command::new("openssl").args(["s_client", "-connect", &address]).stdin(Stdio::null()).output().unwrap();
        let whole = text(&shown.stdout);
        let begin = whole.find("-----BEGIN CERTIFICATE-----").unwrap_or_else(|| unreachable!("{shown:?}"));
        whole.get(begin..).unwrap().split("-----END").next().unwrap().to_owned()
    };
    let first = serial(&desk);
    signed(&desk.site, "authority", "new", "lapsed", "subjectAltName=IP:127.0.0.1");
    fs::rename(desk.site.path("new.key"), desk.site.path("daemon.key")).unwrap();
    // A key without its certificate: the pair read before goes on being used.
    assert_eq!(serial(&desk), first);
    desk.daemon.until("the files of TLS were changed and cannot be used").unwrap();
    fs::rename(desk.site.path("new.crt"), desk.site.path("daemon.crt")).unwrap();
    assert_ne!(serial(&desk), first);
    desk.daemon.until("the files of TLS were read again").unwrap();
    assert_eq!(code(&desk.lapse(Some("amy"), None, &["status"])), 0);
    desk.daemon.signal("HUP");
    desk.daemon.until("the files of TLS were read again").unwrap();
    assert_eq!(code(&desk.lapse(Some("amy"), None, &["status"])), 0);
    assert!(desk.daemon.stop().0.success());
}

#[test]
fn files_that_cannot_be_used_keep_the_daemon_from_starting() {
    let site = Site::new(TABLES);
    let (status, talk) = site.spawn("lapsed.toml", None).ended();
    assert!(!status.success() && talk.contains("cannot serve TLS: cannot read"), "{talk}");
    let checked = lapsed(&["check-config"]).arg(site.path("lapsed.toml")).output().unwrap();
    assert_eq!(code(&checked), 0, "the configuration itself is sound: {checked:?}");
}

#[test]
fn a_context_is_remembered_and_flags_and_the_environment_come_before_it() {
    let desk = Desk::new();
    let token = desk.site.token("ops", "operator");
    let run = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = bare(&desk.site);
        command.args(arguments).env("LAPSE_TOKEN", &token).envs(environment.iter().copied()).output().unwrap()
    };
    let url = format!("https://localhost:{}", desk.address.port());
    let ca = desk.path("authority.crt");
    assert_eq!(code(&run(&["context", "set", "--url", &url, "--ca", &ca], &[])), 0);
    let file: PathBuf = desk.site.path("home/lapse/context.toml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(code(&run(&["status"], &[])), 0);
    assert!(text(&run(&["context", "show"], &[]).stdout).contains(&url));
    assert!(!fs::read_to_string(&file).unwrap().contains(&token));
    // The environment first, and flags before that.
    assert_eq!(code(&run(&["status"], &[("LAPSE_SOCKET", "/nowhere/api.sock")])), 69);
    let socket = desk.path("api.sock");
    assert_eq!(code(&run(&["--socket", &socket, "status"], &[("LAPSE_URL", "https://nowhere.example.net")])), 0);
    fs::write(&file, "url = 5\n").unwrap();
    let broken = run(&["status"], &[]);
    assert!(code(&broken) == 2 && talk_of(&broken).contains("context.toml: TOML parse error at line 1"), "{broken:?}");
    assert_eq!(code(&run(&["context", "clear"], &[])), 0);
    assert!(!file.exists() && code(&run(&["context", "set"], &[])) == 2);
}
