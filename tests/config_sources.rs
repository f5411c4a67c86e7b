//! The configuration of lease files and of NATs: each way to be wrong has its words.

use std::path::Path;

use lapsed::config::{Config, ConfigError, Remark, Secret, SecretError, SecretFile};

/// A client with all it cannot do without, to be followed by more of its keys.
const CLIENT: &str = "version = 1\n[[radius.client]]\nnetwork = \"192.0.2.1\"\nname = \"bng-1\"\nsecret-file = \"s\"\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    let secret = |_: &Path| -> Result<SecretFile, SecretError> {
        Ok(SecretFile { secret: Secret::from_bytes(b"Tr0ub4dor")?, exposed: false })
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

#[test]
fn lease_files_are_sources_and_have_their_ways_to_be_wrong() {
    const LEASES: &str = "version = 1\n[[dhcp.leases]]\nname = \"kea-1\"\nformat = \"kea4\"\npath = \"a\"\n";
    let other = |rest: &str| format!("[[dhcp.leases]]\nname = \"kea-2\"\nformat = \"kea4\"\npath = \"b\"\n{rest}");
    let differs = "`kea` is one source: format, realm, interims, max-delay and max-silence must be the same for both its \
                   files; see line 2";
    let cases = [
        ("subscriber = []".to_owned(), "`subscriber` must name at least one"),
        (
            "subscriber = [\"user-name\"]".to_owned(),
            "`user-name` is no `subscriber`: use remote-id, circuit-id, client-id, mac",
        ),
        ("max-delay = \"49h\"".to_owned(), "`max-delay` must be from 1s to 48h, not 49h"),
        ("mapping = \"\"".to_owned(), "`mapping` must not be empty"),
        ("[[dhcp.leases]]\nname = \"c\"\npath = \"c\"".to_owned(), "missing key `format` in [[dhcp.leases]]"),
        (
            "[[dhcp.leases]]\nname = \"c\"\npath = \"c\"\nformat = \"dnsmasq\"".to_owned(),
            "`dnsmasq` is no `format`: use kea4, kea6, dhcpd",
        ),
        (other("").replace("kea-2", "kea-1"), "the name `kea-1` is taken already: see line 3"),
        (other("").replace("\"b\"", "\"a\""), "a is followed already: see line 5"),
        (other("pair = \"kea-1\""), "the name `kea-1` is taken already: see line 3"),
        (format!("pair = \"kea\"\n{}", other("pair = \"kea\"\nrealm = \"r\"")), differs),
        (
            "[[radius.client]]\nnetwork = \"192.0.2.1\"\nname = \"kea-1\"\nsecret-file = \"s\"".to_owned(),
            "the name `kea-1` is taken already: see line 8",
        ),
        ("[[stream]]\nname = \"kea-1\"".to_owned(), "the name `kea-1` is taken already: see line 3"),
        (
            "pair = \"kea\"\n[[spool]]\npath = \"p\"\nname = \"kea\"".to_owned(),
            "the name `kea` is taken already: see line 9",
        ),
        (
            "[[principal]]\nname = \"kea-1\"\nuid = 0\nrole = \"operator\"".to_owned(),
            "`kea-1` is a lease file or a pair of them, and so a source: see line 3",
        ),
    ];
    for (text, problem) in cases {
        assert_eq!(problems(&format!("{LEASES}{text}\n")), [problem], "{text}");
    }
    let pair = parse(&format!("{LEASES}pair = \"kea\"\n{}", other("pair = \"kea\""))).unwrap();
    let names: Vec<_> = pair.sources().map(|source| source.name.as_str()).collect();
    assert_eq!((names, pair.dhcp.leases.len()), (vec!["kea"], 2));
    assert_eq!(pair.remarks(), [Remark::NoPrincipal], "nobody misses RADIUS");
}

#[test]
fn a_computed_translation_has_room_for_everybody_and_is_the_only_one() {
    let rule = |keys: &str| format!("[[nat.deterministic]]\n{keys}\n");
    let first = rule("outside = \"192.0.2.0/31\"\ninside = \"10.0.0.0/28\"\ninside-realm = \"cgn-1\"\nports = 6451");
    let config = parse(&format!("version = 1\n{first}")).unwrap();
    let nat = &config.deterministic_nats[0];
    assert_eq!((nat.first_port, nat.last_port, nat.blocks(), nat.capacity()), (1024, 65535, 10, 20));
    assert_eq!((nat.outside_realm.0.as_str(), nat.inside_realm.0.as_str()), ("", "cgn-1"));
    let nowhere = Remark::UnknownRealm { inside: nat.inside, realm: "cgn-1".into() };
    assert!(config.remarks().contains(&nowhere), "nobody says who has the inside addresses");
    let known = parse(&format!("{CLIENT}realm = \"cgn-1\"\noutside-realm = \"out\"\n{first}")).unwrap();
    assert!(!known.remarks().contains(&nowhere));
    assert_eq!(known.radius.clients[0].source.outside_realm, "out");

    let alone = [
        (
            "outside = \"192.0.2.0/32\"\ninside = \"10.0.0.0/28\"\nports = 6451",
            "`outside` has room for 10 blocks, and `inside` has 16 addresses",
        ),
        (
            "outside = \"192.0.2.0/31\"\ninside = \"10.0.0.0/28\"\nports = 6451\nlast-port = 7000",
            "not one block of 6451 ports fits between `first-port` 1024 and `last-port` 7000",
        ),
        (
            "outside = \"192.0.2.0/31\"\ninside = \"10.0.0.0/28\"\nports = 1\nfirst-port = 9\nlast-port = 8",
            "not one block of 1 ports fits between `first-port` 9 and `last-port` 8",
        ),
        ("outside = \"2001:db8::/64\"\ninside = \"10.0.0.0/28\"\nports = 1", "`outside` must be an IPv4 network"),
        ("outside = \"192.0.2.0/31\"\ninside = \"10.0.0.0/28\"", "missing key `ports` in [[nat.deterministic]]"),
        ("outside = \"192.0.2.0/31\"\ninside = \"10.0.0.0/28\"\nports = 0", "`ports` must be from 1 to 65535, not 0"),
        (
            "outside = \"192.0.2.0/24\"\ninside = \"192.0.2.128/25\"\nports = 100",
            "`inside` overlaps the network 192.0.2.0/24 of the same realm: see line 3",
        ),
    ];
    for (keys, problem) in alone {
        assert_eq!(problems(&format!("version = 1\n{}", rule(keys))), [problem], "{keys}");
    }

    let second = |outside: &str, realm: &str| {
        rule(&format!("outside = \"{outside}\"\ninside = \"10.0.0.8/29\"\ninside-realm = \"{realm}\"\nports = 6451"))
    };
    let both = |outside, realm| format!("version = 1\n{first}{}", second(outside, realm));
    assert_eq!(parse(&both("192.0.2.2/32", "cgn-2")).unwrap().deterministic_nats.len(), 2, "another realm");
    assert_eq!(
        parse(&both("192.0.2.1/32", "cgn-1")).unwrap_err().to_string(),
        "\
error: `outside` overlaps the network 192.0.2.0/31 of the same realm: see line 3
  --> lapsed.toml:8:11
   |
 8 | outside = \"192.0.2.1/32\"
   |           ^^^^^^^^^^^^^^

error: `inside` overlaps the network 10.0.0.0/28 of the same realm: see line 4
  --> lapsed.toml:9:10
   |
 9 | inside = \"10.0.0.8/29\"
   |          ^^^^^^^^^^^^^

2 faults in lapsed.toml"
    );
}
