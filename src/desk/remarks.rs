//! What is pointed out of an item before anything is answered: most requests that name the wrong person have a mistake in
//! the address or the time that shows on the paper already.
//!
//! A remark refuses nothing: whoever reads it decides, and asks back if need be.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use chrono::{Datelike as _, Utc};

use crate::config::{Config, Network, Written};
use crate::domain::time::Timestamp;
use crate::written::address::{self, Special, service};
use crate::written::instant;
use crate::written::items::{Item, repeated};

/// A time that lies longer than this before the date of issue is more often a wrong year than an old affair.
const LONG_BEFORE: Duration = Duration::from_secs(180 * 86_400);

/// RFCs of the blocks that are used inside of networks: what a paper shows of them was seen inside, too.
const PRIVATE: [u16; 3] = [1918, 4193, 6598];

/// What the items are held against.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// Our networks and margins.
    pub config: &'c Config,
    /// The present.
    pub now: Timestamp,
    /// The window in force.
    pub window: Duration,
    /// When the paper was issued, where that is known.
    pub issued: Option<Timestamp>,
    /// When it was received; the present if nothing is said.
    pub received: Option<Timestamp>,
}

/// Something that should be looked at before the item is answered. Prints as one sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Another item asks for the same.
    Repeated {
        /// The line of the first that does.
        first: usize,
    },
    /// The time has not come yet.
    Future {
        /// How far it is ahead.
        by: Duration,
    },
    /// The time lies after the paper was received.
    AfterReceived {
        /// How long after.
        by: Duration,
    },
    /// The time lies after the paper was issued, and before it was received.
    AfterIssued {
        /// How long after.
        by: Duration,
    },
    /// The time lies so long before the paper was issued that another year may be meant.
    LongBeforeIssued {
        /// How long before.
        by: Duration,
    },
    /// With the year before or after, the time lies in the window before the paper was received.
    OtherYear {
        /// The time with that year.
        at: Timestamp,
    },
    /// The port is mostly a server's: the paper may name the wrong end.
    ServerPort {
        /// The port.
        port: u16,
        /// Whose it mostly is.
        service: &'static str,
    },
    /// The address was set aside for something, and no network of ours has it.
    SetAside(&'static Special),
    /// No network of ours has the address.
    Foreign,
    /// Several subscribers share the address, and no port was given.
    SharedWithoutPort,
    /// The clock that gave the time may have been wrong by more than a lookup allows for.
    WideUncertainty {
        /// By how much, either way.
        uncertainty: Duration,
        /// What a lookup allows for.
        margin: Duration,
    },
    /// How the address was read. Blocks that were set aside have a remark of their own.
    Address(address::Note),
    /// How the time was read.
    Time(instant::Note),
}

impl Remark {
    /// A short name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Repeated { .. } => "repeated",
            Self::Future { .. } => "future",
            Self::AfterReceived { .. } => "after-received",
            Self::AfterIssued { .. } => "after-issued",
            Self::LongBeforeIssued { .. } => "long-before-issued",
            Self::OtherYear { .. } => "other-year",
            Self::ServerPort { .. } => "server-port",
            Self::SetAside(special) if is_private(special) => "private-address",
            Self::SetAside(_) | Self::Address(address::Note::Special(_)) => "special-address",
            Self::Foreign => "not-ours",
            Self::SharedWithoutPort => "needs-port",
            Self::WideUncertainty { .. } => "wide-uncertainty",
            Self::Address(note) => match note {
                address::Note::Defanged => "brackets-taken-off",
                address::Note::Mapped => "ipv4-in-ipv6",
                address::Note::HostBits => "host-bits",
                address::Note::Whole { .. } => "whole-network",
                address::Note::LastGroup { .. } => "port-without-brackets",
                address::Note::Carried(_) | address::Note::Special(_) => "carries-ipv4",
            },
            Self::Time(note) => match note {
                instant::Note::NoSeconds => "no-seconds",
                instant::Note::CutToMilliseconds { .. } => "cut-to-milliseconds",
                instant::Note::Twelve { .. } => "twelve-o-clock",
                instant::Note::NoHalf => "no-am-or-pm",
                instant::Note::NoLocalOffset => "unknown-offset",
                instant::Note::ZoneBeside => "zone-beside",
                instant::Note::ZoneUnused { .. } => "zone-unused",
                instant::Note::OutOfSeason { .. } => "zone-out-of-season",
            },
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated { first } => write!(f, "line {first} asks for the same address, port and time"),
            Self::Future { by } => write!(f, "this time comes in {} only", Rough(*by)),
            Self::AfterReceived { by } => write!(f, "this time lies {} after the paper was received", Rough(*by)),
            Self::AfterIssued { by } => write!(f, "this time lies {} after the paper was issued", Rough(*by)),
            Self::LongBeforeIssued { by } => write!(f, "this time lies {} before the paper was issued", Rough(*by)),
            Self::OtherYear { at } => {
                let year = at.to_utc().year();
                write!(f, "if {year} is meant, the time is {at}, which is inside the window")
            }
            Self::ServerPort { port, service } => {
                write!(f, "port {port} is mostly a server's ({service}): ask for the port of the subscriber's side")
            }
            Self::SetAside(special) => write!(f, "this is {special}, and no network of ours has it"),
            Self::Foreign => f.write_str("no network of ours has this address"),
            Self::SharedWithoutPort => {
                f.write_str("several subscribers share this address: without a port it names none of them")
            }
            Self::WideUncertainty { uncertainty, margin } => {
                let (uncertainty, margin) = (Written(*uncertainty), Written(*margin));
                write!(f, "the clock may have been wrong by {uncertainty}, and a lookup allows for {margin} only")
            }
            Self::Address(note) => note.fmt(f),
            Self::Time(note) => note.fmt(f),
        }
    }
}

const fn is_private(special: &Special) -> bool {
    let [a, b, c] = PRIVATE;
    special.rfc == a || special.rfc == b || special.rfc == c
}

/// A length of time to two units at most, cut off and not rounded up: `45 s`, `12 min`, `3 h 12 min`, `31 h`, `12 d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rough(pub Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86_400);
        match (minutes % 60, hours) {
            (_, 0) if minutes == 0 => write!(f, "{secs} s"),
            (_, 0) => write!(f, "{minutes} min"),
            (0, 1..24) | (_, 24..240) => write!(f, "{hours} h"),
            (rest, 1..24) => write!(f, "{hours} h {rest} min"),
            (_, 240..) => write!(f, "{days} d"),
        }
    }
}

/// The remarks of each item, in the order of the items.
pub fn remarks(items: &[Item], context: &Context<'_>) -> Vec<Vec<Remark>> {
    let again: HashMap<usize, usize> =
        repeated(items).into_iter().map(|found| (found.file_line, found.first)).collect();
    let of = |item: &Item| {
        let again = again.get(&item.file_line).map(|first| Remark::Repeated { first: *first });
        let mut found: Vec<Remark> = again.into_iter().collect();
        found.extend(of_address(item, context.config));
        found.extend(of_time(item, context));
        found
    };
    items.iter().map(of).collect()
}

/// The configured network that an item lies in, or the first that lies in it, if it is a whole network.
pub fn network_of<'c>(item: &Item, config: &'c Config) -> Option<&'c Network> {
    let asked = item.address.network.as_net();
    let within = || config.networks.iter().find(|network| asked.contains(&network.prefix));
    config.network_around(item.address.network).or_else(within)
}

/// Would a lookup call it `not-ours`?
pub fn is_foreign(item: &Item, config: &Config) -> bool {
    !config.networks.is_empty() && network_of(item, config).is_none()
}

/// Do several share the address, so that without a port nobody is named?
pub fn needs_port(item: &Item, config: &Config) -> bool {
    let address = item.address.network.address();
    let computed = || config.deterministic_nats.iter().any(|nat| nat.translates(&item.realm, address));
    item.port.is_none() && (network_of(item, config).is_some_and(|network| network.shared) || computed())
}

fn of_address(item: &Item, config: &Config) -> Vec<Remark> {
    let mut found = Vec::new();
    let is_configured = network_of(item, config).is_some();
    for note in &item.address.notes {
        if let address::Note::Special(special) = note {
            found.extend((!is_configured).then_some(Remark::SetAside(special)));
        } else {
            found.push(Remark::Address(note.clone()));
        }
    }
    let is_set_aside = found.iter().any(|remark| matches!(remark, Remark::SetAside(_)));
    if is_foreign(item, config) && !is_set_aside {
        found.push(Remark::Foreign);
    }
    if needs_port(item, config) {
        found.push(Remark::SharedWithoutPort);
    }
    let service = item.port.and_then(|port| Some(Remark::ServerPort { port, service: service(port)? }));
    found.extend(service);
    found
}

fn of_time(item: &Item, context: &Context<'_>) -> Vec<Remark> {
    let Context { config, now, window, issued, received } = *context;
    let at = item.at.at;
    let mut found: Vec<Remark> = item.at.notes.iter().cloned().map(Remark::Time).collect();
    let after = |end: Option<Timestamp>| end.filter(|end| at > *end).map(|end| at.since(end));
    found.extend(if at > now {
        Some(Remark::Future { by: at.since(now) })
    } else if let Some(by) = after(received) {
        Some(Remark::AfterReceived { by })
    } else if let Some(by) = after(issued.filter(|issued| is_later_day(at, *issued))) {
        Some(Remark::AfterIssued { by })
    } else {
        let by = issued.map(|issued| issued.since(at)).filter(|by| *by > LONG_BEFORE);
        by.map(|by| Remark::LongBeforeIssued { by })
    });
    let received = received.unwrap_or(now);
    found.extend(other_year(item, received, window).map(|at| Remark::OtherYear { at }));
    let shared = network_of(item, config).is_some_and(|network| network.shared);
    let margin = if shared { config.lookup.shared_margin } else { config.lookup.margin };
    let wide = item.uncertainty.filter(|uncertainty| *uncertainty > margin);
    found.extend(wide.map(|uncertainty| Remark::WideUncertainty { uncertainty, margin }));
    found
}

/// A paper has the day of its issue and seldom its hour: what happened on that day is not after it.
fn is_later_day(at: Timestamp, issued: Timestamp) -> bool {
    at.since(issued) >= Duration::from_secs(86_400)
}

/// The time with the year before or after, if that lies in the window before `received` and the time itself does not.
fn other_year(item: &Item, received: Timestamp, window: Duration) -> Option<Timestamp> {
    let was_readable = |at: Timestamp| at >= received.minus(window) && at <= received;
    if was_readable(item.at.at) {
        return None;
    }
    let year = item.at.local.year();
    let years = [year.checked_add(1), year.checked_sub(1)].into_iter().flatten();
    let mut meant = years.filter_map(|year| Timestamp::from_utc(item.at.local.with_year(year)?.with_timezone(&Utc)));
    meant.find(|at| was_readable(*at))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{SecretError, SecretFile};
    use crate::domain::rfc3339;
    use crate::written::items;

    const NETWORKS: &str = "
[[network]]
prefix = \"203.0.113.0/24\"
[[network]]
prefix = \"198.51.100.0/24\"
shared = true
[[network]]
prefix = \"2001:db8::/32\"
";

    fn config(tables: &str) -> Config {
        let no_secrets = |_: &Path| -> Result<SecretFile, SecretError> { unreachable!("there is no secret") };
        Config::parse(&format!("version = 1\n{tables}"), "test", Path::new(""), no_secrets).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        rfc3339::parse(text).unwrap()
    }

    /// What is pointed out of the rows below `address,port,at,uncertainty`: of each, `code: sentence`.
    fn said(config: &Config, issued: Option<&str>, received: Option<&str>, rows: &str) -> Vec<Vec<String>> {
        let items = items::read(format!("address,port,at,uncertainty\n{rows}").as_bytes()).unwrap().items;
        let (issued, received) = (issued.map(at), received.map(at));
        let (now, window) = (at("2026-11-21T12:00:00Z"), Duration::from_secs(172_800));
        let context = Context { config, now, window, issued, received };
        let said = |remark: &Remark| format!("{}: {remark}", remark.code());
        remarks(&items, &context).iter().map(|remarks| remarks.iter().map(said).collect()).collect()
    }

    fn of_one(rows: &str) -> Vec<String> {
        said(&config(NETWORKS), None, None, rows).concat()
    }

    #[test]
    fn an_ordinary_item_has_no_remark() {
        assert_eq!(of_one("203.0.113.7,40000,2026-11-21T11:00:00Z,60s\n"), [""; 0]);
        assert_eq!(of_one("198.51.100.7,40000,2026-11-21T11:00:00Z,300s\n"), [""; 0]);
    }

    #[test]
    fn addresses_that_name_nobody_are_pointed_out() {
        let cases = [
            (
                "192.0.2.7,",
                "special-address: this is an address for documentation (192.0.2.0/24, RFC 5737), and no network of ours has it",
            ),
            (
                "10.0.0.9,",
                "private-address: this is a private address (10.0.0.0/8, RFC 1918), and no network of ours has it",
            ),
            (
                "100.64.0.9,",
                "private-address: this is an address of the space that a carrier shares among its subscribers (100.64.0.0/10, RFC 6598), and no network of ours has it",
            ),
            ("8.8.8.8,", "not-ours: no network of ours has this address"),
            (
                "198.51.100.7,",
                "needs-port: several subscribers share this address: without a port it names none of them",
            ),
            (
                "2001:db8:1:2::/64,",
                "whole-network: 2001:db8:1:2::/64 is a whole network, which may have had several holders",
            ),
            (
                "203.0.113.7,443",
                "server-port: port 443 is mostly a server's (the web over TLS): ask for the port of the subscriber's side",
            ),
        ];
        for (item, expected) in cases {
            assert_eq!(of_one(&format!("{item},2026-11-21T11:00:00Z,\n")), [expected]);
        }
    }

    #[test]
    fn without_networks_of_ours_no_address_is_foreign_and_special_ones_are_still_special() {
        let said = |row: &str| said(&config(""), None, None, row).concat();
        assert_eq!(said("8.8.8.8,,2026-11-21T11:00:00Z,\n"), [""; 0]);
        assert!(said("10.0.0.9,,2026-11-21T11:00:00Z,\n").concat().starts_with("private-address: "));
    }

    #[test]
    fn a_network_around_ours_is_not_foreign() {
        let said = of_one("203.0.112.0/20,,2026-11-21T11:00:00Z,\n").concat();
        assert!(said.starts_with("whole-network: ") && !said.contains("not-ours"), "{said}");
    }

    #[test]
    fn a_port_is_needed_behind_a_nat_that_computes() {
        let nat = "[nat]\n[[nat.deterministic]]\noutside = \"192.0.2.0/28\"\ninside = \"10.0.0.0/24\"\nfirst-port = 1024\nlast-port = 65535\nports = 2000\n";
        let said = said(&config(nat), None, None, "192.0.2.1,,2026-11-21T11:00:00Z,\n").concat().concat();
        assert!(said.contains("needs-port: "), "{said}");
    }

    #[test]
    fn the_same_question_twice_names_the_first() {
        let row = "203.0.113.7,40000,2026-11-21T11:00:00Z,\n";
        let again = "203.0.113.7:40000,,2026-11-21T12:00:00+01:00,\n";
        let other = "203.0.113.7,40001,2026-11-21T11:00:00Z,\n";
        let said = said(&config(NETWORKS), None, None, &format!("{row}{other}{again}"));
        let repeated = "repeated: line 2 asks for the same address, port and time".to_owned();
        assert_eq!(said, [vec![], vec![], vec![repeated]]);
    }

    #[test]
    fn times_that_do_not_fit_the_dates_of_the_paper_are_pointed_out() {
        let (issued, received) = (Some("2026-11-20T00:00:00Z"), Some("2026-11-21T10:00:00Z"));
        let other = "if 2026 is meant, the time is 2026-11-20T11:00:00.000Z, which is inside the window";
        let cases = [
            ("2026-11-20T11:00:00Z", vec![]),
            ("2026-11-18T11:00:00Z", vec![]),
            (
                "2026-11-21T11:00:00Z",
                vec!["after-received: this time lies 1 h after the paper was received".to_owned()],
            ),
            ("2026-11-21T09:00:00Z", vec!["after-issued: this time lies 33 h after the paper was issued".to_owned()]),
            (
                "2025-11-20T11:00:00Z",
                vec![
                    "long-before-issued: this time lies 364 d before the paper was issued".to_owned(),
                    format!("other-year: {other}"),
                ],
            ),
            (
                "2027-11-20T11:00:00Z",
                vec!["future: this time comes in 363 d only".to_owned(), format!("other-year: {other}")],
            ),
            ("2026-11-21T13:30:00Z", vec!["future: this time comes in 1 h 30 min only".to_owned()]),
        ];
        for (time, expected) in cases {
            let row = format!("203.0.113.7,,{time},\n");
            assert_eq!(said(&config(NETWORKS), issued, received, &row), [expected], "{time}");
        }
    }

    #[test]
    fn a_year_is_shifted_as_the_calendar_has_it_and_a_leap_day_has_no_other_year() {
        let shifted = |time: &str, received: &str| {
            let items = items::read(format!("address,at\n203.0.113.7,{time}\n").as_bytes()).unwrap().items;
            other_year(&items[0], at(received), Duration::from_secs(172_800)).map(|at| at.to_string())
        };
        assert_eq!(
            shifted("2027-12-31T23:59:59-07:00", "2027-01-01T08:00:00Z").as_deref(),
            Some("2027-01-01T06:59:59.000Z")
        );
        assert_eq!(shifted("2028-02-29T12:00:00Z", "2029-03-01T00:00:00Z"), None);
        assert_eq!(shifted("2026-11-20T12:00:00Z", "2026-11-21T00:00:00Z"), None);
    }

    #[test]
    fn how_a_time_was_read_and_how_wrong_its_clock_may_be_are_pointed_out() {
        let said = of_one("203.0.113.7,,2026-11-21 11:00 UTC,2m\n");
        let expected = [
            "no-seconds: no seconds were written: it stands for the whole minute",
            "wide-uncertainty: the clock may have been wrong by 2m, and a lookup allows for 1m only",
        ];
        assert_eq!(said, expected);
        assert_eq!(of_one("203.0.113.7,,\"Jul 21, 2026 11:00:00 AM EST\",\n").len(), 1);
    }

    #[test]
    fn lengths_of_time_have_two_units_at_most_and_are_never_rounded_up() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (11_579, "3 h 12 min"),
            (86_399, "23 h 59 min"),
            (111_600, "31 h"),
            (863_999, "239 h"),
            (864_000, "10 d"),
        ];
        for (secs, expected) in cases {
            assert_eq!(Rough(Duration::from_secs(secs)).to_string(), expected);
        }
    }
}
