//! In whose name a response is given and what it costs: what is wrong with it is named with its place.

use std::path::Path;

use lapsed::config::{Config, ConfigError, Remark, SecretError};
use lapsed::domain::process::ProcessType;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "lapsed.toml", Path::new("/etc/lapsed"), |_| Err(SecretError::Empty))
}

fn faults(text: &str) -> String {
    parse(text).map_or_else(|error| error.to_string(), |_| String::from("no fault"))
}

/// The first lines of the faults of `text`, without places.
fn problems(text: &str) -> Vec<String> {
    faults(text).lines().filter_map(|line| line.strip_prefix("error: ")).map(str::to_owned).collect()
}

#[test]
fn fees_and_entities_are_checked_with_their_places() {
    let text = r#"version = 1
[disclosure]
zone = "Denver"
[fees]
request = "25 USD"
item = "5.00 USD"
[[fee]]
type = "civil-order"
item = "4.00 EUR"
[[fee]]
type = "civil-order"
[[fee]]
type = "marketing"
[[entity]]
name = "north"
[[entity]]
name = "north"
[[entity]]
brand = "Example"
"#;
    let places = |line: &&str| line.contains("--> ");
    let lines: Vec<String> =
        faults(text).lines().filter(places).map(|line| line.rsplit(':').nth(1).unwrap().to_owned()).collect();
    assert_eq!(lines, ["3", "5", "9", "11", "13", "17", "18"]);
    let said = problems(text);
    for (at, words) in [
        (0, "`Denver` is no zone of the IANA database: write one such as \"America/Denver\""),
        (1, "`25 USD` is no amount: write it as \"25.00 USD\", or \"none\""),
        (2, "4.00 EUR is of another currency than the 5.00 USD in line 6: one bill has one currency"),
        (3, "the fees of `civil-order` are configured already: see line 8"),
        (5, "the name `north` is taken already: see line 15"),
        (6, "missing key `name` in [[entity]]"),
    ] {
        assert_eq!(said[at], words);
    }
    let fees = "version = 1\n[fees]\nrequest = \"25.00 USD\"\nitem = \"0.35 USD\"\n[[fee]]\ntype = \"nsl\"\nrequest = \"none\"\n";
    let config = parse(&format!("{fees}[[entity]]\nname = \"nowhere\"\n")).unwrap();
    let nsl = config.fees.of(ProcessType::Nsl);
    assert_eq!((nsl.request, nsl.item), (None, config.fees.general.item));
    assert!(config.remarks().contains(&Remark::UnknownEntity { entity: "nowhere".into() }));
}
