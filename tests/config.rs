//! The configuration: its faults as an operator reads them, its defaults, and the file that is shipped.

use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lapsed::config::{
    Config, ConfigError, Fee, Problem, Remark, Resets, SHAPES, Secret, SecretError, SecretFile, Source,
};
use lapsed::domain::actor::Role;
use lapsed::domain::process::ProcessType;
use lapsed::domain::selection::{Kept, SubscriberFrom};
use proptest::prelude::*;

const SHIPPED: &str = include_str!("../config/lapsed.toml");

/// A client with all it cannot do without, to be followed by more of its keys.
const CLIENT: &str = "version = 1\n[[radius.client]]\nnetwork = \"192.0.2.1\"\nname = \"bng-1\"\nsecret-file = \"s\"\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    let secret = |path: &Path| match path.ends_with("empty") {
        true => Err(SecretError::Empty),
        false => Ok(SecretFile { secret: Secret::from_bytes(b"Tr0ub4dor")?, exposed: false }),
    };
    Config::parse(text, "lapsed.toml", Path::new("/etc/lapsed"), secret)
}

fn faults(text: &str) -> String {
    parse(text).map_or_else(|error| error.to_string(), |_| String::from("no fault"))
}

/// The first lines of the faults of `text`, without places.
fn problems(text: &str) -> Vec<String> {
    faults(text).lines().filter_map(|line| line.strip_prefix("error: ")).map(str::to_owned).collect()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn a_version_alone_is_a_configuration() {
    assert_eq!(parse("version = 1"), Ok(Config::default()));
    let remarks = Config::default().remarks();
    assert_eq!(remarks, [Remark::NoListener, Remark::NoClient, Remark::NoPrincipal]);
}

#[test]
fn a_misspelt_key_is_shown_with_its_line_and_a_caret() {
    let text = "version = 1\n\n[retention]\nwindoww = \"48h\"\n";
    let shown = "\
error: unknown key `windoww`, did you mean `window`?
  --> lapsed.toml:4:1
   |
 4 | windoww = \"48h\"
   | ^^^^^^^

1 fault in lapsed.toml";
    assert_eq!(faults(text), shown);
}

#[test]
fn all_faults_come_at_once_in_the_order_of_the_file() {
    let text = r#"# faulty

version = 1
window = "48h"
[lookup]
	margin = 60
[retention]
bucket = "10"
purge-interval = "500ms"

[[radius.client]]
network = "192.0.2.7/24"
secret = "Tr0ub4dor"
"#;
    let shown = r#"error: unknown key `window`, did you mean the one in [retention]?
  --> lapsed.toml:4:1
   |
 4 | window = "48h"
   | ^^^^^^

error: `margin` must be a duration in quotation marks, such as "90s", not a whole number
  --> lapsed.toml:6:11
   |
 6 | 	margin = 60
   | 	         ^^

error: `10` has no unit: write 10s, 10m or 10h
  --> lapsed.toml:8:10
   |
 8 | bucket = "10"
   |          ^^^^

error: `purge-interval` must be from 1s to 24h, not 500ms
  --> lapsed.toml:9:18
   |
 9 | purge-interval = "500ms"
   |                  ^^^^^^^

error: missing key `name` in [[radius.client]]
   --> lapsed.toml:11:1
    |
 11 | [[radius.client]]
    | ^^^^^^^^^^^^^^^^^

error: missing key `secret-file` in [[radius.client]]
   --> lapsed.toml:11:1
    |
 11 | [[radius.client]]
    | ^^^^^^^^^^^^^^^^^

error: `192.0.2.7/24` has host bits: write `192.0.2.0/24` for the network or `192.0.2.7/32` for the one address
   --> lapsed.toml:12:11
    |
 12 | network = "192.0.2.7/24"
    |           ^^^^^^^^^^^^^^

error: a secret does not belong into this file: write it into a file of its own and name that in `secret-file`
   --> lapsed.toml:13:1
    |
 13 | secret = ...
    | ^^^^^^

8 faults in lapsed.toml"#;
    assert_eq!(faults(text), shown);
}

#[test]
fn broken_toml_hides_no_other_fault_and_makes_up_none() {
    let text = "version = 1\nstate-dir = /var/lib\n[lookup]\nmargin = 5\n[listen\napi-socket = \"x\"\n";
    let shown = "\
error: string values must be quoted, expected literal string
  --> lapsed.toml:2:13
   |
 2 | state-dir = /var/lib
   |             ^^^^^^^^

error: `margin` must be a duration in quotation marks, such as \"90s\", not a whole number
  --> lapsed.toml:4:10
   |
 4 | margin = 5
   |          ^

error: unclosed table, expected `]`
  --> lapsed.toml:5:8
   |
 5 | [listen
   |        ^

3 faults in lapsed.toml";
    assert_eq!(faults(text), shown);
}

#[test]
fn the_version_is_asked_for_before_anything_else() {
    let missing = "\
error: missing key `version`: write `version = 1` above the first table
  --> lapsed.toml:1:1
   |
 1 |
   | ^

1 fault in lapsed.toml";
    assert_eq!(faults(""), missing);
    assert_eq!(problems("version = 2\ncolour = 1"), ["version 2 is unknown: this program reads version 1"]);
    assert_eq!(problems("version = \"1\""), ["`version` must be a whole number, not a text"]);
}

#[test]
fn each_way_to_be_wrong_has_its_words() {
    let cases = [
        ("colour = 1", "unknown key `colour`"),
        ("state_dir = \"x\"", "unknown key `state_dir`, did you mean `state-dir`?"),
        ("[lookups]", "unknown table `lookups`, did you mean `lookup`?"),
        ("[lookup]\nstate-dir = \"x\"", "unknown key `state-dir`, which belongs above the first table"),
        ("state-dir = \"\"", "`state-dir` must not be empty"),
        ("state-dir = \"a\\u0000b\"", "`state-dir` must not contain control characters"),
        ("lookup = 1", "`lookup` must be a table, not a whole number"),
        (
            "[network]\nprefix = \"192.0.2.0/24\"",
            "`network` must be a list of tables, with double brackets around its header, not a table",
        ),
        ("version = 1", "duplicate key"),
        ("[retention]\nwindow = \"3s\"", "`window` must be from 4s to 366d, not 3s"),
        ("[retention]\nwindow = \"367d\"", "`window` must be from 4s to 366d, not 367d"),
        ("[retention]\nwindow = \"48 h\"", "unknown unit ` h`: the units are d, h, m, s and ms"),
        ("[retention]\nbucket = \"1500ms\"", "`bucket` must be whole seconds, not 1s500ms"),
        (
            "[retention]\nbucket = \"40s\"",
            "a `window` of 48h has 4320 whole buckets of 40s: choose `bucket` so that there are 4 to 4096",
        ),
        (
            "[retention]\nwindow = \"30m\"",
            "a `window` of 30m has 3 whole buckets of 10m: choose `bucket` so that there are 4 to 4096",
        ),
        (
            "[retention]\ncarry-interval = \"47h55m\"",
            "`carry-interval` must be shorter than the `window` of 48h, and is 48h in whole buckets",
        ),
        ("[retention]\ncarry-interval = \"0s\"", "`carry-interval` must be from 1s to 48h, not 0s"),
        ("[retention]\nmax-silence = \"0s\"", "`max-silence` must be from 1s to 366d, not 0s"),
        (
            "[listen]\napi-socket-mode = \"4755\"",
            "`4755` is no mode: write three octal digits after a 0, such as \"0660\"",
        ),
        ("[radius]\nreceive-buffer = 100", "`receive-buffer` must be from 4096 to 1073741824, not 100"),
        ("[ingest]\nqueue = 0", "`queue` must be from 1 to 1048576, not 0"),
        ("[ingest]\nbatch = -1", "`batch` must be from 1 to 10000, not -1"),
        ("[ingest]\nbatch = 1.5", "`batch` must be a whole number, not a fraction"),
        ("[[radius.listen]]", "missing key `address` in [[radius.listen]]"),
        (
            "[[radius.listen]]\naddress = \"127.0.0.1\"",
            "`127.0.0.1` is no address with a port, such as 127.0.0.1:1813 or [2001:db8::1]:1813",
        ),
        (
            "[[radius.listen]]\naddress = \"192.0.2.1:1813\"\n[[radius.listen]]\naddress = \"192.0.2.1:1813\"",
            "192.0.2.1:1813 is listened on already: see line 3",
        ),
        ("[[network]]\nprefix = \"192.0.2\"", "`192.0.2` is no network, such as 192.0.2.0/24 or 2001:db8::/32"),
        (
            "[[network]]\nprefix = \"::ffff:192.0.2.0/120\"",
            "`::ffff:192.0.2.0/120` is an IPv4-mapped network: write `192.0.2.0/24`",
        ),
        (
            "[[network]]\nprefix = \"192.0.2.1\"\n[[network]]\nprefix = \"192.0.2.1/32\"",
            "the network 192.0.2.1/32 is configured already: see line 3",
        ),
        ("[[network]]\nprefix = \"192.0.2.1\"\nsources = [\"a\", \"a\"]", "`sources` names this twice"),
    ];
    for (text, problem) in cases {
        assert_eq!(problems(&format!("version = 1\n{text}\n")), [problem], "{text}");
    }
    let long = format!("version = 1\n[listen]\napi-socket = \"/run/{}\"\n", "x".repeat(103));
    assert_eq!(problems(&long), ["`api-socket` is 108 bytes long: a socket's path has at most 107"]);
}

#[test]
fn clients_and_principals_must_be_told_apart() {
    let other = "[[radius.client]]\nsecret-file = \"s\"\n";
    let cases = [
        ("subscriber = []".to_owned(), "`subscriber` must name at least one"),
        (
            "subscriber = [\"name\"]".to_owned(),
            "`name` is no `subscriber`: use user-name, calling-station-id, circuit-id, remote-id, class, nas-port-id",
        ),
        ("keep = [\"hostname\"]".to_owned(), "`hostname` is no `keep`: use mac, circuit-id, remote-id, nas-port"),
        ("resets = \"honor\"".to_owned(), "`honor` is no `resets`: use honour, ignore"),
        ("interims = \"yes\"".to_owned(), "`interims` must be true or false, not a text"),
        ("realm = \"a b\"".to_owned(), "`a b` is no name: use 1 to 64 letters, digits, `-`, `.` and `_`"),
        ("max-delay = \"49h\"".to_owned(), "`max-delay` must be from 1s to 48h, not 49h"),
        (
            format!("{other}name = \"bng-2\"\nnetwork = \"192.0.2.1\""),
            "the network 192.0.2.1/32 is configured already: see line 3",
        ),
        (
            format!("{other}name = \"bng-1\"\nnetwork = \"192.0.2.2\""),
            "the name `bng-1` is taken already: see line 4",
        ),
        (
            "[[radius.client]]\nname = \"b\"\nnetwork = \"192.0.2.2\"\nsecret-file = \"empty\"".to_owned(),
            "cannot use the secret in /etc/lapsed/empty: the file is empty",
        ),
        (
            "[[principal]]\nname = \"bng-1\"\nuid = 0\nrole = \"operator\"".to_owned(),
            "`bng-1` is a RADIUS client, and so a source: see line 4",
        ),
        ("[[stream]]\nname = \"bng-1\"".to_owned(), "the name `bng-1` is taken already: see line 4"),
        (
            "[[stream]]\nname = \"a\"\n[[spool]]\npath = \"p\"\nname = \"a\"".to_owned(),
            "the name `a` is taken already: see line 7",
        ),
        (
            "[[spool]]\npath = \"p\"\nname = \"a\"\n[[spool]]\npath = \"p\"\nname = \"b\"".to_owned(),
            "p is a spool already: see line 7",
        ),
        (
            "[[stream]]\nname = \"a\"\n[[principal]]\nname = \"a\"\nuid = 1\nrole = \"analyst\"".to_owned(),
            "`a` is the name of a source: see line 7",
        ),
        ("[[spool]]\nname = \"a\"".to_owned(), "missing key `path` in [[spool]]"),
        ("[[principal]]\nname = \"a\"\nrole = \"operator\"".to_owned(), "this [[principal]] needs a `uid`, a `group` or a `certificate`"),
        (
            "[[principal]]\nname = \"a\"\nuid = 1\ngroup = \"g\"\nrole = \"operator\"".to_owned(),
            "a [[principal]] has a `uid` or a `group`, not both",
        ),
        (
            "[[principal]]\nname = \"a\"\nuid = 1\nrole = \"root\"".to_owned(),
            "`root` is no `role`: use source, analyst, approver, auditor, operator",
        ),
        (
            "[[principal]]\nname = \"a\"\nuid = 4294967295\nrole = \"auditor\"".to_owned(),
            "`uid` must be from 0 to 4294967294, not 4294967295",
        ),
        (
            "[[principal]]\nname = \"a\"\nuid = 1\nrole = \"auditor\"\n[[principal]]\nname = \"b\"\nuid = 1\nrole = \"analyst\""
                .to_owned(),
            "the uid 1 is a principal already: see line 8",
        ),
        (
            "[[principal]]\nname = \"a\"\ngroup = \"g\"\nrole = \"auditor\"\n[[principal]]\nname = \"b\"\ngroup = \"g\"\n\
             role = \"auditor\""
                .to_owned(),
            "the group `g` is a principal already: see line 8",
        ),
    ];
    for (text, problem) in cases {
        assert_eq!(problems(&format!("{CLIENT}{text}\n")), [problem], "{text}");
    }
}

#[test]
fn defaults_follow_the_window_and_the_client_follows_the_policy() {
    let text = format!("{CLIENT}[retention]\nwindow = \"20s\"\nbucket = \"1s\"\n");
    let config = parse(&text).unwrap();
    assert_eq!(config.retention.carry_interval, secs(2));
    assert_eq!(config.retention.max_silence, Some(secs(10)));
    assert_eq!(config.radius.clients[0].source.max_delay, secs(20));
    assert_eq!(config.radius.clients[0].source.max_silence, Some(secs(10)));

    let config = parse(&format!("{text}carry-interval = \"2500ms\"\nmax-silence = \"none\"\n")).unwrap();
    assert_eq!(config.retention.carry_interval, secs(3), "rounded up to whole buckets");
    assert_eq!(config.radius.clients[0].source.max_silence, None);

    let own = format!("{CLIENT}max-silence = \"7d\"\nmax-delay = \"1h\"\n[retention]\nmax-silence = \"none\"\n");
    let client = &parse(&own).unwrap().radius.clients[0];
    assert_eq!((client.source.max_silence, client.source.max_delay), (Some(secs(7 * 86400)), secs(3600)));
}

#[test]
fn a_client_keeps_what_it_names_and_nothing_else() {
    let config = parse(&format!(
        "{CLIENT}subscriber = [\"class\", \"user-name\"]\nkeep = [\"circuit-id\"]\nresets = \"ignore\"\nrealm = \"cgn-1\"\n"
    ));
    let client = &config.unwrap().radius.clients[0];
    assert_eq!(client.selection.subscriber, [SubscriberFrom::Class, SubscriberFrom::UserName]);
    assert_eq!(client.selection.keep, Kept { mac: false, circuit_id: true, remote_id: false, nas_port: false });
    assert_eq!((client.source.resets, client.source.realm.as_str()), (Resets::Ignore, "cgn-1"));
    let none = parse(&format!("{CLIENT}keep = []")).unwrap().radius.clients[0].selection.keep;
    assert!(!none.mac && !none.circuit_id && !none.remote_id && !none.nas_port);
}

#[test]
fn paths_start_from_the_directory_of_the_file() {
    let config = parse("version = 1\nstate-dir = \"state\"\n[listen]\napi-socket = \"/run/x.sock\"\n").unwrap();
    assert_eq!(config.state_dir, PathBuf::from("/etc/lapsed/state"));
    assert_eq!(config.keyring_dir, config.state_dir, "unless it is named");
    assert_eq!(config.listen.api_socket, PathBuf::from("/run/x.sock"));
}

#[test]
fn the_smallest_network_that_holds_the_address_counts() {
    let text = r#"version = 1
[[radius.client]]
network = "192.0.2.0/24"
name = "all"
secret-file = "s"
[[radius.client]]
network = "192.0.2.8/29"
name = "some"
secret-file = "s"
[[radius.client]]
network = "2001:db8::/32"
name = "six"
secret-file = "s"
[[network]]
prefix = "0.0.0.0/0"
[[network]]
prefix = "203.0.113.0/24"
entity = "Example GmbH"
sources = ["some", "kea-1"]
shared = true
[[principal]]
name = "kea-1"
group = "kea"
role = "source"
"#;
    let config = parse(text).unwrap();
    let source =
        |peer: &str| config.source_for(peer.parse::<IpAddr>().unwrap()).map(|client| client.source.name.as_str());
    assert_eq!(source("192.0.2.7"), Some("all"));
    assert_eq!(source("192.0.2.9"), Some("some"));
    assert_eq!(source("::ffff:192.0.2.9"), Some("some"), "a mapped peer is the peer it maps");
    assert_eq!(source("2001:db8::1"), Some("six"));
    assert_eq!(source("198.51.100.1"), None);

    let network = |address: &str| config.network_of(address.parse().unwrap()).map(|network| network.entity.as_str());
    assert_eq!(network("203.0.113.9"), Some("Example GmbH"));
    assert_eq!(network("198.51.100.1"), Some(""));
    assert_eq!(network("2001:db8::1"), None);
    assert_eq!(config.principals[0].role, Role::Source);
    assert_eq!(config.remarks(), [Remark::NoListener], "both sources are known");
}

#[test]
fn what_surprises_is_remarked_and_not_refused() {
    let text = "[listen]\napi-socket-mode = \"0666\"\n[[radius.listen]]\naddress = \"127.0.0.1:0\"\n[[network]]\n\
                prefix = \"192.0.2.0/24\"\nsources = [\"kea-1\"]\n";
    let remarks: Vec<String> =
        parse(&format!("{CLIENT}{text}")).unwrap().remarks().iter().map(ToString::to_string).collect();
    let expected = [
        "api-socket-mode 0666 lets every local user connect",
        "127.0.0.1:0 listens on a port that the kernel chooses anew each time",
        "the network 192.0.2.0/24 names the source `kea-1`, which is no configured source and no [[principal]] with the \
         role source: only a token of that name can speak for it",
        "there is no [[principal]]: only bearer tokens give access",
    ];
    assert_eq!(remarks, expected);
}

#[test]
fn secrets_are_read_from_their_files_and_never_printed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lapsed.toml");
    let secret = dir.path().join("s");
    fs::write(&file, CLIENT).unwrap();

    let missing = Config::read(&file).unwrap_err();
    let ConfigError::Faulty { faults, .. } = &missing else { panic!("{missing}") };
    let error = SecretError::Unreadable { reason: std::io::ErrorKind::NotFound };
    assert_eq!(faults[0].problem, Problem::Secret { path: secret.clone(), error });
    assert_eq!((faults[0].line, faults[0].column), (5, 15));

    fs::write(&secret, "Tr0ub4dor\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o640)).unwrap();
    let config = Config::read(&file).unwrap();
    assert_eq!(config.radius.clients[0].secret.as_bytes(), b"Tr0ub4dor");
    assert!(!format!("{config:?}").contains("Tr0ub4dor"));
    let exposed = Remark::ExposedSecret { client: "bng-1".into(), file: secret.clone() };
    assert!(config.remarks().contains(&exposed));

    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(!Config::read(&file).unwrap().remarks().contains(&exposed));
}

#[test]
fn a_file_that_is_no_text_is_refused_before_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lapsed.toml");
    let name = file.display().to_string();
    let reason = std::io::ErrorKind::NotFound;
    assert_eq!(Config::read(&file), Err(ConfigError::Unreadable { file: name.clone(), reason }));
    fs::write(&file, b"version = 1\nstate-dir = \"\xff\"\n").unwrap();
    assert_eq!(Config::read(&file), Err(ConfigError::NotUtf8 { file: name, line: 2 }));
}

/// The shipped file with its settings uncommented; those in tables that are only examples too, if `examples`.
fn uncommented(examples: bool) -> String {
    let mut in_example = false;
    let mut text = String::new();
    for line in SHIPPED.lines() {
        if line.is_empty() || line.starts_with('[') {
            in_example = false;
        }
        // What belongs to a listener that there is not by default is an example too.
        in_example |= line.starts_with("#[[") || line.starts_with("#tls-listen");
        let setting =
            line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()));
        text.push_str(setting.filter(|_| examples || !in_example).unwrap_or(line));
        text.push('\n');
    }
    text
}

#[test]
fn what_tls_cannot_be_without_is_asked_for_and_what_it_is_not_there_for_is_refused() {
    let listen = "version = 1\n[api]\ntls-listen = \"192.0.2.10:8443\"\n";
    let needs = |key| format!("`tls-listen` needs a `{key}` beside it");
    assert_eq!(problems(listen), [needs("tls-certificate"), needs("tls-key")]);
    let alone = "version = 1\n[api]\ntls-key = \"k\"\n";
    assert_eq!(problems(alone), ["there is no `tls-listen` in [api] that this is for"]);
    let principal =
        |name| format!("[[principal]]\nname = \"{name}\"\nrole = \"auditor\"\ncertificate = \"a.example.net\"\n");
    let text = format!("{listen}tls-certificate = \"c\"\ntls-key = \"k\"\n{}", principal("a"));
    assert_eq!(problems(&text), ["nobody is asked for a certificate: `tls-client-ca` in [api] says who signs them"]);
    let ca = text.replace("tls-key", "tls-client-ca = \"ca\"\ntls-key");
    assert_eq!(parse(&ca).unwrap().principals[0].certificate.as_deref(), Some("a.example.net"));
    let twice = format!("{ca}{}", principal("b"));
    assert_eq!(problems(&twice), ["the certificate `a.example.net` is a principal already: see line 10"]);
    assert_eq!(problems("version = 1\n[api]\nrequests-per-second = 0").len(), 1);
    assert_eq!(problems("version = 1\n[api]\ntls-listen = \"192.0.2.10\"\ntls-key = \"k\"\n").len(), 1);
}

#[test]
fn the_shipped_file_is_the_default_and_says_so_key_by_key() {
    assert_eq!(parse(SHIPPED), Ok(Config::default()), "as it is");
    let text = uncommented(false);
    assert!(text.contains("\nwindow = \"48h\"\n"));
    assert_eq!(parse(&text), Ok(Config::default()), "with every setting uncommented");
}

#[test]
fn the_examples_in_the_shipped_file_work_and_show_defaults() {
    let config = parse(&uncommented(true)).unwrap();
    let shown = &config.radius.clients[0];
    let network = shown.network;
    let plain = format!(
        "version = 1\n[[radius.client]]\nnetwork = \"{network}\"\nname = \"bng-1\"\nsecret-file = \"bng-1.secret\"\n"
    );
    assert_eq!(shown, &parse(&plain).unwrap().radius.clients[0]);
    let (stream, spool) = (&config.streams[0], &config.spools[0]);
    assert_eq!(stream, &Source::named("dhcp-1", &config.retention));
    assert_eq!(spool.source, Source::named("hooks", &config.retention));
    let (networks, principals) = (config.networks.len(), config.principals.len());
    assert_eq!((config.radius.listen.len(), config.radius.clients.len(), networks, principals), (1, 1, 1, 2));
    let tls = config.api.tls.as_ref().unwrap();
    assert_eq!((&*tls.key, tls.client_ca.is_some()), (Path::new("/etc/lapsed/tls.key"), true));
    let nat = &config.deterministic_nats[0];
    let plain = format!(
        "version = 1\n[[nat.deterministic]]\noutside = \"{}\"\ninside = \"{}\"\nports = {}\n",
        nat.outside, nat.inside, nat.ports
    );
    assert_eq!(config.deterministic_nats, parse(&plain).unwrap().deterministic_nats);
    let plain =
        "version = 1\n[[dhcp.leases]]\nname = \"kea-1\"\nformat = \"kea4\"\npath = \"/var/lib/kea/kea-leases4.csv\"\n";
    assert_eq!(config.dhcp.leases[0], parse(plain).unwrap().dhcp.leases[0]);
    assert_eq!(config.dhcp.leases[1].source.name, "kea-2");
    assert_eq!(config.dhcp.leases[1].mapping, Some(PathBuf::from("/etc/lapsed/accounts.csv")));
    let civil = config.fees.of(ProcessType::CivilOrder);
    assert_eq!(civil.item.map(|each| each.to_string()).as_deref(), Some("5.00 USD"));
    assert_eq!((config.entities.len(), config.fees.general), (1, Fee::default()));
    assert_eq!(config.remarks(), []);
}

#[test]
fn the_shipped_file_names_every_key_in_its_table() {
    let text = uncommented(true);
    for shape in SHAPES {
        let start = if shape.heading.is_empty() { 0 } else { text.find(shape.heading).expect(shape.heading) };
        // A table may be shown more than once, each time with other keys.
        let mut shown = String::new();
        let mut inside = start == 0;
        for line in text[start..].lines() {
            if line.starts_with('[') {
                inside = line == shape.heading;
            }
            if inside {
                shown.push_str(line);
                shown.push('\n');
            }
        }
        for key in shape.keys {
            let is_set = shown.lines().any(|line| line.starts_with(&format!("{key} = ")));
            let is_table = SHAPES.iter().any(|other| {
                let path = other.heading.trim_matches(['[', ']']);
                path == *key || ["radius.", "dhcp.", "nat."].iter().any(|outer| path.strip_prefix(outer) == Some(key))
            });
            assert!(is_set || is_table, "{} {key}", shape.heading);
        }
    }
}

proptest! {
    #[test]
    fn no_text_stops_the_reader(text in "\\PC{0,200}|([\\[\\]a-z.\"'=#,{}\\n 0-9\\\\-]){0,200}") {
        let _ = parse(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn a_damaged_file_has_faults_within_its_lines(at in 0..SHIPPED.len(), junk in "[\\[\\]a-z.\"'=#\\n \u{e9}-]{0,4}") {
        let mut text = uncommented(true);
        let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &junk);
        if let Err(ConfigError::Faulty { faults, .. }) = parse(&text) {
            for fault in faults {
                let line = text.lines().nth(fault.line - 1).unwrap_or("");
                prop_assert!(fault.column <= line.chars().count() + 1, "{fault:?}");
            }
        }
    }
}
